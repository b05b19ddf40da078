"""Pinned images: the tray, and the one of them that is looked at."""

from functools import partial

import numpy as np
from psygnal import Signal

from vae_explorer.data import bundled
from vae_explorer.latent.figures import image_figures
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.session.edits import Edit
from vae_explorer.session.map.latent_map import labels_of
from vae_explorer.session.state import DataPoint, draw_seeds

MOST = 24
"""Pins there may be: each is described anew for every snapshot of a run."""

Pin = tuple[str, int]
"""A split, "train" or "test", and an index into it."""

_State = tuple[tuple[Pin, ...], Pin | None]


class Pins:
    """Images that stay marked whatever model is on the map. Main thread only."""

    tray_changed = Signal(tuple)
    """All pinned ``DataPoint``s, the oldest first; ``current`` may be another than before."""
    edited = Signal(Edit)

    def __init__(self) -> None:
        self.tray: tuple[DataPoint, ...] = ()
        self.current: DataPoint | None = None
        self._pins: tuple[Pin, ...] = ()
        self._current: Pin | None = None
        self._model: TrainedVAE | None = None
        self._described: dict[Pin, DataPoint] = {}  # under that model

    def set_model(self, model: TrainedVAE) -> None:
        """Describe the same images under another model."""
        self._model = model
        self._described = {}
        if self._pins:
            self._tell()

    def pin(self, split: str, index: int) -> None:
        """Pin one image in place of all."""
        self._edit("Pin", (((split, index),), (split, index)))

    def toggle(self, split: str, index: int) -> None:
        """Add one image to the tray, or take it out; of too many the oldest goes."""
        pin = split, index
        if pin in self._pins:
            self.remove(split, index)
        else:
            self._edit("Add Pin", ((*self._pins, pin)[-MOST:], pin))

    def remove(self, split: str, index: int) -> None:
        """Take one image out of the tray; if it was looked at, the newest other is."""
        left = tuple(pin for pin in self._pins if pin != (split, index))
        current = self._current if self._current in left else (left[-1] if left else None)
        self._edit("Remove Pin", (left, current))

    def look_at(self, split: str, index: int) -> None:
        """Look at an image of the tray."""
        if (split, index) in self._pins:
            self._restore((self._pins, (split, index)))

    def restore(self, pins: tuple[Pin, ...], current: Pin | None) -> None:
        """Pin these in place of all, and look at ``current``; no edit."""
        self._restore((pins[-MOST:], current))

    def clear(self) -> None:
        """Empty the tray."""
        self._edit("Clear Pins", ((), None))

    def _edit(self, text: str, state: _State) -> None:
        before = self._pins, self._current
        if state == before:
            return
        self._restore(state)
        self.edited.emit(Edit(text, partial(self._restore, before), partial(self._restore, state)))

    def _restore(self, state: _State) -> None:
        self._pins, self._current = state
        self._tell()

    def _tell(self) -> None:
        model = self._model
        if model is None:
            return
        known = self._described
        self._described = {pin: known.get(pin) or _described(model, *pin) for pin in self._pins}
        self.tray = tuple(self._described.values())
        self.current = self._described[self._current] if self._current else None
        self.tray_changed.emit(self.tray)


def _described(model: TrainedVAE, split: str, index: int) -> DataPoint:
    data = bundled.mnist(split)
    image = data.images[index : index + 1]
    posterior = model.encode(image)
    figures = image_figures(model, image, draw_seeds(split, np.array([index])))
    return DataPoint(
        index=index,
        label=int(labels_of(data)[index]),
        split=split,
        original=image[0],
        reconstruction=model.decode(posterior.mean)[0],
        mean=posterior.mean[0],
        covariance=posterior.covariance[0],
        elbo=float(figures.elbo[0]),
        log_likelihood=float(figures.log_likelihood[0]),
        kl=float(figures.kl[0]),
    )
