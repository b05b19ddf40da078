"""What training maximises: one function a published objective, all in nats per image."""

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.func import functional_call

from vae_explorer.latent.lattice import shifted_lattice
from vae_explorer.model.gaussian import Gaussian, Part
from vae_explorer.model.vae import VAE, ElboTerms, log_prior
from vae_explorer.training.recipe import Recipe


@dataclass(frozen=True)
class Objective:
    """A batch's value of an objective.

    ``value`` (n,) is what is maximised, before β; ``terms`` are those of the ELBO, which every
    objective knows at no cost; minus the gradient of ``loss`` () is the direction of the step.
    """

    loss: Tensor
    value: Tensor
    terms: ElboTerms


def objective(
    recipe: Recipe,
    vae: VAE,
    x: Tensor,
    generator: Generator,
    epoch: float,
    part: Part | None = None,
) -> Objective:
    """The recipe's objective for x (n, pixels), data-treated, at a moment of training.

    If ``x`` is only a ``part`` of a batch, it is given the noise that it has in the whole.
    """
    k = recipe.samples
    match recipe.objective:
        case "elbo":
            return elbo(vae, x, generator, k, effective_beta(recipe, epoch), part)
        case "iwae":
            return iwae(vae, x, generator, k, part)
        case "iwae-dreg":
            return iwae_dreg(vae, x, generator, k, part)
        case _:
            return exact(vae, x, generator, recipe.lattice_points, k, recipe.elbo_share, part)


def effective_beta(recipe: Recipe, epoch: float) -> float:
    """β after its linear warm-up (Sønderby et al., arXiv 1602.02282, §2.2)."""
    return recipe.beta * (min(1.0, epoch / recipe.kl_warmup) if recipe.kl_warmup else 1.0)


def elbo(
    vae: VAE,
    x: Tensor,
    generator: Generator,
    samples: int = 1,
    beta: float = 1.0,
    part: Part | None = None,
) -> Objective:
    """The evidence lower bound, mean over ``samples`` draws (arXiv 1312.6114, eq. 10).

    The KL is in closed form. β = 1 is the bound; other weights trade rate for distortion (Higgins
    et al., β-VAE, ICLR 2017, eq. 4).
    """
    terms = vae.elbo_terms(x, generator, samples, part)
    return Objective((beta * terms.kl - terms.log_likelihood).mean(), terms.elbo, terms)


def iwae(
    vae: VAE, x: Tensor, generator: Generator, samples: int, part: Part | None = None
) -> Objective:
    """The importance-weighted bound log (1/k) Σ p(x, zᵢ)/q(zᵢ|x) (arXiv 1509.00519, eq. 8)."""
    posterior = vae.posterior(x)
    z = posterior.sample(generator, samples, part)
    log_likelihood = vae.log_likelihood(x, z)
    log_weights = log_likelihood + log_prior(z) - posterior.log_prob(z)
    value = log_weights.logsumexp(0) - math.log(samples)
    return Objective(-value.mean(), value, _terms(log_likelihood, posterior))


def iwae_dreg(
    vae: VAE, x: Tensor, generator: Generator, samples: int, part: Part | None = None
) -> Objective:
    """The same bound, its gradient doubly reparameterised (Tucker et al., arXiv 1810.04152, eq. 8).

    The encoder's gradient flows through z alone, weighted by the squared normalised weights: its
    noise does not grow with k, as that of ``iwae`` does relative to its size.
    """
    posterior = vae.posterior(x)
    z = posterior.sample(generator, samples, part)
    log_likelihood = vae.log_likelihood(x, z)
    log_weights = log_likelihood + log_prior(z) - posterior.detach().log_prob(z)
    value = log_weights.detach().logsumexp(0) - math.log(samples)
    normalised = log_weights.detach().softmax(0)
    # The loss below weighs both networks' gradients once; the encoder's gets its second here.
    z.register_hook(lambda gradient: normalised.unsqueeze(-1) * gradient)  # type: ignore[no-untyped-call]
    loss = -(normalised * log_weights).sum(0).mean()
    return Objective(loss, value, _terms(log_likelihood, posterior))


def exact(
    vae: VAE,
    x: Tensor,
    generator: Generator,
    points: int,
    samples: int = 1,
    elbo_share: float = 0.0,
    part: Part | None = None,
) -> Objective:
    """Log p(x) itself, log (1/K) Σ p(x|zₖ) over a lattice shifted again at every step.

    The sum (the idea of QLVM, arXiv 2601.18676) costs one decoding of K points for the whole batch
    and one (n × D)(D × K) product, and approaches log p(x) from below as the lattice gets finer.
    The encoder climbs the ELBO. The decoder climbs (1 − ``elbo_share``) · log p(x) + ``elbo_share``
    · ELBO, the limit K → ∞ of the combination of bounds in Rainforth et al. (arXiv 1802.04537,
    §5.2): alone, log p(x) cares not whether a Gaussian fits the posteriors that it makes.
    """
    outputs = vae.outputs(shifted_lattice(points, generator).to(x.dtype))
    value = vae.likelihood.pairwise(x, outputs).logsumexp(1) - math.log(points)
    posterior = vae.posterior(x)
    z = posterior.sample(generator, samples, part)
    # The decoder's weights as they are, but passing on only that share of their gradient.
    shared = {
        name: torch.lerp(parameter.detach(), parameter, elbo_share)
        for name, parameter in vae.named_parameters()
        if not name.startswith("encoder.")
    }
    log_likelihood: Tensor = functional_call(vae, shared, (x, z))
    terms = _terms(log_likelihood, posterior)
    fit = log_likelihood.mean(0) - posterior.kl()
    loss = -((1 - elbo_share) * value + fit).mean()
    return Objective(loss, value, terms)


def _terms(log_likelihood: Tensor, posterior: Gaussian) -> ElboTerms:
    with torch.no_grad():
        return ElboTerms(log_likelihood.mean(0), posterior.kl())
