"""The variational autoencoder: x → q(z|x) → z → p(x|z) (Kingma & Welling, arXiv 1312.6114)."""

from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from vae_explorer.model.architecture import Architecture
from vae_explorer.model.gaussian import OUTPUTS, Gaussian
from vae_explorer.model.likelihood import bernoulli_log_likelihood
from vae_explorer.model.networks import BUILDERS


@dataclass(frozen=True)
class ElboTerms:
    """ELBO = log_likelihood − kl, each (n,) in nats per image."""

    log_likelihood: Tensor
    kl: Tensor

    @property
    def elbo(self) -> Tensor:
        """The evidence lower bound, (n,) nats."""
        return self.log_likelihood - self.kl


class VAE(nn.Module):
    """Encoder and decoder with a standard normal prior on a two-dimensional z."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.encoder, self.decoder = BUILDERS[architecture.network](
            architecture, OUTPUTS[architecture.posterior]
        )

    def posterior(self, x: Tensor) -> Gaussian:
        """q(z|x) for x (n, pixels) in [0, 1]."""
        return Gaussian.from_outputs(self.encoder(x))

    def logits(self, z: Tensor) -> Tensor:
        """Bernoulli logits (n, pixels) for z (n, 2)."""
        output: Tensor = self.decoder(z)
        return output

    def elbo_terms(self, x: Tensor, generator: Generator) -> ElboTerms:
        """One-sample ELBO with the KL in closed form (arXiv 1312.6114, eq. 10).

        ``x`` is (n, pixels), already data-treated; ``generator`` gives ε.
        """
        posterior = self.posterior(x)
        logits = self.logits(posterior.sample(generator))
        return ElboTerms(bernoulli_log_likelihood(x, logits), posterior.kl())

    @torch.no_grad()
    def set_output_bias(self, mean_image: Tensor) -> None:
        """Start the decoder at the mean image (pixels,): bias = logit of each mean pixel."""
        last = self.decoder[-1]
        assert isinstance(last, nn.Linear)
        last.bias.copy_(torch.logit(mean_image, eps=1e-3))
