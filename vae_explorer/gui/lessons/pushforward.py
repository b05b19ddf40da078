"""The plane before and after a function, and the density it makes."""

from dataclasses import replace
from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QLabel
from typing_extensions import override

from vae_explorer.gui.explore.decode.image import qimage_of
from vae_explorer.gui.lessons.lattice_marks import cells, densest, lines
from vae_explorer.gui.lessons.lesson_view import LessonView
from vae_explorer.gui.plot.axis import Axis
from vae_explorer.gui.plot.chart import Chart
from vae_explorer.gui.plot.layout import Bar
from vae_explorer.gui.plot.marks import Columns, Level, Line, Mark, Picture, Ring
from vae_explorer.gui.theme import current_theme
from vae_explorer.gui.widgets.readout import Readout
from vae_explorer.gui.widgets.rows import beside, column, fill, row
from vae_explorer.number_format import figure
from vae_explorer.session.lessons.experiment import differs
from vae_explorer.session.lessons.pushed import Pushed
from vae_explorer.session.lessons.pushforward import (
    DECODER,
    SIGHT,
    Lattice,
    Pushforward,
    PushforwardResult,
)
from vae_explorer.session.map.marks import Field
from vae_explorer.types import Float32, Float64, Region

_BEFORE = (-SIGHT, SIGHT, -SIGHT, SIGHT)
_NUDGE = 0.1  # latent units
_PROFILE = 8  # lines, the height of the densities along a line
_PLANE = 9  # lines, the least height of a plane
_WIDE = 1.15  # width by height from which four planes have more room beside their profile
_ANY = 10_000  # pixels
_BRIGHTEST = 0.995  # quantile of the density that has the last colour
_INSET = 0.3  # of the width, the decoded picture's
_COMPUTING: dict[str, Any] = {"marks": (), "front": (), "bar": None, "note": "computing …"}
_AROUND = np.linspace(0.0, 2 * np.pi, 73)
_DEVIATIONS = [
    Line(r * np.cos(_AROUND), r * np.sin(_AROUND), "muted", name, 1.0, dotted=True)
    for r, name in ((1, "1σ and 2σ of p(z)"), (2, ""))
]


