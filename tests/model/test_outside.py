"""Models of other programs: what is asked of them, what becomes of them, what is refused."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.distributions import MultivariateNormal

import vae_explorer as vx
from vae_explorer.errors import CheckpointError, DataError
from vae_explorer.latent.aggregate import aggregate
from vae_explorer.latent.figures import image_figures
from vae_explorer.latent.importance import iwae
from vae_explorer.latent.metric import pullback_metric
from vae_explorer.model.outside import on_plane, outside_model
from vae_explorer.model.plane import Plane
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.types import Float32, Float64, UInt8

SHAPE = (4, 3, 3)
PIXELS = 36
VARIANCE = 0.01


class Linear:
    """x = W z + 0.5 + noise in any number of dimensions, with its exact posterior as encoder."""

    def __init__(self, size: int) -> None:
        random = np.random.default_rng(size)
        self.weight = 0.05 * random.standard_normal((PIXELS, size))
        precision = np.eye(size) + self.weight.T @ self.weight / VARIANCE
        self.covariance = np.linalg.inv(precision)

    def encode(self, images: Float32) -> tuple[Float64, Float64]:
        offset = images.reshape(len(images), -1) - 0.5
        mean = offset @ self.weight @ self.covariance / VARIANCE
        return mean, np.broadcast_to(self.covariance, (len(images), *self.covariance.shape))

    def decode(self, z: Float32) -> Any:
        return np.asarray(z @ self.weight.T + 0.5, np.float32).reshape(-1, *SHAPE)

    def images(self, count: int) -> Any:
        random = np.random.default_rng(1)
        flat = random.standard_normal((count, self.weight.shape[1])) @ self.weight.T + 0.5
        noisy = flat + VARIANCE**0.5 * random.standard_normal(flat.shape)
        return noisy.clip(0, 1).astype(np.float32).reshape(-1, *SHAPE)

    def log_marginal(self, images: Float32) -> Float64:
        covariance = self.weight @ self.weight.T + VARIANCE * np.eye(PIXELS)
        normal: Any = MultivariateNormal(
            torch.full((PIXELS,), 0.5).double(), torch.from_numpy(covariance)
        )
        found: Float64 = normal.log_prob(
            torch.from_numpy(images.reshape(len(images), -1)).double()
        ).numpy()
        return found


def gaussian(linear: Linear, images: Float32, **choices: Any) -> TrainedVAE:
    return outside_model(linear, images, likelihood="gaussian", variance=VARIANCE, **choices)


def test_in_two_dimensions_log_p_is_exact_and_every_figure_there() -> None:
    linear = Linear(2)
    images = linear.images(6)
    model = gaussian(linear, images)
    assert model.parameters == 0
    wanted = linear.log_marginal(images)
    np.testing.assert_allclose(vx.log_marginal(model, images), wanted, atol=2e-3)
    # Its encoder is exact, and so is the bound.
    figures = image_figures(model, images, np.arange(6))
    np.testing.assert_allclose(figures.elbo, wanted, atol=2e-3)
    np.testing.assert_allclose(iwae(model, images, 20), wanted, atol=2e-3)
    metric = pullback_metric(model, np.array([[0.3, -1.0]], np.float32))[0]
    np.testing.assert_allclose(metric, linear.weight.T @ linear.weight, rtol=1e-2, atol=1e-5)
    turned = model.turned(np.array([[0.0, -1.0], [1.0, 0.0]]))
    np.testing.assert_allclose(turned.decode([[0.5, 2.0]]), model.decode([[2.0, -0.5]]), atol=1e-6)


def test_one_of_ours_through_the_two_functions_is_the_same_model(
    trained: Snapshot, mnist_small: vx.ImageSet
) -> None:
    ours, images = trained.model, mnist_small.images[:5]

    class Wrapped:
        def encode(self, images: Float32) -> Any:
            return ours.encode(images)

        def decode(self, z: Float32) -> torch.Tensor:
            return torch.from_numpy(ours.decode_outputs(z))[:, None]

    model = outside_model(
        Wrapped(), images, likelihood="bernoulli", logits=True, treatment="binarized"
    )
    np.testing.assert_allclose(
        model.encode(images).covariance, ours.encode(images).covariance, rtol=1e-4
    )
    np.testing.assert_allclose(model.reconstruct(images), ours.reconstruct(images), atol=1e-5)
    np.testing.assert_allclose(
        vx.log_marginal(model, images), vx.log_marginal(ours, images), atol=1e-3
    )
    z = ours.encode(images).mean
    for kind in ("euclidean", "fisher"):
        found, wanted = (pullback_metric(each, z, kind) for each in (model, ours))
        np.testing.assert_allclose(found, wanted, rtol=0.02, atol=0.02 * np.abs(wanted).max())


def test_probabilities_and_logits_are_one_model(
    trained: Snapshot, mnist_small: vx.ImageSet
) -> None:
    ours, images = trained.model, mnist_small.images[:3]

    class Probabilities:
        encode = staticmethod(ours.encode)
        decode = staticmethod(ours.decode)

    model = outside_model(Probabilities(), images, likelihood="bernoulli")
    x = ours.treated(images)
    np.testing.assert_allclose(
        vx.exact_posterior(model, x).log_marginal,
        vx.exact_posterior(ours, x).log_marginal,
        atol=0.05,
    )


def test_twenty_dimensions_are_seen_on_a_plane_and_scored_in_all() -> None:
    linear = Linear(20)
    images = linear.images(300)
    model = gaussian(linear, images)
    few = images[:8]
    elbo = np.mean([model.elbo(few, seed).mean() for seed in range(200)])
    assert elbo == pytest.approx(linear.log_marginal(few).mean(), abs=0.3)
    mean, covariance = linear.encode(images)
    spread = np.linalg.eigvalsh(np.cov(mean.T))[::-1]
    seen = model.encode(images)
    np.testing.assert_allclose(np.linalg.eigvalsh(np.cov(seen.mean.T))[::-1], spread[:2], rtol=1e-3)
    assert (
        np.linalg.eigvalsh(seen.covariance) <= np.linalg.eigvalsh(covariance)[:, -1:] + 1e-6
    ).all()
    for refused in (
        lambda: vx.log_marginal(model, few),
        lambda: aggregate(model, few),
        lambda: iwae(model, few, 5),
        lambda: image_figures(model, few, np.arange(8)),
    ):
        with pytest.raises(DataError, match="20 latent dimensions"):
            refused()
    # Of p(x|z) all is known on the plane.
    assert pullback_metric(model, seen.mean[:2], "fisher").shape == (2, 2, 2)


def test_a_plane_of_two_axes_has_the_other_coordinates_given() -> None:
    linear = Linear(5)
    images = linear.images(50)
    others = [9.0, 0.5, 0.0, 9.0, -1.0]
    model = gaussian(linear, images, plane=Plane.along(0, 3, others))
    np.testing.assert_allclose(
        model.decode([[0.25, -0.75]])[0],
        linear.decode(np.array([[0.25, 0.5, 0, -0.75, -1]]))[0],
        atol=1e-6,
    )
    np.testing.assert_allclose(
        model.encode(images).mean, linear.encode(images)[0][:, [0, 3]], atol=1e-6
    )
    moved = on_plane(model, Plane.along(0, 3, np.zeros(5)))
    np.testing.assert_allclose(
        moved.decode([[0.25, -0.75]])[0],
        linear.decode(np.array([[0.25, 0, 0, -0.75, 0]]))[0],
        atol=1e-6,
    )
    assert not np.allclose(model.decode([[0.25, -0.75]]), moved.decode([[0.25, -0.75]]))
    by_mean = gaussian(linear, images, plane=(0, 3))
    assert np.isfinite(by_mean.decode([[0, 0]])).all()
    with pytest.raises(DataError, match="counted from 0"):
        Plane.along(0, 5, others)
    with pytest.raises(DataError, match="shows both"):
        on_plane(gaussian(Linear(2), images), Plane.along(0, 1, [0, 0]))


def test_without_a_likelihood_there_are_pictures_and_no_figures() -> None:
    linear = Linear(2)
    images = linear.images(4)
    model = outside_model(linear, images)
    assert model.reconstruct(images).shape == images.shape
    assert pullback_metric(model, np.zeros((1, 2), np.float32)).shape == (1, 2, 2)
    for refused in (
        lambda: vx.log_marginal(model, images),
        lambda: model.elbo(images),
        lambda: pullback_metric(model, np.zeros((1, 2), np.float32), "fisher"),
    ):
        with pytest.raises(DataError, match="no likelihood.*Pass likelihood="):
            refused()


def test_it_has_no_weights_to_save(tmp_path: Any) -> None:
    linear = Linear(2)
    model = outside_model(linear, linear.images(4))
    with pytest.raises(CheckpointError, match="no weights"):
        model.state_dict()


def _broken(**functions: Any) -> Any:
    return type("Broken", (Linear,), functions)(2)


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (object(), "encode\\(images\\) and decode\\(z\\); object has not"),
        (_broken(encode=lambda self, x: 1 / 0), "encode of Broken failed .*ZeroDivisionError"),
        (_broken(encode=lambda self, x: np.zeros((len(x), 2))), "two arrays|second|shape"),
        (
            _broken(encode=lambda self, x: (np.zeros((1, 2)), np.ones((1, 2)))),
            "expected \\(20, d\\)",
        ),
        (
            _broken(encode=lambda self, x: (np.zeros((len(x), 2)), -np.ones((len(x), 2)))),
            "not positive definite; .* variances: exp",
        ),
        (
            _broken(encode=lambda self, x: (np.zeros((len(x), 2)), np.ones((len(x), 3)))),
            "covariance of shape \\(20, 3\\)",
        ),
        (
            _broken(encode=lambda self, x: (np.full((len(x), 2), np.nan), np.ones((len(x), 2)))),
            "NaN",
        ),
        (
            _broken(encode=lambda self, x: (np.zeros((len(x), 1)), np.ones((len(x), 1)))),
            "two latent dimensions",
        ),
        (_broken(decode=lambda self, z: np.zeros((len(z), 7))), "shape \\(20, 7\\), expected"),
        (_broken(decode=lambda self, z: np.full((len(z), PIXELS), 3.0)), "Pass logits=True"),
        (_broken(decode=lambda self, z: np.full((len(z), PIXELS), np.inf)), "NaN or infinity"),
        (_broken(decode=lambda self, z: "pictures"), "real numbers"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_a_function_does_wrong_is_said(model: Any, says: str) -> None:
    with pytest.raises(DataError, match=says):
        outside_model(model, Linear(2).images(20))


@pytest.mark.parametrize(
    ("choices", "says"),
    [
        ({"likelihood": "poisson"}, "one of bernoulli, continuous-bernoulli, gaussian"),
        ({"likelihood": "gaussian"}, "pass variance="),
    ],
)
def test_choices_that_make_no_likelihood_are_refused(choices: Any, says: str) -> None:
    linear = Linear(2)
    with pytest.raises(DataError, match=says):
        outside_model(linear, linear.images(4), **choices)


def test_images_may_be_bytes_and_channels_first_on_the_way_back() -> None:
    linear = Linear(2)
    images = linear.images(4)
    levels: UInt8 = np.rint(images * 255).astype(np.uint8)
    first = _broken(decode=lambda self, z: np.moveaxis(Linear.decode(self, z), 3, 1))
    wanted = outside_model(linear, images).decode([[1.0, 1.0]])
    for given in (outside_model(first, images), outside_model(first, levels)):
        np.testing.assert_allclose(given.decode([[1.0, 1.0]]), wanted)
