"""Facial emotion recognition, from raw datasets to numbers that hold."""
