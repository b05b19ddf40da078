from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.support.person import Person
from vae_explorer.data.bundled import mnist_dataset
from vae_explorer.gui.window.undo import MOST_EDITS, Undo
from vae_explorer.session.edits import Edit
from vae_explorer.session.explore.cursor import Cursor
from vae_explorer.session.explore.decoding import Decoding
from vae_explorer.session.jobs import Jobs
from vae_explorer.session.map.latent_map import LatentMap
from vae_explorer.session.map.selection import Selection
from vae_explorer.session.tasks import Tasks
from vae_explorer.types import Int64


@pytest.fixture
def selection() -> Selection:
    selection = Selection()
    selection.reset(1_000, "some")
    return selection


@pytest.fixture
def undo(qtbot: QtBot, selection: Selection) -> Undo:
    undo = Undo()
    selection.edited.connect(undo.push)
    return undo


def test_selections_go_back_and_forth(selection: Selection, undo: Undo) -> None:
    states = [[], [3, 4], [3, 4, 9], [9]]
    selection.replace([3, 4])
    selection.add([9])
    selection.remove([3, 4])
    for _ in range(2):
        for state in states[-2::-1]:
            undo.undo()
            assert selection.indices.tolist() == state
        undo.undo()
        for state in states[1:]:
            undo.redo()
            assert selection.indices.tolist() == state
        undo.redo()


def test_a_push_does_not_make_the_edit_again(undo: Undo) -> None:
    done: list[str] = []
    undo.push(Edit("Select", partial(done.append, "undo"), partial(done.append, "redo")))
    assert done == []
    undo.undo()
    undo.redo()
    undo.undo()
    assert done == ["undo", "redo", "undo"]


def test_it_says_what_can_be_done(selection: Selection, undo: Undo) -> None:
    said: list[tuple[bool, str, bool, str]] = []

    def note() -> None:
        said.append((undo.can_undo, undo.undo_text, undo.can_redo, undo.redo_text))

    undo.changed.connect(note)
    selection.replace([1], "Lasso")
    assert said[-1] == (True, "Lasso", False, "")
    selection.clear()
    undo.undo()
    assert said[-1] == (True, "Lasso", True, "Clear Selection")
    undo.undo()
    assert said[-1] == (False, "", True, "Lasso")
    selection.replace([2], "Box")
    assert said[-1] == (True, "Box", False, "")
    undo.clear()
    assert said[-1] == (False, "", False, "")


def test_an_edit_told_while_another_is_undone_is_not_recorded(
    selection: Selection, undo: Undo
) -> None:
    """Somebody who listens may answer an undo by a change of its own."""
    selection.replace([1])
    undo.push(Edit("Pin", undo=lambda: selection.add([2]), redo=lambda: selection.add([3])))
    undo.undo()
    assert selection.indices.tolist() == [1, 2]
    undo.redo()
    assert selection.indices.tolist() == [1, 2, 3]
    undo.undo()
    undo.undo()
    assert selection.indices.tolist() == []


def test_the_oldest_edits_are_forgotten(selection: Selection, undo: Undo) -> None:
    for index in range(MOST_EDITS + 5):
        selection.add([index])
    for _ in range(MOST_EDITS + 5):
        undo.undo()
    assert selection.indices.tolist() == [0, 1, 2, 3, 4]


def test_an_edit_that_fails_does_not_stop_the_next(selection: Selection, undo: Undo) -> None:
    def fail() -> None:
        raise RuntimeError("cannot go back")

    undo.push(Edit("Broken", fail, fail))
    with pytest.raises(RuntimeError, match="cannot go back"):
        undo.undo()
    selection.replace([1])
    undo.undo()
    assert len(selection) == 0


# Merging


def test_edits_of_one_key_in_a_row_are_one(undo: Undo) -> None:
    done: list[str] = []
    for number, merge in enumerate(["a", "a", "a", "b", "a", "", ""]):
        back, again = partial(done.append, f"-{number}"), partial(done.append, f"+{number}")
        undo.push(Edit(f"Step {number}", back, again, merge))
    assert undo.undo_text == "Step 6"
    for _ in range(5):
        undo.undo()
    assert not undo.can_undo
    assert undo.redo_text == "Step 0"
    for _ in range(5):
        undo.redo()
    assert not undo.can_redo
    assert done == ["-6", "-5", "-4", "-3", "-0", "+2", "+3", "+4", "+5", "+6"]


