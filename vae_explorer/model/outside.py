"""Models that were trained elsewhere, made into what the rest of the program calls a model.

All that is asked of one are the two functions of ``EncoderDecoder``:

    class Mine:
        def encode(self, images):  # (n, h, w) or (n, h, w, 3) float32 in [0, 1]
            h = net.encoder(torch.from_numpy(images)[:, None])
            return net.mean(h), net.log_variance(h).exp()

        def decode(self, z):  # (n, d) float32
            return net.decoder(torch.from_numpy(z)).sigmoid()

    vx.explore(Mine(), images)

The prior is taken to be N(0, I). With more than two latent dimensions the map is a ``Plane`` of the
latent space: what is said of p(x|z) holds there, and what is an integral over all z is refused.
"""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from threading import Lock
from typing import Any, Literal, Protocol, cast, runtime_checkable

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Generator, Tensor, nn
from typing_extensions import override

from vae_explorer.data.arrays import as_array
from vae_explorer.errors import CheckpointError, DataError
from vae_explorer.model import likelihood as likelihoods
from vae_explorer.model.architecture import LIKELIHOODS, Architecture
from vae_explorer.model.gaussian import Part
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.model.vae import VAE, ElboTerms
from vae_explorer.types import Float32, Float64, Floats, ImageShape

_LOOKED_AT = 64
_PRINCIPAL = 2_000
"""First images whose codes span the principal plane."""
_STEP = 1e-2
"""Latent units, between which the decoder is differentiated."""
_LEAST = 1e-6
"""Probability, and from 1, that becomes a finite logit."""

NO_LIKELIHOOD = (
    "This model has no likelihood: it was not said which p(x|z) its images are parameters of. "
    'Pass likelihood="bernoulli", "continuous-bernoulli" or "gaussian" (with variance=…).'
)

NO_MARGINAL = (
    "This model has {} latent dimensions and the map shows a plane of them: what is an integral "
    "over all of z, as log p(x) is, is not known here."
)


@runtime_checkable
class EncoderDecoder(Protocol):
    """What a model from elsewhere has to offer; arrays or tensors may be given back."""

    def encode(self, images: Float32) -> Any:
        """q(z|x) of images (n, h, w) or (n, h, w, 3) in [0, 1].

        Returns:
            Mean (n, d) and covariance: (n, d, d), or the variances (n, d) where it is diagonal.
        """

    def decode(self, z: Float32) -> Any:
        """The images at z (n, d): (n, h, w[, 3]), (n, [c,] h, w) or flat (n, pixels).

        In [0, 1], or logits if that is said.
        """


@dataclass(frozen=True, eq=False)
class Plane:
    """z = ``origin`` (d,) + u₁ a₁ + u₂ a₂, of orthonormal ``axes`` (2, d): what the map shows."""

    origin: Float64
    axes: Float64

    @classmethod
    def along(cls, first: int, second: int, others: ArrayLike) -> "Plane":
        """Of two coordinates, counted from 0, with the other ones as in ``others`` (d,).

        Raises:
            DataError: there are no such two.
        """
        origin = np.array(others, np.float64)
        if first == second or not {first, second} <= {*range(len(origin))}:
            raise DataError(
                f"A plane is along two of the {len(origin)} latent dimensions, counted from 0, "
                f"not along {first} and {second}."
            )
        origin[[first, second]] = 0
        return cls(origin, np.eye(len(origin))[[first, second]])

    @classmethod
    def principal(cls, codes: Floats) -> "Plane":
        """Through the mean of codes (n, d), along the two directions in which they vary most."""
        origin = codes.mean(0, dtype=np.float64)
        _, vectors = np.linalg.eigh(np.cov(codes.T.astype(np.float64), bias=True))
        axes = vectors.T[:-3:-1]
        largest = np.take_along_axis(axes, np.abs(axes).argmax(1)[:, None], 1)
        return cls(origin, axes * np.sign(largest))

    def lift(self, u: Floats) -> Float32:
        """Where points (n, 2) of the plane are, (n, d)."""
        return (self.origin + u @ self.axes).astype(np.float32)

    def drop(self, mean: Floats, covariance: Floats) -> tuple[Float64, Float64]:
        """The marginals on the plane of Gaussians in d dimensions."""
        dropped = (mean - self.origin) @ self.axes.T, self.axes @ covariance @ self.axes.T
        return np.asarray(dropped[0]), np.asarray(dropped[1])


