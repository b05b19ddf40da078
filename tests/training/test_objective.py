"""Every objective of a tiny double-precision model against sums over the whole latent plane."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.distributions import Bernoulli, MultivariateNormal

from vae_explorer.latent.lattice import shifted_lattice
from vae_explorer.model.architecture import Architecture
from vae_explorer.model.vae import VAE
from vae_explorer.training.objective import Objective, elbo, exact, iwae, iwae_dreg, objective
from vae_explorer.training.recipe import OBJECTIVES, Recipe

_AXIS = torch.arange(-9, 9.05, 0.1, dtype=torch.float64)
PLANE = torch.cartesian_prod(_AXIS, _AXIS)
PRIOR: Any = MultivariateNormal(torch.zeros(2).double(), torch.eye(2).double())


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def vae() -> VAE:
    """A 3 × 3-pixel VAE in double precision whose decoder does depend on z."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        sizes = Architecture((3, 3), "mlp", (8,), (8,), "tanh", fourier_features=0)
        vae = VAE(sizes).double()
    with torch.no_grad():
        vae.decoder.get_parameter("2.weight").mul_(4)
    return vae


@pytest.fixture
def x() -> Tensor:
    return torch.randint(0, 2, (5, 9), generator=_generator(2)).double()


def _log_likelihood(vae: VAE, x: Tensor, z: Tensor) -> Tensor:
    """By torch.distributions, (..., n)."""
    distribution: Any = Bernoulli(logits=vae.decoder(z.reshape(-1, 2)).view(*z.shape[:-1], -1))
    value: Tensor = distribution.log_prob(x.expand_as(distribution.logits)).sum(-1)
    return value


def _posterior(vae: VAE, x: Tensor) -> Any:
    """q(z|x) by torch.distributions."""
    posterior = vae.posterior(x)
    return MultivariateNormal(posterior.mean, scale_tril=posterior.scale_tril())


def _evidence(vae: VAE, x: Tensor) -> Tensor:
    """log p(x), (n,), summed over a grid of the plane."""
    log_likelihood = _log_likelihood(vae, x, PLANE[:, None].expand(-1, len(x), -1))
    weighed: Tensor = log_likelihood + PRIOR.log_prob(PLANE)[:, None]
    return weighed.logsumexp(0) + 2 * math.log(0.1)


def _gradients(vae: VAE, result: Objective) -> tuple[Tensor, Tensor]:
    """The slope of the loss along the encoder's and the decoder's weights, each flat."""
    halves = [list(vae.encoder.parameters()), list(vae.decoder.parameters())]
    found = torch.autograd.grad(result.loss, [*halves[0], *halves[1]])
    flat = [gradient.flatten() for gradient in found]
    return torch.cat(flat[: len(halves[0])]), torch.cat(flat[len(halves[0]) :])


# The ELBO


@pytest.mark.parametrize("beta", [0.0, 0.3, 1.0, 4.0])
def test_beta_weighs_the_divergence_in_the_loss_alone(vae: VAE, x: Tensor, beta: float) -> None:
    z = vae.posterior(x).sample(_generator(), 3)
    log_likelihood = _log_likelihood(vae, x, z).mean(0)
    kl = torch.distributions.kl_divergence(_posterior(vae, x), PRIOR)
    result = elbo(vae, x, _generator(), 3, beta)
    torch.testing.assert_close(result.loss, -(log_likelihood - beta * kl).mean())
    torch.testing.assert_close(result.value, log_likelihood - kl)
    torch.testing.assert_close(result.terms.log_likelihood, log_likelihood)
    torch.testing.assert_close(result.terms.kl, kl)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_loss_is_a_mean_over_images(vae: VAE, x: Tensor, name: str) -> None:
    """So that neither the batch size nor the last, smaller batch scales the step."""
    recipe = Recipe(objective=name, samples=2, lattice_points=64)
    same = x[:1].expand(400, -1)
    sizes = [
        torch.stack([objective(recipe, vae, batch, _generator(s), 1.0).loss for s in range(40)])
        for batch in (same, same[:200])
    ]
    assert sizes[0].mean().item() == pytest.approx(sizes[1].mean().item(), rel=0.02)


