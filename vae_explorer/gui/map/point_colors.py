"""What colours points take when they do not tell their class, and the key to those colours."""

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget
from typing_extensions import override

from vae_explorer.gui.plot.color_maps import COLORS, sequential
from vae_explorer.gui.theme import CLASS_PALETTE, NAMED_COLORS, Theme, class_rows, current_theme
from vae_explorer.number_format import figure
from vae_explorer.session.map.state import PointColors
from vae_explorer.types import Bools, Labels, UInt8

_FADED = 0.8  # of the canvas in the colour of a point that is not selected
_BAR_WIDTH, _MARGIN, _SPACE, _SWATCH = 14, 8, 6, 10
_BAR_HEIGHT = 160
_WIDEST = 110  # pixels of the name of a class, or those of one line
_IN_COLUMN = 10  # names


def point_rgb(
    colors: PointColors | None, labels: Labels, selected: Bools | None, theme: Theme
) -> UInt8 | None:
    """The colour (n, 3) of each point, or None if they all take that of their class.

    Args:
        colors: what colours mean; None for classes.
        labels: the classes (n,).
        selected: which points (n,) are selected and keep their full colour; None for all.
        theme: gives the scale, and the canvas that other points fade into.
    """
    if colors is None and selected is None:
        return None
    if colors is None:
        rgb: UInt8 = CLASS_PALETTE[class_rows(labels)]
    else:
        known = np.isfinite(colors.values)
        values = np.where(known, colors.values, 0.0)
        if colors.names:
            rgb = NAMED_COLORS[values.astype(np.intp) % len(NAMED_COLORS)]
        else:
            share = (values - colors.low) / (colors.high - colors.low)
            steps = np.rint(share.clip(0, 1) * (COLORS - 1)).astype(np.intp)
            rgb = _scale(theme)[steps]
        rgb[~known] = _rgb(theme.muted)
    if selected is not None:
        rgb = rgb.copy()
        faded = rgb[~selected] * (1 - _FADED) + np.array(_rgb(theme.canvas)) * _FADED
        rgb[~selected] = np.rint(faded)
    return rgb


class ColorKey(QWidget):
    """The colours of a scale with its ends and middle, or those of the categories."""

    def __init__(self) -> None:
        super().__init__()
        self._colors: PointColors | None = None
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Colour key")
        self.hide()

    def set_colors(self, colors: PointColors | None) -> None:
        """Show the key of these colours; with None there is nothing to show."""
        self._colors = colors
        self.setVisible(colors is not None)
        if colors is not None:
            self.setToolTip(f"{colors.title}: {colors.about}")
            self.setAccessibleDescription(f"{colors.title}, {', '.join(self._texts())}")
        self.updateGeometry()
        self.update()

    @override
    def sizeHint(self) -> QSize:
        if self._colors is None:
            return QSize(0, 0)
        metrics = QFontMetrics(self.font())
        texts = self._texts()
        wide = max(metrics.horizontalAdvance(text) for text in texts)
        if self._colors.names:
            height = 2 * _MARGIN + min(len(texts), _IN_COLUMN) * (metrics.height() + 4)
            return QSize(_MARGIN + self._columns * (_SWATCH + _SPACE + wide + _MARGIN), height)
        wide = max(_BAR_WIDTH + _SPACE + wide, metrics.horizontalAdvance(self._colors.unit))
        return QSize(2 * _MARGIN + wide, 2 * _MARGIN + _BAR_HEIGHT + 2 * metrics.height())

    @override
    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._colors is None:
            return
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            if self._colors.names:
                self._draw_names(painter)
            else:
                self._draw_scale(painter, self._colors)

    def _texts(self) -> list[str]:
        colors = self._colors
        assert colors is not None
        if colors.names:
            metrics, middle = QFontMetrics(self.font()), Qt.TextElideMode.ElideMiddle
            widest = _WIDEST // self._columns
            return [metrics.elidedText(name, middle, widest) for name in colors.names]
        ends = colors.high, (colors.low + colors.high) / 2, colors.low
        digits = (
            0 if colors.high - colors.low >= 20 else 2 if colors.high - colors.low >= 0.5 else 3
        )
        return [figure(value, digits) for value in ends]

    @property
    def _columns(self) -> int:
        """Of names, or many would keep a small window tall."""
        assert self._colors is not None
        return -(-len(self._colors.names) // _IN_COLUMN)

    def _draw_names(self, painter: QPainter) -> None:
        step = QFontMetrics(self.font()).height() + 4
        width = (self.sizeHint().width() - _MARGIN) / self._columns
        for code, text in enumerate(self._texts()):
            column, row = divmod(code, _IN_COLUMN)
            left, middle = _MARGIN + column * width, _MARGIN + (row + 0.5) * step
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(*NAMED_COLORS[code % len(NAMED_COLORS)].tolist()))
            painter.drawEllipse(QPointF(left + _SWATCH / 2, middle), _SWATCH / 2, _SWATCH / 2)
            painter.setPen(QColor(current_theme().text))
            box = QRectF(left + _SWATCH + _SPACE, middle - step / 2, self.width(), step)
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, text)

    def _draw_scale(self, painter: QPainter, colors: PointColors) -> None:
        height = QFontMetrics(self.font()).height()
        bar = QRectF(_MARGIN, _MARGIN + height / 2, _BAR_WIDTH, _BAR_HEIGHT)
        table = sequential(current_theme())[::-1].copy()
        image = QImage(table.data, 1, COLORS, 4, QImage.Format.Format_RGB32)
        painter.drawImage(bar, image)
        painter.setPen(QColor(current_theme().text))
        for row, text in enumerate(self._texts()):
            middle = bar.top() + row * bar.height() / 2
            box = QRectF(bar.right() + _SPACE, middle - height / 2, self.width(), height)
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, text)
        painter.setPen(QColor(current_theme().muted))
        painter.drawText(QPointF(_MARGIN, bar.bottom() + 1.6 * height), colors.unit)


def _scale(theme: Theme) -> UInt8:
    """The 256 colours (256, 3) of a scale."""
    table = sequential(theme)
    return np.stack([table >> 16 & 0xFF, table >> 8 & 0xFF, table & 0xFF], axis=1).astype(np.uint8)


def _rgb(name: str) -> tuple[int, int, int]:
    color = QColor(name)
    return color.red(), color.green(), color.blue()
