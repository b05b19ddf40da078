"""The program's signs: lines of one width, painted in the colours that are on screen.

A sign is a path on a square of 20 units, written as in SVG: ``M x y`` begins a line, ``L x y`` goes
on straight, ``C`` by a Bézier curve and ``Z`` back to where it began. ``O x y r`` is a circle and
``A x y r from by`` a part of one, in degrees from the right against the clock.
"""

from functools import cache
from math import ceil

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QColor, QIcon, QIconEngine, QPainter, QPainterPath, QPen, QPixmap
from typing_extensions import override

from vae_explorer.gui.theme import current_theme

SIDE, SMALL = 20, 16
"""Of a sign in the toolbar, and of one in a panel; logical pixels."""

_UNITS = 20
_WIDTH = 1.5  # of a line, in units
_SIGNS = {
    # What people do
    "open": "M2 16 L2 4 L8 4 L10 7 L18 7 L18 16 Z",
    "export": "M6 9 L3 9 L3 17 L17 17 L17 9 L14 9 M10 13 L10 2 M6 6 L10 2 L14 6",
    "scrub": "O10 10 5 M10 2 L10 7 M10 13 L10 18 M2 10 L7 10 M13 10 L18 10",
    "box": "M2 5 L2 2 L5 2 M9 2 L11 2 M15 2 L18 2 L18 5 M18 9 L18 11 M18 15 L18 18 L15 18"
    " M11 18 L9 18 M5 18 L2 18 L2 15 M2 11 L2 9",
    "lasso": "M7 13 C1 11 1 3 10 3 C19 3 19 13 10 13.5 C9.3 13.5 8.6 13.5 8 13.4 O6 14 1.8"
    " M6 16 C6.5 17 5.5 18 4 18",
    "fit": "M2 6 L2 2 L6 2 M14 2 L18 2 L18 6 M18 14 L18 18 L14 18 M6 18 L2 18 L2 14"
    " O7 12 .5 O10 7 .5 O13 11 .5",
    "explore": "O10 10 8 M13.5 6.5 L11.5 11.5 L6.5 13.5 L8.5 8.5 Z",
    "train": "M2 2 L2 18 L18 18 M6 14 C7 8 10 5 18 4",
    "learn": "M10 5 C8 3.5 5 3.5 2 4 L2 16 C5 15.5 8 15.5 10 17 C12 15.5 15 15.5 18 16 L18 4"
    " C15 3.5 12 3.5 10 5 L10 17",
    "travel": "O4 16 2 O16 4 2 M6 16 L13 16 C18 16 18 10 13 10 L7 10 C2 10 2 4 7 4 L14 4",
    "find": "O8.5 8.5 6 M13 13 L18 18",
    # A run
    "run": "M5 3 L16 10 L5 17 Z",
    "pause": "M7 4 L7 16 M13 4 L13 16",
    "stop": "M4 4 L16 4 L16 16 L4 16 Z",
    "step": "M4 4 L12 10 L4 16 Z M16 4 L16 16",
    "epoch": "M2 5 L8 10 L2 15 Z M8 5 L14 10 L8 15 Z M17 5 L17 15",
    "slow_motion": "O10 11.5 6.5 M10 8 L10 11.5 L12 13 M8 2 L12 2 M10 2 L10 5",
    "restart": "M3 3 L3 8 L8 8 A10 10.5 7 160 -300",
    "branch": "O5 4 2 O5 16 2 O15 5 2 M5 6 L5 14 M15 7 C15 12 6 9 5 14",
    "new_seed": "M3 3 L17 3 L17 17 L3 17 Z O7 7 .5 O13 7 .5 O10 10 .5 O7 13 .5 O13 13 .5",
    # Check boxes and docks
    "check": "M4 10 L8 14 L16 6",
    "some": "M5 10 L15 10",
    "float": "M7 7 L7 3 L17 3 L17 13 L13 13 M3 7 L13 7 L13 17 L3 17 Z",
    # Banners and views that have nothing to show
    "close": "M5 5 L15 15 M15 5 L5 15",
    "problem": "M10 2 L18 17 L2 17 Z M10 8 L10 12 O10 14.5 .5",
    "busy": "M5 2 L15 2 M5 18 L15 18 M6 2 L6 5 C6 8 10 8 10 10 C10 12 6 12 6 15 L6 18"
    " M14 2 L14 5 C14 8 10 8 10 10 C10 12 14 12 14 15 L14 18",
}
NAMES = tuple(_SIGNS)


