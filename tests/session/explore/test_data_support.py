"""Places of real models' planes, judged beside a main thread that the test runs."""

import dataclasses
import math
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.support.parts import show
from vae_explorer.data.dataset import ImageSet
from vae_explorer.latent.trust import DataSupport, drift, verdict
from vae_explorer.model.trained import Check, Posterior
from vae_explorer.session.explore.data_support import PositionSupport, SupportGauge
from vae_explorer.session.explore.decoding import Decoding
from vae_explorer.session.jobs import Jobs, Tasks
from vae_explorer.session.map.latent_map import LatentMap
from vae_explorer.session.state import Decoded, MapPoints
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.types import Float32

if TYPE_CHECKING:
    from tests.support.stand_ins import Failures, MainThread

FAR = (5.5, -5.5)


class Story:
    """All that a ``SupportGauge`` gave, in its order."""

    def __init__(self, gauge: SupportGauge) -> None:
        self.supports: list[DataSupport | None] = []
        self.readings: list[PositionSupport | None] = []
        gauge.support_changed.connect(self.supports.append)
        gauge.judged.connect(self.readings.append)

    @property
    def reading(self) -> PositionSupport:
        """The last one."""
        reading = self.readings[-1]
        assert reading is not None
        return reading


@pytest.fixture
def decoding(empty_map: LatentMap) -> Decoding:
    return Decoding(empty_map, lambda _: None)


@pytest.fixture
def gauge(
    jobs: Jobs,
    failures: "Failures",
    main: "MainThread",
    empty_map: LatentMap,
    decoding: Decoding,
    small_mnist: dict[str, ImageSet],
) -> SupportGauge:
    """What it does after a while comes with what is posted, in its turn."""
    tasks = Tasks(jobs, failures)
    return SupportGauge(tasks, empty_map, decoding, lambda _, look: main.post(look))


Ask = Callable[[tuple[float, float]], None]


@pytest.fixture
def ask(decoding: Decoding) -> Ask:
    """``ask(z)``: say that z was decoded."""
    return lambda z: decoding.decoded.emit(Decoded(z, np.zeros((28, 28), np.float32), 0.1, False))


@pytest.fixture
def story(gauge: SupportGauge) -> Story:
    return Story(gauge)


def test_a_reading_is_what_brute_force_says(
    ask: Ask,
    story: Story,
    empty_map: LatentMap,
    main: "MainThread",
    trained: Snapshot,
    points: MapPoints,
    posterior: Posterior,
    digits: ImageSet,
) -> None:
    model, z = trained.model, (0.31, -0.42)
    show(empty_map, trained, points, posterior)
    ask(z)
    main.run_until(lambda: story.readings)
    reading = story.reading
    distances = np.hypot(*(posterior.mean.astype(float) - z).T)
    row = distances.argmin()
    assert (reading.z, reading.split, reading.nearest.index) == (z, "train", row)
    assert reading.nearest.label == points.labels[row]
    np.testing.assert_array_equal(reading.nearest.image, digits.images[row])
    assert reading.latent_distance == pytest.approx(distances[row], abs=1e-6)

    (image,) = model.decode(np.array([z], np.float32))
    code = model.encode(image[None]).mean
    (again,) = model.decode(code)
    real = digits.images[row] / 255
    assert reading.image_distance == pytest.approx(math.sqrt(((image - real) ** 2).sum()))
    assert reading.drift_latent == pytest.approx(math.dist(code[0], z), abs=1e-6)
    assert reading.drift_pixels == pytest.approx(math.sqrt(((image - again) ** 2).sum()), rel=1e-5)
    (support,) = story.supports
    assert support is not None
    place = np.array(z, np.float32)
    assert reading.percentile == support.percentile(place)
    assert reading.verdict == verdict(reading.percentile, drift(model, place))


def test_codes_are_on_the_data_and_the_corner_is_off(
    ask: Ask,
    story: Story,
    empty_map: LatentMap,
    main: "MainThread",
    trained: Snapshot,
    points: MapPoints,
    posterior: Posterior,
) -> None:
    show(empty_map, trained, points, posterior)
    main.run_until(lambda: story.supports)
    densest = max(posterior.mean[::20], key=story.supports[0].density)
    z = float(densest[0]), float(densest[1])
    ask(z)
    main.run_until(lambda: story.readings)
    assert story.reading.percentile > 80
    assert story.reading.latent_distance == 0
    ask(FAR)
    main.run_until(lambda: story.readings[1:])
    assert story.reading.percentile == 0
    assert story.reading.verdict == "off the data"


def test_the_newest_place_wins_and_waits_for_the_support(
    ask: Ask,
    story: Story,
    empty_map: LatentMap,
    main: "MainThread",
    trained: Snapshot,
    points: MapPoints,
    posterior: Posterior,
) -> None:
    ask((1.0, 1.0))
    ask((0.5, 0.5))
    main.run()
    assert story.readings == []
    show(empty_map, trained, points, posterior)
    main.run_until(lambda: story.readings)
    ask((0.1, 0.1))
    ask((0.2, 0.2))
    main.run_until(lambda: story.readings[1:])
    main.run()
    assert [reading.z for reading in story.readings if reading] == [(0.5, 0.5), (0.2, 0.2)]


