"""Arithmetic of codes against sums by hand, and its neighbours against trying them all."""

import math
from collections import Counter

import numpy as np
import pytest

from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import DataError
from vae_explorer.latent.arithmetic import analogy, attribute_vector, class_means, neighbourhood
from vae_explorer.paths import bundled_checkpoint
from vae_explorer.training.checkpoint import read_checkpoint


def test_the_means_of_classes_and_their_difference() -> None:
    codes = np.array([[1, 2], [3, 6], [-1, 0], [np.nan, 5], [5, 1]], np.float32)
    labels = np.array([7, 7, 2, 2, 7], np.uint8)
    means = class_means(codes, labels)
    assert list(means) == [2, 7]
    assert means[2].tolist() == [-1, 0]
    assert means[7].tolist() == [3, 3]
    seven, two = np.flatnonzero(labels == 7), np.flatnonzero(labels == 2)
    assert attribute_vector(codes, seven, two).tolist() == [4, 3]


def test_a_mean_is_summed_in_float64() -> None:
    """In float32 a hundred thousand tenths beside 10⁸ would be lost."""
    codes = np.full((100_001, 2), 0.1, np.float32)
    codes[0] = 1e8
    (mean,) = class_means(codes, np.zeros(len(codes), np.uint8)).values()
    expected = (1e8 + 1e5 * float(np.float32(0.1))) / 100_001
    np.testing.assert_allclose(mean, expected, rtol=1e-10)


def test_an_analogy_is_the_fourth_corner_of_a_parallelogram() -> None:
    man, king, woman = np.array([[1.0, 0.5], [1.5, 2.5], [-2.0, 1.0]])
    queen = analogy(king, man, woman)
    assert queen.tolist() == [-1.5, 3.0]
    np.testing.assert_array_equal(queen - woman, king - man)
    np.testing.assert_array_equal(analogy(woman, man, king), queen)


def test_groups_without_codes_have_no_mean() -> None:
    codes = np.array([[0, 0], [np.nan, 1]])
    nobody, first, lost = np.array([], np.intp), np.array([0]), np.array([1])
    for group, other in [(nobody, first), (first, nobody), (lost, first)]:
        with pytest.raises(DataError, match="at least one"):
            attribute_vector(codes, group, other)
    with pytest.raises(DataError, match="at least one"):
        class_means(codes, np.array([0, 1], np.uint8))
    assert class_means(np.empty((0, 2)), np.empty(0, np.uint8)) == {}


def test_vouchers_against_trying_all(mnist_small: ImageSet) -> None:
    codes = read_checkpoint(bundled_checkpoint()).model.encode(mnist_small.images).mean
    labels = mnist_small.labels
    assert labels is not None
    means = class_means(codes, labels)
    position = analogy(means[3], means[8], means[9])
    distances = [math.dist(code, position) for code in codes]
    expected = sorted(range(len(codes)), key=lambda row: (distances[row], row))
    for k in (1, 40, 5_000):
        found = neighbourhood(codes, labels, position, k)
        rows = expected[:k]
        assert found.rows.tolist() == rows
        np.testing.assert_allclose(found.distances, [distances[row] for row in rows])
        counts = Counter(labels[rows].tolist())
        assert found.shares == {label: n / len(rows) for label, n in counts.items()}
        assert list(found.shares.values()) == sorted(found.shares.values(), reverse=True)


def test_a_class_vouches_for_its_own_mean(mnist_small: ImageSet) -> None:
    """Of the bundled model, where ones and zeros lie apart from all others."""
    codes = read_checkpoint(bundled_checkpoint()).model.encode(mnist_small.images).mean
    labels = mnist_small.labels
    assert labels is not None
    means = class_means(codes, labels)
    for label in (0, 1):
        shares = neighbourhood(codes, labels, means[label], 30).shares
        assert next(iter(shares)) == label
        assert shares[label] > 0.8


def test_vouchers_that_cannot_be_asked_for() -> None:
    codes, labels = np.zeros((3, 2)), np.zeros(3, np.uint8)
    with pytest.raises(DataError, match="at least 1"):
        neighbourhood(codes, labels, np.zeros(2), 0)
    with pytest.raises(DataError, match="finite"):
        neighbourhood(codes, labels, np.array([0, np.nan]), 1)
    assert neighbourhood(codes[:0], labels[:0], np.zeros(2), 5).shares == {}
