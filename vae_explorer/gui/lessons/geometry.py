"""The plane by how much the picture changes, with a straight line and a geodesic upon it."""

from collections.abc import Collection

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QResizeEvent
from typing_extensions import override

from vae_explorer.gui.lessons.lesson_view import LessonView
from vae_explorer.gui.lessons.step_strip import DIM, StepStrip
from vae_explorer.gui.plot.axis import Axis
from vae_explorer.gui.plot.chart import Chart
from vae_explorer.gui.plot.layout import Bar, Layout
from vae_explorer.gui.plot.marks import Entry, Line, Mark, Painted, Ring
from vae_explorer.gui.theme import Theme
from vae_explorer.gui.widgets.readout import Readout
from vae_explorer.gui.widgets.rows import fill
from vae_explorer.number_format import figure
from vae_explorer.session.lessons.experiment import differs
from vae_explorer.session.lessons.geometry import SIGHT, Geometry, GeometryResult, Strip
from vae_explorer.session.map.marks import Field
from vae_explorer.types import Float64, LatentPoint

_UNITS = {"euclidean": "pixel units", "fisher": "Fisher units"}
_REACH = 26.0  # pixels from an end within which it is taken hold of
_END = 10.0  # pixels, its radius
_NUDGE = 0.1  # latent units
_REGION = (-SIGHT, SIGHT, -SIGHT, SIGHT)
_STRAIGHT, _GEODESIC = "held_out", "accent"
"""The colours of the two paths."""