class PushforwardView(LessonView):
    """Four planes: z by |det J|, the lattice carried along, the density, the histogram."""

    experiment: Pushforward

    def __init__(self, experiment: Pushforward) -> None:
        super().__init__(experiment, sliders=("t",))
        self._before = Chart("z", aspect="exact", movable=True)
        self._before.setToolTip("Drag, or press the arrow keys, to follow another z")
        self._before.setCursor(Qt.CursorShape.CrossCursor)
        self._before.set_range(*_BEFORE)
        self._after = Chart("x = f(z)", aspect="exact")
        self._formula = Chart("p(x), by the formula", aspect="exact")
        self._samples = Chart("p(x), by samples", aspect="exact")
        self._profile = Chart()
        self._profile.setToolTip("The densities along the dashed line, from left to right")
        self._readout = Readout(2, growing=True)
        self._problem = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self._problem.setAccessibleName("What is wrong with the formula")
        self._problem.hide()
        rows = self.form.rows
        self._formulas = beside(rows["x1"], rows["x2"])
        names = ("function", "t", "components", "samples")
        controls = row(*(rows[name] for name in names), wide=rows["t"])
        controls.addStretch(0)  # has the room of t where that is hidden
        fill(self.page, controls)
        fill(self.page, self._formulas, self._problem)
        pairs = (self._before, self._after), (self._formula, self._samples)
        planes = column(*((row(*((one, 1) for one in pair), spacing=2), 1) for pair in pairs))
        self._figures = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        fill(self._figures, (planes, 14), (self._profile, 5))
        fill(self.page, (self._figures, 1), self._readout)
        self._arrange()
        self.controls = {name: rows[name] for name in ("function", "t", "samples")} | {
            "density": self._formula,
            "histogram": self._samples,
            "profile": self._profile,
        }
        for signal in (self._before.pressed, self._before.dragged):
            signal.connect(lambda z1, z2: experiment.move(z=(z1, z2)))
        self._before.nudged.connect(self._nudge)
        self.start()

    def show_problem(self, problem: str) -> None:
        """Say what is wrong with a formula."""
        self._problem.setText(problem)
        self._problem.setVisible(bool(problem))
        self._problem.setStyleSheet(f"color: {current_theme().held_out}")

    def draw(self, old: PushforwardResult | None) -> None:
        """Draw what has changed; z and what becomes of it needs no more than a few strokes."""
        found = self.experiment.result
        self.form.rows["components"].setVisible(self._decodes)
        self._formulas.setVisible(not self._decodes)
        t = self.experiment.settings.t
        name = "x = f(z)" if t == 1 else f"x = {figure(1 - t, 2)} z + {figure(t, 2)} f(z)"
        self._after.set_title("principal components of f(z)" if self._decodes and t == 1 else name)
        if found.pushed is None and (old is None or old.pushed is not None):
            for chart in (self._formula, self._samples, self._profile):
                chart.set_plot(replace(chart.plot, **_COMPUTING))
            self._profile.set_title("p(x)")
        if found.lattice is None:
            self._after.set_plot(replace(self._after.plot, **_COMPUTING))
            self._before.set_bar(None)
            self._before.set_plot(replace(self._before.plot, marks=tuple(_DEVIATIONS), front=()))
            self._before.set_subtitle("")
            self._readout.set_text("Decoding the plane …")
            return
        if differs(found, old, "lattice"):
            self._show_lattice(found.lattice)
        if found.pushed is not None and differs(found, old, "pushed"):
            before = old.pushed if old else None
            if before is None or before.density is not found.pushed.density:
                self._show_stretch(found.pushed)
                self._show_density(self._formula, found.pushed, found.pushed.density)
            if before is None or before.histogram is not found.pushed.histogram:
                self._show_density(self._samples, found.pushed, found.pushed.histogram)
            self._show_profile(found.pushed)
        self._show_front()
        self._say()

    def _nudge(self, dz1: float, dz2: float) -> None:
        z1, z2 = self.experiment.settings.z
        self.experiment.move(z=(z1 + _NUDGE * dz1, z2 + _NUDGE * dz2))

    def _show_lattice(self, lattice: Lattice) -> None:
        self._after.set_range(*lattice.region)
        painted = cells(lattice.images, lattice.densities)
        marks = painted, lines(lattice.lines, lattice.region)
        self._after.set_plot(replace(self._after.plot, marks=marks, note=""))
        density = f"p(z) / {self._measure}" if self.tells("px") else "density"
        highest = densest(lattice.images, lattice.densities)
        self._after.set_bar(Bar(Axis(0.0, highest, density), "accent"))

    def _show_stretch(self, result: Pushed) -> None:
        if not self.tells("magnification", "det"):
            self._before.set_subtitle("")
            self._before.set_bar(None)
            self._before.set_marks(_DEVIATIONS)
            return
        stretch = np.log10(np.nan_to_num(result.stretch).clip(1e-6, 1e9))
        low, high = (float(end) for end in np.quantile(stretch, [0.01, 0.99]))
        same = high - low < 0.02
        value = f"{self._measure} = {_power((low + high) / 2)} everywhere"
        self._before.set_subtitle(value if same else "")
        axis = Axis(10**low, 10**high, self._measure, log=True)
        self._before.set_bar(None if same else Bar(axis))
        field = Field(_BEFORE, stretch.astype(np.float32), low, high, "")
        self._before.set_marks([*([] if same else [field]), *_DEVIATIONS])

    def _show_density(self, chart: Chart, result: Pushed, values: Float64) -> None:
        brightest = float(np.quantile(result.density, _BRIGHTEST)) or 1.0
        shades = values.astype(np.float32)
        field = Field(result.region, shades, 0.0, brightest, "", fading=True)
        chart.set_range(*result.region)
        chart.set_plot(replace(chart.plot, marks=(field,), note=""))
        chart.set_bar(Bar(Axis(0.0, brightest, "p(x)"), fading=True))

    def _show_profile(self, result: Pushed) -> None:
        """The densities along the line through x: formula, histogram, closed form if there is."""
        highest = np.quantile(result.profile, 0.995), np.quantile(result.bars, 0.99), 1e-9
        left, right = result.region[:2]
        edges = np.linspace(left, right, len(result.bars) + 1)
        marks: list[Mark] = [
            Columns(edges, result.bars, "muted", "by samples"),
            Line(result.across, result.profile, "accent", "by the formula"),
        ]
        if result.closed_form is not None:
            closed = result.closed_form
            marks.append(Line(result.across, closed, "held_out", "closed form", 3.0, dotted=True))
        self._profile.set_title(f"p(x) along x₂ = {figure(result.height, 2)}", "x₁")
        self._profile.set_range(left, right, 0.0, 1.15 * float(max(highest)))
        self._profile.set_plot(replace(self._profile.plot, marks=tuple(marks), note=""))

    @override
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._arrange()

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        """The densities along the line are below the planes, or in a wide window beside them."""
        wide, ways = self.width() > _WIDE * self.height(), QBoxLayout.Direction
        self._figures.setDirection(ways.LeftToRight if wide else ways.TopToBottom)
        height = _PROFILE * self._profile.fontMetrics().height()
        self._profile.setMinimumHeight(height)
        for plane in (self._before, self._after, self._formula, self._samples):
            plane.setMinimumHeight(_PLANE * plane.fontMetrics().height())
        self._profile.setMaximumHeight(_ANY if wide else height)

    @property
    def _measure(self) -> str:
        return "√det JᵀJ" if self._decodes else "|det J|"

    @property
    def _decodes(self) -> bool:
        return self.experiment.settings.function == DECODER

    def _say(self) -> None:
        values = self.experiment.values
        (z1, z2), x = self.experiment.settings.z, values.get("x", "")
        parts = [
            f"z = ({figure(z1, 2)}, {figure(z2, 2)}) goes to x = {x}",
            f"p(z) = {_value(values, 'pz')}",
        ]
        if self._decodes:
            if "magnification" in values and self.tells("magnification"):
                parts.append(f"√det JᵀJ = {figure(float(values['magnification']), 0)}")
        elif self.tells("det"):
            parts.append(f"|det J| = {_value(values, 'det')}")
        if "px" in values and self.tells("px"):
            count = int(values["k"])
            source = "1 preimage" if count == 1 else f"{count} preimages"
            parts.append(f"p(x) = {_value(values, 'px')} from {source}")
            apart = 100 * float(values["apart"])
            parts.append(f"formula and samples are {figure(apart, 1)} % of the mass apart")
        self._readout.set_text("; ".join(parts))

    def _show_front(self) -> None:
        """z, its square and what becomes of them."""
        experiment, found = self.experiment, self.experiment.result
        patch, x = experiment.patch, experiment.x
        pushed, dot = found.pushed, Ring((float(x[0]), float(x[1])), "held_out", 4.0, ".")
        before: list[Mark] = [_outline(patch)]
        if pushed is not None:
            level = Level(pushed.height, "held_out", width=1.0)
            others = pushed.preimages.tolist() if self.tells("k") else []
            before += [Ring((a, b), "held_out", 3.0, ".") for a, b in others]
            for chart in (self._formula, self._samples):
                chart.set_front([level, dot])
        self._before.set_front([*before, Ring(experiment.settings.z, "held_out", 4.0, ".")])
        after: list[Mark] = [_outline(experiment.image_of(patch)), dot]
        if found.picture is not None:
            after += _inset(found.picture, self._after.region, dot.position)
        self._after.set_front(after if np.isfinite(x).all() else [])


def _outline(edge: Float64) -> Line:
    """What a square has become, by its edge (n, 2); nothing where that has no value."""
    x, y = edge.T if np.isfinite(edge).all() else np.empty((2, 0))
    return Line(x, y, "held_out", halo=True)


def _inset(picture: Float32, region: Region, near: tuple[float, float]) -> list[Mark]:
    """A picture in an upper corner, where it does not hide a position."""
    left, right, bottom, top = region
    side, gap = _INSET * (right - left), 0.02 * (right - left)
    hides = near[0] < left + 1.2 * side and near[1] > top - 1.2 * side
    left = right - gap - side if hides else left + gap
    right, top, bottom = left + side, top - gap, top - gap - side
    x, y = np.array([[left, right, right, left, left], [bottom, bottom, top, top, bottom]])
    image = qimage_of(picture[::-1])
    return [Picture(image, (left, right, bottom, top)), Line(x, y, "accent", width=1.0)]


def _power(logarithm: float) -> str:
    value = 10.0**logarithm
    return figure(value, 0 if value >= 100 else 1 if value >= 10 else 2)


def _value(values: dict[str, float | str], name: str) -> str:
    value = float(values[name])
    return figure(value, 4 if value < 1 else 2)
