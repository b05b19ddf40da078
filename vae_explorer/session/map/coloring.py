"""What the colours of the points mean."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from psygnal import Signal

from vae_explorer.data.table_layout import TableDraft, TableLayout, draft_table
from vae_explorer.data.tables import Column, Numbers, Table, read_table
from vae_explorer.latent.figures import posterior_width
from vae_explorer.session.files.settings import MOST_TABLES
from vae_explorer.session.files.settings_file import SettingsFile
from vae_explorer.session.jobs import Control
from vae_explorer.session.map.latent_map import LatentMap
from vae_explorer.session.map.scores import Arrays, Scores
from vae_explorer.session.map.state import MapPoints, MapState, PointColors
from vae_explorer.session.tasks import Tasks
from vae_explorer.training.meaning import Remark, explained, named, no_likelihood
from vae_explorer.types import Float32

LABEL = "label"

_SCORES: dict[str, tuple[str, str, tuple[str, ...], Callable[[Arrays], Float32]]] = {
    "log_marginal": (
        "log p(x)",
        "Exact, by quadrature",
        ("log_marginal",),
        lambda known: known["log_marginal"],
    ),
    "gap": (
        "log p(x) − ELBO",
        "What the encoder's bound loses",
        ("elbo", "log_likelihood", "log_marginal"),
        lambda known: known["log_marginal"] - known["elbo"],
    ),
    "error": (
        "Reconstruction error",
        "−log p(x|z) in the mean over q(z|x)",
        ("elbo", "log_likelihood"),
        lambda known: -known["log_likelihood"],
    ),
}

CHOICES: tuple[tuple[str, str], ...] = (
    (LABEL, "Label"),
    ("log_marginal", "log p(x)"),
    ("gap", "ELBO gap"),
    ("width", "Posterior width"),
    ("error", "Reconstruction error"),
    ("split", "Train or test"),
)
"""What points can always be coloured by, as (value, text); a user's table adds its columns."""

_TABLE = "table:"  # before the name of a column


