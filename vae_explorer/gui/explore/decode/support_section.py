"""Whether the decoded picture can be trusted: a gauge, the nearest real digit, the drift."""

from typing import get_args

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget
from typing_extensions import override

from vae_explorer.gui.explore.decode.digit_view import DigitView
from vae_explorer.gui.explore.decode.image import qimage_of
from vae_explorer.gui.theme import current_theme
from vae_explorer.gui.widgets.fold import Fold
from vae_explorer.gui.widgets.readout import Readout
from vae_explorer.gui.widgets.rows import column, held, row
from vae_explorer.latent.trust import Verdict
from vae_explorer.number_format import NONE, figure
from vae_explorer.session.explore.data_support import PositionSupport

_BAR = 6  # the height of the gauge's bar, logical pixels
_MARKER = 3  # the width of its marker
_GAP = 8


class SupportSection(QWidget):
    """What a ``PositionSupport`` says, in a height that no reading changes; ``fold`` folds it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._gauge = _Gauge()
        self._digit = DigitView("Nearest real image")
        self._digit.setFixedSize(self._digit.minimumSizeHint())
        self._nearest = Readout(lines=2)
        self._nearest.setAccessibleName("Nearest real image")
        self._drift = Readout(lines=2)
        self._drift.setAccessibleName("Drift")
        near = (
            "The image on the map whose code lies nearest: how far its code is from the position, "
            "and its pixels from those of the decoded picture"
        )
        self._digit.setToolTip(near)
        self._nearest.setToolTip(near)
        self._drift.setToolTip(
            "How far the position and its picture move when the picture is encoded and decoded "
            "again; on the data they hardly move"
        )

        lines = column(self._nearest, self._drift)
        lines.setSpacing(0)
        details = held(row(self._digit, (lines, 1), spacing=_GAP))
        self.fold = Fold("", details, self._gauge, "Nearest real image and drift")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.fold)
        self.set_reading(None)

    def set_reading(self, reading: PositionSupport | None) -> None:
        """Show a reading, or that there is none."""
        self._gauge.set_reading(reading)
        self._digit.set_image(None if reading is None else qimage_of(reading.nearest.image))
        name, nearest, drift = NONE, "nearest: known once\nthe map is at rest", ""
        if reading is not None:
            name = " · ".join(
                filter(None, (reading.nearest.name, f"{reading.split} {reading.nearest.index:,}"))
            )
            nearest = f"nearest: {name}\n{figure(reading.latent_distance, 2)} latent"
            nearest += f" · {figure(reading.image_distance, 1)} pixels"
            drift = f"{figure(reading.drift_latent, 2)} latent"
            drift += f", {figure(reading.drift_pixels, 1)} pixels"
        self._digit.setAccessibleDescription(name)
        self._nearest.setAccessibleDescription(nearest)
        self._drift.setAccessibleDescription(drift)
        self._nearest.set_text(nearest)
        self._drift.set_text(drift and f"after a round trip:\n{drift}")


class _Gauge(QWidget):
    """A bar from 0 to 100 with a marker at the percentile, and the verdict beside it."""

    def __init__(self) -> None:
        super().__init__()
        self._reading: PositionSupport | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("On the data")
        self.setToolTip(
            "The percentage of codes that lie where the data are thinner than here; the verdict "
            "also asks whether the picture stays itself when it is encoded and decoded again"
        )

    def set_reading(self, reading: PositionSupport | None) -> None:
        self._reading = reading
        said = NONE
        if reading is not None:
            said = f"{reading.verdict}, percentile {figure(reading.percentile, 1)}"
        self.setAccessibleDescription(said)
        self.update()

    @override
    def sizeHint(self) -> QSize:
        return QSize(3 * self._words_width(), self.fontMetrics().height() + 2)

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(2 * self._words_width(), self.sizeHint().height())

    @override
    def paintEvent(self, _event: QPaintEvent) -> None:
        theme, reading = current_theme(), self._reading
        with QPainter(self) as painter:
            words = QRectF(self.rect())
            words.setLeft(self.width() - self._words_width())
            painter.setPen(QColor(theme.text if reading else theme.muted))
            text = reading.verdict if reading else NONE
            painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, text)

            bar = QRectF(0, (self.height() - _BAR) / 2, words.left() - _GAP, _BAR)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.fillRect(bar, QColor(theme.grid))
            if reading is None:
                return
            left = (bar.width() - _MARKER) * reading.percentile / 100
            fills: dict[Verdict, str] = {
                "on the data": theme.train,
                "at the edge": theme.held_out,
                "off the data": theme.muted,
            }
            bar.setWidth(left)
            painter.fillRect(bar, QColor(fills[reading.verdict]))
            marker = QRectF(left, 1, _MARKER, self.height() - 2)
            painter.fillRect(marker, QColor(theme.text))

    def _words_width(self) -> int:
        return max(map(self.fontMetrics().horizontalAdvance, get_args(Verdict))) + 1
