"""Stage report: all results as one self-contained page, and the small summary kept in git."""
