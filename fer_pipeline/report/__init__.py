"""Gathers all results on one self-contained page, and in the small summary kept in git."""
