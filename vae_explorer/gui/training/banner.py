"""A strip that says something above everything else in a dock, until it is dismissed."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget
from typing_extensions import override

from vae_explorer.gui.theme import MARGIN, SPACE, current_theme
from vae_explorer.gui.widgets.icons import SMALL, icon

_STRIPE = 4  # logical pixels


class Banner(QWidget):
    """Rich text and a button that dismisses it; takes no room while there is nothing.

    Args:
        name: what it is called to those who do not see it.
        dismiss: what dismissing does.
        button: stands before that, if there is one.

    Signals:
        dismissed(): a person dismissed it.
    """

    dismissed = Signal()

    def __init__(self, name: str, dismiss: str, button: QWidget | None = None) -> None:
        super().__init__()
        self._text = QLabel(textFormat=Qt.TextFormat.RichText)
        self._text.setWordWrap(True)
        self._text.setAccessibleName(name)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._close = QToolButton()
        self._close.setIcon(icon("close"))
        self._close.setAutoRaise(True)
        self._close.setIconSize(QSize(SMALL, SMALL))
        self._close.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._close.setAccessibleName("Dismiss")
        self._close.setToolTip(dismiss)
        self._close.clicked.connect(self.hide)
        self._close.clicked.connect(self.dismissed)
        row = QHBoxLayout(self)
        row.setContentsMargins(MARGIN + _STRIPE + SPACE, SPACE, SPACE, SPACE)
        row.addWidget(self._text, 1)
        for widget in filter(None, (button, self._close)):
            row.addWidget(widget, 0, Qt.AlignmentFlag.AlignTop)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Maximum)
        self.hide()

    def say(self, text: str) -> None:
        """Show a rich text, or nothing."""
        self._text.setText(text)
        self.setVisible(bool(text))

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), current_theme().raised)
            painter.fillRect(MARGIN, 2, _STRIPE, self.height() - 4, current_theme().held_out)
