import numpy as np
import pytest
from PySide6.QtGui import QImage

from vae_explorer.gui.map.splat import ARGB, MARGIN, MAX_DIAMETER, Splatter
from vae_explorer.types import UInt8

SIDE = 41
COLOR = 0xFF3F90DA

pytestmark = pytest.mark.usefixtures("qapp")


def alpha(picture: QImage) -> UInt8:
    rows = np.frombuffer(picture.constBits(), np.uint8).reshape(picture.height(), -1, 4)
    return rows[:, :, 3].copy()


def one_dot(diameter: float) -> UInt8:
    pixels = np.zeros((SIDE, SIDE), np.uint32)
    pixels[SIDE // 2, SIDE // 2] = COLOR
    points = QImage(pixels.data, SIDE, SIDE, 4 * SIDE, ARGB)
    return alpha(Splatter().splat(points, diameter))


@pytest.mark.parametrize("diameter", [1.0, 2.0, 3.0, 4.5, 5.0, 7.0, 9.0, 12.0, MAX_DIAMETER])
def test_a_dot_is_as_wide_as_asked_and_round(diameter: float) -> None:
    dot = one_dot(diameter) / 255
    middle = dot[SIDE // 2]
    assert middle.sum() == pytest.approx(diameter, abs=0.5)
    assert np.allclose(dot, dot[::-1], atol=0.01)
    assert np.allclose(dot, dot[:, ::-1], atol=0.01)
    assert dot.sum() == pytest.approx(np.pi / 4 * diameter**2, rel=0.45)
    assert dot[SIDE // 2, SIDE // 2] == 1


def test_dots_grow_without_a_jump() -> None:
    areas = np.array([one_dot(d).sum() / 255 for d in np.arange(1.0, MAX_DIAMETER, 0.25)])
    steps = np.diff(areas)
    assert (steps > 0).all()
    assert (steps < np.maximum(3.1, 0.25 * areas[:-1])).all()


def test_the_margin_is_wide_enough() -> None:
    reach = np.flatnonzero(one_dot(MAX_DIAMETER).any(axis=0))
    assert SIDE // 2 - reach[0] < MARGIN


def test_every_point_keeps_its_colour_at_its_centre() -> None:
    rng = np.random.default_rng(0)
    pixels = np.zeros((SIDE, SIDE), np.uint32)
    colors = np.array([0xFFBD1F01, 0xFF92DADD, COLOR], np.uint32)
    at = rng.integers(0, SIDE, (60, 2))
    pixels[at[:, 0], at[:, 1]] = colors[np.arange(60) % 3]
    points = QImage(pixels.data, SIDE, SIDE, 4 * SIDE, ARGB)
    result = Splatter().splat(points, 5.0)
    grown = np.frombuffer(result.constBits(), np.uint32).reshape(SIDE, SIDE)
    assert np.array_equal(grown[pixels != 0], pixels[pixels != 0])


@pytest.mark.parametrize("diameter", [1.3, 2.0, 3.0, 4.2])
def test_faint_points_keep_their_colour_and_grow_no_fainter(diameter: float) -> None:
    faint, colors = 77, np.array([0x3F, 0x90, 0xDA])
    blue, green, red = np.rint(colors[::-1] * faint / 255).astype(int).tolist()
    pixels = np.zeros((SIDE, SIDE), np.uint32)
    pixels[10:30, 10:30] = faint << 24 | red << 16 | green << 8 | blue
    result = Splatter().splat(QImage(pixels.data, SIDE, SIDE, 4 * SIDE, ARGB), diameter)
    rows = np.frombuffer(result.constBits(), np.uint8).reshape(SIDE, SIDE, 4)[10:30, 10:30]
    opacity = rows[:, :, 3].astype(float)
    assert opacity.min() >= faint
    assert np.abs(rows[:, :, 2::-1] - colors * opacity[:, :, None] / 255).max() < 4


def test_one_splatter_serves_pictures_of_any_size() -> None:
    splatter = Splatter()
    for side in (20, 33, 20):
        pixels = np.zeros((side, side), np.uint32)
        pixels[5, 5] = COLOR
        result = splatter.splat(QImage(pixels.data, side, side, 4 * side, ARGB), 5.0)
        assert result.width() == result.height() == side
        assert np.count_nonzero(alpha(result)) >= 21
