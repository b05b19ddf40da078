"""A small card beside the hovered point: the digit, its label, its number and a caption."""

from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget
from typing_extensions import override

from vae_explorer.gui.explore.decode.image import qimage_of
from vae_explorer.gui.theme import TITLE, Theme, Themed, class_color, current_theme, enlarge
from vae_explorer.types import UInt8

_THUMBNAIL = 84  # pixels the digit may take, and takes when its size divides them
_DISTANCE = 16  # pixels from the point to the card
_CORNER = 5.0


class PointTooltip(Themed):
    """Floats over a room and all else in its window, is deaf, and never leaves the room."""

    def __init__(self, room: QWidget) -> None:
        super().__init__(room)
        self._room = room
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._picture = QLabel()
        self._picture.setAccessibleName("Hovered image")
        self._swatch = QLabel()
        self._label = QLabel()
        self._number = QLabel()
        self._caption = QLabel()
        enlarge(self._label, TITLE)
        layout = QGridLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setHorizontalSpacing(8)
        layout.setVerticalSpacing(2)
        layout.addWidget(self._picture, 0, 0, 1, 3, Qt.AlignmentFlag.AlignHCenter)
        layout.addWidget(self._swatch, 1, 0)
        layout.addWidget(self._label, 1, 1)
        layout.addWidget(self._number, 1, 2, Qt.AlignmentFlag.AlignRight)
        layout.addWidget(self._caption, 2, 0, 1, 3)
        layout.setColumnStretch(2, 1)
        self.set_theme(current_theme())
        self.hide()

    @override
    def set_theme(self, theme: Theme) -> None:
        palette = self.palette()
        palette.setColor(palette.ColorRole.WindowText, QColor(theme.text))
        self.setPalette(palette)
        palette.setColor(palette.ColorRole.WindowText, QColor(theme.muted))
        self._number.setPalette(palette)
        self._caption.setPalette(palette)

    def set_point(self, label: int, number: str, name: str) -> None:
        """Speak of another point; its picture and caption are not known yet.

        ``name`` is that of its class, "" without one.
        """
        self._swatch.setPixmap(_dot(label, self.devicePixelRatioF()))
        self._swatch.setVisible(bool(name))
        self._label.setText(name)
        self._number.setText(number)
        self._picture.hide()
        self._caption.hide()
        self.adjustSize()

    def set_picture(self, image: UInt8, caption: str) -> None:
        """Show the point's image (h, w[, 3]), enlarged a whole number of times, and a line."""
        self._picture.setPixmap(_enlarged(image, self.devicePixelRatioF()))
        self._picture.show()
        self._caption.setText(caption)
        self._caption.setVisible(bool(caption))
        self.adjustSize()

    def show_beside(self, at: QPointF) -> None:
        """Appear below and to the right of pixel ``at``, or wherever there is room."""
        room, size, window = self._room.size(), self.size(), self._room.window()
        x, y = int(at.x()) + _DISTANCE, int(at.y()) + _DISTANCE
        if x + size.width() > room.width():
            x = int(at.x()) - _DISTANCE - size.width()
        if y + size.height() > room.height():
            y = int(at.y()) - _DISTANCE - size.height()
        if self.parentWidget() is not window:
            self.setParent(window)  # which the room was put into only later
        self.move(self._room.mapTo(window, QPoint(max(x, 0), max(y, 0))))
        self.show()
        self.raise_()

    @override
    def paintEvent(self, _event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(current_theme().muted), 1.0))
            painter.setBrush(QColor(current_theme().canvas))
            painter.drawRoundedRect(
                QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), _CORNER, _CORNER
            )


def _dot(label: int, ratio: float) -> QPixmap:
    side = 10
    pixmap = QPixmap(round(side * ratio), round(side * ratio))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    with QPainter(pixmap) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(class_color(label))
        painter.drawEllipse(0, 0, side, side)
    return pixmap


def _enlarged(image: UInt8, ratio: float) -> QPixmap:
    """Pixels of the image become squares of whole device pixels."""
    height, width = image.shape[:2]
    times = max(1, int(_THUMBNAIL * ratio) // max(height, width))
    pixmap = QPixmap.fromImage(qimage_of(image.repeat(times, axis=0).repeat(times, axis=1)))
    pixmap.setDevicePixelRatio(ratio)
    return pixmap
