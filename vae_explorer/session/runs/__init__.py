"""Runs, sweeps and presets."""
