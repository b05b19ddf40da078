"""Paths as they are asked for and decoded, against closed forms and the decoder itself."""

from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import pytest

from vae_explorer.data.dataset import ImageSet
from vae_explorer.latent.geodesic import geodesic_graph
from vae_explorer.model.trained import Posterior
from vae_explorer.session.explore import latent_paths as trips
from vae_explorer.session.explore.latent_paths import Stop, Trip, marks_of
from vae_explorer.session.explore.playback import Travel
from vae_explorer.session.jobs import Jobs
from vae_explorer.session.map.latent_map import labels_of
from vae_explorer.session.state import MapPoints
from vae_explorer.training.snapshot import Snapshot

if TYPE_CHECKING:
    from tests.support.stand_ins import Failures, MainThread

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


def test_the_plane_is_measured_once_for_each_model(
    travel: Travel,
    main: "MainThread",
    other: Snapshot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    measured: list[object] = []
    monkeypatch.setattr(
        trips,
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


def test_a_failure_is_told_and_leaves_no_older_path(
    travel: Travel,
    main: "MainThread",
    told: list[Trip | None],
    failures: "Failures",
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trip_of(travel, main, "straight", 8)

    def breaks(*_: object, **__: object) -> NoReturn:
        raise RuntimeError("no memory")

    monkeypatch.setattr(trips, "geodesic", breaks)
    texts: list[str] = []
    travel.progress.connect(texts.append)
    travel.choose("geodesic", 8, False)
    settle(travel, main)
    assert [title for title, _ in failures] == ["The path could not be found"]
    assert texts[-1] == ""
    assert travel.trip is None, "what was shown before was of something else"
    assert told[-1] is None
    failures.clear()
