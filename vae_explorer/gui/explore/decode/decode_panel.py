"""The panel beside the map: what the decoder makes of a position, and what it was made from."""

from PySide6.QtCore import QEvent, QSize
from PySide6.QtWidgets import (
    QPushButton,
    QStyle,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from vae_explorer.gui.explore.decode.digit_view import DigitView
from vae_explorer.gui.explore.decode.image import qimage_of
from vae_explorer.gui.explore.decode.latent_sliders import LatentSliders
from vae_explorer.gui.explore.decode.pin_inspector import PinInspector
from vae_explorer.gui.explore.decode.pin_tray import PinTray
from vae_explorer.gui.explore.decode.support_section import SupportSection
from vae_explorer.gui.theme import MARGIN, SPACE
from vae_explorer.gui.widgets.rows import Scrolled, column, fill, row
from vae_explorer.number_format import NONE, figure, located
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

    When height is short the decoded digit shrinks first, then what is said of the position and of
    the pinned digit folds, as long as a person did not choose otherwise; after that the panel
    scrolls. What a person wants is told by its parts: ``sliders``, ``inspector``, ``tray`` and the
    buttons ``export`` and ``unpin``.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("export", "digit")
        self._digit = DigitView("Decoded image", f"z = {NONE}", least=112)
        self.sliders = LatentSliders()
        self.support = SupportSection()
        self.inspector = PinInspector()
        self.tray = PinTray()
        self.export = QPushButton("Export Image…")
        self.export.setToolTip("Save the decoded image")
        self.export.setProperty("command", "export_digit")
        self.unpin = QPushButton("Unpin All")
        self.unpin.setToolTip("Remove all pins")
        for button in (self.export, self.unpin):
            button.setEnabled(False)

        self._content = QWidget()
        self._column = QVBoxLayout(self._content)
        self._column.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        buttons = column(self.export, self.unpin)
        buttons.setSpacing(SPACE)
        self._last = row((self.tray, 1), buttons)
        fill(self._column, (self._digit, 1), self.sliders, self.support, self.inspector, self._last)
        self._column.addStretch()
        self._digit.reshaped.connect(self._fit)
        for fold in (self.support.fold, self.inspector.fold):
            fold.toggled.connect(self._suggest_folds)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(Scrolled(self._content, sideways=True))

    def set_decoded(self, decoded: Decoded) -> None:
        """Show a decoded position, with what it cost."""
        self._digit.set_image(qimage_of(decoded.image))
        position = located(decoded.z, decoded.axes)
        cost = f"{figure(decoded.milliseconds, 2)} ms"
        preview = " · preview" if decoded.preview else ""
        self._digit.set_caption(f"{position} · {cost}{preview}", position + preview)
        self._digit.repaint()  # now, before the map and all else that waits to be painted
        self.sliders.set_axes(decoded.axes)
        self.export.setEnabled(True)

    def set_pins(self, tray: tuple[DataPoint, ...], current: DataPoint | None) -> None:
        """Show the pinned points, and ``current`` beside its reconstruction."""
        self.inspector.set_point(current)
        self.tray.set_pins(tray, current)
        self.unpin.setEnabled(bool(tray))

    @override
    def minimumSizeHint(self) -> QSize:
        """So wide that it does not scroll sideways when it scrolls up and down."""
        width = self._content.minimumSizeHint().width() + self._scroll_bar
        return QSize(width, super().minimumSizeHint().height())

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
        self.inspector.fit(room - self._scroll_bar)
        self._suggest_folds()

    @property
    def _scroll_bar(self) -> int:
        return self.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent)

    def _suggest_folds(self) -> None:
        """Fold what there is no height for, the pinned digit last."""
        folds = (self.inspector.fold, self.support.fold)
        rest = (self._digit, self.sliders, self._last)
        spare = self.height() - 2 * MARGIN - (len(folds) + len(rest)) * self._column.spacing()
        spare -= sum(part.sizeHint().height() for part in rest)
        spare -= sum(fold.heights()[0] for fold in folds)
        for fold in folds:
            folded, whole = fold.heights()
            fold.suggest(whole - folded <= spare)
            if fold.is_open:
                spare -= whole - folded
