"""Paints a plot with any painter: on screen, into a picture, an SVG or a PDF."""

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from vae_explorer.gui.plot.color_maps import COLORS, argb_image, opaque, sequential
from vae_explorer.gui.plot.layout import Bar, Layout, Plot, entry_words, pixel_font
from vae_explorer.gui.plot.mark_painting import paint_marks, saved
from vae_explorer.gui.plot.marks import SHADED, theme_color
from vae_explorer.gui.theme import Theme

_TICK = 4.0
_LEAST = 20.0


def paint_chart(
    painter: QPainter, rect: QRectF, plot: Plot, theme: Theme, font: QFont, density: float
) -> None:
    """Paint a plot into a rectangle for a file, see ``Layout.density``."""
    layout = Layout.of(plot, rect, font, density)
    paint_ground(painter, plot, layout, theme)
    paint_front(painter, plot, layout, theme)


def paint_ground(painter: QPainter, plot: Plot, layout: Layout, theme: Theme) -> None:
    """The axes and the marks: what changes seldom."""
    frame = layout.frame
    if min(frame.width(), frame.height()) < _LEAST:
        return
    with saved(painter):
        painter.setFont(layout.font)
        painter.fillRect(frame, QColor(theme.canvas))
        _paint_grid(painter, layout, theme)
        paint_marks(painter, plot.marks, layout, theme)
        painter.setPen(QPen(QColor(theme.grid), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(frame)
        _paint_labels(painter, plot, layout, theme)
        if plot.bar:
            _paint_bar(painter, plot.bar, layout, theme)


def paint_front(painter: QPainter, plot: Plot, layout: Layout, theme: Theme) -> None:
    """The title, the legend, and the marks on top."""
    frame = layout.frame
    with saved(painter):
        _paint_head(painter, plot, layout, theme)
        if min(frame.width(), frame.height()) >= _LEAST:
            paint_marks(painter, plot.front, layout, theme)
            if plot.note:
                painter.setPen(QColor(theme.muted))
                flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
                room = frame.adjusted(6, 4, -6, -4)
                said = painter.boundingRect(room, flags, plot.note)
                painter.fillRect(said.adjusted(-4, -2, 4, 2), QColor(theme.canvas))
                painter.drawText(room, flags, plot.note)


def _paint_grid(painter: QPainter, layout: Layout, theme: Theme) -> None:
    frame = layout.frame
    painter.setPen(QColor(theme.grid))
    for value, _ in layout.x_ticks:
        x = layout.to_pixel(value, layout.y.low).x()
        painter.drawLine(QLineF(x, frame.top(), x, frame.bottom()))
    for value, _ in layout.y_ticks:
        y = layout.to_pixel(layout.x.low, value).y()
        painter.drawLine(QLineF(frame.left(), y, frame.right(), y))


def _paint_head(painter: QPainter, plot: Plot, layout: Layout, theme: Theme) -> None:
    metrics, right = QFontMetricsF(layout.font), layout.rect.right()
    if plot.title:
        painter.setFont(pixel_font(layout.font, bold=True))
        painter.setPen(QColor(theme.text))
        top = layout.rect.top() + metrics.ascent() + 1.0
        painter.drawText(QPointF(layout.rect.left() + 2.0, top), plot.title)
    painter.setFont(layout.font)
    for entry, start in zip(plot.legend, layout.starts, strict=False):
        words = entry_words(entry)
        if entry.stroke:
            painter.setPen(theme_color(theme, entry.color))
            painter.drawText(start, entry.stroke)
            start = start + QPointF(metrics.horizontalAdvance(f"{entry.stroke} "), 0.0)
            painter.setPen(QColor(theme.text))
        else:
            painter.setPen(theme_color(theme, entry.color))
        room = right - start.x()
        if metrics.horizontalAdvance(words) > room:  # a name is cut, not its value
            value = entry.value and f" {entry.value}"
            room = max(room - metrics.horizontalAdvance(value), 0.0)
            name = words.removesuffix(value)
            words = metrics.elidedText(name, Qt.TextElideMode.ElideRight, room) + value
        painter.drawText(start, words)


def _paint_labels(painter: QPainter, plot: Plot, layout: Layout, theme: Theme) -> None:
    metrics, frame = QFontMetricsF(layout.font), layout.frame
    base, room = frame.bottom() + _TICK + metrics.ascent(), frame.right() + 12.0
    painter.setPen(QColor(theme.text))
    if plot.x.numbers and plot.x.label:
        wide = metrics.horizontalAdvance(plot.x.label)
        if layout.label_below:
            at = QPointF(frame.center().x() - wide / 2, base + metrics.height())
        else:
            at = QPointF(frame.right() + 10.0 - wide, base)
            room = at.x() - 8.0
        painter.drawText(at, plot.x.label)
    painter.setPen(QColor(theme.muted))
    for value, word in layout.x_ticks:
        x, wide = layout.to_pixel(value, layout.y.low).x(), metrics.horizontalAdvance(word)
        if x + wide / 2 < room:
            painter.drawText(QPointF(x - wide / 2, base), word)
    left = frame.left()
    for value, word in layout.y_ticks:
        y = layout.to_pixel(layout.x.low, value).y()
        x = frame.left() - 5.0 - metrics.horizontalAdvance(word)
        left = min(left, x)
        painter.drawText(QPointF(x, y + metrics.ascent() / 2 - 1.0), word)
    painter.setPen(QColor(theme.text))
    wide = metrics.horizontalAdvance(plot.y.label)
    if plot.y.numbers and plot.y.label and frame.height() > wide:
        painter.save()
        x = max(layout.rect.left() + metrics.ascent(), left - metrics.ascent())
        painter.translate(x, frame.center().y() + wide / 2)
        painter.rotate(-90)
        painter.drawText(QPointF(), plot.y.label)
        painter.restore()


def _paint_bar(painter: QPainter, bar: Bar, layout: Layout, theme: Theme) -> None:
    metrics, area = QFontMetricsF(layout.font), layout.bar
    colors = sequential(theme, bar.fading)
    if bar.color:
        alpha = np.rint(255 * SHADED * np.linspace(0.0, 1.0, COLORS)).astype(np.uint32)
        color = theme_color(theme, bar.color)
        rgb = np.array([[color.red(), color.green(), color.blue()]], np.uint8)
        colors = (opaque(rgb) & 0xFFFFFF | alpha << 24).astype(np.uint32)
    painter.fillRect(area, QColor(theme.canvas))
    painter.drawImage(area, argb_image(colors[::-1, None]))
    painter.setPen(QPen(QColor(theme.grid), 1))
    painter.drawRect(area)
    for value, word in layout.bar_ticks:
        y = area.bottom() - area.height() * bar.axis.share(value)
        painter.setPen(QColor(theme.grid))
        painter.drawLine(QLineF(area.right(), y, area.right() + 3.0, y))
        painter.setPen(QColor(theme.muted))
        painter.drawText(QPointF(area.right() + 5.0, y + metrics.ascent() / 2 - 1.0), word)
