"""The density one pulls about, and how its entropy climbs."""

import numpy as np
from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from vae_explorer.gui.lessons.density import Density
from vae_explorer.gui.lessons.instrument_view import InstrumentView
from vae_explorer.gui.lessons.sketch import Sketch
from vae_explorer.gui.lessons.sketch_marks import Columns, Dots, Level, Line, Mark
from vae_explorer.gui.theme import Theme, current_theme
from vae_explorer.gui.widgets.number_format import figure
from vae_explorer.gui.widgets.readout import Readout
from vae_explorer.session.lessons.constraints import CONSTRAINTS
from vae_explorer.session.lessons.functionals import SHAPES, Functionals

_SUBSCRIPTS = "₀₁₂"
_LEAST_STEPS = 60
"""In sight, however short the ascent is."""


class FunctionalsView(InstrumentView):
    """Above the density, below how far it is from the maximum at every step."""

    def __init__(self, instrument: Functionals, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._instrument = instrument
        self._theme = current_theme()
        self._sketch = Density("p")
        self._sketch.setToolTip(
            "Drag to give p another height; or choose a place by ← and →, and move p by ↑ and ↓"
        )
        self._left, self._right = Sketch("KL(p ‖ best), nats", "step"), Sketch("", "step")
        self._readout, self._details = Readout(), Readout()

        self._constraint = QComboBox()
        for name, kind in CONSTRAINTS.items():
            self._constraint.addItem(kind.title, name)
        self._constraint.setToolTip("Where p lives, and what is kept of it")
        self._shape = QComboBox()
        for start in SHAPES:
            self._shape.addItem(start, start)
        self._shape.setToolTip("The shape that p starts from")
        self._size = QDoubleSpinBox()
        self._size.setKeyboardTracking(False)
        self._size_label = QLabel()
        self._size_label.setBuddy(self._size)
        self._ascend = QPushButton("&Ascend")
        self._ascend.setCheckable(True)
        self._ascend.setToolTip("Climb the entropy by its natural gradient until it is largest")
        self._step = QPushButton("&Step")
        self._step.setToolTip("Climb one step")
        self._reset = QPushButton("&Reset")
        self._reset.setToolTip("Go back to where the ascent started")

        constraint = _labelled("p is on", self._constraint)
        size = _row(self._size_label, self._size)
        shape = _labelled("start", self._shape)
        ascent = _row(self._ascend, self._step, self._reset)
        charts = _row(self._left, self._right)
        self._constraint.setAccessibleName("Where p lives")
        self._shape.setAccessibleName("Start")
        top = QHBoxLayout()
        for widget in (constraint, size, shape):
            top.addWidget(widget)
        top.addStretch(1)
        middle = QHBoxLayout()
        middle.addWidget(ascent)
        middle.addWidget(self._readout, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.addLayout(top)
        layout.addWidget(self._sketch, 3)
        layout.addLayout(middle)
        layout.addWidget(self._details)
        layout.addWidget(charts, 2)
        self.controls = {
            "constraint": constraint,
            "size": size,
            "shape": shape,
            "ascend": ascent,
            "charts": charts,
        }

        self._constraint.activated.connect(
            lambda: instrument.set_constraint(self._constraint.currentData())
        )
        self._shape.activated.connect(lambda: instrument.set_shape(self._shape.currentData()))
        self._size.valueChanged.connect(instrument.set_size)
        self._ascend.clicked.connect(self._on_ascend)
        self._step.clicked.connect(self._on_step)
        self._reset.clicked.connect(instrument.reset)
        self._sketch.pulled.connect(self._on_pulled)
        self._sketch.let_go.connect(instrument.let_go)
        self._sketch.nudged.connect(self._on_nudged)
        instrument.changed.connect(self._show)
        instrument.running_changed.connect(self._on_running)
        self._show()

    def set_theme(self, theme: Theme) -> None:
        """Take the theme's colours."""
        self._theme = theme
        for sketch in (self._sketch, self._left, self._right):
            sketch.set_theme(theme)
        self._show()

    def _show(self) -> None:
        self._show_controls()
        self._show_density()
        self._show_charts()
        self._show_readout()

    def _show_controls(self) -> None:
        instrument = self._instrument
        kind, whole = instrument.kind, instrument.constraint == "bars"
        with QSignalBlocker(self._size):
            self._constraint.setCurrentIndex(self._constraint.findData(instrument.constraint))
            self._shape.setCurrentIndex(self._shape.findData(instrument.shape))
            self._size_label.setText(kind.size)
            self._size.setAccessibleName(kind.size)
            self._size.setToolTip("How many bars" if whole else f"{kind.size} of the problem")
            self._size.setDecimals(0 if whole else 2)
            self._size.setSingleStep(1 if whole else 0.1)
            self._size.setRange(*kind.range)
            self._size.setValue(instrument.size)

    def _show_density(self) -> None:
        instrument, theme = self._instrument, self._theme
        problem, p = instrument.problem, instrument.p
        marks: list[Mark]
        if instrument.constraint == "bars":
            count = len(p)
            self._sketch.set_title("p of each bar", "bar")
            self._sketch.set_apart(1.0)
            self._sketch.set_range(0.5, count + 0.5, 0.0, 1.0)
            marks = [
                Columns(np.arange(count + 1) + 0.5, p, theme.accent, "p", gap=0.25),
                Level(1 / count, theme.held_out, f"1/n = {figure(1 / count, 3)}"),
            ]
        else:
            top = max(1.6 * float(problem.best.max()), 1.15 * float(instrument.start.max()))
            self._sketch.set_title("p(x)", "x")
            self._sketch.set_apart(0.0)
            self._sketch.set_range(*instrument.sight, 0.0, top)
            x = np.concatenate([problem.x[:1], problem.x, problem.x[-1:]])
            best, shown = np.pad(problem.best, 1), np.pad(p, 1)
            marks = [
                Line(x, shown, theme.accent, "p", filled=True),
                Line(x, best, theme.held_out, "largest entropy", dashed=True),
            ]
        self._sketch.set_places(len(p) if instrument.constraint == "bars" else 0)
        self._sketch.set_marks(marks)

    def _show_charts(self) -> None:
        instrument, theme = self._instrument, self._theme
        two_bars = instrument.constraint == "bars" and len(instrument.p) == 2
        self._left.setVisible(not two_bars)
        kl = instrument.divergences
        steps = np.arange(len(kl), dtype=np.float64)
        last = max(_LEAST_STEPS, 1.05 * len(kl))
        self._left.set_range(-1, last, 0.0, 1.1 * max(float(kl.max()), 1e-3))
        self._left.set_marks([Line(steps, kl, theme.kl, "", filled=True)])
        if two_bars:
            self._show_function()
            return
        marks: list[Mark] = []
        if instrument.problem.moments.size:
            path, ends = instrument.multipliers, instrument.final_multipliers
            colors = (theme.muted, theme.train, theme.log_likelihood)
            for which in range(len(ends)):
                name = f"λ{_SUBSCRIPTS[which]}"
                marks += [
                    Level(float(ends[which]), colors[which]),
                    Line(steps, path[:, which], colors[which], name),
                ]
            self._right.set_title("Multipliers", "step")
            low, high = float(min(path.min(), ends.min())), float(max(path.max(), ends.max()))
        else:
            h, maximum = instrument.entropies, instrument.problem.maximum
            marks = [
                Level(maximum, theme.held_out, "largest"),
                Line(steps, h, theme.accent, "H[p]"),
            ]
            self._right.set_title("Entropy, nats", "step")
            low, high = min(0.0, float(h.min())), max(maximum, float(h.max()))
        margin = 0.1 * (high - low) + 1e-3
        self._right.set_range(-1, last, low - margin, high + margin)
        self._right.set_marks(marks)

    def _show_function(self) -> None:
        """Of two bars, H is a function of the height of one."""
        first, h = float(self._instrument.p[0]), float(self._instrument.entropies[-1])
        x = np.linspace(1e-6, 1 - 1e-6, 201)
        curve = -x * np.log(x) - (1 - x) * np.log1p(-x)
        here = np.array([[first, h]])
        self._right.set_title("Entropy, nats, by the height of the first bar", "p₁")
        self._right.set_range(0.0, 1.0, 0.0, 0.8)
        self._right.set_marks(
            [
                Line(x, curve, self._theme.muted),
                Level(first, self._theme.muted, upright=True),
                Dots(here, self._theme.accent, "H[p]", size=12, opacity=1.0),
            ]
        )

    def _show_readout(self) -> None:
        instrument = self._instrument
        now, maximum = float(instrument.entropies[-1]), instrument.problem.maximum
        kl = figure(float(instrument.divergences[-1]), 4)
        self._readout.set_text(
            f"<b>H = {figure(now, 4)}</b> nats, at most {figure(maximum, 4)} &nbsp; KL = {kl}"
        )
        count = len(instrument.problem.moments)
        self._details.setVisible(count > 0)
        pairs = zip(instrument.multipliers[-1], instrument.final_multipliers, strict=True)
        words = [
            f"λ{_SUBSCRIPTS[which]} {figure(here, 3)} → {figure(end, 3)}"
            for which, (here, end) in enumerate(pairs)
        ]
        mean, variance = (float(instrument.values[name]) for name in ("mean", "variance"))
        moments = f"mean {figure(mean, 3)}"
        if count == 2:
            moments += f", variance {figure(variance, 3)}"
        words.append(f"{moments}, {'free' if instrument.held else 'kept'}")
        self._details.set_text(" · ".join(words))

    def _on_ascend(self, checked: bool) -> None:
        if checked:
            self._instrument.ascend()
        else:
            self._instrument.pause()
        self._ascend.setChecked(self._instrument.running)

    def _on_running(self, running: bool) -> None:
        self._ascend.setChecked(running)

    def _on_step(self) -> None:
        self._instrument.pause()
        self._instrument.step()

    def _on_pulled(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        if self._instrument.constraint == "bars":
            self._instrument.hold(round(start[0]) - 1, end[1])
        else:
            self._instrument.draw(start, end)

    def _on_nudged(self, x: float, amount: float) -> None:
        instrument = self._instrument
        if instrument.constraint == "bars":
            index = round(x) - 1
            instrument.hold(index, float(instrument.p[index]) + amount)
            instrument.let_go()
        else:
            instrument.raise_at(x, amount)


def _row(*widgets: QWidget) -> QWidget:
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        layout.addWidget(widget)
    return row


def _labelled(text: str, widget: QWidget) -> QWidget:
    label = QLabel(text)
    label.setBuddy(widget)
    return _row(label, widget)
