"""A model at one moment of its training, with all that is needed to describe it."""

import os
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta

from vae_explorer.data.bundled import FINGERPRINTS, TRAINING_IMAGES
from vae_explorer.data.dataset import Dataset, ImageSet
from vae_explorer.data.reading import Source
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.training.history import History, HistoryPoint
from vae_explorer.training.recipe import Recipe


@dataclass(frozen=True)
class DataReference:
    """Which images a model was trained on: ``fingerprint`` is ``ImageSet.fingerprint``.

    ``source`` is where they were read from and how, if that is known.
    """

    name: str
    fingerprint: str
    images: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    source: Source | None = field(default=None, compare=False)

    @staticmethod
    def of(images: ImageSet) -> "DataReference":
        """What a run on these images says of them."""
        source = images.source
        if source and str(source.path).encode(errors="replace") != os.fsencode(source.path):
            source = None  # no text has such a name
        return DataReference(images.name, images.fingerprint, len(images), source)

    def are(self, images: ImageSet) -> bool:
        """Whether these are the images, or begin with them."""
        return (
            len(images) >= self.images and images.first(self.images).fingerprint == self.fingerprint
        )


BUNDLED = DataReference("MNIST", FINGERPRINTS["train"], TRAINING_IMAGES)
"""The training images of MNIST, which need not be read to be known."""


def reference(data: Dataset) -> DataReference:
    """The training images of a data set, as a checkpoint names them."""
    if data.fingerprint == BUNDLED.fingerprint:
        return BUNDLED
    return DataReference(data.name, data.fingerprint, data.training_images)


@dataclass(frozen=True)
class Change:
    """A field of the recipe that was steered: from ``step`` on it had another value."""

    step: int
    field: str
    value: float


@dataclass(frozen=True)
class Snapshot:
    """A trained model, how it came about, and how far it is. Never mutated once published.

    ``epoch`` counts passes over the training images, with a fraction inside one; ``step`` counts
    gradient steps. ``recipe`` is as it stands now, after ``changes``.
    """

    model: TrainedVAE
    recipe: Recipe
    data: DataReference
    history: tuple[HistoryPoint, ...]
    epoch: float
    step: int
    changes: tuple[Change, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.history, History):
            object.__setattr__(self, "history", History(self.history))
        if self.model.writer is None:  # without the model, which else would refer to itself
            told = {item.name: getattr(self, item.name) for item in fields(self)[1:]}
            self.model.writer = partial(_write, told)

    def __repr__(self) -> str:
        elbo = self.held_out_elbo
        figure = "" if elbo is None else f", held-out ELBO {elbo:.2f} nats"
        return f"<Snapshot of epoch {self.epoch:g}, step {self.step:,}{figure}: {self.model}>"

    @property
    def held_out_elbo(self) -> float | None:
        """The last held-out ELBO, nats per image; None if no epoch has ended."""
        known = [p.held_out_elbo for p in self.history if p.held_out_elbo is not None]
        return known[-1] if known else None


def _write(told: dict[str, Any], model: TrainedVAE, path: str | Path) -> None:
    from vae_explorer.training.checkpoint import write_checkpoint

    write_checkpoint(Snapshot(model, **told), path)
