"""Training off the main thread, and its timeline."""
