"""The gauges of trust against sums over all Gaussians, closed forms, and real digits."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.distributions import MultivariateNormal

from vae_explorer.data.bundled import mnist
from vae_explorer.errors import DataError
from vae_explorer.latent.neighbours import nearest_codes
from vae_explorer.latent.trust import DataSupport, Drift, drift, image_distance, verdict
from vae_explorer.model.trained import Posterior, TrainedVAE
from vae_explorer.paths import bundled_checkpoint
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.types import Float64, Floats

IMAGES = 20_000


def terms(mean: Any, covariance: Any, positions: Any) -> Float64:
    """N(z; μᵢ, Σᵢ) of each position (m, 2) and each Gaussian, (m, n)."""
    normal: Any = MultivariateNormal(torch.as_tensor(mean).double(), torch.as_tensor(covariance))
    values: Float64 = normal.log_prob(torch.as_tensor(positions).double()[:, None]).exp().numpy()
    return values


def posteriors(n: int) -> tuple[Float64, Float64]:
    """Some of all widths and slants, (n, 2) and (n, 2, 2)."""
    random = np.random.default_rng(8)
    factor = np.exp(random.uniform(-5, 1, (n, 1, 1))) * random.normal(size=(n, 2, 2))
    return random.normal(size=(n, 2)), factor @ factor.mT


@pytest.fixture(scope="module")
def bundled() -> tuple[TrainedVAE, Posterior]:
    """The bundled model and q(z|x) of its first training images."""
    model = read_checkpoint(bundled_checkpoint()).model
    return model, model.encode(mnist("train").images[:IMAGES])


@pytest.fixture(scope="module")
def support(bundled: tuple[TrainedVAE, Posterior]) -> DataSupport:
    _, posterior = bundled
    return DataSupport(posterior.mean, posterior.covariance)


def test_the_density_is_the_mean_of_all_gaussians() -> None:
    mean, covariance = posteriors(500)
    positions = np.concatenate([mean[:20], np.random.default_rng(9).uniform(-40, 40, (20, 2))])
    support = DataSupport(mean, covariance)
    expected = terms(mean, covariance, positions).mean(1)
    np.testing.assert_allclose([support.density(z) for z in positions], expected, rtol=1e-6)


def test_the_density_of_real_codes(
    bundled: tuple[TrainedVAE, Posterior], support: DataSupport
) -> None:
    _, posterior = bundled
    positions = np.concatenate([posterior.mean[::2_000], [[0, 0], [3.5, -2], [-6, 6]]])
    expected = terms(posterior.mean, posterior.covariance.astype(float), positions).mean(1)
    np.testing.assert_allclose([support.density(z) for z in positions], expected, rtol=1e-6)


def test_the_percentile_ranks_a_place_among_codes_without_their_own_terms() -> None:
    mean, covariance = posteriors(300)
    support = DataSupport(mean, covariance)
    own = np.eye(300, dtype=bool)
    judges = np.where(own, 0, terms(mean, covariance, mean)).mean(1)
    for z in [*mean[:10], np.array([0.3, -0.2]), np.array([2.5, 2.0])]:
        density = terms(mean, covariance, z[None]).mean()
        assert support.percentile(z) == pytest.approx(100 * (judges < density).mean())


def test_half_of_new_digits_lie_below_the_middle(
    bundled: tuple[TrainedVAE, Posterior], support: DataSupport
) -> None:
    """New and old images are exchangeable, hence percentiles of the new spread evenly."""
    model, _ = bundled
    codes = model.encode(mnist("test").images[::20]).mean
    percentiles = [support.percentile(z) for z in codes]
    np.testing.assert_allclose(np.percentile(percentiles, [10, 50, 90]), [10, 50, 90], atol=6)


def test_the_percentile_ends_at_0_and_100() -> None:
    """Two narrow clouds, one of three times as many codes, and nothing between."""
    mean = np.repeat([[0.0, 0.0], [5.0, 0.0]], [75, 25], axis=0)
    support = DataSupport(mean, np.tile(0.01 * np.eye(2), (100, 1, 1)))
    positions = [[0, 0], [5, 0], [2.5, 0], [1e3, 0]]
    assert [support.percentile(np.array(z)) for z in positions] == [100, 25, 0, 0]


def test_the_nearest_against_trying_all(
    bundled: tuple[TrainedVAE, Posterior], support: DataSupport
) -> None:
    _, posterior = bundled
    for z in ([0.1, 0.7], [2.5, -1.0], [-50.0, 9.0]):
        for k in (1, 30):
            rows, distances = support.nearest(np.array(z), k)
            assert rows.tolist() == nearest_codes(posterior.mean, (z[0], z[1]), k).tolist()
            expected = [math.dist(posterior.mean[row], z) for row in rows]
            np.testing.assert_allclose(distances, expected)


def test_what_is_not_finite_lies_nowhere_but_counts() -> None:
    mean = np.array([[np.nan, 0], [1, 2], [3, 2], [0, np.inf], [4, 2]], np.float32)
    covariance = np.tile(np.eye(2, dtype=np.float32), (5, 1, 1))
    covariance[2], covariance[4, 0, 1] = 0, np.nan
    support = DataSupport(mean, covariance)
    z = np.array([1.0, 2.0])
    assert support.density(z) == pytest.approx(1 / (5 * 2 * np.pi))
    rows, distances = support.nearest(z, 9)
    assert rows.tolist() == [1, 2, 4]
    assert distances.tolist() == [0, 2, 3]


def test_of_no_codes_there_is_no_support() -> None:
    support = DataSupport(np.empty((0, 2)), np.empty((0, 2, 2)))
    z = np.zeros(2)
    assert support.density(z) == support.percentile(z) == 0
    assert [len(part) for part in support.nearest(z, 3)] == [0, 0]


def test_what_cannot_be_asked_is_refused() -> None:
    support = DataSupport(*posteriors(3))
    with pytest.raises(DataError, match="at least 1"):
        support.nearest(np.zeros(2), 0)
    lost = np.array([0, np.inf])
    for ask in (support.density, support.percentile, lambda z: support.nearest(z, 1)):
        with pytest.raises(DataError, match="finite"):
            ask(lost)


def test_drift_of_a_linear_model_that_halves_every_code(
    linear_gaussian: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decoder W z + b, encoder W⁺ (x − b)/2: then z₁ = z/2, and W z/2 is lost of the picture."""
    linear = linear_gaussian(0.1)
    weight, bias = linear.weight, linear.bias
    encoder = nn.Linear(6, 5)
    with torch.no_grad():
        encoder.weight.zero_()
        encoder.bias.zero_()
        encoder.weight[:2] = torch.linalg.pinv(weight) / 2
        encoder.bias[:2] = -encoder.weight[:2] @ bias
    monkeypatch.setattr(linear.model.vae, "encoder", encoder)
    z = np.array([0.8, -0.5])
    lost = weight.numpy() @ z / 2
    found = drift(linear.model, z)
    np.testing.assert_allclose(found.z1, z / 2, atol=1e-6)
    assert found.latent == pytest.approx(math.hypot(0.4, 0.25), abs=1e-6)
    assert found.pixels == pytest.approx(np.linalg.norm(lost), abs=1e-6)
    np.testing.assert_allclose((found.image - found.image_again).ravel(), lost, atol=1e-6)
    np.testing.assert_array_equal(found.image, linear.model.decode(z[None])[0])


