"""The view of the bound: q over the exact posterior, and the bars that always add up."""

from collections.abc import Collection

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QCheckBox, QGridLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget
from typing_extensions import override

from vae_explorer.gui.explore.decode.digit_view import DigitView
from vae_explorer.gui.explore.decode.image import gray8
from vae_explorer.gui.lessons.bound_bars import BoundBars
from vae_explorer.gui.lessons.bound_plane import BoundPlane
from vae_explorer.gui.lessons.instrument_view import InstrumentView
from vae_explorer.gui.theme import Theme, current_theme
from vae_explorer.latent.normal import Normal
from vae_explorer.session.lessons.bound import Bound, BoundInstrument, Truth

_DIGIT_ZOOM = 3
_AIR = 0.07
_DIGITS, _SHARE = 132, 7
"""Pixels across the column of digits, and in how many the width is shared where it is larger."""

_PUT = {
    "encoder": ("Encoder’s q", "Put q where the encoder says, in one go as it does for all digits"),
    "moments": ("Posterior’s moments", "Give q the mean and the covariance of the exact posterior"),
    "prior": ("Prior", "Make q the prior: it knows nothing of the digit"),
}


class BoundView(InstrumentView):
    """Controls a lesson may hide: ``encoder``, ``moments``, ``prior``, ``refine``, ``log``.

    So too the rows ``terms`` and ``gap`` of the bars.
    """

    def __init__(self, instrument: BoundInstrument, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._instrument = instrument
        self.plane = BoundPlane(current_theme())
        self.bars = BoundBars()
        self._digit = DigitView("The digit", "x", zoom=_DIGIT_ZOOM)
        self._digit.setToolTip("The digit as it is scored: one draw of the model's data treatment")
        self._decoded = DigitView("Decoded mean of q", "decoded mean of q", "q’s mean", _DIGIT_ZOOM)
        buttons = {name: QPushButton(text) for name, (text, _) in _PUT.items()}
        for name, button in buttons.items():
            button.setToolTip(_PUT[name][1])
            button.clicked.connect(lambda _=False, name=name: instrument.put(name))
        self._refine = QPushButton("Refine")
        self._refine.setToolTip("Climb the ELBO from where q is; again to stop")
        self._refine.clicked.connect(self._on_refine)
        self._log = QCheckBox("log")
        self._log.setToolTip("Picture log p(z|x), which shows what is far below the peak")
        self._log.setAccessibleName("Logarithm of the posterior")
        self._log.toggled.connect(instrument.set_log)
        fit = QPushButton("Show all")
        fit.setToolTip("Show the posterior and q (Home)")
        fit.clicked.connect(self._fit)
        self.controls = buttons | {"refine": self._refine, "log": self._log}

        row = QHBoxLayout()
        for widget in (*buttons.values(), self._refine):
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(self._log)
        row.addWidget(fit)
        digits = QVBoxLayout()
        digits.addWidget(self._digit, 1)
        digits.addWidget(self._decoded, 1)
        side = QWidget()
        side.setLayout(digits)
        digits.setContentsMargins(0, 0, 0, 0)
        self._side = side
        top = QGridLayout()
        top.addWidget(self.plane, 0, 0)
        top.addWidget(side, 0, 1, Qt.AlignmentFlag.AlignTop)
        top.setColumnStretch(0, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addLayout(top, 1)
        layout.addLayout(row)
        layout.addWidget(self.bars)

        self.plane.q_moved.connect(instrument.set_q)
        self.plane.looked_at.connect(instrument.look_at)
        self.plane.fit_asked.connect(self._fit)
        instrument.truth_changed.connect(self._on_truth)
        instrument.q_changed.connect(self._on_q)
        instrument.bound_changed.connect(self._on_bound)
        instrument.picture_changed.connect(self.plane.set_picture)
        instrument.refining_changed.connect(self._on_refining)
        instrument.log_changed.connect(self._on_log)
        instrument.region_wanted.connect(self._fit)
        self._on_truth(instrument.truth)
        self._on_q(instrument.q)
        self._on_bound(instrument.bound)
        self._on_log(instrument.log)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        width = max(_DIGITS, self.width() // _SHARE)
        self._side.setFixedSize(width, self._digit.height_for(width) * 2 + 8)

    def set_theme(self, theme: Theme) -> None:
        """Recolour all that is drawn here."""
        for part in (self.plane, self.plane.picture, self.bars, self._digit, self._decoded):
            part.set_theme(theme)

    def set_hidden(self, names: Collection[str]) -> None:
        """Hide controls and rows."""
        super().set_hidden(names)
        self.bars.set_rows("terms" not in names, "gap" not in names)

    def _on_truth(self, truth: Truth | None) -> None:
        self._digit.set_image(gray8(truth.x[0]) if truth else None)
        self._digit.set_caption(f"x: {truth.subject.title}" if truth else "x", "x")

    def _on_q(self, q: Normal | None) -> None:
        self.plane.set_q(q)
        picture = self._instrument.decoded
        self._decoded.set_image(gray8(picture) if picture is not None else None)

    def _on_bound(self, bound: Bound | None) -> None:
        truth = self._instrument.truth
        self.bars.set_bound(bound, truth.error if truth else 0.0)
        self.bars.set_gap(self._instrument.gap())

    def _on_refining(self, running: bool) -> None:
        self._refine.setText("Stop" if running else "Refine")

    def _on_log(self, log: bool) -> None:
        self._log.setChecked(log)

    def _on_refine(self) -> None:
        if self._instrument.refining:
            self._instrument.stop()
        else:
            self._instrument.refine()

    def _fit(self) -> None:
        left, right, bottom, top = self._instrument.region
        air = _AIR * max(right - left, top - bottom)  # for the handles of a narrow q
        self.plane.show_region(left - air, right + air, bottom - air, top + air)
