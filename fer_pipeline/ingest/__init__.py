"""Reads a raw dataset in whichever layout it lies and writes its table of samples."""
