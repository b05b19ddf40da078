"""The plane before and after a function, and the density it makes."""

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSignalBlocker, Qt
from PySide6.QtGui import (
    QColor,
    QPainter,
    QPen,
)
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSlider,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from vae_explorer.gui.explore.decode.image import gray8
from vae_explorer.gui.lessons.density_profile import DensityProfile
from vae_explorer.gui.lessons.instrument_view import InstrumentView
from vae_explorer.gui.lessons.lattice_painting import (
    paint_cells,
    paint_dot,
    paint_lines,
    paint_patch,
)
from vae_explorer.gui.lessons.plane import Plane
from vae_explorer.gui.plot.color_maps import field_image
from vae_explorer.gui.theme import Theme, current_theme
from vae_explorer.gui.widgets.number_format import figure
from vae_explorer.gui.widgets.readout import Readout
from vae_explorer.gui.widgets.wheel_guard import WheelGuard
from vae_explorer.session.lessons.pushed import Pushed
from vae_explorer.session.lessons.pushforward import (
    DECODER,
    FUNCTIONS,
    OWN,
    SAMPLES,
    SIGHT,
    Pushforward,
)
from vae_explorer.session.map.marks import Field
from vae_explorer.types import Float64

_TITLES = {
    "half-moon": "half-moon",
    "ring": "ring",
    "spiral": "spiral",
    "fold": "fold",
    OWN: "your own",
    DECODER: "the decoder",
}
_BEFORE = (-SIGHT, SIGHT, -SIGHT, SIGHT)
_T_STEPS = 100
_NUDGE = 0.1  # latent units
_BRIGHTEST = 0.995  # quantile of the density that has the last colour


