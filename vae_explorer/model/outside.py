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
from threading import Lock
from typing import Any, Literal, Protocol, TypeVar, cast, runtime_checkable

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Generator, Tensor, nn
from typing_extensions import override

from vae_explorer.data.arrays import as_array, as_images, channels_last
from vae_explorer.errors import CheckpointError, DataError
from vae_explorer.model import likelihood as likelihoods
from vae_explorer.model.architecture import LIKELIHOODS, Architecture
from vae_explorer.model.gaussian import Part
from vae_explorer.model.plane import Plane
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.model.vae import VAE, ElboTerms
from vae_explorer.types import Float32, Float64, Floats, ImageShape

_Kind = TypeVar("_Kind", np.float32, np.float64)

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

NO_WEIGHTS = (
    "A model from elsewhere has no weights that could be saved here; keep the program and the "
    "files that it comes from. Start trains a new model on the data that are open."
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
    array = channels_last(as_images(images), "Images")
    if not len(array):
        raise DataError("There are no images to try the model on; give some of its kind.")
    some = array[:_PRINCIPAL] / np.float32(255) if array.dtype == np.uint8 else array[:_PRINCIPAL]
    wanted = likelihood in ("bernoulli", "continuous-bernoulli")
    functions = _Functions(model, array.shape[1:], logits, wanted)
    codes = functions.moments(torch.from_numpy(some.astype(np.float32)))[0].numpy()
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
    if dimensions == 2:
        plane = Plane(np.zeros(2), np.eye(2))
    elif plane == "principal":
        plane = Plane.principal(codes)
    elif isinstance(plane, tuple):
        plane = Plane.along(*plane, codes.mean(0))
    assert isinstance(plane, Plane)
    functions.plane, functions.codes = plane, codes
    return TrainedVAE(OutsideVAE(functions, likelihood, variance), treatment)


def space_of(model: TrainedVAE) -> tuple[Plane, Float64] | None:
    """The plane that is shown of more than two dimensions, and codes (n, d) of some images."""
    if not isinstance(model.vae, OutsideVAE) or len(model.vae.functions.plane.origin) == 2:
        return None
    return model.vae.functions.plane, model.vae.functions.codes


def on_plane(model: TrainedVAE, plane: Plane) -> TrainedVAE:
    """The same model from elsewhere on another plane of its latent space.

    Raises:
        DataError: it is all of its latent space that the map shows.
    """
    if space_of(model) is None:
        raise DataError("This model has two latent dimensions, and the map shows both.")
    moved = TrainedVAE(model.vae, model.treatment)
    cast(OutsideVAE, moved.vae).functions.plane = plane
    return moved


class OutsideVAE(VAE):
    """A ``VAE`` whose networks are another program's; it has no weights."""

    def __init__(
        self, functions: "_Functions", likelihood: str | None, variance: float | None
    ) -> None:
        nn.Module.__init__(self)
        self.architecture = Architecture(
            functions.shape, "outside", likelihood=likelihood or "gaussian", fourier_features=0
        )
        self.rotation = None
        self._needs = {}
        self.functions = functions
        self.encoder, self.decoder = map(_network, (functions.encoded, functions.decoded))
        self.likelihood = likelihoods.FAMILIES[likelihood]() if likelihood else _NoLikelihood()
        if variance and isinstance(self.likelihood, likelihoods.Gaussian):
            del self.likelihood.log_variance  # given, and not trained
            self.likelihood.register_buffer("log_variance", torch.tensor(variance).log())
        size = len(functions.plane.origin)
        partial = NO_MARGINAL.format(size) if size > 2 else ""
        self.no_marginal = partial if likelihood else NO_LIKELIHOOD

    @property
    @override
    def axes(self) -> tuple[str, str]:
        first, second, *_ = self.functions.plane.names
        return first, second

    @property
    @override
    def has_likelihood(self) -> bool:
        return not isinstance(self.likelihood, _NoLikelihood)

    @override
    def elbo_terms(
        self, x: Tensor, generator: Generator, samples: int = 1, part: Part | None = None
    ) -> ElboTerms:
        """The ELBO in all dimensions, whatever plane is shown."""
        mean, scale = self.functions.moments(x)
        noise = torch.empty(samples, *mean.shape).normal_(generator=generator).double()
        z = mean + (scale @ noise[..., None])[..., 0]
        outputs = self.functions.outputs(z.flatten(0, 1).numpy().astype(np.float32))
        log_likelihood = self.likelihood(x, outputs.view(samples, len(x), -1)).mean(0)
        logs = scale.diagonal(dim1=1, dim2=2).log().sum(1)
        squares = mean.square().sum(1) + scale.square().sum((1, 2))
        return ElboTerms(log_likelihood, (0.5 * (squares - mean.shape[1]) - logs).float())

    @override
    def state_dict(self, *_: Any, **__: Any) -> Any:
        raise CheckpointError(NO_WEIGHTS)


class _Functions:
    """The two functions of a model that all copies share, held to their word.

    It decodes ``logits`` or not, and these are ``wanted`` of what parametrises p(x|z) or not.
    """

    def __init__(
        self, model: EncoderDecoder, shape: ImageShape, logits: bool, wanted: bool
    ) -> None:
        self.shape = shape
        self._logits, self._wanted = logits, wanted
        self.plane: Plane
        self.codes: Float64  # of the images that it was tried on
        self._model = model
        self._one_at_a_time = Lock()

    def __deepcopy__(self, _: object) -> "_Functions":
        return copy(self)

    def moments(self, x: Tensor, seen: bool = False) -> tuple[Tensor, Tensor]:
        """Mean and Cholesky factor of the covariance of each q(z|x), or what is seen of them."""
        found = self.encode(x.detach().cpu().float().numpy().reshape(-1, *self.shape))
        mean, covariance = map(torch.from_numpy, self.plane.drop(*found) if seen else found)
        scale, info = torch.linalg.cholesky_ex(covariance)
        if info.any():
            raise DataError(
                "encode(images) gave a covariance that is not positive definite; second comes the "
                "covariance, or the variances: exp(…) of their logarithms."
            )
        return mean, scale

    def encode(self, images: Float32) -> tuple[Float64, Float64]:
        """Mean (n, d) and covariance (n, d, d) of each image."""
        found = self._called("encode", self._model.encode, images)
        moments = tuple(found) if isinstance(found, tuple | list) else ()
        if hasattr(found, "covariance"):
            moments = found.mean, found.covariance
        if len(moments) != 2:
            raise DataError("encode(images) must give back two arrays: mean and covariance.")
        mean, covariance = (_numbers(moment, "encode(images)", np.float64) for moment in moments)
        fits = mean.ndim == 2 and len(mean) == len(images)
        _check(fits, "encode(images) gave means", mean, len(images), "d")
        if covariance.shape == mean.shape:
            covariance = covariance[:, :, None] * np.eye(mean.shape[1])
        wanted = *mean.shape, mean.shape[1]
        _check(covariance.shape == wanted, "encode(images) gave a covariance", covariance, *wanted)
        return mean, covariance

    def decode(self, z: Float32) -> Float32:
        """What the decoder gives at z (n, d), flat, (n, pixels)."""
        found = _numbers(self._called("decode", self._model.decode, z), "decode(z)", np.float32)
        pixels = int(np.prod(self.shape))
        fits = found.size == len(z) * pixels and len(found) == len(z)
        _check(fits, "decode(z) gave images", found, len(z), *self.shape)
        if found.shape[1:] == (3, *self.shape[:2]) and found.shape[1:] != self.shape:
            found = np.moveaxis(found, 1, 3)
        return found.reshape(len(z), pixels)

    def encoded(self, x: Tensor) -> Tensor:
        """What ``Gaussian.from_outputs`` reads, (n, 5), of images (n, pixels)."""
        mean, scale = self.moments(x, seen=True)
        logs = scale.diagonal(dim1=1, dim2=2).log()
        return torch.cat([mean, logs, scale[:, 1:, 0]], 1).to(x)

    def outputs(self, z: Float32) -> Tensor:
        """What parametrises p(x|z), (n, pixels), at z (n, d)."""
        found = torch.from_numpy(self.decode(z))
        if self._logits == self._wanted:
            return found
        return found.clamp(_LEAST, 1 - _LEAST).logit() if self._wanted else found.sigmoid()

    def decoded(self, z: Tensor) -> Tensor:
        """The outputs (n, pixels) at points (n, 2) of the map.

        Differentiable, though nothing is known of the network: by central differences.
        """
        u, lift = z.detach().cpu().double().numpy(), self.plane.lift
        outputs = self.outputs(lift(u)).to(z)
        if not (torch.is_grad_enabled() and z.requires_grad):
            return outputs
        slopes = [
            (self.outputs(lift(u + step)) - self.outputs(lift(u - step))) / (2 * _STEP)
            for step in _STEP * np.eye(2)
        ]
        change = (z - z.detach())[:, :, None] * torch.stack(slopes, 1).to(z)
        return outputs + change.sum(1)

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


def _numbers(values: Any, what: str, kind: type[_Kind]) -> NDArray[_Kind]:
    """A copy of what a function gave, which may be read-only."""
    array = np.array(as_array(values, f"What {what} gives"), kind)
    if not np.isfinite(array).all():
        raise DataError(f"{what} gave NaN or infinity.")
    return array


def _check(fits: bool, what: str, given: Floats, *wanted: object) -> None:
    if not fits:
        shape = ", ".join(map(str, wanted))
        raise DataError(f"{what} of shape {given.shape}, expected ({shape}).")


def _network(function: Callable[[Tensor], Tensor]) -> nn.Sequential:
    """A function as a network without weights; a copy has the method of a copy."""
    network = nn.Module()
    network.forward = function
    return nn.Sequential(network)


class _NoLikelihood(likelihoods.Likelihood):
    """Decoded images of which it is not known what they are the parameters of."""

    @override
    def natural(self, outputs: Tensor) -> Tensor:
        raise DataError(NO_LIKELIHOOD)

    log_normalizer = natural

    @override
    def mean(self, outputs: Tensor) -> Tensor:
        return outputs

    @override
    def outputs_for(self, mean: Tensor) -> Tensor:
        return mean
