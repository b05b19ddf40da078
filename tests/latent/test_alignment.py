"""Alignment against brute force over all angles, and of the bundled models with each other."""

import numpy as np
import pytest

from vae_explorer import paths
from vae_explorer.data.dataset import ImageSet
from vae_explorer.latent.alignment import describe, procrustes
from vae_explorer.latent.quadrature import exact_posterior
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.types import Float64

MIRROR = np.diag([-1.0, 1.0])


def _rotation(degrees: float) -> Float64:
    angle = np.deg2rad(degrees)
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _bundled(name: str) -> TrainedVAE:
    return read_checkpoint(paths.bundled_checkpoint().with_name(f"{name}.safetensors")).model


@pytest.fixture(scope="module")
def elbo() -> TrainedVAE:
    return _bundled("mnist-elbo")


@pytest.fixture
def positions() -> Float64:
    return np.random.default_rng(0).normal(size=(200, 2)) * (1, 2) + (0.5, -0.2)


@pytest.mark.parametrize("mirror", [np.eye(2), MIRROR], ids=["rotation", "reflection"])
@pytest.mark.parametrize("degrees", [0, 37, -120, 180])
def test_a_rotation_is_found_again(positions: Float64, degrees: float, mirror: Float64) -> None:
    rotation = _rotation(degrees) @ mirror
    noise = np.random.default_rng(1).normal(scale=0.05, size=positions.shape)
    found = procrustes(positions, positions @ rotation.T + noise)
    np.testing.assert_allclose(found @ found.T, np.eye(2), atol=1e-12)
    np.testing.assert_allclose(found, rotation, atol=0.01)


def test_no_other_rotation_or_reflection_is_better(positions: Float64) -> None:
    reference = np.random.default_rng(1).normal(size=positions.shape)
    candidates = [_rotation(angle) @ flip for angle in range(360) for flip in (np.eye(2), MIRROR)]
    sums = [np.square(positions @ each.T - reference).sum() for each in candidates]
    found = procrustes(positions, reference)
    least = np.square(positions @ found.T - reference).sum()
    assert min(sums) * (1 - 1e-3) < least <= min(sums)


def test_images_without_a_place_are_left_out(positions: Float64) -> None:
    reference = positions @ _rotation(60).T
    positions[3, 0], reference[7] = np.nan, np.inf
    np.testing.assert_allclose(procrustes(positions, reference), _rotation(60), atol=1e-12)
    positions[:-1] = np.nan
    np.testing.assert_array_equal(procrustes(positions, reference), np.eye(2))
    np.testing.assert_array_equal(procrustes(np.empty((0, 2)), np.empty((0, 2))), np.eye(2))


@pytest.mark.parametrize(
    ("rotation", "says"),
    [
        (np.eye(2), "as trained"),
        (_rotation(-0.4), "as trained"),
        (_rotation(36.8), "turned by 37°"),
        (_rotation(-120), "turned by −120°"),
        (MIRROR, "mirrored"),
        (_rotation(-120) @ MIRROR, "mirrored and turned by −120°"),
        (np.diag([1.0, -1.0]), "mirrored and turned by 180°"),
        (_rotation(-179.9), "turned by 180°"),
    ],
)
def test_it_is_said_in_words(rotation: Float64, says: str) -> None:
    assert describe(rotation) == says


def test_two_trainings_are_closer_once_aligned(elbo: TrainedVAE, mnist_small: ImageSet) -> None:
    other = _bundled("mnist-exact")
    images = mnist_small.images
    reference, codes = elbo.encode(images).mean, other.encode(images).mean
    aligned = other.turned(procrustes(codes, reference)).encode(images).mean
    before, after = (np.square(each - reference).sum() for each in (codes, aligned))
    assert after < before
    assert describe(procrustes(aligned, reference)) == "as trained"


def test_the_exact_posterior_turns_with_the_model(elbo: TrainedVAE, mnist_small: ImageSet) -> None:
    rotation = _rotation(33) @ MIRROR
    x = elbo.treated(mnist_small.images[:4])
    exact, turned = exact_posterior(elbo, x), exact_posterior(elbo.turned(rotation), x)
    difference = np.abs(turned.log_marginal - exact.log_marginal)
    assert (difference <= exact.error + turned.error + 1e-4).all()  # float32 costs some 1e-5
    np.testing.assert_allclose(turned.mean, exact.mean @ rotation.T, atol=1e-3)
    np.testing.assert_allclose(turned.entropy, exact.entropy, atol=1e-2)
