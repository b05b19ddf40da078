"""What can be done with any chart: keep it, copy it, show all of it again."""

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QMenu, QWidget

from vae_explorer.export.figure import FigureStyle
from vae_explorer.gui.plot.export import KINDS
from vae_explorer.gui.theme import current_theme


class Export(Protocol):
    """Makes the content of a file."""

    def __call__(self, kind: str, style: FigureStyle | None = None, /) -> bytes:
        """Of a kind, one of "png", "svg", "pdf" and "csv", in a style."""


@runtime_checkable
class ChartWindow(Protocol):
    """A window that knows where to put a chart's file."""

    def export_chart(self, export: Export, kinds: Sequence[str], name: str) -> None:
        """Ask a person for a path of one of the kinds, and write there what ``export`` makes."""


def chart_menu(
    chart: QWidget,
    export: Export,
    reset: Callable[[], object] | None,
    kinds: Sequence[str] = KINDS,
    name: str = "chart",
) -> QMenu:
    """The context menu of a chart, or of another figure by its ``name``.

    Args:
        chart: what was clicked.
        export: makes its files of ``kinds``, of which "png" and, if it is one, "csv" can be copied.
        reset: shows all of it again, if its view can be moved.
        kinds: of ``KINDS``.
        name: on screen.
    """
    menu = QMenu(chart)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    clipboard = QGuiApplication.clipboard()
    window = chart.window()
    if isinstance(window, ChartWindow):
        menu.addAction(f"Export {name.capitalize()}…").triggered.connect(
            lambda: window.export_chart(export, kinds, name)
        )
    menu.addAction("Copy Picture").triggered.connect(
        lambda: clipboard.setImage(QImage.fromData(export("png", style_on_screen(chart))))
    )
    if "csv" in kinds:
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
