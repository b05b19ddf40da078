from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QLabel,
    QScrollArea,
    QSlider,
    QWidget,
)
from pytestqt.qtbot import QtBot

from vae_explorer.gui.map.layers.layer_row import Grip
from vae_explorer.gui.map.layers.layers_panel import WIDTH, LayersPanel
from vae_explorer.gui.theme import DARK
from vae_explorer.session.map.layers import LAYERS, LayerState, default_state
from vae_explorer.session.map.marks import Field, LayerContent

LEFT, ALT = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.AltModifier
STATES = tuple(default_state(spec) for spec in LAYERS)
ALL_ON = tuple(replace(state, on=True) for state in STATES)
NAMES = [spec.name for spec in LAYERS]
DENSITY = next(spec for spec in LAYERS if spec.id == "density")
FIELD = Field((0.0, 1.0, 0.0, 1.0), np.zeros((2, 2), np.float32), 0.0, 8.0, "nats")


@pytest.fixture
def panel(qtbot: QtBot) -> LayersPanel:
    widget = LayersPanel()
    qtbot.addWidget(widget)
    widget.set_layers(STATES)
    widget.resize(WIDTH, 1_000)
    with qtbot.waitActive(widget):
        widget.show()
        widget.activateWindow()
    return widget


@pytest.fixture
def said(panel: LayersPanel) -> list[tuple[object, ...]]:
    said: list[tuple[object, ...]] = []
    for name in ("toggled", "opacity_changed", "moved", "choice_changed"):
        signal = getattr(panel, name)
        signal.connect(lambda *values, name=name: said.append((name, *values)))
    return said


def box(panel: LayersPanel, name: str) -> QCheckBox:
    return next(check for check in panel.findChildren(QCheckBox) if check.text() == name)


def slider_of(panel: LayersPanel, name: str) -> QSlider:
    wanted = f"{name}, opacity"
    return next(w for w in panel.findChildren(QSlider) if w.accessibleName() == wanted)


def choice_of(panel: LayersPanel, name: str, choice: str) -> QComboBox:
    wanted = f"{name}, {choice}"
    return next(w for w in panel.findChildren(QComboBox) if w.accessibleName() == wanted)


def order(panel: LayersPanel) -> list[str]:
    """Names from the top as they are seen."""
    QApplication.processEvents()
    checks = panel.findChildren(QCheckBox)
    return [c.text() for c in sorted(checks, key=lambda c: c.mapTo(panel, QPoint()).y())]


def texts(panel: LayersPanel) -> list[str]:
    return [label.text() for label in panel.findChildren(QLabel) if label.isVisible()]


def moved(states: tuple[LayerState, ...], layer: str, position: int) -> tuple[LayerState, ...]:
    others = [state for state in states if state.id != layer]
    others[position:position] = [state for state in states if state.id == layer]
    return tuple(others)


def test_all_layers_stand_in_their_order(panel: LayersPanel) -> None:
    assert order(panel) == NAMES
    assert [box(panel, spec.name).isChecked() for spec in LAYERS] == [spec.on for spec in LAYERS]
    assert {spec.key for spec in LAYERS} <= set(texts(panel))
    assert box(panel, "Density").toolTip() == f"{DENSITY.about} (D)"
    assert {spec.about for spec in LAYERS} <= set(texts(panel)), "of those that do not show too"


def test_a_layer_unfolds_while_it_shows(
    qtbot: QtBot, panel: LayersPanel, said: list[tuple[object, ...]]
) -> None:
    slider = slider_of(panel, "Density")
    assert not slider.isVisible()
    qtbot.mouseClick(box(panel, "Density"), LEFT, pos=QPoint(8, 8))
    assert slider.isVisible()
    assert slider.value() == round(100 * DENSITY.opacity)
    qtbot.keyClick(box(panel, "Density"), Qt.Key.Key_Space)
    assert not slider.isVisible()
    assert said == [("toggled", "density", True), ("toggled", "density", False)]


