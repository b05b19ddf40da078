"""Figures of single images against closed forms of a linear-Gaussian model."""

from typing import Any, NoReturn

import numpy as np
import pytest
import torch
from torch.distributions import MultivariateNormal, kl_divergence

from vae_explorer import paths
from vae_explorer.data.dataset import ImageSet
from vae_explorer.latent import figures as figures_module
from vae_explorer.latent.figures import image_figures, own_draws, posterior_width
from vae_explorer.training.checkpoint import read_checkpoint


def test_an_image_s_draw_is_its_own(mnist_small: ImageSet) -> None:
    model = read_checkpoint(paths.bundled_checkpoint()).model
    images = mnist_small.images[:6] / np.float32(255)
    before = images.copy()
    seeds = np.array([4, 9, 2, 70_000, 0, 1])
    drawn = own_draws(model, images, seeds)
    assert set(np.unique(drawn)) == {0.0, 1.0}
    np.testing.assert_array_equal(images, before)
    for row in (0, 3):
        alone = own_draws(model, images[row : row + 1], seeds[row : row + 1])
        np.testing.assert_array_equal(alone[0], drawn[row])
    assert not np.array_equal(own_draws(model, images, seeds + 1), drawn)
    # Over many seeds a pixel is as often black as it is dark.
    many = own_draws(model, np.repeat(images[:1], 2_000, axis=0), np.arange(2_000))
    np.testing.assert_allclose(many.mean(0), images[0], atol=0.06)


def test_figures_of_a_linear_gaussian_model(
    linear_gaussian: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures_module, "_IMAGES", 2)
    linear = linear_gaussian(0.3)
    images, x = linear.images([[0.3, -0.2], [1.0, 0.5], [-0.4, 0.0]])
    found = image_figures(linear.model, images, np.arange(3))
    q = linear.model.encode(images)
    mean, covariance = torch.from_numpy(q.mean).double(), torch.from_numpy(q.covariance).double()
    weight, variance = linear.weight.double(), linear.variance
    residual = (x - mean @ weight.T - linear.bias).square().sum(1)
    spread = torch.einsum("di,nij,dj->n", weight, covariance, weight)
    log_likelihood = -0.5 * ((residual + spread) / variance + 6 * np.log(2 * np.pi * variance))
    prior: Any = MultivariateNormal(torch.zeros(2).double(), torch.eye(2).double())
    kl = kl_divergence(MultivariateNormal(mean, covariance), prior)
    np.testing.assert_allclose(found.log_likelihood, log_likelihood, rtol=1e-4)
    np.testing.assert_allclose(found.kl, kl, rtol=1e-5)
    np.testing.assert_allclose(found.elbo, log_likelihood - kl, rtol=1e-4)


def test_of_no_images_there_are_no_figures_and_work_can_be_left(linear_gaussian: Any) -> None:
    linear = linear_gaussian(0.3)
    images, _ = linear.images([[0.3, -0.2]])
    assert image_figures(linear.model, images[:0], np.arange(0)).elbo.shape == (0,)

    def leave() -> NoReturn:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        image_figures(linear.model, images, np.arange(1), leave)


def test_the_width_is_the_geometric_mean_of_both_deviations() -> None:
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    covariance = np.stack([np.diag([0.04, 0.01]), turn @ np.diag([9.0, 0.0]) @ turn.T])
    np.testing.assert_allclose(posterior_width(covariance), [np.sqrt(0.2 * 0.1), 0], atol=1e-3)