class PushforwardView(InstrumentView):
    """Four planes: z by |det J|, the lattice carried along, the density, the histogram."""

    def __init__(self, instrument: Pushforward, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._instrument = instrument
        self._theme = current_theme()
        self._before = Plane("z", moved=True)
        self._before.setToolTip("Drag, or press the arrow keys, to follow another z")
        self._after = Plane("x = f(z)")
        self._formula_plane = Plane("p(x), by the formula")
        self._samples_plane = Plane("p(x), by samples")
        self._planes = (self._before, self._after, self._formula_plane, self._samples_plane)
        self._before.set_region(_BEFORE)
        self._before.set_marks(self._paint_before)
        self._after.set_marks(self._paint_after)
        for plane in (self._formula_plane, self._samples_plane):
            plane.set_marks(self._paint_line)
        self._drawn: Float64 | None = None
        self._profile = DensityProfile()
        self._readout = Readout(2)
        self._make_controls()

        planes = QGridLayout()
        planes.setSpacing(2)
        planes.addWidget(self._before, 0, 0)
        planes.addWidget(self._after, 0, 1)
        planes.addWidget(self._formula_plane, 1, 0)
        planes.addWidget(self._samples_plane, 1, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.setSpacing(4)
        layout.addLayout(self._top)
        layout.addWidget(self._formulas)
        layout.addWidget(self._problem)
        layout.addLayout(planes, 1)
        layout.addWidget(self._profile)
        layout.addWidget(self._readout)

        for signal in (self._before.pressed, self._before.dragged):
            signal.connect(instrument.set_z)
        self._before.nudged.connect(self._nudge)
        instrument.lattice_changed.connect(self._show_lattice)
        instrument.place_changed.connect(self._show_place)
        instrument.pushed.connect(self._show_densities)
        instrument.problem_changed.connect(self._show_problem)
        self._show_lattice()
        self._show_densities()

    def set_theme(self, theme: Theme) -> None:
        """Take the theme's colours."""
        self._theme = theme
        for plane in self._planes:
            plane.set_theme(theme)
        self._drawn = None
        self._profile.set_theme(theme)
        self._show_lattice()
        self._show_densities()

    def _make_controls(self) -> None:
        instrument = self._instrument
        self._function = QComboBox()
        for name in FUNCTIONS:
            self._function.addItem(_TITLES[name], name)
        self._function.setToolTip("The function that z is pushed through")
        self._function.activated.connect(
            lambda: instrument.set_function(self._function.currentData())
        )
        self._t = QSlider(Qt.Orientation.Horizontal)
        self._t.setRange(0, _T_STEPS)
        self._t.setToolTip("How far from z itself, 0, to f(z), 1")
        self._t.valueChanged.connect(lambda value: instrument.set_t(value / _T_STEPS))
        self._n = QComboBox()
        for n in SAMPLES:
            self._n.addItem(f"{n:,}".replace(",", "\N{THIN SPACE}"), n)
        self._n.setToolTip("How many z are drawn for the histogram")
        self._n.activated.connect(lambda: instrument.set_samples(self._n.currentData()))
        self._x1, self._x2 = QLineEdit(), QLineEdit()
        for edit, which in ((self._x1, "x₁"), (self._x2, "x₂")):
            edit.setAccessibleName(f"Formula of {which}")
            edit.setToolTip("Numbers, z1, z2, + − * / **, sin cos tanh exp log sqrt abs hypot …")
            edit.editingFinished.connect(self._type)
        self._first, self._second = QSpinBox(), QSpinBox()
        for spin, which in ((self._first, "First component"), (self._second, "Second component")):
            spin.setRange(1, 6)
            spin.setAccessibleName(which)
            spin.setToolTip("Which principal component of the decoded images is an axis")
            spin.valueChanged.connect(self._choose_components)
        self._problem = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self._problem.setAccessibleName("What is wrong with the formula")
        self._problem.hide()

        function = _row("&f", self._function)
        t = _row("&t", self._t)
        samples = _row("&samples", self._n)
        formulas = _row("x&₁ =", self._x1)
        second = _row("x&₂ =", self._x2)
        self._formulas = QWidget()
        row = QHBoxLayout(self._formulas)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(formulas)
        row.addWidget(second)
        self._components = _row("&components", self._first, self._second)
        self._top = QHBoxLayout()
        self._top.addWidget(function)
        self._top.addWidget(t, 1)
        self._top.addWidget(self._components)
        self._top.addWidget(samples)
        self._function.setAccessibleName("Function")
        self._t.setAccessibleName("t, how far on the way to f")
        self._n.setAccessibleName("Samples")
        guard = WheelGuard(self)
        for editor in (self._function, self._n, self._t, self._first, self._second):
            editor.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            editor.installEventFilter(guard)
        self.controls = {
            "function": function,
            "t": t,
            "samples": samples,
            "density": self._formula_plane,
            "histogram": self._samples_plane,
            "profile": self._profile,
        }

    def _type(self) -> None:
        texts = self._x1.text(), self._x2.text()
        if texts != self._instrument.texts:
            self._instrument.set_texts(*texts)

    def _choose_components(self) -> None:
        first, second = self._first.value(), self._second.value()
        if first != second:
            self._instrument.set_components(first, second)

    def _nudge(self, dz1: float, dz2: float) -> None:
        z1, z2 = self._instrument.z
        self._instrument.set_z(z1 + _NUDGE * dz1, z2 + _NUDGE * dz2)

    def _show_problem(self, problem: str) -> None:
        self._problem.setText(problem)
        self._problem.setVisible(bool(problem))
        self._problem.setStyleSheet(f"color: {self._theme.held_out}")

    def _show_controls(self) -> None:
        instrument = self._instrument
        self._function.setCurrentIndex(FUNCTIONS.index(instrument.function))
        self._n.setCurrentIndex(SAMPLES.index(instrument.samples))
        with (
            QSignalBlocker(self._t),
            QSignalBlocker(self._first),
            QSignalBlocker(self._second),
        ):
            self._t.setValue(round(instrument.t * _T_STEPS))
            self._first.setValue(instrument.components[0])
            self._second.setValue(instrument.components[1])
        decoder = instrument.function == DECODER
        self._components.setVisible(decoder)
        self._formulas.setVisible(not decoder)
        for edit, text in zip((self._x1, self._x2), instrument.texts, strict=True):
            if edit.text() != text and not instrument.problem:
                edit.setText(text)
                edit.setCursorPosition(0)

    def _show_lattice(self) -> None:
        instrument = self._instrument
        self._show_controls()
        if not instrument.ready:
            self._readout.set_text("Decoding the plane …")
            return
        self._after.set_region(instrument.region)
        images, lines = instrument.images, instrument.lines
        densities = instrument.cell_densities(images)

        def paint(painter: QPainter, plane: Plane) -> None:
            paint_cells(painter, plane, images, densities)
            paint_lines(painter, plane, lines)

        self._after.set_ground(paint)
        t = instrument.t
        name = "x = f(z)" if t == 1 else f"x = {figure(1 - t, 2)} z + {figure(t, 2)} f(z)"
        self._after.set_title("principal components of f(z)" if self._decodes and t == 1 else name)
        self._show_place()

    def _show_place(self) -> None:
        """Show z and what becomes of it, which needs no more than a few strokes."""
        for plane in self._planes:
            plane.update()
        self._say()

    def _show_densities(self) -> None:
        result = self._instrument.result
        if result is None or not self._instrument.ready:
            return
        if result.density is not self._drawn:
            self._drawn = result.density
            self._show_stretch(result)
            self._show_density(self._formula_plane, result, result.density)
        self._show_density(self._samples_plane, result, result.histogram)
        self._profile.set_result(result)
        self._show_place()

    def _show_stretch(self, result: Pushed) -> None:
        stretch = np.log10(np.nan_to_num(result.stretch).clip(1e-6, 1e9))
        low, high = (float(end) for end in np.quantile(stretch, [0.01, 0.99]))
        measure = "√det JᵀJ" if self._decodes else "|det J|"
        if high - low < 0.02:
            title = f"z; {measure} is {_power((low + high) / 2)} everywhere"
            low, high = low - 0.5, high + 0.5
        else:
            title = f"z, coloured by {measure}: {_power(low)} to {_power(high)}"
        field = Field(_BEFORE, stretch.astype(np.float32), low, high, "")
        self._before.set_picture(field_image(field, self._theme), _BEFORE)
        self._before.set_title(title)

    def _show_density(self, plane: Plane, result: Pushed, values: Float64) -> None:
        brightest = float(np.quantile(result.density, _BRIGHTEST)) or 1.0
        shades = values.astype(np.float32)
        field = Field(result.region, shades, 0.0, brightest, "", fading=True)
        plane.set_region(result.region)
        plane.set_picture(field_image(field, self._theme))
        plane.set_title(f"{plane.accessibleName()}: 0 to {figure(brightest, 2)}")

    @property
    def _decodes(self) -> bool:
        return self._instrument.function == DECODER

    def _say(self) -> None:
        values = self._instrument.values
        (z1, z2), x = self._instrument.z, values.get("x", "")
        parts = [
            f"z = ({figure(z1, 2)}, {figure(z2, 2)}) goes to x = {x}",
            f"p(z) = {_value(values, 'pz')}, |det J| = {_value(values, 'det')}",
        ]
        if "px" in values:
            count = int(values["k"])
            source = "1 preimage" if count == 1 else f"{count} preimages"
            parts.append(f"p(x) = {_value(values, 'px')} from {source}")
            apart = 100 * float(values["apart"])
            parts.append(f"formula and samples are {figure(apart, 1)} % of the mass apart")
        self._readout.set_text("; ".join(parts))

    def _paint_before(self, painter: QPainter, plane: Plane) -> None:
        z1, z2 = self._instrument.z
        paint_patch(painter, plane, self._instrument.patch_before, self._theme)
        result = self._instrument.result
        if result is not None:
            for other in result.preimages.tolist():
                paint_dot(painter, plane.to_pixel(*other), self._theme, 3.0)
        painter.setPen(QPen(QColor(self._theme.muted), 1, Qt.PenStyle.DotLine))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for radius in (1, 2):
            corner, other = plane.to_pixel(-radius, radius), plane.to_pixel(radius, -radius)
            painter.drawEllipse(QRectF(corner, other))
        paint_dot(painter, plane.to_pixel(z1, z2), self._theme)

    def _paint_after(self, painter: QPainter, plane: Plane) -> None:
        instrument = self._instrument
        x = instrument.x
        if not np.isfinite(x).all():
            return
        paint_patch(painter, plane, instrument.patch, self._theme)
        paint_dot(painter, plane.to_pixel(*x.tolist()), self._theme)
        if instrument.picture is not None:
            square = plane.plot_rect()
            side = 0.3 * square.width()
            left = QPointF(square.left() + 4, square.top() + 4)
            right = QPointF(square.right() - 4 - side, square.top() + 4)
            near = plane.to_pixel(*x.tolist())
            hides = near.x() < square.left() + 1.2 * side and near.y() < square.top() + 1.2 * side
            box = QRectF(right if hides else left, left + QPointF(side, side))
            box.setSize(QRectF(0, 0, side, side).size())
            painter.drawImage(box, gray8(instrument.picture))
            painter.setPen(QColor(self._theme.accent))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(box)

    def _paint_line(self, painter: QPainter, plane: Plane) -> None:
        result = self._instrument.result
        if result is None:
            return
        left, right, _, _ = result.region
        painter.setPen(QPen(QColor(self._theme.held_out), 1, Qt.PenStyle.DashLine))
        painter.drawLine(plane.to_pixel(left, result.height), plane.to_pixel(right, result.height))
        paint_dot(painter, plane.to_pixel(*self._instrument.x.tolist()), self._theme)


def _row(name: str, *widgets: QWidget) -> QWidget:
    """A labelled control."""
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(4)
    label = QLabel(name)
    label.setBuddy(widgets[0])
    layout.addWidget(label)
    for widget in widgets:
        layout.addWidget(widget, 1)
    return row


def _power(logarithm: float) -> str:
    value = 10.0**logarithm
    return figure(value, 0 if value >= 100 else 1 if value >= 10 else 2)


def _value(values: dict[str, float | str], name: str) -> str:
    value = float(values[name])
    return figure(value, 4 if value < 1 else 2)
