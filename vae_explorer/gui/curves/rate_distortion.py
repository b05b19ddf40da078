"""The path of a training run through the plane of rate and distortion.

The rate is KL and the distortion −log p(x|z), nats per image, so that ELBO = −(rate + distortion)
and training minimises distortion + β·rate (Alemi et al., "Fixing a Broken ELBO",
arXiv 1711.00464, §2): where it has come to rest, the best that can be reached has slope −β.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor

from vae_explorer.gui.curves.decimation import Index, Pyramid, Vertices
from vae_explorer.gui.curves.history_table import HistoryTable
from vae_explorer.gui.curves.legend import Entry
from vae_explorer.gui.curves.panel_frame import PanelFrame
from vae_explorer.gui.curves.sheet import Axis, Sheet, Stroke
from vae_explorer.gui.curves.smoothing import Smoothed
from vae_explorer.gui.curves.trace import robust_range, written
from vae_explorer.gui.theme import Theme
from vae_explorer.types import Float64

MOST_BLOCKS = 1_000
_GROWTH = 1.25
_REACH = 32  # pixels from the pointer to the place it reads
_COLUMNS: dict[str, tuple[str, str]] = {
    "all": ("kl", "log_likelihood"),
    "held_out": ("held_out_kl", "held_out_log_likelihood"),
}


class Path:
    """Rate and distortion of one run at its reports (``all``) or of the held-out images."""

    def __init__(
        self, table: HistoryTable, rows: Literal["all", "held_out"], color: str = ""
    ) -> None:
        self.table = table
        self.rows: Literal["all", "held_out"] = rows
        self.foreign_color = color
        self._pyramids = (Pyramid(), Pyramid())
        self._averages: tuple[Smoothed, Smoothed] | None = None
        self.rate: Float64 = np.empty(0)
        self.distortion: Float64 = np.empty(0)
        self.outline: Index = np.empty(0, np.intp)

    def color(self, theme: Theme) -> str:
        """Its own colour, or the theme's for the images it is of."""
        return self.foreign_color or (theme.train if self.rows == "all" else theme.held_out)

    def set_smoothing(self, weight: float) -> None:
        """Average the training images' path; the held-out figures have no noise of minibatches."""
        smooth = weight > 0 and self.rows == "all"
        self._averages = (Smoothed(weight), Smoothed(weight)) if smooth else None
        self._pyramids = (Pyramid(), Pyramid())

    def update(self) -> None:
        """Take the new rows of the table."""
        rate, fit = (self.table.column(name, self.rows) for name in _COLUMNS[self.rows])
        if self._averages:
            rate, fit = (a.update(y) for a, y in zip(self._averages, (rate, fit), strict=True))
        for pyramid, values in zip(self._pyramids, (rate, fit), strict=True):
            pyramid.update(values)
        self.rate, self.distortion = rate, fit
        last = np.arange(len(rate))[-1:]
        outlines = [pyramid.outline(MOST_BLOCKS) for pyramid in self._pyramids]
        self.outline = np.unique(np.concatenate([*outlines, last]))

    @property
    def epochs(self) -> Float64:
        """(n,) the moment of each place."""
        return self.table.column("epoch", self.rows)

    @property
    def drawn(self) -> Vertices:
        """The places where rate or distortion turn, and more; none if no place is known."""
        x, y = self.rate[self.outline], -self.distortion[self.outline]
        known = np.isfinite(x) & np.isfinite(y)
        return Vertices(x, y) if known.any() else Vertices(x[:0], y[:0])

    def index(self, epoch: float | None) -> int | None:
        """The newest place at a moment, or of all; None if there was none yet."""
        epochs = self.epochs
        end = len(epochs) if epoch is None else int(np.searchsorted(epochs, epoch, side="right"))
        return min(end, len(self.rate)) - 1 if min(end, len(self.rate)) else None

    def at(self, epoch: float | None) -> tuple[float, float] | None:
        """The place at a moment; None if there is none, or it is not finite."""
        index = self.index(epoch)
        if index is None:
            return None
        place = float(self.rate[index]), -float(self.distortion[index])
        return place if np.isfinite(place).all() else None


