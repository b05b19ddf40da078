"""Paths as they are asked for and decoded, against closed forms and the decoder itself."""

import math
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import pytest

from vae_explorer.data.dataset import ImageSet
from vae_explorer.latent.figures import own_draws
from vae_explorer.latent.geodesic import geodesic_graph
from vae_explorer.latent.trust import DataSupport
from vae_explorer.model.trained import Posterior
from vae_explorer.session import travel as travel_module
from vae_explorer.session.jobs import Jobs
from vae_explorer.session.latent_map import labels_of
from vae_explorer.session.marks import Curve, Spots
from vae_explorer.session.pins import Pins
from vae_explorer.session.state import DataPoint, MapPoints
from vae_explorer.session.travel import KINDS, Stop, Travel, Trip, marks_of, stops_of
from vae_explorer.training.snapshot import Snapshot

if TYPE_CHECKING:
    from tests.session.conftest import Failures, MainThread

SQUARE = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0)]


def stops_at(places: list[tuple[float, float]]) -> tuple[Stop, ...]:
    return tuple(
        Stop(f"train {row}", np.array(place, np.float32)) for row, place in enumerate(places)
    )


@pytest.fixture
def travel(
    jobs: Jobs, failures: "Failures", trained: Snapshot, small_mnist: dict[str, ImageSet]
) -> Travel:
    travel = Travel(jobs, failures)
    travel.set_stops(stops_at(SQUARE))
    travel.set_model(trained.model)
    return travel


@pytest.fixture
def told(travel: Travel) -> list[Trip | None]:
    trips: list[Trip | None] = []
    travel.path_changed.connect(trips.append)
    return trips


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch, trained: Snapshot) -> list[int]:
    """How many frames were decoded, trip by trip."""
    counts: list[int] = []
    decode = type(trained.model).decode

    def counting(model: Any, z: Any) -> Any:
        counts.append(len(z))
        return decode(model, z)

    monkeypatch.setattr(type(trained.model), "decode", counting)
    return counts


@pytest.fixture
def pinned(trained: Snapshot, small_mnist: dict[str, ImageSet]) -> tuple[DataPoint, ...]:
    pins = Pins()
    pins.set_model(trained.model)
    pins.toggle("train", 5)
    pins.toggle("test", 7)
    return pins.tray


def trip_of(
    travel: Travel, main: "MainThread", kind: str, n: int = 16, closed: bool = False
) -> Trip:
    travel.choose(kind, n, closed)
    settle(travel, main)
    assert travel.trip is not None
    assert travel.trip.kind == kind
    return travel.trip


def settle(travel: Travel, main: "MainThread") -> None:
    main.run_until(lambda: travel._job is None or (travel._job.finished and not travel._again))
    main.run()


@pytest.mark.parametrize("kind", [kind.id for kind in KINDS])
def test_every_kind_is_decoded_frame_by_frame(
    travel: Travel, main: "MainThread", trained: Snapshot, points: MapPoints, kind: str
) -> None:
    travel.set_points(points)
    trip = trip_of(travel, main, kind)
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


def test_straight_goes_around_a_corner_at_equal_steps(travel: Travel, main: "MainThread") -> None:
    trip = trip_of(travel, main, "straight", 5)
    expected = [(-1, -1), (0, -1), (1, -1), (1, 0), (1, 1)]
    np.testing.assert_allclose(trip.places, expected, atol=1e-6)
    assert trip.note == "train 0 → … → train 2 · 3 stops"
    np.testing.assert_array_equal(trip.stops, SQUARE)
    closed = trip_of(travel, main, "straight", 5, closed=True)
    steps = np.linalg.norm(np.diff(closed.line, axis=0), axis=1).sum()
    assert steps == pytest.approx(4 + math.sqrt(8), abs=0.01)
    np.testing.assert_array_equal(closed.line[0], closed.line[-1])


def test_spherical_keeps_its_distance_from_the_origin(travel: Travel, main: "MainThread") -> None:
    trip = trip_of(travel, main, "spherical", 9)
    np.testing.assert_allclose(np.linalg.norm(trip.places, axis=1), math.sqrt(2), rtol=1e-4)


@pytest.mark.parametrize("closed", [False, True])
def test_a_geodesic_is_no_longer_than_straight_and_moves_the_picture_evenly(
    travel: Travel, main: "MainThread", closed: bool
) -> None:
    trip = trip_of(travel, main, "geodesic", 60, closed)
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


