"""What a right click on a map offers: its picture, its points, and all of it again."""

import csv
import io
from collections.abc import Callable

from PySide6.QtCore import QBuffer, QIODevice, QObject, QPoint, QRect, QSize
from PySide6.QtGui import QPixmap, QRegion

from vae_explorer.export.figure import FigureStyle
from vae_explorer.gui.map.map_view import MapView
from vae_explorer.gui.plot.menu import chart_menu
from vae_explorer.session.map.state import MapPoints
from vae_explorer.types import Bools

PNG_SCALE = 2


class MapMenu(QObject):
    """The context menu of a map.

    Args:
        view: of which it is a child.
        points: those that it shows, where they are now.
    """

    def __init__(self, view: MapView, points: Callable[[], MapPoints | None]) -> None:
        super().__init__(view)
        self._view = view
        self._points = points
        view.canvas.customContextMenuRequested.connect(self._open)

    def _open(self, at: QPoint) -> None:
        canvas = self._view.canvas
        if self._points() is not None:
            menu = chart_menu(canvas, self._export, self._view.fit, ("png", "csv"), "map")
            menu.popup(canvas.mapToGlobal(at))

    def _export(self, kind: str, _style: FigureStyle | None = None, /) -> bytes:
        points = self._points()
        if kind == "csv" and points is not None:
            return _table(points, self._view.shown())
        return _picture(self._view)


def _picture(view: MapView) -> bytes:
    """The map with its legend as on screen, as a PNG of twice the pixels."""
    part = QRect(QPoint(), QSize(view.width(), view.status.y()))
    picture = QPixmap(part.size() * PNG_SCALE)
    picture.setDevicePixelRatio(PNG_SCALE)
    view.render(picture, QPoint(), QRegion(part))
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    picture.save(buffer, "PNG")
    return bytes(buffer.data().data())


def _table(points: MapPoints, shown: Bools) -> bytes:
    """A line a point that shows: split, index, label, z₁ and z₂."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("split", "index", "label", "z1", "z2"))
    positions = points.positions.tolist()
    for row in shown.nonzero()[0].tolist():
        writer.writerow((*points.origin(row), int(points.labels[row]), *positions[row]))
    return text.getvalue().encode()
