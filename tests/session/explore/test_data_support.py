"""Positions of real models' planes, judged beside a main thread that the test runs."""

import dataclasses
import math
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from typing import Any

import numpy as np
import pytest

from tests.support.parts import show
from tests.support.stand_ins import Failures, MainThread
from vae_explorer.data.bundled import mnist_dataset
from vae_explorer.data.dataset import ImageSet
from vae_explorer.latent.trust import DataSupport, drift, verdict
from vae_explorer.model.trained import Check, Posterior
from vae_explorer.session.explore.data_support import PositionSupport, SupportGauge
from vae_explorer.session.explore.decoding import Decoded, Decoding
from vae_explorer.session.jobs import Jobs
from vae_explorer.session.map.latent_map import LatentMap
from vae_explorer.session.map.state import MapPoints
from vae_explorer.session.tasks import Tasks
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.types import Float32, LatentPoint

FAR = (5.5, -5.5)


class Story:
    """All that a ``SupportGauge`` gave, in its order, and what it is asked."""

    def __init__(
        self,
        gauge: SupportGauge,
        latent_map: LatentMap,
        decoding: Decoding,
        main: MainThread,
        snapshot: Snapshot,
        points: MapPoints,
        codes: Posterior,
    ) -> None:
        self.supports: list[DataSupport | None] = []
        self.readings: list[PositionSupport | None] = []
        gauge.support_changed.connect(self.supports.append)
        gauge.judged.connect(self.readings.append)
        self._map, self._decoding, self._main = latent_map, decoding, main
        self._shown = (snapshot, points, codes)

    def ask(self, z: LatentPoint) -> None:
        """Say that z was decoded."""
        picture = np.zeros((28, 28), np.float32)
        self._decoding.decoded.emit(Decoded(z, picture, 0.1, False))

    def show(
        self,
        codes: Posterior | None = None,
        snapshot: Snapshot | None = None,
        points: MapPoints | None = None,
        *,
        moving: bool = False,
    ) -> None:
        """Put them on the map, or what the tests share in their position."""
        trained, usual, posterior = self._shown
        snapshot, points, codes = snapshot or trained, points or usual, codes or posterior
        show(self._map, snapshot, points, codes, moving=moving)

    def wait(self, readings: int) -> None:
        self._main.run_until(lambda: len(self.readings) >= readings)

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
    failures: Failures,
    main: MainThread,
    empty_map: LatentMap,
    decoding: Decoding,
    small_mnist: dict[str, ImageSet],
) -> SupportGauge:
    """What it does after a while comes with what is posted, in its turn."""
    tasks = Tasks(jobs, failures)
    return SupportGauge(tasks, empty_map, decoding, lambda _, look: main.post(look))


@pytest.fixture
def story(
    gauge: SupportGauge,
    empty_map: LatentMap,
    decoding: Decoding,
    main: MainThread,
    trained: Snapshot,
    points: MapPoints,
    posterior: Posterior,
) -> Story:
    return Story(gauge, empty_map, decoding, main, trained, points, posterior)


def test_a_reading_is_what_brute_force_says(
    story: Story, trained: Snapshot, points: MapPoints, posterior: Posterior, digits: ImageSet
) -> None:
    model, z = trained.model, (0.31, -0.42)
    story.show()
    story.ask(z)
    story.wait(1)
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
    story: Story, main: MainThread, posterior: Posterior
) -> None:
    story.show()
    main.run_until(lambda: story.supports)
    densest = max(posterior.mean[::20], key=story.supports[0].density)
    z = float(densest[0]), float(densest[1])
    story.ask(z)
    story.wait(1)
    assert story.reading.percentile > 80
    assert story.reading.latent_distance == 0
    story.ask(FAR)
    story.wait(2)
    assert story.reading.percentile == 0
    assert story.reading.verdict == "off the data"


