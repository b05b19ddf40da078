"""The tables of codes and points."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np

from vae_explorer import schema
from vae_explorer.data.dataset import Dataset
from vae_explorer.data.table_layout import TableLayout, draft_table
from vae_explorer.data.tables import Column, read_table
from vae_explorer.errors import ExportError
from vae_explorer.export.numeric_requests import Codes, Points
from vae_explorer.export.source import Progress, Source
from vae_explorer.export.tables import Columns, point_columns, table_content
from vae_explorer.latent.figures import image_figures, own_draws
from vae_explorer.latent.quadrature import exact_codes, exact_posterior
from vae_explorer.model.trained import Check, TrainedVAE
from vae_explorer.training.meaning import marks
from vae_explorer.training.snapshot import reference
from vae_explorer.types import Floats, Int64, Split, UInt8

_CHUNK = 500  # images between two words on how far it is

Figures = Callable[[TrainedVAE, UInt8, Int64, Check], tuple[Floats, ...]]


def points(request: Codes, source: Source, suffix: str, progress: Progress) -> bytes:
    """A row an image: codes, label, the figures asked for and a user's columns.

    Raises:
        UserError: there are no such images, the table cannot be read, or there is no log p(x).
    """
    asked = request if isinstance(request, Points) else Points(request.split, request.numbers)
    data, model, split = source.data, source.snapshot.model, _split(asked)
    rows = np.array(asked.rows(len(data.of(split))), np.int64)

    def check(done: float = 0) -> None:
        progress(done)

    table = _table(asked, data, check)
    posterior = model.encode(data.of(split).images[rows], check)
    figures = _figures(asked, source, rows, check)
    remark = marks(source.snapshot, reference(data))
    columns = point_columns(
        data, split, rows, posterior.mean, posterior.covariance, figures, table, remark, model.axes
    )
    return table_content(columns, suffix, asked.numbers)


def _bound(model: TrainedVAE, images: UInt8, seeds: Int64, check: Check) -> tuple[Floats, Floats]:
    found = image_figures(model, images, seeds, check)
    return found.elbo, found.log_likelihood


def _exact(model: TrainedVAE, images: UInt8, seeds: Int64, check: Check) -> tuple[Floats]:
    return (exact_posterior(model, own_draws(model, images, seeds), check).log_marginal,)


def _codes(model: TrainedVAE, images: UInt8, seeds: Int64, check: Check) -> tuple[Floats, Floats]:
    z = exact_codes(model, own_draws(model, images, seeds), check=check)
    return z[:, 0], z[:, 1]


FIGURES: Mapping[str, tuple[tuple[str, ...], Figures]] = {
    "elbo": (("elbo", "log_likelihood"), _bound),
    "log_p": (("log_marginal",), _exact),
    "exact": (("exact1", "exact2"), _codes),
}
"""What ``Points`` may ask for: the columns, and what computes them."""


def _figures(
    request: Points, source: Source, rows: Int64, check: Callable[[float], None]
) -> Columns:
    data, model, split = source.data, source.snapshot.model, _split(request)
    images, seeds = data.of(split).images, data.in_both(split, rows)
    asked = [FIGURES[name] for name in FIGURES if getattr(request, name)]
    found: Columns = {}
    for before, (names, compute) in enumerate(asked):
        if names != ("elbo", "log_likelihood"):
            model.vae.check_marginal()
        own = [
            source.known[name][rows] if name in source.known
            else np.full(len(rows), np.nan, np.float32)
            for name in names
        ]  # fmt: skip
        for start in range(0, len(rows), _CHUNK):
            go_on = partial(check, (before + start / len(rows)) / len(asked))
            go_on()
            part = slice(start, start + _CHUNK)
            unknown = start + np.flatnonzero(np.isnan([column[part] for column in own]).any(0))
            if len(unknown):
                values = compute(model, images[rows[unknown]], seeds[unknown], go_on)
                for column, some in zip(own, values, strict=True):
                    column[unknown] = some
        found |= zip(names, own, strict=True)
    return found


def _split(request: Codes) -> Split:
    splits: tuple[Split, ...] = ("train", "test", "both")
    return next(split for split in splits if split == request.split)


def _table(request: Points, data: Dataset, check: Check) -> Mapping[str, Column]:
    if not request.table:
        return {}
    path, sizes = Path(request.table), data.sizes()
    if request.reading:
        said = schema.parse_json(request.reading, "reading", ExportError)
        layout = schema.build(TableLayout, said, "reading", ExportError)
    else:
        layout = draft_table(path, sizes, _split(request)).layout
    return read_table(path, layout, sizes, check).columns
