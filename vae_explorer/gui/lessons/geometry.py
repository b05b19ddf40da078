"""The plane by how much the picture changes, with a straight line and a geodesic upon it."""

from collections.abc import Collection

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from vae_explorer.gui.lessons.instrument_view import InstrumentView
from vae_explorer.gui.lessons.plane import Plane
from vae_explorer.gui.lessons.step_strip import StepStrip
from vae_explorer.gui.plot.color_maps import field_image
from vae_explorer.gui.theme import Theme, current_theme
from vae_explorer.gui.widgets.number_format import figure
from vae_explorer.gui.widgets.readout import Readout
from vae_explorer.gui.widgets.wheel_guard import WheelGuard
from vae_explorer.session.lessons.geometry import METRICS, SIGHT, STEPS, Geometry, Strip
from vae_explorer.session.map.marks import Field
from vae_explorer.types import Float64

_METRICS = {"euclidean": "pixels (Euclidean)", "fisher": "distributions (Fisher)"}
_STEPS = {"latent": "the latent plane", "image": "the picture"}
_UNITS = {"euclidean": "pixels", "fisher": "Fisher units"}
_REACH = 26.0  # pixels from an end within which it is taken hold of
_NUDGE = 0.1  # latent units


class GeometryView(InstrumentView):
    """The plane above, the pictures along both paths below."""

    def __init__(self, instrument: Geometry, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._instrument = instrument
        self._theme = current_theme()
        self._held: str | None = None
        self._plane = Plane("z", moved=True)
        self._plane.setAccessibleName("Latent plane")
        self._plane.setToolTip("Drag A or B, or move one by the arrow keys")
        self._plane.set_region((-SIGHT, SIGHT, -SIGHT, SIGHT))
        self._plane.set_marks(self._paint)
        self._lines = {"straight": StepStrip("Straight line"), "geodesic": StepStrip("Geodesic")}
        self._readout = Readout()

        self._metric = _choice(_METRICS, METRICS, "Distance of", "What a step is measured by")
        self._steps = _choice(
            _STEPS, STEPS, "Equal steps of", "What the pictures below are equal steps of"
        )
        ends = {"start": "A", "end": "B"}
        self._moved = _choice(ends, tuple(ends), "Keys move", "Which end the arrow keys move")
        metric = _labelled("&distance of", self._metric)
        steps = _labelled("&equal steps of", self._steps)
        moved = _labelled("&keys move", self._moved)
        guard = WheelGuard(self)
        for editor in (self._metric, self._steps, self._moved):
            editor.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            editor.installEventFilter(guard)
        top = QHBoxLayout()
        for widget in (metric, steps, moved):
            top.addWidget(widget)
        top.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.setSpacing(4)
        layout.addLayout(top)
        layout.addWidget(self._plane, 1)
        layout.addWidget(self._readout)
        for strip in self._lines.values():
            layout.addWidget(strip)
        self.controls = {
            "metric": metric,
            "steps": steps,
            "keys": moved,
            "strips": self._lines["straight"],
            "geodesic": self._lines["geodesic"],
        }

        self._metric.activated.connect(lambda: instrument.set_metric(self._metric.currentData()))
        self._steps.activated.connect(lambda: instrument.set_steps(self._steps.currentData()))
        self._plane.pressed.connect(self._take_hold)
        self._plane.dragged.connect(self._drag)
        self._plane.hovered.connect(lambda z1, z2: instrument.point((z1, z2)))
        self._plane.left.connect(lambda: instrument.point(None))
        self._plane.nudged.connect(self._nudge)
        instrument.ends_changed.connect(self._show)
        instrument.geodesic_changed.connect(self._show)
        instrument.field_changed.connect(self._show_field)
        instrument.ellipse_changed.connect(self._show_ellipse)
        self.set_theme(self._theme)

    def set_theme(self, theme: Theme) -> None:
        """Take the theme's colours."""
        self._theme = theme
        self._plane.set_theme(theme)
        for name, strip in self._lines.items():
            strip.set_colors(theme, self._color(name))
        self._show_field()
        self._show()

    def set_hidden(self, names: Collection[str]) -> None:
        """Hide these; without its pictures the geodesic is not on the plane either."""
        super().set_hidden(names)
        self._plane.update()
        self._say()

    @property
    def _shows_geodesic(self) -> bool:
        return not self._lines["geodesic"].isHidden()

    def _color(self, name: str) -> str:
        return self._theme.held_out if name == "straight" else self._theme.accent

    def _take_hold(self, z1: float, z2: float) -> None:
        at = self._plane.to_pixel(z1, z2)
        distances = {}
        for name in ("start", "end"):
            way = self._plane.to_pixel(*getattr(self._instrument, name)) - at
            distances[name] = float(np.hypot(way.x(), way.y()))
        nearest = min(distances, key=lambda name: distances[name])
        self._held = nearest if distances[nearest] <= _REACH else None
        if self._held:
            self._moved.setCurrentIndex(self._moved.findData(self._held))
            self._instrument.point(None)

    def _drag(self, z1: float, z2: float) -> None:
        if self._held:
            self._move(self._held, z1, z2)

    def _nudge(self, dz1: float, dz2: float) -> None:
        which = self._moved.currentData()
        z1, z2 = getattr(self._instrument, which)
        self._move(which, z1 + _NUDGE * dz1, z2 + _NUDGE * dz2)

    def _move(self, which: str, z1: float, z2: float) -> None:
        if which == "start":
            self._instrument.set_start(z1, z2)
        else:
            self._instrument.set_end(z1, z2)

    def _show(self) -> None:
        instrument = self._instrument
        self._metric.setCurrentIndex(self._metric.findData(instrument.metric))
        self._steps.setCurrentIndex(self._steps.findData(instrument.steps))
        strips = {"straight": instrument.straight, "geodesic": instrument.geodesic}
        highest = max(
            (float(strip.frames.steps.max()) for strip in strips.values() if strip), default=1.0
        )
        for name, strip in strips.items():
            if strip is not None:
                self._lines[name].set_frames(
                    strip.images, strip.frames.steps, highest or 1.0, self._title(name, strip)
                )
        self._plane.update()
        self._say()

    def _title(self, name: str, strip: Strip) -> str:
        words = "Straight line" if name == "straight" else "Geodesic"
        unit = _UNITS[self._instrument.metric]
        latent = float(np.linalg.norm(np.diff(strip.route.path, axis=0), axis=1).sum())
        text = f"{words}: the picture goes {figure(strip.route.length, 1)} {unit}"
        return f"{text}, z goes {figure(latent, 2)}"

    def _show_field(self) -> None:
        field = self._instrument.field
        if field is None:
            self._plane.set_picture(None)
            self._plane.set_title("z; measuring √det G …")
            return
        logarithms = np.log10(field.clip(1e-9))
        low, high = (float(end) for end in np.quantile(logarithms, [0.02, 0.995]))
        region = (-SIGHT, SIGHT, -SIGHT, SIGHT)
        drawn = Field(region, logarithms.astype(np.float32), low, high, "")
        self._plane.set_picture(field_image(drawn, self._theme))
        ends = f"{figure(10**low, 0)} to {figure(10**high, 0)}"
        self._plane.set_title(f"z, coloured by √det G: {ends}")

    def _show_ellipse(self) -> None:
        self._plane.update()
        self._say()

    def _say(self) -> None:
        instrument = self._instrument
        ellipse = instrument.ellipse
        if ellipse is not None:
            z1, z2 = ellipse.place
            self._readout.set_text(
                f"z = ({figure(z1, 2)}, {figure(z2, 2)}): √det G = "
                f"{figure(ellipse.magnification, 0)}; all steps to the ellipse change the "
                "picture alike"
            )
        elif not self._shows_geodesic:
            self._readout.set_text("Point at the plane to see its metric there")
        elif instrument.straight is not None and instrument.geodesic is not None:
            longer, shorter = instrument.straight.route.length, instrument.geodesic.route.length
            saved = 100 * (1 - shorter / longer) if longer else 0.0
            self._readout.set_text(f"The geodesic is {figure(saved, 1)} % shorter than the line")
        else:
            self._readout.set_text("Looking for the shortest path …")

    def _paint(self, painter: QPainter, plane: Plane) -> None:
        instrument, theme = self._instrument, self._theme
        if instrument.straight is not None:
            _path(painter, plane, instrument.straight, theme, self._color("straight"))
        if instrument.geodesic is not None and self._shows_geodesic:
            _path(painter, plane, instrument.geodesic, theme, self._color("geodesic"))
        if instrument.ellipse is not None:
            line = _line(plane, instrument.ellipse.edge)
            _stroke(painter, line, theme, theme.text)
        for name, place in (("A", instrument.start), ("B", instrument.end)):
            at = plane.to_pixel(*place)
            painter.setPen(QPen(QColor(theme.canvas), 2))
            painter.setBrush(QColor(theme.text))
            painter.drawEllipse(at, 10, 10)
            painter.setPen(QColor(theme.canvas))
            box = painter.fontMetrics().boundingRect(name)
            painter.drawText(at - QPointF(box.width() / 2, -box.height() / 3), name)


def _path(painter: QPainter, plane: Plane, strip: Strip, theme: Theme, color: str) -> None:
    _stroke(painter, _line(plane, strip.route.path[::4]), theme, color)
    painter.setPen(QPen(QColor(theme.canvas), 1))
    painter.setBrush(QColor(color))
    for place in strip.frames.places.tolist():
        painter.drawEllipse(plane.to_pixel(*place), 4, 4)


def _line(plane: Plane, places: Float64) -> QPolygonF:
    return QPolygonF([plane.to_pixel(*place) for place in places.tolist()])


def _stroke(painter: QPainter, line: QPolygonF, theme: Theme, color: str) -> None:
    painter.setPen(QPen(QColor(theme.canvas), 4.5))
    painter.drawPolyline(line)
    painter.setPen(QPen(QColor(color), 2.5))
    painter.drawPolyline(line)


def _choice(titles: dict[str, str], names: tuple[str, ...], name: str, about: str) -> QComboBox:
    box = QComboBox()
    for one in names:
        box.addItem(titles[one], one)
    box.setAccessibleName(name)
    box.setToolTip(about)
    return box


def _labelled(name: str, editor: QWidget) -> QWidget:
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(4)
    label = QLabel(name)
    label.setBuddy(editor)
    layout.addWidget(label)
    layout.addWidget(editor)
    return row
