import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QDialog, QLineEdit, QMenu, QPushButton

from tests.support.person import Person
from vae_explorer.gui.explore.decode.pin_tray import PinTray
from vae_explorer.gui.map.legend import LegendButton
from vae_explorer.gui.theme import CLASS_COLORS, current_theme
from vae_explorer.gui.widgets.number_box import NumberBox
from vae_explorer.types import LatentPoint

LEFT = Qt.MouseButton.LeftButton
SHIFT = Qt.KeyboardModifier.ShiftModifier
CTRL = Qt.KeyboardModifier.ControlModifier
ALT = Qt.KeyboardModifier.AltModifier


def in_box(person: Person, start: LatentPoint, end: LatentPoint) -> list[int]:
    """The points between two corners, as drawn from pixel to pixel."""
    canvas = person.window.map.canvas
    corners = [canvas.to_latent(person.at(corner).toPointF()) for corner in (start, end)]
    low, high = np.min(corners, axis=0), np.max(corners, axis=0)
    return [i for i, z in enumerate(person.positions) if (low <= z).all() and (z <= high).all()]


def legend_button(person: Person, label: int) -> LegendButton:
    return next(b for b in person.window.map.findChildren(LegendButton) if b.label == label)


def rgb(name: str) -> tuple[int, int, int]:
    color = QColor(name)
    return color.red(), color.green(), color.blue()


def dialog(person: Person) -> QDialog:
    (found,) = (d for d in person.window.findChildren(QDialog) if d.isVisible())
    return found


def accept(person: Person, verb: str) -> None:
    next(b for b in dialog(person).findChildren(QPushButton) if b.text() == verb).click()


# The selection


def test_a_shift_drag_selects_what_lies_in_the_box(person: Person) -> None:
    start, end = (-1.5, 0.2), (1.3, 2.1)
    wanted = in_box(person, start, end)
    assert 20 < len(wanted) < 300
    person.drag(start, end, SHIFT)
    assert person.selected == wanted
    assert person.status.endswith(f"· {len(wanted)} selected")
    person.drag((0.0, 0.2), end, SHIFT | ALT)
    left = sorted(set(wanted) - set(in_box(person, (0.0, 0.2), end)))
    assert person.selected == left
    person.trigger("invert")
    assert person.selected == sorted(set(range(600)) - set(left))


def test_points_fade_beside_a_selection(person: Person) -> None:
    lone = person.lone
    full = CLASS_COLORS[person.labels[lone]].astype(int)
    assert person.color_at(person.position(lone)) == tuple(full)
    person.window.app.selection.replace([lone])
    assert person.color_at(person.position(lone)) == tuple(full)
    person.trigger("invert")
    faded = np.array(person.color_at(person.position(lone)))
    canvas = np.array(rgb(current_theme().canvas))
    assert np.abs(faded - canvas).sum() < 0.3 * np.abs(full - canvas).sum()
    person.press("Esc")
    assert person.color_at(person.position(lone)) == tuple(full)


def test_esc_clears_the_selection_first_and_then_the_pins(person: Person) -> None:
    person.click(person.position(person.lone))
    person.drag((-1.0, -1.0), (1.0, 1.0), SHIFT)
    assert person.selected
    pinned = person.pins
    assert len(pinned) == 1
    person.press("Esc")
    assert (person.selected, person.pins) == ([], pinned)
    assert "selected" not in person.status
    person.press("Esc")
    assert person.pins == []


def test_a_shift_click_in_the_legend_selects_the_class(person: Person) -> None:
    def of(*labels: int) -> list[int]:
        return np.flatnonzero(np.isin(person.labels, labels)).tolist()

    QTest.mouseClick(legend_button(person, 3), LEFT, SHIFT)
    assert person.selected == of(3)
    QTest.mouseClick(legend_button(person, 5), LEFT, SHIFT | CTRL)
    assert person.selected == of(3, 5)
    assert legend_button(person, 3).isChecked(), "it still shows"
    QTest.mouseClick(legend_button(person, 0), LEFT)
    person.trigger("select_shown")
    assert person.selected == of(*range(1, 10))


def test_hidden_classes_are_not_selected(person: Person) -> None:
    QTest.mouseClick(legend_button(person, 1), LEFT)
    person.drag((-2.0, -2.0), (2.0, 2.0), SHIFT)
    boxed = in_box(person, (-2.0, -2.0), (2.0, 2.0))
    assert person.selected == [i for i in boxed if person.labels[i] != 1]


