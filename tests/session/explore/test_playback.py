"""Paths as they are asked for and decoded, against closed forms and the decoder itself."""

import dataclasses
from itertools import combinations, pairwise
from typing import Any, NoReturn

import numpy as np
import pytest

from tests.support.parts import show
from tests.support.stand_ins import Failures, MainThread
from vae_explorer.data.bundled import mnist_dataset
from vae_explorer.data.dataset import ImageSet, labels_of
from vae_explorer.latent.geodesic import geodesic_graph
from vae_explorer.model.trained import Posterior
from vae_explorer.session.explore import latent_paths
from vae_explorer.session.explore.cursor import Cursor
from vae_explorer.session.explore.data_support import SupportGauge
from vae_explorer.session.explore.decoding import Decoding
from vae_explorer.session.explore.latent_paths import LatentPath, path_content
from vae_explorer.session.explore.pins import Pins
from vae_explorer.session.explore.playback import Playback
from vae_explorer.session.jobs import Jobs
from vae_explorer.session.map.latent_map import LatentMap
from vae_explorer.session.map.state import MapPoints
from vae_explorer.session.tasks import Tasks
from vae_explorer.training.snapshot import Snapshot


@pytest.fixture
def gauge(tasks: Tasks, latent_map: LatentMap, cursor: Cursor) -> SupportGauge:
    return SupportGauge(tasks, latent_map, Decoding(latent_map, lambda _: None), lambda *_: None)


@pytest.fixture
def playback(
    jobs: Jobs,
    failures: Failures,
    latent_map: LatentMap,
    cursor: Cursor,
    pins: Pins,
    gauge: SupportGauge,
) -> Playback:
    for index in (3, 8, 11):
        pins.toggle("train", index)
    return Playback(Tasks(jobs, failures), latent_map, cursor, pins, gauge)


@pytest.fixture
def found(playback: Playback) -> list[LatentPath | None]:
    found: list[LatentPath | None] = []
    playback.path_changed.connect(found.append)
    return found


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch, trained: Snapshot) -> list[int]:
    """How many frames were decoded, path by path."""
    counts: list[int] = []
    decode = type(trained.model).decode

    def counting(model: Any, z: Any) -> Any:
        counts.append(len(z))
        return decode(model, z)

    monkeypatch.setattr(type(trained.model), "decode", counting)
    return counts


def path_of(
    playback: Playback, main: MainThread, kind: str, n: int = 16, closed: bool = False
) -> LatentPath:
    playback.choose(kind, n, closed)
    settle(playback, main)
    assert playback.path is not None
    assert playback.path.kind == kind
    return playback.path


def settle(playback: Playback, main: MainThread) -> None:
    main.run_until(lambda: not playback.busy)
    main.run()


