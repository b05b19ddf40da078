from dataclasses import dataclass, replace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QPushButton,
    QSlider,
    QWidget,
)
from pytestqt.qtbot import QtBot

from vae_explorer.fields import Fields, FieldSpec, field
from vae_explorer.gui.widgets.controls import Controls
from vae_explorer.gui.widgets.number_box import NumberBox

RUNGS = (1, 10, 100)


@dataclass(frozen=True)
class Tune(Fields):
    key: str = field("c", FieldSpec("", "&Key", "Of it", choices=("c", "d"), titles=("C", "D")))
    loud: bool = field(False, FieldSpec("", "Loud", "Louder"))
    beats: int = field(4, FieldSpec("", "Beats", "In a bar", low=-1, high=9, lowest="free"))
    speed: float = field(1.0, FieldSpec("", "Speed", "Of it", low=0.5, high=2, step=0.5))
    title: str = field("a", FieldSpec("", "Title", "Of it"))
    pair: tuple[int, int] = field((1, 2), FieldSpec("", "Pair", "Two", low=1, high=6))
    echo: int = field(1, FieldSpec("", "Echo", "Of it", choices=RUNGS, needs=("loud", (True,))))
    count: int = field(100, FieldSpec("", "Count", "Of it", low=1, high=1_000))
    total: int = field(30, FieldSpec("", "Total", "Of it", high=100))
    seed: int = field(0, FieldSpec("", "&Again", "Once more", high=99))
    hand: tuple[float, float] = field((0.0, 0.0), FieldSpec("", "", "Set in a chart"))

    def spec(self, name: str) -> FieldSpec:
        spec = super().spec(name)
        return replace(spec, label="Bars", high=3) if name == "beats" and self.loud else spec


class Form:
    def __init__(self, qtbot: QtBot) -> None:
        self.window = QWidget()
        qtbot.addWidget(self.window)
        self.controls = Controls(
            Tune(),
            self.window,
            sliders=("echo", "count"),
            buttons=("seed",),
            offers={"total": (10, 20, 50)},
        )
        for row in self.controls.rows.values():
            row.setParent(self.window)
        self.edits: list[tuple[str, object]] = []
        self.controls.changed.connect(lambda name, value: self.edits.append((name, value)))


@pytest.fixture
def form(qtbot: QtBot) -> Form:
    return Form(qtbot)


def test_each_field_has_the_control_that_fits(form: Form) -> None:
    kinds = {name: type(form.controls.editor(name)) for name in form.controls.rows}
    assert kinds == {
        "key": QComboBox,
        "loud": QCheckBox,
        "beats": NumberBox,
        "speed": NumberBox,
        "title": QLineEdit,
        "pair": NumberBox,
        "echo": QSlider,
        "count": QSlider,
        "total": QComboBox,
        "seed": QPushButton,
    }
    for name, row in form.controls.rows.items():
        editor = form.controls.editor(name)
        assert editor.accessibleName().startswith(Tune.specs()[name].label.replace("&", ""))
        assert editor.toolTip() == Tune.specs()[name].help
        label = row.findChild(QLabel)
        assert label is None or label.buddy() is editor


def test_what_a_person_sets_is_sent(form: Form) -> None:
    editors: dict[str, Any] = {name: form.controls.editor(name) for name in form.controls.rows}
    editors["key"].setCurrentIndex(1)
    editors["loud"].click()
    editors["beats"].setValue(5)
    editors["speed"].setValue(1.5)
    editors["title"].setText("b")
    QTest.keyClick(editors["title"], Qt.Key.Key_Return)
    form.controls.rows["pair"].findChildren(NumberBox)[1].setValue(6)
    editors["echo"].setValue(2)
    editors["count"].setValue(0)
    editors["total"].setCurrentIndex(0)
    editors["total"].activated.emit(0)
    editors["seed"].click()
    assert form.edits == [
        ("key", "d"),
        ("loud", True),
        ("beats", 5),
        ("speed", 1.5),
        ("title", "b"),
        ("pair", (1, 6)),
        ("echo", 100),
        ("count", 1),
        ("total", 10),
        ("seed", 1),
    ]


def test_what_is_set_elsewhere_is_shown_and_not_sent_back(form: Form) -> None:
    tune = Tune("d", True, 2, 2.0, "z", (3, 4), 10, 1_000, 30, 7)
    form.controls.show(tune)
    editors: dict[str, Any] = {name: form.controls.editor(name) for name in form.controls.rows}
    assert editors["key"].currentText() == "D"
    assert editors["loud"].isChecked()
    assert (editors["beats"].value(), editors["beats"].maximum()) == (2, 3)
    assert form.controls.rows["beats"].findChild(QLabel).text() == "Bars"
    assert editors["speed"].value() == 2.0
    assert editors["title"].text() == "z"
    boxes = form.controls.rows["pair"].findChildren(NumberBox)
    assert [box.value() for box in boxes] == [3, 4]
    assert (editors["echo"].value(), editors["count"].value()) == (1, 300)
    assert editors["total"].currentText() == "50"
    assert form.edits == []
    editors["seed"].click()
    assert form.edits == [("seed", 8)]


def test_a_field_that_does_not_matter_cannot_be_set(form: Form) -> None:
    assert not form.controls.editor("echo").isEnabled()
    form.controls.show(Tune(loud=True, beats=1))
    assert form.controls.editor("echo").isEnabled()
