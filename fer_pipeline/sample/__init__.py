"""sample: a procedural face generator, laid out as each real dataset lies on disk."""
