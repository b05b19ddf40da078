import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import DataError
from vae_explorer.model import trained
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.model.vae import VAE
from vae_explorer.types import Float32, Float64, UInt8

Build = Callable[..., VAE]


@pytest.fixture
def digits(mnist_small: ImageSet) -> UInt8:
    """250 real digits, read-only as every image set is."""
    images = mnist_small.images[:250]
    assert not images.flags.writeable
    return images


@pytest.fixture
def model(build: Build) -> TrainedVAE:
    return TrainedVAE(build(), "binarized")


def _places(count: int) -> Float32:
    return np.random.default_rng(0).normal(size=(count, 2)).astype(np.float32)


def test_it_says_what_it_is(model: TrainedVAE) -> None:
    assert model.image_shape == (28, 28)
    assert model.treatment == "binarized"
    encoder = 785 * 16 + 17 * 5
    decoder = (2 + 32 + 1) * 16 + 17 * 784
    assert model.parameters == encoder + decoder
    assert "decoder.0.frequencies" in model.state_dict()


def test_decode_gives_bernoulli_means(model: TrainedVAE) -> None:
    z = _places(5)
    images, logits = model.decode(z), model.decode_outputs(z)
    for array in (images, logits):
        assert array.shape == (5, 28, 28)
        assert array.dtype == np.float32
    expected = 1 / (1 + np.exp(-logits.astype(np.float64)))
    np.testing.assert_allclose(images, expected, rtol=1e-5)
    assert model.decode(np.empty((0, 2))).shape == (0, 28, 28)


def test_images_that_are_not_square_keep_their_sides(build: Build) -> None:
    model = TrainedVAE(build((3, 5)), "gray")
    assert model.decode(_places(4)).shape == (4, 3, 5)
    assert model.encode(np.zeros((4, 3, 5), np.uint8)).mean.shape == (4, 2)


def test_any_kind_of_number_and_memory_order_will_do_for_a_place(model: TrainedVAE) -> None:
    z = _places(6)
    expected = model.decode(z)
    read_only = z.copy()
    read_only.flags.writeable = False
    for same in (z.astype(np.float64), np.asfortranarray(z), z.repeat(2, 0)[::2], read_only):
        np.testing.assert_array_equal(model.decode(same), expected)
    np.testing.assert_array_equal(
        model.decode(np.array([[1, -2]])), model.decode(np.array([[1.0, -2.0]]))
    )


@pytest.mark.parametrize("shape", [(2,), (1, 3), (2, 1), (1, 2, 2), ()])
def test_places_of_another_shape_are_refused(model: TrainedVAE, shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match=r"\(n, 2\)"):
        model.decode(np.zeros(shape))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
def test_places_that_are_not_finite_are_refused(model: TrainedVAE, value: float) -> None:
    with pytest.raises(DataError, match="finite"):
        model.decode(np.array([[0.0, 0.0], [value, 0.0]]))


def test_encode_gives_means_and_covariances(build: Build, digits: UInt8) -> None:
    vae = build()
    posterior = TrainedVAE(vae, "binarized").encode(digits)
    assert posterior.mean.dtype == posterior.covariance.dtype == np.float32
    # Intensities are encoded, whatever the treatment.
    with torch.no_grad():
        expected = vae.posterior(torch.tensor(digits.reshape(-1, 784) / 255).float())
    np.testing.assert_allclose(posterior.mean, expected.mean, atol=1e-5)
    np.testing.assert_allclose(posterior.covariance, expected.covariance(), atol=1e-5)
    assert (np.linalg.eigvalsh(posterior.covariance) > 0).all()


def test_bytes_and_floats_are_the_same_images(model: TrainedVAE, digits: UInt8) -> None:
    expected = model.encode(digits)
    for floats in (digits.astype(np.float32) / 255, digits / 255):
        np.testing.assert_allclose(model.encode(floats).mean, expected.mean, atol=1e-6)
        np.testing.assert_allclose(model.elbo(floats), model.elbo(digits), rtol=1e-5)


