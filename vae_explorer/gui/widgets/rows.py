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


class Scrolled(QScrollArea):
    """What scrolls when there is too little height for it; with ``sideways``, or width."""

    def __init__(self, content: QWidget, sideways: bool = False) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        # Tab goes to the controls, which scroll into view by themselves.
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        if not sideways:
            self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidget(content)
