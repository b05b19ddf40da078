"""Runs, presets and sweeps."""
