"""The panel beside the map: what the decoder makes of a position, and what it was made from."""

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import (
    QPushButton,
    QStyle,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from vae_explorer.gui.explore.decode.digit_view import DigitView
from vae_explorer.gui.explore.decode.image import gray8
from vae_explorer.gui.explore.decode.latent_sliders import LatentSliders
from vae_explorer.gui.explore.decode.pin_inspector import PinInspector
from vae_explorer.gui.explore.decode.pin_tray import PinTray
from vae_explorer.gui.explore.decode.support_section import SupportSection
from vae_explorer.gui.widgets.rows import Scrolled, row
from vae_explorer.number_format import NONE, figure, pair
from vae_explorer.session.explore.decoding import Decoded
from vae_explorer.session.explore.pins import DataPoint

_REFIT = (
    QEvent.Type.Resize,
    QEvent.Type.FontChange,
    QEvent.Type.StyleChange,
    QEvent.Type.DevicePixelRatioChange,
)


class DecodePanel(QWidget):
    """The decoded digit, the sliders of the cursor, and the pinned digit.

    When height is short the decoded digit shrinks first; after that the panel scrolls. What a
    person wants is told by its parts: ``sliders``, ``inspector``, ``tray`` and the buttons
    ``export`` and ``unpin``.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._digit = DigitView("Decoded digit", f"z = {NONE}", zoom=4)
        self.sliders = LatentSliders()
        self.support = SupportSection()
        self.inspector = PinInspector()
        self.tray = PinTray()
        self.export = QPushButton("Export image…")
        self.export.setToolTip("Save the decoded image")
        self.export.setProperty("command", "export_digit")
        self.export.setEnabled(False)
        self.unpin = QPushButton("Unpin all")
        self.unpin.setToolTip("Remove all pins")
        self.unpin.setEnabled(False)

        content = QWidget()
        self._column = QVBoxLayout(content)
        self._column.addWidget(self._digit, 1)
        self._column.addWidget(self.sliders)
        self._column.addWidget(self.support)
        self._column.addWidget(self.inspector)
        self._column.addWidget(self.tray)
        self._column.addLayout(row(self.export, self.unpin, None))
        self._column.addStretch()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(Scrolled(content, sideways=True))

    def set_decoded(self, decoded: Decoded) -> None:
        """Show a decoded position, with what it cost."""
        self._digit.set_image(gray8(decoded.image))
        position = f"z = {pair(decoded.z)}"
        cost = f"{figure(decoded.milliseconds, 2)} ms"
        preview = " · preview" if decoded.preview else ""
        self._digit.set_caption(f"{position} · {cost}{preview}", position + preview)
        self._digit.repaint()  # now, before the map and all else that waits to be painted
        self.export.setEnabled(True)

    def set_pins(self, tray: tuple[DataPoint, ...], current: DataPoint | None) -> None:
        """Show the pinned points, and ``current`` beside its reconstruction."""
        self.inspector.set_point(current)
        self.tray.set_pins(tray, current)
        self.unpin.setEnabled(bool(tray))

    @override
    def event(self, event: QEvent) -> bool:
        """Fit the pictures again when the width, the font or the screen changes."""
        if event.type() in _REFIT:
            self._fit()
        return super().event(event)

    def _fit(self) -> None:
        """Let the pictures be as tall as the width has zoom for, and no taller."""
        margins = self._column.contentsMargins()
        room = self.width() - margins.left() - margins.right()
        self._digit.setMaximumHeight(self._digit.height_for(room))
        # A fixed height that asked whether the scroll bar shows could make it come and go for ever.
        self.inspector.fit(room - self.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent))
