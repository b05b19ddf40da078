"""One editor for each kind of recipe field."""

import re
from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QValidator
from PySide6.QtWidgets import QComboBox, QLineEdit

from vae_explorer.fields import FieldSpec, are_sizes
from vae_explorer.gui.widgets.number_box import NumberBox

Value = int | float | str

_LONG_CHOICE = 9


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
        # A list is a list, whatever is put between; 512,256 must not become 512256.
        text = re.sub(r"[\s,;x×*−–]", "-", text)
        inside = are_sizes(text, self._spec)
        state = QValidator.State.Acceptable if inside else QValidator.State.Intermediate
        return state, text, pos

    def fixup(self, text: str) -> str:
        # Otherwise Qt leaves incomplete text standing when the editor is left.
        return self._box.value()


Editor = NumberBox | QComboBox | SizesBox


def make_editor(spec: FieldSpec, default: Value) -> Editor:
    """The editor that fits a field: a choice, sizes, a whole number or a number."""
    editor: Editor
    if spec.choices:
        editor = QComboBox()
        editor.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
    elif spec.sizes:
        editor = SizesBox(spec)
    elif isinstance(default, int):
        # A quantity goes by its second digit; a bare number, such as the seed, one by one.
        grain, even = spec.step or 1, not spec.unit
        editor = NumberBox(spec.low, spec.high, grain, spec.unit, whole=True, even=even)
        editor.setSpecialValueText(spec.lowest)
    else:
        grain = spec.step or spec.low or float(default) / 10 or spec.high / 1_000
        editor = NumberBox(spec.low, spec.high, grain, spec.unit)
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
    return editor.number if isinstance(editor, NumberBox) else editor.value()


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
    else:
        editor.setValue(float(value))