def test_an_edit_after_an_undo_is_one_of_its_own(undo: Undo) -> None:
    for merge in ("a", "b"):
        undo.push(Edit("Step", lambda: None, lambda: None, merge))
    undo.undo()
    undo.push(Edit("Step", lambda: None, lambda: None, "a"))
    assert not undo.can_redo
    assert undo._stack.count() == 2


_coordinates = st.sampled_from([-9.0, -1.5, 0.0, 0.25, 2.0])
_moves = st.one_of(
    st.tuples(st.sampled_from(["move", "scrub", "nudge"]), st.tuples(_coordinates, _coordinates)),
    st.tuples(st.sampled_from(["rest", "random", "back", "forward"]), st.just(())),
)


def _ignore(*_: object) -> None:
    pass


@given(st.lists(_moves, max_size=40), st.integers(0, 10))
def test_any_moves_of_the_cursor_go_back_and_forth(
    qapp: QApplication, moves: list[tuple[str, tuple[float, ...]]], steps: int
) -> None:
    undo, cursor = (
        Undo(),
        Cursor(
            Decoding(LatentMap(Tasks(Jobs(_ignore), _ignore), _ignore, mnist_dataset()), _ignore)
        ),
    )
    cursor.edited.connect(undo.push)
    ways = [(False, False)]
    cursor.visits_changed.connect(lambda back, forward: ways.append((back, forward)))
    for way, arguments in moves:
        getattr(cursor, way)(*arguments)
    end = cursor.position
    for _ in range(steps):
        undo.undo()
    for _ in range(steps):
        undo.redo()
    assert cursor.position == end
    while undo.can_undo:
        undo.undo()
    assert (cursor.position, ways[-1]) == ((0.0, 0.0), (False, False))
    while undo.can_redo:
        undo.redo()
    assert cursor.position == end


@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.long) for n in (1, 2))])
def test_any_edits_of_the_window_go_back_and_forth(person: Person, seed: int) -> None:
    """Moves, pins and selections, in any order: undone to the start, and redone to the end."""
    window, random = person.window, np.random.default_rng(seed)
    app, actions = window.app, window.actions_
    cursor, pins, selection, search = (app.cursor, app.pins, app.selection, app.search)

    def row() -> int:
        return int(random.integers(600))

    def rows() -> Int64:
        return random.integers(600, size=random.integers(1, 50))

    def slide() -> None:
        for _ in range(3):
            cursor.scrub(*random.uniform(-7, 7, 2).tolist())

    ways: list[Callable[[], object]] = [
        lambda: cursor.move(*random.uniform(-7, 7, 2).tolist()),
        lambda: cursor.nudge(*random.normal(size=2).tolist()),
        slide,
        cursor.rest,
        cursor.random,
        cursor.back,
        cursor.forward,
        lambda: cursor.go_to(window.map.class_places(), int(random.integers(10)), "0"),
        lambda: app.pinning.pin(row()),
        lambda: app.pinning.pin(row(), add=True),
        lambda: pins.remove("train", int(random.choice(person.pins or [0]))),
        pins.clear,
        app.arithmetic.add_attribute,
        lambda: app.pinning.find("train", row()),
        lambda: selection.replace(rows()),
        lambda: selection.add(rows()),
        lambda: selection.remove(rows()),
        selection.invert,
        selection.clear,
        lambda: search.labels(frozenset(random.integers(10, size=3).tolist())),
    ]

    def state() -> tuple[object, ...]:
        current = pins.current and pins.current.index
        ways_on = actions["back"].isEnabled(), actions["forward"].isEnabled()
        return cursor.position, ways_on, person.pins, current, person.selected

    start = state()
    for _ in range(MOST_EDITS):
        ways[random.integers(len(ways))]()
    cursor.rest()
    states = [state()]
    assert states[0] != start
    while actions["undo"].isEnabled():
        person.trigger("undo")
        states.append(state())
    assert states[-1] == start
    assert len(states) > MOST_EDITS / 4
    for wanted in states[-2::-1]:
        person.trigger("redo")
        assert state() == wanted
    assert not actions["redo"].isEnabled()


def test_a_scrub_is_undone_at_once_and_the_next_alone(undo: Undo, cursor: Cursor) -> None:
    cursor.edited.connect(undo.push)
    for start in (1.0, 2.0):
        for step in range(20):
            cursor.scrub(start + step / 100, 0.0)
        cursor.rest()
    undo.undo()
    assert cursor.position == (1.19, 0.0)
    undo.undo()
    assert cursor.position == (0.0, 0.0)
    undo.redo()
    cursor.scrub(5.0, 0.0)
    undo.undo()
    assert cursor.position == (1.19, 0.0)
