"""Images in colour all the way: networks, training, files, figures, pictures."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import vae_explorer as vx
from tests.support.models import TINY, same_weights
from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import CheckpointError, DataError
from vae_explorer.export.making import write
from vae_explorer.export.requests import Digit, Manifold, Strip
from vae_explorer.export.source import Source
from vae_explorer.latent.figures import image_figures, pixel_log_likelihoods
from vae_explorer.latent.metric import pullback_metric
from vae_explorer.latent.neighbours import nearest_images
from vae_explorer.model.architecture import LIKELIHOODS, NETWORKS, Architecture
from vae_explorer.model.networks import build
from vae_explorer.training import cost
from vae_explorer.training.checkpoint import read_checkpoint, write_checkpoint
from vae_explorer.training.evaluation import evaluate
from vae_explorer.training.run import train
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.types import UInt8

HEIGHT, WIDTH = 6, 5


@pytest.fixture(scope="module")
def colors() -> ImageSet:
    """120 images that are one colour above and another below, with some noise."""
    random = np.random.default_rng(0)
    halves = random.integers(40, 216, (120, 2, 1, 3)).repeat(HEIGHT // 2, 1).repeat(WIDTH, 2)
    noise = random.integers(-30, 31, (120, HEIGHT, WIDTH, 3))
    return ImageSet(
        (halves + noise).astype(np.uint8), random.integers(0, 3, 120, np.uint8), "halves"
    )


@pytest.fixture(scope="module", params=LIKELIHOODS)
def snapshot(request: pytest.FixtureRequest, colors: ImageSet) -> Snapshot:
    """A model of each likelihood, on each network."""
    network = dict(zip(LIKELIHOODS, NETWORKS, strict=True))[request.param]
    recipe = TINY.replace(
        network=network,
        encoder_hidden="8-8",
        decoder_hidden="8-8",
        likelihood=request.param,
        treatment="threshold" if request.param == "bernoulli" else "gray",
        validation_images=20,
    )
    return train(recipe, colors)


@pytest.mark.parametrize("network", NETWORKS)
def test_every_number_of_every_pixel_counts(network: str) -> None:
    architecture = Architecture((HEIGHT, WIDTH, 3), network, (8, 8), (8, 8), "tanh")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        encoder, decoder = build(architecture, 5)
        x = torch.rand(64, HEIGHT * WIDTH * 3, requires_grad=True)
        z = torch.randn(64, 2, requires_grad=True)
    (by_pixel,) = torch.autograd.grad(encoder(x).square().sum(), x)
    assert by_pixel.abs().sum(0).gt(0).all()
    decoded = decoder(z)
    assert decoded.shape == x.shape
    assert decoded.std(0).gt(0).all()
    weights = sum(
        parameter.numel() for half in (encoder, decoder) for parameter in half.parameters()
    )
    recipe = TINY.replace(network=network, encoder_hidden="8-8", decoder_hidden="8-8")
    assert (
        cost.cost(recipe.replace(fourier_features=16), architecture.image_shape).weights == weights
    )


def test_a_convolution_keeps_colours_where_they_are() -> None:
    """The start of its decoder is the mean image, in the order of the images."""
    image = np.zeros((30, 4, 4, 3), np.uint8)
    image[:, 0, 1], image[:, 3, 2] = (255, 0, 0), (0, 0, 255)
    recipe = TINY.replace(
        network="conv", decoder_hidden="8", epochs=1, learning_rate=1e-6, validation_images=0
    )
    decoded = train(recipe, image).model.decode([[0.0, 0.0]])[0]
    assert decoded.shape == (4, 4, 3)
    assert decoded[0, 1] @ [1, -1, -1] > 0.5
    assert decoded[3, 2] @ [-1, -1, 1] > 0.5


def test_all_figures_of_a_model_in_colour(snapshot: Snapshot, colors: ImageSet) -> None:
    model, few = snapshot.model, colors.images[:4]
    assert model.image_shape == (HEIGHT, WIDTH, 3)
    treatment = "" if model.treatment == "gray" else f"{model.treatment} "
    assert f"6×5 {treatment}RGB pixels" in repr(model)
    assert model.reconstruct(few).shape == few.shape
    x = model.treated(few)
    assert x.shape == few.shape
    scores = evaluate(model, colors.subset(slice(0, 1)), subset=1)
    assert scores.iwae_50 == pytest.approx(scores.log_marginal, abs=0.5)
    figures = image_figures(model, few, np.arange(4))
    own = image_figures(model, x, np.arange(4)) if model.treatment == "gray" else figures
    assert (vx.log_marginal(model, few) > own.elbo - 1e-3).all()
    z = model.encode(few[:1]).mean
    by_pixel = pixel_log_likelihoods(model, x[:1], z)
    assert by_pixel.shape == (1, HEIGHT, WIDTH)
    whole = model.vae.log_likelihood(model.tensor(x[:1]), torch.from_numpy(z))
    assert by_pixel.sum() == pytest.approx(whole.item(), rel=1e-5)
    for kind in ("euclidean", "fisher"):
        assert (np.linalg.eigvalsh(pullback_metric(model, z, kind)) > -1e-6).all()
    assert nearest_images(colors.images, few[3], 2)[0] == 3


def test_log_p_by_quadrature_is_the_mean_over_a_fine_lattice(
    snapshot: Snapshot, colors: ImageSet
) -> None:
    model = snapshot.model
    x = model.treated(colors.images[:3])
    axis = np.linspace(-5, 5, 201)
    grid = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2).astype(np.float32)
    with torch.no_grad():
        outputs = model.vae.outputs(torch.from_numpy(grid))
        joint = model.vae.likelihood.pairwise(model.tensor(x), outputs).double()
    prior = torch.from_numpy(-0.5 * np.square(grid).sum(1) - np.log(2 * np.pi))
    dense = (joint + prior).logsumexp(1) + 2 * np.log(axis[1] - axis[0])
    np.testing.assert_allclose(vx.exact_posterior(model, x).log_marginal, dense, atol=2e-2)


def test_a_checkpoint_in_colour_comes_back(snapshot: Snapshot, tmp_path: Path) -> None:
    path = tmp_path / "color.safetensors"
    write_checkpoint(snapshot, path)
    again = read_checkpoint(path)
    assert again.model.image_shape == (HEIGHT, WIDTH, 3)
    assert same_weights(snapshot, again)


@pytest.mark.parametrize("shape", [[6, 5, 4], [6], [6, 5, 3, 1], [6, 5, 1]])
def test_other_channels_are_refused(snapshot: Snapshot, tmp_path: Path, shape: list[int]) -> None:
    path = tmp_path / "color.safetensors"
    bad = dataclasses.replace(snapshot)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(bad.model), "image_shape", property(lambda _: shape))
        write_checkpoint(bad, path)
    with pytest.raises(CheckpointError, match="image_shape"):
        read_checkpoint(path)


@pytest.mark.parametrize(
    "make",
    [
        lambda x: np.moveaxis(x[0], 2, 0),
        lambda x: x.reshape(len(x), -1),
        lambda x: np.concatenate([x, x[..., :1]], -1),
        lambda x: x[..., 0],
    ],
    ids=["CHW", "flat", "RGBA", "gray"],
)
def test_the_refusal_has_the_line_that_converts(
    snapshot: Snapshot, colors: ImageSet, make: object
) -> None:
    assert callable(make)
    given = make(colors.images[:4])
    with pytest.raises(DataError, match="6×5 pixels") as refusal:
        snapshot.model.encode(given)
    line = str(refusal.value).partition("pass ")[2].removesuffix(".")
    assert snapshot.model.encode(eval(line, {"np": np, "images": given})).mean.shape[1] == 2


def _rgb(path: Path) -> UInt8:
    with Image.open(path, formats=["PNG"]) as image:
        assert image.mode == "RGB"
        assert "vae-explorer" in image.info
        json.loads(image.info["vae-explorer"])
        return np.asarray(image)


def test_pictures_are_written_in_colour(snapshot: Snapshot, tmp_path: Path) -> None:
    model, path = snapshot.model, tmp_path / "picture.png"
    z = np.array([[0.5, -0.5], [1.0, 0.0]], np.float32)
    levels = np.rint(model.decode(z) * 255).astype(np.uint8)
    source = Source(snapshot)
    write(Digit((0.5, -0.5), 2), source, path)
    np.testing.assert_array_equal(_rgb(path)[::2, ::2], levels[0])
    write(Strip((0.5, -0.5, 1.0, 0.0), scale=1), source, path)
    np.testing.assert_array_equal(_rgb(path), np.concatenate(list(levels), 1))
    write(Manifold(3, scale=1), source, path)
    sheet = _rgb(path)
    assert sheet.shape == (3 * HEIGHT, 3 * WIDTH, 3)
    middle = np.rint(model.decode([[0.0, 0.0]])[0] * 255)
    np.testing.assert_array_equal(sheet[HEIGHT : 2 * HEIGHT, WIDTH : 2 * WIDTH], middle)


def test_a_set_is_gray_or_rgb(colors: ImageSet) -> None:
    assert colors.image_shape == (HEIGHT, WIDTH, 3)
    with pytest.raises(DataError, match="shape"):
        ImageSet(np.zeros((2, 4, 4, 2), np.uint8))