def outside_model(
    model: EncoderDecoder,
    images: ArrayLike,
    *,
    likelihood: str | None = None,
    variance: float | None = None,
    logits: bool = False,
    treatment: str = "gray",
    plane: Plane | tuple[int, int] | Literal["principal"] = "principal",
) -> TrainedVAE:
    """A model from elsewhere, tried on real images, as the rest of the program knows one.

    Args:
        model: has the two functions; it is kept, and must not change.
        images: (n, h, w) or (n, h, w, 3) in [0, 1] or uint8, of the kind it was trained on.
        likelihood: what its decoder gives the parameters of, one of ``LIKELIHOODS``; None if it is
            not known, and then there is no log p.
        variance: of each pixel of a Gaussian likelihood.
        logits: the decoder gives logits, of which the sigmoid is taken.
        treatment: of pixels, as for a recipe.
        plane: of more than two latent dimensions, what the map shows: the principal plane of the
            codes of the images, two coordinates (the others are those of the mean code), or any.

    Raises:
        DataError: a function fails or gives something else; the message says which, and what.
    """
    if not isinstance(model, EncoderDecoder):
        raise DataError(
            f"A model from elsewhere has encode(images) and decode(z); {type(model).__name__} has "
            "not; see help(vae_explorer.model.outside)."
        )
    if likelihood not in (None, *LIKELIHOODS):
        raise DataError(f"A likelihood is one of {', '.join(LIKELIHOODS)}, not '{likelihood}'.")
    if likelihood == "gaussian" and not (variance and variance > 0):
        raise DataError("A Gaussian likelihood needs the variance of a pixel: pass variance=….")
    array = as_array(images, "Images")
    some = array[:_PRINCIPAL] / np.float32(255) if array.dtype == np.uint8 else array[:_PRINCIPAL]
    shape = array.shape[1:]
    if len(shape) not in (2, 3) or not len(array) or shape[2:] not in ((), (3,)):
        raise DataError(f"Images have shape {array.shape}, expected (n, h, w) or (n, h, w, 3).")
    functions = _Functions(model, shape, logits)
    codes, covariance = functions.encode(some.astype(np.float32))
    _cholesky(torch.from_numpy(covariance))
    dimensions = codes.shape[1]
    if dimensions < 2:
        raise DataError("The map needs two latent dimensions; this model has one.")
    pictures = functions.decode(codes[:_LOOKED_AT].astype(np.float32))
    bounded = not logits and likelihood != "gaussian"
    if bounded and not ((pictures >= -_LEAST) & (pictures <= 1 + _LEAST)).all():
        raise DataError(
            f"decode(z) gave values from {pictures.min():.3g} to {pictures.max():.3g}; images lie "
            "in [0, 1]. Pass logits=True if these are logits."
        )
    if dimensions > 2:
        if plane == "principal":
            plane = Plane.principal(codes)
        elif isinstance(plane, tuple):
            plane = Plane.along(*plane, codes.mean(0))
        assert isinstance(plane, Plane)
        functions.plane = plane
    return TrainedVAE(OutsideVAE(functions, likelihood, variance, dimensions), treatment)


def on_plane(model: TrainedVAE, plane: Plane) -> TrainedVAE:
    """The same model from elsewhere on another plane of its latent space.

    Raises:
        DataError: it is all of its latent space that the map shows.
    """
    moved = TrainedVAE(model.vae, model.treatment)
    if not isinstance(moved.vae, OutsideVAE) or moved.vae.functions.plane is None:
        raise DataError("This model has two latent dimensions, and the map shows both.")
    moved.vae.functions.plane = plane
    return moved


