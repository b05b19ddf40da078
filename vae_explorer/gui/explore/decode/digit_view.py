"""One image, drawn crisp."""

import math

from PySide6.QtCore import QBuffer, QIODevice, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QContextMenuEvent, QImage, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QSizePolicy, QWidget
from typing_extensions import override

from vae_explorer.export.figure import FigureStyle
from vae_explorer.gui.explore.decode.image import qimage_of
from vae_explorer.gui.plot.menu import chart_menu
from vae_explorer.gui.theme import SPACE, current_theme
from vae_explorer.number_format import NONE
from vae_explorer.types import Float32, UInt8

_FRAME = 1
_GAP = 3
_USUAL = QSize(28, 28)
"""Of an image, until there was one."""
_KEPT = 10
"""Pixels a side of one of the image in a file."""


class DigitView(QWidget):
    """An image at the largest whole zoom that fits, in device pixels, over an optional caption.

    An image too large for the view is shrunk smoothly instead. ``name`` is for assistive tools;
    the caption is the description, and ``short`` takes its position where it does not fit.
    ``least`` is the smallest side of a picture that the view asks for, logical pixels. A right
    click exports or copies the image.
    """

    reshaped = Signal()
    """Images have another size from now on, and with it ``height_for`` and ``side_for``."""

    def __init__(
        self,
        name: str,
        caption: str = "",
        short: str = "",
        least: int = 56,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._image: QImage | None = None
        self._caption = caption
        self._short = short
        self._least = least
        self._size = QSize()
        self.setAccessibleName(name)
        self.setAccessibleDescription(caption)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    @property
    def empty(self) -> bool:
        """Whether there is no picture."""
        return self._image is None

    def set_image(self, image: QImage | Float32 | UInt8 | None) -> None:
        """Show an image, grey if it is an array (h, w), or a quiet empty box."""
        if image is not None and not isinstance(image, QImage):
            image = qimage_of(image)
        # Enlarging is several times faster from the format of the screen than from grey.
        self._image = image and image.convertToFormat(QImage.Format.Format_RGB32)
        if image is not None and image.size() != self._size:
            self._size = image.size()
            self.reshaped.emit()
        self.update()

    def set_caption(self, caption: str, short: str = "") -> None:
        """Write a line under the image, or ``short`` where the caption does not fit."""
        if bool(caption) != bool(self._caption):
            self.updateGeometry()
        self._caption = caption
        self._short = short
        self.setAccessibleDescription(caption)
        self.update()

    def height_for(self, width: int) -> int:
        """The height an image needs at the largest zoom ``width`` allows, logical pixels."""
        ratio, inner = self.devicePixelRatioF(), max(width - 2 * _FRAME, 1)
        height = float(inner)
        if not self._size.isEmpty():
            zoom = inner * ratio / self._size.width()
            height = self._size.height() * (math.floor(zoom) if zoom >= 1 else zoom) / ratio
        return math.ceil(height) + 2 * _FRAME + self._caption_height()

    def side_for(self, share: int) -> int:
        """The side of an image of whole zooms that takes no less than ``share``, logical pixels.

        That of one that has to be shrunk is ``share``.
        """
        ratio = self.devicePixelRatioF()
        side = min(max(self._size.width(), self._size.height(), 1), share * ratio)
        return math.ceil(side * math.ceil(share * ratio / side) / ratio) + 2 * _FRAME

    @override
    def minimumSizeHint(self) -> QSize:
        side = self._least + 2 * _FRAME
        return QSize(side, side + self._caption_height())

    @override
    def sizeHint(self) -> QSize:
        return self.minimumSizeHint()

    @override
    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if self._image is not None:
            chart_menu(self, self._export, None, data=False).popup(event.globalPos())

    def _export(self, _kind: str, _style: FigureStyle | None = None, /) -> bytes:
        """The image without its caption, enlarged and crisp."""
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        if self._image is not None:
            QPixmap.fromImage(self._image.scaled(self._image.size() * _KEPT)).save(buffer, "PNG")
        return bytes(buffer.data().data())

    @override
    def paintEvent(self, _event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            size = self._image.size() if self._image is not None else self._size
            size = _USUAL if size.isEmpty() else size
            box = self._box(painter, size)
            frame = box.adjusted(-_FRAME, -_FRAME, _FRAME, _FRAME)
            painter.fillRect(frame, QColor(current_theme().grid))
            if self._image is not None:
                shrunk = box.width() * painter.deviceTransform().m11() < size.width()
                painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, shrunk)
                painter.drawImage(box, self._image)
            else:
                painter.fillRect(box, QColor(current_theme().canvas))
                painter.setPen(QColor(current_theme().muted))
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, NONE)
            if self._caption:
                line = QRectF(0, frame.bottom() + _GAP, self.width(), self.fontMetrics().height())
                painter.setPen(self.palette().windowText().color())
                painter.drawText(line, Qt.AlignmentFlag.AlignCenter, self._fitting_caption())

    def _fitting_caption(self) -> str:
        metrics, room = self.fontMetrics(), self.width() - SPACE  # clear of what is beside it
        fits = metrics.horizontalAdvance(self._caption) <= room
        text = self._caption if fits else self._short or self._caption
        return metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)

    def _caption_height(self) -> int:
        return _GAP + self.fontMetrics().height() if self._caption else 0

    def _box(self, painter: QPainter, size: QSize) -> QRectF:
        """Where an image of ``size`` goes: logical coordinates that lie on whole device pixels."""
        to_device = painter.deviceTransform()
        room = QRectF(self.rect()).adjusted(0, 0, 0, -self._caption_height())
        room.adjust(_FRAME, _FRAME, -_FRAME, -_FRAME)
        room = to_device.mapRect(room)
        zoom = min(room.width() / size.width(), room.height() / size.height())
        if zoom >= 1:
            # A hair more than the quotient: 2.999999 is 3 after a fractional scale factor.
            zoom = math.floor(zoom + 1e-6)
        width, height = zoom * size.width(), zoom * size.height()
        left = round(room.center().x() - width / 2)
        top = round(room.center().y() - height / 2)
        return to_device.inverted()[0].mapRect(QRectF(left, top, width, height))
