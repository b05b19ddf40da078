"""Some figures of training against time: of the run, and of others beside it."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor

from vae_explorer.gui.curves.curve_table import TIME_LABELS, PanelSpec
from vae_explorer.gui.curves.decimation import Vertices
from vae_explorer.gui.curves.legend import Entry
from vae_explorer.gui.curves.panel_frame import PanelFrame
from vae_explorer.gui.curves.sheet import Axis, Band, Mark, Sheet, Stroke
from vae_explorer.gui.curves.trace import TimeScale, Trace, robust_range, to_axis, written
from vae_explorer.gui.theme import Theme
from vae_explorer.gui.widgets.number_format import figure
from vae_explorer.types import Float64

_MARKER_ROOM = 8  # pixels; markers that would touch are left out
_GROWTH = 1.25
_PALE = 0.35
_SHADE = 0.18


class CurvePanel(PanelFrame):
    """Draws traces, decimated to the pixels there are, and reads their values."""

    def __init__(self, spec: PanelSpec) -> None:
        super().__init__(spec.title, TIME_LABELS["epoch"], spec.unit)
        self.setToolTip(spec.tip)
        self.spec = spec
        self.scale = TimeScale()
        self._log_y = False
        self._traces: list[Trace] = []
        self._foreign: list[tuple[str, list[Trace]]] = []
        self._items: list[tuple[pg.PlotDataItem, pg.PlotDataItem]] = []
        self._strokes: list[tuple[Trace, bool, Vertices]] = []
        self._band: tuple[Vertices, Vertices] | None = None
        self._reading: float | None = None

        item = self.plot.getPlotItem()
        self._borders = (pg.PlotCurveItem(), pg.PlotCurveItem())
        self._shade = pg.FillBetweenItem(*self._borders)
        self._shade.setZValue(-10)
        self._shade.hide()
        item.addItem(self._shade, ignoreBounds=True)
        self._crosshair = pg.InfiniteLine(angle=90)
        self._crosshair.hide()
        self._moment = pg.InfiniteLine(angle=90)
        self._moment.addMarker("v", 1.0, 9.0)
        self._moment.hide()
        for line in (self._moment, self._crosshair):
            item.addItem(line, ignoreBounds=True)
        self.view.sigXRangeChanged.connect(self._redraw)
        self.view.sigResized.connect(self._redraw)

    def set_traces(self, own: Sequence[Trace], foreign: Sequence[tuple[str, list[Trace]]]) -> None:
        """Draw these curves of the run, and those of others by the name of their run."""
        self._traces = list(own)
        self._foreign = list(foreign)
        count = len(list(self._all))
        item = self.plot.getPlotItem()
        while len(self._items) < count:
            pair = tuple(item.plot(connect="finite", symbolSize=6, symbolPen=None) for _ in "12")
            self._items.append((pair[0], pair[1]))
        # Kept for another run: pyqtgraph's items are safer emptied than removed.
        for pair in self._items[count:]:
            for curve in pair:
                curve.setData([], [])
        self._color()

    def set_scale(self, scale: TimeScale) -> None:
        """Show time in this unit, on such an axis."""
        self.scale = scale
        self.x_axis.setLogMode(x=scale.log)
        self._name_x_axis()

    def set_log_y(self, log: bool) -> None:
        """Show values on a logarithmic axis, if this panel may."""
        self._log_y = log and self.spec.log_y
        self.y_axis.setLogMode(y=self._log_y)
        self._suit_y_axis()

    def set_theme(self, theme: Theme) -> None:
        """Take the theme's colours."""
        super().set_theme(theme)
        self._crosshair.setPen(pg.mkPen(theme.muted))
        self._moment.setPen(pg.mkPen(theme.accent, width=2, style=Qt.PenStyle.DashLine))
        self._color()
        self.show_values()

    def set_x_range(self, left: float, right: float) -> None:
        """Show what is between these, in units of the axis."""
        self.view.setXRange(left, right, padding=0)

    def set_moment(self, time: float | None) -> None:
        """Mark the moment that the rest of the window shows."""
        self._place(self._moment, time)

    def set_reading(self, time: float | None) -> None:
        """Read all curves at a moment, under a crosshair, or at the end of each."""
        if time != self._reading:
            self._reading = time
            self._place(self._crosshair, time)
            self._name_x_axis()
        self.show_values()

    def refresh(self) -> None:
        """Draw the figures as they are now."""
        for trace in self._all:
            trace.update()
        self._redraw()
        self.show_values()

    def fit(self) -> None:
        """Show the whole run, at a scale in which it can be read."""
        ends = self._ends
        if ends:
            # Room on the right for half of the last number.
            self.set_x_range(ends[0], ends[0] + 1.04 * ((ends[1] - ends[0]) or 1.0))
        self.fit_y()

    def fit_y(self) -> None:
        """Show the values at a scale in which they can be read."""
        limits = self._limits
        if limits:
            self.view.setYRange(*limits, padding=0)

    def follow(self) -> None:
        """Show the whole run as it grows, moving the axes only when they no longer suit it.

        Drawing an axis anew costs more than drawing the curves.
        """
        (left, right), (low, high) = self.view.viewRange()
        ends = self._ends
        if ends:
            start, end = ends
            span = end - start
            if not (left == start and end <= right <= start + 2 * _GROWTH * span):
                self.set_x_range(start, start + _GROWTH * (span or 1.0))
        limits = self._limits
        if limits:
            span = limits[1] - limits[0]
            if limits[0] < low or limits[1] > high or high - low > 2 * span:
                self.view.setYRange(limits[0], limits[1] + (_GROWTH - 1) * span, padding=0)

    def show_values(self) -> None:
        """Write the values at the reading, or the newest, into the legend."""
        self._legend.set_entries(self._entries(self.theme))

    def vertices(self) -> list[Vertices]:
        """The curves a click can hit, as they are drawn."""
        return [vertices for trace, _, vertices in self._strokes if not trace.foreign]

    def sheet(self, theme: Theme) -> Sheet:
        """What is shown, in a theme's colours."""
        (left, right), (low, high) = self.view.viewRange()
        bands = (Band(*self._band, self._shade_color(theme)),) if self._band else ()
        return Sheet(
            self.title,
            Axis(TIME_LABELS[self.scale.unit], left, right, self.scale.log),
            Axis(self.y_label, low, high, self._log_y),
            tuple(
                Stroke(
                    vertices,
                    trace.color(theme),
                    self._opacity(trace, smooth),
                    trace.spec.line,
                    self._symbol(trace, vertices),
                )
                for trace, smooth, vertices in self._strokes
                if len(vertices.x)
            ),
            bands,
            tuple(
                Mark(float(line.value()), color, style)
                for line, color, style in (
                    (self._crosshair, theme.muted, Qt.PenStyle.SolidLine),
                    (self._moment, theme.accent, Qt.PenStyle.DashLine),
                )
                if line.isVisible()
            ),
            tuple(self._entries(theme)),
            self.note,
        )

    @property
    def _all(self) -> Iterator[Trace]:
        yield from self._traces
        for _, traces in self._foreign:
            yield from traces

    @property
    def _ends(self) -> tuple[float, float] | None:
        """The first and the last moment of all runs that the axis can show."""
        ends = []
        for trace in self._all:
            times = trace.times(self.scale.unit)
            start = int(np.searchsorted(times, 0.0, side="right")) if self.scale.log else 0
            if start < len(times):
                ends.append(self.scale.to_view(times[[start, -1]]).tolist())
        if not ends:
            return None
        return min(first for first, _ in ends), max(last for _, last in ends)

    @property
    def _limits(self) -> tuple[float, float] | None:
        samples = [trace.sample(self.scale) for trace in self._all]
        found = robust_range([Vertices(x, to_axis(y, self._log_y)) for x, y in samples])
        if found is None or self.spec.limits:
            return self.spec.limits
        more = max(self.spec.least_span - (found[1] - found[0]), 0.0) / 2
        return found[0] - more, found[1] + more

    def _edges(self) -> Float64:
        left, right = self.view.viewRange()[0]
        columns = max(round(self.view.width() * self.devicePixelRatioF()), 16)
        edges: Float64 = np.linspace(left, right, columns + 1)
        return edges

    def _redraw(self) -> None:
        edges = self._edges()
        self._strokes = []
        for trace, pair in zip(self._all, self._items, strict=False):
            for smooth, item in zip((False, True), pair, strict=True):
                if trace.foreign and smooth != trace.smoothing:
                    x = y = np.empty(0)
                else:
                    x, y = trace.drawn(self.scale, edges, smooth=smooth)
                vertices = Vertices(x, to_axis(y, self._log_y))
                if not np.isfinite(vertices.y).any():  # which pyqtgraph does not bear
                    vertices = Vertices(x[:0], y[:0])
                self._strokes.append((trace, smooth, vertices))
                item.setData(*vertices, symbol=self._symbol(trace, vertices))
            self._fade(trace, pair)
        if self.spec.shade and self._traces:
            self._redraw_shade()
        known = any(trace.table.knows(trace.spec.column) for trace in self._all)
        self.set_note("" if known else "Not measured so far")

    def _redraw_shade(self) -> None:
        """Between two figures where both are known; a moment a pixel column is enough."""
        table = self._traces[0].table
        times = table.column(self.scale.unit, "exact") if table.has_time(self.scale.unit) else ()
        self._band = None
        if len(times):
            borders = np.searchsorted(times, self.scale.from_view(self._edges()))
            begin, end = max(int(borders[0]) - 1, 0), min(int(borders[-1]) + 1, len(times))
            chosen = np.unique(np.append(borders.clip(begin, end - 1), (begin, end - 1)))
            if end - begin <= len(borders):
                chosen = np.arange(begin, end)
            x = self.scale.to_view(times[chosen])
            lower, upper = (table.column(name, "exact")[chosen] for name in self.spec.shade or ())
            kept = np.isfinite(x) & np.isfinite(lower) & np.isfinite(upper)
            if kept.sum() > 1:
                self._band = (Vertices(x[kept], lower[kept]), Vertices(x[kept], upper[kept]))
        self._shade.setVisible(self._band is not None)
        if self._band:
            lower_border, upper_border = self._borders
            lower_border.blockSignals(True)  # one of them is enough to shade anew
            lower_border.setData(*self._band[0])
            lower_border.blockSignals(False)
            upper_border.setData(*self._band[1])

    def _symbol(self, trace: Trace, vertices: Vertices) -> str | None:
        few = len(vertices.x) * _MARKER_ROOM <= self.view.width()
        return trace.spec.symbol if few and not trace.foreign else None

    def _opacity(self, trace: Trace, smooth: bool) -> float:
        return _PALE if trace.smoothing and not smooth else 1.0

    def _color(self) -> None:
        for trace, pair in zip(self._all, self._items, strict=False):
            self._fade(trace, pair)
        self._shade.setBrush(pg.mkBrush(self._faint(self._shade_color(self.theme), _SHADE)))

    def _fade(self, trace: Trace, pair: tuple[pg.PlotDataItem, pg.PlotDataItem]) -> None:
        for smooth, item in zip((False, True), pair, strict=True):
            color = self._faint(trace.color(self.theme), self._opacity(trace, smooth))
            pen = pg.mkPen(color, style=trace.spec.line)
            if item.opts["pen"] != pen:
                item.setPen(pen)
                item.setSymbolBrush(pg.mkBrush(color))

    def _faint(self, color: str, opacity: float) -> QColor:
        shade = QColor(color)
        shade.setAlphaF(opacity)
        return shade

    def _shade_color(self, theme: Theme) -> str:
        return theme.log_likelihood

    def _place(self, line: pg.InfiniteLine, time: float | None) -> None:
        x = np.nan if time is None else float(self.scale.to_view(np.array([time]))[0])
        line.setVisible(bool(np.isfinite(x)))
        if np.isfinite(x):
            line.setPos(x)

    def _name_x_axis(self) -> None:
        unit, time = self.scale.unit, self._reading
        if time is None:
            self.set_x_label(TIME_LABELS[unit])
        elif unit == "epoch":
            self.set_x_label(f"epoch {time:.2f}")
        else:
            self.set_x_label(f"step {time:,.0f}" if unit == "step" else f"time {time:,.1f} s")

    def _entries(self, theme: Theme) -> list[Entry]:
        unit, time = self.scale.unit, self._reading
        entries = []
        for trace in self._traces:
            value = trace.at(unit, time)
            spec = trace.spec
            entries.append(
                Entry(trace.color(theme), spec.stroke, spec.name, written(value, spec.digits))
            )
        if self.spec.shade and self._traces and self._traces[0].table.knows(self.spec.shade[1]):
            # Of the same moment, not of each figure's newest.
            lower, upper = (self._at_exact(name) for name in self.spec.shade)
            gap = "" if lower is None or upper is None else figure(upper - lower, 2)
            entries.append(Entry(self._shade_color(theme), "▒", "gap", gap))
        for name, traces in self._foreign:
            values = [written(trace.at(unit, time), trace.spec.digits) for trace in traces]
            text = " / ".join(value or "—" for value in values) if any(values) else ""
            if traces and not traces[0].table.has_time(unit):
                text = f"(no {TIME_LABELS[unit]})"
            color = traces[0].color(theme) if traces else theme.muted
            entries.append(Entry(color, "━", name, text))
        return entries

    def _at_exact(self, name: str) -> float | None:
        table, unit = self._traces[0].table, self.scale.unit
        times = table.column(unit, "exact")
        time = np.inf if self._reading is None else self._reading
        end = int(np.searchsorted(times, time, side="right"))
        return float(table.column(name, "exact")[end - 1]) if end else None