def test_other_points_drop_what_was_asked_of_the_old_ones(
    ask: Ask,
    story: Story,
    empty_map: LatentMap,
    main: "MainThread",
    trained: Snapshot,
    other: Snapshot,
    points: MapPoints,
    posterior: Posterior,
    digits: ImageSet,
) -> None:
    ask((0.5, 0.5))
    show(empty_map, trained, points, posterior)
    show(empty_map, trained, points, posterior)  # only this is answered
    main.run_until(lambda: story.readings)
    ask((0.4, 0.4))
    elsewhere = other.model.encode(digits.images)
    show(empty_map, other, points, elsewhere, moving=True)
    ask((0.3, 0.3))
    main.run()
    assert len(story.supports) == 2
    assert story.supports[1] is None
    assert story.readings[1] is None
    show(empty_map, other, points, elsewhere)
    main.run_until(lambda: story.readings[2:])
    main.run()
    assert len(story.readings) == len(story.supports) == 3
    assert story.reading.z == (0.3, 0.3)
    distance = np.hypot(*(elsewhere.mean - np.float32(0.3)).T).min()
    assert story.reading.latent_distance == pytest.approx(distance, abs=1e-6)


def test_of_both_splits_an_image_has_the_index_of_its_own(
    ask: Ask,
    story: Story,
    empty_map: LatentMap,
    main: "MainThread",
    trained: Snapshot,
    small_mnist: dict[str, ImageSet],
) -> None:
    both = small_mnist["both"]
    assert both.labels is not None
    codes = trained.model.encode(both.images)
    points = MapPoints(codes.mean, both.labels, np.arange(900), 900, "both")
    show(empty_map, trained, points, codes)
    ask((float(codes.mean[731, 0]), float(codes.mean[731, 1])))
    main.run_until(lambda: story.readings)
    assert (story.reading.split, story.reading.nearest.index) == ("test", 131)
    np.testing.assert_array_equal(story.reading.nearest.image, both.images[731])


def test_without_a_finite_code_there_is_no_reading(
    ask: Ask,
    story: Story,
    empty_map: LatentMap,
    main: "MainThread",
    trained: Snapshot,
    points: MapPoints,
    posterior: Posterior,
) -> None:
    lost = Posterior(np.full_like(posterior.mean, np.nan), posterior.covariance)
    show(empty_map, trained, points, lost)
    ask((0.0, 0.0))
    main.run_until(lambda: story.readings)
    assert story.readings == [None]


def test_the_same_codes_are_surveyed_once(
    ask: Ask,
    story: Story,
    empty_map: LatentMap,
    main: "MainThread",
    trained: Snapshot,
    points: MapPoints,
    posterior: Posterior,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    surveys: list[Posterior] = []

    def survey(mean: Float32, covariance: Float32, check: Check) -> DataSupport:
        surveys.append(Posterior(mean, covariance))
        return DataSupport(mean, covariance, check)

    monkeypatch.setattr("vae_explorer.session.explore.data_support.DataSupport", survey)
    ask((0.5, 0.5))
    show(empty_map, trained, points, posterior)
    copy = Posterior(posterior.mean.copy(), posterior.covariance.copy())
    show(empty_map, trained, points, copy)  # while it is under way
    main.run_until(lambda: story.readings)
    sampled = dataclasses.replace(points, positions=points.positions + 1)
    show(empty_map, trained, sampled, copy)
    main.run_until(lambda: story.readings[1:])
    main.run()
    assert len(surveys) == len(story.supports) == 1
    assert [reading and reading.latent_distance for reading in story.readings] == [
        story.reading.latent_distance
    ] * 2


def test_a_pointer_that_never_rests_is_told_of_some_places(
    failures: "Failures",
    main: "MainThread",
    empty_map: LatentMap,
    decoding: Decoding,
    ask: Ask,
    trained: Snapshot,
    points: MapPoints,
    posterior: Posterior,
    small_mnist: dict[str, ImageSet],
) -> None:
    """Each position is followed by another before it is read."""
    running: list[Callable[[], object]] = []

    class Slow(Executor):
        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            running.append(partial(fn, *args, **kwargs))
            return Future()

    def work() -> None:
        while running:
            running.pop(0)()

    tasks = Tasks(Jobs(main.post, lambda _: Slow()), failures)
    gauge = SupportGauge(tasks, empty_map, decoding, lambda _, look: main.post(look))
    story = Story(gauge)
    show(empty_map, trained, points, posterior)
    work()
    main.run()
    for step in range(5):
        ask((step / 10, 0.0))
        main.run()
        ask((step / 10 + 0.05, 0.0))
        main.run()
        work()
        main.run()
    work()
    main.run()
    asked = [reading.z[0] for reading in story.readings if reading]
    assert len(asked) >= 6
    assert asked[0] == 0.0
    assert asked[-1] == pytest.approx(0.45)


def test_a_place_that_cannot_be_judged_leaves_no_older_reading(
    ask: Ask,
    story: Story,
    empty_map: LatentMap,
    main: "MainThread",
    failures: "Failures",
    trained: Snapshot,
    points: MapPoints,
    posterior: Posterior,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    show(empty_map, trained, points, posterior)
    ask((0.5, 0.5))
    main.run_until(lambda: story.readings)

    def broken(*_: object) -> None:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr("vae_explorer.session.explore.data_support.drift", broken)
    ask((0.6, 0.5))
    main.run_until(lambda: failures)
    assert story.readings[1:] == [None]
    assert failures.pop()[0] == "The position could not be judged"
