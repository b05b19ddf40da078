"""The drawn posterior against a linear-Gaussian model, quadrature and a dense grid."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from vae_explorer import paths
from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import DataError
from vae_explorer.latent.posterior import posterior_grid
from vae_explorer.latent.quadrature import exact_posterior
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.model.vae import log_prior
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.types import Float32

SHAPE = (2, 3)


def test_the_posterior_of_a_linear_gaussian_model(linear_gaussian: Any) -> None:
    linear = linear_gaussian(0.1)
    batch, x = linear.images([[0.3, -0.2]])
    grid = posterior_grid(linear.model, batch)
    step = grid.axis[1] - grid.axis[0]
    assert grid.density.sum() * step**2 == pytest.approx(1)
    mean = linear.posterior_mean(x)[0].numpy()
    np.testing.assert_allclose(grid.modes, [mean], atol=step)
    normal = torch.distributions.MultivariateNormal(
        torch.from_numpy(mean).double(), precision_matrix=linear.precision.double()
    )
    positions = torch.cartesian_prod(*[torch.from_numpy(grid.axis)] * 2)
    density = normal.log_prob(positions).exp().numpy().reshape(grid.density.shape)
    np.testing.assert_allclose(grid.density, density, atol=2e-3 * density.max())


def test_every_mode_is_counted_the_highest_first(two_places: tuple[TrainedVAE, Float32]) -> None:
    modes = posterior_grid(*two_places).modes
    assert sorted(modes[:, 0]) == pytest.approx([-0.99, 0.99], abs=0.05)
    assert abs(modes[:, 1]).max() < 0.02


def test_a_digit_s_posterior_is_that_of_the_quadrature(mnist_small: ImageSet) -> None:
    model = read_checkpoint(paths.bundled_checkpoint()).model
    x = model.treated(mnist_small.images[:1])
    grid, exact = posterior_grid(model, x), exact_posterior(model, x)
    step = grid.axis[1] - grid.axis[0]
    first = grid.density.sum(1) * step**2 @ grid.axis
    second = grid.density.sum(0) * step**2 @ grid.axis
    np.testing.assert_allclose([first, second], exact.mean[0], atol=1e-3)
    np.testing.assert_allclose(grid.modes[0], exact.mode[0], atol=2 * step)
    top = grid.density.argmax()
    position = torch.tensor([[grid.axis[top // len(grid.axis)], grid.axis[top % len(grid.axis)]]])
    with torch.inference_mode():
        joint = model.vae.log_likelihood(model.tensor(x), position.float()) + log_prior(position)
    log_density = float(joint) - exact.log_marginal[0]
    assert np.log(grid.density.max()) == pytest.approx(log_density, abs=2e-3)


def test_one_image_at_a_time(linear_gaussian: Any) -> None:
    model = linear_gaussian(0.1).model
    with pytest.raises(DataError, match="not for 2"):
        posterior_grid(model, np.zeros((2, *SHAPE), np.float32))


def test_a_flat_posterior_has_one_mode(
    linear_gaussian: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The decoder ignores z, so that the posterior is the prior."""
    linear = linear_gaussian(0.1)
    constant = nn.Linear(2, 6)
    with torch.no_grad():
        constant.weight.zero_()
    monkeypatch.setattr(linear.model.vae, "decoder", nn.Sequential(constant))
    modes = posterior_grid(linear.model, np.zeros((1, *SHAPE), np.float32)).modes
    np.testing.assert_allclose(modes, [[0, 0]], atol=0.02)


def test_a_sharp_model_s_posterior_is_as_high_as_its_joint(mnist_small: ImageSet) -> None:
    model = read_checkpoint(paths.checkpoints() / "mnist-exact.safetensors").model
    for x in np.split(model.treated(mnist_small.images[:2]), 2):
        grid, exact = posterior_grid(model, x), exact_posterior(model, x)
        z = torch.from_numpy(grid.modes[:1]).float()
        with torch.inference_mode():
            joint = model.vae.log_likelihood(model.tensor(x), z) + log_prior(z)
        log_density = joint.item() - exact.log_marginal[0]
        assert np.log(grid.density.max()) == pytest.approx(log_density, abs=0.1)
        distance = np.linalg.norm(grid.modes - exact.mode, axis=1).min()
        assert distance < 0.03
