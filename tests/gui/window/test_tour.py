"""The hints of the first start."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QWidget

from tests.support.person import Person
from vae_explorer import paths
from vae_explorer.gui.main_thread import run_events
from vae_explorer.gui.map.point_tooltip import PointTooltip
from vae_explorer.gui.widgets.hint import Hint
from vae_explorer.session.files.settings import Settings
from vae_explorer.session.training.events import Phase
from vae_explorer.training.recipe import Recipe


def hints(person: Person) -> dict[int, Hint]:
    """Those in sight, by their number."""
    seen = [hint for hint in person.window.findChildren(Hint) if hint.isVisible()]
    return dict(sorted((int(hint.accessibleName().split()[1]), hint) for hint in seen))


def got_it(person: Person) -> QPushButton:
    """The one button that closes all."""
    (button,) = (hint.got_it for hint in hints(person).values() if hint.got_it.isVisible())
    return button


def area(person: Person, part: QWidget) -> QRect:
    return part.rect().translated(part.mapTo(person.window, QPoint()))


def box(person: Person, hint: Hint) -> QRect:
    """The hint without its arrow."""
    body = hint.text.parentWidget()
    assert body is not None
    return area(person, body)


def settle() -> None:
    for _ in range(3):
        run_events(20)


def test_it_comes_at_the_first_start_alone(person: Person) -> None:
    window = person.window
    assert hints(person) == {}
    window.tour.greet()
    assert list(hints(person)) == [1, 2, 3]
    person.wait(lambda: Settings.read(paths.settings_file()).toured)
    got_it(person).click()
    window.tour.greet()
    assert hints(person) == {}
    person.trigger("tour")
    assert list(hints(person)) == [1, 2, 3]
    assert window.actions_["tour"].isChecked()
    person.trigger("tour")
    assert hints(person) == {}


@pytest.mark.parametrize("size", [(1024, 700), (1280, 800), (1920, 1080)])
def test_the_hints_are_in_the_map_and_side_by_side_whatever_the_size(
    person: Person, size: tuple[int, int]
) -> None:
    window = person.window
    person.trigger("tour")
    window.resize(*size)
    settle()
    person.wait(lambda: len(hints(person)) == 3)
    boxes = {number: box(person, hint) for number, hint in hints(person).items()}
    parts = {2: window.decode.inspector.title, 3: window.training.transport.start}
    for number, there in boxes.items():
        assert area(person, window.map.canvas).contains(there), "no words are under it"
        assert not any(there.intersects(other) for n, other in boxes.items() if n != number)
    corner = window.map.canvas.mapTo(window, QPoint()).toTuple()
    under = [boxes[1].contains(*map(round, at + corner)) for at in window.map.point_pixels()]
    assert sum(under) < 0.02 * len(under), "the points are what it is about"
    for number, part in parts.items():
        reach = area(person, part).adjusted(-1, -1, 1, 1)
        assert reach.intersects(hints(person)[number].geometry()), "the arrow ends at the part"


def test_each_goes_when_it_was_followed(person: Person, recipe: Recipe) -> None:
    window = person.window
    person.trigger("tour")
    point = person.position(person.lone)
    person.hover(point)
    person.wait(lambda: 1 not in hints(person))
    assert got_it(person).isVisible(), "the next one has the button"
    person.click(point)
    assert list(hints(person)) == [3]
    window.training.set_recipe(recipe.replace(epochs=10_000))
    window.training.transport.start.click()
    person.wait(lambda: not hints(person))
    assert not window.tour.active
    assert not window.actions_["tour"].isChecked()
    window.app.training.stop()
    person.wait_for_phase(Phase.IDLE)


def test_none_lies_over_the_card_of_a_point(person: Person) -> None:
    window = person.window
    person.trigger("tour")
    person.wait(lambda: len(hints(person)) == 3)
    where = box(person, hints(person)[2])
    corner = window.map.canvas.mapTo(window, QPoint()).toTuple()
    away = np.hypot(*(window.map.point_pixels() + corner - where.center().toTuple()).T)
    person.hover(person.position(int(away.argmin())))
    (card,) = window.findChildren(PointTooltip)
    person.wait(card.isVisible)
    assert card.geometry().intersects(where), "there is something to cover"
    settle()
    order = [child for child in window.children() if isinstance(child, QWidget)]
    assert order.index(card) > order.index(hints(person)[2])


@pytest.mark.parametrize("key", [Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Space])
def test_the_keyboard_closes_them_and_is_where_it_was(person: Person, key: Qt.Key) -> None:
    window = person.window
    window.map.canvas.setFocus()
    window.app.pinning.pin(3)
    window.tour.begin()
    settle()
    assert QApplication.focusWidget() is got_it(person)
    QTest.keyClick(got_it(person), key)
    assert hints(person) == {}
    assert QApplication.focusWidget() is window.map.canvas
    assert person.pins == [3], "Esc did not clear the pins"


def test_a_hint_is_out_of_sight_while_its_part_is(person: Person) -> None:
    person.trigger("tour")
    person.window.docks.show("layers")
    person.wait(lambda: list(hints(person)) == [1, 2])
    person.trigger("layout_learn")
    person.wait(lambda: 1 not in hints(person))
    person.trigger("layout_train")
    person.wait(lambda: list(hints(person)) == [1, 2, 3])


def test_they_are_read_to_who_cannot_see_them(person: Person) -> None:
    person.trigger("tour")
    for number, hint in hints(person).items():
        name = QAccessible.queryAccessibleInterface(hint).text(QAccessible.Text.Name)
        assert name == f"Hint {number} of 3: {hint.text.text()}"
    assert "close" in got_it(person).accessibleName()