class Coloring:
    """By what the points are coloured, and the values. Main thread only."""

    changed = Signal(object)
    """``PointColors``, or None: by label."""
    choices_changed = Signal(tuple)
    """All (value, text) there are to choose from."""
    drafted = Signal(TableDraft)
    """A table as it seems to be, to be read by ``read_table`` when a person has agreed."""

    def __init__(
        self,
        tasks: Tasks,
        settings: SettingsFile,
        latent_map: LatentMap,
        scores: Scores,
        message: Callable[[str], None],
    ) -> None:
        self._reading = tasks.newest("table", "The table was not read")
        self._settings = settings
        self._message = message
        self._map = latent_map
        self._scores = scores
        self._table: Table | None = None
        self.read_from = ("", "")
        """The path of a user's table, and its layout as JSON."""
        self.by = LABEL
        self.colors: PointColors | None = None
        """As told last; None: by label."""
        latent_map.changed.connect(self._on_map)
        scores.changed.connect(self._on_scores)

    @property
    def choices(self) -> tuple[tuple[str, str], ...]:
        """All (value, text) there are to choose from."""
        own = tuple(
            (by, named(text, self._remark) if by in _SCORES else text) for by, text in CHOICES
        )
        return own + tuple((_TABLE + name, name) for name in self.columns)

    @property
    def columns(self) -> Mapping[str, Column]:
        """Those of a user's table, of all images."""
        return self._table.columns if self._table else {}

    @property
    def _remark(self) -> Remark | None:
        state = self._map.state
        return no_likelihood(state.snapshot.recipe) if state else None

    def choose(self, by: str) -> None:
        """Colour by another of ``choices``."""
        if by != self.by and by in dict(self.choices):
            self.by = by
            self.refresh()

    def open_table(self, path: Path) -> None:
        """Look at a user's table, and say what it seems to be."""
        points, known = self._map.points, self._settings.now.tables
        data, split = self._map.shown_data, points.split if points else "train"

        def draft(_: Control) -> TableDraft:
            draft = draft_table(path, data.sizes(), split)
            for layout in known:
                if layout.header == draft.layout.header:
                    return draft.remembering(layout)
            return draft

        self._reading.run(draft, self.drafted.emit)

    def read_table(self, path: Path, layout: TableLayout) -> None:
        """Colour by a user's table, and remember how tables with its columns are read."""
        sizes = self._map.shown_data.sizes()

        def take(table: Table) -> None:
            settings = self._settings.now
            others = [other for other in settings.tables if other.header != layout.header]
            self._settings.change(replace(settings, tables=(layout, *others)[:MOST_TABLES]))
            self.set_table(table)
            self.read_from = str(path.absolute()), json.dumps(asdict(layout))
            if self.colors and np.isnan(self.colors.values).all():
                self._message(f"{table.name} says nothing of the images shown")
            left_out = "; ".join(f"“{name}” {why}" for name, why in table.skipped.items())
            if left_out:
                self._message(f"Columns of {table.name} left out: {left_out}")

        self._reading.run(lambda control: read_table(path, layout, sizes, control.check), take)

    def set_table(self, table: Table) -> None:
        """Take the columns of a user's table, and colour by the first."""
        self._table = table
        self.choices_changed.emit(self.choices)
        self.by = _TABLE + next(iter(table.columns))
        self.refresh()

    def refresh(self) -> None:
        """Tell the colours as they are now, and again when more is known."""
        state = self._map.state
        if state is None or state.points is None or state.posterior is None:
            return
        points, posterior = state.points, state.posterior
        if self.by in _SCORES and (why := state.model.no_marginal):
            self._message(f"{dict(CHOICES)[self.by]} is not known: {why}")
            self.by = LABEL
            self.choices_changed.emit(self.choices)
        if self.by in _SCORES:
            self._emit(self._of_scores(state, {} if state.moving else self._scores.known))
            if not state.moving:
                self._scores.request("color", _SCORES[self.by][2])
            return
        self._scores.cancel("color")
        if self.by == "width":
            widths = posterior_width(posterior.covariance).astype(np.float32)
            about = "Geometric mean of the standard deviations of q(z|x)"
            self._emit(_scaled("Posterior width", about, widths, "latent units"))
        elif self.by == "split":
            tests = points.seeds >= points.data.sizes()["train"]
            self._emit(
                PointColors(
                    "Train or test",
                    "Which part of the data an image is from",
                    tests.astype(np.float32),
                    names=("train", "test"),
                )
            )
        elif self.by.startswith(_TABLE):
            self._emit(self._of_table(points))
        else:
            self._emit(None)

    def _emit(self, colors: PointColors | None) -> None:
        self.colors = colors
        self.changed.emit(colors)

    def _on_map(self, new: MapState, old: MapState | None) -> None:
        if self._table and old and new.data is not old.data:  # it is of other images
            self._table, self.read_from = None, ("", "")
            self.by = LABEL if self.by.startswith(_TABLE) else self.by
            self.choices_changed.emit(self.choices)
        if self._remark != (no_likelihood(old.snapshot.recipe) if old else None):
            self.choices_changed.emit(self.choices)
        before = old.points if old else None
        if new.points is None or new.points is before:
            return
        self.refresh()

    def _on_scores(self, known: Arrays) -> None:
        state = self._map.state
        if state is not None and self.by in _SCORES and not state.moving:
            self._emit(self._of_scores(state, known))

    def _of_scores(self, state: MapState, known: Arrays) -> PointColors:
        assert state.points is not None
        title, about, names, value = _SCORES[self.by]
        if all(name in known for name in names):
            values = value(known)
        else:
            values = np.full(len(state.points.indices), np.nan, np.float32)
        if state.moving:
            about = "Computed when training pauses"
        return _scaled(named(title, self._remark), explained(about, self._remark), values, "nats")

    def _of_table(self, points: MapPoints) -> PointColors:
        assert self._table is not None
        name = self.by.removeprefix(_TABLE)
        column, images = self._table.columns[name], points.seeds
        if isinstance(column, Numbers):
            values = column.values[images]
        else:
            values = column.codes[images].astype(np.float32)
            values[values < 0] = np.nan
        known = int(np.isfinite(values).sum())
        about = f"From {self._table.name}"
        if known < len(values):
            about += f", which knows it of {known:,} of the {len(values):,} images shown"
        if isinstance(column, Numbers):
            return _scaled(name, about, values, "")
        return PointColors(name, about, values, names=column.names)


def _scaled(title: str, about: str, values: Float32, unit: str) -> PointColors:
    """With a scale that leaves two per cent out at each end, or one outlier would take it all."""
    known = values[np.isfinite(values)]
    low, high = (float(end) for end in np.percentile(known, [2, 98])) if len(known) else (0.0, 1.0)
    return PointColors(title, about, values, low, high if high > low else low + 1.0, unit)
