"""Kept moments of a run: models on disk, thinned and rounded so that a long run stays small.

Their large tensors are float16. Of the bundled models on 2,000 test images that changes the ELBO by
0.001 nats in the mean, a decoded pixel by at most 0.28/255 and a position by 0.0002; bfloat16 would
change them by 0.014 nats, 1.6/255 and 0.002. What resumes a run lies apart, and is exact.
"""

import dataclasses
import re
from contextlib import suppress
from pathlib import Path

import torch
from torch import Tensor

from vae_explorer.training.checkpoint import header, read_checkpoint
from vae_explorer.training.history import HistoryPoint, until
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.training.tensors import write_tensors

MOST = 48
"""Moments at even distances; the powers of two before the second come on top."""

_EVEN_AN_EARLY = 6  # moments at even distances for each power of two
_LONGEST_FIRST_STRIDE = 128
_BUDGET = 150_000_000  # bytes on the disk that the moments of a run may take
_BYTES = 2  # of a number
_SMALL = 4_096  # numbers of a tensor that is kept exactly: biases, frequencies


def first_stride(total_steps: int, most: int = MOST) -> int:
    """Steps from moment to moment at the start of a run of ``total_steps``.

    Of a short run all moments are kept; of one that may be stopped long before its end the first
    are close together, and thinned as it goes on.
    """
    return min(total_steps // most + 1, _LONGEST_FIRST_STRIDE)


def most_kept(parameters: int) -> int:
    """Moments at even distances of a model of so many numbers; of a large one there are fewer."""
    room = _BUDGET // (_BYTES * parameters)
    return min(MOST, max(2, room * _EVEN_AN_EARLY // (_EVEN_AN_EARLY + 1)))


def bytes_kept(parameters: int, total_steps: int) -> int:
    """What the moments of a run take at most on the disk, but for headers and small tensors."""
    most = most_kept(parameters)
    return min(total_steps + 1, most + most // _EVEN_AN_EARLY) * _BYTES * parameters


class Moments:
    """The models of a run at some of its steps, each a checkpoint in ``folder``.

    Kept are step 0, the first powers of two, between which a map unfolds, and every ``stride``
    steps. Whenever those are too many the stride doubles and every second one goes, so what is
    kept depends on the last step alone. Not for several threads at once, but for ``read``.

    Args:
        folder: made when the first is kept; moments already in it are known.
        stride: what it is at first; see ``first_stride``.
        most: how many there may be at even distances; the fewer, the fewer powers of two.
    """

    def __init__(self, folder: Path, stride: int, most: int = MOST) -> None:
        self.folder = folder
        self._first_stride = stride
        self._most = most
        names = [path.name for path in folder.glob("*.safetensors")] if folder.is_dir() else []
        found = [re.fullmatch(r"step-([0-9]{9})\.safetensors", name) for name in names]
        self.steps = sorted(int(match[1]) for match in found if match)
        """Of the moments on disk, ascending."""

    def due(self, step: int) -> bool:
        """Whether the model is to be kept after this step."""
        return step not in self.steps and self._stays(step, last=max([step, *self.steps]))

    def keep(self, snapshot: Snapshot) -> None:
        """Write a moment, and drop others if there are too many.

        Raises:
            CheckpointError: the disk is full or the folder cannot be written; nothing was dropped.
        """
        # The history of all of them is kept beside the run's model.
        alone = dataclasses.replace(snapshot, history=snapshot.history[-1:])
        weights = {name: _rounded(tensor) for name, tensor in alone.model.state_dict().items()}
        write_tensors(self.path(snapshot.step), weights, header(alone))
        self.steps = sorted({*self.steps, snapshot.step})
        self._drop([step for step in self.steps if not self._stays(step, self.steps[-1])])

    def drop_after(self, last: int) -> None:
        """Drop what a run that was killed kept after the step it goes on from."""
        self._drop([step for step in self.steps if step > last])

    def _drop(self, steps: list[int]) -> None:
        for step in steps:
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

    def _stays(self, step: int, last: int) -> bool:
        """Whether the moment of ``step`` is one of those kept of a run up to ``last``."""
        stride = self._first_stride
        while last // stride >= self._most:
            stride *= 2
        early = step & (step - 1) == 0 and step < 1 << (self._most // _EVEN_AN_EARLY)
        return (early and step <= self._first_stride) or step % stride == 0


def _rounded(tensor: Tensor) -> Tensor:
    """In half the bytes, unless it is small or has numbers that are too large for that."""
    half = tensor.half() if tensor.dtype == torch.float32 and tensor.numel() > _SMALL else tensor
    return half if bool(half.isfinite().all()) else tensor
