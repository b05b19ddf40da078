import gc

import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage

from vae_explorer.gui.explore.decode.image import qimage_of, signed
from vae_explorer.gui.theme import CLASS_COLORS, DARK, LIGHT, Theme


def levels(image: QImage) -> list[list[int]]:
    return [
        [image.pixelColor(x, y).red() for x in range(image.width())] for y in range(image.height())
    ]


def test_a_picture_maps_zero_to_one_onto_black_to_white() -> None:
    image = qimage_of(np.array([[0.0, 0.5, 1.0], [0.25, 0.1, 0.9]], dtype=np.float32))
    assert image.format() == QImage.Format.Format_Grayscale8
    assert levels(image) == [[0, 128, 255], [64, 26, 230]]


def test_a_picture_keeps_bytes_as_they_are() -> None:
    pixels = np.arange(15, dtype=np.uint8).reshape(3, 5)
    assert levels(qimage_of(pixels)) == pixels.tolist()


def test_a_picture_clamps_and_draws_nan_black() -> None:
    image = qimage_of(np.array([[-3.0, 7.0, np.nan, np.inf, -np.inf]], dtype=np.float32))
    assert levels(image) == [[0, 255, 0, 255, 0]]


def test_a_picture_reads_a_transposed_array() -> None:
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert levels(qimage_of(pixels.T)) == pixels.T.tolist()


def test_a_picture_owns_its_pixels() -> None:
    pixels = np.full((28, 28), 200, dtype=np.uint8)
    image = qimage_of(pixels)
    pixels[:] = 3
    del pixels
    gc.collect()
    assert {level for row in levels(image) for level in row} == {200}


def test_a_picture_leaves_its_argument_alone() -> None:
    pixels = np.full((2, 2), 0.5, dtype=np.float32)
    qimage_of(pixels)
    assert np.array_equal(pixels, np.full((2, 2), 0.5))


@pytest.mark.parametrize(("theme", "positive"), [(LIGHT, 2), (DARK, 6)])
def test_signed_runs_from_blue_over_the_canvas_to_a_warm_end(theme: Theme, positive: int) -> None:
    image = signed(np.array([[-1.0, 0.0, 1.0]], dtype=np.float32), theme)
    colors = [image.pixelColor(x, 0) for x in range(3)]
    assert colors[0] == QColor(*CLASS_COLORS[0].tolist())
    assert colors[1] == QColor(theme.canvas)
    assert colors[2] == QColor(*CLASS_COLORS[positive].tolist())


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_signed_moves_away_from_the_canvas_as_the_error_grows(theme: Theme) -> None:
    values = np.linspace(0.0, 1.0, 11, dtype=np.float32)
    canvas = QColor(theme.canvas)
    for side in (values, -values):
        image = signed(side[None, :], theme)
        distances = [
            abs(color.red() - canvas.red())
            + abs(color.green() - canvas.green())
            + abs(color.blue() - canvas.blue())
            for color in (image.pixelColor(x, 0) for x in range(len(values)))
        ]
        assert distances[0] == 0
        assert distances == sorted(set(distances))


def test_signed_clamps_and_draws_nan_as_no_error() -> None:
    wild = signed(np.array([[-9.0, np.nan, 9.0, np.inf]], dtype=np.float32), LIGHT)
    tame = signed(np.array([[-1.0, 0.0, 1.0, 1.0]], dtype=np.float32), LIGHT)
    assert wild == tame


def test_a_picture_in_colour_has_its_colours() -> None:
    pixels = np.array([[[255, 0, 10], [1, 2, 3], [0, 200, 0]]] * 2, np.uint8)
    for image in (qimage_of(pixels), qimage_of(pixels.astype(np.float32) / np.float32(255))):
        assert (image.width(), image.height()) == (3, 2)
        assert image.pixelColor(0, 0) == QColor(255, 0, 10)
        assert image.pixelColor(1, 1) == QColor(1, 2, 3)
        assert image.pixelColor(2, 1) == QColor(0, 200, 0)