def test_opacity_and_choices_are_told(panel: LayersPanel, said: list[tuple[object, ...]]) -> None:
    _, show = DENSITY.choices
    panel.set_layers(ALL_ON)
    QTest.keyClick(slider_of(panel, "Density"), Qt.Key.Key_Left)
    QTest.keyClick(choice_of(panel, "Density", "as"), Qt.Key.Key_Down)
    assert said == [
        ("opacity_changed", "density", pytest.approx(DENSITY.opacity - 0.01)),
        ("choice_changed", "density", show.id, show.options[1][0]),
    ]


def test_setting_says_nothing(
    qtbot: QtBot, panel: LayersPanel, said: list[tuple[object, ...]]
) -> None:
    chosen = {"of": "points", "show": "shade"}
    density = LayerState("density", True, 0.25, chosen)
    others = [state for state in ALL_ON if state.id != "density"]
    panel.set_layers((density, *reversed(others)))
    panel.set_content("density", LayerContent((FIELD,), "10,000 points"))
    panel.set_busy("density", True)
    panel.set_theme(DARK)
    assert said == []
    assert slider_of(panel, "Density").value() == 25
    assert choice_of(panel, "Density", "of").currentText() == "Points"
    assert choice_of(panel, "Density", "as").currentText() == "Shade"
    assert {"nats", "10,000 points"} <= set(texts(panel))
    assert "computing…" not in texts(panel)
    qtbot.waitUntil(lambda: "computing…" in texts(panel))
    panel.set_busy("density", False)
    assert "computing…" not in texts(panel)


def test_an_order_from_above_moves_rows_and_the_tab_order(panel: LayersPanel) -> None:
    off = tuple(replace(state, on=False) for state in STATES)
    panel.set_layers(moved(off, STATES[-1].id, 0))
    assert order(panel) == [NAMES[-1], *NAMES[:-1]]
    first = box(panel, NAMES[-1])
    first.setFocus()
    QTest.keyClick(first, Qt.Key.Key_Tab)
    assert QApplication.focusWidget() is box(panel, NAMES[0])


def test_keys_move_the_row_with_the_focus(
    panel: LayersPanel, said: list[tuple[object, ...]]
) -> None:
    panel.set_layers(ALL_ON)
    panel.moved.connect(lambda layer, to: panel.set_layers(moved(ALL_ON, layer, to)))
    slider = slider_of(panel, "Density")
    slider.setFocus()
    place = NAMES.index("Density")
    QTest.keyClick(slider, Qt.Key.Key_Up, ALT)
    assert said == [("moved", "density", place - 1)]
    assert order(panel).index("Density") == place - 1
    assert QApplication.focusWidget() is slider
    QTest.keyClick(slider, Qt.Key.Key_Down, ALT)
    assert said[1:] == [("moved", "density", place)]


def test_the_ends_are_the_ends(panel: LayersPanel, said: list[tuple[object, ...]]) -> None:
    for name, key in ((NAMES[0], Qt.Key.Key_Up), (NAMES[-1], Qt.Key.Key_Down)):
        box(panel, name).setFocus()
        QTest.keyClick(box(panel, name), key, ALT)
    assert said == []


def column_of(panel: LayersPanel) -> QWidget:
    column = panel.findChild(QScrollArea).widget()
    assert isinstance(column, QWidget)
    return column


def drag(panel: LayersPanel, name: str, onto: str, below: bool) -> None:
    """Pull a row by its grip to just above or below the middle of another row."""
    row, other = (box(panel, text).parentWidget() for text in (name, onto))
    column = column_of(panel)
    grip = next(child for child in row.children() if isinstance(child, Grip))
    middle = other.geometry().center().y() + (3 if below else -3)
    target = grip.mapFrom(column, QPoint(10, middle))
    QTest.mousePress(grip, LEFT, pos=QPoint(5, 5))
    QTest.mouseMove(grip, target)
    QTest.mouseRelease(grip, LEFT, pos=target)


