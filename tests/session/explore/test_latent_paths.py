"""What lies along a path, against closed forms and the decoder itself."""

import math
from typing import Any, Protocol

import numpy as np
import pytest

from vae_explorer.data.dataset import ImageSet
from vae_explorer.latent.arithmetic import class_means
from vae_explorer.latent.figures import own_draws
from vae_explorer.latent.trust import DataSupport
from vae_explorer.model.trained import Posterior
from vae_explorer.session.explore.latent_paths import (
    KINDS,
    Stop,
    Trip,
    TripRequest,
    marks_of,
    stops_of,
    travelled,
)
from vae_explorer.session.explore.pins import Pins
from vae_explorer.session.jobs import Control
from vae_explorer.session.map.marks import Curve, Spots
from vae_explorer.session.state import DataPoint, MapPoints
from vae_explorer.training.snapshot import Snapshot

SQUARE = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0)]


class Ask(Protocol):
    """Travels through ``SQUARE`` by the trained model."""

    def __call__(self, kind: str, n: int = 16, closed: bool = False, **changes: Any) -> Trip: ...


@pytest.fixture
def ask(trained: Snapshot) -> Ask:
    stops = tuple(Stop(f"train {row}", np.array(at, np.float32)) for row, at in enumerate(SQUARE))

    def travel(kind: str, n: int = 16, closed: bool = False, **changes: Any) -> Trip:
        request = TripRequest(
            trained.model, kind=kind, n=n, closed=closed, **{"stops": stops} | changes
        )
        return travelled(trained.model, request, lambda _: None, Control(lambda tell: tell()))

    return travel


@pytest.fixture
def pinned(trained: Snapshot, small_mnist: dict[str, ImageSet]) -> tuple[DataPoint, ...]:
    pins = Pins()
    pins.set_model(trained.model)
    pins.toggle("train", 5)
    pins.toggle("test", 7)
    return pins.tray


@pytest.mark.parametrize("kind", [kind.id for kind in KINDS])
def test_every_kind_is_decoded_frame_by_frame(
    ask: "Ask", trained: Snapshot, points: MapPoints, kind: str
) -> None:
    means = np.array(list(class_means(points.positions, points.labels).values()), np.float32)
    trip = ask(kind, means=means)
    np.testing.assert_allclose(trip.images, trained.model.decode(trip.places), atol=1e-6)
    assert {trip.images.dtype, trip.places.dtype, trip.line.dtype} == {np.dtype(np.float32)}
    if kind != "classes":
        assert len(trip.places) == 16
    z = trip.places.astype(np.float64)
    density = np.exp(-(z**2).sum(1) / 2) / (2 * math.pi)
    np.testing.assert_allclose(np.exp(trip.log_prior), density, rtol=1e-5)
    assert trip.note
    # The line that is drawn leads through every frame.
    ends = zip(trip.line[:-1].astype(np.float64), trip.line[1:].astype(np.float64), strict=True)
    start, end = (np.array(part) for part in zip(*ends, strict=True))
    leg = end - start
    away = z[:, None] - start
    share = ((away * leg).sum(2) / np.maximum((leg**2).sum(1), 1e-30)).clip(0, 1)
    distances = np.linalg.norm(away - share[..., None] * leg, axis=2).min(1)
    assert distances.max() < 5e-3


def test_straight_goes_around_a_corner_at_equal_steps(ask: "Ask") -> None:
    trip = ask("straight", 5)
    expected = [(-1, -1), (0, -1), (1, -1), (1, 0), (1, 1)]
    np.testing.assert_allclose(trip.places, expected, atol=1e-6)
    assert trip.note == "train 0 → … → train 2 · 3 stops"
    np.testing.assert_array_equal(trip.stops, SQUARE)
    closed = ask("straight", 5, closed=True)
    steps = np.linalg.norm(np.diff(closed.line, axis=0), axis=1).sum()
    assert steps == pytest.approx(4 + math.sqrt(8), abs=0.01)
    np.testing.assert_array_equal(closed.line[0], closed.line[-1])


def test_spherical_keeps_its_distance_from_the_origin(ask: "Ask") -> None:
    trip = ask("spherical", 9)
    np.testing.assert_allclose(np.linalg.norm(trip.places, axis=1), math.sqrt(2), rtol=1e-4)


@pytest.mark.parametrize("closed", [False, True])
def test_a_geodesic_is_no_longer_than_straight_and_moves_the_picture_evenly(
    ask: "Ask", closed: bool
) -> None:
    trip = ask("geodesic", 60, closed)
    assert trip.length is not None
    assert trip.straight_length is not None
    assert trip.length <= trip.straight_length
    around = trip.images if not closed else np.concatenate([trip.images, trip.images[:1]])
    steps = np.linalg.norm(np.diff(around, axis=0).reshape(-1, 784), axis=1)
    # A chord is no longer than its arc, and much shorter only around a corner.
    assert 0.95 * trip.length < steps.sum() < trip.length * (1 + 1e-4)
    arc = trip.length / len(steps)
    assert steps.max() < 1.01 * arc
    assert np.median(steps) > 0.98 * arc


def test_a_grid_is_a_square_read_there_and_back(ask: "Ask") -> None:
    trip = ask("grid", 15)
    rows = trip.places.reshape(3, 3, 2)
    np.testing.assert_array_equal(rows[:, :, 0], [[-3, 0, 3], [3, 0, -3], [-3, 0, 3]])
    np.testing.assert_array_equal(rows[:, 0, 1], [3, 0, -3])
    assert len(ask("grid", 2).places) == 4


def test_curves_are_of_the_data_and_of_the_pinned_image(
    ask: "Ask",
    trained: Snapshot,
    posterior: Posterior,
    pinned: tuple[DataPoint, ...],
) -> None:
    plain = ask("straight", 6)
    assert (plain.percentile, plain.log_likelihood) == (None, None)
    support = DataSupport(posterior.mean, posterior.covariance)
    trip = ask("straight", 6, stops=stops_of(pinned), support=support, subject=pinned[1])
    assert trip.note == "train 5 → test 7 · 2 stops"
    assert trip.percentile is not None
    assert trip.log_likelihood is not None
    np.testing.assert_allclose(trip.percentile, [support.percentile(z) for z in trip.places])
    # The model is of Bernoulli pixels of a binarized set; so its draw is of zeros and ones.
    x = own_draws(trained.model, pinned[1].original[None], np.array([607]))[0]
    p = trained.model.decode(trip.places).astype(np.float64)
    expected = np.log(np.where(x, p, 1 - p)).sum((1, 2))
    np.testing.assert_allclose(trip.log_likelihood, expected, rtol=1e-3)


def test_marks_are_the_line_and_its_stops(ask: "Ask") -> None:
    trip = ask("straight", 2)
    curve, spots = marks_of(trip)
    assert isinstance(curve, Curve)
    assert isinstance(spots, Spots)
    (line,) = curve.paths
    np.testing.assert_allclose(line[[0, -1]], [SQUARE[0], SQUARE[-1]])
    np.testing.assert_array_equal(spots.places, SQUARE)
    assert marks_of(None) == ()
