"""The aggregate posterior of encoders whose mixture is known."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal

from vae_explorer import paths
from vae_explorer.data.bundled import mnist
from vae_explorer.errors import DataError
from vae_explorer.latent import aggregate as module
from vae_explorer.latent.aggregate import Aggregate, aggregate
from vae_explorer.model.architecture import Architecture
from vae_explorer.model.gaussian import Gaussian
from vae_explorer.model.trained import Posterior, TrainedVAE
from vae_explorer.model.vae import VAE
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.types import Float64


@torch.no_grad()
def coder(gains: tuple[float, float], shape: tuple[float, ...]) -> TrainedVAE:
    """Images of two pixels: z has mean gains · (x − ½) and the L that ``shape`` says."""
    posterior = "full" if len(shape) == 3 else "diagonal"
    vae = VAE(Architecture((1, 2), likelihood="gaussian", posterior=posterior))
    encoder, decoder = nn.Linear(2, 2 + len(shape)), nn.Linear(2, 2)
    encoder.weight.zero_()[:2] = torch.diag(torch.tensor(gains))
    encoder.bias.copy_(torch.tensor([-gains[0] / 2, -gains[1] / 2, *shape]))
    decoder.weight.copy_(torch.tensor([[0.1, 0.2], [-0.1, 0.3]]))
    decoder.bias.fill_(0.5)
    vae.encoder, vae.decoder = nn.Sequential(encoder), nn.Sequential(decoder)
    return TrainedVAE(vae, "gray")


def draws(count: int) -> Float64:
    return np.random.default_rng(4).uniform(size=(count, 1, 2))


def scattered() -> TrainedVAE:
    """Leaning posteriors that overlap."""
    return coder((4, -3), (-1.0, -1.5, 0.2))


def same(left: Aggregate, right: Aggregate, tolerance: float = 0) -> None:
    for name in ("rate", "distortion", "mutual_information", "marginal_kl", "standard_error"):
        assert getattr(left, name) == pytest.approx(getattr(right, name), abs=tolerance), name
    np.testing.assert_allclose(left.activity, right.activity, atol=tolerance)


def test_an_encoder_that_says_the_prior_carries_nothing() -> None:
    result = aggregate(coder((0, 0), (0, 0)), draws(50))
    assert result.rate == result.active_units == 0
    assert result.marginal_kl == pytest.approx(0, abs=1e-12)
    assert result.mutual_information == pytest.approx(0, abs=1e-12)
    assert result.standard_error == pytest.approx(0, abs=1e-12)


def test_one_wide_gaussian_for_all_images_is_all_marginal() -> None:
    """q(z) = q(z|x) = N(0, e I), whatever the image: KL = e − 1 − 1 = e − 2."""
    result = aggregate(coder((0, 0), (0.5, 0.5)), draws(1_000))
    assert result.rate == pytest.approx(math.e - 2)
    assert 0 < result.standard_error < 0.1
    assert result.marginal_kl == pytest.approx(math.e - 2, abs=4 * result.standard_error)
    assert result.mutual_information == pytest.approx(0, abs=4 * result.standard_error)


def test_means_and_widths_that_make_up_the_prior() -> None:
    """Means N(0, 1 − s²) and posteriors N(mean, s²): q(z) → N(0, I), and I = −log s² of both."""
    deviation = 0.6
    quantiles = (np.arange(50) + 0.5) / 50
    axis = torch.distributions.Normal(0.0, 1.0).icdf(torch.from_numpy(quantiles)).numpy()
    positions = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 1, 2) * math.sqrt(
        1 - deviation**2
    )
    model = coder((10, 10), (math.log(deviation), math.log(deviation)))
    result = aggregate(model, positions / 10 + 0.5)
    assert result.marginal_kl == pytest.approx(0, abs=0.01)
    assert result.mutual_information == pytest.approx(-2 * math.log(deviation), abs=0.02)
    np.testing.assert_allclose(result.activity, positions.var((0, 1)), rtol=1e-5)


def test_codes_that_do_not_overlap_tell_the_image() -> None:
    """As narrow as an encoder can say, s = e⁻⁹, and far out.

    Where log q(z) = log q(z|x) − log N, what is left of the noise is that of ½ χ² with two degrees
    of freedom, whose standard deviation is 1.
    """
    axis = np.linspace(0, 1, 30)
    x = np.stack(np.meshgrid(axis, axis), -1).reshape(900, 1, 2)
    result = aggregate(coder((40, 40), (-9, -9, 0)), x)
    assert result.mutual_information == pytest.approx(math.log(900), abs=4 / 30)
    squares = np.square(40 * x - 20).sum((1, 2)).mean() + 2 * math.exp(-18)
    kl = squares / 2 - 1 + 18
    assert result.marginal_kl == pytest.approx(kl - math.log(900), abs=4 / 30)


def test_the_density_is_that_of_the_mixture() -> None:
    random = torch.Generator().manual_seed(5)
    outputs = torch.randn(40, 5, generator=random, dtype=torch.float64) - torch.tensor(
        [0, 0, 2, 2, 0]
    )
    q = Gaussian.from_outputs(outputs)
    z = torch.randn(30, 2, generator=random, dtype=torch.float64)
    components: Any = MultivariateNormal(q.mean, scale_tril=q.scale_tril())
    mixture: Any = MixtureSameFamily(Categorical(torch.ones(40, dtype=torch.float64)), components)
    expected: Tensor = mixture.log_prob(z)
    posterior = Posterior(q.mean.float().numpy(), q.covariance().float().numpy())
    found = module.log_aggregate(posterior, z.numpy())
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_the_rate_and_the_distortion_are_those_of_the_elbo() -> None:
    model, x = scattered(), draws(60)
    result, terms = aggregate(model, x, seed=7), model.elbo_terms(x, seed=7)
    assert result.rate == pytest.approx(terms.kl.mean(), rel=1e-5)
    assert result.distortion == pytest.approx(-terms.log_likelihood.mean(), rel=1e-5)
    means = model.encode(x).mean
    np.testing.assert_allclose(result.activity, means.var(0), rtol=1e-5)


def test_the_rate_is_information_plus_distance() -> None:
    result = aggregate(scattered(), draws(200))
    assert result.mutual_information + result.marginal_kl == pytest.approx(result.rate)
    assert 0 < result.mutual_information < math.log(200)
    assert result.marginal_kl > 0


def test_the_standard_error_covers_other_seeds() -> None:
    model, x = scattered(), draws(100)
    seen = [aggregate(model, x, seed) for seed in range(20)]
    spread = np.std([one.marginal_kl for one in seen], ddof=1)
    assert 0 < spread < 1.5 * np.mean([one.standard_error for one in seen])


def test_a_dimension_whose_mean_never_moves_is_not_active() -> None:
    result = aggregate(coder((4, 0), (-1, 0)), draws(100))
    assert result.activity.shape == (2,)
    assert result.activity.dtype == np.float64
    assert result.activity[0] > 1
    assert result.activity[1] == 0
    assert result.active_units == 1


def test_the_seed_fixes_the_figures() -> None:
    model, x = scattered(), draws(30)
    same(aggregate(model, x, seed=1), aggregate(model, x, seed=1))
    assert aggregate(model, x, seed=1).marginal_kl != aggregate(model, x, seed=2).marginal_kl


def test_chunks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    model, x = scattered(), draws(48)
    whole = aggregate(model, x)
    calls = []
    monkeypatch.setattr(module, "_PAIRS", 5 * 48)
    same(aggregate(model, x, check=lambda: calls.append(1)), whole, 1e-9)
    assert len(calls) == 1 + 10


def test_of_no_images_nothing_is_known() -> None:
    result = aggregate(scattered(), draws(0))
    figures = (result.rate, result.distortion, result.marginal_kl, result.mutual_information)
    assert np.isnan([*figures, result.standard_error, *result.activity]).all()
    assert result.active_units == 0


def test_of_one_image_there_is_no_error() -> None:
    result = aggregate(scattered(), draws(1))
    assert math.isnan(result.standard_error)
    assert math.isfinite(result.marginal_kl)
    assert result.activity.tolist() == [0, 0]


def test_images_of_another_size_are_refused() -> None:
    with pytest.raises(DataError, match="1×2 pixels"):
        aggregate(scattered(), np.zeros((3, 2, 2)))


def test_what_check_raises_ends_the_work() -> None:
    left = iter([None])

    def stop() -> None:
        if next(left, stop) is stop:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        aggregate(scattered(), draws(3), check=stop)


def test_the_bundled_model_uses_both_dimensions() -> None:
    model = read_checkpoint(paths.bundled_checkpoint()).model
    result = aggregate(model, model.treated(mnist("test").images[:300]))
    assert 0 < result.mutual_information <= math.log(300)
    assert result.marginal_kl > 4 * result.standard_error
    assert result.active_units == 2
