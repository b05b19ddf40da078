"""The recipe as a form, made from the recipe's own field specifications."""

from functools import partial
from html import escape

from PySide6.QtCore import QEvent, QObject, QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QLabel,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from vae_explorer.errors import RecipeError
from vae_explorer.fields import LONGEST_STACK, FieldSpec
from vae_explorer.gui.theme import MARGIN, SPACE
from vae_explorer.gui.widgets.editors import (
    Value,
    commit,
    keep_narrow,
    make_editor,
    on_edited,
    read,
    write,
)
from vae_explorer.gui.widgets.number_box import NumberBox
from vae_explorer.gui.widgets.rows import label_of
from vae_explorer.gui.widgets.wheel_guard import spare_from_wheel
from vae_explorer.training.meaning import cautions
from vae_explorer.training.recipe import STEERABLE, Recipe
from vae_explorer.types import BUNDLED_SHAPE, ImageShape

FIRST_FIELDS = (
    "objective",
    "samples",
    "beta",
    "epochs",
    "learning_rate",
    "network",
    "encoder_hidden",
    "decoder_hidden",
    "treatment",
    "likelihood",
    "seed",
)
"""The fields most often changed; the others wait behind "More"."""

CHANGED, LIVE = "●", "↻"
"""Marks: not the base's value; takes effect at the next step of the run."""

_SETTLE_MS = 250  # a value that arrows run through is not yet what is meant
_ABOUT = {
    QEvent.Type.Enter: True,
    QEvent.Type.FocusIn: True,
    QEvent.Type.Leave: False,
    QEvent.Type.FocusOut: False,
}


class FieldRow:
    """Label, editor and change mark of one field; ``RecipeForm`` positions them."""

    def __init__(self, name: str, spec: FieldSpec, default: Value) -> None:
        self._name = name
        self._spec = spec
        self.editor = make_editor(spec, default)
        self.label = label_of(self.editor, spec.label)
        self.mark = QLabel()
        self.mark.setForegroundRole(QPalette.ColorRole.Accent)
        self.mark.setFixedWidth(self.mark.fontMetrics().horizontalAdvance(CHANGED + LIVE) + 2)
        self._changed = self._live = False
        self._note = ""

    def compare(self, base: Value) -> bool:
        """Mark the row if its value is not ``base``, and say whether it is."""
        self._changed = read(self.editor) != base
        changed = f"changed from {_number(base)} {self._spec.unit}".rstrip()
        self._note = changed if self._changed else ""
        font = self.label.font()
        font.setBold(self._changed)
        self.label.setFont(font)
        self._tell()
        return self._changed

    def set_editable(self, editable: bool, live: bool, recipe: Recipe) -> None:
        """Allow changes, if the field matters to the recipe at all; ``live`` ones to a run."""
        used = self._spec.applies(recipe)
        live = live and used and self._name in STEERABLE
        self.editor.setEnabled((editable and used) or live)
        self.label.setEnabled(used)
        if live != self._live:
            self._live = live
            self._tell()

    def help(self) -> str:
        """The field in a line of rich text: what it is, its range and how it is marked."""
        limits = self._limits().rpartition(": ")[2]
        text = " · ".join((f"{self._spec.help} {limits}", *self._notes()))
        return f"<b>{escape(self._spec.label)}</b> {escape(text, quote=False)}"

    def _notes(self) -> list[str]:
        return list(filter(None, (self._note, "takes effect at the next step" * self._live)))

    def _tell(self) -> None:
        self.mark.setText(CHANGED * self._changed + LIVE * self._live)
        about = zip(self._spec.names if self._spec.about else (), self._spec.about, strict=True)
        lines = [self._spec.help, *(f"{name}: {line}" for name, line in about)]
        tip = "\n".join((*lines, self._limits(), *self._notes()))
        for widget in (self.label, self.editor, self.mark):
            widget.setToolTip(tip)
        self.editor.setAccessibleDescription(tip)

    def _limits(self) -> str:
        spec = self._spec
        if spec.choices:
            limits = " | ".join(spec.names)
        else:
            kind = int if spec.sizes or isinstance(read(self.editor), int) else float
            ends = f"{_number(kind(spec.low))} to {_number(kind(spec.high))}"
            limits = f"{ends} {spec.unit}".rstrip()
            if spec.sizes:
                limits = f"1 to {LONGEST_STACK} sizes, {limits} each, such as 512-256"
        return f"{spec.group} · {self._name}: {limits}"


