import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage

from vae_explorer.gui.plot.color_maps import (
    COLORS,
    argb_image,
    class_image,
    field_image,
    sequential,
)
from vae_explorer.gui.theme import CLASS_COLORS, DARK, LIGHT, Theme
from vae_explorer.session.map.marks import ClassField, Field
from vae_explorer.types import Float64, UInt32

REGION = (0.0, 1.0, 0.0, 1.0)
THEMES = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])


def luminance(rgb: Float64) -> Float64:
    """Relative luminance of sRGB in [0, 1] (WCAG 2)."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return np.asarray(linear @ [0.2126, 0.7152, 0.0722])


def channels(table: UInt32) -> Float64:
    return np.stack([table >> shift & 0xFF for shift in (16, 8, 0)], axis=-1) / 255


def field(values: list[list[float]], low: float = 0.0, high: float = 1.0) -> Field:
    return Field(REGION, np.array(values, np.float32), low, high, "nats")


def pixels(image: QImage) -> list[list[QColor]]:
    return [[image.pixelColor(x, y) for x in range(image.width())] for y in range(image.height())]


@THEMES
def test_more_stands_out_more_from_the_canvas(theme: Theme) -> None:
    table = luminance(channels(sequential(theme)))
    canvas = QColor(theme.canvas)
    ground = luminance(np.array([canvas.redF(), canvas.greenF(), canvas.blueF()]))
    contrast = (np.maximum(table, ground) + 0.05) / (np.minimum(table, ground) + 0.05)
    assert table.shape == (COLORS,)
    assert (np.diff(contrast) > -0.02).all()
    assert contrast[-1] > 10


@THEMES
def test_fading_changes_the_alpha_alone(theme: Theme) -> None:
    solid, fading = sequential(theme), sequential(theme, fading=True)
    alpha = (fading >> 24).astype(int)
    assert ((solid >> 24) == 255).all()
    np.testing.assert_array_equal(solid & 0xFFFFFF, fading & 0xFFFFFF)
    assert alpha[0] == 0
    assert alpha[-1] == 255
    assert (np.diff(alpha) >= 0).all()


def test_values_beyond_the_ends_take_their_colours_and_nan_takes_none() -> None:
    shown = pixels(field_image(field([[-1.0, 1.0, 5.0], [-np.inf, np.inf, np.nan]], 0, 2), LIGHT))
    low, middle, high = (QColor(int(sequential(LIGHT)[i])) for i in (0, 128, 255))
    assert shown[0] == [low, middle, high]
    assert shown[1][:2] == [low, high]
    assert shown[1][2].alpha() == 0


def test_a_field_without_a_span_is_one_colour() -> None:
    shown = pixels(field_image(field([[3.0, 3.0]], 3.0, 3.0), DARK))
    assert shown[0][0] == shown[0][1] == QColor(int(sequential(DARK)[0]))


def test_a_class_is_as_opaque_as_it_is_strong() -> None:
    labels, strength = np.array([[3, 3, 7]], np.uint8), np.array([[1.0, 0.5, 0.0]], np.float32)
    (strong, weak, unknown) = pixels(class_image(ClassField(REGION, labels, strength)))[0]
    assert strong == QColor(*CLASS_COLORS[3].tolist())
    assert weak.alpha() == 128
    assert weak.red() == pytest.approx(int(CLASS_COLORS[3][0]), abs=1)
    assert unknown.alpha() == 0


def test_an_image_owns_its_pixels() -> None:
    source = np.full((2, 3), 0xFF102030, np.uint32)
    image = argb_image(source)
    source[:] = 0
    assert image.pixelColor(2, 1) == QColor(0x10, 0x20, 0x30)
