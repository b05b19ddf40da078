"""What stands in a view that has nothing to show: why, and the button that changes it."""

from typing import Literal

from PySide6.QtCore import QEvent, QObject, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QResizeEvent
from PySide6.QtWidgets import QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget
from typing_extensions import override

from vae_explorer.gui.theme import SPACE, current_theme
from vae_explorer.gui.widgets.icons import paint_sign

Mood = Literal["empty", "busy", "failed"]

_SIGN = 28  # logical pixels
_SIGNS = {"busy": "busy", "failed": "problem"}


class EmptyState(QWidget):
    """A sign, a sentence, and the button that does what it says; as a page, or over a view.

    Args:
        text: the sentence, plain.
        action: what the button says; without it, there is none.
        sign: of ``icons.NAMES``, what belongs here.
        over: the view it covers while it is shown; without one it is a widget as any other.

    Signals:
        asked: the button was pressed.
    """

    asked = Signal()

    def __init__(
        self, text: str = "", action: str = "", sign: str = "", over: QWidget | None = None
    ) -> None:
        super().__init__(over)
        self._own_sign = sign
        self._sign = _SignPicture()
        self._text = QLabel(alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._button = QPushButton()
        self._button.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self._button.clicked.connect(self.asked)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4 * SPACE, 2 * SPACE, 4 * SPACE, 2 * SPACE)
        layout.setSpacing(2 * SPACE)
        layout.addStretch(1)
        layout.addWidget(self._sign)
        layout.addWidget(self._text)
        layout.addWidget(self._button, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(1)
        if over is not None:
            self.setAutoFillBackground(True)
            self.setBackgroundRole(QPalette.ColorRole.Base)
            over.installEventFilter(self)
            self.resize(over.size())
        self.say(text, action)

    def say(self, text: str, action: str = "", mood: Mood = "empty") -> None:
        """Say why there is nothing to see, and offer what changes it."""
        failed = mood == "failed"
        self._sign.show_sign(_SIGNS.get(mood, self._own_sign), failed=failed)
        self._show_sign()
        role = QPalette.ColorRole
        self._text.setForegroundRole(role.WindowText if failed else role.PlaceholderText)
        self._text.setText(text)
        self._button.setText(action)
        self._button.setVisible(bool(action))

    def text(self) -> str:
        """The sentence."""
        return self._text.text()

    def _show_sign(self) -> None:
        """Where there is little height, the sentence and its button have it."""
        self._sign.setVisible(self._sign.name != "" and self.height() > 4 * _SIGN)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_sign()

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and isinstance(watched, QWidget):
            self.resize(watched.size())
        return super().eventFilter(watched, event)


class _SignPicture(QWidget):
    """A sign in the middle of its row; a quiet one, unless something failed."""

    def __init__(self) -> None:
        super().__init__()
        self.name = ""
        self._failed = False
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def show_sign(self, name: str, *, failed: bool) -> None:
        self.name, self._failed = name, failed
        self.update()

    @override
    def sizeHint(self) -> QSize:
        return QSize(_SIGN, _SIGN)

    @override
    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = current_theme()
        square = QRectF((self.width() - _SIGN) // 2, 0, _SIGN, _SIGN)
        with QPainter(self) as painter:
            paint_sign(painter, self.name, square, theme.wrong if self._failed else theme.muted)
