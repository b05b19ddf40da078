"""Which images are on the map, and where, on small sets and tiny models."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.stand_ins import MainThread
from vae_explorer.data.bundled import in_both, mnist_dataset
from vae_explorer.data.dataset import ImageSet
from vae_explorer.latent.figures import own_draws
from vae_explorer.latent.quadrature import exact_posterior
from vae_explorer.model.trained import Posterior, TrainedVAE
from vae_explorer.session.map.latent_map import LatentMap, MapChoice
from vae_explorer.session.map.point_index import PointIndex
from vae_explorer.session.map.state import MapPoints, MapState
from vae_explorer.session.tasks import Tasks
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.types import Split

MIRRORED = np.array([[-0.6, 0.8], [0.8, 0.6]])
"""First z₁ is mirrored, then all turned by −53°."""


class Room:
    """A map and what it tells."""

    def __init__(self, tasks: Tasks, main: MainThread) -> None:
        self.said: list[str] = []
        self.map = LatentMap(tasks, self.said.append, mnist_dataset())
        self.states: list[tuple[MapState, MapState | None]] = []
        self.index: PointIndex | None = None
        self._main = main
        self.map.changed.connect(lambda new, old: self.states.append((new, old)))
        self.map.index_changed.connect(lambda index: setattr(self, "index", index))

    def encode(
        self, snapshot: Snapshot, split: Split = "train", kind: str = "mean", align: bool = False
    ) -> MapPoints:
        self.map.choose(MapChoice(split, kind, align))
        self.map.show(snapshot, "model", None)
        self._main.run()
        return self.points

    def move(self, snapshot: Snapshot, model: TrainedVAE) -> None:
        indices, images = self.map.live_images(200)
        if self.map.points is not None and len(self.points.indices) == len(indices):
            indices = self.points.indices
        moved = replace(snapshot, model=model)
        self.map.move(moved, "training", model.encode(images), indices, moving=True)

    @property
    def state(self) -> MapState:
        assert self.map.state is not None
        return self.map.state

    @property
    def points(self) -> MapPoints:
        assert self.map.points is not None
        return self.map.points

    @property
    def posterior(self) -> Posterior:
        assert self.state.posterior is not None
        return self.state.posterior


@pytest.fixture
def room(tasks: Tasks, main: MainThread, small_mnist: dict[str, ImageSet]) -> Room:
    return Room(tasks, main)


# Kinds of points


def test_samples_are_from_q_and_the_same_each_time(room: Room, trained: Snapshot) -> None:
    points = room.encode(trained, kind="sample")
    assert points.kind == "sample from q(z|x)"
    away = (points.positions - room.posterior.mean).astype(np.float64)
    precision = np.linalg.inv(room.posterior.covariance.astype(np.float64))
    squares = np.einsum("ni,nij,nj->n", away, precision, away)
    # χ² with two degrees of freedom: mean 2, variance 4.
    assert squares.mean() == pytest.approx(2, abs=4 * 2 / 600**0.5)
    np.testing.assert_array_equal(room.encode(trained, kind="sample").positions, points.positions)


def test_exact_codes_are_means_of_p_of_z_given_each_image_s_own_draw(
    room: Room, trained: Snapshot, small_mnist: dict[str, ImageSet]
) -> None:
    points = room.encode(trained, "test", "exact")
    some = np.array([0, 7, 299])
    x = own_draws(trained.model, small_mnist["test"].images[some], in_both("test", some))
    exact = exact_posterior(trained.model, x)
    np.testing.assert_allclose(points.positions[some], exact.mean, atol=1e-4)
    assert room.said == ["Encoding 300 images", "", "Exact codes: 300 of 300", ""]


# Rows and images


def test_rows_of_both_splits_lead_to_their_images_and_back(
    room: Room, trained: Snapshot, small_mnist: dict[str, ImageSet]
) -> None:
    assert room.map.row("train", 0) == -1
    points = room.encode(trained, "both")
    assert (points.total, len(points.positions)) == (900, 900)
    for row, expected in ((0, ("train", 0)), (599, ("train", 599)), (600, ("test", 0))):
        split, index = points.origin(row)
        assert (split, index) == expected
        assert room.map.row(split, index) == row
        thumbnail = room.map.thumbnail(row)
        np.testing.assert_array_equal(thumbnail.image, small_mnist[split].images[index])
    assert room.map.row("test", 300) == -1
    assert room.index is not None
    assert room.index.positions is points.positions


def test_of_some_images_only_theirs_have_rows(room: Room, trained: Snapshot) -> None:
    room.map.choose(MapChoice("test"))
    indices, images = room.map.live_images(100)
    assert indices.tolist() == list(range(0, 300, 3))
    room.map.move(trained, "run", trained.model.encode(images), indices, moving=True)
    found = [room.map.row("test", index) for index in range(300)]
    assert found == [index // 3 if index % 3 == 0 else -1 for index in range(300)]
    assert room.map.row("train", 0) == -1


# Alignment


def test_a_turned_model_is_turned_back(room: Room, trained: Snapshot) -> None:
    before = room.encode(trained).positions
    turned = replace(trained, model=trained.model.turned(MIRRORED))
    assert np.abs(room.encode(turned).positions - before).max() > 0.5
    room.encode(trained)
    after = room.encode(turned, align=True)
    np.testing.assert_allclose(after.positions, before, atol=1e-4)
    assert after.orientation == "aligned: mirrored and turned by −53°"


def test_after_aligning_images_lie_nearer_to_where_they_lay(
    room: Room, trained: Snapshot, other: Snapshot, digits: ImageSet
) -> None:
    reference = room.encode(trained, align=True)
    assert reference.orientation == "", "there was nothing to align it to"
    points = room.encode(other, align=True)
    plain = other.model.encode(digits.images).mean
    away = [np.square(places - reference.positions).sum() for places in (plain, points.positions)]
    assert away[1] < away[0]
    assert points.orientation.startswith("aligned: ")
    assert "turned" in points.orientation or "mirrored" in points.orientation

    shown = room.state.model
    posterior = shown.encode(digits.images)
    np.testing.assert_allclose(posterior.mean, points.positions, atol=1e-5)
    np.testing.assert_allclose(posterior.covariance, room.posterior.covariance, atol=1e-5)
    np.testing.assert_allclose(
        shown.decode(points.positions[:9]), other.model.decode(plain[:9]), atol=1e-4
    )


def test_the_plane_stays_turned_when_other_images_come(
    room: Room, trained: Snapshot, other: Snapshot
) -> None:
    room.encode(trained)
    aligned = room.encode(other, align=True)
    shown = room.state.model
    both = room.encode(other, "both", align=True)
    np.testing.assert_array_equal(both.positions[:600], aligned.positions)
    assert both.orientation == aligned.orientation != ""
    assert room.state.model is shown, "so what is known of its images is not forgotten"
    assert room.state.before is not aligned, "the model is the same; nothing has moved"


def test_a_model_is_aligned_by_the_images_that_were_shown(
    room: Room, trained: Snapshot, other: Snapshot
) -> None:
    room.encode(trained)
    aligned = room.encode(other, align=True)
    room.encode(trained)
    of_others = room.encode(other, "test", align=True)
    assert of_others.orientation == aligned.orientation


# What is on the map


def test_no_state_has_a_model_and_points_of_another(
    room: Room, trained: Snapshot, other: Snapshot, digits: ImageSet
) -> None:
    """Opened, moved, shown whole and aligned: q(z|x) is always the model's own."""
    room.encode(trained)
    room.encode(other, align=True)
    room.move(trained, trained.model)
    room.move(other, other.model)
    room.encode(other, kind="sample")
    assert [state.snapshot.model for state, _ in room.states] == [
        trained.model,  # at start-up it can be decoded before its images are encoded
        *(snapshot.model for snapshot in (trained, other, trained, other, other)),
    ]
    first, *others = (state for state, _ in room.states)
    assert (first.points, first.posterior) == (None, None)
    for state in others:
        assert state.points is not None
        assert state.posterior is not None
        expected = state.model.encode(digits.images[state.points.indices])
        np.testing.assert_allclose(state.posterior.mean, expected.mean, atol=1e-5)
        np.testing.assert_allclose(state.posterior.covariance, expected.covariance, atol=1e-5)
    assert [old for _, old in room.states] == [None, *(new for new, _ in room.states[:-1])]


