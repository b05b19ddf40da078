"""Kept moments of a run: whole models on disk, thinned so that a long run stays small."""

import dataclasses
import re
from contextlib import suppress
from pathlib import Path

from vae_explorer.training.checkpoint import read_checkpoint, write_checkpoint
from vae_explorer.training.history import HistoryPoint, until
from vae_explorer.training.snapshot import Snapshot

MOST = 48
"""Moments at even distances; the powers of two before them come on top, some dozen."""

_FIRST_STRIDE = 128


def first_stride(total_steps: int) -> int:
    """Steps from moment to moment at the start of a run of ``total_steps``.

    Of a short run all moments are kept; of one that may be stopped long before its end the first
    are close together, and thinned as it goes on.
    """
    return max(1, min(-(-total_steps // MOST), _FIRST_STRIDE))


class Moments:
    """The models of a run at some of its steps, each a checkpoint in ``folder``.

    Kept are step 0, the powers of two, between which a map unfolds, and every ``stride`` steps.
    Whenever those are too many the stride doubles and every second one goes. Not for several
    threads at once, but for ``read``.

    Args:
        folder: made when the first is kept; moments already in it are known.
        stride: see ``first_stride``; at least such that those on disk are not too many.
    """

    def __init__(self, folder: Path, stride: int = _FIRST_STRIDE) -> None:
        self.folder = folder
        self._stride = stride
        names = [path.name for path in folder.glob("*.safetensors")] if folder.is_dir() else []
        found = [re.fullmatch(r"step-(\d{9})\.safetensors", name) for name in names]
        self.steps = sorted(int(match[1]) for match in found if match)
        """Of the moments on disk, ascending."""

    def due(self, step: int) -> bool:
        """Whether the model is to be kept after this step."""
        early = step & (step - 1) == 0 and step <= self._stride
        return (early or step % self._stride == 0) and step not in self.steps

    def keep(self, snapshot: Snapshot) -> None:
        """Write a moment, and drop others if there are too many.

        Raises:
            CheckpointError: the disk is full or the folder cannot be written; nothing was dropped.
        """
        # The history of all of them is kept beside the run's model.
        alone = dataclasses.replace(snapshot, history=snapshot.history[-1:])
        write_checkpoint(alone, self.path(snapshot.step))
        self.steps = sorted({*self.steps, snapshot.step})
        while sum(step % self._stride == 0 for step in self.steps) > MOST:
            self._stride *= 2
            for step in [step for step in self.steps if not self._stays(step)]:
                with suppress(OSError):  # one too many does no harm
                    self.path(step).unlink(missing_ok=True)
                self.steps.remove(step)

    def read(self, step: int, history: tuple[HistoryPoint, ...] = ()) -> Snapshot:
        """A kept moment, with the part of the run's ``history`` up to it.

        Raises:
            CheckpointError: see ``read_checkpoint``.
        """
        snapshot = read_checkpoint(self.path(step))
        known = until(history, snapshot.epoch)
        return dataclasses.replace(snapshot, history=known or snapshot.history)

    def path(self, step: int) -> Path:
        """Where the moment of a step is, or would be."""
        return self.folder / f"step-{step:09d}.safetensors"

    def _stays(self, step: int) -> bool:
        return step % self._stride == 0 or step & (step - 1) == 0
