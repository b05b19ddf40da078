"""Other views of the same digits: principal components and t-SNE, and how far a map can be trusted.

PCA is linear and can be undone, t-SNE keeps neighbours and nothing else (van der Maaten & Hinton,
"Visualizing Data using t-SNE", JMLR 9, 2008). Trustworthiness asks the same question of every map
(Venna & Kaski, "Neighborhood preservation in nonlinear projection methods", ICANN 2001).
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from vae_explorer.data.bundled import mnist
from vae_explorer.lessons.of_mnist import check_reads_mnist
from vae_explorer.model.trained import Check, Images, TrainedVAE, unchecked
from vae_explorer.types import Float32, Float64, Floats, Labels, UInt8

FITTED = 10_000
"""First training images, which the principal components are of."""
DIGITS = 1_000
"""First test images, which all maps show."""
NEIGHBOURS = 10
"""Of each digit, that trustworthiness looks at."""
MOST_COMPONENTS = 100

_BISECTIONS = 40
_EXAGGERATION, _EXAGGERATED = 4.0, 50
"""By so much P is larger in the first steps, so that clusters form before they spread."""
_MOMENTA = (0.5, 0.8)
_START = 1e-2
_LEAST_GAIN = 0.01


def digits() -> UInt8:
    """The test images (1000, h, w) that all maps show."""
    return mnist("test").images[:DIGITS]


def flat(images: Images) -> Float64:
    """Images (n, h, w) as rows of intensities in [0, 1], (n, h · w)."""
    rows = images.reshape(len(images), -1).astype(np.float64)
    return rows / 255 if images.dtype == np.uint8 else rows


def _product(first: Floats, second: Floats) -> Floats:
    """The matrix product by PyTorch, which keeps to the threads that it was given.

    NumPy's takes all cores, and beside a window that is busy they wait for each other: ten times
    as slow.
    """
    # Copied where PyTorch cannot take the strides, or may not write.
    kind = np.result_type(first, second)
    left, right = (torch.from_numpy(np.array(each, kind, order="C")) for each in (first, second))
    return np.asarray((left @ right).numpy())


@dataclass(frozen=True, eq=False)
class Pca:
    """Principal components: ``mean`` (p,), ``components`` (p, p) in rows, ``variances`` (p,).

    Variances fall from the first on; a component's largest weight is positive. ``shape`` is that
    of an image of p numbers.
    """

    shape: tuple[int, ...]
    mean: Float64
    components: Float64
    variances: Float64

    @property
    def explained(self) -> Float64:
        """The share of the variance along each component, (p,); their sum is 1."""
        return np.asarray(self.variances / self.variances.sum())

    def encode(self, images: Images, count: int) -> Float64:
        """The first ``count`` scores of images (n, h, w), (n, count)."""
        return np.asarray(_product(flat(images) - self.mean, self.components[:count].T))

    def decode(self, scores: Floats) -> Float32:
        """What scores (n, count) stand for, (n, h, w), cut off at 0 and 1."""
        rows = self.mean + _product(scores, self.components[: scores.shape[1]])
        return rows.clip(0, 1).astype(np.float32).reshape(-1, *self.shape)

    def errors(self, images: Images, most: int = MOST_COMPONENTS) -> Float64:
        """The squared error of each image from its mean and first 0 … ``most`` scores.

        (n, most + 1), before intensities are cut off: by Pythagoras, without decoding.
        """
        rows = flat(images) - self.mean
        scores = _product(rows, self.components[:most].T)
        gained = np.concatenate([np.zeros((len(rows), 1)), np.square(scores).cumsum(1)], axis=1)
        return np.asarray(np.square(rows).sum(1)[:, None] - gained)


def pca(images: Images) -> Pca:
    """The principal components of images (n, h, w), by the eigenvectors of their covariance."""
    rows = flat(images)
    mean = rows.mean(0)
    rows -= mean
    covariance = torch.from_numpy(_product(rows.T, rows) / len(rows))
    variances, vectors = (found.numpy() for found in torch.linalg.eigh(covariance))
    components = vectors.T[::-1]
    largest = np.take_along_axis(components, np.abs(components).argmax(1)[:, None], axis=1)
    return Pca(images.shape[1:], mean, components * np.sign(largest), variances[::-1].clip(0))


def squared_errors(images: Images, others: Images) -> Float64:
    """Σ (x − y)² over the pixels of each pair of images (n, h, w), (n,)."""
    return np.asarray(np.square(flat(images) - flat(others)).sum(1))


def squared_distances(positions: Floats) -> Floats:
    """|pᵢ − pⱼ|² of positions (n, d), (n, n), 0 on the diagonal."""
    squares = np.square(positions).sum(1)
    distances = _product(positions, positions.T)
    distances *= -2
    distances += squares[:, None]
    distances += squares
    np.maximum(distances, 0, out=distances)
    np.fill_diagonal(distances, 0)
    return np.asarray(distances)


def trustworthiness(distances: Floats, positions: Floats, k: int = NEIGHBOURS) -> float:
    """How few strangers are among the ``k`` nearest neighbours on a map (Venna & Kaski, eq. 1).

    A stranger costs as much as its rank among the true neighbours exceeds k. 1 if there is none;
    about 0.5 where neighbours are random.

    Args:
        distances: (n, n), in the space that the map is of.
        positions: (n, 2), on the map.
        k: less than n / 2.
    """
    count = len(positions)
    ranks = np.empty((count, count), np.int64)
    order = _order(distances)
    np.put_along_axis(ranks, order, np.arange(count)[None], axis=1)
    nearest = _order(squared_distances(positions.astype(np.float64)))[:, 1 : k + 1]
    cost = (np.take_along_axis(ranks, nearest, axis=1) - k).clip(0).sum()
    return float(1 - 2 * cost / (count * k * (2 * count - 3 * k - 1)))


def _order(distances: Floats) -> NDArray[np.intp]:
    """Each row's columns from near to far, itself first."""
    own = distances.astype(np.float64)
    np.fill_diagonal(own, -1)
    return np.argsort(own, axis=1, kind="stable")


