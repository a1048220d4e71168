"""Searches for the values of a training that serve its validation rows best."""