class OutsideVAE(VAE):
    """A ``VAE`` whose networks are another program's; it has no weights."""

    def __init__(
        self, functions: "_Functions", likelihood: str | None, variance: float | None, size: int
    ) -> None:
        nn.Module.__init__(self)
        self.architecture = Architecture(
            functions.shape, "outside", likelihood=likelihood or "gaussian", fourier_features=0
        )
        self.rotation = None
        self._needs = {}
        self.functions = functions
        self.encoder = nn.Sequential(_Encoder(functions))
        self.decoder = nn.Sequential(_Decoder(functions, likelihood))
        self.likelihood = likelihoods.FAMILIES[likelihood]() if likelihood else _NoLikelihood()
        if variance and isinstance(self.likelihood, likelihoods.Gaussian):
            del self.likelihood.log_variance  # given, and not trained
            self.likelihood.register_buffer("log_variance", torch.tensor(variance).log())
        self.no_marginal = NO_LIKELIHOOD if likelihood is None else NO_MARGINAL.format(size)
        if likelihood is not None and size == 2:
            self.no_marginal = ""

    @property
    @override
    def has_likelihood(self) -> bool:
        return not isinstance(self.likelihood, _NoLikelihood)

    @override
    def elbo_terms(
        self, x: Tensor, generator: Generator, samples: int = 1, part: Part | None = None
    ) -> ElboTerms:
        """The ELBO in all dimensions, whatever plane is shown."""
        if not self.functions.plane:
            return super().elbo_terms(x, generator, samples, part)
        encoded = self.functions.encode(self.functions.images(x))
        mean, covariance = (torch.from_numpy(moment) for moment in encoded)
        scale, size = _cholesky(covariance), mean.shape[1]
        noise = torch.empty(samples, len(x), size).normal_(generator=generator).double()
        z = mean + (scale @ noise[..., None])[..., 0]
        outputs = cast(_Decoder, self.decoder[0]).at(z.flatten(0, 1).numpy().astype(np.float32))
        log_likelihood = self.likelihood(x, outputs.view(samples, len(x), -1)).mean(0)
        spread = covariance.diagonal(dim1=1, dim2=2)
        log_determinant = 2 * scale.diagonal(dim1=1, dim2=2).log().sum(1)
        kl = 0.5 * (mean.square().sum(1) + spread.sum(1) - size - log_determinant)
        return ElboTerms(log_likelihood, kl.float())

    @override
    def state_dict(self, *_: Any, **__: Any) -> Any:
        raise CheckpointError(
            "A model from elsewhere has no weights that could be saved here; keep the program and "
            "the files that it comes from."
        )


class _Functions:
    """The two functions, held to their word. Shared by all copies of a model."""

    def __init__(self, model: EncoderDecoder, shape: ImageShape, logits: bool) -> None:
        self.shape, self.logits = shape, logits
        self.plane: Plane | None = None
        self._model = model
        self._one_at_a_time = Lock()

    def __deepcopy__(self, _: object) -> "_Functions":
        return copy(self)

    def images(self, x: Tensor) -> Float32:
        """Flat images (n, pixels) as the model takes them."""
        found: Float32 = x.detach().cpu().float().numpy().reshape(-1, *self.shape)
        return found

    def encode(self, images: Float32) -> tuple[Float64, Float64]:
        """Mean (n, d) and covariance (n, d, d) of each image."""
        found = self._called("encode", self._model.encode, images)
        moments = tuple(found) if isinstance(found, tuple | list) else ()
        if hasattr(found, "covariance"):
            moments = found.mean, found.covariance
        if len(moments) != 2:
            raise DataError("encode(images) must give back two arrays: mean and covariance.")
        mean, covariance = (
            np.array(as_array(moment, f"The {name} of encode(images)"), np.float64)  # not read-only
            for name, moment in zip(("mean", "covariance"), moments, strict=True)
        )
        if mean.ndim != 2 or len(mean) != len(images):
            raise DataError(
                f"encode(images) of {len(images):,} images gave means of shape {mean.shape}, "
                f"expected ({len(images)}, d)."
            )
        size = mean.shape[1]
        if covariance.shape == mean.shape:
            covariance = covariance[:, :, None] * np.eye(size)
        if covariance.shape != (*mean.shape, size):
            raise DataError(
                f"encode(images) gave a covariance of shape {covariance.shape}, expected "
                f"{(*mean.shape, size)}, or variances {mean.shape}."
            )
        if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
            raise DataError("encode(images) gave NaN or infinity.")
        return mean, covariance

    def decode(self, z: Float32) -> Float32:
        """What the decoder gives at z (n, d), flat, (n, pixels)."""
        found = as_array(self._called("decode", self._model.decode, z), "What decode(z) gives")
        pixels = int(np.prod(self.shape))
        if found.size != len(z) * pixels or found.shape[:1] != (len(z),):
            raise DataError(
                f"decode(z) of {len(z):,} points gave shape {found.shape}, expected "
                f"{(len(z), *self.shape)}."
            )
        if found.shape[1:] == (3, *self.shape[:2]) and found.shape[1:] != self.shape:
            found = np.moveaxis(found, 1, 3)
        flat = np.array(found, np.float32).reshape(len(z), pixels)
        if not np.isfinite(flat).all():
            raise DataError("decode(z) gave NaN or infinity.")
        return flat

    def _called(self, name: str, function: Callable[[Float32], Any], given: Float32) -> Any:
        try:
            with self._one_at_a_time:
                return function(given)
        except DataError:
            raise
        except Exception as error:
            raise DataError(
                f"{name} of {type(self._model).__name__} failed on an array of shape "
                f"{given.shape}: {type(error).__name__}: {error}"
            ) from error


