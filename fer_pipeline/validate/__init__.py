"""Checks what a set must fulfil before anything learns from it, and what it leaks."""
