"""How much the picture changes with a step in latent space: the decoder's pull-back metric.

A step dz changes what is decoded by √(dzᵀ G dz). G (n, 2, 2) at n points is all that the functions
here need to know; magnifications and ellipses follow from it.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from vae_explorer.errors import DataError
from vae_explorer.model.trained import Check, TrainedVAE, unchecked
from vae_explorer.types import Float64, Floats

_PLACES = 512  # differentiated at once


def pullback_metric(
    model: TrainedVAE,
    z: Floats,
    kind: str = "euclidean",
    check: Check = unchecked,
) -> Float64:
    """The metric G (n, 2, 2) that the decoder gives the latent plane at z (n, 2).

    Args:
        model: whose decoder.
        z: positions in latent units.
        kind: what a step changes. "euclidean": the pixels of E[x|z], so that dzᵀ G dz is their
            squared distance, without cutting off a Gaussian's mean (Arvanitidis et al., arXiv
            1710.11379). "fisher": the distribution p(x|z), by its Fisher information, so that
            dzᵀ G dz / 2 is KL(p(x|z) ‖ p(x|z + dz)) in nats (Arvanitidis et al., arXiv 2106.05367).
        check: called between chunks; what it raises ends the work.

    Raises:
        DataError: the kind is unknown, or as ``TrainedVAE.decode``.
    """
    if kind not in _METRICS:
        raise DataError(f"A metric is one of {', '.join(_METRICS)}, not '{kind}'.")
    parts = []
    for positions in torch.split(_places(model, z), _PLACES):
        check()
        parts.append(_METRICS[kind](model, positions))
    metric: Float64 = torch.cat(parts).cpu().numpy()
    return metric


def metric_of(f: Callable[[Tensor], Tensor], z: Tensor) -> Tensor:
    """JᵀJ (n, 2, 2), float64, of an immersion f: (n, 2) → (n, D), each row by itself, at z (n, 2).

    The first fundamental form of the surface f.
    """
    tangents = _tangents(f, z)
    return _products(tangents, tangents)


def magnification(metric: Float64) -> Float64:
    """√det G (n,): the area that a unit of latent area becomes, 0 where G is singular."""
    # Rounding may leave a singular G a determinant below 0.
    area: Float64 = np.sqrt(np.linalg.det(metric).clip(min=0))
    return area


def indicatrices(metric: Float64, length: float, longest: float) -> Float64:
    """Ellipses of all steps that change the picture by the same amount, as covariances.

    Tissot's indicatrix, on the map: the steps with dzᵀ G dz = ``length``² are those with
    dzᵀ Σ⁻¹ dz = 1.

    Args:
        metric: G (n, 2, 2).
        length: of each step, in the units of the metric.
        longest: half-axis in latent units; what would be longer, as G is singular or nearly so,
            is cut to it.

    Returns:
        Σ (n, 2, 2), squared latent units.
    """
    eigenvalues, axes = np.linalg.eigh(metric)
    half_axes = length / np.sqrt(eigenvalues.clip(min=(length / longest) ** 2))
    factor = axes * half_axes[:, None, :]
    covariances: Float64 = factor @ factor.mT
    return covariances


def _euclidean(model: TrainedVAE, z: Tensor) -> Tensor:
    return metric_of(lambda z: model.vae.likelihood.mean(model.vae.outputs(z).double()), z)


def _fisher(model: TrainedVAE, z: Tensor) -> Tensor:
    """(∂a/∂z)ᵀ (∂μ/∂z): natural times mean parameters, for any exponential family."""
    likelihood = model.vae.likelihood

    def parameters(z: Tensor) -> Tensor:
        # Float64, as those of a continuous Bernoulli nearly cancel where its output is small.
        outputs = model.vae.outputs(z).double()
        return torch.cat([likelihood.natural(outputs), likelihood.mean(outputs)], dim=1)

    natural, mean = _tangents(parameters, z).chunk(2, dim=2)
    return _products(natural, mean)


_METRICS = {"euclidean": _euclidean, "fisher": _fisher}


def _places(model: TrainedVAE, z: Floats) -> Tensor:
    """z (n, 2) as the decoder takes it; errors as ``TrainedVAE.decode``."""
    with np.errstate(over="ignore"):  # too far for float32 is infinite, and refused below
        # Copied, because PyTorch does not take read-only arrays.
        z = np.array(z, np.float32, order="C")
    if z.ndim != 2 or z.shape[1] != 2:
        raise DataError(f"Latent points must have shape (n, 2), not {z.shape}.")
    if not np.isfinite(z).all():
        raise DataError("Latent points must be finite numbers; found NaN or infinity.")
    return torch.from_numpy(z).to(model.device)


def _tangents(f: Callable[[Tensor], Tensor], z: Tensor) -> Tensor:
    """∂f/∂z₁ and ∂f/∂z₂ (n, 2, D), the columns of J at each of z (n, 2).

    By reverse mode twice: Jᵀv is linear in v, and its derivative is J. PyTorch's forward mode is
    no faster, and gives wrong numbers if two threads use it at once.
    """
    z = z.detach().requires_grad_()
    image = f(z)
    v = torch.zeros_like(image, requires_grad=True)
    (product,) = torch.autograd.grad(image, z, v, create_graph=True)
    (first,) = torch.autograd.grad(product[:, 0].sum(), v, retain_graph=True)
    (second,) = torch.autograd.grad(product[:, 1].sum(), v)
    return torch.stack([first, second], dim=1)


def _products(a: Tensor, b: Tensor) -> Tensor:
    """The symmetric part (n, 2, 2) of the products of tangents (n, 2, D), float64."""
    product = a.double() @ b.double().mT
    return (product + product.mT) / 2
