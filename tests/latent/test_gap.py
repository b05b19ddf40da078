"""The gaps of a linear Gaussian model, whose evidence and posterior are known."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

from vae_explorer import paths
from vae_explorer.data.bundled import mnist
from vae_explorer.latent import gap as module
from vae_explorer.latent.gap import Gap, elbo_of, gap, refine_posterior
from vae_explorer.latent.importance import iwae
from vae_explorer.model import gaussian
from vae_explorer.model.architecture import Architecture
from vae_explorer.model.likelihood import Gaussian
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.model.vae import VAE
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.types import Float64

PIXELS = 12
VARIANCE = 0.2


class Linear:
    """z ~ N(0, I), x ~ N(W z + b, VARIANCE I), and images ``x`` (5, 3, 4).

    ``covariance`` and ``means`` are of p(z|x), ``log_evidence`` is log p(x).
    """

    def __init__(self) -> None:
        random = np.random.default_rng(3)
        self.weight = random.normal(scale=0.2, size=(PIXELS, 2)) @ np.array([[1, 0.9], [0, 0.4]])
        self.bias = random.uniform(0.3, 0.7, PIXELS)
        self.x = random.uniform(size=(5, 3, 4))
        flat = self.x.reshape(-1, PIXELS)
        self.precision = np.eye(2) + self.weight.T @ self.weight / VARIANCE
        self.covariance = np.linalg.inv(self.precision)
        self.gain = self.covariance @ self.weight.T / VARIANCE
        self.means = (flat - self.bias) @ self.gain.T
        spread = self.weight @ self.weight.T + VARIANCE * np.eye(PIXELS)
        self.log_evidence = stats.multivariate_normal(self.bias, spread).logpdf(flat)

    @torch.no_grad()
    def model(self, shift: Float64, log_diagonal: Float64, lower: float | None) -> TrainedVAE:
        """The encoder's mean is off by ``shift`` (2,); its L is the same for all images."""
        posterior = "diagonal" if lower is None else "full"
        vae = VAE(Architecture((3, 4), likelihood="gaussian", posterior=posterior))
        assert isinstance(vae.likelihood, Gaussian)
        vae.likelihood.log_variance.fill_(math.log(VARIANCE))
        shape = [*log_diagonal] if lower is None else [*log_diagonal, lower]
        decoder, encoder = nn.Linear(2, PIXELS), nn.Linear(PIXELS, 2 + len(shape))
        decoder.weight.copy_(torch.from_numpy(self.weight))
        decoder.bias.copy_(torch.from_numpy(self.bias))
        encoder.weight.zero_()[:2] = torch.from_numpy(self.gain)
        encoder.bias.copy_(torch.tensor([*(shift - self.gain @ self.bias), *shape]))
        vae.decoder, vae.encoder = nn.Sequential(decoder), nn.Sequential(encoder)
        return TrainedVAE(vae, "gray")

    def full(self, shift: Float64 | None = None) -> TrainedVAE:
        """The encoder gives the posterior's covariance, and its mean unless shifted."""
        factor = np.linalg.cholesky(self.covariance)
        return self.model(
            np.zeros(2) if shift is None else shift, np.log(np.diag(factor)), factor[1, 0]
        )

    def diagonal(self) -> TrainedVAE:
        """A diagonal encoder with the right mean and the prior's width."""
        return self.model(np.zeros(2), np.zeros(2), None)


@pytest.fixture
def linear() -> Linear:
    return Linear()


def test_the_exact_posterior_leaves_no_gap(linear: Linear) -> None:
    result = gap(linear.full(), linear.x, linear.log_evidence)
    for part in (result.approximation, result.amortisation, result.total):
        assert part.shape == (5,)
        assert part.dtype == np.float64
        np.testing.assert_allclose(part, 0, atol=1e-4)


def test_a_wrong_mean_is_the_encoders_fault(linear: Linear) -> None:
    shift = np.array([0.5, -0.8])
    model = linear.full(shift)
    result = gap(model, linear.x, linear.log_evidence)
    divergence = 0.5 * shift @ linear.precision @ shift
    np.testing.assert_allclose(result.amortisation, divergence, atol=1e-3)
    np.testing.assert_allclose(result.approximation, 0, atol=1e-3)
    *_, last = refine_posterior(model, linear.x)
    np.testing.assert_allclose(last.mean, linear.means, atol=5e-3)
    np.testing.assert_allclose(last.covariance, [linear.covariance] * 5, atol=5e-3)


def test_a_climb_may_begin_anywhere(linear: Linear) -> None:
    """Among all Gaussians, even if the encoder's are upright, and in the plane as it is turned."""
    turn = np.array([[0.8, -0.6], [0.6, 0.8]])
    model = linear.diagonal().turned(turn)
    start = np.full((5, 2), 0.7), np.tile([[0.4, 0.1], [0.1, 0.3]], (5, 1, 1))
    first, *_, last = refine_posterior(model, linear.x, start=start)
    np.testing.assert_allclose(first.mean, start[0])
    np.testing.assert_allclose(first.covariance, start[1])
    np.testing.assert_allclose(last.mean, linear.means @ turn.T, atol=5e-3)
    np.testing.assert_allclose(last.covariance, [turn @ linear.covariance @ turn.T] * 5, atol=5e-3)
    np.testing.assert_allclose(last.elbo, linear.log_evidence, atol=1e-3)


