"""The dock of paths: its choices, and the strip of frames."""
