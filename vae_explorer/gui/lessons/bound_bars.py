"""The bars of the bound: what log p(x) is made of, on one axis of nats."""

import math
from collections.abc import Mapping

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget
from typing_extensions import override

from vae_explorer.gui.theme import current_theme
from vae_explorer.lessons.bound import Bound
from vae_explorer.number_format import figure

_LEAST = 2.0  # nats on either side of log p(x)
_AIR = 1.15
_BAR, _ROW = 1.5, 1.9  # of a bar and of a row, in heights of a line
_TICKS = 4
_TIP = 6.0


class BoundBars(QWidget):
    """Rows of bars that share their axis.

    The sum: ELBO, and above it KL(q ‖ p(z|x)), which always end at log p(x). The terms: the
    reconstruction, and KL(q ‖ p(z)) that pulls back from it to the ELBO. The gap of the encoder in
    its two parts, once they are known. Bars begin beyond the left edge: log p(x) is far from 0.
    """

    def __init__(self) -> None:
        super().__init__()
        self._bound: Bound | None = None
        self._error = 0.0
        self._gap: Mapping[str, float] = {}
        self._terms = self._gap_shown = True
        self.setAccessibleName("ELBO and KL")
        self.setToolTip(
            "The axis is cut off at the left. The ELBO and KL(q‖p(z|x)) are summed over different "
            "places of z; log p(x), which normalises p(z|x), is an integral over the whole plane."
        )
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    @override
    def sizeHint(self) -> QSize:
        rows = 1 + 2 * self._terms + self._gap_shown
        return QSize(480, round(self._line * (_ROW * rows + 5.5)))

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(300, self.sizeHint().height())

    def set_bound(self, bound: Bound | None, error: float = 0.0) -> None:
        """Show other numbers, or none; ``error`` is that of log p(x) itself, in nats."""
        self._bound, self._error = bound, error
        self.setAccessibleDescription(self._sum_text())
        self.update()

    def set_gap(self, gap: Mapping[str, float]) -> None:
        """Show the parts of the encoder's gap, or none: "amortisation" and "approximation"."""
        self._gap = gap
        self.update()

    def set_rows(self, terms: bool, gap: bool) -> None:
        """Which rows there are besides the sum."""
        self._terms, self._gap_shown = terms, gap
        self.updateGeometry()
        self.update()

    @property
    def span(self) -> tuple[float, float]:
        """The ends of the axis in nats; they move in steps, so that bars keep still in between."""
        now = self._bound
        if now is None:
            return -1.0, 1.0
        below = now.kl_posterior
        if self._gap_shown and self._gap:
            below = max(below, sum(self._gap.values()))
        above = now.log_likelihood - now.log_marginal if self._terms else 0.0
        right = _round_up(above)
        left = max(_round_up(below), right)  # room for an ELBO near log p(x) to be seen
        return now.log_marginal - left, now.log_marginal + right

    def x_of(self, nats: float) -> float:
        """The pixel of a value."""
        low, high = self.span
        left, right = self._field
        return left + (right - left) * (nats - low) / (high - low)

    @override
    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the rows from the terms to their sum, the axis, and the sum in figures."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        now, theme, line = self._bound, current_theme(), self._line
        painter.setPen(QColor(theme.text))
        if now is None:
            text = "The exact log p(x) of this digit is being computed …"
            painter.drawText(QRectF(self.rect()), Qt.AlignmentFlag.AlignCenter, text)
            return
        left, right = self._field
        start, top = self.span[0], 1.2 * line
        elbo_color, gap_color = QColor(theme.accent), QColor(theme.held_out)
        if self._terms:
            self._row(painter, top, "E_q[log p(x|z)]", figure(now.log_likelihood, 3))
            purple = QColor(theme.log_likelihood)
            self._bar(painter, top, start, now.log_likelihood, purple, "reconstruction")
            top += _ROW * line
            self._row(painter, top, "− KL(q ‖ p(z))", figure(-now.kl_prior, 3))
            text = "pulls back to the prior"
            self._bar(painter, top, now.elbo, now.log_likelihood, QColor(theme.kl), text)
            self._arrow(painter, top, now.elbo, QColor(theme.kl))
            top += _ROW * line
        sum_top = top
        whole = now.elbo + now.kl_posterior
        self._row(painter, top, "ELBO + KL", figure(whole, 3))
        self._bar(painter, top, start, now.elbo, elbo_color, "ELBO")
        self._bar(painter, top, now.elbo, whole, gap_color, "KL(q ‖ p(z|x))")
        top += _ROW * line
        if self._gap_shown:
            self._gap_row(painter, top)
            top += _ROW * line
        painter.setPen(QPen(QColor(theme.muted), 1.0, Qt.PenStyle.DashLine))
        if self._terms:
            x = self.x_of(now.elbo)
            painter.drawLine(QPointF(x, 1.2 * line), QPointF(x, sum_top + line))
        painter.setPen(QPen(QColor(theme.text), 1.6))
        x = self.x_of(now.log_marginal)
        painter.drawLine(QPointF(x, line), QPointF(x, top))
        label = QRectF(x - 60.0, 0.0, 120.0, line)
        painter.drawText(label, Qt.AlignmentFlag.AlignHCenter, "log p(x)")
        self._axis(painter, left, right, top)
        painter.setPen(QColor(theme.text))
        below = QRectF(0.0, top + 1.75 * line, self.width(), 1.2 * line)
        painter.drawText(below, Qt.AlignmentFlag.AlignCenter, self._sum_text())
        painter.setPen(QColor(theme.muted))
        exact = max(now.error, self._error, 1e-4)
        text = f"sums over {now.places:,} places of z, exact to {exact:.1g} nats"
        painter.drawText(below.translated(0.0, 1.15 * line), Qt.AlignmentFlag.AlignCenter, text)

    @property
    def _line(self) -> float:
        return float(self.fontMetrics().height())

    @property
    def _field(self) -> tuple[float, float]:
        metrics = self.fontMetrics()
        left = metrics.horizontalAdvance("− KL(q ‖ p(z))   ")
        return 4.0 + left, self.width() - 8.0 - metrics.horizontalAdvance("000.000 + 0.000 ")

    def _row(self, painter: QPainter, top: float, name: str, value: str) -> None:
        painter.setPen(QColor(current_theme().text))
        align = Qt.AlignmentFlag.AlignVCenter
        left, right = self._field
        height = _BAR * self._line
        painter.drawText(QRectF(4.0, top, left, height), align | Qt.AlignmentFlag.AlignLeft, name)
        room = QRectF(right, top, self.width() - right - 4.0, height)
        painter.drawText(room, align | Qt.AlignmentFlag.AlignRight, value)

    def _bar(
        self, painter: QPainter, top: float, start: float, end: float, color: QColor, text: str
    ) -> None:
        """A bar between two values, with a text where there is room for it."""
        left, right = sorted((self.x_of(start), self.x_of(end)))
        box = QRectF(left, top, right - left, _BAR * self._line)
        painter.fillRect(box, color)
        if self.fontMetrics().horizontalAdvance(text) + 6 < box.width():
            painter.setPen(QColor(current_theme().canvas))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _arrow(self, painter: QPainter, top: float, nats: float, color: QColor) -> None:
        """The end that pulls."""
        x, middle = self.x_of(nats), top + _BAR / 2 * self._line
        tip = QPolygonF(
            [
                QPointF(x - _TIP, middle),
                QPointF(x + 1, middle - _TIP),
                QPointF(x + 1, middle + _TIP),
            ]
        )
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        painter.drawPolygon(tip)

    def _gap_row(self, painter: QPainter, top: float) -> None:
        now = self._bound
        assert now is not None
        if not self._gap:
            self._row(painter, top, "Encoder’s KL", "not yet split")
            return
        amortisation, approximation = self._gap["amortisation"], self._gap["approximation"]
        best = now.log_marginal - approximation
        text = f"{figure(amortisation, 3)} + {figure(approximation, 3)}"
        self._row(painter, top, "Encoder’s KL", text)
        encoder, family = QColor(current_theme().muted), QColor(current_theme().held_out)
        self._bar(painter, top, best - amortisation, best, encoder, "amortisation")
        self._bar(painter, top, best, now.log_marginal, family, "approximation")

    def _axis(self, painter: QPainter, left: float, right: float, top: float) -> None:
        painter.setPen(QPen(QColor(current_theme().muted), 1.0))
        painter.drawLine(QPointF(left, top), QPointF(right, top))
        low, high = self.span
        step = _round_up((high - low) / _TICKS / _AIR, 0.0)
        tick = math.ceil(low / step) * step
        while tick <= high:
            x = self.x_of(tick)
            painter.drawLine(QPointF(x, top), QPointF(x, top + 4))
            box = QRectF(x - 40, top + 5, 80, self._line)
            painter.drawText(
                box, Qt.AlignmentFlag.AlignHCenter, figure(tick, 0 if step >= 1 else 1)
            )
            tick += step
        unit = QRectF(right + 4, top - self._line / 2, 60, self._line)
        painter.drawText(unit, Qt.AlignmentFlag.AlignVCenter, "nats")

    def _sum_text(self) -> str:
        now = self._bound
        if now is None:
            return ""
        parts = (figure(value, 3) for value in (now.log_marginal, now.elbo, now.kl_posterior))
        logp, elbo, gap = parts
        return f"log p(x) {logp}  =  ELBO {elbo}  +  KL(q ‖ p(z|x)) {gap}"


def _round_up(nats: float, least: float = _LEAST) -> float:
    """The next of 1, 2, 5, 10, 20 … with some air."""
    wanted = max(nats * _AIR, least)
    power = 10.0 ** math.floor(math.log10(wanted))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= wanted * (1 - 1e-9))
