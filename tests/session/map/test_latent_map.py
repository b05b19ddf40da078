"""Which images are on the map, and where, on small sets and tiny models."""

from typing import TYPE_CHECKING

import numpy as np
import pytest

from vae_explorer.data.dataset import ImageSet
from vae_explorer.latent.figures import own_draws
from vae_explorer.latent.quadrature import exact_posterior
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.session.jobs import Jobs
from vae_explorer.session.map.latent_map import LatentMap
from vae_explorer.session.map.place_index import PlaceIndex
from vae_explorer.session.state import MapPoints, draw_seeds
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.types import Float32

if TYPE_CHECKING:
    from tests.support.stand_ins import Failures, MainThread

MIRRORED = np.array([[-0.6, 0.8], [0.8, 0.6]])
"""First z₁ is mirrored, then all turned by −53°."""


class Room:
    """A map and what it tells."""

    def __init__(self, jobs: Jobs, main: "MainThread", failures: "Failures") -> None:
        self.said: list[str] = []
        self.map = LatentMap(jobs, failures, self.said.append)
        self.models: list[TrainedVAE] = []
        self.index: PlaceIndex | None = None
        self._main = main
        self.map.turned.connect(self.models.append)
        self.map.index_changed.connect(lambda index: setattr(self, "index", index))

    def encode(
        self, model: TrainedVAE, split: str = "train", kind: str = "mean", align: bool = False
    ) -> MapPoints:
        self.map.encode(model, split, kind, align)
        self._main.run()
        assert self.map.points is not None
        return self.map.points


@pytest.fixture
def room(
    inline_jobs: Jobs, main: "MainThread", failures: "Failures", small_mnist: dict[str, ImageSet]
) -> Room:
    return Room(inline_jobs, main, failures)


# Kinds of points


def test_samples_are_from_q_and_the_same_each_time(room: Room, trained: Snapshot) -> None:
    points = room.encode(trained.model, kind="sample")
    assert points.kind == "sample from q(z|x)"
    assert room.map.posterior is not None
    away = (points.positions - room.map.posterior.mean).astype(np.float64)
    precision = np.linalg.inv(room.map.posterior.covariance.astype(np.float64))
    squares = np.einsum("ni,nij,nj->n", away, precision, away)
    # χ² with two degrees of freedom: mean 2, variance 4.
    assert squares.mean() == pytest.approx(2, abs=4 * 2 / 600**0.5)
    np.testing.assert_array_equal(
        room.encode(trained.model, kind="sample").positions, points.positions
    )


def test_exact_codes_are_means_of_p_of_z_given_each_image_s_own_draw(
    room: Room, trained: Snapshot, small_mnist: dict[str, ImageSet]
) -> None:
    points = room.encode(trained.model, "test", "exact")
    some = np.array([0, 7, 299])
    x = own_draws(trained.model, small_mnist["test"].images[some], draw_seeds("test", some))
    exact = exact_posterior(trained.model, x)
    np.testing.assert_allclose(points.positions[some], exact.mean, atol=1e-4)
    assert room.said == ["Exact codes: 300 of 300", ""]


# Rows and images


def test_rows_of_both_splits_lead_to_their_images_and_back(
    room: Room, trained: Snapshot, small_mnist: dict[str, ImageSet]
) -> None:
    assert room.map.row("train", 0) == -1
    points = room.encode(trained.model, "both")
    assert (points.total, len(points.positions)) == (900, 900)
    for row, split, index in ((0, "train", 0), (599, "train", 599), (600, "test", 0)):
        assert points.origin(row) == (split, index)
        assert room.map.row(split, index) == row
        thumbnail = room.map.thumbnail(row)
        np.testing.assert_array_equal(thumbnail.image, small_mnist[split].images[index])
    assert room.map.row("test", 300) == -1
    assert room.index is not None
    assert room.index.positions is points.positions


