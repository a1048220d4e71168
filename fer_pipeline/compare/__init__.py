"""Tests which trained models differ, from their predictions alone."""
