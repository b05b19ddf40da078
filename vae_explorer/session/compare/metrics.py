"""The figures of two models side by side, of images that both are asked about."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vae_explorer.data.arrays import spread
from vae_explorer.data.dataset import Dataset
from vae_explorer.latent.aggregate import aggregate
from vae_explorer.latent.figures import image_figures, own_draws
from vae_explorer.latent.quadrature import exact_posterior
from vae_explorer.model.trained import Check, TrainedVAE
from vae_explorer.training.meaning import of_model
from vae_explorer.training.snapshot import Snapshot, reference
from vae_explorer.types import Float32, Float64, Int64, UInt8

_IMAGES = 500  # that both models are aligned and scored on
_CHUNK = 100  # images between two reports of progress

_ROWS = (
    ("Epoch", "", 1),
    ("Objective", "", 0),
    ("Data treatment", "", 0),
    ("Parameters", "", 0),
    ("Held-out ELBO, in training", "nats", 2),
    ("ELBO", "nats", 2),
    ("log p(x), quadrature", "nats", 2),
    ("Gap: log p(x) − ELBO", "nats", 2),
    ("KL(q(z|x) ‖ p(z))", "nats", 2),
    ("Active units", "of 2", 0),
)
"""Names, units and decimals of the figures that each model has by itself."""

Figure = float | str | None
"""A number, a text, or not known."""


@dataclass(frozen=True)
class TableRow:
    """A figure of both sides; a number is shown with ``digits`` decimals."""

    name: str
    unit: str
    a: Figure
    b: Figure
    digits: int = 2


@dataclass(frozen=True)
class ComparisonTable:
    """The names of both sides, "" where there is no model, their figures, and what they are of."""

    names: tuple[str, str]
    rows: tuple[TableRow, ...]
    note: str


@dataclass(frozen=True)
class Scores:
    """Means over the common images, nats per image, and the number of dimensions in use."""

    elbo: float
    log_marginal: float
    kl: float
    active_units: int


@dataclass(frozen=True, eq=False)
class Column:
    """What is known of one model; ``codes`` (n, 2) of the common images are as trained."""

    name: str
    snapshot: Snapshot
    codes: Float32
    scores: Scores | None = None
    path: Path | None = None

    def figures(self) -> list[Figure]:
        """One for each of ``_ROWS``."""
        snapshot, scores = self.snapshot, self.scores
        recipe, parameters = snapshot.recipe, f"{snapshot.model.parameters:,}"
        own: list[Figure] = [snapshot.epoch, recipe.objective, recipe.treatment, parameters]
        own.append(snapshot.held_out_elbo)
        if scores is None:
            return own + [None] * (len(_ROWS) - len(own))
        gap = scores.log_marginal - scores.elbo
        return [*own, scores.elbo, scores.log_marginal, gap, scores.kl, scores.active_units]


def comparison_table(
    a: Column | None, b: Column | None, rotation: Float64 | None, data: Dataset
) -> ComparisonTable:
    """The figures of both sides; None is a side without a model.

    Args:
        a: the left side.
        b: the right side.
        rotation: (2, 2), turns the codes of ``b`` onto those of ``a``, if there are both.
        data: whose images they are shown on.
    """
    columns = [column.figures() if column else [None] * len(_ROWS) for column in (a, b)]
    rows = [
        TableRow(name, unit, one, other, digits)
        for (name, unit, digits), one, other in zip(_ROWS, *columns, strict=True)
    ]
    apart = None
    if a and b and rotation is not None:
        offsets = b.codes.astype(np.float64) @ rotation.T - a.codes
        apart = math.sqrt(np.square(offsets).sum(1).mean())
    rows.append(TableRow("Distance of images from A", "latent units, RMS", "", apart))
    treatments = {column.snapshot.recipe.treatment for column in (a, b) if column}
    note = f"ELBO and below: of the same {_IMAGES} test images."
    if len(treatments) > 1:
        note += " The likelihoods are of different data treatments and do not compare."
    for column in (a, b):
        if column:
            for remark in of_model(column.snapshot, reference(data)):
                note += f" {column.name}: {remark.text}"
    return ComparisonTable((a.name if a else "", b.name if b else ""), tuple(rows), note)


def score(
    model: TrainedVAE, data: Dataset, tell: Callable[[int, int], None], check: Check
) -> Scores:
    """The scores of a model, on any thread.

    Args:
        model: decodes and encodes.
        data: has the images.
        tell: told how many of how many images are done.
        check: called between chunks of work; what it raises ends it.
    """
    images, seeds = common_images(data)
    x = own_draws(model, images, seeds)
    tell(0, len(x))
    figures = image_figures(model, images, seeds, check)
    log_marginal = []
    for start in range(0, len(x), _CHUNK):
        part = exact_posterior(model, x[start : start + _CHUNK], check)
        log_marginal.append(part.log_marginal)
        tell(min(start + _CHUNK, len(x)), len(x))
    return Scores(
        elbo=float(figures.elbo.mean()),
        log_marginal=float(np.concatenate(log_marginal).mean()),
        kl=float(figures.kl.mean()),
        active_units=aggregate(model, x, check=check).active_units,
    )


def common_images(data: Dataset) -> tuple[UInt8, Int64]:
    """The images (n, h, w) that both models are aligned and scored on, with their seeds (n,)."""
    images = data.test.images
    rows = spread(len(images), _IMAGES)
    return images[rows], data.in_both("test", rows)
