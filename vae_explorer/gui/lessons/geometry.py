"""The plane by how much the picture changes, with a straight line and a geodesic upon it."""

from collections.abc import Collection

import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from vae_explorer.gui.lessons.lesson_view import LessonView
from vae_explorer.gui.lessons.plane import Plane
from vae_explorer.gui.lessons.step_strip import StepStrip
from vae_explorer.gui.plot.color_maps import field_image
from vae_explorer.gui.theme import current_theme
from vae_explorer.gui.widgets.readout import Readout
from vae_explorer.gui.widgets.rows import beside
from vae_explorer.number_format import figure
from vae_explorer.session.lessons.experiment import differs
from vae_explorer.session.lessons.geometry import SIGHT, Geometry, GeometryResult, Strip
from vae_explorer.session.map.marks import Field
from vae_explorer.types import Float64

_UNITS = {"euclidean": "pixels", "fisher": "Fisher units"}
_REACH = 26.0  # pixels from an end within which it is taken hold of
_NUDGE = 0.1  # latent units
_STRAIGHT, _GEODESIC = "held_out", "accent"
"""The colours of the two paths."""


class GeometryView(LessonView):
    """The plane above, the pictures along both paths below."""

    experiment: Geometry

    def __init__(self, experiment: Geometry) -> None:
        super().__init__(experiment)
        self._held: str | None = None
        self._plane = Plane("z", moved=True)
        self._plane.setAccessibleName("Latent plane")
        self._plane.setToolTip("Drag A or B, or move one by the arrow keys")
        self._plane.set_region((-SIGHT, SIGHT, -SIGHT, SIGHT))
        self._plane.set_marks(self._paint)
        self._lines = {
            "straight": StepStrip("Straight line", _STRAIGHT),
            "geodesic": StepStrip("Geodesic", _GEODESIC),
        }
        self._readout = Readout()
        rows = self.form.rows
        self.page.addWidget(beside(rows["metric"], rows["steps"], rows["keys"], None))
        self.page.addWidget(self._plane, 1)
        self.page.addWidget(self._readout)
        for strip in self._lines.values():
            self.page.addWidget(strip)
        self.controls |= {"strips": self._lines["straight"], "geodesic": self._lines["geodesic"]}
        self._plane.pressed.connect(self._take_hold)
        self._plane.dragged.connect(self._drag)
        self._plane.hovered.connect(lambda z1, z2: experiment.point((z1, z2)))
        self._plane.left.connect(lambda: experiment.point(None))
        self._plane.nudged.connect(self._nudge)
        self.start()

    def set_hidden(self, names: Collection[str]) -> None:
        """Hide these; without its pictures the geodesic is not on the plane either."""
        super().set_hidden(names)
        self._plane.update()
        self._say()

    @property
    def _shows_geodesic(self) -> bool:
        return not self._lines["geodesic"].isHidden()

    def _take_hold(self, z1: float, z2: float) -> None:
        at = self._plane.to_pixel(z1, z2)
        distances = {}
        for name in ("start", "end"):
            way = self._plane.to_pixel(*getattr(self.experiment.settings, name)) - at
            distances[name] = float(np.hypot(way.x(), way.y()))
        nearest = min(distances, key=lambda name: distances[name])
        self._held = nearest if distances[nearest] <= _REACH else None
        if self._held:
            self.experiment.set(keys=self._held)
            self.experiment.point(None)

    def _drag(self, z1: float, z2: float) -> None:
        if self._held:
            self.experiment.move(**{self._held: (z1, z2)})

    def _nudge(self, dz1: float, dz2: float) -> None:
        settings = self.experiment.settings
        z1, z2 = settings.start if settings.keys == "start" else settings.end
        self.experiment.move(**{settings.keys: (z1 + _NUDGE * dz1, z2 + _NUDGE * dz2)})

    def draw(self, old: GeometryResult | None) -> None:
        """Draw what has changed of the field, and the paths."""
        found = self.experiment.result
        if differs(found, old, "field"):
            self._show_field(found.field)
        if differs(found, old, "straight", "geodesic"):
            strips = {"straight": found.straight, "geodesic": found.geodesic}
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
        unit = _UNITS[self.experiment.settings.metric]
        latent = float(np.linalg.norm(np.diff(strip.route.path, axis=0), axis=1).sum())
        text = f"{words}: the picture goes {figure(strip.route.length, 1)} {unit}"
        return f"{text}, z goes {figure(latent, 2)}"

    def _show_field(self, field: Float64 | None) -> None:
        if field is None:
            self._plane.set_picture(None)
            self._plane.set_title("z; measuring √det G …")
            return
        logarithms = np.log10(field.clip(1e-9))
        low, high = (float(end) for end in np.quantile(logarithms, [0.02, 0.995]))
        region = (-SIGHT, SIGHT, -SIGHT, SIGHT)
        drawn = Field(region, logarithms.astype(np.float32), low, high, "")
        self._plane.set_picture(field_image(drawn, current_theme()))
        ends = f"{figure(10**low, 0)} to {figure(10**high, 0)}"
        self._plane.set_title(f"z, coloured by √det G: {ends}")

    def _say(self) -> None:
        found = self.experiment.result
        ellipse = found.ellipse
        if ellipse is not None:
            z1, z2 = ellipse.point
            self._readout.set_text(
                f"z = ({figure(z1, 2)}, {figure(z2, 2)}): √det G = "
                f"{figure(ellipse.magnification, 0)}; all steps to the ellipse change the "
                "picture alike"
            )
        elif not self._shows_geodesic:
            self._readout.set_text("Point at the plane to see its metric there")
        elif found.straight is not None and found.geodesic is not None:
            longer, shorter = found.straight.route.length, found.geodesic.route.length
            saved = 100 * (1 - shorter / longer) if longer else 0.0
            self._readout.set_text(f"The geodesic is {figure(saved, 1)} % shorter than the line")
        else:
            self._readout.set_text("Looking for the shortest path …")

    def _paint(self, painter: QPainter, plane: Plane) -> None:
        found, theme = self.experiment.result, current_theme()
        settings = self.experiment.settings
        if found.straight is not None:
            _path(painter, plane, found.straight, _STRAIGHT)
        if found.geodesic is not None and self._shows_geodesic:
            _path(painter, plane, found.geodesic, _GEODESIC)
        if found.ellipse is not None:
            line = _line(plane, found.ellipse.edge)
            _stroke(painter, line, "text")
        for name, place in (("A", settings.start), ("B", settings.end)):
            at = plane.to_pixel(*place)
            painter.setPen(QPen(QColor(theme.canvas), 2))
            painter.setBrush(QColor(theme.text))
            painter.drawEllipse(at, 10, 10)
            painter.setPen(QColor(theme.canvas))
            box = painter.fontMetrics().boundingRect(name)
            painter.drawText(at - QPointF(box.width() / 2, -box.height() / 3), name)


def _path(painter: QPainter, plane: Plane, strip: Strip, color: str) -> None:
    _stroke(painter, _line(plane, strip.route.path[::4]), color)
    painter.setPen(QPen(QColor(current_theme().canvas), 1))
    painter.setBrush(QColor(getattr(current_theme(), color)))
    for place in strip.frames.places.tolist():
        painter.drawEllipse(plane.to_pixel(*place), 4, 4)


def _line(plane: Plane, places: Float64) -> QPolygonF:
    return QPolygonF([plane.to_pixel(*place) for place in places.tolist()])


def _stroke(painter: QPainter, line: QPolygonF, color: str) -> None:
    theme = current_theme()
    painter.setPen(QPen(QColor(theme.canvas), 4.5))
    painter.drawPolyline(line)
    painter.setPen(QPen(QColor(getattr(theme, color)), 2.5))
    painter.drawPolyline(line)
