"""Densities on a grid against closed forms and direct summation over all cells."""

from typing import Any

import numpy as np
import pytest

from vae_explorer import paths
from vae_explorer.data.dataset import ImageSet
from vae_explorer.latent.density import aggregate_density, class_posterior, points_density
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.types import Float64


def middles(count: int, extent: float = 6.0) -> Float64:
    """Of equal cells that fill −extent to extent."""
    return ((np.arange(count) + 0.5) / count * 2 - 1) * extent


def mixture(mean: Any, covariance: Any, axis: Float64) -> Float64:
    """(1/n) Σ N(z; μᵢ, Σᵢ) at all cells, one Gaussian after another."""
    positions = np.stack(np.meshgrid(axis, axis), axis=-1)
    total = np.zeros(positions.shape[:2])
    for middle, spread in zip(mean, np.asarray(covariance, np.float64), strict=True):
        away = positions - middle
        distance = np.einsum("...i,ij,...j", away, np.linalg.inv(spread), away)
        total += np.exp(-distance / 2) / (2 * np.pi * np.sqrt(np.linalg.det(spread)))
    return total / len(mean)


def turned(deviations: Any, angle: float) -> Float64:
    """The covariance with these standard deviations along axes turned by an angle."""
    cos, sin = np.cos(angle), np.sin(angle)
    half: Float64 = np.array([[cos, -sin], [sin, cos]]) * deviations
    return half @ half.T


@pytest.mark.parametrize("deviations", [(0.05, 0.05), (0.06, 1.0), (0.4, 0.7), (2.0, 0.3)])
@pytest.mark.parametrize("angle", [0.0, 0.8, -1.4])
def test_one_gaussian(deviations: tuple[float, float], angle: float) -> None:
    axis = middles(240)
    mean, covariance = [[1.23, -0.47]], [turned(deviations, angle)]
    expected = mixture(mean, covariance, axis)
    (density,) = aggregate_density(np.array(mean), np.array(covariance), None, axis)
    np.testing.assert_allclose(density, expected, rtol=0, atol=1e-4 * expected.max())


def test_rows_go_along_the_second_dimension() -> None:
    axis = middles(61)
    (density,) = aggregate_density(np.array([[2.0, -4.0]]), 0.1 * np.eye(2)[None], None, axis)
    row, column = np.unravel_index(density.argmax(), density.shape)
    assert axis[column] == pytest.approx(2, abs=0.1)
    assert axis[row] == pytest.approx(-4, abs=0.1)


def test_a_mixture_of_all_widths_by_class() -> None:
    random = np.random.default_rng(4)
    axis = middles(120)
    mean = 2 * random.normal(size=(150, 2))
    deviations = np.exp(random.uniform(np.log(0.08), np.log(3), (150, 2)))
    angles = random.uniform(0, np.pi, 150)
    covariance = np.array([turned(*each) for each in zip(deviations, angles, strict=True)])
    labels = random.integers(0, 3, 150).astype(np.uint8)
    density = aggregate_density(mean, covariance, labels, axis)
    assert density.shape == (3, 120, 120)
    cell = (axis[1] - axis[0]) ** 2
    for label in range(3):
        chosen = labels == label
        expected = mixture(mean[chosen], covariance[chosen], axis) * chosen.mean()
        np.testing.assert_allclose(density[label], expected, atol=1e-4 * expected.max())
        assert density[label].sum() == pytest.approx(expected.sum(), abs=1e-4 / cell)


@pytest.mark.parametrize("deviation", [1e-6, 0.01, 0.03])
def test_one_narrower_than_a_cell_keeps_its_mass(deviation: float) -> None:
    """Wherever in its cell it lies, and whether or not a position is near its mean."""
    axis = middles(200)
    cell = axis[1] - axis[0]
    covariance = deviation**2 * np.eye(2)[None]
    for shift in np.linspace(0, 1, 5):
        mean = np.array([[axis[100] + shift * cell, axis[70] + shift * cell / 2]])
        (density,) = aggregate_density(mean, covariance, None, axis)
        assert density.sum() * cell**2 == pytest.approx(1, abs=5e-4)
        middle = density.sum(0) @ axis * cell**2, density.sum(1) @ axis * cell**2
        np.testing.assert_allclose(middle, mean[0], atol=0.02 * cell)


def test_a_collapsed_model_s_codes_are_the_prior() -> None:
    axis = middles(300)
    labels = np.repeat(np.arange(4, dtype=np.uint8), [10, 20, 30, 40])
    covariance = np.broadcast_to(np.eye(2), (100, 2, 2))
    density = aggregate_density(np.zeros((100, 2)), covariance, labels, axis)
    prior = mixture([[0, 0]], [np.eye(2)], axis)
    shares = np.array([0.1, 0.2, 0.3, 0.4])[:, None, None]
    np.testing.assert_allclose(density, shares * prior, atol=1e-4 * prior.max())


def test_a_wide_one_beyond_the_edge_is_seen_and_a_far_one_is_not() -> None:
    axis = middles(80)
    mean = np.array([[9.0, -11.0], [1e30, -1e30]])
    covariance = np.array([turned((4, 3), 0.5), turned((1, 0.2), 0.5)])
    (density,) = aggregate_density(mean, covariance, None, axis)
    expected = mixture(mean[:1], covariance[:1], axis) / 2
    np.testing.assert_allclose(density, expected, atol=1e-4 * expected.max())


def test_the_widest_are_flat() -> None:
    (density,) = aggregate_density(np.zeros((1, 2)), 1e6 * np.eye(2)[None], None, middles(80))
    np.testing.assert_allclose(density, 1 / (2 * np.pi * 1e6), rtol=1e-3)


