"""A light timeline of a run: at each snapshot the codes of the probe images and a decoded sheet."""

from dataclasses import dataclass

import numpy as np

from vae_explorer.export.pictures import manifold_sheet
from vae_explorer.model.trained import Posterior
from vae_explorer.training.history import HistoryPoint
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.types import UInt8

SHEET = 8
"""Decoded positions on a side of a frame's sheet."""

_REACH = 2.5


@dataclass(frozen=True, eq=False)
class TimelineEntry:
    """A kept moment: some hundred kilobytes, whatever the model.

    ``posterior`` is that of the probe images; ``sheet`` a picture (8 h, 8 w) uint8 of the decoded
    positions within ±2.5; ``point`` the figures reported last, None before the first report.
    """

    step: int
    epoch: float
    posterior: Posterior
    sheet: UInt8
    point: HistoryPoint | None


def timeline_entry(snapshot: Snapshot, posterior: Posterior) -> TimelineEntry:
    """The frame of a snapshot, whose posterior of the probe images is known."""
    decoded = manifold_sheet(snapshot.model, SHEET, "linear", _REACH)
    sheet = (255 * decoded).round().astype(np.uint8)
    point = snapshot.history[-1] if snapshot.history else None
    return TimelineEntry(snapshot.step, snapshot.epoch, posterior, sheet, point)
