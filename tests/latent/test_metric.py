"""The pull-back metric against surfaces with closed forms, finite differences and KL."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from vae_explorer import paths
from vae_explorer.errors import DataError
from vae_explorer.latent.metric import indicatrices, magnification, metric_of, pullback_metric
from vae_explorer.model.architecture import Architecture
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.model.vae import VAE
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.types import Float64

PLACES = np.random.default_rng(5).normal(size=(40, 2))
SLOPES = np.array([[1.0, 0.5], [-2.0, 0.25], [0.0, 3.0]])


def _tiny(likelihood: str = "bernoulli", network: str = "mlp") -> TrainedVAE:
    """An untrained model with larger weights, that its pictures may differ."""
    shape = Architecture(
        (3, 4), network, (6,), (6, 5), likelihood=likelihood, fourier_features=2, fourier_scale=0.5
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        vae = VAE(shape)
    with torch.no_grad():
        for parameter in vae.decoder.parameters():
            parameter.mul_(3)
    return TrainedVAE(vae, "gray")


def _plane(z: Tensor) -> Tensor:
    return z @ torch.from_numpy(SLOPES).mT


def _sphere(z: Tensor) -> Tensor:
    theta, phi = z.unbind(1)
    across = theta.sin()
    return torch.stack([across * phi.cos(), across * phi.sin(), theta.cos()], dim=1)


def _paraboloid(z: Tensor) -> Tensor:
    return torch.cat([z, z.square().sum(1, keepdim=True)], dim=1)


def _sphere_metric(z: Float64) -> Float64:
    return np.array([np.diag([1, np.sin(theta) ** 2]) for theta, _ in z])


@pytest.mark.parametrize(
    ("surface", "metric", "area"),
    [
        (
            _plane,
            lambda z: np.tile(SLOPES.T @ SLOPES, (len(z), 1, 1)),
            lambda z: np.full(len(z), np.linalg.norm(np.cross(*SLOPES.T))),
        ),
        (_sphere, _sphere_metric, lambda z: abs(np.sin(z[:, 0]))),
        (
            _paraboloid,
            lambda z: np.eye(2) + 4 * z[:, :, None] * z[:, None, :],
            lambda z: np.sqrt(1 + 4 * (z**2).sum(1)),
        ),
    ],
)
def test_surfaces_with_a_closed_form(
    surface: Callable[[Tensor], Tensor],
    metric: Callable[[Float64], Float64],
    area: Callable[[Float64], Float64],
) -> None:
    found = metric_of(surface, torch.from_numpy(PLACES)).numpy()
    np.testing.assert_allclose(found, metric(PLACES), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(magnification(found), area(PLACES), rtol=1e-10)


def _differences(f: Callable[[Tensor], Tensor], step: float = 1e-5) -> Tensor:
    """Central differences (n, 2, D) of f at the positions."""
    z = torch.from_numpy(PLACES.astype(np.float32)).double()
    steps = step * torch.eye(2).double()
    return torch.stack([(f(z + dz) - f(z - dz)) / (2 * step) for dz in steps], dim=1)


def test_a_trained_decoder_against_finite_differences() -> None:
    model = read_checkpoint(paths.bundled_checkpoint()).model
    vae = deepcopy(model.vae).double()
    mean = _differences(lambda z: vae.outputs(z).sigmoid())
    logits = _differences(vae.outputs)
    for kind, expected in (("euclidean", mean @ mean.mT), ("fisher", logits @ mean.mT)):
        metric = pullback_metric(model, PLACES, kind)
        assert metric.shape == (40, 2, 2)
        assert metric.dtype == np.float64
        np.testing.assert_array_equal(metric, metric.mT)
        scale = np.linalg.norm(metric, axis=(1, 2), keepdims=True)
        np.testing.assert_allclose(metric / scale, expected.numpy() / scale, atol=1e-5)


@pytest.mark.parametrize(
    ("likelihood", "network"),
    [("bernoulli", "conv"), ("continuous-bernoulli", "residual"), ("gaussian", "mlp")],
)
def test_half_the_fisher_metric_is_the_divergence_of_a_step(likelihood: str, network: str) -> None:
    model = _tiny(likelihood, network)
    metric = pullback_metric(model, PLACES, "fisher")
    vae = deepcopy(model.vae).double()
    family = vae.likelihood

    def divergence(z: Tensor, dz: Tensor) -> Tensor:
        """KL(p(x|z) ‖ p(x|z + dz)) of an exponential family, from a, b and E[x|z]."""
        here, there = vae.outputs(z), vae.outputs(z + dz)
        product = (family.mean(here) * (family.natural(here) - family.natural(there))).sum(1)
        return product - family.log_normalizer(here) + family.log_normalizer(there)

    z = torch.from_numpy(PLACES.astype(np.float32)).double()
    for step in ([2e-4, 0], [0, 2e-4], [1e-4, -1e-4]):
        dz = torch.tensor(step).double()
        # There and back, as the third order then cancels.
        found = (divergence(z, dz) + divergence(z, -dz)) / 2
        expected = torch.from_numpy(metric) @ dz @ dz / 2
        torch.testing.assert_close(found, expected, rtol=3e-4, atol=0)


def test_a_gaussian_s_metrics_differ_by_its_variance() -> None:
    model = _tiny("gaussian")
    variance = float(model.state_dict()["likelihood.log_variance"].exp())
    euclidean, fisher = (pullback_metric(model, PLACES, kind) for kind in ("euclidean", "fisher"))
    np.testing.assert_allclose(fisher * variance, euclidean, rtol=1e-6)


def test_small_outputs_of_a_continuous_bernoulli_keep_their_digits() -> None:
    """A linear decoder l(z) = W z + b has G = Wᵀ diag(1/l² − 1/(2 sinh(l/2))²) W."""
    model = _tiny("continuous-bernoulli")
    linear = nn.Linear(2, 12)
    with torch.no_grad():
        linear.weight.mul_(0.01)
        linear.bias.fill_(0.15)
    model.vae.decoder = nn.Sequential(linear)
    weight = linear.weight.detach().double().numpy()
    outputs = model.decode_outputs(PLACES).reshape(-1, 12).astype(np.float64)
    variance = 1 / outputs**2 - 1 / (2 * np.sinh(outputs / 2)) ** 2
    expected = np.einsum("di,nd,dj->nij", weight, variance, weight)
    metric = pullback_metric(model, PLACES, "fisher")
    np.testing.assert_allclose(metric, expected, rtol=1e-6)


def test_threads_do_not_disturb_each_other() -> None:
    model = _tiny()
    with ThreadPoolExecutor(4) as threads:
        first, *others = threads.map(lambda _: pullback_metric(model, PLACES, "fisher"), range(100))
    for other in others:
        np.testing.assert_allclose(other, first, rtol=1e-12)


def test_chunks_do_not_show() -> None:
    model, calls = _tiny(), []
    many = np.tile(PLACES, (30, 1))
    metric = pullback_metric(model, many, check=lambda: calls.append(1))
    assert len(calls) == 3
    once = pullback_metric(model, PLACES)
    np.testing.assert_allclose(metric, np.tile(once, (30, 1, 1)), rtol=1e-5)


def test_of_no_places_there_is_no_metric() -> None:
    metric = pullback_metric(_tiny(), PLACES[:0])
    assert metric.shape == indicatrices(metric, 1.0, 1.0).shape == (0, 2, 2)
    assert magnification(metric).shape == (0,)


@pytest.mark.parametrize(
    ("z", "kind", "message"),
    [
        (np.zeros((1, 2)), "hyperbolic", "one of euclidean, fisher, not 'hyperbolic'"),
        (np.zeros((1, 3)), "fisher", r"shape \(n, 2\), not \(1, 3\)"),
        (np.zeros(2), "fisher", r"shape \(n, 2\), not \(2,\)"),
        (np.array([[0, np.nan]]), "euclidean", "finite numbers"),
        (np.array([[0, 1e300]]), "euclidean", "finite numbers"),
    ],
)
def test_what_cannot_be_differentiated_is_refused(z: Float64, kind: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        pullback_metric(_tiny(), z, kind)


def test_a_singular_metric_has_no_area() -> None:
    singular = 1e4 * PLACES[:, :, None] * PLACES[:, None, :]
    area = magnification(singular)
    assert (area >= 0).all()
    scale = np.trace(singular, axis1=1, axis2=2)
    np.testing.assert_allclose(area / scale, 0, atol=1e-7)


def test_every_step_to_an_indicatrix_has_the_same_length() -> None:
    metric = np.eye(2) + 4 * PLACES[:, :, None] * PLACES[:, None, :]
    covariances = indicatrices(metric, 0.3, 10.0)
    angle = np.linspace(0, 2 * np.pi, 25)
    circle = np.stack([np.cos(angle), np.sin(angle)])
    steps = np.linalg.cholesky(covariances) @ circle
    squares = np.einsum("nik,nij,njk->nk", steps, metric, steps)
    np.testing.assert_allclose(squares, 0.3**2, rtol=1e-10)


def test_an_indicatrix_is_never_longer_than_the_longest() -> None:
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    values = np.array([[4.0, 0], [4, -1e-18], [0, 0], [4, 1]])
    metric = turn @ (values[:, :, None] * np.eye(2)) @ turn.T
    squares = np.array([[1 / 16, 9], [1 / 16, 9], [9, 9], [1 / 16, 1 / 4]])
    expected = turn @ (squares[:, :, None] * np.eye(2)) @ turn.T
    found = indicatrices(metric, length=0.5, longest=3.0)
    np.testing.assert_allclose(found, expected, atol=1e-12)
