import itertools
from typing import Any

import pytest
import torch
from torch.distributions import Bernoulli
from torch.nn import functional

from vae_explorer.model.likelihood import bernoulli_log_likelihood


def test_binary_images_get_the_bernoulli_log_probability() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(50, 784, generator=generator) * 5
    x = torch.randint(0, 2, (50, 784), generator=generator).float()
    reference: Any = Bernoulli(logits=logits)
    expected = reference.log_prob(x).sum(1)
    torch.testing.assert_close(bernoulli_log_likelihood(x, logits), expected)


def test_gray_images_get_minus_the_cross_entropy() -> None:
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(50, 784, generator=generator) * 5
    x = torch.rand(50, 784, generator=generator)
    loss = functional.binary_cross_entropy_with_logits(logits, x, reduction="none")
    torch.testing.assert_close(bernoulli_log_likelihood(x, logits), -loss.sum(1))


def test_probabilities_of_all_images_sum_to_one() -> None:
    x = torch.tensor(list(itertools.product([0.0, 1.0], repeat=8)), dtype=torch.float64)
    logits = torch.linspace(-3, 4, 8, dtype=torch.float64).expand(len(x), -1)
    total = bernoulli_log_likelihood(x, logits).exp().sum()
    torch.testing.assert_close(total, torch.ones((), dtype=torch.float64))


@pytest.mark.parametrize("logit", [104.0, 1e4])
def test_extreme_logits_stay_finite(logit: float) -> None:
    """Where float32 sigmoid is exactly 0 or 1 and log(1 − sigmoid) would be −inf."""
    assert 1 - torch.tensor(logit).sigmoid() == 0
    x = torch.tensor([[0.0, 1.0], [1.0, 0.0], [0.5, 0.5]])
    logits = torch.tensor([[-logit, logit]]).repeat(3, 1).requires_grad_()
    value = bernoulli_log_likelihood(x, logits)
    torch.testing.assert_close(value.detach(), torch.tensor([0.0, -2 * logit, -logit]))
    (gradient,) = torch.autograd.grad(value.sum(), logits)
    torch.testing.assert_close(gradient, x - torch.tensor([0.0, 1.0]))
