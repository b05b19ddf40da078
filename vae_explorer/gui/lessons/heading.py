"""The line above a figure of a lesson: its title, and a note after it."""

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter
from PySide6.QtWidgets import QWidget

from vae_explorer.gui.theme import Theme


def heading_height(widget: QWidget) -> int:
    """Pixels that the line takes."""
    return widget.fontMetrics().lineSpacing() + 6


def draw_heading(painter: QPainter, widget: QWidget, title: str, note: str, theme: Theme) -> None:
    """Write the line at the top of a widget; a note that is too long ends in dots."""
    bold = widget.font()
    bold.setBold(True)
    metrics = QFontMetrics(bold)
    base = metrics.ascent() + 1.0
    painter.setFont(bold)
    painter.setPen(QColor(theme.text))
    painter.drawText(QPointF(2, base), title)
    start = metrics.horizontalAdvance(title) + 14
    painter.setFont(widget.font())
    painter.setPen(QColor(theme.muted))
    room = widget.width() - start
    shown = widget.fontMetrics().elidedText(note, Qt.TextElideMode.ElideRight, room)
    painter.drawText(QPointF(start, base), shown)