def test_the_newest_place_wins_and_waits_for_the_support(story: Story, main: MainThread) -> None:
    story.ask((1.0, 1.0))
    story.ask((0.5, 0.5))
    main.run()
    assert story.readings == []
    story.show()
    story.wait(1)
    story.ask((0.1, 0.1))
    story.ask((0.2, 0.2))
    story.wait(2)
    main.run()
    assert [reading.z for reading in story.readings if reading] == [(0.5, 0.5), (0.2, 0.2)]


def test_other_points_drop_what_was_asked_of_the_old_ones(
    story: Story, main: MainThread, other: Snapshot, digits: ImageSet
) -> None:
    story.ask((0.5, 0.5))
    story.show()
    story.show()  # only this is answered
    story.wait(1)
    story.ask((0.4, 0.4))
    elsewhere = other.model.encode(digits.images)
    story.show(elsewhere, other, moving=True)
    story.ask((0.3, 0.3))
    main.run()
    assert len(story.supports) == 2
    assert story.supports[1] is None
    assert story.readings[1] is None
    story.show(elsewhere, other)
    story.wait(3)
    main.run()
    assert len(story.readings) == len(story.supports) == 3
    assert story.reading.z == (0.3, 0.3)
    distance = np.hypot(*(elsewhere.mean - np.float32(0.3)).T).min()
    assert story.reading.latent_distance == pytest.approx(distance, abs=1e-6)


def test_of_both_splits_an_image_has_the_index_of_its_own(
    story: Story, trained: Snapshot, small_mnist: dict[str, ImageSet]
) -> None:
    both = small_mnist["both"]
    assert both.labels is not None
    codes = trained.model.encode(both.images)
    points = MapPoints(codes.mean, both.labels, np.arange(900), 900, "both", mnist_dataset())
    story.show(codes, points=points)
    story.ask((float(codes.mean[731, 0]), float(codes.mean[731, 1])))
    story.wait(1)
    assert (story.reading.split, story.reading.nearest.index) == ("test", 131)
    np.testing.assert_array_equal(story.reading.nearest.image, both.images[731])


def test_without_a_finite_code_there_is_no_reading(story: Story, posterior: Posterior) -> None:
    lost = Posterior(np.full_like(posterior.mean, np.nan), posterior.covariance)
    story.show(lost)
    story.ask((0.0, 0.0))
    story.wait(1)
    assert story.readings == [None]


def test_the_same_codes_are_surveyed_once(
    story: Story,
    main: MainThread,
    points: MapPoints,
    posterior: Posterior,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    surveys: list[Posterior] = []

    def survey(mean: Float32, covariance: Float32, check: Check) -> DataSupport:
        surveys.append(Posterior(mean, covariance))
        return DataSupport(mean, covariance, check)

    monkeypatch.setattr("vae_explorer.session.explore.data_support.DataSupport", survey)
    story.ask((0.5, 0.5))
    story.show()
    copy = Posterior(posterior.mean.copy(), posterior.covariance.copy())
    story.show(copy)  # while it is under way
    story.wait(1)
    sampled = dataclasses.replace(points, positions=points.positions + 1)
    story.show(copy, points=sampled)
    story.wait(2)
    main.run()
    assert len(surveys) == len(story.supports) == 1
    assert [reading and reading.latent_distance for reading in story.readings] == [
        story.reading.latent_distance
    ] * 2


def test_a_pointer_that_never_rests_is_told_of_some_places(
    failures: Failures,
    main: MainThread,
    empty_map: LatentMap,
    decoding: Decoding,
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
    story = Story(gauge, empty_map, decoding, main, trained, points, posterior)
    story.show()
    work()
    main.run()
    for step in range(5):
        story.ask((step / 10, 0.0))
        main.run()
        story.ask((step / 10 + 0.05, 0.0))
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
    story: Story, main: MainThread, failures: Failures, monkeypatch: pytest.MonkeyPatch
) -> None:
    story.show()
    story.ask((0.5, 0.5))
    story.wait(1)

    def broken(*_: object) -> None:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr("vae_explorer.session.explore.data_support.drift", broken)
    story.ask((0.6, 0.5))
    main.run_until(lambda: failures)
    assert story.readings[1:] == [None]
    assert failures.pop()[0] == "The position could not be compared with the data"
