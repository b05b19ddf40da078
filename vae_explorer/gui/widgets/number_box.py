"""The one box for numbers: what a person of any country types is read, or kept and marked."""

import math

from PySide6.QtCore import QLocale, QPoint, Qt, Slot
from PySide6.QtGui import QKeyEvent, QPalette, QValidator
from PySide6.QtWidgets import QDoubleSpinBox, QToolTip
from typing_extensions import override

from vae_explorer.gui.theme import Theme, current_theme
from vae_explorer.number_format import parse_number

_EXACT = 323
"""As many decimals as Qt allows: it must round nothing away."""


class NumberBox(QDoubleSpinBox):
    """A number, written as briefly as it can be (0.0015, 1e-06, 200) with a point everywhere.

    Typed or pasted, it may have a decimal comma, any minus and groups of thousands
    (``number_format.parse_number``). A text that is no number in range stays as it is, marked,
    with the reason as its tip: ``refusal``; the value is the one before, which Escape brings back.

    Args:
        low, high: the range.
        grain: a step moves the second digit, but never by less than this; of a whole number 1.
        unit: written after it.
        value: at first; None for the one nearest to 0.
        whole: it is a whole number.
        decimals: those shown and kept; None for all there are.
        even: a step is ``grain``, whatever the value.
    """

    def __init__(
        self,
        low: float,
        high: float,
        grain: float = 1.0,
        unit: str = "",
        *,
        value: float | None = None,
        whole: bool = False,
        decimals: int | None = None,
        even: bool = False,
    ) -> None:
        super().__init__()
        self.grain, self.whole, self.even = grain, whole, even
        self.refusal = ""
        self._refused = ""
        self._tip = ""
        self.setLocale(QLocale.c())
        self.setDecimals(0 if whole else _EXACT if decimals is None else decimals)
        self.setRange(low, high)
        self.setSuffix(f" {unit}" if unit else "")
        # A beginning such as the 1 of 1e-4 is not yet what is meant.
        self.setKeyboardTracking(False)
        self.lineEdit().textEdited.connect(self._accept)
        if value is not None:
            self.setValue(value)

    @property
    def number(self) -> int | float:
        """The value in its own type."""
        return round(self.value()) if self.whole else self.value()

    @override
    def setValue(self, value: float) -> None:
        self._accept()
        if value == self.value():  # Qt would leave what is typed
            self.lineEdit().setText(f"{self.prefix()}{self.textFromValue(value)}{self.suffix()}")
        super().setValue(value)

    @override
    def textFromValue(self, value: float) -> str:
        if self._refused:
            return self._refused
        exact = self.decimals() in (0, _EXACT)
        text = repr(value) if exact else f"{value:z.{self.decimals()}f}"
        return text.removesuffix(".0")

    @override
    def valueFromText(self, text: str) -> float:
        """The number in a text with or without the unit; the present one if there is none."""
        try:
            return self._read(text)
        except ValueError:
            return self.value()

    def validate(self, text: str, pos: int) -> tuple[QValidator.State, str, int]:
        """Let everything be typed: what is no number is told so when it is finished."""
        try:
            self._read(text)
        except ValueError:
            return QValidator.State.Intermediate, text, pos
        return QValidator.State.Acceptable, text, pos

    @override
    def fixup(self, text: str) -> str:
        """Keep and mark what was typed, which Qt would replace by the value, as it does nothing."""
        if not self._bare(text):
            return text
        try:
            self._read(text)
        except ValueError as reason:
            self._refused, self.refusal = self._bare(text), f"{reason}."
            self._tip = self.toolTip()
            self.setToolTip(self.refusal)
            self._mark(current_theme())
            if self.isVisible():
                QToolTip.showText(self.mapToGlobal(QPoint(0, self.height())), self.refusal, self)
        return text

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.lineEdit().isModified() | bool(self._refused):
            self.setValue(self.value())
            self.selectAll()
            return
        super().keyPressEvent(event)

    @override
    def stepBy(self, steps: int) -> None:
        self._accept()
        value = self.value()
        for _ in range(abs(steps)):
            # A hair inwards, so that 1 goes down to 0.99 and 0.99 up to 1.
            inner = abs(value) * (1 - 1e-9 if steps < 0 else 1 + 1e-9)
            adaptive = 10.0 ** (math.floor(math.log10(inner)) - 1) if inner else 0.0
            step = self.grain if self.even else max(adaptive, self.grain)
            value += math.copysign(step, steps)
            value = min(max(float(f"{value:.12g}"), self.minimum()), self.maximum())
        self.setValue(value)
        self.selectAll()

    def _read(self, text: str) -> float:
        value = parse_number(self._bare(text), self.whole)
        if not self.minimum() <= value <= self.maximum():
            low, high = (f"{end:,.15g}" for end in (self.minimum(), self.maximum()))
            raise ValueError(f"“{self._bare(text)}” is not between {low} and {high}")
        return value

    def _bare(self, text: str) -> str:
        bare, unit = text.strip().removeprefix(self.prefix().strip()).strip(), self.suffix().strip()
        while unit and bare.endswith(unit):  # twice, where it was typed before that of the box
            bare = bare.removesuffix(unit).strip()
        return bare

    @Slot()
    def _accept(self) -> None:
        """Nothing is refused any more."""
        if self._refused:
            self._refused = self.refusal = ""
            self.setToolTip(self._tip)
            self.setPalette(QPalette())

    def _mark(self, theme: Theme) -> None:
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.Text, theme.wrong)
        self.setPalette(palette)
