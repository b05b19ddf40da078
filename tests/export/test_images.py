import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from vae_explorer.errors import DataError, ExportError
from vae_explorer.export.images import (
    LARGEST_SIDE,
    export_digit,
    export_digits,
    export_manifold,
    export_strip,
    manifold_sheet,
)
from vae_explorer.export.requests import DigitRequest, ManifoldRequest
from vae_explorer.latent.manifold import linear_axis, quantile_axis
from vae_explorer.model.architecture import Architecture
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.model.vae import VAE
from vae_explorer.types import Float32, UInt8

HEIGHT, WIDTH = 6, 4
_TURN = np.array([[0.6, -0.8], [0.8, 0.6]])


def _model(image_shape: tuple[int, int]) -> TrainedVAE:
    """An untrained decoder, made to depend on z so that no two positions look alike."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        vae = VAE(Architecture(image_shape, encoder_hidden=(16,)))
    with torch.no_grad():
        for parameter in vae.decoder.parameters():
            parameter.mul_(3)
    return TrainedVAE(vae, "gray")


@pytest.fixture(scope="module")
def model() -> TrainedVAE:
    return _model((HEIGHT, WIDTH))


def _read(path: Path) -> tuple[UInt8, dict[str, Any]]:
    with Image.open(path, formats=["PNG"]) as image:
        assert image.mode == "L"
        assert image.info["Software"] == "VAE Explorer"
        return np.asarray(image), json.loads(image.info["vae-explorer"])


def _gray(image: Float32) -> UInt8:
    return np.round(image * 255.0).astype(np.uint8)


def test_a_digit_is_what_was_decoded_and_says_where(model: TrainedVAE, tmp_path: Path) -> None:
    path = tmp_path / "digit.png"
    export_digit(model, DigitRequest((0.25, -1.5), scale=3), path)
    pixels, made_from = _read(path)
    assert pixels.shape == (3 * HEIGHT, 3 * WIDTH)
    expected = _gray(model.decode(np.array([[0.25, -1.5]]))[0])
    for row in range(3):
        for column in range(3):
            np.testing.assert_array_equal(pixels[row::3, column::3], expected)
    assert made_from == {"z": [0.25, -1.5]}
    assert expected.max() > expected.min()


@pytest.mark.parametrize("spacing", ["quantile", "linear"])
def test_a_sheet_has_every_place_where_the_map_has_it(
    model: TrainedVAE, tmp_path: Path, spacing: Any
) -> None:
    path = tmp_path / "sheet.png"
    request = ManifoldRequest(n=5, spacing=spacing, extent=2.0, scale=2)
    export_manifold(model, request, path)
    pixels, made_from = _read(path)
    assert pixels.shape == (5 * HEIGHT * 2, 5 * WIDTH * 2)
    axis = quantile_axis(5) if spacing == "quantile" else linear_axis(5, 2.0)
    small = pixels[::2, ::2]
    for row in range(5):
        for column in range(5):
            z = np.array([[axis[column], axis[4 - row]]])  # z₂ grows upwards
            tile = small[row * HEIGHT :, column * WIDTH :][:HEIGHT, :WIDTH].astype(int)
            # One gray level: a batch of another size may round the last bit differently.
            np.testing.assert_allclose(tile, _gray(model.decode(z)[0]), atol=1)
    extent = {"extent": 2.0} if spacing == "linear" else {}
    assert made_from == {"n": 5, "spacing": spacing, "scale": 2} | extent


def test_of_a_turned_plane_the_note_is_that_of_the_checkpoint(
    model: TrainedVAE, tmp_path: Path
) -> None:
    """A turn and a mirror after it: decoded by the checkpoint, the note gives the same picture."""
    turned = model.turned(_TURN).turned(np.diag([1.0, -1.0]))
    positions = [(0.25, -1.5), (1.0, 2.0)]
    export_digits(turned, positions, 1, tmp_path / "digits.png")
    pixels, made_from = _read(tmp_path / "digits.png")
    again = np.concatenate(list(model.decode(made_from["z"])), axis=1)
    np.testing.assert_allclose(pixels.astype(int), _gray(again), atol=1)
    assert (
        np.abs(pixels.astype(int) - _gray(np.concatenate(list(model.decode(positions)), 1))).max()
        > 10
    )
    export_digit(turned, DigitRequest(positions[0], 1), tmp_path / "digit.png")
    assert _read(tmp_path / "digit.png")[1]["z"] == made_from["z"][0]
    export_manifold(turned, ManifoldRequest(3, "linear", 2.0), tmp_path / "sheet.png")
    pixels, made_from = _read(tmp_path / "sheet.png")
    corner = np.array([[-2.0, 2.0]]) @ np.array(made_from["rotation"])  # Rᵀ z, of a row
    np.testing.assert_allclose(
        pixels[:HEIGHT, :WIDTH].astype(int), _gray(model.decode(corner)[0]), atol=1
    )


def test_a_strip_says_where_its_frames_are(model: TrainedVAE, tmp_path: Path) -> None:
    """A path of a turned plane, decoded again by the checkpoint from what its picture says."""
    turned = model.turned(_TURN)
    positions = np.array([[0.25, -1.5], [1.0, 2.0], [0.0, 0.5]], np.float32)
    path = tmp_path / "path.png"
    export_strip(turned.decode(positions), turned.in_checkpoint(positions), path)
    pixels, made_from = _read(path)
    assert made_from["frames"] == 3
    again = np.concatenate(list(model.decode(made_from["z"])), axis=1)
    scale = pixels.shape[0] // again.shape[0]
    np.testing.assert_allclose(pixels[::scale, ::scale].astype(int), _gray(again), atol=1)


def test_its_own_note_is_enough_to_make_a_sheet_again(model: TrainedVAE, tmp_path: Path) -> None:
    first, again = tmp_path / "first.png", tmp_path / "again.png"
    export_manifold(model, ManifoldRequest(n=3, spacing="linear", extent=1.5), first)
    export_manifold(model, ManifoldRequest(**_read(first)[1]), again)
    assert again.read_bytes() == first.read_bytes()


def test_the_sheet_is_what_is_written(model: TrainedVAE, tmp_path: Path) -> None:
    request = ManifoldRequest(n=4)
    sheet = manifold_sheet(model, request)
    assert sheet.shape == (4 * HEIGHT, 4 * WIDTH)
    assert sheet.dtype == np.float32
    export_manifold(model, request, tmp_path / "sheet.png")
    np.testing.assert_array_equal(_read(tmp_path / "sheet.png")[0], _gray(sheet))


def test_one_image_is_a_sheet(model: TrainedVAE, tmp_path: Path) -> None:
    export_manifold(model, ManifoldRequest(n=1), tmp_path / "sheet.png")
    expected = _gray(model.decode(np.zeros((1, 2)))[0])
    np.testing.assert_array_equal(_read(tmp_path / "sheet.png")[0], expected)


@pytest.mark.parametrize("scale", [0, -1, LARGEST_SIDE, 10**12])
def test_a_digit_too_small_or_large_is_refused(
    model: TrainedVAE, tmp_path: Path, scale: int
) -> None:
    with pytest.raises(ExportError, match="scale"):
        export_digit(model, DigitRequest((0.0, 0.0), scale), tmp_path / "digit.png")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("n", "scale"), [(0, 1), (-3, 1), (10**9, 1), (20, 1_000), (20, 0)])
def test_a_sheet_too_small_or_large_is_refused_before_decoding(
    model: TrainedVAE, tmp_path: Path, n: int, scale: int
) -> None:
    with pytest.raises(ExportError):
        export_manifold(model, ManifoldRequest(n=n, scale=scale), tmp_path / "sheet.png")
    assert list(tmp_path.iterdir()) == []


def test_the_limit_itself_is_allowed(tmp_path: Path) -> None:
    narrow = _model((64, 1))
    export_digit(narrow, DigitRequest((0.0, 0.0), LARGEST_SIDE // 64), tmp_path / "digit.png")
    assert _read(tmp_path / "digit.png")[0].shape == (LARGEST_SIDE, LARGEST_SIDE // 64)
    with pytest.raises(ExportError, match="scale"):
        export_digit(narrow, DigitRequest((0.0, 0.0), LARGEST_SIDE // 64 + 1), tmp_path / "x.png")


def test_a_place_that_is_not_finite_is_refused(model: TrainedVAE, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="finite"):
        export_digit(model, DigitRequest((float("nan"), 0.0)), tmp_path / "digit.png")
    for extent in (0.0, -3.0, float("nan"), float("inf")):
        request = ManifoldRequest(spacing="linear", extent=extent)
        with pytest.raises(ExportError, match="extent .* must be more than 0"):
            export_manifold(model, request, tmp_path / "sheet.png")
    assert list(tmp_path.iterdir()) == []


def test_digits_side_by_side_are_those_of_their_positions(
    model: TrainedVAE, tmp_path: Path
) -> None:
    positions = [(0.0, 0.0), (1.0, -1.5), (-2.0, 0.5)]
    export_digits(model, positions, 2, tmp_path / "digits.png")
    pixels, made_from = _read(tmp_path / "digits.png")
    assert pixels.shape == (HEIGHT * 2, 3 * WIDTH * 2)
    expected = np.concatenate(list(model.decode(np.array(positions))), axis=1)
    np.testing.assert_array_equal(pixels[::2, ::2], _gray(expected))
    assert made_from == {"z": [[0, 0], [1, -1.5], [-2, 0.5]]}
    with pytest.raises(ExportError, match="scale"):
        export_digits(model, positions, LARGEST_SIDE, tmp_path / "x.png")


def test_places_that_cannot_be_written_to_are_named(model: TrainedVAE, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    (tmp_path / "folder.png").mkdir()
    for path in (
        tmp_path / "missing" / "digit.png",
        tmp_path / "file" / "digit.png",
        tmp_path / "folder.png",
        tmp_path / f"{'long' * 100}.png",
    ):
        with pytest.raises(ExportError, match="Cannot write") as caught:
            export_digit(model, DigitRequest((0.0, 0.0)), path)
        assert str(path) in str(caught.value)
    assert sorted(item.name for item in tmp_path.iterdir()) == ["file", "folder.png"]


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)
def test_a_read_only_folder_is_named(model: TrainedVAE, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(ExportError, match="Permission denied"):
        export_digit(model, DigitRequest((0.0, 0.0)), tmp_path / "digit.png")


def test_an_old_picture_is_replaced(model: TrainedVAE, tmp_path: Path) -> None:
    path = tmp_path / "digit.png"
    export_digit(model, DigitRequest((0.0, 0.0)), path)
    export_digit(model, DigitRequest((2.0, 2.0)), path)
    assert _read(path)[1] == {"z": [2.0, 2.0]}
    assert list(tmp_path.iterdir()) == [path]
