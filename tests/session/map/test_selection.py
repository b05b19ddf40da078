import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vae_explorer.errors import UserError
from vae_explorer.session.edits import Edit
from vae_explorer.session.map.selection import Selection, inside
from vae_explorer.session.map.state import Mode
from vae_explorer.types import Float64

TOTAL = 12
Step = Callable[[Selection], None]


@pytest.fixture
def selection() -> Selection:
    selection = Selection()
    selection.reset(70_000, "digits")
    return selection


def edits_of(selection: Selection) -> list[Edit]:
    edits: list[Edit] = []
    selection.edited.connect(edits.append)
    return edits


# Changes


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["replace", "add", "remove", "invert", "clear"]),
            st.lists(st.integers(0, TOTAL - 1)),
        )
    )
)
def test_it_is_a_set_that_can_go_back_and_forth(steps: list[tuple[str, list[int]]]) -> None:
    selection = Selection()
    selection.reset(TOTAL, "some")
    edits = edits_of(selection)
    expected: set[int] = set()
    states = [expected]
    for step, indices in steps:
        if step in ("invert", "clear"):
            getattr(selection, step)()
        else:
            getattr(selection, step)(indices)
        expected = {
            "replace": set(indices),
            "add": expected | set(indices),
            "remove": expected - set(indices),
            "invert": set(range(TOTAL)) - expected,
            "clear": set(),
        }[step]
        if expected != states[-1]:
            states.append(expected)
        assert selection.indices.tolist() == sorted(expected)
    told = len(edits)
    assert told == len(states) - 1, "one edit a change"
    for edit, before in zip(reversed(edits), states[-2::-1], strict=True):
        edit.undo()
        assert selection.indices.tolist() == sorted(before)
    for edit, after in zip(list(edits), states[1:], strict=True):
        edit.redo()
        assert selection.indices.tolist() == sorted(after)
    assert len(edits) == told, "going back and forth is no edit"


def test_indices_are_sorted_once_each_and_counted(selection: Selection) -> None:
    selection.replace([69_999, 3, 3, 0])
    assert selection.indices.dtype == np.int64
    assert selection.indices.tolist() == [0, 3, 69_999]
    assert len(selection) == 3
    assert selection.summary() == "3 of 70,000"
    selection.invert()
    assert selection.summary() == "69,997 of 70,000"


def test_the_rows_of_a_map_that_shows_some_images(selection: Selection) -> None:
    selection.replace([2, 40, 60_000])
    rows = np.array([60_000, 1, 2, 39, 40])
    assert selection.mask(rows).tolist() == [True, False, True, False, True]


@pytest.mark.parametrize(
    ("mode", "result"), [("replace", [2, 3]), ("add", [1, 2, 3]), ("remove", [1])]
)
def test_a_mode_says_what_becomes_of_them(
    selection: Selection, mode: Mode, result: list[int]
) -> None:
    selection.replace([1, 2])
    selection.combine([2, 3], mode)
    assert selection.indices.tolist() == result


def test_edits_are_told_after_the_change_and_named(selection: Selection) -> None:
    told: list[object] = []
    selection.changed.connect(lambda indices: told.append(indices.tolist()))
    selection.edited.connect(lambda edit: told.append(edit.text))
    selection.replace([5], "Find Image")
    selection.replace([5], "Find Image")
    selection.clear()
    assert told == [[5], "Find Image", [], "Clear Selection"]


@pytest.mark.parametrize("index", [-1, 70_000])
def test_images_that_do_not_exist_are_refused(selection: Selection, index: int) -> None:
    selection.replace([1])
    for change in (selection.replace, selection.add, selection.remove):
        with pytest.raises(IndexError, match="0 to 69999"):
            change([index])
    assert selection.indices.tolist() == [1]


# Other data, and names


def test_other_data_start_empty_and_old_edits_leave_them_alone(selection: Selection) -> None:
    selection.replace([1, 2])
    edits = edits_of(selection)
    selection.clear()
    selection.reset(10, "others")
    assert selection.summary() == "0 of 10"
    selection.replace([7])
    edits[0].undo()
    assert selection.indices.tolist() == [7]
    assert len(edits) == 2


