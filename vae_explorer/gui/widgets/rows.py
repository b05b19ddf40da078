"""Widgets side by side, their labels, and what scrolls when there is no room for all."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QWidget


def row(*widgets: QWidget | None, wide: QWidget | None = None, spacing: int = -1) -> QHBoxLayout:
    """Widgets side by side; None, or else ``wide``, takes the room that is left."""
    layout = QHBoxLayout()
    layout.setSpacing(spacing)
    for widget in widgets:
        if widget is None:
            layout.addStretch(1)
        else:
            layout.addWidget(widget, int(widget is wide))
    return layout


def beside(*widgets: QWidget | None) -> QWidget:
    """A row without margins as a widget."""
    whole = QWidget()
    layout = row(*widgets)
    layout.setContentsMargins(0, 0, 0, 0)
    whole.setLayout(layout)
    return whole


def label_of(editor: QWidget, text: str) -> QLabel:
    """The label of an editor."""
    label = QLabel(text)
    label.setBuddy(editor)
    return label


def scrolled(content: QWidget) -> QScrollArea:
    """The content of a panel, which scrolls when the panel is too low for it."""
    scroll = QScrollArea()
    scroll.setFrameShape(QFrame.Shape.NoFrame)
    scroll.setWidgetResizable(True)
    # Tab goes to the controls, which scroll into view by themselves.
    scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    scroll.setWidget(content)
    return scroll
