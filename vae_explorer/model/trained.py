"""A trained VAE behind a NumPy door: tensors stay inside."""

from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from vae_explorer.data.arrays import as_array, as_images, channels_last, conversion
from vae_explorer.data.treatment import treat
from vae_explorer.errors import CheckpointError, DataError
from vae_explorer.model.vae import VAE, ElboTerms
from vae_explorer.types import Brief, Float32, Float64, Floats, ImageShape, UInt8

Images = UInt8 | Floats
Check = Callable[[], None]
"""Called between chunks of work; what it raises ends the work."""
Tell = Callable[[float], object]
"""Told which share of the work that is known of is done."""

_CHUNK = 2_000


@dataclass(frozen=True, repr=False)
class Posterior(Brief):
    """q(z|x) of n images: ``mean`` (n, 2) and ``covariance`` (n, 2, 2), float32, latent units."""

    mean: Float32
    covariance: Float32


@dataclass(frozen=True, repr=False)
class Elbo(Brief):
    """elbo = log_likelihood − kl, each (n,) float32 nats per image, one sample of z."""

    elbo: Float32
    log_likelihood: Float32
    kl: Float32


def unchecked() -> None:
    """The ``Check`` that lets all work go on."""


def untold(_: float) -> None:
    """The ``Tell`` to nobody."""


def is_rotation(matrix: ArrayLike) -> bool:
    """Whether it is an orthogonal (2, 2), to within 1e-4: it turns or mirrors the plane."""
    turn = np.array(matrix, np.float64)
    return turn.shape == (2, 2) and np.allclose(turn @ turn.T, np.eye(2), 0, 1e-4)


