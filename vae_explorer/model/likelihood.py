"""Likelihoods p(x|z), per image in nats."""

from torch import Tensor
from torch.nn import functional


def bernoulli_log_likelihood(x: Tensor, logits: Tensor) -> Tensor:
    """Log p(x|z) = Σ x·l − softplus(l) over pixels, nats per image.

    Args:
        x: (n, pixels) in [0, 1]; gray values give the usual cross-entropy, not a likelihood.
        logits: (n, pixels).

    Returns:
        (n,) float32. Written in logits it stays finite where log(1 − sigmoid) would not.
    """
    return (x * logits - functional.softplus(logits)).sum(1)