def test_a_named_selection_is_recalled_and_forgotten(person: Person) -> None:
    menus = {menu.title(): menu for menu in person.window.findChildren(QMenu) if menu.title()}
    recall, forget = menus["Recall"], menus["Forget"]
    assert not recall.isEnabled()
    person.window.app.selection.replace([3, 5])
    person.trigger("name_selection")
    (line,) = dialog(person).findChildren(QLineEdit)
    QTest.keyClicks(line, "Me & you")
    accept(person, "Save")
    person.press("Esc", person.window.map.canvas)
    (action,) = recall.actions()
    assert action.text().replace("&&", "&") == "Me & you"
    action.trigger()
    assert person.selected == [3, 5]
    forget.actions()[0].trigger()
    assert recall.actions() == forget.actions() == []
    assert not forget.isEnabled()
    assert person.selected == [3, 5]


def test_the_nearest_of_the_pinned_digit_are_selected(person: Person) -> None:
    person.window.app.pinning.pin(7)
    distances = np.linalg.norm(person.positions - person.positions[7], axis=1)
    person.trigger("nearest")
    dialog(person).findChild(NumberBox).setValue(9)
    accept(person, "Select")
    assert person.selected == sorted(np.argsort(distances)[:9].tolist())


def test_the_worst_are_selected_once_all_are_known(person: Person) -> None:
    person.trigger("worst")
    person.wait(lambda: len(person.selected) == 100)
    elbo = person.window.app.scores.known["elbo"]
    others = np.delete(elbo, person.selected)
    assert elbo[person.selected].max() <= others.min()


@pytest.mark.parametrize(("split", "row"), [("train", 123), ("test", 600 + 123)])
def test_find_pins_an_image(person: Person, split: str, row: int) -> None:
    person.trigger("split_both")
    person.wait(lambda: len(person.positions) == 900)
    person.trigger("find")
    combo = dialog(person).findChild(QComboBox)
    combo.setCurrentIndex(combo.findData(split))
    dialog(person).findChild(NumberBox).setValue(123)
    accept(person, "Find")
    assert person.window.map._pinned == row
    current = person.window.app.pins.current
    assert current is not None
    assert (current.split, current.index) == (split, 123)
    assert person.markers.pin_place == person.position(row)


# The pins


def test_pins_are_added_looked_at_and_taken_out(person: Person) -> None:
    one = person.lone
    two = int(np.linalg.norm(person.positions - person.positions[one], axis=1).argmax())
    rows = [one, two]
    person.click(person.position(one))
    person.click(person.position(two), CTRL)
    pins = person.pins
    assert len(pins) == 2
    places = {person.position(pin) for pin in pins}
    assert set(person.markers.tray_places) | {person.markers.pin_place} == places
    pinned = [person.window.app.pins.tray[i].index for i in range(2)]
    assert pinned == pins == rows

    (tray,) = person.window.decode.findChildren(PinTray)
    tray.scrollToItem(tray.item(0))
    QTest.mouseClick(tray.viewport(), LEFT, pos=tray.visualItemRect(tray.item(0)).center())
    assert person.window.app.pins.current is person.window.app.pins.tray[0]
    assert person.markers.pin_place == person.position(one)
    original = person.window.app.map.thumbnail(one).image
    np.testing.assert_array_equal(person.picture("Original image"), original)

    person.press("Delete", tray)
    assert person.pins == [two]
    assert person.markers.pin_place == person.position(two)
    person.click(person.position(two), CTRL)
    assert person.pins == []
    assert person.markers.pin_place is None


def test_undo_and_redo_go_through_pins_and_selections(person: Person) -> None:
    undo, redo = (person.window.actions_[name] for name in ("undo", "redo"))
    states: list[tuple[list[int], list[int]]] = []

    def note() -> None:
        states.append((person.pins, person.selected))

    note()
    assert not undo.isEnabled()
    person.click(person.position(person.lone))
    note()
    QTest.mouseClick(legend_button(person, 3), LEFT, SHIFT)
    note()
    person.drag((-1.0, -1.0), (1.0, 1.0), SHIFT)
    note()
    person.press("Esc", person.window.map.canvas)
    note()
    texts = ["Undo Clear Selection", "Undo Select", "Undo Select", "Undo Pin"]
    for text, state in zip(texts, reversed(states[:-1]), strict=True):
        assert undo.text() == text
        person.press("Ctrl+Z")
        assert (person.pins, person.selected) == state
    assert (undo.isEnabled(), undo.text()) == (False, "Undo")
    for text, state in zip(reversed(texts), states[1:], strict=True):
        assert redo.text() == text.replace("Undo", "Redo")
        person.press("Ctrl+Shift+Z")
        assert (person.pins, person.selected) == state
    assert (redo.isEnabled(), redo.text()) == (False, "Redo")


def test_pins_outlive_the_split_they_are_from(person: Person) -> None:
    person.window.app.pinning.pin(7)
    person.trigger("split_test")
    person.wait(lambda: len(person.positions) == 300)
    assert person.pins == [7]
    assert person.markers.pin_place is None
    person.trigger("split_both")
    person.wait(lambda: len(person.positions) == 900)
    assert person.markers.pin_place == person.position(7)