class RateDistortionPanel(PanelFrame):
    """Both paths with a dot at the moment read, and through it the line that training follows."""

    timed = False

    def __init__(self) -> None:
        super().__init__("Rate–distortion", "rate (nats / image)", "distortion (nats / image)")
        self.setToolTip(
            "KL against −log p(x|z) as training goes on. Along a line of slope −β the objective "
            "stays the same; a run at rest touches it"
        )
        self._paths: list[Path] = []
        self._names: list[str] = []
        self._epoch: float | None = None
        item = self.plot.getPlotItem()
        self._curves: list[pg.PlotDataItem] = []
        self._tangent = pg.InfiniteLine()
        self._tangent.hide()
        item.addItem(self._tangent, ignoreBounds=True)
        self._dots = item.plot(pen=None, symbol="o", symbolSize=9)
        self._dots.setZValue(10)
        self._moment: float | None = None
        self._moment_dot = item.plot(pen=None, symbol="t", symbolSize=10)
        self._moment_dot.setZValue(9)

    def set_paths(self, paths: Sequence[Path], names: Sequence[str]) -> None:
        """Draw these, the run's own two first and then those of others by their names."""
        self._paths, self._names = list(paths), list(names)
        while len(self._curves) < len(paths):
            self._curves.append(self.plot.getPlotItem().plot(connect="finite"))
        for curve in self._curves[len(paths) :]:
            curve.setData([], [])
        self._color()

    def set_theme(self, theme: Theme) -> None:
        """Take the theme's colours."""
        super().set_theme(theme)
        self._color()
        self.show_values()

    def set_reading(self, epoch: float | None) -> None:
        """Put the dots at a moment, or at the end of each path."""
        self._epoch = epoch
        self.show_values()

    def set_moment(self, epoch: float | None) -> None:
        """Mark the moment that the rest of the window shows."""
        self._moment = epoch
        self._place_dots()

    def refresh(self) -> None:
        """Draw the figures as they are now."""
        for path, curve in zip(self._paths, self._curves, strict=False):
            path.update()
            curve.setData(*path.drawn)
        self.show_values()

    def fit(self) -> None:
        """Show the paths, at a scale in which their later part can be read."""
        limits = self._limits
        if limits:
            self.view.setRange(xRange=limits[0], yRange=limits[1], padding=0)

    def fit_y(self) -> None:
        """The axis of rates is this panel's own, so there is nothing to keep."""
        self.fit()

    def follow(self) -> None:
        """Move the axes only when they no longer suit the paths."""
        limits = self._limits
        if limits is None:
            return
        for (low, high), (left, right) in zip(limits, self.view.viewRange(), strict=True):
            if low < left or high > right or right - left > 2 * _GROWTH * (high - low):
                self.fit()

    def show_values(self) -> None:
        """Write rate and distortion at the moment into the legend, and move the dots there."""
        self._legend.set_entries(self._entries(self.theme))
        self._place_dots()

    def vertices(self) -> list[Vertices]:
        """The curves a click can hit, as they are drawn."""
        return [path.drawn for path in self._own]

    def epoch_at(self, place: QPointF) -> float | None:
        """When the run was at a place, in units of the axes; None far from its paths."""
        width, height = self.view.viewPixelSize()
        best: tuple[float, float] | None = None
        for path in self._own:
            x, y = path.drawn
            if not len(x):
                continue
            away = np.hypot((x - place.x()) / width, (y - place.y()) / height)
            away[~np.isfinite(away)] = np.inf
            nearest = int(away.argmin())
            if best is None or away[nearest] < best[0]:
                best = float(away[nearest]), float(path.epochs[path.outline[nearest]])
        return best[1] if best and best[0] < _REACH else None

    def sheet(self, theme: Theme) -> Sheet:
        """What is shown, in a theme's colours."""
        (left, right), (low, high) = self.view.viewRange()
        strokes = [
            Stroke(path.drawn, path.color(theme), line=_line(path))
            for path in self._paths
            if len(path.drawn.x)
        ]
        for path in self._own:
            place = path.at(self._epoch)
            if place:
                dot = Vertices(np.array(place[:1]), np.array(place[1:]))
                strokes.append(Stroke(dot, path.color(theme), symbol="o"))
        place, beta = self._touching
        if place and beta is not None:
            ends = np.array([left, right])
            line = Vertices(ends, place[1] - beta * (ends - place[0]))
            strokes.append(Stroke(line, theme.muted, line=Qt.PenStyle.DashLine))
        return Sheet(
            self.title,
            Axis(self.x_axis.labelText, left, right),
            Axis(self.y_label, low, high),
            tuple(strokes),
            entries=tuple(self._entries(theme)),
        )

    @property
    def _own(self) -> list[Path]:
        return [path for path in self._paths if not path.foreign_color]

    @property
    def _touching(self) -> tuple[tuple[float, float] | None, float | None]:
        """Where the line touches, and β at that moment where it is known."""
        for path in self._own[:1]:
            index = path.index(self._epoch)
            beta = np.nan if index is None else path.table.column("beta")[index]
            return path.at(self._epoch), None if np.isnan(beta) else float(beta)
        return None, None

    @property
    def _limits(self) -> tuple[tuple[float, float], tuple[float, float]] | None:
        found = []
        for axis in (0, 1):
            curves = [Vertices(path.epochs[path.outline], path.drawn[axis]) for path in self._paths]
            found.append(robust_range(curves))
        return (found[0], found[1]) if found[0] and found[1] else None

    def _place_dots(self) -> None:
        places = [
            (place, path.color(self.theme))
            for path in self._own
            if (place := path.at(self._epoch)) is not None
        ]
        x, y = [place[0] for place, _ in places], [place[1] for place, _ in places]
        brushes = [pg.mkBrush(color) for _, color in places]
        self._dots.setData(x, y, symbolBrush=brushes, symbolPen=pg.mkPen(self.theme.canvas))
        then = [place for path in self._own if (place := path.at(self._moment))]
        then = then if self._moment is not None else []
        self._moment_dot.setData(
            [place[0] for place in then],
            [place[1] for place in then],
            symbolBrush=None,
            symbolPen=pg.mkPen(self.theme.accent, width=2),
        )
        touching, beta = self._touching
        self._tangent.setVisible(touching is not None and beta is not None)
        if touching and beta is not None:
            self._tangent.setAngle(float(np.degrees(np.arctan(-beta))))
            self._tangent.setPos(touching)

    def _color(self) -> None:
        for path, curve in zip(self._paths, self._curves, strict=False):
            curve.setPen(pg.mkPen(QColor(path.color(self.theme)), style=_line(path)))
        self._tangent.setPen(pg.mkPen(self.theme.muted, style=Qt.PenStyle.DashLine))

    def _entries(self, theme: Theme) -> list[Entry]:
        entries = []
        for path in self._own:
            place = path.at(self._epoch)
            value = f"({written(place[0], '.2f')}, {written(place[1], '.2f')})" if place else ""
            name = "train" if path.rows == "all" else "held-out"
            entries.append(Entry(path.color(theme), "━●", name, value))
        beta = self._touching[1]
        if beta is not None:
            entries.append(Entry(theme.muted, "╍╍", "slope −β =", written(-beta, ".3g")))
        colors = [p.foreign_color for p in self._paths if p.foreign_color and p.rows == "all"]
        entries += [
            Entry(color, "━", name) for color, name in zip(colors, self._names, strict=True)
        ]
        return entries


def _line(path: Path) -> Qt.PenStyle:
    held_out = path.rows == "held_out" and path.foreign_color
    return Qt.PenStyle.DashLine if held_out else Qt.PenStyle.SolidLine
