"""A square of the plane with numbers along two of its edges, for the figures of lessons."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget
from typing_extensions import override

from vae_explorer.gui.plot.axis import Axis
from vae_explorer.gui.theme import Theme, Themed, current_theme
from vae_explorer.types import Region

Paint = Callable[[QPainter, "Plane"], None]
"""Draws in pixels, by ``Plane.to_pixel``."""

_STEPS = {
    Qt.Key.Key_Left: (-1.0, 0.0),
    Qt.Key.Key_Right: (1.0, 0.0),
    Qt.Key.Key_Up: (0.0, 1.0),
    Qt.Key.Key_Down: (0.0, -1.0),
}
_GAP = 4
_TICKS = 6  # about


class Plane(Themed):
    """Shows a picture over a region, and marks upon it. What lies below the marks is drawn once.

    Signals:
        pressed(float, float): the left button, at a place.
        dragged(float, float): moved while held.
        hovered(float, float): moved while not held.
        left(): the pointer is gone.
        nudged(float, float): by an arrow key; 1 or 10 (Shift) or 0.1 (Ctrl) along an axis.
    """

    pressed = Signal(float, float)
    dragged = Signal(float, float)
    hovered = Signal(float, float)
    left = Signal()
    nudged = Signal(float, float)

    def __init__(self, title: str, moved: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = title
        self._region: Region = (-3.0, 3.0, -3.0, 3.0)
        self._picture: QImage | None = None
        self._picture_region = self._region
        self._ground: Paint | None = None
        self._marks: Paint | None = None
        self._drawn: QPixmap | None = None
        self.setAccessibleName(title)
        self.setMinimumSize(150, 150)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMouseTracking(True)
        if moved:
            self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            self.setCursor(Qt.CursorShape.CrossCursor)

    def set_title(self, title: str) -> None:
        """Write something else above."""
        if title != self._title:
            self._title = title
            self._redraw()

    def set_region(self, region: Region) -> None:
        """Show another part of the plane."""
        self._region = region
        self._redraw()

    def set_picture(self, picture: QImage | None, region: Region | None = None) -> None:
        """Show a picture over a region, by default what is in sight; its first row is lowest."""
        self._picture, self._picture_region = picture, region or self._region
        self._redraw()

    def set_ground(self, paint: Paint | None) -> None:
        """Draw over the picture what changes seldom."""
        self._ground = paint
        self._redraw()

    def set_marks(self, paint: Paint | None) -> None:
        """Draw over all else what moves."""
        self._marks = paint
        self.update()

    @override
    def set_theme(self, theme: Theme) -> None:
        self._redraw()

    def plot_rect(self) -> QRectF:
        """The square, in pixels."""
        text = QFontMetricsF(self.font())
        beside, line = text.horizontalAdvance("−0.00") + _GAP, text.height()
        room = QRectF(self.rect()).adjusted(beside, line + _GAP, -_GAP, -line - _GAP)
        side = max(min(room.width(), room.height()), 1.0)
        left = room.left() + (room.width() - side) / 2
        return QRectF(left, room.top() + (room.height() - side) / 2, side, side)

    def to_pixel(self, x: float, y: float) -> QPointF:
        """Where a place is."""
        left, right, bottom, top = self._region
        square = self.plot_rect()
        return QPointF(
            square.left() + (x - left) / (right - left) * square.width(),
            square.bottom() - (y - bottom) / (top - bottom) * square.height(),
        )

    def to_place(self, pixel: QPointF) -> tuple[float, float]:
        """What place is there."""
        left, right, bottom, top = self._region
        square = self.plot_rect()
        return (
            left + (pixel.x() - square.left()) / square.width() * (right - left),
            bottom + (square.bottom() - pixel.y()) / square.height() * (top - bottom),
        )

    @override
    def sizeHint(self) -> QSize:
        return QSize(280, 280)

    # Qt's events

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        if self._drawn is None:
            self._drawn = self._draw_ground()
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._drawn)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._marks:
            painter.save()
            painter.setClipRect(self.plot_rect())
            self._marks(painter, self)
            painter.restore()
        if self.hasFocus():
            painter.setPen(QColor(current_theme().accent))
            painter.drawRect(self.plot_rect().adjusted(-1, -1, 1, 1))

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._redraw()

    @override
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        self._redraw()

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.pressed.emit(*self.to_place(event.position()))

    @override
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        held = event.buttons() & Qt.MouseButton.LeftButton
        (self.dragged if held else self.hovered).emit(*self.to_place(event.position()))

    @override
    def leaveEvent(self, event: QEvent) -> None:
        self.left.emit()
        super().leaveEvent(event)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = _STEPS.get(Qt.Key(event.key()))
        if step is None or self.focusPolicy() == Qt.FocusPolicy.NoFocus:
            super().keyPressEvent(event)
            return
        held = event.modifiers()
        size = 10.0 if held & Qt.KeyboardModifier.ShiftModifier else 1.0
        size = 0.1 if held & Qt.KeyboardModifier.ControlModifier else size
        self.nudged.emit(size * step[0], size * step[1])

    @override
    def event(self, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and Qt.Key(event.key()) in _STEPS
            and self.focusPolicy() != Qt.FocusPolicy.NoFocus
        ):
            event.accept()
            return True
        return super().event(event)

    def _redraw(self) -> None:
        self._drawn = None
        self.update()

    def _draw_ground(self) -> QPixmap:
        ratio = self.devicePixelRatioF()
        pixmap = QPixmap(self.size() * ratio)
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        square = self.plot_rect()
        painter.setFont(self.font())
        painter.fillRect(square, QColor(current_theme().canvas))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.save()
        painter.setClipRect(square)
        if self._picture is not None:
            left, right, bottom, top = self._picture_region
            low, high = self.to_pixel(left, bottom), self.to_pixel(right, top)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(
                QRectF(low.x(), high.y(), high.x() - low.x(), low.y() - high.y()),
                self._picture.flipped(Qt.Orientation.Vertical),
            )
        if self._ground:
            self._ground(painter, self)
        painter.restore()
        painter.setPen(QColor(current_theme().grid))
        painter.drawRect(square)
        self._write(painter, square)
        return pixmap

    def _write(self, painter: QPainter, square: QRectF) -> None:
        """The title and the numbers along the edges."""
        text = QFontMetricsF(self.font())
        line = text.height()
        painter.setPen(QColor(current_theme().text))
        above = QRectF(0, square.top() - line - _GAP, self.width(), line)
        shown = text.elidedText(self._title, Qt.TextElideMode.ElideRight, above.width())
        painter.drawText(above, Qt.AlignmentFlag.AlignCenter, shown)
        painter.setPen(QColor(current_theme().muted))
        left, right, bottom, top = self._region
        for x, word in Axis(left, right).ticks(_TICKS):
            at = self.to_pixel(x, bottom)
            box = QRectF(at.x() - 40, square.bottom() + 1, 80, line)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, word)
        for y, word in Axis(bottom, top).ticks(_TICKS):
            at = self.to_pixel(left, y)
            box = QRectF(at.x() - 80 - _GAP, at.y() - line / 2, 80, line)
            middle = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(box, middle, word)