@cache
def icon(name: str) -> QIcon:
    """A sign for buttons; ``NAMES`` are those there are."""
    return QIcon(_Sign(name))


def paint_sign(painter: QPainter, name: str, rect: QRectF, color: QColor | str) -> None:
    """Paint a sign as large as ``rect``, its straight lines along the pixels of the screen."""
    device = painter.deviceTransform()
    dots = device.m11()  # pixels in a unit of the painter
    corner = device.map(rect.topLeft())
    scale = rect.width() * dots / _UNITS
    path = _path(_SIGNS[name], scale)
    path.translate(round(corner.x()) - device.dx(), round(corner.y()) - device.dy())
    painter.save()
    painter.scale(1 / dots, 1 / dots)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    pen = QPen(QColor(color), _width(scale))
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.strokePath(path, pen)
    painter.restore()


class _Sign(QIconEngine):
    """Paints a sign in the colours of the moment, so that a button need not be told of others."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    @override
    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        theme = current_theme()
        color = QColor(theme.accent if state is QIcon.State.On else theme.text)
        if mode is QIcon.Mode.Disabled:
            color = QColor(theme.muted)
            color.setAlphaF(0.6)
        side = min(rect.width(), rect.height())
        square = QRectF(0, 0, side, side)
        square.moveCenter(QRectF(rect).center())
        paint_sign(painter, self._name, square, color)

    @override
    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        pixmap = QPixmap(size)
        pixmap.fill(Qt.GlobalColor.transparent)
        with QPainter(pixmap) as painter:
            self.paint(painter, QRect(pixmap.rect()), mode, state)
        return pixmap

    @override
    def clone(self) -> QIconEngine:
        return _Sign(self._name)


def _width(scale: float) -> float:
    """Of a line, at so many pixels a unit: in halves, so that one edge at least is sharp."""
    return ceil(2 * _WIDTH * scale) / 2


def _path(text: str, scale: float) -> QPainterPath:
    """A sign at so many pixels a unit; the ends of lines are put where their edges are sharp."""
    off = _width(scale) / 2 % 1

    def at(x: float, y: float) -> QPointF:
        return QPointF(round(x * scale - off) + off, round(y * scale - off) + off)

    def circle(x: float, y: float, r: float) -> QRectF:
        side = round(2 * r * scale)
        return QRectF(at(x - r, y - r), QSizeF(side, side))

    path = QPainterPath()
    for part in _split(text):
        letter, numbers = part[0], [float(number) for number in part[1:].split()]
        match letter:
            case "M":
                path.moveTo(at(*numbers))
            case "L":
                path.lineTo(at(*numbers))
            case "C":
                first, second = (QPointF(*numbers[i : i + 2]) * scale for i in (0, 2))
                path.cubicTo(first, second, at(*numbers[4:]))
            case "Z":
                path.closeSubpath()
            case "O":
                path.addEllipse(circle(*numbers))
            case "A":
                x, y, r, start, sweep = numbers
                path.arcMoveTo(circle(x, y, r), start)
                path.arcTo(circle(x, y, r), start, sweep)
    return path


def _split(text: str) -> list[str]:
    """Each letter with its numbers."""
    return "".join(f"|{letter}" if letter.isalpha() else letter for letter in text).split("|")[1:]