@pytest.mark.parametrize(
    ("epoch", "beta"), [(0.0, 0.0), (1.0, 0.5), (2.0, 1.0), (4.0, 2.0), (9.0, 2.0)]
)
def test_beta_rises_linearly_with_the_epochs_and_stays(
    vae: VAE, x: Tensor, epoch: float, beta: float
) -> None:
    recipe = Recipe(beta=2.0, kl_warmup=4.0)
    result = objective(recipe, vae, x, _generator(), epoch)
    expected = elbo(vae, x, _generator(), 1, beta)
    torch.testing.assert_close(result.loss, expected.loss)
    torch.testing.assert_close(result.value, expected.value)
    flat = objective(recipe.replace(kl_warmup=0.0), vae, x, _generator(), epoch)
    torch.testing.assert_close(flat.loss, elbo(vae, x, _generator(), 1, 2.0).loss)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_recipe_gets_the_objective_of_its_name(vae: VAE, x: Tensor, name: str) -> None:
    calls: dict[str, Callable[[], Objective]] = {
        "elbo": lambda: elbo(vae, x, _generator(), 3),
        "iwae": lambda: iwae(vae, x, _generator(), 3),
        "iwae-dreg": lambda: iwae_dreg(vae, x, _generator(), 3),
        "exact": lambda: exact(vae, x, _generator(), 50, 3),
    }
    assert tuple(calls) == OBJECTIVES
    recipe = Recipe(objective=name, samples=3, lattice_points=50)
    found, expected = objective(recipe, vae, x, _generator(), 0.0), calls[name]()
    assert torch.equal(found.value, expected.value)
    for mine, other in zip(_gradients(vae, found), _gradients(vae, expected), strict=True):
        assert torch.equal(mine, other)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_objective_knows_the_terms_of_the_elbo(vae: VAE, x: Tensor, name: str) -> None:
    recipe = Recipe(objective=name, samples=3, lattice_points=50)
    found = objective(recipe, vae, x, _generator(), 0.0).terms
    generator = _generator()
    if name == "exact":
        shifted_lattice(50, generator)
    expected = _log_likelihood(vae, x, vae.posterior(x).sample(generator, 3)).mean(0)
    torch.testing.assert_close(found.log_likelihood, expected)
    torch.testing.assert_close(found.kl, vae.posterior(x).kl())


# The importance-weighted bound


@pytest.mark.parametrize("bound", [iwae, iwae_dreg])
def test_one_sample_is_the_elbo_with_log_q_sampled(
    vae: VAE, x: Tensor, bound: Callable[..., Objective]
) -> None:
    z = vae.posterior(x).sample(_generator())[0]
    expected = _log_likelihood(vae, x, z) + PRIOR.log_prob(z) - _posterior(vae, x).log_prob(z)
    torch.testing.assert_close(bound(vae, x, _generator(), 1).value, expected)


@torch.no_grad()
def test_the_bound_rises_with_its_samples_up_to_the_evidence(vae: VAE, x: Tensor) -> None:
    evidence = _evidence(vae, x[:1]).item()
    many = x[:1].expand(20_000, -1)
    values = [iwae(vae, many, _generator(k), k).value for k in (1, 2, 5, 20, 100)]
    errors = [value.std().item() / math.sqrt(len(value)) for value in values]
    means = [value.mean().item() for value in values]
    assert means == sorted(means)
    assert means[-1] - means[0] > 5 * (errors[0] + errors[-1])
    assert means[-1] < evidence + 5 * errors[-1]
    assert means[-1] == pytest.approx(evidence, abs=0.05)
    weights = values[2].exp()  # p(x) is the mean of the weights themselves, at any k
    error = 5 * weights.std().item() / math.sqrt(len(weights))
    assert weights.mean().item() == pytest.approx(math.exp(evidence), abs=error)


@pytest.mark.parametrize("samples", [1, 2, 7])
def test_dreg_has_the_value_and_the_decoder_gradient_of_the_bound(
    vae: VAE, x: Tensor, samples: int
) -> None:
    plain = iwae(vae, x, _generator(), samples)
    doubly = iwae_dreg(vae, x, _generator(), samples)
    torch.testing.assert_close(doubly.value, plain.value)
    (encoder, decoder), (other, expected) = _gradients(vae, doubly), _gradients(vae, plain)
    torch.testing.assert_close(decoder, expected)
    assert not torch.allclose(encoder, other)


