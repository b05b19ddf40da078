"""The loops that training is measured against do train, and on the right thing."""

from itertools import islice

import numpy as np
import pytest
import torch
from torch import Generator
from torch.distributions import Bernoulli, MultivariateNormal, kl_divergence

from vae_explorer.bench import reference
from vae_explorer.data.dataset import ImageSet
from vae_explorer.model.vae import VAE
from vae_explorer.training.recipe import Recipe

CPU = torch.device("cpu")


@pytest.fixture
def vae(mnist_small: ImageSet) -> VAE:
    recipe = Recipe(encoder_hidden="32", decoder_hidden="32")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return VAE(recipe.architecture(mnist_small.image_shape))


def test_the_loss_is_minus_the_elbo(vae: VAE, mnist_small: ImageSet) -> None:
    x = (torch.from_numpy(np.array(mnist_small.images[:7])).flatten(1) > 127).float()
    noise = torch.randn(7, 2, generator=Generator().manual_seed(1))
    posterior = vae.posterior(x)
    scale = posterior.scale_tril()
    z = posterior.mean + (scale @ noise[:, :, None])[:, :, 0]
    log_likelihood = Bernoulli(logits=vae.decoder(z)).log_prob(x).sum()
    prior = MultivariateNormal(torch.zeros(2), torch.eye(2))
    kl = kl_divergence(MultivariateNormal(posterior.mean, scale_tril=scale), prior).sum()
    loss = reference.negative_elbo(vae, x, noise)
    torch.testing.assert_close(loss, kl - log_likelihood)


@pytest.mark.parametrize("loaded", [True, False])
def test_a_few_steps_lower_the_loss(vae: VAE, mnist_small: ImageSet, loaded: bool) -> None:
    if loaded:
        batches = reference.loaded_batches(mnist_small, 100, seed=0)
    else:
        batches = reference.indexed_batches(mnist_small, 100, 0, CPU)
    losses = list(islice(reference.training_losses(vae, batches, seed=0), 25))
    assert losses[-1] < 0.9 * losses[0]


def test_both_give_every_image_once_an_epoch(mnist_small: ImageSet) -> None:
    data = mnist_small.subset(slice(0, 25))
    expected = np.sort(data.images.reshape(25, -1).sum(1, dtype=np.int64))
    for batches in (
        reference.loaded_batches(data, 10, seed=0),
        reference.indexed_batches(data, 10, 0, CPU),
    ):
        epoch = list(islice(batches, 3))
        assert [tuple(batch.shape) for batch in epoch] == [(10, 784), (10, 784), (5, 784)]
        sums = torch.cat(epoch).double().sum(1) * 255
        np.testing.assert_allclose(np.sort(sums.numpy()), expected, rtol=1e-6)
