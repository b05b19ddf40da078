from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from PIL import Image

import vae_explorer as vx

Cli = Callable[..., Result]
Refused = Callable[..., str]


def test_a_digit(cli: Cli, checkpoint: Path, tmp_path: Path) -> None:
    out = tmp_path / "digit.png"
    result = cli("export", "digit", checkpoint, "--z", 1, -2, "--scale", 2, "--out", out)
    assert result.exit_code == 0
    assert result.stdout == f"Wrote {out}\n"
    image = vx.load_checkpoint(checkpoint).decode(np.array([[1, -2]], np.float32))[0]
    with Image.open(out) as picture:
        np.testing.assert_array_equal(
            np.asarray(picture)[::2, ::2], np.rint(image * 255).astype(np.uint8)
        )


def test_a_linear_sheet_has_its_corners_at_the_extent(
    cli: Cli, checkpoint: Path, tmp_path: Path
) -> None:
    out = tmp_path / "sheet.png"
    options = ["--n", 3, "--spacing", "linear", "--extent", 2.5, "--out", out]
    assert cli("export", "manifold", checkpoint, *options).exit_code == 0
    corners = np.array([[-2.5, 2.5], [2.5, -2.5]], np.float32)
    top_left, bottom_right = vx.load_checkpoint(checkpoint).decode(corners)
    with Image.open(out) as picture:
        assert picture.size == (84, 84)
        pixels = np.asarray(picture).astype(float)
    np.testing.assert_allclose(pixels[:28, :28], top_left * 255, atol=0.51)
    np.testing.assert_allclose(pixels[56:, 56:], bottom_right * 255, atol=0.51)


def test_the_quantile_sheet_of_figure_4_is_the_default(
    cli: Cli, checkpoint: Path, tmp_path: Path
) -> None:
    cli("export", "manifold", checkpoint, "--out", tmp_path / "default.png")
    options = ["--n", 20, "--spacing", "quantile", "--scale", 1]
    cli("export", "manifold", checkpoint, *options, "--out", tmp_path / "said.png")
    assert (tmp_path / "default.png").read_bytes() == (tmp_path / "said.png").read_bytes()
    with Image.open(tmp_path / "default.png") as picture:
        assert picture.size == (560, 560)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--n", 200, "--scale", 2], "11,200 pixels wide"),
        (["--n", 1000], "'n' is 1,000; it must lie between 1 and 200"),
        (["--scale", 100], "56,000 pixels wide"),
        (["--n", 0], "'n' is 0; it must lie between 1"),
        (["--extent", "nan"], "'extent' is nan"),
        (["--extent", 7], "'extent' is 7"),
        (
            ["--spacing", "linear", "--extent", -3],
            "'extent' is -3.0; it must lie",
        ),
        (["--spacing", "linear", "--extent", 0], "'extent' is 0.0; it must lie"),
        (["--extent", 2], "no difference with quantile spacing; change --spacing"),
        (["--spacing", "odd"], "'odd'"),
    ],
)
def test_a_sheet_that_cannot_be_is_refused(
    options: list[object], message: str, refused: Refused, checkpoint: Path, tmp_path: Path
) -> None:
    out = tmp_path / "sheet.png"
    assert message in refused("export", "manifold", checkpoint, *options, "--out", out)
    assert not out.exists()


def test_a_digit_off_the_plane_is_refused(
    refused: Refused, checkpoint: Path, tmp_path: Path
) -> None:
    out = tmp_path / "digit.png"
    message = refused("export", "digit", checkpoint, "--z", 9, 0, "--out", out)
    assert "'z' is (9.0, 0.0); it must be" in message
