"""Stage train: one model on one source, all repeats, best epoch kept by validation score."""
