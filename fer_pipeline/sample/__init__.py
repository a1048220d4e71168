"""Draws faces from parameters, laid out as each real dataset lies on disk."""
