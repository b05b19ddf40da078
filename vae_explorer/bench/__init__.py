"""Measurements of speed, as the ``bench`` command prints them. Each module measures one subject."""

from collections.abc import Iterator
from importlib import import_module

from vae_explorer.bench.measurement import Measurement

NAMES = (
    "startup",
    "decode",
    "map",
    "train",
    "quick",
    "exact",
    "explore",
    "lessons",
    "responsiveness",
    "memory",
)


def run(name: str) -> Iterator[Measurement]:
    """Measure one of ``NAMES``; figures come as soon as they are known."""
    figures: Iterator[Measurement] = import_module(f"vae_explorer.bench.{name}").measure()
    return figures
