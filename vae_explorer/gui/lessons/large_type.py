"""Type for a lecture room."""

from PySide6.QtGui import QFont, QGuiApplication

LARGE = 1.6
"""Of the usual size, when presenting."""


def lesson_font(large: bool, larger: float = LARGE) -> QFont:
    """The font of the program, or a ``larger`` one."""
    font = QGuiApplication.font()
    font.setPointSizeF(font.pointSizeF() * (larger if large else 1.0))
    return font
