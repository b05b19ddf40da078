"""Pinned images: the tray, and the one of them that is looked at."""

from dataclasses import dataclass
from functools import partial

from psygnal import Signal

from vae_explorer.data.dataset import Dataset, labels_of
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.session.edits import Edit
from vae_explorer.session.explore.image_truth import image_bound
from vae_explorer.session.map.latent_map import LatentMap
from vae_explorer.session.map.state import MapState, described
from vae_explorer.types import Float32, OneSplit, UInt8

MOST = 24
"""Pins there may be: each is described again for every snapshot of a run."""

Pin = tuple[OneSplit, int]
"""A split, and an index into it."""

_State = tuple[tuple[Pin, ...], Pin | None]


@dataclass(frozen=True)
class DataPoint:
    """One image of the data beside its reconstruction from the posterior mean.

    ``original`` is (h, w) uint8, ``reconstruction`` (h, w) float32, ``mean`` (2,) and
    ``covariance`` (2, 2) the encoder's posterior, the three figures nats of this image (one draw
    of its data treatment, by ``seed``; no other noise): elbo = log_likelihood − kl. ``title`` says
    of what class it is.
    """

    index: int
    label: int
    split: OneSplit
    original: UInt8
    reconstruction: Float32
    mean: Float32
    covariance: Float32
    elbo: float
    log_likelihood: float
    kl: float
    seed: int
    title: str

    @property
    def name(self) -> str:
        """Its class, and where it is in the data."""
        return f"{self.title} · #{self.index:,} {self.split}"


class Pins:
    """Images that stay pinned whatever model is on the map. Main thread only.

    Args:
        latent_map: has the model that describes them.
    """

    changed = Signal()
    """Others are pinned or looked at, or another model describes them."""
    edited = Signal(Edit)

    def __init__(self, latent_map: LatentMap) -> None:
        self._map = latent_map
        self._pins: tuple[Pin, ...] = ()
        self._current: Pin | None = None
        self._model: TrainedVAE | None = None  # that described these
        self._described: dict[Pin, DataPoint] = {}
        latent_map.changed.connect(self._on_map)

    @property
    def tray(self) -> tuple[DataPoint, ...]:
        """All pinned images by the model on the map, the oldest first; none without a model."""
        state = self._map.state
        if state is None:
            return ()
        if state.model is not self._model:
            self._model, self._described = state.model, {}
        known = self._described
        self._described = {
            pin: known.get(pin) or _described(state.model, state.data, *pin) for pin in self._pins
        }
        return tuple(self._described.values())

    @property
    def current(self) -> DataPoint | None:
        """The one that is looked at."""
        return next((pin for pin in self.tray if (pin.split, pin.index) == self._current), None)

    def pin(self, split: OneSplit, index: int) -> None:
        """Pin one image in place of all."""
        self._edit("Pin", (((split, index),), (split, index)))

    def toggle(self, split: OneSplit, index: int) -> None:
        """Add one image to the tray, or take it out; of too many the oldest goes."""
        pin = split, index
        if pin in self._pins:
            self.remove(split, index)
        else:
            self._edit("Add Pin", ((*self._pins, pin)[-MOST:], pin))

    def remove(self, split: OneSplit, index: int) -> None:
        """Take one image out of the tray; if it was looked at, the newest other is."""
        left = tuple(pin for pin in self._pins if pin != (split, index))
        current = self._current if self._current in left else (left[-1] if left else None)
        self._edit("Remove Pin", (left, current))

    def look_at(self, split: OneSplit, index: int) -> None:
        """Look at an image of the tray."""
        if (split, index) in self._pins:
            self._restore((self._pins, (split, index)))

    def restore(self, pins: tuple[Pin, ...], current: Pin | None) -> None:
        """Pin these in place of all, and look at ``current``; no edit."""
        self._restore((pins[-MOST:], current))

    def clear(self) -> None:
        """Empty the tray."""
        self._edit("Clear Pins", ((), None))

    @property
    def _data(self) -> Dataset | None:
        return self._map.state.data if self._map.state else None

    def _edit(self, text: str, state: _State) -> None:
        before = self._pins, self._current
        if state == before:
            return
        self._restore(state)
        restore = partial(self._undo, self._data)
        self.edited.emit(Edit(text, partial(restore, before), partial(restore, state)))

    def _undo(self, data: Dataset | None, state: _State) -> None:
        """Edits made on other data do nothing."""
        if data is self._data:
            self._restore(state)

    def _restore(self, state: _State) -> None:
        self._pins, self._current = state
        if self._map.state is not None:
            self.changed.emit()

    def _on_map(self, new: MapState, old: MapState | None) -> None:
        if old is not None and new.data is not old.data:
            self._pins, self._current, self._model = (), None, None
            self.changed.emit()
        elif self._pins and (old is None or new.model is not old.model):
            self.changed.emit()


def _described(model: TrainedVAE, data: Dataset, split: OneSplit, index: int) -> DataPoint:
    images, seed = data.of(split), data.in_both(split, index)
    image, label = images.images[index], int(labels_of(images)[index])
    bound = image_bound(model, image, seed)
    return DataPoint(
        index=index,
        label=label,
        split=split,
        original=image,
        reconstruction=model.decode(bound.mean[None])[0],
        mean=bound.mean,
        covariance=bound.covariance,
        elbo=bound.elbo,
        log_likelihood=bound.log_likelihood,
        kl=bound.kl,
        seed=seed,
        title=described(data, label),
    )