def _cholesky(covariance: Tensor) -> Tensor:
    scale: Tensor
    scale, info = torch.linalg.cholesky_ex(covariance)
    if info.any():
        raise DataError(
            "encode(images) gave a covariance that is not positive definite; second comes the "
            "covariance, or the variances: exp(…) of their logarithms."
        )
    return scale


class _Encoder(nn.Module):
    def __init__(self, functions: _Functions) -> None:
        super().__init__()
        self.functions = functions

    def forward(self, x: Tensor) -> Tensor:
        """What ``Gaussian.from_outputs`` reads, (n, 5), of images (n, pixels)."""
        moments = self.functions.encode(self.functions.images(x))
        if self.functions.plane:
            moments = self.functions.plane.drop(*moments)
        mean, covariance = (torch.from_numpy(moment) for moment in moments)
        scale = _cholesky(covariance)
        logs = scale.diagonal(dim1=1, dim2=2).log()
        return torch.cat([mean, logs, scale[:, 1:, 0]], 1).to(x)


class _Decoder(nn.Module):
    """Differentiable by z, though nothing is known of the network: by central differences."""

    def __init__(self, functions: _Functions, likelihood: str | None) -> None:
        super().__init__()
        self.functions = functions
        self.wanted_logits = likelihood in ("bernoulli", "continuous-bernoulli")

    def at(self, z: Float32) -> Tensor:
        """The outputs (n, pixels) at z (n, d)."""
        found = torch.from_numpy(self.functions.decode(z))
        if self.functions.logits == self.wanted_logits:
            return found
        return found.clamp(_LEAST, 1 - _LEAST).logit() if self.wanted_logits else found.sigmoid()

    def forward(self, z: Tensor) -> Tensor:
        """The outputs (n, pixels) at points (n, 2) of the map."""
        u = z.detach().cpu().double().numpy()
        outputs = self._on_map(u).to(z)
        if not (torch.is_grad_enabled() and z.requires_grad):
            return outputs
        slopes = [
            (self._on_map(u + step) - self._on_map(u - step)) / (2 * _STEP)
            for step in _STEP * np.eye(2)
        ]
        change = (z - z.detach())[:, :, None] * torch.stack(slopes, 1).to(z)
        return outputs + change.sum(1)

    def _on_map(self, u: Float64) -> Tensor:
        plane = self.functions.plane
        return self.at(plane.lift(u) if plane else u.astype(np.float32))


class _NoLikelihood(likelihoods.Likelihood):
    """Decoded images of which it is not known what they are the parameters of."""

    @override
    def natural(self, outputs: Tensor) -> Tensor:
        raise DataError(NO_LIKELIHOOD)

    @override
    def log_normalizer(self, outputs: Tensor) -> Tensor:
        raise DataError(NO_LIKELIHOOD)

    @override
    def mean(self, outputs: Tensor) -> Tensor:
        return outputs

    @override
    def outputs_for(self, mean: Tensor) -> Tensor:
        return mean