def test_dreg_has_the_encoder_gradient_of_the_bound_in_the_mean(vae: VAE, x: Tensor) -> None:
    rounds = 150
    many = x[:1].expand(1_000, -1)
    bounds = (iwae, iwae_dreg)
    found = [
        torch.stack([_gradients(vae, bound(vae, many, _generator(s), 5))[0] for s in range(rounds)])
        for bound in bounds
    ]
    difference = found[1] - found[0]  # of the same draws, so that much of the noise cancels
    error = difference.std(0) / math.sqrt(rounds)
    assert (difference.mean(0).abs() <= 5 * error + 1e-12).all()
    size = found[0].mean(0).norm()
    assert error.norm() < 0.1 * size  # so that another gradient would show
    single = torch.stack([_gradients(vae, iwae(vae, many, _generator(s), 1))[0] for s in range(20)])
    assert (single.mean(0) - found[0].mean(0)).norm() > 3 * difference.mean(0).norm()


# The exact objective


@torch.no_grad()
def test_lattice_sums_are_unbiased_and_below_the_evidence_in_the_log(vae: VAE, x: Tensor) -> None:
    evidence = _evidence(vae, x)
    shifts = 2_000
    values = torch.stack([exact(vae, x, _generator(s), 16).value for s in range(shifts)])
    probability = values.exp()
    error = probability.std(0) / math.sqrt(shifts)
    assert (error < 0.02 * evidence.exp()).all()
    assert ((probability.mean(0) - evidence.exp()).abs() < 5 * error).all()
    assert (values.mean(0) < evidence).all()


@torch.no_grad()
def test_a_finer_lattice_gets_to_the_evidence(vae: VAE, x: Tensor) -> None:
    value = exact(vae, x, _generator(), 20_000).value
    torch.testing.assert_close(value, _evidence(vae, x), atol=2e-3, rtol=0)


@pytest.mark.parametrize("samples", [1, 4])
def test_the_decoder_climbs_the_sum_alone(vae: VAE, x: Tensor, samples: int) -> None:
    positions = shifted_lattice(40, _generator()).double()
    log_likelihood = _log_likelihood(vae, x, positions[:, None].expand(-1, len(x), -1))
    weights = list(vae.decoder.parameters())
    expected = torch.autograd.grad(-log_likelihood.exp().mean(0).log().mean(), weights)
    _, decoder = _gradients(vae, exact(vae, x, _generator(), 40, samples))
    torch.testing.assert_close(decoder, torch.cat([g.flatten() for g in expected]))


def test_the_encoder_climbs_the_elbo_alone(vae: VAE, x: Tensor) -> None:
    generator = _generator()
    shifted_lattice(40, generator)
    expected, _ = _gradients(vae, elbo(vae, x, generator, 3))
    encoder, _ = _gradients(vae, exact(vae, x, _generator(), 40, 3))
    torch.testing.assert_close(encoder, expected)


def test_a_learned_variance_climbs_the_sum_alone() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        vae = VAE(Architecture((2, 2), "mlp", (4,), (4,), likelihood="gaussian")).double()
    x = torch.rand(3, 4, generator=_generator()).double()
    variance = vae.likelihood.get_parameter("log_variance")
    slopes = [
        torch.autograd.grad(exact(vae, x, _generator(), 40, samples).loss, variance)[0]
        for samples in (1, 6)
    ]
    torch.testing.assert_close(*slopes)
    assert slopes[0] != 0


@pytest.mark.parametrize("share", [0.25, 1.0])
def test_the_elbo_s_share_moves_the_decoder_alone(vae: VAE, x: Tensor, share: float) -> None:
    def gradients(elbo_share: float) -> tuple[Tensor, Tensor]:
        return _gradients(vae, exact(vae, x, _generator(), 50, 3, elbo_share))

    generator = _generator()
    shifted_lattice(50, generator)
    bound = _gradients(vae, elbo(vae, x, generator, 3))
    alone, shared = gradients(0.0), gradients(share)
    torch.testing.assert_close(shared[0], alone[0])
    torch.testing.assert_close(shared[0], bound[0])
    torch.testing.assert_close(shared[1], (1 - share) * alone[1] + share * bound[1])
