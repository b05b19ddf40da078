"""The cursor: where it may be, what of its moves can be undone, and the way back."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vae_explorer.data.bundled import mnist_dataset
from vae_explorer.errors import UserError
from vae_explorer.session.edits import Edit
from vae_explorer.session.explore.cursor import LATENT_LIMIT, MOST_VISITS, Bookmark, Cursor
from vae_explorer.session.explore.decoding import Decoded, Decoding
from vae_explorer.session.jobs import Jobs
from vae_explorer.session.map.latent_map import LatentMap
from vae_explorer.session.tasks import Tasks
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.types import LatentPoint

A, B, C = (1.0, 0.5), (-2.0, 3.0), (0.25, -4.0)


class Desk:
    """A cursor and what it says; ``show`` draws the next frame."""

    def __init__(self, decoding: Decoding) -> None:
        self.cursor = Cursor(decoding)
        self.positions: list[LatentPoint] = []
        self.edits: list[Edit] = []
        self.ways: list[tuple[bool, bool]] = []
        self.pictures: list[Decoded] = []
        self.bookmarks: list[tuple[Bookmark, ...]] = []
        self.show = decoding.flush
        self.heard = [
            self.cursor.changed.connect(lambda z1, z2: self.positions.append((z1, z2))),
            self.cursor.edited.connect(self.edits.append),
            self.cursor.visits_changed.connect(
                lambda back, forward: self.ways.append((back, forward))
            ),
            self.cursor.bookmarks_changed.connect(self.bookmarks.append),
            decoding.decoded.connect(self.pictures.append),
        ]

    def trace(self, step: str, times: int) -> list[LatentPoint]:
        """Where ``times`` steps back or forward lead."""
        positions = []
        for _ in range(times):
            getattr(self.cursor, step)()
            positions.append(self.cursor.position)
        return positions


@pytest.fixture
def desk(latent_map: LatentMap) -> Desk:
    return Desk(Decoding(latent_map, lambda _: None))


# Where it may be


def _ignore(*_: object) -> None:
    pass


@given(st.floats(), st.floats(), st.sampled_from(["move", "scrub", "nudge"]))
def test_it_stays_within_the_limit(z1: float, z2: float, way: str) -> None:
    cursor = Cursor(
        Decoding(LatentMap(Tasks(Jobs(_ignore), _ignore), _ignore, mnist_dataset()), _ignore)
    )
    getattr(cursor, way)(z1, z2)
    if math.isfinite(z1) and math.isfinite(z2):
        assert cursor.position == tuple(np.clip([z1, z2], -LATENT_LIMIT, LATENT_LIMIT))
    else:
        assert cursor.position == (0.0, 0.0)


def test_every_move_is_told_and_drawn(desk: Desk, trained: Snapshot) -> None:
    desk.cursor.move(1.5, 100.0)
    desk.cursor.move(1.5, 6.0)
    desk.cursor.move(math.nan, 0.0)
    desk.cursor.scrub(math.inf, 0.0)
    desk.cursor.nudge(0.25, -1.0)
    assert desk.positions == [(1.5, LATENT_LIMIT), (1.75, 5.0)]
    desk.show()
    assert [picture.z for picture in desk.pictures] == [(1.75, 5.0)]
    wanted = trained.model.decode(np.array([[1.75, 5.0]]))[0]
    np.testing.assert_array_equal(desk.pictures[0].image, wanted)


def test_a_preview_leaves_it_and_goes_back(desk: Desk) -> None:
    desk.cursor.move(*A)
    for z in ((-3.0, 90.0), None, (math.nan, 0.0)):
        desk.cursor.preview(z)
        desk.show()
    shown = [(picture.z, picture.preview) for picture in desk.pictures]
    assert shown == [((-3.0, LATENT_LIMIT), True), (A, False)]
    desk.cursor.preview(B)
    desk.cursor.move(*A)
    desk.show()
    assert (desk.pictures[-1].z, desk.pictures[-1].preview) == (A, False)
    assert desk.positions == [A]


def test_draws_follow_the_prior(desk: Desk, cursor: Cursor) -> None:
    drawn = []
    for _ in range(2_000):
        desk.cursor.random()
        drawn.append(desk.cursor.position)
    # 4 standard errors of the mean, the variance and the correlation of 2,000 draws.
    assert np.abs(np.mean(drawn, axis=0)).max() < 4 / math.sqrt(2_000)
    assert np.abs(np.cov(np.transpose(drawn)) - np.eye(2)).max() < 4 * math.sqrt(2 / 2_000)
    cursor.random()
    assert cursor.position == drawn[0], "the same draws every time"


def test_a_digit_without_a_place_leads_nowhere(desk: Desk) -> None:
    positions = {3: A, 7: (9.0, 0.0)}
    for digit in (3, 5, 7):
        desk.cursor.go_to(positions, digit, f"no. {digit}")
    assert desk.positions == [A, (LATENT_LIMIT, 0.0)]
    assert [edit.text for edit in desk.edits] == ["Go to Class no. 3", "Go to Class no. 7"]


# Edits


def test_every_kind_of_move_can_be_undone_and_done_again(desk: Desk) -> None:
    cursor = desk.cursor
    cursor.bookmark("origin")
    cursor.move(*A)
    cursor.scrub(*B)
    cursor.nudge(0.5, 0.0)
    cursor.random()
    cursor.go_to({1: C}, 1, "1")
    cursor.back()
    cursor.forward()
    cursor.visit("origin")
    texts = ["Move Cursor", "Scrub", "Nudge", "Random Position", "Go to Class 1", "Back", "Forward"]
    assert [edit.text for edit in desk.edits] == [*texts, "Go to “origin”"]
    told = [(0.0, 0.0), *desk.positions]
    for edit, position in zip(reversed(desk.edits), reversed(told[:-1]), strict=True):
        edit.undo()
        assert cursor.position == position
    assert desk.ways[-1] == (False, False), "nothing was visited yet"
    for edit, position in zip(desk.edits, told[1:], strict=True):
        edit.redo()
        assert cursor.position == position
    assert len(desk.edits) == len(texts) + 1, "to undo is no edit"
    desk.show()
    assert desk.pictures[-1].z == (0.0, 0.0)


def test_what_moves_nothing_is_no_edit(desk: Desk) -> None:
    desk.cursor.move(0.0, 0.0)
    desk.cursor.back()
    desk.cursor.forward()
    desk.cursor.move(6.0, 0.0)
    desk.cursor.nudge(0.1, 0.0)
    assert len(desk.edits) == len(desk.positions) == 1


def test_a_scrub_merges_until_it_rests(desk: Desk) -> None:
    cursor = desk.cursor
    cursor.scrub(*A)
    cursor.scrub(*B)
    cursor.rest()
    cursor.scrub(*C)
    cursor.nudge(0.5, 0.0)
    cursor.nudge(0.5, 0.0)
    cursor.scrub(*A)
    desk.edits[-1].undo()
    cursor.scrub(*B)
    keys = [edit.merge for edit in desk.edits]
    runs = [keys[0:2], keys[2:3], keys[3:5], keys[5:6], keys[6:7]]
    assert all(len(set(run)) == 1 for run in runs)
    assert len({run[0] for run in runs} - {""}) == len(runs)
    cursor.move(*A)
    assert desk.edits[-1].merge == ""


# Visits


def test_back_and_forward_go_through_where_it_jumped_or_rested(desk: Desk) -> None:
    cursor = desk.cursor
    cursor.move(*A)
    for share in np.linspace(0.1, 1.0, 10).tolist():
        cursor.scrub(share * B[0], share * B[1])
    cursor.move(*C)
    assert desk.trace("back", 4) == [B, A, (0.0, 0.0), (0.0, 0.0)]
    assert desk.trace("forward", 4) == [A, B, C, C]
    assert desk.ways == [(True, False), (True, True), (False, True), (True, True), (True, False)]


def test_a_new_move_ends_what_lay_ahead(desk: Desk) -> None:
    for position in (A, B):
        desk.cursor.move(*position)
    desk.cursor.back()
    desk.cursor.scrub(*C)
    assert desk.ways[-1] == (True, False)
    assert desk.trace("back", 2) == [A, (0.0, 0.0)], "from the end of the scrub"
    assert desk.trace("forward", 3) == [A, C, C]


def test_the_last_hundred_visits_are_kept(desk: Desk) -> None:
    for step in range(150):
        desk.cursor.move(step / 100, 1.0)
    assert len(set(desk.trace("back", 200))) == MOST_VISITS - 1
    assert desk.cursor.position == (0.5, 1.0)


# Bookmarks


def test_marked_places_are_come_back_to(desk: Desk) -> None:
    cursor = desk.cursor
    cursor.move(*A)
    cursor.bookmark("  a six ")
    cursor.move(*B)
    cursor.bookmark("a two")
    cursor.visit("a six")
    assert cursor.position == A
    cursor.bookmark("a two")  # replaced
    cursor.forget("a six")
    assert cursor.bookmarks == (Bookmark("a two", A),)
    assert [len(marks) for marks in desk.bookmarks] == [1, 2, 2, 1]


def test_names_that_are_none_are_refused(desk: Desk) -> None:
    with pytest.raises(UserError, match="no name"):
        desk.cursor.bookmark("  ")
    for use in (desk.cursor.visit, desk.cursor.forget):
        with pytest.raises(UserError, match="“x”; add one first"):
            use("x")
    desk.cursor.bookmark("here")
    with pytest.raises(UserError, match="choose one of “here”"):
        desk.cursor.visit("x")
    assert not desk.positions
    assert not desk.edits


def test_to_reset_is_no_edit_and_no_visit(desk: Desk) -> None:
    desk.cursor.move(*A)
    desk.cursor.bookmark("gone")
    desk.cursor.reset((9.0, 1.0), [Bookmark("there", C)])
    assert desk.positions == [A, (LATENT_LIMIT, 1.0)]
    assert (len(desk.edits), desk.ways[-1]) == (1, (False, False))
    assert desk.bookmarks[-1] == desk.cursor.bookmarks == (Bookmark("there", C),)
