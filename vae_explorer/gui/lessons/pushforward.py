"""The plane before and after a function, and the density it makes."""

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel

from vae_explorer.gui.explore.decode.image import gray8
from vae_explorer.gui.lessons.density_profile import DensityProfile
from vae_explorer.gui.lessons.lattice_painting import (
    paint_cells,
    paint_dot,
    paint_lines,
    paint_patch,
)
from vae_explorer.gui.lessons.lesson_view import LessonView
from vae_explorer.gui.lessons.plane import Plane
from vae_explorer.gui.plot.color_maps import field_image
from vae_explorer.gui.theme import current_theme
from vae_explorer.gui.widgets.readout import Readout
from vae_explorer.gui.widgets.rows import beside
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
from vae_explorer.types import Float64

_BEFORE = (-SIGHT, SIGHT, -SIGHT, SIGHT)
_NUDGE = 0.1  # latent units
_BRIGHTEST = 0.995  # quantile of the density that has the last colour


class PushforwardView(LessonView):
    """Four planes: z by |det J|, the lattice carried along, the density, the histogram."""

    experiment: Pushforward

    def __init__(self, experiment: Pushforward) -> None:
        super().__init__(experiment, sliders=("t",))
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
        self._profile = DensityProfile()
        self._readout = Readout(2)
        self._problem = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self._problem.setAccessibleName("What is wrong with the formula")
        self._problem.hide()
        rows = self.form.rows
        self._formulas = beside(rows["x1"], rows["x2"])
        top, planes = QHBoxLayout(), QGridLayout()
        for name in ("function", "t", "components", "samples"):
            top.addWidget(rows[name], int(name == "t"))
        planes.setSpacing(2)
        for number, plane in enumerate(self._planes):
            planes.addWidget(plane, *divmod(number, 2))
        self.page.addLayout(top)
        self.page.addWidget(self._formulas)
        self.page.addWidget(self._problem)
        self.page.addLayout(planes, 1)
        self.page.addWidget(self._profile)
        self.page.addWidget(self._readout)
        self.controls = {name: rows[name] for name in ("function", "t", "samples")} | {
            "density": self._formula_plane,
            "histogram": self._samples_plane,
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
        if found.lattice is None:
            self._readout.set_text("Decoding the plane …")
            return
        if differs(found, old, "lattice"):
            self._show_lattice(found.lattice)
        if found.pushed is not None and differs(found, old, "pushed"):
            before = old.pushed if old else None
            if before is None or before.density is not found.pushed.density:
                self._show_stretch(found.pushed)
                self._show_density(self._formula_plane, found.pushed, found.pushed.density)
            self._show_density(self._samples_plane, found.pushed, found.pushed.histogram)
            self._profile.set_result(found.pushed)
        for plane in self._planes:
            plane.update()
        self._say()

    def _nudge(self, dz1: float, dz2: float) -> None:
        z1, z2 = self.experiment.settings.z
        self.experiment.move(z=(z1 + _NUDGE * dz1, z2 + _NUDGE * dz2))

    def _show_lattice(self, lattice: Lattice) -> None:
        self._after.set_region(lattice.region)

        def paint(painter: QPainter, plane: Plane) -> None:
            paint_cells(painter, plane, lattice.images, lattice.densities)
            paint_lines(painter, plane, lattice.lines)

        self._after.set_ground(paint)
        t = self.experiment.settings.t
        name = "x = f(z)" if t == 1 else f"x = {figure(1 - t, 2)} z + {figure(t, 2)} f(z)"
        self._after.set_title("principal components of f(z)" if self._decodes and t == 1 else name)

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
        self._before.set_picture(field_image(field, current_theme()), _BEFORE)
        self._before.set_title(title)

    def _show_density(self, plane: Plane, result: Pushed, values: Float64) -> None:
        brightest = float(np.quantile(result.density, _BRIGHTEST)) or 1.0
        shades = values.astype(np.float32)
        field = Field(result.region, shades, 0.0, brightest, "", fading=True)
        plane.set_region(result.region)
        plane.set_picture(field_image(field, current_theme()))
        plane.set_title(f"{plane.accessibleName()}: 0 to {figure(brightest, 2)}")

    @property
    def _decodes(self) -> bool:
        return self.experiment.settings.function == DECODER

    def _say(self) -> None:
        values = self.experiment.symbols()
        (z1, z2), x = self.experiment.settings.z, values.get("x", "")
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
        z1, z2 = self.experiment.settings.z
        paint_patch(painter, plane, self.experiment.patch, current_theme())
        result = self.experiment.result.pushed
        if result is not None:
            for other in result.preimages.tolist():
                paint_dot(painter, plane.to_pixel(*other), current_theme(), 3.0)
        painter.setPen(QPen(QColor(current_theme().muted), 1, Qt.PenStyle.DotLine))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for radius in (1, 2):
            corner, other = plane.to_pixel(-radius, radius), plane.to_pixel(radius, -radius)
            painter.drawEllipse(QRectF(corner, other))
        paint_dot(painter, plane.to_pixel(z1, z2), current_theme())

    def _paint_after(self, painter: QPainter, plane: Plane) -> None:
        experiment = self.experiment
        x, picture = experiment.x, experiment.result.picture
        if not np.isfinite(x).all():
            return
        paint_patch(painter, plane, experiment.image_of(experiment.patch), current_theme())
        paint_dot(painter, plane.to_pixel(*x.tolist()), current_theme())
        if picture is not None:
            square = plane.plot_rect()
            side = 0.3 * square.width()
            left = QPointF(square.left() + 4, square.top() + 4)
            right = QPointF(square.right() - 4 - side, square.top() + 4)
            near = plane.to_pixel(*x.tolist())
            hides = near.x() < square.left() + 1.2 * side and near.y() < square.top() + 1.2 * side
            box = QRectF(right if hides else left, left + QPointF(side, side))
            box.setSize(QRectF(0, 0, side, side).size())
            painter.drawImage(box, gray8(picture))
            painter.setPen(QColor(current_theme().accent))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(box)

    def _paint_line(self, painter: QPainter, plane: Plane) -> None:
        result = self.experiment.result.pushed
        if result is None:
            return
        left, right, _, _ = result.region
        painter.setPen(QPen(QColor(current_theme().held_out), 1, Qt.PenStyle.DashLine))
        painter.drawLine(plane.to_pixel(left, result.height), plane.to_pixel(right, result.height))
        paint_dot(painter, plane.to_pixel(*self.experiment.x.tolist()), current_theme())


def _power(logarithm: float) -> str:
    value = 10.0**logarithm
    return figure(value, 0 if value >= 100 else 1 if value >= 10 else 2)


def _value(values: dict[str, float | str], name: str) -> str:
    value = float(values[name])
    return figure(value, 4 if value < 1 else 2)
