"""Stage explain: where a trained model looks, as Grad-CAM grids and shares per face region."""
