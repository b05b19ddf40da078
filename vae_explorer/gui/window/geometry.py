"""Where a window was, and what it was like, as text."""

from base64 import b64decode

from PySide6.QtCore import QByteArray, QSize
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMainWindow, QWidget


def decoded_bytes(text: str) -> QByteArray:
    """The bytes behind base64 text, none if it is no such text."""
    try:
        return QByteArray(b64decode(text, validate=True))
    except ValueError:
        return QByteArray()


def restore_geometry(window: QWidget, geometry: str) -> None:
    """Put a window where it was, or give it its first size."""
    # Not window.screen(): with that wrapper PySide takes the screen down with the window.
    window.resize(QSize(1280, 800).boundedTo(QGuiApplication.primaryScreen().availableSize()))
    window.restoreGeometry(decoded_bytes(geometry))


def around_middle(window: QMainWindow) -> tuple[int, int, int, int]:
    """The margins of what is in the middle of a window: left, top, right and bottom."""
    widget, whole = window.centralWidget(), window.rect()
    assert widget is not None
    middle = widget.geometry()
    return (
        middle.left(),
        middle.top(),
        whole.right() - middle.right(),
        whole.bottom() - middle.bottom(),
    )