def test_the_plane_is_measured_once_for_each_model(
    playback: Playback,
    main: MainThread,
    latent_map: LatentMap,
    other: Snapshot,
    points: MapPoints,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    measured: list[object] = []
    monkeypatch.setattr(
        latent_paths,
        "geodesic_graph",
        lambda f, check: measured.append(f) or geodesic_graph(f, check=check),  # type: ignore[func-returns-value]
    )
    texts: list[str] = []
    playback.progress.connect(texts.append)
    path_of(playback, main, "geodesic", 8)
    path_of(playback, main, "geodesic", 9)
    assert len(measured) == 1
    assert texts == ["Geodesics: measuring the plane", ""]
    show(latent_map, other, points)
    settle(playback, main)
    assert len(measured) == 2


def test_a_geodesic_waits_until_the_map_is_at_rest(
    playback: Playback, main: MainThread, latent_map: LatentMap, other: Snapshot, points: MapPoints
) -> None:
    path_of(playback, main, "geodesic", 8)
    show(latent_map, other, points, moving=True)
    settle(playback, main)
    assert playback.path is not None
    assert len(playback.path.line) == 0, "to measure each model takes half of the training's time"
    assert playback.path.note == "A geodesic is measured once the map is at rest."
    show(latent_map, other, points)
    settle(playback, main)
    assert len(playback.path.positions) == 8


def test_lines_and_circles_are_led_by_the_cursor(
    playback: Playback, main: MainThread, cursor: Cursor
) -> None:
    cursor.move(0.5, -0.25)
    row = path_of(playback, main, "row", 3)
    np.testing.assert_allclose(row.positions, [(-3, -0.25), (0, -0.25), (3, -0.25)])
    column = path_of(playback, main, "column", 3)
    np.testing.assert_allclose(column.positions, [(0.5, -3), (0.5, 0), (0.5, 3)])
    circle = path_of(playback, main, "circle", 4)
    expected = [(1.5, -0.25), (0.5, 0.75), (-0.5, -0.25), (0.5, -1.25)]
    np.testing.assert_allclose(circle.positions, expected, atol=1e-6)
    cursor.move(0.0, 0.0)
    settle(playback, main)
    assert playback.path is not None
    np.testing.assert_allclose(playback.path.positions.mean(0), 0, atol=1e-6)


def test_a_cursor_that_follows_the_frames_does_not_lead_them(
    playback: Playback, main: MainThread, cursor: Cursor, found: list[LatentPath | None]
) -> None:
    frames: list[int] = []
    playback.frame_changed.connect(frames.append)
    path = path_of(playback, main, "circle", 4)
    for frame in (1, 99):
        playback.set_frame(frame)
        np.testing.assert_allclose(cursor.position, path.positions[min(frame, 3)])
    main.run()
    assert found == [path]
    assert frames == [1, 3]
    cursor.scrub(0.5, 0.5)
    settle(playback, main)
    assert found[-1] is not None
    assert found[-1].note == "Around (0.50, 0.50) at a distance of 1"


def test_the_same_walk_again_is_another(playback: Playback, main: MainThread) -> None:
    first = path_of(playback, main, "walk", 10)
    finer = path_of(playback, main, "walk", 20)
    np.testing.assert_allclose(finer.positions[::2], first.positions, atol=1e-6)
    assert not np.allclose(path_of(playback, main, "walk", 20).positions, finer.positions)


@pytest.mark.parametrize("count", [2, 3, 7, 10])
def test_every_two_classes_are_joined(
    playback: Playback,
    main: MainThread,
    latent_map: LatentMap,
    trained: Snapshot,
    posterior: Posterior,
    digits: ImageSet,
    count: int,
) -> None:
    labels = labels_of(digits)
    some = np.flatnonzero(labels < count)
    show(
        latent_map,
        trained,
        MapPoints(posterior.mean[some], labels[some], some, 600, "train", mnist_dataset()),
    )
    path = path_of(playback, main, "classes", 4)
    means = np.array([posterior.mean[labels == label].mean(0) for label in range(count)])
    np.testing.assert_allclose(path.waypoints, means, rtol=1e-5)
    at = path.positions[::3]
    visited = np.linalg.norm(at[:, None] - means, axis=2).argmin(1).tolist()
    np.testing.assert_allclose(at, means[visited], atol=1e-5)
    joined = {tuple(sorted(pair)) for pair in pairwise(visited)}
    assert joined == set(combinations(range(count), 2))
    assert len(visited) <= count * (count + 1) // 2


@pytest.mark.parametrize(
    ("kind", "note"), [("geodesic", "Pin two images"), ("classes", "Show two classes")]
)
def test_where_there_is_no_path_a_note_says_why(
    playback: Playback,
    main: MainThread,
    latent_map: LatentMap,
    trained: Snapshot,
    points: MapPoints,
    pins: Pins,
    kind: str,
    note: str,
) -> None:
    pins.pin("train", 3)
    lost = dataclasses.replace(points, positions=np.full_like(points.positions, np.nan))
    show(latent_map, trained, lost)
    path = path_of(playback, main, kind)
    assert path.note.startswith(note)
    assert path.images.shape == (0, 28, 28)
    assert path_content(path).marks == ()
    playback.set_frame(3)
    assert playback.frame == 0


def test_what_is_chosen_is_told_as_it_is_taken(playback: Playback) -> None:
    told: list[tuple[str, int, bool]] = []
    playback.chosen.connect(lambda *choice: told.append(choice))
    playback.choose("circle", 8, True)
    playback.choose("", 1_000, False)
    assert told == [("circle", 8, True), ("", 64, False)]


def test_only_the_newest_choice_is_answered(
    playback: Playback, main: MainThread, found: list[LatentPath | None]
) -> None:
    for n in (10, 20, 30):
        playback.choose("straight", n, False)
    settle(playback, main)
    assert [len(path.positions) for path in found if path] == [30]
    playback.choose("spherical", 30, False)
    playback.choose("", 30, False)
    settle(playback, main)
    assert found[1:] == [None]


def test_without_a_path_nothing_is_found_or_decoded(
    playback: Playback,
    main: MainThread,
    latent_map: LatentMap,
    cursor: Cursor,
    gauge: SupportGauge,
    found: list[LatentPath | None],
    other: Snapshot,
    points: MapPoints,
) -> None:
    show(latent_map, other, points)
    cursor.move(1.0, 1.0)
    gauge.support_changed.emit(None)
    playback.set_frame(1)
    main.run()
    assert found == []


def test_while_the_cursor_moves_every_path_is_finished_and_the_last_follows(
    playback: Playback,
    main: MainThread,
    cursor: Cursor,
    found: list[LatentPath | None],
    decoded: list[int],
) -> None:
    playback.choose("row", 4, False)
    for z2 in (0.1, 0.2, 0.3):
        cursor.scrub(0.0, z2)
    settle(playback, main)
    rows = [float(path.positions[0, 1]) for path in found if path]
    np.testing.assert_allclose(rows, [0.0, 0.3], atol=1e-6)
    assert [n for n in decoded if n > 1] == [4, 4]


def test_under_another_model_the_same_pins_are_elsewhere(
    playback: Playback,
    main: MainThread,
    latent_map: LatentMap,
    pins: Pins,
    other: Snapshot,
    points: MapPoints,
    found: list[LatentPath | None],
) -> None:
    path_of(playback, main, "straight", 4)
    show(latent_map, other, points)
    settle(playback, main)
    path = found[-1]
    assert path is not None
    np.testing.assert_allclose(path.images, other.model.decode(path.positions), 1e-5)
    np.testing.assert_allclose(path.waypoints, [pin.mean for pin in pins.tray], atol=1e-6)
    pins.remove("train", 3)
    settle(playback, main)
    assert found[-1] is not None
    assert len(found[-1].waypoints) == 2


def test_fewer_frames_leave_the_last_one_shown(playback: Playback, main: MainThread) -> None:
    path_of(playback, main, "row", 30)
    playback.set_frame(25)
    path_of(playback, main, "row", 10)
    assert playback.frame == 9
    path_of(playback, main, "column", 10)
    assert playback.frame == 0


def test_a_failure_is_told_and_leaves_no_older_path(
    playback: Playback,
    main: MainThread,
    found: list[LatentPath | None],
    failures: Failures,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path_of(playback, main, "straight", 8)

    def breaks(*_: object, **__: object) -> NoReturn:
        raise RuntimeError("no memory")

    monkeypatch.setattr(latent_paths, "geodesic_through", breaks)
    texts: list[str] = []
    playback.progress.connect(texts.append)
    playback.choose("geodesic", 8, False)
    settle(playback, main)
    assert [title for title, _ in failures] == ["The path could not be found"]
    assert texts[-1] == ""
    assert playback.path is None, "what was shown before was of something else"
    assert found[-1] is None
    failures.clear()