def test_a_model_that_was_saved_goes_by_its_file(
    room: Room, trained: Snapshot, other: Snapshot, main: MainThread
) -> None:
    room.encode(trained)
    points = room.points
    room.map.rename(other, "not this one", Path("other"))
    assert len(room.states) == 2
    room.map.choose(MapChoice("test"))
    room.map.rename(trained, "saved", Path("saved"))
    assert (room.state.name, room.state.path) == ("saved", Path("saved"))
    assert room.points is points
    main.run()
    assert (room.state.name, room.state.path) == ("saved", Path("saved")), "as the split comes"


def test_choosing_leaves_a_model_that_moves_as_it_is(
    room: Room, trained: Snapshot, main: MainThread
) -> None:
    room.encode(trained)
    room.move(trained, trained.model)
    live = room.state
    room.map.choose(MapChoice(kind="sample"))
    main.run()
    assert room.state is live


def test_moves_keep_the_orientation_and_tell_where_points_came_from(
    room: Room, trained: Snapshot
) -> None:
    full = room.encode(trained, align=True)
    images = room.map.live_images(200)[1]
    live: list[MapPoints] = []
    for rotation in (MIRRORED, np.eye(2), MIRRORED.T):
        before = room.points
        room.move(trained, trained.model.turned(rotation))
        live.append(room.points)
        assert room.state.before is before
        assert room.state.moving
        np.testing.assert_allclose(live[-1].positions, full.positions[::3], atol=1e-4)
        np.testing.assert_allclose(
            room.state.model.encode(images).mean, full.positions[::3], atol=1e-4
        )
    assert room.state.start is live[0]
    room.map.begin_run()
    room.move(trained, trained.model)
    assert room.state.start is room.points
