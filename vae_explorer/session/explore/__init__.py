"""Exploring: the cursor, decoding, pins, paths, refinement, sketches."""
