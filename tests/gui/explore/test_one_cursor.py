"""Every way to set the cursor ends in what setting it outright ends in."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QDialog,
    QLineEdit,
    QMenu,
    QPushButton,
    QSlider,
    QWidget,
)

from tests.support.person import Person
from vae_explorer.gui.explore.paths.frame_strip import FrameStrip
from vae_explorer.gui.widgets.number_box import NumberBox
from vae_explorer.session.files.workspaces import Workspaces
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.types import LatentPoint, UInt8

Way = Callable[[Person], LatentPoint]
"""Does something, and returns where that is to lead."""
W = TypeVar("W", bound=QWidget)

CONTROL = Qt.KeyboardModifier.ControlModifier
START, OTHER = (0.25, -0.5), (1.5, 2.25)


def named(person: Person, kind: type[W], name: str) -> W:
    return next(w for w in person.window.findChildren(kind) if w.accessibleName() == name)


def place_of(person: Person, row: int) -> LatentPoint:
    z1, z2 = person.positions[row].tolist()
    return z1, z2


def dialog(person: Person) -> QDialog:
    (found,) = (one for one in person.window.findChildren(QDialog) if one.isVisible())
    return found


def accept(person: Person, verb: str) -> None:
    buttons = dialog(person).findChildren(QPushButton)
    next(button for button in buttons if button.text() == verb).click()


# By the mouse


def click(person: Person) -> LatentPoint:
    place = person.empty
    person.click(place)
    assert person.markers.pin_place is None
    return place


def click_point(person: Person) -> LatentPoint:
    row = person.lone
    person.click(place_of(person, row))
    return place_of(person, row)


def ctrl_click_point(person: Person) -> LatentPoint:
    row = person.lone
    person.click(place_of(person, row), CONTROL)
    return place_of(person, row)


def drag(person: Person) -> LatentPoint:
    person.drag((0.5, 0.5), (1.5, -1.25))
    return 1.5, -1.25


# By sliders and numbers


def slide(number: int, key: Qt.Key, by: float) -> Way:
    def way(person: Person) -> LatentPoint:
        slider = named(person, QSlider, f"{'z₁z₂'[2 * number :][:2]} slider")
        slider.setFocus()
        QTest.keyClick(slider, key)
        return (START[0] + by, START[1]) if number == 0 else (START[0], START[1] + by)

    return way


def type_number(number: int, text: str) -> Way:
    def way(person: Person) -> LatentPoint:
        box = named(person, NumberBox, "z₁z₂"[2 * number :][:2])
        box.setFocus()
        box.lineEdit().setText(text)  # QTest types no true minus sign
        QTest.keyClick(box, Qt.Key.Key_Return)
        value = float(text.replace("−", "-").replace(",", "."))
        return (value, START[1]) if number == 0 else (START[0], value)

    return way


def step_number(person: Person) -> LatentPoint:
    person.press("Up", named(person, NumberBox, "z₂"))
    return START[0], START[1] + 0.1


# By keys and commands


def pressing(keys: str, place: Way) -> Way:
    """Press keys on the map."""

    def way(person: Person) -> LatentPoint:
        person.press(keys, person.window.map.canvas)
        return place(person)

    return way


def arrow(keys: str, dz1: float, dz2: float) -> Way:
    return pressing(keys, lambda _: (START[0] + dz1, START[1] + dz2))


def go_to_digit(digit: int) -> Way:
    return pressing(str(digit), lambda person: person.window.map.class_places()[digit])


def drawn(_: Person) -> LatentPoint:
    z1, z2 = np.random.default_rng(0).standard_normal(2).tolist()
    return z1, z2


def returning(to: LatentPoint, *keys: str) -> Way:
    """Leave ``START`` for ``OTHER``, and press keys there."""

    def way(person: Person) -> LatentPoint:
        person.window.app.cursor.move(*OTHER)
        for key in keys:
            person.press(key)
        return to

    return way


def visit_mark(person: Person) -> LatentPoint:
    person.press("Ctrl+B")
    dialog(person).findChild(QLineEdit).setText("here & there")
    accept(person, "Save")
    person.window.app.cursor.move(*OTHER)
    menus = person.window.actions_.menus["Go"].findChildren(QMenu)
    menu = next(menu for menu in menus if menu.title() == "Go to Bookmark")
    menu.actions()[0].trigger()
    return START


# By images


def find(person: Person) -> LatentPoint:
    person.press("Ctrl+F")
    dialog(person).findChild(NumberBox).setValue(123)
    accept(person, "Find")
    return place_of(person, 123)


def worst_first(person: Person) -> LatentPoint:
    person.trigger("worst_first")
    worst = person.window.worst
    person.wait(lambda: worst.model().rowCount() == 600)
    worst.setCurrentIndex(worst.model().index(0, 0))
    person.press("Down", worst)
    _, index = worst.currentIndex().data(Qt.ItemDataRole.UserRole)
    return place_of(person, index)


def analogy(person: Person) -> LatentPoint:
    rows = [3, 40, 77]
    for row in rows:
        person.window.app.pinning.pin(row, add=True)
    person.press("Ctrl+Shift+A")
    first, second, third = person.positions[rows]
    z1, z2 = (first - second + third).tolist()
    return z1, z2


def attribute(person: Person) -> LatentPoint:
    chosen = person.labels == 1
    person.window.app.selection.replace(np.flatnonzero(chosen))
    person.press("Ctrl+Shift+V")
    vector = person.positions[chosen].mean(axis=0) - person.positions[~chosen].mean(axis=0)
    z1, z2 = (START + vector).tolist()
    return z1, z2


# By paths and files


def choose_row(person: Person) -> FrameStrip:
    person.press("Ctrl+4")
    combo = named(person, QComboBox, "Path")
    combo.setCurrentIndex(combo.findData("row"))
    combo.activated.emit(combo.currentIndex())
    (strip,) = person.window.paths.findChildren(FrameStrip)
    person.wait(lambda: strip.count == 16)
    return strip


def path_frame(person: Person) -> LatentPoint:
    person.press("End", choose_row(person))
    return 3.0, START[1]


def play(person: Person) -> LatentPoint:
    choose_row(person)
    buttons = person.window.paths.findChildren(QAbstractButton)
    button = next(button for button in buttons if button.text() == "Play")
    button.click()
    person.window.paths.findChild(QTimer).timeout.emit()
    button.click()
    return -3 + 6 / 15, START[1]


def workspace(tmp_path: Path) -> Way:
    def way(person: Person) -> LatentPoint:
        workspaces, path = Workspaces(person.window.app), tmp_path / "a.vaex"
        workspaces.save(path, person.window.map.region(), "explore")
        person.wait(path.exists)
        person.window.app.cursor.move(*OTHER)
        person.window.workspaces.open(path)
        person.wait(lambda: person.window.app.cursor.position == START)
        return START

    return way


WAYS: dict[str, dict[str, Way]] = {
    "mouse": {
        "click": click,
        "click on a point": click_point,
        "ctrl-click on a point": ctrl_click_point,
        "drag": drag,
    },
    "sliders and numbers": {
        "z1 slider": slide(0, Qt.Key.Key_PageUp, 1.0),
        "z2 slider": slide(1, Qt.Key.Key_Left, -0.1),
        "z1 typed": type_number(0, "-1.125"),
        "z2 typed": type_number(1, "−0,375"),
        "spin box": step_number,
    },
    "arrows": {
        f"{held}{key}": arrow(f"{held}{key}", scale * dz1, scale * dz2)
        for held, scale in (("", 0.1), ("Shift+", 1.0), ("Ctrl+", 0.01))
        for key, dz1, dz2 in (("Left", -1, 0), ("Right", 1, 0), ("Up", 0, 1), ("Down", 0, -1))
    },
    "places": {
        "random": pressing("R", drawn),
        "origin": pressing("O", lambda _: (0.0, 0.0)),
        **{str(digit): go_to_digit(digit) for digit in range(10)},
    },
    "history": {
        "back": returning(START, "Alt+Left"),
        "forward": returning(OTHER, "Alt+Left", "Alt+Right"),
        "undo": returning(START, "Ctrl+Z"),
        "redo": returning(OTHER, "Ctrl+Z", "Ctrl+Shift+Z"),
    },
    "mark": {"mark": visit_mark},
    "find": {"find": find},
    "worst first": {"worst first": worst_first},
    "analogy": {"analogy": analogy},
    "attribute": {"attribute": attribute},
    "frame of a path": {"frame of a path": path_frame},
    "path played": {"path played": play},
}
"""By the window that they share, and by name."""


def seen(person: Person) -> tuple[object, ...]:
    """All that the window shows of the cursor, but the picture."""
    caption = person.view("Decoded image").accessibleDescription()
    cursor = person.window.app.cursor
    return (
        cursor.position,
        person.markers.cursor_place,
        [named(person, QSlider, f"{name} slider").value() for name in ("z₁", "z₂")],
        [named(person, NumberBox, name).value() for name in ("z₁", "z₂")],
        person.field("Position of the cursor"),
        caption.split(" · ")[0],
        "preview" in caption,
    )


def picture_at(person: Person, bundled: Snapshot, place: LatentPoint) -> UInt8:
    """The picture on screen, as soon as it is the one decoded there."""
    image = bundled.model.decode(np.array([place], np.float32))[0]
    person.wait(lambda: person.sees(image))
    return person.picture()


def check(person: Person, bundled: Snapshot, way: Way) -> None:
    cursor = person.window.app.cursor
    cursor.move(*START)
    wanted = way(person)
    place = cursor.position
    assert place == pytest.approx(wanted, abs=0.03 if way in (click, drag) else 1e-5)
    picture, shown = picture_at(person, bundled, place), seen(person)
    away = (place[0] / 2 + 2.0, place[1] / 2 - 2.0)
    cursor.move(*away)
    assert not np.array_equal(picture_at(person, bundled, away), picture)
    cursor.move(*place)
    np.testing.assert_array_equal(picture_at(person, bundled, place), picture)
    assert seen(person) == shown
    assert shown[0] == shown[1]
    assert shown[2:4] == ([round(1000 * z) for z in place], [round(z, 3) for z in place])
    assert not person.errors


@contextmanager
def note(name: str) -> Iterator[None]:
    """Say in an error which way it was."""
    try:
        yield
    except AssertionError as error:
        error.add_note(name)
        raise


@pytest.fixture
def wide(person: Person) -> Iterator[Person]:
    """A person whose playing stops at the end."""
    yield person
    person.window.paths.hide()


@pytest.mark.parametrize("kind", WAYS)
def test_every_way_ends_alike(wide: Person, bundled: Snapshot, kind: str) -> None:
    for name, way in WAYS[kind].items():
        with note(name):
            check(wide, bundled, way)


def test_a_workspace_ends_alike(person: Person, bundled: Snapshot, tmp_path: Path) -> None:
    check(person, bundled, workspace(tmp_path))