def test_inputs_are_left_as_they_were(model: TrainedVAE, digits: UInt8) -> None:
    floats = digits.astype(np.float32) / 255
    before = floats.copy()
    model.encode(floats)
    model.elbo(floats)
    np.testing.assert_array_equal(floats, before)


@pytest.mark.parametrize("shape", [(3, 28, 27), (28, 28), (3, 784)])
def test_images_of_another_shape_are_refused(model: TrainedVAE, shape: tuple[int, ...]) -> None:
    for refuse in (model.encode, model.elbo):
        with pytest.raises(DataError, match=r"28×28.*given shape"):
            refuse(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("value", [np.nan, np.inf, -0.01, 1.01, 255.0])
def test_floats_outside_zero_to_one_are_refused(model: TrainedVAE, value: float) -> None:
    images = np.zeros((2, 28, 28))
    images[1, 3, 4] = value
    for refuse in (model.encode, model.elbo):
        with pytest.raises(DataError, match="uint8"):
            refuse(images)


def test_no_images_give_no_figures(model: TrainedVAE, digits: UInt8) -> None:
    assert model.encode(digits[:0]).covariance.shape == (0, 2, 2)
    terms = model.elbo_terms(digits[:0])
    assert terms.elbo.shape == terms.log_likelihood.shape == terms.kl.shape == (0,)


def test_the_chunk_size_does_not_show_in_codes(
    model: TrainedVAE, digits: UInt8, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = model.encode(digits)
    monkeypatch.setattr(trained, "_CHUNK", 7)
    parts = model.encode(digits)
    np.testing.assert_allclose(parts.mean, whole.mean, atol=1e-6)
    np.testing.assert_allclose(parts.covariance, whole.covariance, atol=1e-6)
    assert model.elbo(digits).shape == (250,)


def test_long_work_asks_between_chunks_whether_to_go_on(
    model: TrainedVAE, digits: UInt8, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trained, "_CHUNK", 100)
    asked: list[int] = []

    def stop_at_the_second() -> None:
        asked.append(1)
        if len(asked) == 2:
            raise InterruptedError

    for work in (model.encode, lambda images, check: model.elbo_terms(images, 0, check)):
        asked.clear()
        with pytest.raises(InterruptedError):
            work(digits, stop_at_the_second)
        assert len(asked) == 2


def test_elbo_terms(model: TrainedVAE, digits: UInt8) -> None:
    terms = model.elbo_terms(digits)
    for figures in (terms.elbo, terms.log_likelihood, terms.kl):
        assert figures.shape == (250,)
        assert figures.dtype == np.float32
    np.testing.assert_allclose(terms.elbo, terms.log_likelihood - terms.kl)
    np.testing.assert_array_equal(model.elbo(digits), terms.elbo)
    assert (terms.kl >= 0).all()
    # An untrained decoder says about one half everywhere: 784 log 2 nats.
    assert terms.log_likelihood.mean() == pytest.approx(-784 * np.log(2), rel=0.05)


def test_the_seed_fixes_treatment_and_noise(model: TrainedVAE, digits: UInt8) -> None:
    before = torch.get_rng_state()
    first = model.elbo(digits, seed=1)
    torch.randn(1)
    np.testing.assert_array_equal(model.elbo(digits, seed=1), first)
    assert not np.array_equal(model.elbo(digits, seed=2), first)
    torch.set_rng_state(before)
    model.elbo(digits)
    assert torch.equal(torch.get_rng_state(), before)


def test_each_treatment_scores_other_pixels(build: Build, digits: UInt8) -> None:
    vae = build()
    scores = {
        name: TrainedVAE(vae, name).elbo_terms(digits).log_likelihood.mean()
        for name in ("gray", "threshold", "binarized")
    }
    assert len(set(scores.values())) == 3
    ready = (digits > 127).astype(np.float32)  # the threshold of a thresholded image is itself
    again = TrainedVAE(vae, "threshold").elbo_terms(ready)
    assert again.log_likelihood.mean() == pytest.approx(
        TrainedVAE(vae, "gray").elbo_terms(ready).log_likelihood.mean(), rel=1e-6
    )


def test_training_on_does_not_show_in_what_was_published(build: Build, digits: UInt8) -> None:
    vae = build()
    model = TrainedVAE(vae, "gray")
    decoded, encoded = model.decode(_places(3)), model.encode(digits)
    with torch.no_grad():
        for parameter in vae.parameters():
            parameter.add_(1)
    np.testing.assert_array_equal(model.decode(_places(3)), decoded)
    np.testing.assert_array_equal(model.encode(digits).mean, encoded.mean)
    assert not np.array_equal(TrainedVAE(vae, "gray").decode(_places(3)), decoded)
    assert all(parameter.requires_grad for parameter in vae.parameters())


def _orthogonal(degrees: float, mirrored: bool = False) -> Float64:
    angle, mirror = np.deg2rad(degrees), -1 if mirrored else 1
    return np.array(
        [[mirror * np.cos(angle), -np.sin(angle)], [mirror * np.sin(angle), np.cos(angle)]]
    )


@pytest.mark.parametrize("posterior", ["diagonal", "full"])
def test_a_turned_model_has_its_codes_and_places_turned(
    build: Build, digits: UInt8, posterior: str
) -> None:
    model, rotation = TrainedVAE(build(posterior=posterior), "gray"), _orthogonal(130, True)
    turned = model.turned(rotation)
    before, after = model.encode(digits), turned.encode(digits)
    np.testing.assert_allclose(after.mean, before.mean @ rotation.T, atol=1e-6)
    np.testing.assert_allclose(
        after.covariance, rotation @ before.covariance @ rotation.T, atol=1e-6
    )
    z = _places(5)
    np.testing.assert_allclose(turned.decode(z @ rotation.T), model.decode(z), atol=1e-6)
    np.testing.assert_allclose(
        turned.elbo_terms(digits).kl, model.elbo_terms(digits).kl, rtol=1e-5, atol=1e-6
    )


def test_turning_twice_is_turning_once(model: TrainedVAE, digits: UInt8) -> None:
    first, second = _orthogonal(70, True), _orthogonal(-25)
    twice, once = model.turned(first).turned(second), model.turned(second @ first)
    np.testing.assert_allclose(twice.encode(digits).mean, once.encode(digits).mean, atol=1e-6)
    np.testing.assert_allclose(twice.decode(_places(5)), once.decode(_places(5)), atol=1e-6)
    back = model.turned(first).turned(first.T)
    np.testing.assert_allclose(back.encode(digits).mean, model.encode(digits).mean, atol=1e-6)


def test_turning_does_not_show_in_the_weights(model: TrainedVAE) -> None:
    decoded = model.decode(_places(5))
    turned = model.turned(_orthogonal(40))
    weights, same = model.state_dict(), turned.state_dict()
    assert list(same) == list(weights)
    assert all(torch.equal(same[name], weights[name]) for name in weights)
    assert (turned.parameters, turned.treatment) == (model.parameters, model.treatment)
    np.testing.assert_array_equal(model.decode(_places(5)), decoded)


@pytest.mark.parametrize(
    "matrix", [np.eye(3), np.eye(2) * 1.001, [[1, 0.01], [0, 1]], np.full((2, 2), np.nan)]
)
def test_only_rotations_and_reflections_keep_the_prior(model: TrainedVAE, matrix: Float64) -> None:
    with pytest.raises(ValueError, match="not an orthogonal"):
        model.turned(matrix)


def test_answers_are_the_callers_to_change(model: TrainedVAE) -> None:
    first = model.decode(_places(2))
    before = first.copy()
    first[:] = 0
    np.testing.assert_array_equal(model.decode(_places(2)), before)


def test_many_threads_may_decode_at_once(model: TrainedVAE, digits: UInt8) -> None:
    positions = [_places(40) + shift for shift in range(8)]
    expected = [model.decode(z) for z in positions]
    means = model.encode(digits).mean
    barrier = threading.Barrier(4)

    def work(worker: int) -> bool:
        barrier.wait(10)
        return all(
            np.array_equal(model.decode(positions[i]), expected[i])
            and np.array_equal(model.encode(digits).mean, means)
            for i in (worker, worker + 4) * 10
        )

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(4)))
