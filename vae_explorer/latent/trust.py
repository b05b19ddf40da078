"""Whether the decoder can be trusted at a position of the latent plane.

A decoder paints a picture anywhere, also where no image has its code. Three gauges tell: how dense
the codes are at the point, which images lie nearest, and whether the picture comes back as itself
when it is encoded and decoded once more.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from vae_explorer.errors import DataError
from vae_explorer.model.trained import Check, Images, TrainedVAE, unchecked
from vae_explorer.types import Float32, Float64, Floats, Int64

Verdict = Literal["on the data", "at the edge", "off the data"]

_JUDGES = 2_000  # codes that a position is ranked among, so that a percentile is good to about 1
_NEGLIGIBLE = 30.0  # nats below the largest term: all of 70,000 such are 1e-8 of it
_ON = 5.0, 0.25  # from which percentile, and up to which share of a picture lost, on the data
_OFF = 1.0, 0.5  # below which, or beyond which, off the data


class DataSupport:
    """Where the codes of n images lie. It never changes; it may be built and used on any thread.

    It knows the aggregate posterior q(z) = (1/n) Σ N(z; μᵢ, Σᵢ) (Hoffman & Johnson, "ELBO surgery",
    2016). The logarithm of a term is a quadratic in z, so those of all images are one product of
    a matrix. A term that is not finite, or of a singular covariance, is nothing, but counts in n.

    Args:
        mean: (n, 2), latent units.
        covariance: (n, 2, 2), likewise.
        check: called between chunks; what it raises ends the work.
    """

    def __init__(self, mean: Floats, covariance: Floats, check: Check = unchecked) -> None:
        # Imported late, so that the start of the window does not pay for it.
        from scipy.spatial import KDTree

        means: Float64 = mean.astype(np.float64)
        covariances: Float64 = covariance.astype(np.float64)
        finite = np.asarray(np.isfinite(means).all(1))
        self._rows = np.flatnonzero(finite)
        self._tree = KDTree(means[finite])
        finite &= np.isfinite(covariances).all((1, 2))
        finite[finite] = np.linalg.det(covariances[finite]) > 0
        self._coefficients = _log_terms(means[finite], covariances[finite], len(means))
        self._judges = self._densities_of_others(means[finite], check)

    def density(self, z: Floats) -> float:
        """q(z) at z (2,), per squared latent unit, summed over all images.

        Raises:
            DataError: z is not finite.
        """
        return _sum(self._log_terms_at(z))

    def percentile(self, z: Floats) -> float:
        """The percentage of codes that lie where q is lower than at z (2,), 0 to 100.

        Compared are the means μᵢ of 2,000 images, evenly chosen. Each has the density of all others
        there, without its own term: else a single code would count itself. So 50 is
        typical of an image that was not there when q was made, and one that was is a little above.

        Raises:
            DataError: z is not finite.
        """
        lower = int(np.searchsorted(self._judges, self.density(z)))
        return 100 * lower / max(1, len(self._judges))

    def nearest(self, z: Floats, k: int) -> tuple[Int64, Float64]:
        """The rows of the ``k`` codes nearest to z (2,), (k,), and their distances, (k,).

        Nearest first, in latent units. All are given where k is larger; codes that are not finite
        are left out.

        Raises:
            DataError: k is below 1, or z is not finite.
        """
        if k < 1:
            raise DataError(f"{k} neighbours were asked for; ask for at least 1.")
        count = min(k, len(self._rows))
        if not count:
            return np.empty(0, np.int64), np.empty(0)
        distances, found = np.atleast_1d(*self._tree.query(_finite(z), k=count))
        return self._rows[found], distances

    def _log_terms_at(self, z: Floats) -> Float64:
        """The logarithm of each term of q(z)."""
        z1, z2 = map(float, _finite(z))
        terms: Float64 = np.array([z1 * z1, z1 * z2, z2 * z2, z1, z2, 1]) @ self._coefficients
        return terms

    def _densities_of_others(self, mean: Float64, check: Check) -> Float64:
        """At some of the codes, that of all but the code's own term, rising."""
        chosen = np.unique(np.linspace(0, len(mean) - 1, min(_JUDGES, len(mean)), dtype=np.intp))
        densities = np.empty(len(chosen))
        for position, row in enumerate(chosen):
            check()
            terms = self._log_terms_at(mean[row])
            terms[row] = -np.inf
            densities[position] = _sum(terms)
        return np.sort(densities)


