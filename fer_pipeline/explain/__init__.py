"""Shows where a trained model looks: Grad-CAM grids, and shares per region of the face."""