class GeometryView(LessonView):
    """The plane above, the pictures along both paths below."""

    experiment: Geometry
    readouts = ("lengths", "dots")

    def __init__(self, experiment: Geometry) -> None:
        super().__init__(experiment)
        self._held: str | None = None
        self._offset = np.zeros(2)
        self._plane = Chart("Latent plane", aspect="exact", movable=True)
        self._plane.setToolTip("Drag A or B, or move one by the arrow keys")
        self._plane.setCursor(Qt.CursorShape.CrossCursor)
        self._plane.set_range(*_REGION)
        self._lines = {
            "straight": StepStrip("Straight line", _STRAIGHT),
            "geodesic": StepStrip("Geodesic", _GEODESIC),
        }
        self._readout = Readout(growing=True)
        fill(self.page, self.line("metric", "steps", "keys"), (self._plane, 1), self._readout)
        fill(self.page, *self._lines.values())
        self.controls |= {"strips": self._lines["straight"], "geodesic": self._lines["geodesic"]}
        self._plane.pressed.connect(self._take_hold)
        self._plane.dragged.connect(self._drag)
        self._plane.hovered.connect(lambda z1, z2: experiment.point((z1, z2)))
        self._plane.left.connect(lambda: experiment.point(None))
        self._plane.nudged.connect(self._nudge)
        self.start()

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        for strip in self._lines.values():
            strip.updateGeometry()

    def set_hidden(self, names: Collection[str]) -> None:
        """Hide these; without its pictures the geodesic is not on the plane either."""
        super().set_hidden(names)
        self._show_paths()
        self._say()

    @property
    def _shows_geodesic(self) -> bool:
        return not self._lines["geodesic"].isHidden()

    def _take_hold(self, z1: float, z2: float) -> None:
        settings = self.experiment.settings
        ways = {name: np.subtract(getattr(settings, name), (z1, z2)) for name in ("start", "end")}
        nearest = min(ways, key=lambda name: float(np.hypot(*ways[name])))
        reach = _REACH * 2 * SIGHT / self._plane.frame.width()
        self._offset = ways[nearest]
        self._held = nearest if np.hypot(*self._offset) <= reach else None
        if self._held:
            self.experiment.set(keys=self._held)
            self.experiment.point(None)

    def _drag(self, z1: float, z2: float) -> None:
        if self._held:
            dz1, dz2 = self._offset.tolist()
            self.experiment.move(**{self._held: (z1 + dz1, z2 + dz2)})

    def _nudge(self, dz1: float, dz2: float) -> None:
        settings = self.experiment.settings
        z1, z2 = settings.start if settings.keys == "start" else settings.end
        self.experiment.move(**{settings.keys: (z1 + _NUDGE * dz1, z2 + _NUDGE * dz2)})

    def draw(self, old: GeometryResult | None) -> None:
        """Draw what has changed of the field, and the paths."""
        found = self.experiment.result
        self._plane.set_title(self._plane.plot.title, *self.axes)
        if differs(found, old, "field"):
            self._show_field(found.field)
        if differs(found, old, "straight", "geodesic"):
            strips = {"straight": found.straight, "geodesic": found.geodesic}
            known = {
                name: strip
                for name, strip in strips.items()
                if strip is not None and self.experiment.is_current(strip)
            }
            highest = max((float(one.frames.steps.max()) for one in known.values()), default=1.0)
            for name, line in self._lines.items():
                strip = known.get(name)
                if strip is None:
                    line.wait("looking for the path …", of_before=strips[name] is not None)
                else:
                    line.set_frames(
                        strip.images, strip.frames.steps, highest or 1.0, self._about(strip)
                    )
        self._show_paths()
        self._say()

    def _about(self, strip: Strip) -> str:
        if not self.tells("lengths"):
            return ""
        unit = _UNITS[self.experiment.settings.metric]
        latent = float(np.linalg.norm(np.diff(strip.route.path, axis=0), axis=1).sum())
        text = f"length {figure(strip.route.length, 1)} {unit} in the space of images"
        return f"{text}, {figure(latent, 2)} on the plane"

    def _show_field(self, field: Float64 | None) -> None:
        if field is None:
            self._plane.set_marks([])
            self._plane.set_bar(None)
            self._plane.set_subtitle("measuring √det G …")
            return
        logarithms = np.log10(field.clip(1e-9))
        low, high = (float(end) for end in np.quantile(logarithms, [0.02, 0.995]))
        self._plane.set_marks([Field(_REGION, logarithms.astype(np.float32), low, high, "")])
        self._plane.set_subtitle("")
        self._plane.set_bar(Bar(Axis(10**low, 10**high, "√det G", log=True)))

    def _say(self) -> None:
        found = self.experiment.result
        ellipse = found.ellipse
        if ellipse is not None:
            z1, z2 = ellipse.point
            self._readout.set_text(
                f"z = ({figure(z1, 2)}, {figure(z2, 2)}): √det G = "
                f"{figure(ellipse.magnification, 0)}; every step to the ellipse changes the "
                "picture equally"
            )
        elif not self._shows_geodesic:
            self._readout.set_text("Point at the plane to see its metric there")
        elif found.straight and found.geodesic and self.experiment.is_current(found.geodesic):
            longer, shorter = found.straight.route.length, found.geodesic.route.length
            saved = figure(100 * (1 - shorter / longer) if longer else 0.0, 1)
            told = f"The geodesic is {saved} % shorter than the line"
            self._readout.set_text(told if self.tells("lengths") else "")
        else:
            self._readout.set_text("Looking for the shortest path …")

    def _show_paths(self) -> None:
        found, settings = self.experiment.result, self.experiment.settings
        marks: list[Mark] = []
        if found.straight is not None:
            marks += self._path(found.straight, _STRAIGHT, "straight line")
        if found.geodesic is not None and self._shows_geodesic:
            marks += self._path(found.geodesic, _GEODESIC, "geodesic")
        for name, position in (("A", settings.start), ("B", settings.end)):
            marks += [Ring(position, "text", _END, ".", name=name), _letter(name, position)]
        self._plane.set_front(marks)
        x, y = found.ellipse.edge.T if found.ellipse else np.empty((2, 0))
        self._plane.set_pointer([Line(x, y, "text", "ellipse", 2.5, halo=True)])
        paths = [("straight line", _STRAIGHT), ("geodesic", _GEODESIC)][: 1 + self._shows_geodesic]
        self._plane.set_entries([Entry(color, "━", name) for name, color in paths])

    def _path(self, strip: Strip, color: str, name: str) -> list[Mark]:
        """The line and its dots; one of ends that were left is dimmed."""
        x, y = strip.route.path[::8].T
        if not self.experiment.is_current(strip):
            return [Line(x, y, color, name, 2.5, opacity=DIM)]
        positions = strip.frames.positions.tolist() if self.tells("dots") else []
        dots = [Ring((a, b), color, 4.0, ".") for a, b in positions]
        return [Line(x, y, color, name, 2.5, halo=True), *dots]


def _letter(letter: str, position: LatentPoint) -> Painted:
    def paint(painter: QPainter, layout: Layout, theme: Theme) -> None:
        box = QRectF(0.0, 0.0, 2 * _END, 2 * _END)
        box.moveCenter(layout.to_pixel(*position))
        painter.setPen(QColor(theme.canvas))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, letter)

    return Painted(paint)