class TrainedVAE:
    """A frozen copy of a VAE that speaks NumPy. Safe to read from several threads.

    Images and latent points may be lists, arrays or tensors. Images are (n, h, w), and of a model
    of images in colour (n, h, w, 3), here as everywhere. Integers are levels from 0 to 255; floats,
    and booleans, lie in [0, 1].

    Args:
        vae: copied; later training of the original does not show here.
        treatment: the data treatment it was trained with, used by ``elbo``.

    ``vae``, frozen, is for the numerical packages alone.
    """

    def __init__(self, vae: VAE, treatment: str) -> None:
        # On the CPU: what is computed of a trained model needs float64, and the same draws always.
        self.vae = deepcopy(vae).cpu().eval().requires_grad_(False)
        self.treatment = treatment
        self.writer: Callable[[TrainedVAE, str | Path], None] | None = None

    def save(self, path: str | Path) -> None:
        """Save it as a checkpoint, with the recipe and the history that it came with.

        Args:
            path: a name that ends in .safetensors; a file of that name is replaced.

        Raises:
            CheckpointError: the file cannot be written, the model came with no recipe, as one that
                was turned or made by hand, or it is of another program.
        """
        if self.writer is None:
            raise CheckpointError(
                "This model is of no run and no checkpoint, whose recipe would be saved with it; "
                "save the one that train, load or read_checkpoint gave."
            )
        self.writer(self, path)

    @property
    def image_shape(self) -> ImageShape:
        """(height, width) in pixels, and 3 after these in colour."""
        return self.vae.architecture.image_shape

    @property
    def axes(self) -> tuple[str, str]:
        """What the two coordinates of the map are called."""
        return self.vae.axes

    @property
    def likelihood(self) -> bool:
        """Whether log p(x|z) is known."""
        return self.vae.has_likelihood

    @property
    def no_marginal(self) -> str:
        """Why neither log p(x) nor bounds of it are known of single images; "" where they are."""
        return self.vae.no_marginal

    @property
    def parameters(self) -> int:
        """Trained numbers in both networks."""
        return sum(parameter.numel() for parameter in self.vae.parameters())

    def __repr__(self) -> str:
        height, width, *color = self.image_shape
        kind = "" if color and self.treatment == "gray" else f"{self.treatment} "
        pixels = f"{height}×{width} {kind}{'RGB ' if color else ''}pixels"
        return f"<TrainedVAE of {pixels}, {self.parameters:,} parameters>"

    def state_dict(self) -> dict[str, Tensor]:
        """The weights by name, for checkpoints. Not to be changed."""
        return self.vae.state_dict()

    def turned(self, rotation: Floats) -> "TrainedVAE":
        """The same model with its latent space turned or mirrored: R z stands for z.

        q(z|x) becomes N(R μ, R Σ Rᵀ), and z decodes to what Rᵀ z did. The prior stays, and
        with it KL, ELBO and log p(x), though a seed draws other positions. So do the weights: a
        checkpoint knows no rotation.

        Args:
            rotation: an orthogonal R (2, 2).

        Raises:
            ValueError: R is not orthogonal to within 1e-4.
        """
        matrix = np.array(rotation, np.float64)
        if not is_rotation(matrix):
            raise ValueError(f"not an orthogonal (2, 2) matrix: {matrix.tolist()}")
        turned = TrainedVAE(self.vae, self.treatment)
        before = turned.vae.rotation
        added = torch.from_numpy(matrix)
        turned.vae.rotation = added if before is None else added @ before
        return turned

    @property
    def rotation(self) -> Float64 | None:
        """R (2, 2), by which ``turned`` led here from the model of the checkpoint, if at all."""
        turned = self.vae.rotation
        return None if turned is None else turned.numpy().copy()

    def in_checkpoint(self, z: Floats) -> Floats:
        """Latent points z (n, 2) of this model as its checkpoint has them, of the same type."""
        rotation = self.rotation
        return z if rotation is None else (z @ rotation).astype(z.dtype)

    def decode_outputs(self, z: ArrayLike) -> Float32:
        """What parametrises p(x|z), (n, h, w) float32, at z (n, 2): logits, or a Gaussian's mean.

        Raises:
            DataError: z has another shape or holds NaN or infinity.
        """
        return self._decode(z, lambda outputs: outputs)

    def decode(self, z: ArrayLike) -> Float32:
        """E[x|z] as an image in [0, 1], (n, h, w) float32, at z (n, 2); errors as decode_outputs.

        A Gaussian's mean is cut off at 0 and 1.
        """
        return self._decode(z, lambda outputs: self.vae.likelihood.mean(outputs).clamp_(0, 1))

    def sample_prior(self, n: int, seed: int = 0) -> Float32:
        """Samples of the prior N(0, I), (n, 2) float32, latent units; ``seed`` fixes them."""
        return np.random.default_rng(seed).standard_normal((n, 2), np.float32)

    def sample(self, n: int, seed: int = 0) -> Float32:
        """Images of the model, (n, h, w) float32 in [0, 1]: ``sample_prior``, decoded."""
        return self.decode(self.sample_prior(n, seed))

    def reconstruct(self, images: ArrayLike) -> Float32:
        """Each image encoded and its mean decoded, (n, h, w) float32 in [0, 1]; as ``encode``."""
        return self.decode(self.encode(images).mean)

    @torch.inference_mode()
    def _decode(self, z: ArrayLike, read: Callable[[Tensor], Tensor]) -> Float32:
        points = as_array(z, "Latent points")
        if points.ndim != 2 or points.shape[1] != 2:
            line = "" if points.shape[-1:] != (2,) else "; pass np.asarray(z).reshape(-1, 2)"
            line = "; pass np.asarray(z).T" if points.ndim == 2 and len(points) == 2 else line
            raise DataError(f"Latent points must have shape (n, 2), not {points.shape}{line}.")
        with np.errstate(over="ignore"):  # too far for float32 is infinite, and refused below
            # Copied, because PyTorch does not take read-only arrays.
            points = np.array(points, np.float32, order="C")
        if not np.isfinite(points).all():
            raise DataError("Latent points must be finite numbers; found NaN or infinity.")
        output = read(self.vae.outputs(torch.from_numpy(points).to(self.device)))
        pixels: Float32 = output.cpu().numpy()
        return pixels.reshape(-1, *self.image_shape)

    @torch.inference_mode()
    def encode(self, images: ArrayLike, check: Check = unchecked) -> Posterior:
        """q(z|x) of each image, fed as intensities whatever the data treatment.

        Args:
            images: (n, h, w) integers from 0 to 255, or floats in [0, 1].
            check: called between chunks; what it raises ends the work.

        Raises:
            DataError: the images have another size than the model's, or values out of range.
        """
        images = self._images(images)
        mean = np.empty((len(images), 2), np.float32)
        covariance = np.empty((len(images), 2, 2), np.float32)
        for start in range(0, len(images), _CHUNK):
            check()
            part = slice(start, start + _CHUNK)
            posterior = self.vae.posterior(self.tensor(images[part]))
            mean[part] = posterior.mean.cpu().numpy()
            covariance[part] = posterior.covariance().cpu().numpy()
        return Posterior(mean, covariance)

    @torch.inference_mode()
    def treated(self, images: ArrayLike, seed: int = 0) -> Float32:
        """One draw of the model's data treatment, (n, h, w) float32: what a likelihood is of.

        ``seed`` fixes the draw of a binarized set, whatever is computed of it later.
        Arguments and errors are otherwise those of ``encode``.
        """
        images = self._images(images)
        generator = torch.Generator(self.device).manual_seed(seed)
        parts = [
            treat(self.tensor(images[start : start + _CHUNK]), self.treatment, generator)
            for start in range(0, len(images), _CHUNK)
        ]
        treated = torch.cat(parts) if parts else torch.empty(0)
        return treated.cpu().numpy().reshape(-1, *self.image_shape)

    def elbo(self, images: ArrayLike, seed: int = 0) -> Float32:
        """One-sample ELBO of each image, (n,) float32 nats; see ``elbo_terms``."""
        return self.elbo_terms(images, seed).elbo

    @torch.inference_mode()
    def elbo_terms(self, images: ArrayLike, seed: int = 0, check: Check = unchecked) -> Elbo:
        """One-sample ELBO and its two terms of the draw ``treated(images, seed)``.

        ``seed`` fixes the noise ε too; arguments and errors are otherwise those of ``encode``.
        """
        x = self.tensor(self.treated(images, seed))
        generator = torch.Generator(self.device).manual_seed(seed)
        parts: list[ElboTerms] = []
        for chunk in torch.split(x, self.vae.at_once(_CHUNK)):
            check()
            parts.append(self.vae.elbo_terms(chunk, generator))
        if not parts:
            empty = np.empty(0, np.float32)
            return Elbo(empty, empty, empty)
        log_likelihood = torch.cat([part.log_likelihood for part in parts]).cpu().numpy()
        kl = torch.cat([part.kl for part in parts]).cpu().numpy()
        return Elbo(log_likelihood - kl, log_likelihood, kl)

    @property
    def device(self) -> torch.device:
        """Where the weights live."""
        return next(self.vae.parameters(), torch.empty(0)).device

    def tensor(self, images: ArrayLike) -> Tensor:
        """Images (n, h, w) of any kind that ``encode`` takes, as the networks do: (n, pixels).

        For the numerical packages; errors are those of ``encode``.
        """
        array = self._images(images)
        # Copied, because PyTorch does not take read-only arrays.
        flat = array.reshape(len(array), self.vae.architecture.pixels).astype(np.float32)
        if array.dtype == np.uint8:
            flat /= 255
        elif not ((flat >= 0) & (flat <= 1)).all():  # false for NaN too
            raise DataError(
                "Floating-point images must lie in [0, 1]; pass uint8 for 0 to 255: "
                'np.asarray(images).astype("uint8").'
            )
        return torch.from_numpy(flat).to(self.device)

    def _images(self, images: ArrayLike) -> Images:
        array = as_images(images)
        given_shape = array.shape
        if array.ndim > 3 and array.shape[1:] != self.image_shape:
            with suppress(DataError):  # refused below, with the line of this size
                array = channels_last(array, "Images")
        if array.shape[1:] != self.image_shape:
            height, width = self.image_shape[:2]
            given = ", ".join(map(str, ("n", *self.image_shape)))
            line = conversion(given_shape, self.image_shape, whole=array.dtype == np.uint8)
            raise DataError(
                f"This model reads images of {height}×{width} pixels as an "
                f"({given}) array; it was given shape {given_shape}: {line}."
            )
        return array
