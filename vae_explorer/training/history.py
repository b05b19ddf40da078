"""The figures of a run over time, as rows."""

import csv
import dataclasses
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vae_explorer.errors import CheckpointError


@dataclass(frozen=True)
class HistoryPoint:
    """Figures at one moment of training, nats per image except ``epoch``.

    The training figures are means over the steps since the last report. The held-out figures are
    None between epochs; in both sets elbo = log_likelihood − kl, whatever β the loss used.
    ``objective`` is what training maximises, before β and the ELBO share;
    ``held_out_log_marginal`` is log p(x): the held-out ELBO and its gap on some of those images,
    summed over a lattice.
    """

    epoch: float
    elbo: float
    log_likelihood: float
    kl: float
    objective: float
    held_out_elbo: float | None = None
    held_out_log_likelihood: float | None = None
    held_out_kl: float | None = None
    held_out_log_marginal: float | None = None


LONGEST_HISTORY = 20_000
"""Points after which a history is thinned; a header of text has to hold it."""

_COLUMNS = [item.name for item in dataclasses.fields(HistoryPoint)]


def thinned(points: Sequence[HistoryPoint]) -> list[HistoryPoint]:
    """Every second point, and every one with held-out figures."""
    return [
        point for index, point in enumerate(points) if index % 2 or point.held_out_elbo is not None
    ]


def to_csv(points: Iterable[HistoryPoint]) -> str:
    """One line a point under a header; absent figures are empty cells."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for point in points:
        writer.writerow("" if cell is None else repr(cell) for cell in dataclasses.astuple(point))
    return text.getvalue()


def from_csv(text: str) -> tuple[HistoryPoint, ...]:
    """Read what ``to_csv`` wrote.

    Raises:
        CheckpointError: the header is not ours or a cell is not a number.
    """
    rows = csv.reader(io.StringIO(text))
    points = []
    try:
        if next(rows, None) != _COLUMNS:
            raise CheckpointError("The training history has an unknown header.")
        for row in rows:
            epoch, elbo, log_likelihood, kl, objective = map(float, row[:5])
            held_out = [float(cell) if cell else None for cell in row[5:]]
            points.append(HistoryPoint(epoch, elbo, log_likelihood, kl, objective, *held_out))
    except (TypeError, ValueError, csv.Error) as error:
        raise CheckpointError(f"The training history has a bad row: {error}.") from error
    return tuple(points)