@pytest.mark.parametrize("name", [NAMES[1], NAMES[6], NAMES[-1]])
@pytest.mark.parametrize("onto", [NAMES[0], NAMES[3], NAMES[-1]])
@pytest.mark.parametrize("below", [False, True])
def test_a_row_is_dragged_by_its_grip(
    panel: LayersPanel, said: list[tuple[object, ...]], name: str, onto: str, below: bool
) -> None:
    order(panel)
    drag(panel, name, onto, below)
    others = [other for other in NAMES if other != name]
    wanted = others.index(onto) + below if onto != name else NAMES.index(name)
    layer = next(spec.id for spec in LAYERS if spec.name == name)
    assert said == ([("moved", layer, wanted)] if wanted != NAMES.index(name) else [])


def test_news_rebuilds_nothing_and_leaves_the_focus(
    panel: LayersPanel, said: list[tuple[object, ...]]
) -> None:
    panel.set_layers(ALL_ON)
    slider = slider_of(panel, "Density")
    slider.setFocus()
    before = set(panel.findChildren(QLabel))
    slider.setSliderDown(True)
    for value in (60, 40):
        slider.setSliderPosition(value)
        panel.set_layers(
            tuple(replace(s, opacity=value / 100) if s.id == "density" else s for s in ALL_ON)
        )
        panel.set_content("density", LayerContent((FIELD,), f"at {value}"))
    assert slider.isSliderDown()
    assert slider.value() == 40
    assert QApplication.focusWidget() is slider
    assert set(panel.findChildren(QLabel)) == before
    assert [value for _, _, value in said] == [0.6, 0.4]


def controls(panel: LayersPanel) -> list[QWidget]:
    kinds = (QCheckBox, QSlider, QComboBox)
    return [w for w in panel.findChildren(QWidget) if isinstance(w, kinds) and w.isVisible()]


def test_every_control_has_a_name_of_its_own_and_tab_reaches_it(panel: LayersPanel) -> None:
    panel.set_layers(ALL_ON)
    order(panel)
    wanted = set(controls(panel))
    assert len(wanted) == 2 * len(LAYERS) + sum(len(spec.choices) for spec in LAYERS)
    names = {
        QAccessible.queryAccessibleInterface(control).text(QAccessible.Text.Name)
        for control in wanted
    }
    assert len(names) == len(wanted)
    box(panel, NAMES[0]).setFocus()
    column = column_of(panel)
    heights = []
    for _ in range(len(wanted)):
        focused = QApplication.focusWidget()
        assert focused is not None
        wanted.discard(focused)
        heights.append(focused.mapTo(column, QPoint()).y())
        QTest.keyClick(focused, Qt.Key.Key_Tab)
    assert not wanted
    assert heights == sorted(heights)


def test_it_is_narrow_and_scrolls(panel: LayersPanel) -> None:
    panel.set_layers(ALL_ON)
    for spec in LAYERS:
        panel.set_content(spec.id, LayerContent((FIELD,), "A note of more than one line, " * 3))
    panel.resize(WIDTH, 300)
    order(panel)
    scroll = panel.findChild(QScrollArea)
    assert scroll.verticalScrollBar().isVisible()
    assert scroll.widget().width() <= scroll.viewport().width()
    for label in panel.findChildren(QLabel):
        if label.isVisible():
            need = (
                label.heightForWidth(label.width())
                if label.wordWrap()
                else label.sizeHint().height()
            )
            assert label.height() >= need
            assert label.wordWrap() or label.width() >= label.sizeHint().width()
    for combo in panel.findChildren(QComboBox):
        assert combo.width() >= combo.minimumSizeHint().width()
    last = box(panel, NAMES[-1])
    last.setFocus()
    QTest.keyClick(last, Qt.Key.Key_Up, ALT)
    assert scroll.viewport().rect().contains(last.mapTo(scroll.viewport(), QPoint()))


def test_focus_is_visible(panel: LayersPanel) -> None:
    panel.set_layers(ALL_ON)
    order(panel)
    focused: QWidget | None = box(panel, NAMES[0])
    focused.setFocus()
    for _ in controls(panel):
        assert focused is not None
        QTest.keyClick(focused, Qt.Key.Key_Tab)
        focused = QApplication.focusWidget()
        with_focus = focused.grab().toImage()
        focused.clearFocus()
        assert focused.grab().toImage() != with_focus
        focused.setFocus()
