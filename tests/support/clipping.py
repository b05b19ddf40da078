"""What of a window is seen, and which of its words have too little room."""

from collections.abc import Iterator

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDockWidget,
    QLabel,
    QPushButton,
    QScrollArea,
    QTabBar,
    QToolButton,
    QWidget,
)


def visible(top: QWidget) -> Iterator[QWidget]:
    return (w for w in [top, *top.findChildren(QWidget)] if w.isVisible() and not w.isHidden())


def clipped(top: QWidget) -> list[str]:
    """Labels and buttons with less room than their words take."""
    found = []
    for widget in visible(top):
        if is_behind(widget):
            continue
        if isinstance(widget, QLabel) and widget.text():
            room, need = widget.size(), widget.sizeHint()
            if widget.wordWrap():
                fits = widget.heightForWidth(widget.width()) <= widget.height()
            else:
                fits = need.width() <= room.width() and need.height() <= room.height()
            seen = widget.visibleRegion().boundingRect().size()
            wide = seen.isEmpty() or seen.width() == room.width()
            high = seen.isEmpty() or seen.height() == room.height() or scrolls(widget)
            if not (fits and wide and high):
                found.append(f"'{widget.text()}' has {room}, needs {need}, shows {seen}")
        elif isinstance(widget, QTabBar) and widget.count() > 1:
            whole = widget.sizeHint().width() <= widget.width()
            if not whole or widget.elideMode() != Qt.TextElideMode.ElideNone:
                found.append(f"tabs have {widget.width()}, need {widget.sizeHint().width()}")
        elif isinstance(widget, QPushButton | QToolButton) and has_words(widget):
            need_width = widget.fontMetrics().horizontalAdvance(widget.text()) + 6
            if need_width > widget.width() or widget.height() < widget.fontMetrics().height():
                found.append(f"'{widget.text()}' has {widget.width()}, needs {need_width}")
    return found


def is_behind(widget: QWidget) -> bool:
    """It is in a dock of which only the tab is seen, and has the size it had there last."""
    parent = widget.parentWidget()
    while parent is not None and not isinstance(parent, QDockWidget):
        parent = parent.parentWidget()
    return parent is not None and parent.visibleRegion().isEmpty()


def scrolls(widget: QWidget) -> bool:
    """It is in something that can be scrolled up and down."""
    parent = widget.parentWidget()
    while parent is not None and not isinstance(parent, QScrollArea):
        parent = parent.parentWidget()
    return parent is not None and parent.verticalScrollBar().maximum() > 0


def has_words(button: QPushButton | QToolButton) -> bool:
    """It says more than its picture."""
    if isinstance(button, QPushButton) or not button.text():
        return bool(button.text())
    icon_only = button.toolButtonStyle() == Qt.ToolButtonStyle.ToolButtonIconOnly
    pictured = not button.icon().isNull() or button.arrowType() != Qt.ArrowType.NoArrow
    return not (icon_only and pictured)
