"""Digits that are drawn, pasted and opened, read by real models."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from vae_explorer.data.centring import centred, ink_of
from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import DataError
from vae_explorer.latent.figures import image_figures, own_draws
from vae_explorer.latent.quadrature import exact_posterior
from vae_explorer.session.explore.sketch import SEED, DrawnDigit
from vae_explorer.session.jobs import Jobs
from vae_explorer.session.state import MapPoints, draw_seeds
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.types import UInt8

if TYPE_CHECKING:
    from tests.support.stand_ins import Failures, MainThread

EVENTS = ("seen_changed", "reconstructed", "read", "nearest_changed", "subject_changed")


class Story(dict[str, list[Any]]):
    """All that a ``DrawnDigit`` told, by signal."""

    def __init__(self, drawn: DrawnDigit) -> None:
        super().__init__({name: [] for name in EVENTS})
        for name in EVENTS[1:]:
            getattr(drawn, name).connect(self[name].append)
        drawn.seen_changed.connect(self._see)

    def _see(self, image: UInt8 | None, ink: UInt8 | None) -> None:
        self["seen_changed"].append((image, ink))

    def forget(self) -> None:
        for told in self.values():
            told.clear()


@pytest.fixture
def drawn(
    inline_jobs: Jobs,
    failures: "Failures",
    trained: Snapshot,
    points: MapPoints,
    small_mnist: dict[str, ImageSet],
) -> DrawnDigit:
    drawn = DrawnDigit(inline_jobs, failures)
    drawn.set_model(trained.model)
    drawn.set_points(points)
    return drawn


@pytest.fixture
def story(drawn: DrawnDigit) -> Story:
    return Story(drawn)


def stroke(column: int) -> UInt8:
    """A thick vertical line on a pad."""
    ink = np.zeros((280, 280), np.uint8)
    ink[60:220, column : column + 24] = 255
    return ink


def test_a_drawing_is_encoded_as_the_same_array(
    drawn: DrawnDigit, story: Story, main: "MainThread", trained: Snapshot, digits: ImageSet
) -> None:
    model, image = trained.model, digits.images[7]
    drawn.draw(image)
    q = model.encode(image[None])
    (subject,) = story["subject_changed"]  # at once
    np.testing.assert_array_equal(subject.mean, q.mean[0])
    np.testing.assert_array_equal(subject.covariance, q.covariance[0])
    np.testing.assert_array_equal(story["reconstructed"][0], model.decode(q.mean)[0])
    ((seen, ink),) = story["seen_changed"]
    np.testing.assert_array_equal(seen, image)
    assert ink is None
    main.run()
    first, second = story["read"]
    x, seeds = own_draws(model, image[None], np.array([SEED])), np.array([SEED])
    assert first.log_marginal is None
    assert first.elbo == second.elbo == image_figures(model, image[None], seeds).elbo[0]
    assert second.log_marginal == exact_posterior(model, x).log_marginal[0]
    assert second.gap > 0


def test_the_nearest_are_those_of_brute_force(
    drawn: DrawnDigit, story: Story, main: "MainThread", points: MapPoints, digits: ImageSet
) -> None:
    drawn.draw(digits.images[7])
    main.run()
    (found,) = story["nearest_changed"]
    flat = digits.images.reshape(600, -1) / 255
    distances = np.sqrt(((flat - flat[7]) ** 2).sum(1))
    order = distances.argsort()[:5]
    assert [one.thumbnail.index for one in found] == order.tolist()
    assert order[0] == 7
    np.testing.assert_allclose([one.distance for one in found], distances[order])
    labels = [one.thumbnail.label for one in found]
    assert labels == points.labels[order].tolist()
    some = MapPoints(points.positions[:5], points.labels[:5], np.arange(5), 600, "train")
    drawn.set_points(some)
    main.run()
    assert {one.thumbnail.index for one in story["nearest_changed"][-1]} == set(range(5))


def test_no_stale_answer_is_told(
    drawn: DrawnDigit, story: Story, main: "MainThread", digits: ImageSet
) -> None:
    drawn.draw(digits.images[7])
    drawn.draw(digits.images[8])
    main.run()
    means = [subject.mean for subject in story["subject_changed"]]
    assert all(reading.mean is means[1] for reading in story["read"])
    assert [len(story[name]) for name in ("read", "nearest_changed")] == [2, 1]
    assert story["nearest_changed"][0][0].thumbnail.index == 8
    story.forget()
    drawn.draw(digits.images[9])
    drawn.clear()
    main.run()
    assert story["read"] == [None]
    assert story["nearest_changed"] == [()]


def test_another_model_reads_the_same_drawing(
    drawn: DrawnDigit,
    story: Story,
    main: "MainThread",
    other: Snapshot,
    points: MapPoints,
    digits: ImageSet,
) -> None:
    drawn.draw(stroke(100))
    main.run()
    ((seen, _),) = story["seen_changed"]
    story.forget()
    drawn.set_model(other.model)
    drawn.set_points(points)
    main.run()
    (subject,) = story["subject_changed"]
    np.testing.assert_array_equal(subject.mean, other.model.encode(seen[None]).mean[0])
    np.testing.assert_array_equal(story["read"][-1].mean, subject.mean)
    assert not story["nearest_changed"]  # the same images


def test_a_drawing_is_centred_and_nothing_is_no_drawing(
    drawn: DrawnDigit, story: Story, main: "MainThread"
) -> None:
    drawn.draw(stroke(20))
    drawn.draw(stroke(200))
    (left, _), (right, _) = story["seen_changed"]
    np.testing.assert_array_equal(left, right)
    np.testing.assert_array_equal(left, centred(stroke(20)))
    story.forget()
    drawn.draw(np.zeros((280, 280), np.uint8))
    assert [told[0] for told in story.values()] == [(None, None), None, None, (), None]


def test_clearing_empties_the_pad(drawn: DrawnDigit, story: Story) -> None:
    drawn.draw(stroke(20))
    drawn.clear()
    seen, ink = story["seen_changed"][-1]
    assert seen is None
    assert not ink.any()


def test_a_picture_goes_on_the_pad_and_is_read(
    drawn: DrawnDigit, story: Story, main: "MainThread", tmp_path: Path
) -> None:
    picture = np.repeat(255 - stroke(100)[..., None], 3, axis=2)
    drawn.give(picture)
    main.run()
    path = tmp_path / "one.png"
    Image.fromarray(picture).save(path)
    drawn.open(path)
    main.run()
    assert len(story["seen_changed"]) == 2
    for seen, ink in story["seen_changed"]:
        np.testing.assert_array_equal(ink, ink_of(picture))
        np.testing.assert_array_equal(seen, centred(ink))


def test_drawing_overtakes_a_picture(drawn: DrawnDigit, story: Story, main: "MainThread") -> None:
    drawn.give(np.repeat(255 - stroke(100)[..., None], 3, axis=2))
    drawn.draw(stroke(20))
    main.run()
    assert len(story["seen_changed"]) == 1


def test_a_photograph_lies_as_it_was_taken(
    drawn: DrawnDigit, story: Story, main: "MainThread", tmp_path: Path
) -> None:
    path = tmp_path / "turned.png"
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright
    Image.fromarray(255 - np.rot90(stroke(100))).save(path, exif=exif)
    drawn.open(path)
    main.run()
    seen, _ = story["seen_changed"][0]
    rows, columns = (np.flatnonzero(seen.any(axis)) for axis in (1, 0))
    assert np.ptp(rows) > 3 * np.ptp(columns)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing.png", "does not exist"),
        ("text.png", "no picture that can be read"),
        ("short.png", "cannot be read"),
        ("huge.png", "8,000 × 6,000"),
        ("blank.png", "Nothing stands out"),
    ],
)
def test_a_bad_file_is_told_and_the_drawing_stays(
    drawn: DrawnDigit,
    story: Story,
    main: "MainThread",
    failures: "Failures",
    tmp_path: Path,
    name: str,
    words: str,
) -> None:
    (tmp_path / "text.png").write_text("a digit")
    noise = np.random.default_rng(0).integers(0, 256, (90, 90), np.uint8)
    Image.fromarray(noise).save(tmp_path / "whole.png")
    (tmp_path / "short.png").write_bytes((tmp_path / "whole.png").read_bytes()[:4_000])
    Image.new("1", (8_000, 6_000)).save(tmp_path / "huge.png")
    Image.new("L", (50, 50), 200).save(tmp_path / "blank.png")
    drawn.draw(stroke(20))
    main.run()
    story.forget()
    drawn.open(tmp_path / name)
    main.run()
    ((title, error),) = failures
    assert title == "The picture was not read"
    assert isinstance(error, DataError)
    assert words in str(error)
    assert not any(story.values())
    failures.clear()


def test_no_image_of_the_data_has_its_seed() -> None:
    assert draw_seeds("test", np.array([9_999]))[0] < SEED


def test_a_drawing_that_cannot_be_scored_leaves_no_older_figures(
    drawn: DrawnDigit,
    story: Story,
    main: "MainThread",
    failures: "Failures",
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn.draw(stroke(100))
    main.run()
    assert story["read"][-1].log_marginal is not None

    def broken(*_: object) -> None:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr("vae_explorer.session.explore.sketch.image_figures", broken)
    drawn.draw(stroke(120))
    main.run()
    assert story["read"][-1] is None
    assert [title for title, _ in failures] == ["The drawing could not be scored"]
    failures.clear()