class RecipeForm(QWidget):
    """Edits a recipe. Every state of the form is a valid recipe.

    Signals:
        recipe_changed(Recipe): a person changed a field.
        steered(str, object): a person gave a field of the run under way another value.
        pointed(str): the field under the pointer or the keyboard, in a line of rich text, or "".
        rest_toggled(): the form grew or shrank.
    """

    recipe_changed = Signal(object)
    steered = Signal(str, object)
    pointed = Signal(str)
    rest_toggled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._base = Recipe()
        self._shape: ImageShape = BUNDLED_SHAPE
        self._network = self._base.network
        self._columns = 1
        self._editable = True
        self._live = False
        self._steering: dict[str, Value] = {}
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLE_MS)
        self._settle.timeout.connect(self._steer)
        self._rows: dict[str, FieldRow] = {}
        self._row_of: dict[QObject, FieldRow] = {}
        specs = Recipe.specs()
        defaults = self._base.to_dict()
        for name in (*FIRST_FIELDS, *(name for name in specs if name not in FIRST_FIELDS)):
            row = FieldRow(name, specs[name], defaults[name])
            spare_from_wheel(row.editor)
            for widget in (row.editor, row.label, row.mark):
                widget.installEventFilter(self)
                self._row_of[widget] = row
            if isinstance(row.editor, QComboBox):
                keep_narrow(row.editor)
            on_edited(row.editor, partial(self._edited, name))
            self._rows[name] = row

        self._first, self._rest = QWidget(), QWidget()
        for section in (self._first, self._rest):
            grid = QGridLayout(section)
            grid.setContentsMargins(0, 0, 0, 0)
            grid.setVerticalSpacing(SPACE)
        self._align()
        self._place()
        self._more = QToolButton()
        self._more.setCheckable(True)
        self._more.setAutoRaise(True)
        self._more.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._more.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._more.setToolTip("Show the fields that are rarely changed")
        self._more.toggled.connect(self._on_more)

        self._remark = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self._remark.setAccessibleName("What the figures are")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        layout.setSpacing(SPACE)
        layout.addWidget(self._first)
        layout.addWidget(self._remark)
        layout.addWidget(self._more)
        layout.addWidget(self._rest)
        layout.addStretch(1)
        self._show_rest(False)
        self._compare()

    def set_image_shape(self, shape: ImageShape) -> None:
        """Warn of steps that take too much of images of this shape."""
        self._shape = shape
        self._enable()

    def recipe(self) -> Recipe:
        """The recipe as it stands in the form, with what is being typed.

        Raises:
            RecipeError: what was typed into a field is not understood.
        """
        for row in self._rows.values():
            commit(row.editor)
            if isinstance(row.editor, NumberBox) and row.editor.refusal:
                row.editor.setFocus()
                raise RecipeError(f"{row.label.text()}: {row.editor.refusal}")
        return self._understood()

    def _understood(self) -> Recipe:
        return Recipe.from_dict({name: read(row.editor) for name, row in self._rows.items()})

    def set_recipe(self, recipe: Recipe) -> None:
        """Show a recipe."""
        for name, value in recipe.to_dict().items():
            editor = self._rows[name].editor
            with QSignalBlocker(editor):
                write(editor, value)
        self._network = recipe.network
        self._compare()

    def set_base(self, recipe: Recipe) -> None:
        """Mark from now on the fields that differ from this recipe; at first the default one."""
        self._base = recipe
        self._compare()

    def set_editable(self, editable: bool, *, live: bool = False) -> None:
        """Allow or refuse changes; with ``live`` those that a run in progress can take."""
        self._editable, self._live = editable, live and not editable
        if not self._live:
            self._settle.stop()
            self._steering.clear()
        self._enable()

    def locks(self, widget: QWidget | None, *, live: bool) -> bool:
        """Whether ``set_editable(False, live=live)`` would disable a widget of the form."""
        row = self._row_of.get(widget) if widget else None
        return row is not None and not (live and row in map(self._rows.get, STEERABLE))

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        row = self._row_of.get(watched)
        looks = _ABOUT.get(event.type())
        if row and looks is not None:
            if not looks:  # the keyboard's field, if the pointer has left another
                focus = self.focusWidget()
                row = self._row_of.get(focus) if focus and focus.hasFocus() else None
            self.pointed.emit(row.help() if row else "")
        return super().eventFilter(watched, event)

    def set_columns(self, columns: int) -> None:
        """Lay the fields out in one column or in several side by side."""
        if columns != self._columns:
            self._columns = columns
            self._place()

    def _edited(self, name: str) -> None:
        network = str(read(self._rows["network"].editor))
        if network != self._network:  # which has sizes of its own
            before = Recipe.from_dict(self._understood().to_dict() | {"network": self._network})
            self.set_recipe(before.replace(network=network))
        self._compare()
        if self._live:
            self._steering[name] = read(self._rows[name].editor)
            self._settle.start()
        self.recipe_changed.emit(self._understood())

    def _steer(self) -> None:
        steering, self._steering = self._steering, {}
        for name, value in steering.items():
            self.steered.emit(name, value)

    def _compare(self) -> None:
        base = self._base.to_dict()
        changed = {name for name, row in self._rows.items() if row.compare(base[name])}
        self._enable()
        hidden = len(changed.difference(FIRST_FIELDS))
        self._more.setText(f"More ({hidden} changed)" if hidden else "More")

    def _enable(self) -> None:
        recipe = self._understood()
        for row in self._rows.values():
            row.set_editable(self._editable, self._live, recipe)
        texts = cautions(recipe, self._shape)
        self._remark.setText("\n".join(f"⚠ {text}" for text in texts))
        self._remark.setVisible(bool(texts))

    def _on_more(self, shown: bool) -> None:
        self._show_rest(shown)
        self.rest_toggled.emit()

    def _show_rest(self, shown: bool) -> None:
        self._rest.setVisible(shown)
        self._more.setArrowType(Qt.ArrowType.DownArrow if shown else Qt.ArrowType.RightArrow)

    def _align(self) -> None:
        """Give all rows the same columns, whether "More" is open or not."""
        labels = [row.label for row in self._rows.values()]
        editors = [row.editor for row in self._rows.values()]
        bold = self.font()
        bold.setBold(True)
        probe = QLabel()
        probe.setFont(bold)
        width = max(probe.fontMetrics().horizontalAdvance(label.text()) for label in labels)
        for label in labels:
            label.setMinimumWidth(width + 2)
        width = max(editor.sizeHint().width() for editor in editors)
        for editor in editors:
            editor.setMinimumWidth(width)
            editor.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def _place(self) -> None:
        rows = list(self._rows.values())
        first = len(FIRST_FIELDS)
        for section, members in ((self._first, rows[:first]), (self._rest, rows[first:])):
            grid = section.layout()
            assert isinstance(grid, QGridLayout)
            height = -(-len(members) // self._columns)
            for number, row in enumerate(members):
                column, line = divmod(number, height)
                for offset, widget in enumerate((row.mark, row.label, row.editor)):
                    grid.removeWidget(widget)
                    grid.addWidget(widget, line, 3 * column + offset)
            for column in range(grid.columnCount()):
                grid.setColumnStretch(column, int(column % 3 == 2 and column < 3 * self._columns))
            grid.activate()  # the form's size hint is asked for before the next event


def _number(value: Value) -> str:
    if isinstance(value, str):
        return value
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"