def test_a_diagonal_family_cannot_lean(linear: Linear) -> None:
    """KL is least at variances 1/Λᵢᵢ: ½ log(Λ₁₁ Λ₂₂ / |Λ|) for the precision Λ."""
    lost = 0.5 * math.log(linear.precision.diagonal().prod() / np.linalg.det(linear.precision))
    assert lost > 0.05
    model = linear.diagonal()
    result = gap(model, linear.x, linear.log_evidence)
    np.testing.assert_allclose(result.approximation, lost, atol=1e-3)
    prior_wide = 0.5 * (linear.precision.trace() - 2 - np.linalg.slogdet(linear.precision)[1])
    np.testing.assert_allclose(result.total, prior_wide, atol=1e-3)
    *_, last = refine_posterior(model, linear.x)
    narrow = np.diag(1 / linear.precision.diagonal())
    np.testing.assert_allclose(last.covariance, [narrow] * 5, atol=5e-3)


def test_the_parts_add_up() -> None:
    result = Gap(np.array([-90.0, -80]), np.array([-91.0, -80.5]), np.array([-95.0, -80.5]))
    assert result.approximation.tolist() == [1, 0.5]
    assert result.amortisation.tolist() == [4, 0]
    assert result.total.tolist() == (result.approximation + result.amortisation).tolist()


def test_the_expected_elbo_is_exact_for_any_q(linear: Linear) -> None:
    """log p(x) − KL(q ‖ p(z|x)), where log p(x|z) is quadratic in z."""
    mean = linear.means + np.linspace(-1, 1, 10).reshape(5, 2)
    covariance = np.array([[[0.5, -0.2], [-0.2, 0.4]]] * 5)
    off = mean - linear.means
    divergence = 0.5 * (
        np.trace(linear.precision @ covariance[0])
        + np.einsum("ni,ij,nj->n", off, linear.precision, off)
        - 2
        - math.log(np.linalg.det(linear.precision @ covariance[0]))
    )
    for model in (linear.full(), linear.diagonal()):  # the encoder has no say
        elbo = elbo_of(model, linear.x, gaussian.Gaussian.from_moments(mean, covariance))
        np.testing.assert_allclose(elbo, linear.log_evidence - divergence, atol=1e-4)


def test_refinements_come_in_order_and_never_get_worse(linear: Linear) -> None:
    model = linear.full(np.array([1.0, 1.0]))
    seen = list(refine_posterior(model, linear.x, steps=25))
    assert [refinement.step for refinement in seen] == [0, 10, 20, 25]
    early = list(refine_posterior(model, linear.x, steps=25, last=11))
    assert [refinement.step for refinement in early] == [0, 10, 11]
    np.testing.assert_array_equal(early[1].elbo, seen[1].elbo)
    encoded = model.encode(linear.x)
    np.testing.assert_allclose(seen[0].mean, encoded.mean, rtol=1e-6)
    np.testing.assert_allclose(seen[0].covariance, encoded.covariance, rtol=1e-5)
    encoders = elbo_of(
        model, linear.x, gaussian.Gaussian.from_moments(encoded.mean, encoded.covariance)
    )
    np.testing.assert_allclose(encoders, seen[0].elbo, atol=1e-4)
    elbos = np.array([refinement.elbo for refinement in seen])
    assert (np.diff(elbos, axis=0) >= 0).all()
    assert (elbos[1] > elbos[0]).all()
    for one in seen:
        again = elbo_of(model, linear.x, gaussian.Gaussian.from_moments(one.mean, one.covariance))
        np.testing.assert_allclose(again, one.elbo, atol=1e-4)
    (only,) = refine_posterior(model, linear.x, steps=0)
    np.testing.assert_array_equal(only.elbo, elbos[0])


def test_chunks_do_not_show(linear: Linear, monkeypatch: pytest.MonkeyPatch) -> None:
    model = linear.full(np.array([1.0, 1.0]))
    *_, whole = refine_posterior(model, linear.x, 10)
    monkeypatch.setattr(module, "_IMAGES", 2)
    calls = []
    *_, parts = refine_posterior(model, linear.x, 10, lambda: calls.append(1))
    np.testing.assert_allclose(parts.elbo, whole.elbo, atol=1e-4)
    assert len(calls) == 3 * 11


def test_of_no_images_there_is_nothing(linear: Linear) -> None:
    result = gap(linear.full(), linear.x[:0], np.empty(0))
    assert result.total.shape == result.amortisation.shape == (0,)


def test_the_bundled_model_leaves_gaps() -> None:
    model = read_checkpoint(paths.bundled_checkpoint()).model
    x = model.treated(mnist("test").images[:3])
    first, *_, last = refine_posterior(model, x, steps=30)
    assert (last.elbo > first.elbo).all()
    evidence = iwae(model, x, 1_000)
    result = Gap(evidence, last.elbo, first.elbo)
    assert (result.total > 0).all()
    assert (result.approximation > -0.2).all(), "a lower bound, but for the estimate's noise"
