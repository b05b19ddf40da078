"""Controls for settings, made from the specifications of their fields."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QPushButton,
    QSlider,
    QWidget,
)

from vae_explorer.fields import Fields, FieldSpec, Scalar, Value
from vae_explorer.gui.widgets.editors import limit, make_editor, on_edited, read, write
from vae_explorer.gui.widgets.rows import beside, label_of
from vae_explorer.gui.widgets.wheel_guard import spare_from_wheel

_PER_DECADE = 100  # positions of a logarithmic slider

Edited = Callable[[object], None]


class Controls(QObject):
    """A labelled control for each field, which shows what is set and sends what a person sets.

    Each has an accessible name and a tip, is reached by the keyboard, and takes no notice of a
    wheel that passes over it. Fields without a label have none: these are set in a chart.

    Args:
        settings: what is set at first.
        parent: the widget that they are in.
        sliders: fields that have a slider: over their choices, by their step, or else logarithmic.
        buttons: fields that have a button: one that stays down, or that adds one to a number.
        offers: numbers of which one is chosen from a list, by field.

    Signals:
        changed(str, object): a person gave a field another value.
    """

    changed = Signal(str, object)

    def __init__(
        self,
        settings: Fields,
        parent: QWidget,
        *,
        sliders: tuple[str, ...] = (),
        buttons: tuple[str, ...] = (),
        offers: Mapping[str, tuple[int, ...]] | None = None,
    ) -> None:
        super().__init__(parent)
        self._controls: dict[str, _Control] = {}
        self.rows: dict[str, QWidget] = {}
        """What holds a control and its label, by field."""
        for name in settings.specs():

            def edited(value: object, name: str = name) -> None:
                if not isinstance(value, str):  # a text may be refused, and stays to be mended
                    self._controls[name].shown = value
                self.changed.emit(name, value)

            spec, value = settings.spec(name), getattr(settings, name)
            if not spec.label:
                continue
            if offers and name in offers:
                control = _offers(offers[name], edited)
            elif name in buttons:
                control = _button(value, edited)
            elif name in sliders:
                control = _slider(spec, edited)
            else:
                control = _usual(spec, value, edited)
            spare_from_wheel(*control.editors)
            self._controls[name] = control
            self.rows[name] = control.row()
        self.show(settings)

    def editor(self, name: str) -> QWidget:
        """The widget that a person sets a field by, the first if there are several."""
        return self._controls[name].editors[0]

    def show(self, settings: Fields) -> None:
        """Show other settings."""
        for name, control in self._controls.items():
            spec, value = settings.spec(name), getattr(settings, name)
            blockers = [QSignalBlocker(editor) for editor in control.editors]
            if control.spec != spec:
                control.describe(spec)
            if control.shown != value:
                control.shown = value
                control.write(value)
            for editor in control.editors:
                editor.setEnabled(spec.applies(settings))
            del blockers


@dataclass
class _Control:
    """The ``editors`` of a field, and how they take its limits and a value.

    Those that ``speak`` carry the label themselves. ``shown`` is the value that they show.
    """

    editors: tuple[QWidget, ...]
    limit: Callable[[FieldSpec], object]
    write: Callable[[Any], object]
    speaks: bool = False
    after: QWidget | None = None
    spec: FieldSpec | None = None
    shown: object = None

    def row(self) -> QWidget:
        """The editors with their label."""
        if self.speaks:
            return self.editors[0]
        self._label = label_of(self.editors[0], "")
        after = [self.after] if self.after else []
        return beside(self._label, *self.editors, *after)

    def describe(self, spec: FieldSpec) -> None:
        """Take another specification."""
        self.spec, self.shown = spec, None
        self.limit(spec)
        if not self.speaks:
            self._label.setText(spec.label)
        for number, editor in enumerate(self.editors, 1):
            which = f" {number}" if len(self.editors) > 1 else ""
            editor.setAccessibleName(f"{spec.label.replace('&', '')}{which}: {spec.help}")
            editor.setToolTip(spec.help)


def _usual(spec: FieldSpec, value: Value, edited: Edited) -> _Control:
    if isinstance(value, bool):
        return _flag(QCheckBox(), edited)
    if isinstance(value, tuple):
        return _numbers(spec, value, edited)
    if isinstance(value, str) and not spec.choices:
        return _text(spec, edited)
    assert value is not None
    editor = make_editor(spec, value)
    on_edited(editor, lambda: edited(read(editor)))
    return _Control((editor,), partial(limit, editor), partial(write, editor))


def _offers(offers: tuple[int, ...], edited: Edited) -> _Control:
    """The nearest number that is no less is shown."""
    box = QComboBox()
    box.addItems([f"{offer:,}" for offer in offers])
    box.activated.connect(lambda index: edited(offers[index]))

    def write(value: int) -> None:
        near = next((offer for offer in offers if offer >= value), offers[-1])
        box.setCurrentIndex(offers.index(near))

    return _Control((box,), lambda _: None, write)


def _flag(box: QCheckBox | QPushButton, edited: Edited) -> _Control:
    box.toggled.connect(edited)
    return _Control((box,), lambda spec: box.setText(spec.label), box.setChecked, speaks=True)


def _button(value: Value, edited: Edited) -> _Control:
    """One that stays down for true, or that adds one to a number."""
    button, shown = QPushButton(), [0]
    if isinstance(value, bool):
        button.setCheckable(True)
        return _flag(button, edited)
    button.clicked.connect(lambda: edited(shown[0] + 1))

    def write(value: int) -> None:
        shown[0] = value

    return _Control((button,), lambda spec: button.setText(spec.label), write, speaks=True)


def _numbers(spec: FieldSpec, values: tuple[Scalar, ...], edited: Edited) -> _Control:
    editors = tuple(make_editor(spec, value) for value in values)

    def limit_all(spec: FieldSpec) -> None:
        for editor in editors:
            limit(editor, spec)

    def show(values: tuple[Scalar, ...]) -> None:
        for editor, value in zip(editors, values, strict=True):
            write(editor, value)

    for editor in editors:
        on_edited(editor, lambda: edited(tuple(map(read, editors))))
    return _Control(editors, limit_all, show)


def _text(spec: FieldSpec, edited: Edited) -> _Control:
    line, shown = QLineEdit(placeholderText=spec.lowest), [""]

    def write(text: str) -> None:
        shown[0] = text
        line.setText(text)
        line.setCursorPosition(0)

    def on_finished() -> None:
        if line.text() != shown[0]:
            shown[0] = line.text()
            edited(line.text())

    line.editingFinished.connect(on_finished)
    return _Control((line,), lambda _: None, write)


def _slider(spec: FieldSpec, edited: Edited) -> _Control:
    """Over choices, by a step, or over the logarithm of whole numbers."""
    slider, text = QSlider(Qt.Orientation.Horizontal), QLabel()
    slider.setMinimumWidth(120)
    choices, step = spec.choices, spec.step

    def position(value: Any) -> float:
        if choices:
            return choices.index(value)
        return float(value / step if step else _PER_DECADE * math.log10(value))

    def value(at: int) -> Any:
        if choices:
            return choices[at]
        return at * step if step else round(10 ** (at / _PER_DECADE))

    page = 3 if choices else 10 if step else _PER_DECADE // 4
    slider.setPageStep(page)

    def limit(spec: FieldSpec) -> None:
        ends = (choices[0], choices[-1]) if choices else (spec.low, spec.high)
        slider.setRange(*(round(position(end)) for end in ends))
        if isinstance(value(0), int):
            text.setMinimumWidth(text.fontMetrics().horizontalAdvance(f"{ends[1]:,.0f} "))

    def write(one: Any) -> None:
        slider.setValue(round(position(one)))
        text.setText(f"{one:,}" if isinstance(one, int) else "")

    def on_changed(at: int) -> None:
        edited(value(at))

    slider.valueChanged.connect(on_changed)
    return _Control((slider,), limit, write, after=text)
