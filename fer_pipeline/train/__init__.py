"""Trains one model on one source, all repeats; keeps the best epoch by validation score."""
