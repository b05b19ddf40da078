import math

import numpy as np
import pytest
import torch
from torch.distributions import MultivariateNormal, kl_divergence

from vae_explorer.latent.normal import PRIOR, Normal, gauss_hermite, square_roots


def test_a_normal_is_read_from_its_moments() -> None:
    covariance = np.array([[0.3, -0.1], [-0.1, 0.2]])
    q = Normal.of(np.array([1.0, -2.0]), covariance)
    assert q.mean == (1, -2)
    assert q.widths[0] > q.widths[1]
    assert -math.pi / 2 <= q.angle <= math.pi / 2
    np.testing.assert_allclose(q.covariance, covariance, atol=1e-12)


def test_kl_from_the_prior() -> None:
    q = Normal((0.4, -1.0), (0.3, 0.05), 0.7)
    mean, covariance = torch.tensor(q.mean).double(), torch.from_numpy(q.covariance)
    ours = MultivariateNormal(mean, covariance)
    prior = MultivariateNormal(torch.zeros(2).double(), torch.eye(2).double())
    assert q.kl_prior() == pytest.approx(float(kl_divergence(ours, prior)))
    assert PRIOR.kl_prior() == 0


def test_the_root_of_a_needle_is_real() -> None:
    wide = np.array([[0.3, -0.1], [-0.1, 0.2]], np.float32)
    needle = np.array([[0.1, 0.3], [0.3, 0.9]], np.float32)  # of rank 1 but for rounding
    roots = square_roots(np.array([wide, needle]))
    np.testing.assert_allclose(roots @ roots.mT, [wide, needle], atol=1e-7)
    assert Normal.of(np.zeros(2), needle).widths == pytest.approx((1, 0), abs=1e-3)


def test_gauss_hermite_sums_are_means_under_the_prior() -> None:
    points, weights = gauss_hermite(4)
    first, second = points.T
    assert weights @ (first**4 * second**2) == pytest.approx(3)
    assert weights @ first**6 == pytest.approx(15)