def affinities(distances: Floats, perplexity: float) -> Float64:
    """The joint probabilities pᵢⱼ (n, n) of neighbours, whose sum is 1 (JMLR 9, §2, eq. 1; §3.1).

    Each point's Gaussian is as wide as gives its neighbours the ``perplexity``, which is found by
    halving an interval.

    Args:
        distances: (n, n), squared.
        perplexity: the effective number of neighbours, below n.
    """
    rows = conditionals(distances, perplexity)
    return np.asarray((rows + rows.T) / (2 * len(rows)))


def conditionals(distances: Floats, perplexity: float) -> Float64:
    """The p(j|i) of ``affinities``, (n, n); each row sums to 1."""
    others = distances.astype(np.float64)
    np.fill_diagonal(others, np.inf)
    others -= others.min(1, keepdims=True)  # leaves p as it is, and keeps exp from 0
    wanted = math.log(perplexity)
    scale = np.median(others, axis=1)
    low, high = np.zeros(len(others)), np.full(len(others), np.inf)
    precision = 1 / np.where(scale > 0, scale, 1)
    for _ in range(_BISECTIONS):
        too_wide = _rows(others, precision)[1] > wanted
        low = np.where(too_wide, precision, low)
        high = np.where(too_wide, high, precision)
        precision = np.where(np.isinf(high), 2 * precision, (low + np.minimum(high, 1e30)) / 2)
    return _rows(others, precision)[0]


def _rows(distances: Float64, precision: Float64) -> tuple[Float64, Float64]:
    """Rows ∝ exp(−precision · distance) that sum to 1, and their entropies in nats."""
    weights = np.exp(-precision[:, None] * distances)
    total = weights.sum(1)
    finite = np.where(np.isinf(distances), 0, distances)
    entropy = np.log(total) + precision * (weights * finite).sum(1) / total
    return weights / total[:, None], entropy


def gradient(p: Floats, positions: Floats, exaggeration: float = 1.0) -> Floats:
    """∂ KL(P ‖ Q) / ∂ points, (n, 2), of P (n, n) times ``exaggeration`` (JMLR 9, §3.3, eq. 5)."""
    weights = _kernel(positions)
    pull = weights * (-1 / weights.sum())
    pull += p if exaggeration == 1 else exaggeration * p
    pull *= weights
    return np.asarray(4 * (pull.sum(1)[:, None] * positions - _product(pull, positions)))


def divergence(p: Floats, positions: Floats) -> float:
    """KL(P ‖ Q) in nats, with Student's t of one degree of freedom in Q (JMLR 9, §3.3, eq. 4)."""
    some = p > 0
    return float((p[some] * np.log(p[some])).sum()) + _cross_entropy(p, positions)