def _log_terms(mean: Float64, covariance: Float64, n: int) -> Float64:
    """log N(z; μᵢ, Σᵢ)/n as coefficients (6, m) of z₁², z₁z₂, z₂², z₁, z₂ and 1."""
    precision = np.linalg.inv(covariance)
    slope = np.einsum("nij,nj->ni", precision, mean)
    constant = -0.5 * ((slope * mean).sum(1) + np.linalg.slogdet(covariance)[1])
    constant -= math.log(2 * math.pi * max(1, n))
    squares = -0.5 * precision[:, 0, 0], -precision[:, 0, 1], -0.5 * precision[:, 1, 1]
    return np.stack([*squares, *slope.T, constant])


def _sum(log_terms: Float64) -> float:
    largest = log_terms.max(initial=-np.inf)
    return float(np.exp(log_terms[log_terms > largest - _NEGLIGIBLE]).sum())


def _finite(z: Floats) -> Floats:
    if not np.isfinite(z).all():
        raise DataError(f"The position {z.tolist()} is not finite; give two numbers.")
    return z


@dataclass(frozen=True, eq=False)
class Drift:
    """What becomes of a position when its picture is encoded, and that code decoded once more.

    Attributes:
        z1: the mean of q(z|image), (2,).
        image: decoded at the position, (h, w) in [0, 1].
        image_again: decoded at z1, likewise.
        latent: the distance of z1 from the position, latent units.
        pixels: the ``image_distance`` of the two pictures.
    """

    z1: Float32
    image: Float32
    image_again: Float32
    latent: float
    pixels: float


def drift(model: TrainedVAE, z: Floats) -> Drift:
    """Decode at z (2,), encode the picture, decode at its mean; errors as ``TrainedVAE.decode``.

    An autoencoder returns nearly what it was given where there are data, and elsewhere moves it
    towards them (shown of denoising ones by Alain & Bengio, arXiv 1211.4246).
    """
    images = model.decode(z[None])
    codes = model.encode(images).mean
    (image,), (again,), (z1,) = images, model.decode(codes), codes
    return Drift(z1, image, again, math.dist(z1, z), image_distance(image, again))


def verdict(percentile: float, drift: Drift) -> Verdict:
    """Whether a position lies on the data, by its ``DataSupport.percentile`` and its drift.

    The drift counts as the share of a picture that is lost: its ``pixels`` over the norm of the
    picture, which is its distance from black. On the data are percentiles from 5 and losses
    up to 1/4, off it percentiles below 1 or losses beyond 1/2; at the edge is what lies between.

    Of the bundled models, 0.1 to 1.1 % of the training codes are off the data and 4 to 7 % at its
    edge; of test codes 0.4 to 1.5 % and 3 to 6 %; of positions in ±6 that are farther than 0.3 from
    any code, all are off.
    """
    norm = np.linalg.norm(drift.image)
    if percentile < _OFF[0] or drift.pixels > _OFF[1] * norm:
        return "off the data"
    if percentile < _ON[0] or drift.pixels > _ON[1] * norm:
        return "at the edge"
    return "on the data"


def image_distance(a: Images, b: Images) -> float:
    """The Euclidean distance over the pixels of two images (h, w), as intensities in [0, 1].

    Raises:
        DataError: the images are of different sizes.
    """
    if a.shape != b.shape:
        raise DataError(
            f"Images of shapes {a.shape} and {b.shape} have no distance; give one size."
        )
    return float(np.linalg.norm(_intensities(a) - _intensities(b)))


def _intensities(image: Images) -> Float64:
    return image.astype(np.float64) / (255 if image.dtype == np.uint8 else 1)
