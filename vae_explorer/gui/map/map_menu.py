"""What a right click on a map offers: its picture, its points, and all of it again."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QPoint

from vae_explorer.errors import ExportError
from vae_explorer.export.figure import FigureStyle
from vae_explorer.gui.map.map_view import MapView
from vae_explorer.gui.plot.export import csv_bytes, render_charts
from vae_explorer.gui.plot.menu import chart_menu
from vae_explorer.types import Region


class MapMenu(QObject):
    """The context menu of a map.

    Args:
        view: of which it is a child.
        title: what its figure is called.
    """

    def __init__(self, view: MapView, title: Callable[[], str]) -> None:
        super().__init__(view)
        self._view = view
        self._title = title
        view.canvas.customContextMenuRequested.connect(self._open)

    def export(
        self, kind: str, style: FigureStyle | None = None, /, region: Region | None = None
    ) -> bytes:
        """The map with its layers as a figure of what is in sight or of a region, or a "csv".

        Raises:
            ExportError: there is no map yet, or the kind is none of a chart's.
        """
        picture = self._view.picture(region)
        if picture is None:
            raise ExportError("There is no map to write yet; open a model, and wait for its map.")
        if kind == "csv":
            return csv_bytes(picture.rows())
        return render_charts(kind, [picture.plot(self._title())], style)

    def _open(self, at: QPoint) -> None:
        canvas = self._view.canvas
        if self._view.points is not None:
            menu = chart_menu(canvas, self.export, self._view.fit)
            menu.popup(canvas.mapToGlobal(at))
