"""The drawing panel: a pad to draw a digit on, and what the model makes of it."""