@pytest.mark.parametrize("length", [1e3, 1e5])
def test_an_endless_needle_aslant_is_a_ridge(length: float) -> None:
    axis = middles(80)
    covariance = np.array([turned((length, 0.3), np.pi / 4)])
    (density,) = aggregate_density(np.zeros((1, 2)), covariance, None, axis)
    away = (axis[:, None] - axis) / 2**0.5
    shape = np.exp(-((away / 0.3) ** 2) / 2)
    np.testing.assert_allclose(density / density.max(), shape, atol=2e-3)


def test_a_covariance_beyond_float64_gives_numbers() -> None:
    covariance = np.array([turned((1e15, 0.3), 0.6)])
    density = aggregate_density(np.zeros((1, 2)), covariance, None, middles(80))
    assert np.isfinite(density).all()
    assert density.any()


def test_what_is_not_finite_lies_nowhere_but_counts() -> None:
    axis = middles(100)
    mean = np.array([[0, 0], [np.nan, 0], [0, np.inf], [0, 0]], np.float32)
    covariance = np.tile(np.eye(2, dtype=np.float32), (4, 1, 1))
    covariance[3, 1, 1] = np.inf
    (density,) = aggregate_density(mean, covariance, None, axis)
    assert density.sum() * (axis[1] - axis[0]) ** 2 == pytest.approx(1 / 4, abs=1e-4)


def test_of_no_codes_nothing_is_drawn() -> None:
    nothing = aggregate_density(np.empty((0, 2)), np.empty((0, 2, 2)), None, middles(20))
    assert nothing.shape == (1, 20, 20)
    assert not nothing.any()
    assert not points_density(np.empty((0, 2)), middles(20)).any()


@pytest.mark.parametrize("name", ["mnist-elbo", "mnist-iwae"])
def test_the_codes_of_real_digits(name: str, mnist_small: ImageSet) -> None:
    """A trained encoder's posteriors, all wide enough to need no widening on these cells."""
    model = read_checkpoint(paths.checkpoints() / f"{name}.safetensors").model
    posterior = model.encode(mnist_small.images[:200])
    labels = mnist_small.labels
    assert labels is not None
    axis = middles(160, 0.6)
    density = aggregate_density(posterior.mean, posterior.covariance, labels[:200], axis)
    narrowest = np.linalg.eigvalsh(posterior.covariance).min() ** 0.5
    assert narrowest > 0.7 * (axis[1] - axis[0])
    expected = mixture(posterior.mean, posterior.covariance, axis)
    np.testing.assert_allclose(density.sum(0), expected, atol=1e-4 * expected.max())


def test_points_of_two_clouds_by_their_kernels() -> None:
    """Against a Gaussian at each point; these lie at middles of cells, where none is moved."""
    random = np.random.default_rng(5)
    axis = middles(200)
    index = random.normal([65, 120], 9, (200, 2)).round().astype(int)
    index[100:, 0] += 70
    positions = axis[index]
    density = points_density(positions, axis)
    bandwidth = 0.3 * 200 ** (-1 / 6) * positions.std(0)
    expected = mixture(positions, [np.diag(bandwidth**2)] * 200, axis)
    np.testing.assert_allclose(density, expected, atol=1e-3 * expected.max())
    assert density.sum() * (axis[1] - axis[0]) ** 2 == pytest.approx(1)


def test_points_that_are_not_finite_are_left_out_and_those_outside_count() -> None:
    axis = middles(50)
    good = np.random.default_rng(6).normal(size=(90, 2))
    density = points_density(good, axis)
    lost = np.array([[np.nan, 0], [0, -np.inf]])
    np.testing.assert_array_equal(points_density(np.concatenate([good, lost]), axis), density)
    far = np.concatenate([good, np.full((10, 2), 50.0)])
    np.testing.assert_allclose(points_density(far, axis), 0.9 * density)


def test_points_on_one_place_stay_there() -> None:
    axis = middles(50)
    density = points_density(np.tile([[axis[7], axis[31]]], (20, 1)), axis)
    assert np.flatnonzero(density).tolist() == [31 * 50 + 7]
    assert density.sum() * (axis[1] - axis[0]) ** 2 == pytest.approx(1)


def test_the_class_posterior_of_two_gaussians_is_bayes() -> None:
    """Equal covariances: the log odds are linear in z."""
    axis = middles(120, 3)
    mean = np.repeat([[1.0, 0.0], [-1.0, 0.5]], [30, 10], axis=0)
    labels = np.repeat(np.array([0, 1], np.uint8), [30, 10])
    covariance = np.broadcast_to(np.eye(2), (40, 2, 2))
    probable, entropy = class_posterior(aggregate_density(mean, covariance, labels, axis))
    z1, z2 = np.meshgrid(axis, axis)
    odds = np.log(3) + (((z1 + 1) ** 2 + (z2 - 0.5) ** 2) - ((z1 - 1) ** 2 + z2**2)) / 2
    first = 1 / (1 + np.exp(-odds))
    sure = abs(odds) > 0.01
    np.testing.assert_array_equal(probable[sure], (odds < 0)[sure])
    expected = -first * np.log(first) - (1 - first) * np.log(1 - first)
    np.testing.assert_allclose(entropy, expected, atol=2e-3)
    assert probable.dtype == np.uint8
    assert entropy.dtype == np.float32


def test_the_entropy_ends_at_certainty_and_at_equal_odds() -> None:
    density = np.array([[[2.0, 1.0, 0.0]], [[0.0, 1.0, 0.0]], [[0.0, 1.0, 0.0]]])
    probable, entropy = class_posterior(density)
    assert probable.tolist() == [[0, 0, 0]]
    np.testing.assert_allclose(entropy, [[0, np.log(3), np.nan]], rtol=1e-6)