def test_saved_selections_come_back_with_their_data(selection: Selection) -> None:
    told: list[tuple[str, ...]] = []
    selection.names_changed.connect(told.append)
    selection.replace([1, 2])
    selection.save("  twos ")
    selection.clear()
    selection.save("none")
    selection.reset(10, "others")
    selection.reset(70_000, "digits")
    assert selection.summary() == "0 of 70,000"
    edits = edits_of(selection)
    selection.recall("twos")
    assert selection.indices.tolist() == [1, 2]
    assert [edit.text for edit in edits] == ["Recall “twos”"]
    selection.forget("none")
    assert told == [("twos",), ("twos", "none"), (), ("twos", "none"), ("twos",)]


def test_a_saved_selection_stays_as_it_was_and_may_be_replaced(selection: Selection) -> None:
    selection.replace([1])
    selection.save("mine")
    selection.add([2])
    selection.recall("mine")
    assert selection.indices.tolist() == [1]
    selection.replace([9])
    selection.save("mine")
    selection.clear()
    selection.recall("mine")
    assert selection.indices.tolist() == [9]
    assert selection.names == ("mine",)


def test_names_that_are_none_say_what_to_do(selection: Selection) -> None:
    with pytest.raises(UserError, match="type one"):
        selection.save("  ")
    with pytest.raises(UserError, match="save one first"):
        selection.recall("mine")
    selection.save("yours")
    for use in (selection.recall, selection.forget):
        with pytest.raises(UserError, match="“mine”; choose one of “yours”"):
            use("mine")


# Polygons


def odd_windings(polygon: Float64, place: Float64) -> bool:
    """Whether the polygon goes round the point an odd number of times, by the angles it turns."""
    turns = 0.0
    for start, end in zip(polygon, np.roll(polygon, -1, 0), strict=True):
        (x1, y1), (x2, y2) = (start - place).tolist(), (end - place).tolist()
        turns += math.atan2(x1 * y2 - y1 * x2, x1 * x2 + y1 * y2)
    return round(turns / math.tau) % 2 == 1


def on_the_edge(polygon: Float64, place: Float64) -> bool:
    for start, end in zip(polygon, np.roll(polygon, -1, 0), strict=True):
        (x1, y1), (x2, y2) = ((Fraction(x), Fraction(y)) for x, y in (start - place, end - place))
        if x1 * y2 == y1 * x2 and x1 * x2 + y1 * y2 <= 0:
            return True
    return False


@pytest.mark.parametrize("seed", range(8))
def test_inside_against_winding_numbers(seed: int) -> None:
    rng = np.random.default_rng(seed)
    polygon = rng.normal(size=(rng.integers(3, 40), 2))
    positions = rng.normal(size=(300, 2)).astype(np.float32)
    expected = [odd_windings(polygon, place) for place in positions.astype(np.float64)]
    assert inside(polygon, positions).tolist() == expected


@pytest.mark.parametrize("seed", range(8))
def test_corners_and_level_edges_beside_a_place_count_once(seed: int) -> None:
    """On a lattice nearly every ray meets corners, and many edges are level or upright."""
    rng = np.random.default_rng(seed)
    polygon = rng.integers(-3, 4, size=(rng.integers(3, 12), 2)).astype(np.float64)
    axis = np.arange(-4.0, 5.0)
    lattice = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    places = np.array([place for place in lattice if not on_the_edge(polygon, place)])
    expected = [odd_windings(polygon, place) for place in places]
    assert inside(polygon, places).tolist() == expected


def test_a_ring_has_a_hole() -> None:
    angles = np.linspace(0, math.tau, 200)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    ring = np.vstack([2 * circle, circle])
    positions = np.random.default_rng(1).normal(size=(20_000, 2)).astype(np.float32)
    radius = np.hypot(*positions.T)
    clear = (np.abs(radius - 1) > 1e-3) & (np.abs(radius - 2) > 1e-3)  # a circle of 200 corners
    expected = (radius > 1) & (radius < 2)
    assert (inside(ring, positions) == expected)[clear].all()


def test_what_is_not_there_is_not_inside() -> None:
    square = np.array([(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)])
    positions = np.array([(0, 0), (np.nan, 0), (0, np.nan), (np.inf, 0)], np.float32)
    assert inside(square, positions).tolist() == [True, False, False, False]
    assert inside(square, np.empty((0, 2), np.float32)).tolist() == []
    for corners in range(3):
        assert not inside(square[:corners], positions).any()