def _cross_entropy(p: Floats, positions: Floats) -> float:
    """−Σ pᵢⱼ log qᵢⱼ, nats."""
    distances = squared_distances(positions)
    distances += 1
    total = (1 / distances).sum() - len(positions)
    np.log(distances, out=distances)
    distances *= p
    return float(distances.sum(dtype=np.float64) + math.log(total))


def _kernel(positions: Floats) -> Floats:
    weights = squared_distances(positions)
    weights += 1
    np.reciprocal(weights, out=weights)
    np.fill_diagonal(weights, 0)
    return weights


class Tsne:
    """t-SNE under way: every ``step`` moves ``positions`` (n, 2) down the exact gradient.

    Momentum, early exaggeration and a gain for each coordinate are those of JMLR 9, §3.4; the
    start from principal components is that of Kobak & Berens, "The art of using t-SNE for
    single-cell transcriptomics" (2019), so that a map comes out the same every time; the size of
    the steps, n / 12, that of Belkina et al. (2019).

    Args:
        p: (n, n), of ``affinities``.
        start: (n, 2), whose shape is kept and whose size is not.
    """

    def __init__(self, p: Floats, start: Floats) -> None:
        self._p = p.astype(np.float32)
        self.positions: Float32 = (_START * start / start[:, 0].std()).astype(np.float32)
        self.steps = 0
        some = self._p[self._p > 0]
        self._negative_entropy = float((some * np.log(some)).sum(dtype=np.float64))
        self._speed = np.zeros_like(self.positions)
        self._gains = np.ones_like(self.positions)

    @property
    def divergence(self) -> float:
        """KL(P ‖ Q) now, nats."""
        return self._negative_entropy + _cross_entropy(self._p, self.positions)

    def step(self) -> None:
        """Move once."""
        early = self.steps < _EXAGGERATED
        slope = gradient(self._p, self.positions, _EXAGGERATION if early else 1.0)
        same = (slope > 0) == (self._speed > 0)
        self._gains = np.where(same, 0.8 * self._gains, self._gains + 0.2).clip(_LEAST_GAIN)
        rate = max(len(self.positions) / 12, 10.0)
        momentum = _MOMENTA[0] if early else _MOMENTA[1]
        self._speed = (momentum * self._speed - rate * self._gains * slope).astype(np.float32)
        self.positions = self.positions + self._speed
        self.positions = self.positions - self.positions.mean(0)
        self.steps += 1


@dataclass(frozen=True, eq=False)
class Plain:
    """The digits as ``pca`` has them: ``codes`` (n, 2), and how far the map can be trusted.

    ``distances`` (n, n) are the squares of those between the images; ``errors`` (101,) the mean
    squared error from 0 … 100 components.
    """

    pca: Pca
    codes: Float64
    labels: Labels
    distances: Float64
    errors: Float64
    trust: float


def plain(check: Check = unchecked) -> Plain:
    """Fit the principal components, and look at the digits by them."""
    fitted = pca(mnist("train").images[:FITTED])
    check()
    images, labels = digits(), mnist("test").labels
    assert labels is not None
    distances = squared_distances(flat(images)).astype(np.float64)
    codes = fitted.encode(images, 2)
    trust = trustworthiness(distances, codes)
    return Plain(fitted, codes, labels[:DIGITS], distances, fitted.errors(images).mean(0), trust)


@dataclass(frozen=True, eq=False)
class Encoded:
    """The digits as a VAE has them: ``codes`` (n, 2), their mean squared ``error`` when decoded.

    ``match`` is the least number of principal components whose mean error is no larger, or
    ``MOST_COMPONENTS`` if all those are worse.
    """

    codes: Float32
    error: float
    match: int
    trust: float


def encoded(model: TrainedVAE, plain: Plain, check: Check = unchecked) -> Encoded:
    """Look at the digits by the means of a VAE's posteriors.

    Raises:
        DataError: the model is of images of another size.
    """
    check_reads_mnist(model)
    images = digits()
    codes = model.encode(images, check).mean
    error = float(squared_errors(images, model.decode(codes)).mean())
    check()
    match = int(np.argmax(plain.errors <= error)) or MOST_COMPONENTS
    return Encoded(codes, error, match, trustworthiness(plain.distances, codes))
