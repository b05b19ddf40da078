"""What lies along a path, against closed forms and the decoder itself."""

import math
from typing import Any, Protocol

import numpy as np
import pytest

from vae_explorer.latent.figures import own_draws
from vae_explorer.latent.trust import DataSupport
from vae_explorer.model.trained import Posterior
from vae_explorer.session.explore.latent_paths import (
    KINDS,
    LatentPath,
    PathRequest,
    Waypoint,
    find_path,
    path_content,
    waypoints_of,
)
from vae_explorer.session.explore.pins import DataPoint, Pins
from vae_explorer.session.jobs import Control
from vae_explorer.session.map.marks import Curve, Spots
from vae_explorer.session.map.state import MapPoints
from vae_explorer.training.snapshot import Snapshot

SQUARE = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0)]


class Ask(Protocol):
    """Finds a path through ``SQUARE`` by the trained model."""

    def __call__(
        self, kind: str, n: int = 16, closed: bool = False, **changes: Any
    ) -> LatentPath: ...


@pytest.fixture
def ask(trained: Snapshot) -> Ask:
    waypoints = tuple(
        Waypoint(f"train {row}", np.array(at, np.float32)) for row, at in enumerate(SQUARE)
    )

    def find(kind: str, n: int = 16, closed: bool = False, **changes: Any) -> LatentPath:
        request = PathRequest(kind=kind, n=n, closed=closed, **{"waypoints": waypoints} | changes)
        return find_path(trained.model, request, lambda _: None, Control(lambda tell: tell()))

    return find


@pytest.fixture
def pinned(pins: Pins) -> tuple[DataPoint, ...]:
    pins.toggle("train", 5)
    pins.toggle("test", 7)
    return pins.tray


@pytest.mark.parametrize("kind", [kind.id for kind in KINDS])
def test_every_kind_is_decoded_frame_by_frame(
    ask: "Ask", trained: Snapshot, points: MapPoints, kind: str
) -> None:
    path = ask(kind, points=points)
    np.testing.assert_allclose(path.images, trained.model.decode(path.positions), atol=1e-6)
    assert {path.images.dtype, path.positions.dtype, path.line.dtype} == {np.dtype(np.float32)}
    if kind != "classes":
        assert len(path.positions) == 16
    z = path.positions.astype(np.float64)
    density = np.exp(-(z**2).sum(1) / 2) / (2 * math.pi)
    np.testing.assert_allclose(np.exp(path.log_prior), density, rtol=1e-5)
    assert path.note
    # The line that is drawn leads through every frame.
    ends = zip(path.line[:-1].astype(np.float64), path.line[1:].astype(np.float64), strict=True)
    start, end = (np.array(part) for part in zip(*ends, strict=True))
    leg = end - start
    away = z[:, None] - start
    share = ((away * leg).sum(2) / np.maximum((leg**2).sum(1), 1e-30)).clip(0, 1)
    distances = np.linalg.norm(away - share[..., None] * leg, axis=2).min(1)
    assert distances.max() < 5e-3


def test_straight_goes_around_a_corner_at_equal_steps(ask: "Ask") -> None:
    path = ask("straight", 5)
    expected = [(-1, -1), (0, -1), (1, -1), (1, 0), (1, 1)]
    np.testing.assert_allclose(path.positions, expected, atol=1e-6)
    assert path.note == "train 0 → … → train 2 · 3 waypoints"
    np.testing.assert_array_equal(path.waypoints, SQUARE)
    closed = ask("straight", 5, closed=True)
    steps = np.linalg.norm(np.diff(closed.line, axis=0), axis=1).sum()
    assert steps == pytest.approx(4 + math.sqrt(8), abs=0.01)
    np.testing.assert_array_equal(closed.line[0], closed.line[-1])


def test_spherical_keeps_its_distance_from_the_origin(ask: "Ask") -> None:
    path = ask("spherical", 9)
    np.testing.assert_allclose(np.linalg.norm(path.positions, axis=1), math.sqrt(2), rtol=1e-4)


@pytest.mark.parametrize("closed", [False, True])
def test_a_geodesic_is_no_longer_than_straight_and_moves_the_picture_evenly(
    ask: "Ask", closed: bool
) -> None:
    path = ask("geodesic", 60, closed)
    assert path.length is not None
    assert path.straight_length is not None
    assert path.length <= path.straight_length
    around = path.images if not closed else np.concatenate([path.images, path.images[:1]])
    steps = np.linalg.norm(np.diff(around, axis=0).reshape(-1, 784), axis=1)
    # A chord is no longer than its arc, and much shorter only around a corner.
    assert 0.95 * path.length < steps.sum() < path.length * (1 + 1e-4)
    arc = path.length / len(steps)
    assert steps.max() < 1.01 * arc
    assert np.median(steps) > 0.98 * arc


def test_a_grid_is_a_square_read_there_and_back(ask: "Ask") -> None:
    path = ask("grid", 15)
    rows = path.positions.reshape(3, 3, 2)
    np.testing.assert_array_equal(rows[:, :, 0], [[-3, 0, 3], [3, 0, -3], [-3, 0, 3]])
    np.testing.assert_array_equal(rows[:, 0, 1], [3, 0, -3])
    assert len(ask("grid", 2).positions) == 4


def test_curves_are_of_the_data_and_of_the_pinned_image(
    ask: "Ask", trained: Snapshot, posterior: Posterior, pinned: tuple[DataPoint, ...]
) -> None:
    plain = ask("straight", 6)
    assert (plain.percentile, plain.log_likelihood) == (None, None)
    support = DataSupport(posterior.mean, posterior.covariance)
    path = ask(
        "straight", 6, waypoints=waypoints_of(pinned), support=support, target_image=pinned[1]
    )
    assert path.note == "train 5 → test 7 · 2 waypoints"
    assert path.percentile is not None
    assert path.log_likelihood is not None
    np.testing.assert_allclose(path.percentile, [support.percentile(z) for z in path.positions])
    # The model is of Bernoulli pixels of a binarized set; so its draw is of zeros and ones.
    x = own_draws(trained.model, pinned[1].original[None], np.array([607]))[0]
    p = trained.model.decode(path.positions).astype(np.float64)
    expected = np.log(np.where(x, p, 1 - p)).sum((1, 2))
    np.testing.assert_allclose(path.log_likelihood, expected, rtol=1e-3)


def test_its_content_is_the_line_and_its_waypoints(ask: "Ask") -> None:
    path = ask("straight", 2)
    curve, spots = path_content(path).marks
    assert isinstance(curve, Curve)
    assert isinstance(spots, Spots)
    (line,) = curve.paths
    np.testing.assert_allclose(line[[0, -1]], [SQUARE[0], SQUARE[-1]])
    np.testing.assert_array_equal(spots.positions, SQUARE)
    assert path_content(None).marks == ()
