import numpy as np
import pytest

from vae_explorer.gui.plot.thinning import thinned
from vae_explorer.types import Float64

RNG = np.random.default_rng(0)


def noisy(count: int = 40_000) -> Float64:
    pixels = np.stack([np.linspace(0, 300, count), RNG.normal(size=count)], axis=1)
    pixels[12_345, 1], pixels[23_456, 1] = 50, -50
    return pixels


def test_a_short_line_stays_as_it_is() -> None:
    pixels = noisy(30_000)[:500]
    assert thinned(pixels, 300) is pixels


def test_every_column_of_pixels_keeps_its_ends_and_its_extremes() -> None:
    pixels = noisy()
    found = thinned(pixels, 300)
    assert len(found) <= 4 * 301
    assert (np.diff(found[:, 0]) >= 0).all()
    assert (found[:, 1].max(), found[:, 1].min()) == (50, -50)
    for column in (0, 17, 299):
        inside = pixels[np.floor(pixels[:, 0]) == column, 1]
        kept = found[np.floor(found[:, 0]) == column, 1]
        assert (kept[0], kept[-1]) == (inside[0], inside[-1])
        assert (kept.min(), kept.max()) == (inside.min(), inside.max())


@pytest.mark.parametrize("gap", [slice(0, 0), slice(2_000, 2_100), slice(0, 40_000)])
def test_a_path_keeps_its_corners_and_its_gaps(gap: slice) -> None:
    pixels = RNG.normal(size=(40_000, 2))
    pixels[20_000], pixels[30_000] = (50, 0), (0, -90)
    pixels[gap] = np.nan
    found = thinned(pixels, 300)
    assert len(found) < 8_000
    np.testing.assert_array_equal(found[-1], pixels[-1])
    assert np.isnan(found).any() == np.isnan(pixels).any()
    if not np.isnan(pixels).all():
        assert np.nanmax(found[:, 0]) == 50
        assert np.nanmin(found[:, 1]) == -90
