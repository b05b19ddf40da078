"""The figures of a run over time, as rows."""

import csv
import dataclasses
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from vae_explorer.errors import CheckpointError
from vae_explorer.types import Float64


@dataclass(frozen=True)
class HistoryPoint:
    """Figures at one moment of training, nats per image unless said.

    The training figures are means over the steps since the last report. The held-out figures are
    None between epochs; in both sets elbo = log_likelihood − kl, whatever β the loss used.
    ``objective`` is what training maximises, before β and the ELBO share;
    ``held_out_log_marginal`` is log p(x): the held-out ELBO and its gap on some of those images,
    summed over a lattice and draws of q(z|x). ``active_units`` (0 to 2) are those of the held-out
    images (arXiv 1509.00519, §5.2).

    What the step of the moment was taken with: ``learning_rate``, ``gradient_norm`` (the mean
    before clipping, nats), ``beta`` after its warm-up, and ``samples``, draws of z an image.
    ``seconds`` were spent training up to here; they tell of the machine, so points compare equal
    without them. All from ``active_units`` on are None where not known.
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
    active_units: int | None = None
    step: int | None = None
    learning_rate: float | None = None
    gradient_norm: float | None = None
    beta: float | None = None
    samples: int | None = None
    seconds: float | None = dataclasses.field(default=None, compare=False)


class History(tuple[HistoryPoint, ...]):
    """All points of a run, in order; says in its ``repr`` how many, and not which."""

    __slots__ = ()

    @property
    def columns(self) -> dict[str, Float64]:
        """Every figure of ``HistoryPoint`` over time, (n,) float64, NaN where it is not known.

        ``pandas.DataFrame(run.history.columns)`` is a table of them.
        """
        names = (item.name for item in dataclasses.fields(HistoryPoint))
        return {name: np.array([getattr(point, name) for point in self], float) for name in names}

    def __repr__(self) -> str:
        end = f" to epoch {self[-1].epoch:g}" if self else ""
        return f"<History of {len(self):,} points{end}>"


LONGEST_HISTORY = 20_000
"""Points after which a history is thinned; a header of text has to hold it."""

_COLUMNS = {item.name: item.type for item in dataclasses.fields(HistoryPoint)}
_REMARK = "remark"
_NEEDED = 5
"""The first columns have a number in every row."""
_OLDEST = [name for name in list(_COLUMNS)[:8] if name != "objective"]
_LARGEST = 2**63
"""Of an epoch and of whole numbers."""


def thinned(points: Sequence[HistoryPoint]) -> list[HistoryPoint]:
    """Every second point, and every one with held-out figures."""
    return [
        point for index, point in enumerate(points) if index % 2 or point.held_out_elbo is not None
    ]


def to_csv(points: Iterable[HistoryPoint], remark: str = "") -> str:
    """One line a point under a header; absent figures are empty cells.

    A ``remark`` on all figures has a column of its own, the last, which ``from_csv`` passes over.
    """
    more = [remark] if remark else []
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*_COLUMNS, *([_REMARK] if remark else [])])
    for point in points:
        cells = ("" if cell is None else repr(cell) for cell in dataclasses.astuple(point))
        writer.writerow([*cells, *more])
    return text.getvalue()


def from_csv(text: str) -> tuple[HistoryPoint, ...]:
    """Read what ``to_csv`` wrote, now or when it knew only the first columns.

    Raises:
        CheckpointError: the header is not ours or a cell is not a number.
    """
    rows = csv.reader(io.StringIO(text))
    points = []
    try:
        header = next(rows, [])
        marked = header[-1:] == [_REMARK]
        if marked:
            header.pop()
        older = header == _OLDEST
        if older:  # which trained on the ELBO alone
            header.insert(_NEEDED - 1, "objective")
        if len(header) < _NEEDED or header != list(_COLUMNS)[: len(header)]:
            raise CheckpointError("The training history has an unknown header.")
        kinds = [int if _COLUMNS[name] == int | None else float for name in header]
        for row in rows:
            figures = row[:-1] if marked else row
            if older:
                figures.insert(_NEEDED - 1, figures[1])
            cells = [
                kind(cell) if cell else None for kind, cell in zip(kinds, figures, strict=True)
            ]
            if None in cells[:_NEEDED]:
                raise ValueError("an empty cell")
            for cell in (cells[0], *(cell for cell in cells if isinstance(cell, int))):
                if not 0 <= cell < _LARGEST:  # type: ignore[operator]
                    raise ValueError(f"an epoch or a whole number is {str(cell)[:40]}")
            points.append(HistoryPoint(*cells))  # type: ignore[arg-type]
    except (TypeError, ValueError, csv.Error) as error:
        raise CheckpointError(f"The training history has a bad row: {error}.") from error
    return tuple(points)


def until(points: Sequence[HistoryPoint], epoch: float) -> tuple[HistoryPoint, ...]:
    """The points up to a moment."""
    return tuple(point for point in points if point.epoch <= epoch)
