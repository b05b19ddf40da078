"""The decoded digit, large over the map, as a path is played."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget
from typing_extensions import override

from vae_explorer.gui.explore.decode.digit_view import DigitView
from vae_explorer.gui.theme import MARGIN, SPACE
from vae_explorer.types import Float32

_SHARE = 0.5  # of the shorter side of the room
_LEAST, _MOST = 140, 560  # logical pixels
_BETWEEN = 12  # from the edges of the room

Room = Callable[[], tuple[QRect, list[QPoint]]]
"""Where there is room, in pixels of the parent, and what of the path is to be seen there."""


class Film(QFrame):
    """Stays in the corner that hides least of the path, until it is closed.

    Args:
        parent: what it lies over.
        room: where in that.
    """

    def __init__(self, parent: QWidget, room: Room) -> None:
        super().__init__(parent)
        self._room = room
        self._corner = 0
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAutoFillBackground(True)
        self.setBackgroundRole(QPalette.ColorRole.Base)
        self.setAccessibleName("Film of the path")
        self.digit = DigitView("Frame of the path", " ")
        self.digit.reshaped.connect(self._settle)
        self._title = QLabel("Film of the path")
        close = QToolButton()
        close.setText("×")
        close.setAutoRaise(True)
        close.setToolTip("Close the film; the path plays on")
        close.setAccessibleName("Close the film")
        close.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        close.clicked.connect(self.hide)
        head = QHBoxLayout()
        head.addWidget(self._title, 1)
        head.addWidget(close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, SPACE, MARGIN, MARGIN)
        layout.setSpacing(SPACE)
        layout.addLayout(head)
        layout.addWidget(self.digit, 1)
        self.hide()
        parent.installEventFilter(self)

    def start(self) -> None:
        """Appear where least of the path is hidden."""
        area, path = self._room()
        places = [self._place(area, corner) for corner in range(4)]
        self._corner = min(range(4), key=lambda n: sum(map(places[n].contains, path)))
        self._settle()
        self.show()
        self.raise_()

    def set_frame(self, image: Float32, caption: str) -> None:
        """Show another picture, (h, w) in [0, 1], and say which it is."""
        if self.isVisible():
            self.digit.set_image(image)
            self.digit.set_caption(caption, caption.partition(" · ")[0])

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self._settle()
        return False

    def _settle(self) -> None:
        self.setGeometry(self._place(self._room()[0], self._corner))

    def _place(self, area: QRect, corner: int) -> QRect:
        """A square picture with its title, in the corner on the right or left, above or below."""
        share = min(max(round(_SHARE * min(area.width(), area.height())), _LEAST), _MOST)
        side = self.digit.side_for(share)
        head = self.sizeHint().height() - self.digit.sizeHint().height()
        caption = self.digit.sizeHint().height() - self.digit.sizeHint().width()
        size = QSize(side + 2 * MARGIN, side + head + caption)
        inner = area.adjusted(_BETWEEN, _BETWEEN, -_BETWEEN, -_BETWEEN)
        left = inner.left() if corner % 2 else inner.right() + 1 - size.width()
        top = inner.bottom() + 1 - size.height() if corner // 2 else inner.top()
        return QRect(QPoint(left, top), size)
