"""Widgets on screen."""

from typing import TypeVar

from PySide6.QtWidgets import QAbstractSpinBox, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

W = TypeVar("W", bound=QWidget)


def expose(qtbot: QtBot, widget: W, width: int | None = None, height: int | None = None) -> W:
    """Show ``widget``, wait until it is on screen, and close it after the test."""
    qtbot.addWidget(widget)
    if width is not None and height is not None:
        widget.resize(width, height)
    with qtbot.waitExposed(widget):
        widget.show()
    return widget


def type_over(qtbot: QtBot, editor: QAbstractSpinBox | QLineEdit, text: str) -> None:
    """Type in the place of all that is there."""
    editor.selectAll()
    qtbot.keyClicks(editor, text)
