"""What can be done with any chart: keep it, copy it, show all of it again."""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QMenu, QWidget

Export = Callable[[str], bytes]
"""Makes the content of a file of a kind, one of "png", "svg", "pdf" and "csv"."""


@runtime_checkable
class ChartWindow(Protocol):
    """A window that knows where to put a chart's file."""

    def export_chart(self, export: Export) -> None:
        """Ask a person for a path, and write there what ``export`` makes."""


def chart_menu(chart: QWidget, export: Export, reset: Callable[[], object] | None = None) -> QMenu:
    """The context menu of a chart, with ``reset`` if its view can be moved."""
    menu = QMenu(chart)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    window = chart.window()
    if isinstance(window, ChartWindow):
        menu.addAction("Export Chart…").triggered.connect(lambda: window.export_chart(export))
    menu.addAction("Copy Picture").triggered.connect(lambda: _copy(export))
    if reset:
        menu.addAction("Reset View").triggered.connect(lambda: reset())
    return menu


def _copy(export: Export) -> None:
    QGuiApplication.clipboard().setImage(QImage.fromData(export("png")))
