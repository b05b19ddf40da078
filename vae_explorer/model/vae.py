"""The variational autoencoder: x → q(z|x) → z → p(x|z) (Kingma & Welling, arXiv 1312.6114)."""

import math
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeVar

import torch
from torch import Generator, Tensor, nn

from vae_explorer.errors import DataError
from vae_explorer.model import likelihood, networks
from vae_explorer.model.activations import Need, apply, measured
from vae_explorer.model.architecture import LATENT_DIM, Architecture
from vae_explorer.model.gaussian import OUTPUTS, Gaussian, Part
from vae_explorer.number_format import AXES
from vae_explorer.types import Float64


@dataclass(frozen=True)
class ElboTerms:
    """ELBO = log_likelihood − kl, each (n,) in nats per image."""

    log_likelihood: Tensor
    kl: Tensor

    @property
    def elbo(self) -> Tensor:
        """The evidence lower bound, (n,) nats."""
        return self.log_likelihood - self.kl


_Points = TypeVar("_Points", Tensor, Float64)


def log_prior(z: _Points) -> _Points:
    """Log N(z; 0, I) of z (..., 2), (...,) nats, in PyTorch or NumPy."""
    density: _Points = -0.5 * (z * z).sum(-1) - math.log(2 * math.pi)
    return density


class VAE(nn.Module):
    """Encoder and decoder with a standard normal prior on a two-dimensional z.

    ``rotation`` is None or an orthogonal R (2, 2): z is then R times the z of the networks, which
    the prior does not notice. It is no part of the weights. ``no_marginal`` says why log p(x) is
    not known as an integral over the plane, if it is not.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.no_marginal = ""
        self.rotation: Tensor | None = None
        self._needs: dict[str, Need] = {}
        self.encoder, self.decoder = networks.build(architecture, OUTPUTS[architecture.posterior])
        self.likelihood = likelihood.FAMILIES[architecture.likelihood]()

    @property
    def axes(self) -> tuple[str, str]:
        """What the two latent dimensions are called."""
        return AXES

    @property
    def has_likelihood(self) -> bool:
        """Whether log p(x|z) is known: of a model from elsewhere it may not be."""
        return True

    def posterior(self, x: Tensor) -> Gaussian:
        """q(z|x) for x (n, pixels) in [0, 1]."""
        return Gaussian.from_outputs(self.encoded(x)).turned(self.rotation)

    def encoded(self, x: Tensor) -> Tensor:
        """What parametrises q(z|x), but for ``rotation``, (n, *), for x (n, pixels)."""
        return apply(self.encoder, x, partial(self.need, "encoder"))

    def outputs(self, z: Tensor) -> Tensor:
        """What parametrises p(x|z), (..., pixels), for z (..., 2): logits, or a Gaussian's mean."""
        if self.rotation is not None:
            z = z @ self.rotation.to(z)  # Rᵀ z, of rows
        output = apply(self.decoder, z.reshape(-1, z.shape[-1]), partial(self.need, "decoder"))
        return output.view(*z.shape[:-1], self.architecture.pixels)

    def check_marginal(self) -> None:
        """Refuse what is an integral over all of z where the plane is not all of it.

        Raises:
            DataError: that is so, or there is no likelihood; the message says why.
        """
        if self.no_marginal:
            raise DataError(self.no_marginal)

    def need(self, network: Literal["encoder", "decoder"]) -> Need:
        """What one image or one z needs in a network."""
        if network not in self._needs:
            inputs = self.architecture.pixels if network == "encoder" else LATENT_DIM
            self._needs[network] = measured(getattr(self, network), inputs)
        return self._needs[network]

    def at_once(self, most: int) -> int:
        """How many z to decode between two looks at whether to go on, at most ``most``."""
        return min(most, self.need("decoder").rows())

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """Log p(x|z) for x (n, pixels) and z (..., n, 2), (..., n) nats per image."""
        value: Tensor = self.likelihood(x, self.outputs(z))
        return value

    forward = log_likelihood

    def elbo_terms(
        self, x: Tensor, generator: Generator, samples: int = 1, part: Part | None = None
    ) -> ElboTerms:
        """The ELBO, mean over ``samples`` draws, its KL in closed form (arXiv 1312.6114, eq. 10).

        ``x`` is (n, pixels), already data-treated; ``generator`` gives ε, see ``Gaussian.sample``
        for ``part``.
        """
        posterior = self.posterior(x)
        z = posterior.sample(generator, samples, part)
        return ElboTerms(self.log_likelihood(x, z).mean(0), posterior.kl())

    @torch.no_grad()
    def set_output_bias(self, mean_image: Tensor) -> None:
        """Start the decoder near the mean image (pixels,)."""
        bias = self.decoder[-1].bias
        assert isinstance(bias, Tensor)
        bias.copy_(self.likelihood.outputs_for(mean_image))
