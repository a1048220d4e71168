"""Tests each trained run on every dataset's test rows: predictions, scores, plots, ledger."""
