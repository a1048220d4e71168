"""Finds, chooses and aligns one face per labelled picture."""