def test_drift_of_a_place_that_is_not_finite(bundled: tuple[TrainedVAE, Posterior]) -> None:
    with pytest.raises(DataError, match="finite"):
        drift(bundled[0], np.array([np.nan, 0]))


@pytest.mark.parametrize(
    ("percentile", "lost", "expected"),
    [
        (5.0, 0.25, "on the data"),
        (99.0, 0.0, "on the data"),
        (4.9, 0.0, "at the edge"),
        (50.0, 0.26, "at the edge"),
        (1.0, 0.5, "at the edge"),
        (0.9, 0.0, "off the data"),
        (50.0, 0.51, "off the data"),
    ],
)
def test_the_thresholds(percentile: float, lost: float, expected: str) -> None:
    image = np.full((2, 2), 0.5, np.float32)  # of norm 1
    again = np.zeros_like(image)
    assert verdict(percentile, Drift(np.zeros(2, np.float32), image, again, 0, lost)) == expected


def test_a_black_picture_that_stays_black_loses_nothing() -> None:
    black = np.zeros((3, 3), np.float32)
    still = Drift(np.zeros(2, np.float32), black, black, 0, 0)
    assert verdict(50, still) == "on the data"


def test_digits_are_trusted_and_far_places_are_not(
    bundled: tuple[TrainedVAE, Posterior], support: DataSupport
) -> None:
    model, posterior = bundled

    def off(positions: Floats) -> float:
        """The share of positions that are off the data."""
        verdicts = [verdict(support.percentile(z), drift(model, z)) for z in positions]
        return verdicts.count("off the data") / len(verdicts)

    assert off(posterior.mean[::50]) <= 0.05
    assert off(model.encode(mnist("test").images[::25]).mean) <= 0.05
    anywhere = np.random.default_rng(10).uniform(-6, 6, (1_000, 2))
    far = np.array([support.nearest(z, 1)[1][0] > 0.3 for z in anywhere])
    assert far.sum() > 200
    assert off(anywhere[far]) >= 0.95


def test_the_distance_of_images_is_of_intensities() -> None:
    black, white = np.zeros((28, 28), np.uint8), np.full((28, 28), 255, np.uint8)
    assert image_distance(black, white) == image_distance(white, black) == 28
    assert image_distance(white, np.ones((28, 28), np.float32)) == 0
    one, other = np.random.default_rng(11).integers(0, 256, (2, 5, 4)).astype(np.uint8)
    expected = math.dist(one.ravel().tolist(), other.ravel().tolist()) / 255
    assert image_distance(one, other) == pytest.approx(expected)
    assert image_distance(one / 255, other) == pytest.approx(expected)
    with pytest.raises(DataError, match="one size"):
        image_distance(one, black)
