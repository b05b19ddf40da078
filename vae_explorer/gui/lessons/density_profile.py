"""Densities along a line."""

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget
from typing_extensions import override

from vae_explorer.gui.theme import Theme, current_theme
from vae_explorer.gui.widgets.number_format import figure
from vae_explorer.session.lessons.pushed import Pushed


class DensityProfile(QWidget):
    """The densities along the line through x: formula, histogram, closed form if there is one."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = current_theme()
        self._result: Pushed | None = None
        self.setFixedHeight(96)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Densities along the dashed line")
        self.setToolTip("The densities along the dashed line, from left to right")

    def set_result(self, result: Pushed) -> None:
        """Show other densities."""
        self._result = result
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Recolour."""
        self._theme = theme
        self.update()

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        area = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        painter.fillRect(area, QColor(self._theme.canvas))
        result = self._result
        if result is None:
            return
        curves = [(result.profile, self._theme.accent, "by the formula", Qt.PenStyle.SolidLine)]
        if result.closed_form is not None:
            closed = (result.closed_form, self._theme.held_out, "closed form", Qt.PenStyle.DotLine)
            curves.append(closed)
        highest = np.quantile(result.profile, 0.995), np.quantile(result.bars, 0.99), 1e-9
        top = 1.15 * float(max(highest))
        text = QFontMetricsF(self.font())
        scale = (area.height() - text.height() - 2) / top
        painter.setPen(Qt.PenStyle.NoPen)
        bar = QColor(self._theme.muted)
        bar.setAlpha(110)
        width = area.width() / len(result.bars)
        for number, height in enumerate(result.bars.tolist()):
            x = area.left() + number * width
            painter.fillRect(QRectF(x, area.bottom() - scale * height, width, scale * height), bar)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipRect(area)
        step = area.width() / len(result.across)
        entries = [("by samples", self._theme.muted)]
        for values, color, name, style in curves:
            pen = QPen(QColor(color), 1.5 if style == Qt.PenStyle.SolidLine else 3.0, style)
            painter.setPen(pen)
            painter.drawPolyline(
                [
                    QPointF(area.left() + (k + 0.5) * step, area.bottom() - scale * value)
                    for k, value in enumerate(np.minimum(values, 10 * top).tolist())
                ]
            )
            entries.append((name, color))
        at = area.left() + 6
        title = f"p(x) along x₂ = {figure(result.height, 2)}:"
        for words, color in [(title, self._theme.text), *entries]:
            painter.setPen(QColor(color))
            painter.drawText(QPointF(at, area.top() + text.ascent() + 1), words)
            at += text.horizontalAdvance(words) + 12
        painter.setPen(QColor(self._theme.grid))
        painter.drawRect(area)
