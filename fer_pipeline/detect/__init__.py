"""Stage `detect`: finds, chooses and aligns one face per labelled picture."""
