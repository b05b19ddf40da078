"""The trade of rate against distortion: small VAEs trained live at several β, and what each pays.

The rate R is the mean KL(q(z|x) ‖ p(z)) and the distortion D the mean −log p(x|z), nats per image.
Training at β minimises D + β R, so where networks can do no better the points of all β lie on one
convex curve, which has slope −β at the point of β (Alemi et al., "Fixing a Broken ELBO",
arXiv 1711.00464, §2-3; β is that of Higgins et al., "β-VAE", ICLR 2017).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from vae_explorer.data.bundled import mnist
from vae_explorer.latent.aggregate import Aggregate, aggregate, log_aggregate
from vae_explorer.latent.alignment import procrustes
from vae_explorer.latent.contours import level_lines, mass_levels
from vae_explorer.latent.density import aggregate_density
from vae_explorer.latent.manifold import grid, quantile_axis
from vae_explorer.lessons.of_mnist import check_reads_mnist
from vae_explorer.model.trained import Check, Posterior, TrainedVAE, unchecked
from vae_explorer.model.vae import log_prior
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.trainer import Trainer
from vae_explorer.types import Bools, Float32, Float64, Floats, Labels

Report = Callable[[float, float, float], None]
"""Told how training goes: its share done, 0 to 1, and the rate and distortion of late."""

BETAS = (0.01, 0.1, 0.3, 1.0, 3.0, 8.0, 16.0, 32.0)
DIGITS = 5_000
"""First training images, which the small models are trained on."""
EPOCHS = 12
IMAGES = 2_000
"""First test images, which rate and distortion are of."""
HOLE = 0.1
"""Where q(z) is below this share of the prior's density is a hole."""
SHARES = (0.5, 0.9, 0.99)
"""Of the mass, that the drawn lines of a density enclose."""
SHEET = 7
"""Decoded digits along each side of a sheet."""

_LEAST_SPAN, _LARGEST_SPAN = 5.0, 30.0  # latent units, the reach of the density's grid
_CELLS = 120
_BLUR = 0.03  # of that reach: narrow posteriors would each have a line of its own
_PRIOR_DRAWS = 1_000  # that the share of holes is counted in


def recipe(beta: float, epochs: int = EPOCHS) -> Recipe:
    """A small network that takes seconds: one hidden layer of 256 units on each side."""
    return Recipe(
        epochs=epochs,
        batch_size=100,
        learning_rate=3e-3,
        schedule="one-cycle",
        warmup_steps=50,
        encoder_hidden="256",
        decoder_hidden="256",
        fourier_features=0,
        posterior="diagonal",
        validation_images=0,
        beta=beta,
    )


def train(
    beta: float,
    digits: int = DIGITS,
    epochs: int = EPOCHS,
    report: Report | None = None,
    check: Check = unchecked,
) -> TrainedVAE:
    """Train a small VAE at β on the first MNIST training images; the same bits every time.

    ``check`` is called after every step; what it raises ends the work.
    """
    trainer = Trainer(recipe(beta, epochs), mnist("train").subset(slice(0, digits)), "cpu")
    while not trainer.finished:
        metrics = trainer.take_step()
        check()
        if report and metrics:
            point = metrics.point
            report(trainer.step / trainer.total_steps, point.kl, -point.log_likelihood)
    return trainer.snapshot().model


@dataclass(frozen=True, eq=False)
class Study:
    """What becomes of the test images in a model trained at ``beta``.

    ``beta`` is that of the training; of other models it is 1, and D + β R their −ELBO.
    ``aggregate`` is of the first ``IMAGES``; ``posterior`` is of all 10,000, their classes
    ``labels`` (n,). ``lines`` are those of equal q(z), a little blurred, around each of ``SHARES``
    of its mass, each line (k, 2). ``sheet`` (SHEET², h, w) are decoded from ``SHEET``² equal parts
    of the prior, as a picture reads. ``holes`` is the share of the prior's draws that fall into a
    hole, and ``model`` is turned as the codes are.
    """

    beta: float
    model: TrainedVAE
    aggregate: Aggregate
    posterior: Posterior
    labels: Labels
    lines: tuple[tuple[Float32, ...], ...]
    sheet: Float32
    holes: float


def study(
    beta: float,
    model: TrainedVAE,
    reference: Float32 | None = None,
    check: Check = unchecked,
) -> Study:
    """Look at MNIST's test images in a model.

    Args:
        beta: that of ``Study``.
        model: of images of MNIST's size.
        reference: codes (10,000, 2) of the same images, towards which the model is turned.
        check: called between chunks; what it raises ends the work.

    Raises:
        DataError: the model is of images of another size.
    """
    check_reads_mnist(model)
    data = mnist("test")
    found = aggregate(model, model.treated(data.images[:IMAGES]), check=check)
    if reference is not None:
        model = model.turned(procrustes(codes(model, check), reference))
    posterior = model.encode(data.images, check)
    furthest = 1.1 * float(np.abs(posterior.mean).max())
    span = min(max(furthest, _LEAST_SPAN), _LARGEST_SPAN)
    axis = np.linspace(-span, span, _CELLS)
    blurred = posterior.covariance + np.eye(2) * (_BLUR * span) ** 2
    density = aggregate_density(posterior.mean, blurred, None, axis, check)[0]
    edge = span + (axis[1] - axis[0]) / 2
    region = (-edge, edge, -edge, edge)
    lines = tuple(
        level_lines(density, region, float(level)) for level in mass_levels(density, SHARES)
    )
    assert data.labels is not None
    inside = in_hole(posterior, prior_draws(_PRIOR_DRAWS, 0), check)
    sheet = model.decode(grid(quantile_axis(SHEET)))
    return Study(beta, model, found, posterior, data.labels, lines, sheet, float(np.mean(inside)))


def codes(model: TrainedVAE, check: Check = unchecked) -> Float32:
    """The encoder's means of MNIST's test images, (10,000, 2); errors as ``study``."""
    check_reads_mnist(model)
    return model.encode(mnist("test").images, check).mean


def prior_draws(count: int, seed: int) -> Float64:
    """Positions (count, 2) drawn from N(0, I)."""
    return np.random.default_rng(seed).standard_normal((count, 2))


def excess(posterior: Posterior, z: Floats, check: Check = unchecked) -> Float64:
    """log q(z) − log p(z), of the aggregate posterior and the prior, at z (n, 2): (n,) nats."""
    return log_aggregate(posterior, z, check) - log_prior(z.astype(np.float64))


def in_hole(posterior: Posterior, positions: Floats, check: Check = unchecked) -> Bools:
    """Whether q(z) is below ``HOLE`` of the prior's density at z (n, 2), (n,)."""
    return np.asarray(excess(posterior, positions, check) < math.log(HOLE))


def slopes(studies: Sequence[Study]) -> Float64:
    """dD/dR of the chords between neighbours in their order, (n − 1,).

    Of points that are as good as can be a chord's slope lies between the −β of its ends: neither
    end may be better than the other by the other's own objective. NaN between equal rates.
    """
    rates = np.array([one.aggregate.rate for one in studies])
    distortions = np.array([one.aggregate.distortion for one in studies])
    run = np.diff(rates)
    return np.asarray(np.diff(distortions) / np.where(run == 0, np.nan, run))
