"""A numbered hint over a window, with an arrow to what it is about."""

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleEvent,
    QColor,
    QKeyEvent,
    QPainter,
    QPainterPath,
    QPainterPathStroker,
    QPaintEvent,
    QPen,
    QPolygonF,
    QRegion,
)
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget
from typing_extensions import override

from vae_explorer.gui.theme import current_theme

_TEXT = 190  # logical pixels across
_BADGE = 22  # the number's circle
_MARGIN = 8
_CORNER = 14  # of the box, which the arrow leaves alone
_REACH = 9.0  # half of the arrow's base, where it is short
_SLENDER = 600.0  # half of the base times the length, where it is long
_OKAY = (Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter)


class Hint(QWidget):
    """A numbered sentence in a box, and an arrow from it to what it is about.

    Signals:
        dismissed(): a person wants no hints.
    """

    dismissed = Signal()

    def __init__(self, number: int, total: int, text: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._number = number
        self._shape = QPainterPath()
        self._body = QWidget(self)
        self.text = QLabel(text, wordWrap=True)
        self.text.setFixedWidth(_TEXT)
        self.got_it = QPushButton("Got It")
        self.got_it.setToolTip("Close all hints (Esc); Help ▸ Tour brings them back")
        self.got_it.setAccessibleName(f"Got it: close the hint “{text}”, and all others")
        self.got_it.clicked.connect(self.dismissed)
        layout = QVBoxLayout(self._body)
        layout.setContentsMargins(2 * _MARGIN + _BADGE, _MARGIN, _MARGIN, _MARGIN)
        layout.addWidget(self.text)
        layout.addWidget(self.got_it, 0, Qt.AlignmentFlag.AlignRight)
        self.setAccessibleName(f"Hint {number} of {total}: {text}")
        self.hide()

    def offer_end(self, offered: bool) -> None:
        """Have the button that closes all hints, or not."""
        self.got_it.setVisible(offered)

    def body_size(self) -> QSize:
        """How large the box is."""
        layout = self._body.layout()
        assert layout is not None
        layout.activate()
        return self._body.sizeHint().expandedTo(QSize(0, _BADGE + 2 * _MARGIN))

    def settle(self, body: QRect, tip: QPoint) -> None:
        """Stand in a place of the parent, and point at a spot there."""
        whole = body.united(QRect(tip, QSize(1, 1))).adjusted(-3, -3, 3, 3)
        box = QRectF(body.translated(-whole.topLeft()))
        end = QPointF(tip - whole.topLeft())
        self._shape = _balloon(box, end)
        stroker = QPainterPathStroker()
        stroker.setWidth(4.0)
        region = self._shape.united(stroker.createStroke(self._shape))
        self.setGeometry(whole)
        self._body.setGeometry(box.toRect())
        self.setMask(QRegion(region.toFillPolygon().toPolygon()))
        self.update()

    def announce(self) -> None:
        """Let who cannot see it hear it."""
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))

    @override
    def event(self, event: QEvent) -> bool:
        """Claim Esc from the window's shortcuts."""
        asked = event.type() == QEvent.Type.ShortcutOverride
        if asked and isinstance(event, QKeyEvent) and event.key() in _OKAY:
            event.accept()
            return True
        return super().event(event)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in _OKAY:
            self.dismissed.emit()
        else:
            super().keyPressEvent(event)

    @override
    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = current_theme()
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(theme.accent), 1.5))
            painter.setBrush(QColor(theme.raised))
            painter.drawPath(self._shape)
            badge = QRectF(0, 0, _BADGE, _BADGE)
            badge.moveTopLeft(self._body.pos() + QPoint(_MARGIN, _MARGIN))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.accent))
            painter.drawEllipse(badge)
            font = self.font()
            font.setBold(True)
            painter.setFont(font)
            painter.setPen(QColor(theme.canvas))
            painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, str(self._number))


def _balloon(box: QRectF, tip: QPointF) -> QPainterPath:
    """A box with round corners and an arrow."""
    shape, arrow = QPainterPath(), QPainterPath()
    shape.addRoundedRect(box, 6, 6)
    inner = box.adjusted(_CORNER, _CORNER, -_CORNER, -_CORNER)
    foot = QPointF(
        min(max(tip.x(), inner.left()), inner.right()),
        min(max(tip.y(), inner.top()), inner.bottom()),
    )
    way = tip - foot
    length = max(float(np.hypot(way.x(), way.y())), 1.0)
    aside = QPointF(-way.y(), way.x()) * (min(_REACH, _SLENDER / length) / length)
    arrow.addPolygon(QPolygonF([foot + aside, tip, foot - aside, foot + aside]))
    return shape.united(arrow)
