"""One editor for each kind of recipe field."""

import math
from collections.abc import Callable

from PySide6.QtCore import QLocale, Qt, Signal
from PySide6.QtGui import QValidator
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QDoubleSpinBox,
    QLineEdit,
    QSpinBox,
)
from typing_extensions import override

from vae_explorer.fields import FieldSpec, are_sizes

Value = int | float | str

_LONG_CHOICE = 9


class NumberBox(QDoubleSpinBox):
    """A number of any size, written as briefly as it can be: 0.0015, 1e-06, 200.

    What it shows is exactly its value. A step moves the second digit, but never by less than
    ``grain``, so that zero can be reached.
    """

    def __init__(self, low: float, high: float, grain: float, unit: str = "") -> None:
        super().__init__()
        self.grain = grain
        self.setLocale(QLocale.c())
        self.setDecimals(323)  # as many as Qt allows: it must round nothing away
        self.setRange(low, high)
        self.setSuffix(f" {unit}" if unit else "")

    @override
    def textFromValue(self, value: float) -> str:
        return repr(value).removesuffix(".0")

    @override
    def valueFromText(self, text: str) -> float:
        """The number in a text with or without the unit; the present one if there is none."""
        try:
            return float(text.removesuffix(self.suffix()))
        except ValueError:
            return self.value()

    def validate(self, text: str, pos: int) -> tuple[QValidator.State, str, int]:
        """Accept numbers in range, and let through what may become one."""
        number = text.removesuffix(self.suffix()).strip()
        if set(number) - set("0123456789.eE+-"):
            return QValidator.State.Invalid, text, pos
        try:
            inside = self.minimum() <= float(number) <= self.maximum()
        except ValueError:
            inside = False
        state = QValidator.State.Acceptable if inside else QValidator.State.Intermediate
        return state, text, pos

    @override
    def stepBy(self, steps: int) -> None:
        value = self.value()
        for _ in range(abs(steps)):
            # A hair inwards, so that 1 goes down to 0.99 and 0.99 up to 1.
            inner = abs(value) * (1 - 1e-9 if steps < 0 else 1 + 1e-9)
            adaptive = 10.0 ** (math.floor(math.log10(inner)) - 1) if inner else 0.0
            value += math.copysign(max(adaptive, self.grain), steps)
            value = min(max(float(f"{value:.12g}"), self.minimum()), self.maximum())
        self.setValue(value)
        self.selectAll()


class SizesBox(QLineEdit):
    """Whole numbers joined by hyphens, such as 512-256; it speaks as the number boxes do.

    Signals:
        value_changed(str): editing ended with another valid text.
    """

    value_changed = Signal(str)

    def __init__(self, spec: FieldSpec) -> None:
        super().__init__()
        self._value = ""
        self.setValidator(_SizesValidator(self, spec))
        self.editingFinished.connect(self.interpretText)

    def value(self) -> str:
        """The last valid text."""
        return self._value

    def setValue(self, value: str) -> None:
        """Show a valid text."""
        changed = value != self._value
        self._value = value
        self.setText(value)
        self.setCursorPosition(0)  # of a long one the beginning is seen
        if changed:
            self.value_changed.emit(value)

    def interpretText(self) -> None:
        """Take the text typed, or put the last valid one back."""
        if self.text() != self._value:
            self.setValue(self.text() if self.hasAcceptableInput() else self._value)


class _SizesValidator(QValidator):
    """Accepts what a recipe does, and lets through what may become it."""

    def __init__(self, box: SizesBox, spec: FieldSpec) -> None:
        super().__init__(box)
        self._box = box
        self._spec = spec

    def validate(self, text: str, pos: int) -> tuple[QValidator.State, str, int]:
        if set(text) - set("0123456789-"):
            return QValidator.State.Invalid, text, pos
        inside = are_sizes(text, self._spec)
        state = QValidator.State.Acceptable if inside else QValidator.State.Intermediate
        return state, text, pos

    def fixup(self, text: str) -> str:
        # Otherwise Qt leaves incomplete text standing when the editor is left.
        return self._box.value()


Editor = QSpinBox | NumberBox | QComboBox | SizesBox


def make_editor(spec: FieldSpec, default: Value) -> Editor:
    """The editor that fits a field: a choice, sizes, a whole number or a number."""
    editor: Editor
    if spec.choices:
        editor = QComboBox()
    elif spec.sizes:
        editor = SizesBox(spec)
    elif isinstance(default, int):
        editor = QSpinBox()
        editor.setLocale(QLocale.c())
        editor.setSingleStep(int(spec.step) or 1)
        editor.setSpecialValueText(spec.lowest)
        if spec.unit:  # a quantity; a bare number, such as the seed, goes one by one
            editor.setSuffix(f" {spec.unit}")
            editor.setStepType(QAbstractSpinBox.StepType.AdaptiveDecimalStepType)
    else:
        grain = spec.step or spec.low or float(default) / 10 or spec.high / 1_000
        editor = NumberBox(spec.low, spec.high, grain, spec.unit)
    if isinstance(editor, QAbstractSpinBox):
        # A beginning such as the 1 of 1e-4 is not yet what is meant.
        editor.setKeyboardTracking(False)
    editor.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    limit(editor, spec)
    write(editor, default)
    return editor


def limit(editor: Editor, spec: FieldSpec) -> None:
    """Take the choices or the limits of a field."""
    if isinstance(editor, QComboBox):
        editor.clear()
        for name, choice in zip(spec.names, spec.choices, strict=True):
            editor.addItem(name, choice)
        for index, about in enumerate(spec.about):
            editor.setItemData(index, about, Qt.ItemDataRole.ToolTipRole)
    elif isinstance(editor, NumberBox):
        editor.setRange(spec.low, spec.high)
        editor.grain = spec.step or editor.grain
    elif isinstance(editor, QSpinBox):
        editor.setRange(int(spec.low), int(spec.high))


def keep_narrow(choice: QComboBox) -> None:
    """Let one long choice not make all editors wide; the list still shows it whole."""
    choice.view().setMinimumWidth(choice.sizeHint().width())
    if max(len(choice.itemText(index)) for index in range(choice.count())) > _LONG_CHOICE:
        choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        choice.setMinimumContentsLength(_LONG_CHOICE)


def on_edited(editor: Editor, call: Callable[[], object]) -> None:
    """Call whenever the editor holds another value."""
    if isinstance(editor, QComboBox):
        editor.currentIndexChanged.connect(lambda _: call())
    elif isinstance(editor, SizesBox):
        editor.value_changed.connect(lambda _: call())
    else:
        editor.valueChanged.connect(lambda _: call())


def read(editor: Editor) -> Value:
    """What the editor holds."""
    if isinstance(editor, QComboBox):
        value: Value = editor.currentData()
        return value
    return editor.value()


def commit(editor: Editor) -> None:
    """Take what is being typed, if it is complete; if not, the editor goes back to its value."""
    if not isinstance(editor, QComboBox):
        editor.interpretText()


def write(editor: Editor, value: Value) -> None:
    """Show a value; an editor that holds it already is left alone, for someone may be typing."""
    if read(editor) == value:
        return
    if isinstance(editor, QComboBox):
        editor.setCurrentIndex(editor.findData(value))
    elif isinstance(editor, SizesBox):
        editor.setValue(str(value))
    elif isinstance(editor, NumberBox):
        editor.setValue(float(value))
    else:
        editor.setValue(int(value))
