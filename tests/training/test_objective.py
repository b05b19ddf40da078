import torch
from hypothesis import given
from hypothesis import strategies as st

from vae_explorer.model.vae import ElboTerms
from vae_explorer.training.objective import elbo_loss

_RANDOM = torch.Generator().manual_seed(0)
TERMS = ElboTerms(
    torch.randn(64, generator=_RANDOM, dtype=torch.float64) * 30 - 150,
    torch.rand(64, generator=_RANDOM, dtype=torch.float64) * 10,
)


def test_at_beta_one_it_is_minus_the_elbo() -> None:
    torch.testing.assert_close(elbo_loss(TERMS, 1.0), -TERMS.elbo.mean())


def test_at_beta_zero_only_reconstruction_counts() -> None:
    torch.testing.assert_close(elbo_loss(TERMS, 0.0), -TERMS.log_likelihood.mean())


@given(st.floats(0, 100))
def test_each_unit_of_beta_costs_the_divergence(beta: float) -> None:
    extra = elbo_loss(TERMS, beta) - elbo_loss(TERMS, 0.0)
    torch.testing.assert_close(extra, beta * TERMS.kl.mean())


def test_it_is_a_mean_over_images() -> None:
    """So that neither the batch size nor the last, smaller batch scales the step."""
    twice = ElboTerms(TERMS.log_likelihood.repeat(2), TERMS.kl.repeat(2))
    torch.testing.assert_close(elbo_loss(twice, 2.5), elbo_loss(TERMS, 2.5))
