"""Digits that are drawn, pasted and opened, read by real models."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.support.parts import show
from tests.support.stand_ins import Failures, MainThread
from vae_explorer.data.bundled import in_both, mnist_dataset
from vae_explorer.data.centring import centred, ink_of
from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import DataError
from vae_explorer.latent.figures import image_figures, own_draws
from vae_explorer.latent.quadrature import exact_posterior
from vae_explorer.session.explore.sketch import SEED, Sketch
from vae_explorer.session.map.latent_map import LatentMap
from vae_explorer.session.map.state import MapPoints
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.types import UInt8

EVENTS = ("seen_changed", "reconstructed", "read", "nearest_changed", "image_changed")


class Story(dict[str, list[Any]]):
    """All that a ``Sketch`` gave, by signal."""

    def __init__(self, sketch: Sketch) -> None:
        super().__init__({name: [] for name in EVENTS})
        for name in EVENTS[1:-1]:
            getattr(sketch, name).connect(self[name].append)
        sketch.image_changed.connect(lambda: self["image_changed"].append(sketch.image))
        sketch.seen_changed.connect(self._see)

    def _see(self, image: UInt8 | None, ink: UInt8 | None) -> None:
        self["seen_changed"].append((image, ink))

    def forget(self) -> None:
        for told in self.values():
            told.clear()


@pytest.fixture
def story(sketch: Sketch) -> Story:
    return Story(sketch)


def stroke(column: int) -> UInt8:
    """A thick vertical line on a pad."""
    ink = np.zeros((280, 280), np.uint8)
    ink[60:220, column : column + 24] = 255
    return ink


def test_a_sketch_is_encoded_as_the_same_array(
    sketch: Sketch, story: Story, main: MainThread, trained: Snapshot, digits: ImageSet
) -> None:
    model, image = trained.model, digits.images[7]
    sketch.draw(image)
    q = model.encode(image[None])
    (encoded,) = story["image_changed"]  # at once
    np.testing.assert_array_equal(encoded.mean, q.mean[0])
    np.testing.assert_array_equal(encoded.covariance, q.covariance[0])
    np.testing.assert_array_equal(story["reconstructed"][0], model.decode(q.mean)[0])
    ((seen, ink),) = story["seen_changed"]
    np.testing.assert_array_equal(seen, image)
    assert ink is None
    main.run()
    first, second = story["read"]
    x, seeds = own_draws(model, image[None], np.array([SEED])), np.array([SEED])
    assert first.truth is None
    elbo = image_figures(model, image[None], seeds).elbo[0]
    assert first.bound.elbo == second.bound.elbo == elbo
    assert second.truth.log_marginal == exact_posterior(model, x).log_marginal[0]
    assert second.truth.gap > 0


def test_the_nearest_are_those_of_brute_force(
    sketch: Sketch,
    story: Story,
    latent_map: LatentMap,
    main: MainThread,
    trained: Snapshot,
    points: MapPoints,
    digits: ImageSet,
) -> None:
    sketch.draw(digits.images[7])
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
    some = MapPoints(
        points.positions[:5], points.labels[:5], np.arange(5), 600, "train", mnist_dataset()
    )
    show(latent_map, trained, some)
    main.run()
    assert {one.thumbnail.index for one in story["nearest_changed"][-1]} == set(range(5))


def test_no_stale_answer_is_told(
    sketch: Sketch, story: Story, main: MainThread, digits: ImageSet
) -> None:
    sketch.draw(digits.images[7])
    sketch.draw(digits.images[8])
    main.run()
    mean = story["image_changed"][1].mean
    assert all(np.array_equal(reading.bound.mean, mean) for reading in story["read"])
    assert [len(story[name]) for name in ("read", "nearest_changed")] == [2, 1]
    assert story["nearest_changed"][0][0].thumbnail.index == 8
    story.forget()
    sketch.draw(digits.images[9])
    sketch.clear()
    main.run()
    assert story["read"] == [None]
    assert story["nearest_changed"] == [()]


def test_another_model_reads_the_same_sketch(
    sketch: Sketch,
    story: Story,
    latent_map: LatentMap,
    main: MainThread,
    other: Snapshot,
    points: MapPoints,
) -> None:
    sketch.draw(stroke(100))
    main.run()
    ((seen, _),) = story["seen_changed"]
    story.forget()
    show(latent_map, other, points)
    main.run()
    (encoded,) = story["image_changed"]
    np.testing.assert_array_equal(encoded.mean, other.model.encode(seen[None]).mean[0])
    np.testing.assert_array_equal(story["read"][-1].bound.mean, encoded.mean)
    assert not story["nearest_changed"]  # the same images


def test_a_sketch_is_centred_and_nothing_is_no_sketch(
    sketch: Sketch, story: Story, main: MainThread
) -> None:
    sketch.draw(stroke(20))
    sketch.draw(stroke(200))
    (left, _), (right, _) = story["seen_changed"]
    np.testing.assert_array_equal(left, right)
    np.testing.assert_array_equal(left, centred(stroke(20), (28, 28)))
    story.forget()
    sketch.draw(np.zeros((280, 280), np.uint8))
    assert [told[0] for told in story.values()] == [(None, None), None, None, (), None]


def test_clearing_empties_the_pad(sketch: Sketch, story: Story) -> None:
    sketch.draw(stroke(20))
    sketch.clear()
    seen, ink = story["seen_changed"][-1]
    assert seen is None
    assert not ink.any()


def test_a_picture_goes_on_the_pad_and_is_read(
    sketch: Sketch, story: Story, main: MainThread, tmp_path: Path
) -> None:
    picture = np.repeat(255 - stroke(100)[..., None], 3, axis=2)
    sketch.give(picture)
    main.run()
    path = tmp_path / "one.png"
    Image.fromarray(picture).save(path)
    sketch.open(path)
    main.run()
    assert len(story["seen_changed"]) == 2
    for seen, ink in story["seen_changed"]:
        np.testing.assert_array_equal(ink, ink_of(picture))
        np.testing.assert_array_equal(seen, centred(ink, (28, 28)))


def test_drawing_overtakes_a_picture(sketch: Sketch, story: Story, main: MainThread) -> None:
    sketch.give(np.repeat(255 - stroke(100)[..., None], 3, axis=2))
    sketch.draw(stroke(20))
    main.run()
    assert len(story["seen_changed"]) == 1


def test_a_photograph_lies_as_it_was_taken(
    sketch: Sketch, story: Story, main: MainThread, tmp_path: Path
) -> None:
    path = tmp_path / "turned.png"
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright
    Image.fromarray(255 - np.rot90(stroke(100))).save(path, exif=exif)
    sketch.open(path)
    main.run()
    seen, _ = story["seen_changed"][0]
    rows, columns = (np.flatnonzero(seen.any(axis)) for axis in (1, 0))
    assert np.ptp(rows) > 3 * np.ptp(columns)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing.png", "does not exist"),
        ("folder.png", "is not a regular file"),
        ("pipe.png", "is not a regular file"),
        ("text.png", "not a picture that can be read"),
        ("short.png", "cannot be read"),
        ("huge.png", "8,000 × 6,000"),
        ("blank.png", "Nothing stands out"),
    ],
)
def test_a_bad_file_is_told_and_the_sketch_stays(
    sketch: Sketch,
    story: Story,
    main: MainThread,
    failures: Failures,
    tmp_path: Path,
    name: str,
    words: str,
) -> None:
    (tmp_path / "text.png").write_text("a digit")
    (tmp_path / "folder.png").mkdir()
    os.mkfifo(tmp_path / "pipe.png")
    noise = np.random.default_rng(0).integers(0, 256, (90, 90), np.uint8)
    Image.fromarray(noise).save(tmp_path / "whole.png")
    (tmp_path / "short.png").write_bytes((tmp_path / "whole.png").read_bytes()[:4_000])
    Image.new("1", (8_000, 6_000)).save(tmp_path / "huge.png")
    Image.new("L", (50, 50), 200).save(tmp_path / "blank.png")
    sketch.draw(stroke(20))
    main.run()
    story.forget()
    sketch.open(tmp_path / name)
    main.run()
    ((title, error),) = failures
    assert title == "The picture was not read"
    assert isinstance(error, DataError)
    assert words in str(error)
    assert not any(story.values())
    failures.clear()


def test_no_image_of_the_data_has_its_seed() -> None:
    assert in_both("test", np.array([9_999]))[0] < SEED


def test_a_sketch_that_cannot_be_scored_leaves_no_older_figures(
    sketch: Sketch,
    story: Story,
    main: MainThread,
    failures: Failures,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sketch.draw(stroke(100))
    main.run()
    assert story["read"][-1].truth is not None

    def broken(*_: object) -> None:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr("vae_explorer.session.explore.sketch.image_truth", broken)
    sketch.draw(stroke(120))
    main.run()
    assert story["read"][-1] is None
    assert [title for title, _ in failures] == ["The sketch could not be scored"]
    failures.clear()
