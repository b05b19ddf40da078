"""A trained VAE behind a NumPy door: tensors stay inside."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vae_explorer.data.treatment import treat
from vae_explorer.errors import DataError
from vae_explorer.model.vae import VAE, ElboTerms

Float32 = NDArray[np.float32]
Images = NDArray[np.uint8] | NDArray[np.floating]

_CHUNK = 2_000


@dataclass(frozen=True)
class Posterior:
    """q(z|x) of n images: ``mean`` (n, 2) and ``covariance`` (n, 2, 2), float32, latent units."""

    mean: Float32
    covariance: Float32


@dataclass(frozen=True)
class Elbo:
    """elbo = log_likelihood − kl, each (n,) float32 nats per image, one sample of z."""

    elbo: Float32
    log_likelihood: Float32
    kl: Float32


def _nothing() -> None:
    pass


class TrainedVAE:
    """A frozen copy of a VAE that speaks NumPy. Safe to read from several threads.

    Args:
        vae: copied; later training of the original does not show here.
        treatment: the data treatment it was trained with, used by ``elbo``.
    """

    def __init__(self, vae: VAE, treatment: str) -> None:
        self._vae = deepcopy(vae).eval().requires_grad_(False)
        self.treatment = treatment

    @property
    def image_shape(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self._vae.architecture.image_shape

    @property
    def parameters(self) -> int:
        """Trained numbers in both networks."""
        return sum(parameter.numel() for parameter in self._vae.parameters())

    def state_dict(self) -> dict[str, Tensor]:
        """The weights by name, for checkpoints. Not to be changed."""
        return self._vae.state_dict()

    def decode_logits(self, z: NDArray[np.floating]) -> Float32:
        """Bernoulli logits (n, h, w) float32 at z (n, 2).

        Raises:
            DataError: z has another shape or holds NaN or infinity.
        """
        return self._decode(z, sigmoid=False)

    def decode(self, z: NDArray[np.floating]) -> Float32:
        """Bernoulli means in [0, 1], (n, h, w) float32, at z (n, 2); errors as decode_logits."""
        return self._decode(z, sigmoid=True)

    @torch.inference_mode()
    def _decode(self, z: NDArray[np.floating], *, sigmoid: bool) -> Float32:
        with np.errstate(over="ignore"):  # too far for float32 is infinite, and refused below
            # Copied, because PyTorch does not take read-only arrays.
            z = np.array(z, np.float32, order="C")
        if z.ndim != 2 or z.shape[1] != 2:
            raise DataError(f"Latent places must have shape (n, 2), not {z.shape}.")
        if not np.isfinite(z).all():
            raise DataError("Latent places must be finite numbers; found NaN or infinity.")
        output = self._vae.logits(torch.from_numpy(z).to(self._device))
        if sigmoid:
            output = output.sigmoid_()
        pixels: Float32 = output.cpu().numpy()
        return pixels.reshape(-1, *self.image_shape)

    @torch.inference_mode()
    def encode(self, images: Images, check: Callable[[], None] = _nothing) -> Posterior:
        """q(z|x) of each image, fed as intensities whatever the data treatment.

        Args:
            images: (n, h, w) uint8, or floating in [0, 1].
            check: called between chunks; what it raises ends the work.

        Raises:
            DataError: the images have another size than the model's, or values outside [0, 1].
        """
        mean = np.empty((len(images), 2), np.float32)
        covariance = np.empty((len(images), 2, 2), np.float32)
        for start in range(0, len(images), _CHUNK):
            check()
            part = slice(start, start + _CHUNK)
            posterior = self._vae.posterior(self._intensities(images[part]))
            mean[part] = posterior.mean.cpu().numpy()
            covariance[part] = posterior.covariance().cpu().numpy()
        return Posterior(mean, covariance)

    def elbo(self, images: Images, seed: int = 0) -> Float32:
        """One-sample ELBO of each image, (n,) float32 nats; see ``elbo_terms``."""
        return self.elbo_terms(images, seed).elbo

    @torch.inference_mode()
    def elbo_terms(
        self, images: Images, seed: int = 0, check: Callable[[], None] = _nothing
    ) -> Elbo:
        """One-sample ELBO and its two terms, under the model's own data treatment.

        ``seed`` fixes both the draw of a binarised data set and the noise ε; arguments and errors
        are otherwise those of ``encode``.
        """
        generator = torch.Generator(self._device).manual_seed(seed)
        parts: list[ElboTerms] = []
        for start in range(0, len(images), _CHUNK):
            check()
            x = self._intensities(images[start : start + _CHUNK])
            parts.append(self._vae.elbo_terms(treat(x, self.treatment, generator), generator))
        if not parts:
            empty = np.empty(0, np.float32)
            return Elbo(empty, empty, empty)
        log_likelihood = torch.cat([part.log_likelihood for part in parts]).cpu().numpy()
        kl = torch.cat([part.kl for part in parts]).cpu().numpy()
        return Elbo(log_likelihood - kl, log_likelihood, kl)

    @property
    def _device(self) -> torch.device:
        return next(self._vae.parameters()).device

    def _intensities(self, images: Images) -> Tensor:
        if images.ndim != 3 or images.shape[1:] != self.image_shape:
            height, width = self.image_shape
            raise DataError(
                f"This model reads images of {height}×{width} pixels as an (n, {height}, {width}) "
                f"array; it was given shape {images.shape}."
            )
        # Copied, because PyTorch does not take read-only arrays.
        flat = images.reshape(len(images), -1).astype(np.float32)
        if images.dtype == np.uint8:
            flat /= 255
        elif not ((flat >= 0) & (flat <= 1)).all():  # false for NaN too
            raise DataError("Floating-point images must lie in [0, 1]; pass uint8 for 0 to 255.")
        return torch.from_numpy(flat).to(self._device)
