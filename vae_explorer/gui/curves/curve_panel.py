"""Some metrics of training against time: of the run, and of others beside it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from typing_extensions import override

from vae_explorer.gui.curves.curve_table import TIME_LABELS, PanelSpec
from vae_explorer.gui.curves.panel import GROWTH, Panel
from vae_explorer.gui.curves.trace import TimeScale, Trace, robust_range, smoothed
from vae_explorer.gui.plot.marks import Band, Entry, Level, Line, Mark
from vae_explorer.number_format import NONE, figure
from vae_explorer.training.meaning import Remark, explained, named

_PALE = 0.35
_SHADE = 0.18
_SHADE_COLOR = "log_likelihood"


class CurvePanel(Panel):
    """Draws traces and reads their values."""

    def __init__(self, spec: PanelSpec) -> None:
        super().__init__(spec.title, TIME_LABELS["epoch"], spec.unit)
        self.setToolTip(spec.tip)
        self.spec = spec
        self.scale = TimeScale()
        self._traces: list[Trace] = []
        self._foreign: list[tuple[str, list[Trace]]] = []

    def set_traces(self, own: Sequence[Trace], foreign: Sequence[tuple[str, list[Trace]]]) -> None:
        """Draw these curves of the run, and those of others by the name of their run."""
        self._traces, self._foreign = list(own), list(foreign)

    def set_remark(self, remark: Remark | None) -> None:
        """Say that the figures are no likelihood, and why, if they would be taken for one."""
        if self.spec.likely:
            title = f"{named(self.spec.title, remark)} {remark.mark}" if remark else self.spec.title
            self.set_plot(replace(self.plot, title=title))
            self.setToolTip(explained(self.spec.tip, remark))

    def set_scale(self, scale: TimeScale, log_y: bool) -> None:
        """Show time in this unit on such an axis, and values on another if this panel may."""
        self.scale = scale
        x = replace(self.plot.x, log=scale.log)
        y = replace(self.plot.y, log=log_y and self.spec.log_y)
        self.set_plot(replace(self.plot, x=x, y=y))

    @override
    def refresh(self) -> None:
        marks: list[Mark] = []
        if self.spec.shade and self._traces:
            marks += self._shade(*self.spec.shade)
        own = []
        for trace in self._all:
            lines = [*self._lines(trace)]
            marks += lines
            own += [] if trace.foreign else lines
        self._own = tuple(own)
        known = any(trace.history.knows(trace.spec.column) for trace in self._all)
        note = "" if known else "Not measured yet"
        self.set_plot(replace(self.plot, marks=tuple(marks), note=note))
        self.show_marks()

    @override
    def fit(self) -> None:
        ends = self._ends
        if ends:
            # Room on the right for half of the last number.
            self._show_times(ends[0], ends[0] + 1.04 * ((ends[1] - ends[0]) or 1.0))
        self.fit_y()

    @override
    def fit_y(self) -> None:
        limits = self._limits
        if limits:
            self._show_values(*limits)

    @override
    def follow(self) -> None:
        (left, right), (low, high) = self.plot.x.ends, self.plot.y.ends
        ends = self._ends
        if ends:
            start, end = ends
            span = end - start
            if not (np.isclose(left, start) and end <= right <= start + 2 * GROWTH * span):
                self._show_times(start, start + GROWTH * (span or 1.0))
        limits = self._limits
        if limits:
            span = limits[1] - limits[0]
            if limits[0] < low or limits[1] > high or high - low > 2 * span:
                self._show_values(limits[0], limits[1] + (GROWTH - 1) * span)

    @property
    def _all(self) -> Iterator[Trace]:
        yield from self._traces
        for _, traces in self._foreign:
            yield from traces

    def _show_times(self, first: float, last: float) -> None:
        x = self.plot.x
        self.set_x_range(x.value(first), x.value(last))

    def _show_values(self, low: float, high: float) -> None:
        y = self.plot.y
        self.set_plot(replace(self.plot, y=replace(y, low=y.value(low), high=y.value(high))))

    @property
    def _ends(self) -> tuple[float, float] | None:
        """The first and the last moment of all runs, linear along the axis."""
        times = [self.plot.x.linear(trace.times(self.scale.unit)) for trace in self._all]
        known = [found[np.isfinite(found)] for found in times]
        ends = [(found[0], found[-1]) for found in known if len(found)]
        if not ends:
            return None
        return float(min(first for first, _ in ends)), float(max(last for _, last in ends))

    @property
    def _limits(self) -> tuple[float, float] | None:
        curves = []
        for trace in self._all:
            times = trace.times(self.scale.unit)
            curves.append((times, trace.values[: len(times)]))
        found = robust_range(curves, self.plot.x, self.plot.y)
        if found is None or self.spec.limits:
            return self.spec.limits
        more = max(self.spec.least_span - (found[1] - found[0]), 0.0) / 2
        return found[0] - more, found[1] + more

    def _lines(self, trace: Trace) -> Iterator[Line]:
        """As reported, pale if there is an average; of other runs that alone."""
        spec, times = trace.spec, trace.times(self.scale.unit)
        values = trace.values[: len(times)]
        symbol = "" if trace.foreign else spec.symbol
        plain = Line(times, values, trace.color, "", 1.0, spec.dashed, spec.dotted, symbol=symbol)
        if not trace.smoothing:
            yield plain
            return
        if not trace.foreign:
            yield replace(plain, opacity=_PALE)
        yield replace(plain, y=smoothed(values, trace.smoothing))

    def _shade(self, lower: str, upper: str) -> Iterator[Band]:
        """Between two metrics where both are known."""
        history, unit = self._traces[0].history, self.scale.unit
        times = history.column(unit, "exact") if history.has_time(unit) else np.empty(0)
        if len(times) > 1:
            low, high = (history.column(name, "exact") for name in (lower, upper))
            yield Band(times, low, high, _SHADE_COLOR, opacity=_SHADE)

    @override
    def show_marks(self) -> None:
        front = []
        if self._reading is not None:
            front.append(Level(self._reading, "muted", upright=True, dashed=False, width=1.0))
        if self._moment is not None:
            front.append(Level(self._moment, "accent", upright=True))
        self.show_read(tuple(front), self._entries(), self._time_text())

    def _time_text(self) -> str:
        unit, time = self.scale.unit, self._reading
        if time is None:
            return TIME_LABELS[unit]
        if unit == "epoch":
            return f"epoch {time:.2f}"
        return f"step {time:,.0f}" if unit == "step" else f"time {time:,.1f} s"

    def _entries(self) -> list[Entry]:
        unit, time = self.scale.unit, self._reading
        entries = [
            Entry(
                trace.color,
                trace.spec.stroke,
                trace.spec.name,
                figure(trace.at(unit, time), trace.spec.digits, none=""),
            )
            for trace in self._traces
        ]
        if self.spec.shade and self._traces and self._traces[0].history.knows(self.spec.shade[1]):
            # Of the same moment, not of each metric's newest.
            lower, upper = (self._at_exact(name) for name in self.spec.shade)
            gap = "" if lower is None or upper is None else figure(upper - lower, 2)
            entries.append(Entry(_SHADE_COLOR, "▒", "gap", gap))
        for name, traces in self._foreign:
            values = [figure(trace.at(unit, time), trace.spec.digits, none="") for trace in traces]
            text = " / ".join(value or NONE for value in values) if any(values) else ""
            if traces and not traces[0].history.has_time(unit):
                text = f"(no {TIME_LABELS[unit]})"
            entries.append(Entry(traces[0].color if traces else "muted", "━", name, text))
        return entries

    def _at_exact(self, name: str) -> float | None:
        history, unit = self._traces[0].history, self.scale.unit
        times = history.column(unit, "exact")
        time = np.inf if self._reading is None else self._reading
        end = int(np.searchsorted(times, time, side="right"))
        return float(history.column(name, "exact")[end - 1]) if end else None
