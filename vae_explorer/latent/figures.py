"""Figures of single images that do not depend on which others are asked for beside them."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from vae_explorer.data.treatment import treat
from vae_explorer.latent.gap import elbo_of
from vae_explorer.model.trained import Check, Images, TrainedVAE, unchecked
from vae_explorer.types import Float32, Float64, Floats

_IMAGES = 500


@dataclass(frozen=True)
class ImageFigures:
    """elbo = log_likelihood − kl of n images, each (n,) float64 nats, without sampling noise."""

    elbo: Float64
    log_likelihood: Float64
    kl: Float64


def own_draws(model: TrainedVAE, images: Images, seeds: NDArray[np.integer]) -> Float32:
    """The model's data treatment of images (n, h, w), each with a draw of its own seed (n,).

    So the draw of an image is the same whether it is scored alone or among all of its set.

    Raises:
        DataError: as ``TrainedVAE.encode``.
    """
    generator = torch.Generator(model.device)
    treated = model.tensor(images)
    for image, seed in zip(treated, seeds.tolist(), strict=True):
        image.copy_(treat(image, model.treatment, generator.manual_seed(seed)))
    return treated.cpu().numpy().reshape(images.shape)


@torch.inference_mode()
def image_figures(
    model: TrainedVAE, images: Images, seeds: NDArray[np.integer], check: Check = unchecked
) -> ImageFigures:
    """The ELBO of each image (n, h, w) and its two terms, by Gauss-Hermite sums over q(z|x).

    ``seeds`` (n,) fix each image's draw, see ``own_draws``; ``check`` and errors as
    ``TrainedVAE.encode``.
    """
    elbos, kls = [np.empty(0)], [np.empty(0)]
    for start in range(0, len(images), _IMAGES):
        check()
        part = slice(start, start + _IMAGES)
        q = model.vae.posterior(model.tensor(images[part])).double()
        x = own_draws(model, images[part], seeds[part])
        elbos.append(elbo_of(model, x, q, check))
        kls.append(q.kl().cpu().numpy())
    elbo, kl = np.concatenate(elbos), np.concatenate(kls)
    return ImageFigures(elbo, elbo + kl, kl)


def posterior_width(covariance: Floats) -> Float64:
    """The geometric mean (n,) of the two standard deviations of each (n, 2, 2), latent units."""
    return np.asarray(np.linalg.det(covariance.astype(np.float64)).clip(0) ** 0.25)


@torch.inference_mode()
def pixel_log_likelihoods(model: TrainedVAE, x: Images, z: Floats) -> Float64:
    """log p(x|z) of each pixel of x (1, h, w[, 3]), data-treated, at z (n, 2): (n, h, w) nats.

    That of a pixel in colour is the sum over its channels.

    Raises:
        DataError: as ``TrainedVAE.encode`` and ``TrainedVAE.decode``.
    """
    image = model.tensor(x).double()
    channels = model.vae.architecture.channels
    outputs = image.new_tensor(model.decode_outputs(z)).reshape(len(z), -1)
    # A likelihood sums over the last axis: here over one pixel.
    apart = (given.view(len(given), -1, channels) for given in (image, outputs))
    pixels: Float64 = model.vae.likelihood(*apart).numpy()
    return pixels.reshape(len(z), *model.image_shape[:2])
