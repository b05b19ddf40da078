"""Rows and columns of widgets, labels, buttons, and what scrolls when there is no room for all."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from vae_explorer.gui.widgets.terms import term_label

Part = QWidget | QLayout | tuple[QWidget | QLayout, int] | None
"""Of a row or a column: (part, n) has n shares of the room that is left, and None one."""


def fill(layout: QBoxLayout, *parts: Part) -> None:
    """Add parts to a layout."""
    for part in parts:
        one, share = part if isinstance(part, tuple) else (part, 0)
        if one is None:
            layout.addStretch(1)
        elif isinstance(one, QLayout):
            layout.addLayout(one, share)
        else:
            layout.addWidget(one, share)


def row(*parts: Part, wide: QWidget | None = None, spacing: int = -1) -> QHBoxLayout:
    """Parts side by side; ``wide`` has the room that is left."""
    layout = QHBoxLayout()
    layout.setSpacing(spacing)
    fill(layout, *((wide, 1) if part is wide and wide else part for part in parts))
    return layout


def column(*parts: Part) -> QVBoxLayout:
    """Parts one above the other."""
    layout = QVBoxLayout()
    fill(layout, *parts)
    return layout


def held(layout: QLayout) -> QWidget:
    """A layout without margins as a widget."""
    whole = QWidget()
    layout.setContentsMargins(0, 0, 0, 0)
    whole.setLayout(layout)
    return whole


def beside(*parts: Part) -> QWidget:
    """A row without margins as a widget."""
    return held(row(*parts))


def button(text: str, tip: str, act: Callable[[], object]) -> QPushButton:
    """A button that does something."""
    made = QPushButton(text)
    made.setToolTip(tip)
    made.clicked.connect(lambda: act())
    return made


def label_of(editor: QWidget, text: str) -> QLabel:
    """The label of an editor, which explains itself if it is a term of the field."""
    label = term_label(text)
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

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Tell who holds it, and may be as wide, that its content takes another size."""
        if event.type() == QEvent.Type.LayoutRequest and (holder := self.parentWidget()):
            holder.updateGeometry()
        return super().eventFilter(watched, event)
