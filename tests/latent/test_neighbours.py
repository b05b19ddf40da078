import math

import numpy as np
import pytest

from vae_explorer.data.bundled import mnist
from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import DataError
from vae_explorer.latent.neighbours import nearest_codes, nearest_images
from vae_explorer.paths import bundled_checkpoint
from vae_explorer.training.checkpoint import read_checkpoint


def test_images_against_brute_force() -> None:
    images = mnist("train").images[:3_000]
    for image in (images[7], mnist("test").images[0]):
        squares = [int(((other.astype(int) - image) ** 2).sum()) for other in images]
        expected = sorted(range(len(images)), key=lambda row: (squares[row], row))
        for k in (1, 20, 3_000, 5_000):
            found = nearest_images(images, image, k)
            assert found.dtype == np.int64
            assert found.tolist() == expected[:k]


def test_an_image_is_its_own_neighbour_and_the_first_of_equals(mnist_small: ImageSet) -> None:
    images = np.concatenate([mnist_small.images, mnist_small.images])
    assert nearest_images(images, mnist_small.images[13], 2).tolist() == [13, 1_013]


def test_images_that_are_far_and_nearly_as_far_as_each_other_keep_their_order() -> None:
    """Float32 cannot tell 783 · 255² from one more."""
    images = np.full((2, 28, 28), 255, np.uint8)
    images[:, 0, 0] = 1, 0
    assert nearest_images(images, np.zeros((28, 28), np.uint8), 2).tolist() == [1, 0]


def test_the_check_ends_the_search() -> None:
    images = mnist("train").images[:3_000]
    calls: list[int] = []

    def check() -> None:
        calls.append(1)
        if len(calls) == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        nearest_images(images, images[0], 5, check)


def test_codes_against_brute_force(mnist_small: ImageSet) -> None:
    model = read_checkpoint(bundled_checkpoint()).model
    positions = model.encode(mnist_small.images).mean
    positions = positions.copy()
    positions[[5, 50, 500]] = (np.nan, 0), (0, np.nan), (np.nan, np.nan)
    rows = [row for row, place in enumerate(positions.tolist()) if not any(map(math.isnan, place))]
    for place in [(0.0, 0.0), (2.5, -1.0), tuple(map(float, positions[3]))]:
        expected = sorted(rows, key=lambda row: (math.dist(positions[row].tolist(), place), row))
        for k in (1, 20, 997, 2_000):
            found = nearest_codes(positions, (place[0], place[1]), k)
            assert found.dtype == np.int64
            assert found.tolist() == expected[:k]


def test_no_points_have_no_neighbours() -> None:
    assert nearest_codes(np.empty((0, 2), np.float32), (0.0, 0.0), 3).tolist() == []
    assert nearest_codes(np.full((4, 2), np.nan), (0.0, 0.0), 3).tolist() == []
    assert nearest_images(np.empty((0, 2, 3), np.uint8), np.zeros((2, 3)), 3).tolist() == []


def test_what_cannot_be_asked_is_refused(mnist_small: ImageSet) -> None:
    images, positions = mnist_small.images, np.zeros((4, 2))
    for k in (0, -3):
        with pytest.raises(DataError, match="at least 1"):
            nearest_images(images, images[0], k)
        with pytest.raises(DataError, match="at least 1"):
            nearest_codes(positions, (0.0, 0.0), k)
    with pytest.raises(DataError, match="one size"):
        nearest_images(images, images[0, :20], 3)
    with pytest.raises(DataError, match="finite"):
        nearest_codes(positions, (math.nan, 0.0), 3)