def test_of_some_images_only_theirs_have_rows(room: Room, trained: Snapshot) -> None:
    indices, images = room.map.live_images("test", 100)
    assert indices.tolist() == list(range(0, 300, 3))
    room.map.move(trained.model, trained.model.encode(images), "test", indices, align=False)
    found = [room.map.row("test", index) for index in range(300)]
    assert found == [index // 3 if index % 3 == 0 else -1 for index in range(300)]
    assert room.map.row("train", 0) == -1


# Alignment


def test_a_turned_model_is_turned_back(room: Room, trained: Snapshot) -> None:
    before = room.encode(trained.model).positions
    turned = trained.model.turned(MIRRORED)
    assert np.abs(room.encode(turned).positions - before).max() > 0.5
    room.encode(trained.model)
    after = room.encode(turned, align=True)
    np.testing.assert_allclose(after.positions, before, atol=1e-4)
    assert after.orientation == "aligned: mirrored and turned by −53°"


def test_after_aligning_images_lie_nearer_to_where_they_lay(
    room: Room, trained: Snapshot, other: Snapshot, digits: ImageSet
) -> None:
    reference = room.encode(trained.model, align=True)
    assert reference.orientation == "", "there was nothing to align it to"
    points = room.encode(other.model, align=True)
    plain = other.model.encode(digits.images).mean
    away = [np.square(places - reference.positions).sum() for places in (plain, points.positions)]
    assert away[1] < away[0]
    assert points.orientation.startswith("aligned: ")
    assert "turned" in points.orientation or "mirrored" in points.orientation

    shown = room.models[-1]
    posterior = shown.encode(digits.images)
    np.testing.assert_allclose(posterior.mean, points.positions, atol=1e-5)
    assert room.map.posterior is not None
    np.testing.assert_allclose(posterior.covariance, room.map.posterior.covariance, atol=1e-5)
    np.testing.assert_allclose(
        shown.decode(points.positions[:9]), other.model.decode(plain[:9]), atol=1e-4
    )


def test_the_plane_stays_turned_when_other_images_come(
    room: Room, trained: Snapshot, other: Snapshot
) -> None:
    room.encode(trained.model)
    aligned = room.encode(other.model, align=True)
    shown = room.models[-1]
    both = room.encode(other.model, "both", align=True)
    np.testing.assert_array_equal(both.positions[:600], aligned.positions)
    assert both.orientation == aligned.orientation != ""
    assert room.models[-1] is shown, "so what is known of its images is not forgotten"
    assert room.map.before is not aligned, "the model is the same; nothing has moved"


def test_a_model_is_aligned_by_the_images_that_were_shown(
    room: Room, trained: Snapshot, other: Snapshot
) -> None:
    room.encode(trained.model)
    aligned = room.encode(other.model, align=True)
    room.encode(trained.model)
    of_others = room.encode(other.model, "test", align=True)
    assert of_others.orientation == aligned.orientation


# Training


def test_the_model_is_told_before_its_points_and_that_they_have_settled_last(
    room: Room, trained: Snapshot, other: Snapshot
) -> None:
    room.encode(trained.model)
    told: list[tuple[str, MapPoints | None]] = []
    for name in ("turned", "points_changed", "positions_changed", "settled"):
        signal = getattr(room.map, name)
        signal.connect(lambda *_, name=name: told.append((name, room.map.points)))
    indices, images = room.map.live_images("train", 200)
    shown = [room.map.points]
    for snapshot in (trained, other):
        posterior = snapshot.model.encode(images)
        room.map.move(snapshot.model, posterior, "train", indices, align=False)
        shown.append(room.map.points)
    first, second, third = shown
    assert told == [
        ("turned", first),
        ("points_changed", second),
        ("settled", second),
        ("turned", second),
        ("positions_changed", third),
        ("settled", third),
    ]


def test_moves_keep_the_orientation_and_tell_where_points_came_from(
    room: Room, trained: Snapshot
) -> None:
    full = room.encode(trained.model)
    indices, images = room.map.live_images("train", 200)
    moved: list[Float32] = []
    room.map.positions_changed.connect(moved.append)
    live: list[MapPoints] = []
    for rotation in (MIRRORED, np.eye(2), MIRRORED.T):
        before = room.map.points
        model = trained.model.turned(rotation)
        room.map.move(model, model.encode(images), "train", indices, align=True)
        assert room.map.points is not None
        live.append(room.map.points)
        assert room.map.before is before
        np.testing.assert_allclose(live[-1].positions, full.positions[::3], atol=1e-4)
        np.testing.assert_allclose(
            room.models[-1].encode(images).mean, full.positions[::3], atol=1e-4
        )
    assert len(moved) == 2, "the first move shows other points"
    assert moved[-1] is live[-1].positions
    assert room.map.start is live[0]
