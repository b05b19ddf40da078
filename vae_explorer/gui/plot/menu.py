"""What can be done with any chart or image: keep it, copy it, show all of it again."""

from collections.abc import Callable
from functools import partial
from typing import Protocol, runtime_checkable

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QMenu, QWidget

from vae_explorer.export.figure import FigureStyle
from vae_explorer.export.requests import Request
from vae_explorer.gui.theme import current_theme


class Export(Protocol):
    """Makes the content of a file."""

    def __call__(self, kind: str, style: FigureStyle | None = None, /) -> bytes:
        """Of a kind, one of "png", "svg", "pdf" and "csv", in a style."""


@runtime_checkable
class ExportWindow(Protocol):
    """A window that has the dialog by which files leave."""

    def request_of(self, widget: QWidget) -> Request | None:
        """What leaves if this is clicked, None if nothing does."""

    def export(self, request: Request) -> None:
        """Ask a person how and where to."""


def chart_menu(
    chart: QWidget,
    export: Export,
    reset: Callable[[], object] | None,
    *,
    data: bool = True,
) -> QMenu:
    """The context menu of a chart, or of another figure.

    Args:
        chart: what was clicked.
        export: makes what is copied: a "png", and a "csv" if there are ``data`` behind it.
        reset: shows all of it again, if its view can be moved.
        data: whether there are.
    """
    menu = QMenu(chart)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    clipboard = QGuiApplication.clipboard()
    window: QWidget | None = chart
    while window is not None and not isinstance(window, ExportWindow):
        window = window.parentWidget()
    if window is not None and (request := window.request_of(chart)):
        menu.addAction("Export…").triggered.connect(partial(window.export, request))
    menu.addAction("Copy Picture").triggered.connect(
        lambda: clipboard.setImage(QImage.fromData(export("png", style_on_screen(chart))))
    )
    if data:
        menu.addAction("Copy Data").triggered.connect(
            lambda: clipboard.setText(export("csv").decode())
        )
    whole = menu.addAction("Reset View")
    if reset is None:
        whole.setEnabled(False)
    else:
        whole.triggered.connect(lambda: reset())
    return menu


def style_on_screen(chart: QWidget) -> FigureStyle:
    """As a chart is laid out on screen, in twice the pixels."""
    width, height = (min(max(2.0 * side, 100.0), 8_000.0) for side in chart.size().toTuple())
    scheme = "dark" if current_theme().dark else "light"
    return FigureStyle("px", width, height, dpi=192, text=9.0, scheme=scheme)
