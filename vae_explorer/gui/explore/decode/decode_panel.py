"""The panel beside the map: what the decoder makes of a place, and what it was made from."""

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QPushButton,
    QScrollArea,
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
from vae_explorer.gui.widgets.rows import row
from vae_explorer.number_format import NONE, figure, pair
from vae_explorer.session.explore.data_support import PositionSupport
from vae_explorer.session.explore.inspector import Inspection
from vae_explorer.session.state import DataPoint, Decoded

_REFIT = (
    QEvent.Type.Resize,
    QEvent.Type.FontChange,
    QEvent.Type.StyleChange,
    QEvent.Type.DevicePixelRatioChange,
)


class DecodePanel(QWidget):
    """The decoded digit, the sliders of the cursor, and the pinned digit.

    When height is short the decoded digit shrinks first; after that the panel scrolls.
    """

    z_changed = Signal(float, float)
    """A person asks for a place, (z₁, z₂) in latent units."""
    export_requested = Signal()
    """A person asks to save the decoded image."""
    unpin_requested = Signal()
    """A person lets the pinned digit go."""
    pin_chosen = Signal(str, int)
    """A person looks at another pinned digit, by split and index."""
    resample_requested = Signal()
    """A person wants another draw from the pinned digit's q."""
    refine_requested = Signal()
    """A person wants the pinned digit's posterior refined."""
    pin_removed = Signal(str, int)
    """A person takes a digit out of the tray."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._digit = DigitView("Decoded digit", f"z = {NONE}", zoom=4)
        self._sliders = LatentSliders()
        self._support = SupportSection()
        self._inspector = PinInspector()
        self._tray = PinTray()
        self._export = QPushButton("Export image…")
        self._export.setToolTip("Save the decoded image")
        self._export.setEnabled(False)
        self._unpin = QPushButton("Unpin all")
        self._unpin.setToolTip("Let all pinned digits go")
        self._unpin.setEnabled(False)

        content = QWidget()
        self._column = QVBoxLayout(content)
        self._column.addWidget(self._digit, 1)
        self._column.addWidget(self._sliders)
        self._column.addWidget(self._support)
        self._column.addWidget(self._inspector)
        self._column.addWidget(self._tray)
        self._column.addLayout(row(self._export, self._unpin, None))
        self._column.addStretch()
        scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        # Tab goes to the controls, which scroll into view by themselves.
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(content)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scroll)

        self._sliders.z_changed.connect(self.z_changed)
        self._export.clicked.connect(self.export_requested)
        self._unpin.clicked.connect(self.unpin_requested)
        self._inspector.resample_requested.connect(self.resample_requested)
        self._inspector.refine_requested.connect(self.refine_requested)
        self._tray.chosen.connect(self.pin_chosen)
        self._tray.removed.connect(self.pin_removed)

    def set_cursor(self, z1: float, z2: float) -> None:
        """Put the sliders at a place, latent units."""
        self._sliders.set_z(z1, z2)

    def set_decoded(self, decoded: Decoded) -> None:
        """Show a decoded place, with what it cost."""
        self._digit.set_image(gray8(decoded.image))
        place = f"z = {pair(decoded.z)}"
        cost = f"{figure(decoded.milliseconds, 2)} ms"
        preview = " · preview" if decoded.preview else ""
        self._digit.set_caption(f"{place} · {cost}{preview}", place + preview)
        self._digit.repaint()  # now, before the map and all else that waits to be painted
        self._export.setEnabled(True)

    def set_support(self, reading: PositionSupport | None) -> None:
        """Say whether the decoded place is one of the data."""
        self._support.set_reading(reading)

    def set_pins(self, tray: tuple[DataPoint, ...], current: DataPoint | None) -> None:
        """Show the pinned points, and ``current`` beside its reconstruction."""
        self._inspector.set_point(current)
        self._tray.set_pins(tray, current)
        self._unpin.setEnabled(bool(tray))

    def set_inspection(self, inspection: Inspection | None) -> None:
        """Show what takes longer of the pinned point."""
        self._inspector.set_inspection(inspection)

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
        self._inspector.fit(room - self.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent))
