import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from vae_explorer.errors import ExportError
from vae_explorer.export.making import unheard
from vae_explorer.export.pictures import digit, images, manifold, manifold_sheet, strip
from vae_explorer.export.requests import LARGEST_SIDE, Digit, Images, Manifold, Strip
from vae_explorer.export.source import Source
from vae_explorer.latent.manifold import linear_axis, quantile_axis
from vae_explorer.model.architecture import Architecture
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.model.vae import VAE
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.snapshot import BUNDLED, Snapshot
from vae_explorer.types import Float32, UInt8

HEIGHT, WIDTH = 6, 4
_TURN = np.array([[0.6, -0.8], [0.8, 0.6]])


def _source(image_shape: tuple[int, int] = (HEIGHT, WIDTH)) -> Source:
    """An untrained decoder, made to depend on z so that no two positions look alike."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        vae = VAE(Architecture(image_shape, encoder_hidden=(16,)))
    with torch.no_grad():
        for parameter in vae.decoder.parameters():
            parameter.mul_(3)
    return Source(Snapshot(TrainedVAE(vae, "gray"), Recipe(), BUNDLED, (), 0.0, 0))


@pytest.fixture(scope="module")
def source() -> Source:
    return _source()


def _pixels(content: bytes) -> UInt8:
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image)


def _gray(image: Float32) -> UInt8:
    return np.round(image * 255.0).astype(np.uint8)


def test_a_digit_is_what_was_decoded(source: Source) -> None:
    pixels = _pixels(digit(Digit((0.25, -1.5), 3), source, ".png", unheard))
    assert pixels.shape == (3 * HEIGHT, 3 * WIDTH)
    expected = _gray(source.model.decode([(0.25, -1.5)])[0])
    for row in range(3):
        for column in range(3):
            np.testing.assert_array_equal(pixels[row::3, column::3], expected)
    assert expected.max() > expected.min()


@pytest.mark.parametrize("turn", [None, _TURN])
@pytest.mark.parametrize("spacing", ["quantile", "linear"])
def test_a_sheet_has_every_place_where_the_map_has_it(
    source: Source, spacing: str, turn: np.ndarray | None
) -> None:
    source = Source(source.snapshot, rotation=turn)
    request = Manifold(5, spacing, 2.0, scale=2, gap=3)
    pixels = _pixels(manifold(request, source, ".tiff", unheard))
    assert pixels.shape == request.sides((HEIGHT, WIDTH))[::-1]
    axis = quantile_axis(5) if spacing == "quantile" else linear_axis(5, 2.0)
    for row in range(5):
        for column in range(5):
            z = np.array([[axis[column], axis[4 - row]]])  # z₂ grows upwards
            if turn is not None:
                z = z @ turn  # Rᵀ z, of a row
            tile = pixels[row * (2 * HEIGHT + 3) :, column * (2 * WIDTH + 3) :]
            # One gray level: a batch of another size may round the last bit differently.
            np.testing.assert_allclose(
                tile[: 2 * HEIGHT : 2, : 2 * WIDTH : 2].astype(int),
                _gray(source.snapshot.model.decode(z)[0]),
                atol=1,
            )
    assert (pixels[2 * HEIGHT : 2 * HEIGHT + 3] == 255).all()


def test_the_sheet_of_python_is_what_is_written(source: Source) -> None:
    sheet = manifold_sheet(source.model, 4)
    assert sheet.shape == (4 * HEIGHT, 4 * WIDTH)
    assert sheet.dtype == np.float32
    written = _pixels(manifold(Manifold(4), source, ".png", unheard))
    np.testing.assert_array_equal(written, _gray(sheet))
    one = _pixels(manifold(Manifold(1), source, ".png", unheard))
    np.testing.assert_array_equal(one, _gray(source.model.decode([(0.0, 0.0)])[0]))


def test_labels_stand_beside_the_images_and_leave_them_alone(source: Source) -> None:
    plain = _pixels(manifold(Manifold(2, scale=20), source, ".png", unheard))
    labelled = _pixels(manifold(Manifold(2, scale=20, labels=12), source, ".png", unheard))
    height, width = plain.shape
    np.testing.assert_array_equal(labelled[:height, -width:], plain)
    assert (labelled[height:] < 128).any()
    assert (labelled[:height, :-width] < 128).any()
    drawn = manifold(Manifold(2, scale=20, labels=12), source, ".svg", unheard).decode()
    assert drawn.count("<text") == 4
    assert ">-0.67</text>" in drawn


def test_many_labels_leave_room_for_each_other(source: Source) -> None:
    drawn = manifold(Manifold(60, labels=12), source, ".svg", unheard).decode()
    assert 4 < drawn.count("<text") < 60


def test_a_ground_may_be_transparent(source: Source) -> None:
    request = Strip((0.0, 0.0, 1.0, 1.0), scale=1, gap=2, ground="transparent")
    pixels = _pixels(strip(request, source, ".png", unheard))
    assert (pixels[:, WIDTH : WIDTH + 2, 3] == 0).all()
    assert (pixels[:, :WIDTH, 3] == 255).all()


def test_a_strip_has_its_positions_in_rows(source: Source) -> None:
    positions = [(0.0, 0.0), (1.0, -1.5), (-2.0, 0.5)]
    z = tuple(number for position in positions for number in position)
    pixels = _pixels(strip(Strip(z, scale=2), source, ".png", unheard))
    decoded = list(_gray(source.model.decode(positions)))
    np.testing.assert_array_equal(pixels[::2, ::2], np.concatenate(decoded, axis=1))
    pixels = _pixels(strip(Strip(z, 2, 1), source, ".png", unheard))
    np.testing.assert_array_equal(pixels[HEIGHT:, :WIDTH], decoded[2])
    assert (pixels[HEIGHT:, WIDTH:] == 255).all()
    with pytest.raises(ExportError, match="needs latent points"):
        strip(Strip(), source, ".png", unheard)


def test_images_stand_above_their_reconstructions() -> None:
    source = _source((28, 28))
    request = Images("test", "3,0-1", scale=1)
    assert request.rows == [3, 0, 1]
    pixels = _pixels(images(request, source, ".png", unheard))
    shown = source.data.test.images[request.rows]
    np.testing.assert_array_equal(pixels[:28], np.concatenate(list(shown), 1))
    made = _gray(source.model.reconstruct(shown))
    np.testing.assert_array_equal(pixels[28:], np.concatenate(list(made), 1))
    for wrong in ("", "a", "-1", "3-1"):
        with pytest.raises(ExportError, match="indices"):
            images(Images(indices=wrong), source, ".png", unheard)
    with pytest.raises(ExportError, match="10,000 images"):
        images(Images(indices="10000"), source, ".png", unheard)


def test_too_large_a_picture_is_refused_before_decoding(tmp_path: Path) -> None:
    narrow = _source((64, 1))
    largest = digit(Digit(scale=LARGEST_SIDE // 64), narrow, ".png", unheard)
    assert _pixels(largest).shape == (LARGEST_SIDE, LARGEST_SIDE // 64)
    with pytest.raises(ExportError, match="scale"):
        digit(Digit(scale=LARGEST_SIDE // 64 + 1), narrow, ".png", unheard)
    with pytest.raises(ExportError, match="scale"):
        manifold(Manifold(200, scale=100), narrow, ".png", unheard)


@pytest.mark.parametrize(
    "values",
    [{"n": 0}, {"n": 10**9}, {"scale": 0}, {"extent": 0.0}, {"extent": float("nan")}],
)
def test_what_makes_no_sheet_is_refused(values: dict[str, float]) -> None:
    with pytest.raises(ExportError, match="must lie between"):
        Manifold.from_dict(values)


def test_a_name_has_nothing_that_latex_stumbles_over() -> None:
    assert Digit((0.123, -1.3)).stem == "digit_z_0p12_m1p30"
    assert Manifold(30).stem == "manifold_30x30"