def test_the_plane_is_measured_once_for_each_model(
    travel: Travel,
    main: "MainThread",
    other: Snapshot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    measured: list[object] = []
    monkeypatch.setattr(
        travel_module,
        "geodesic_graph",
        lambda f, check: measured.append(f) or geodesic_graph(f, check=check),  # type: ignore[func-returns-value]
    )
    texts: list[str] = []
    travel.progress.connect(texts.append)
    trip_of(travel, main, "geodesic", 8)
    trip_of(travel, main, "geodesic", 9)
    assert len(measured) == 1
    assert texts == ["Geodesics: measuring the plane", ""]
    travel.set_model(other.model)
    settle(travel, main)
    assert len(measured) == 2


def test_lines_and_circles_are_led_by_the_cursor(travel: Travel, main: "MainThread") -> None:
    travel.set_cursor(0.5, -0.25)
    row = trip_of(travel, main, "row", 3)
    np.testing.assert_allclose(row.places, [(-3, -0.25), (0, -0.25), (3, -0.25)])
    column = trip_of(travel, main, "column", 3)
    np.testing.assert_allclose(column.places, [(0.5, -3), (0.5, 0), (0.5, 3)])
    circle = trip_of(travel, main, "circle", 4)
    expected = [(1.5, -0.25), (0.5, 0.75), (-0.5, -0.25), (0.5, -1.25)]
    np.testing.assert_allclose(circle.places, expected, atol=1e-6)
    travel.set_cursor(0.0, 0.0)
    settle(travel, main)
    assert travel.trip is not None
    np.testing.assert_allclose(travel.trip.places.mean(0), 0, atol=1e-6)


def test_a_cursor_that_follows_the_frames_does_not_lead_them(
    travel: Travel, main: "MainThread", told: list[Trip | None]
) -> None:
    shown: list[tuple[int, tuple[float, float]]] = []
    travel.frame_changed.connect(lambda frame, z: shown.append((frame, z)))
    travel.frame_changed.connect(lambda _, z: travel.set_cursor(*z))
    trip = trip_of(travel, main, "circle", 4)
    travel.set_frame(1)
    travel.set_frame(99)
    main.run()
    assert told == [trip]
    assert [frame for frame, _ in shown] == [1, 3]
    np.testing.assert_allclose([z for _, z in shown], trip.places[[1, 3]])
    assert trip_of(travel, main, "circle", 3).note == "Around (0.00, 0.00) at a distance of 1"


def test_a_grid_is_a_square_read_there_and_back(travel: Travel, main: "MainThread") -> None:
    trip = trip_of(travel, main, "grid", 15)
    rows = trip.places.reshape(3, 3, 2)
    np.testing.assert_array_equal(rows[:, :, 0], [[-3, 0, 3], [3, 0, -3], [-3, 0, 3]])
    np.testing.assert_array_equal(rows[:, 0, 1], [3, 0, -3])
    assert len(trip_of(travel, main, "grid", 2).places) == 4


def test_the_same_walk_again_is_another(travel: Travel, main: "MainThread") -> None:
    first = trip_of(travel, main, "walk", 10)
    finer = trip_of(travel, main, "walk", 20)
    np.testing.assert_allclose(finer.places[::2], first.places, atol=1e-6)
    assert not np.allclose(trip_of(travel, main, "walk", 20).places, finer.places)


@pytest.mark.parametrize("count", [2, 3, 7, 10])
def test_every_two_classes_are_joined(
    travel: Travel, main: "MainThread", posterior: Posterior, digits: ImageSet, count: int
) -> None:
    labels = labels_of(digits)
    some = np.flatnonzero(labels < count)
    travel.set_points(MapPoints(posterior.mean[some], labels[some], some, 600, "train"))
    trip = trip_of(travel, main, "classes", 4)
    means = np.array([posterior.mean[labels == label].mean(0) for label in range(count)])
    np.testing.assert_allclose(trip.stops, means, rtol=1e-5)
    at = trip.places[::3]
    visited = np.linalg.norm(at[:, None] - means, axis=2).argmin(1).tolist()
    np.testing.assert_allclose(at, means[visited], atol=1e-5)
    joined = {tuple(sorted(pair)) for pair in pairwise(visited)}
    assert joined == set(combinations(range(count), 2))
    assert len(visited) <= count * (count + 1) // 2


def test_curves_are_of_the_data_and_of_the_pinned_image(
    travel: Travel,
    main: "MainThread",
    trained: Snapshot,
    posterior: Posterior,
    pinned: tuple[DataPoint, ...],
) -> None:
    plain = trip_of(travel, main, "straight", 6)
    assert (plain.percentile, plain.log_likelihood) == (None, None)
    support = DataSupport(posterior.mean, posterior.covariance)
    travel.set_stops(stops_of(pinned))
    travel.set_support(support)
    travel.set_subject(pinned[1])
    settle(travel, main)
    trip = travel.trip
    assert trip is not None
    assert trip.note == "train 5 → test 7 · 2 stops"
    assert trip.percentile is not None
    assert trip.log_likelihood is not None
    np.testing.assert_allclose(trip.percentile, [support.percentile(z) for z in trip.places])
    # The model is of Bernoulli pixels of a binarized set; so its draw is of zeros and ones.
    x = own_draws(trained.model, pinned[1].original[None], np.array([607]))[0]
    p = trained.model.decode(trip.places).astype(np.float64)
    expected = np.log(np.where(x, p, 1 - p)).sum((1, 2))
    np.testing.assert_allclose(trip.log_likelihood, expected, rtol=1e-3)


@pytest.mark.parametrize(
    ("kind", "note"), [("geodesic", "Pin two digits"), ("classes", "Show two classes")]
)
def test_where_there_is_no_path_a_note_says_why(
    travel: Travel, main: "MainThread", kind: str, note: str
) -> None:
    travel.set_stops(stops_at(SQUARE[:1]))
    trip = trip_of(travel, main, kind)
    assert trip.note.startswith(note)
    assert trip.images.shape == (0, 28, 28)
    assert marks_of(trip) == ()
    travel.set_frame(3)
    assert travel.frame == 0


def test_what_is_chosen_is_told_as_it_is_taken(travel: Travel) -> None:
    told: list[tuple[str, int, bool]] = []
    travel.chosen.connect(lambda *choice: told.append(choice))
    travel.choose("circle", 8, True)
    travel.choose("", 1_000, False)
    assert told == [("circle", 8, True), ("", 64, False)]


def test_only_the_newest_choice_is_answered(
    travel: Travel, main: "MainThread", told: list[Trip | None]
) -> None:
    for n in (10, 20, 30):
        travel.choose("straight", n, False)
    settle(travel, main)
    assert [len(trip.places) for trip in told if trip] == [30]
    travel.choose("spherical", 30, False)
    travel.choose("", 30, False)
    settle(travel, main)
    assert told[1:] == [None]


def test_without_a_path_nothing_is_told_or_decoded(
    travel: Travel,
    main: "MainThread",
    told: list[Trip | None],
    decoded: list[int],
    other: Snapshot,
    points: MapPoints,
) -> None:
    travel.set_model(other.model)
    travel.set_points(points)
    travel.set_stops(())
    travel.set_cursor(1.0, 1.0)
    travel.set_support(None)
    travel.set_frame(1)
    main.run()
    assert (told, decoded) == ([], [])


def test_while_the_cursor_moves_every_trip_is_finished_and_the_last_follows(
    travel: Travel, main: "MainThread", told: list[Trip | None], decoded: list[int]
) -> None:
    travel.choose("row", 4, False)
    for z2 in (0.1, 0.2, 0.3):
        travel.set_cursor(0.0, z2)
    settle(travel, main)
    rows = [float(trip.places[0, 1]) for trip in told if trip]
    np.testing.assert_allclose(rows, [0.0, 0.3], atol=1e-6)
    assert decoded == [4, 4]


def test_the_same_pins_wait_for_their_model(
    travel: Travel, main: "MainThread", other: Snapshot, decoded: list[int]
) -> None:
    trip_of(travel, main, "straight", 4)
    travel.set_stops(stops_at([(0, 0), (0, 1), (0, 2)]))
    main.run()
    assert decoded == [4], "under the old model these places mean nothing"
    travel.set_model(other.model)
    travel.set_model(other.model)
    settle(travel, main)
    assert decoded == [4, 4]
    assert travel.trip is not None
    np.testing.assert_allclose(travel.trip.images, other.model.decode(travel.trip.places), 1e-5)
    np.testing.assert_allclose(travel.trip.places[-1], (0, 2), atol=1e-6)


def test_fewer_frames_leave_the_last_one_shown(travel: Travel, main: "MainThread") -> None:
    trip_of(travel, main, "row", 30)
    travel.set_frame(25)
    trip_of(travel, main, "row", 10)
    assert travel.frame == 9
    trip_of(travel, main, "column", 10)
    assert travel.frame == 0


def test_marks_are_the_line_and_its_stops(travel: Travel, main: "MainThread") -> None:
    trip = trip_of(travel, main, "straight", 2)
    curve, spots = marks_of(trip)
    assert isinstance(curve, Curve)
    assert isinstance(spots, Spots)
    (line,) = curve.paths
    np.testing.assert_allclose(line[[0, -1]], [SQUARE[0], SQUARE[-1]])
    np.testing.assert_array_equal(spots.places, SQUARE)
    assert marks_of(None) == ()


def test_a_failure_is_told(
    travel: Travel, main: "MainThread", failures: "Failures", monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object, **__: object) -> NoReturn:
        raise RuntimeError("no memory")

    monkeypatch.setattr(travel_module, "geodesic", breaks)
    texts: list[str] = []
    travel.progress.connect(texts.append)
    travel.choose("geodesic", 8, False)
    settle(travel, main)
    assert [title for title, _ in failures] == ["The path could not be found"]
    assert texts[-1] == ""
    failures.clear()
