import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vae_explorer.gui.map.raster import PointRaster, opaque

VIEW = (0.0, 4.0, 0.0, 3.0)
SIZE = (4, 3)
RED, BLUE = 0xFFFF0000, 0xFF0000FF


def draw(
    places: list[tuple[float, float]], colors: list[int], margin: int = 1
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint32]]:
    xs, ys = np.array(places, np.float32).reshape(-1, 2).T.copy()
    raster = PointRaster()
    raster.draw((xs, ys, np.array(colors, np.uint32)), VIEW, SIZE, margin)
    return raster.image


def test_opaque_is_argb() -> None:
    assert opaque(np.array([[1, 2, 3], [255, 0, 128]], np.uint8)).tolist() == [
        0xFF010203,
        0xFFFF0080,
    ]


def test_pixels_are_exact_with_row_zero_on_top() -> None:
    image = draw([(0.0, 2.5), (3.9, 0.1), (1.0, 1.0)], [1, 2, 3])[1:-1, 1:-1]
    assert image.tolist() == [[1, 0, 0, 0], [0, 0, 0, 0], [0, 3, 0, 2]]


def test_the_later_of_two_on_one_pixel_shows() -> None:
    assert draw([(0.5, 0.5), (0.6, 0.4)], [RED, BLUE])[3, 1] == BLUE


def test_points_out_of_view_leave_no_trace() -> None:
    far = [(-9.0, 1.0), (9.0, 1.0), (1.0, -9.0), (1.0, 9.0), (1e9, 1e9), (-1e9, 0.0)]
    assert not draw(far, [RED] * len(far)).any()


def test_the_margin_holds_points_just_outside_and_its_rim_stays_empty() -> None:
    image = draw([(-0.5, 1.5), (-2.5, 1.5)], [RED, BLUE], margin=3)
    assert image.shape == (9, 10)
    assert image[4, 2] == RED
    assert np.count_nonzero(image) == 1


def test_no_points_clear_the_picture() -> None:
    raster = PointRaster()
    one = (np.array([1.5], np.float32), np.array([1.5], np.float32), np.array([RED], np.uint32))
    raster.draw(one, VIEW, SIZE)
    assert raster.occupied == 1
    raster.draw((one[0][:0], one[1][:0], one[2][:0]), VIEW, SIZE)
    assert raster.occupied == 0
    assert not raster.image.any()


def test_a_picture_of_another_size_follows() -> None:
    raster = PointRaster()
    none = (np.empty(0, np.float32), np.empty(0, np.float32), np.empty(0, np.uint32))
    for size in ((4, 3), (7, 5), (2, 9)):
        raster.draw(none, VIEW, size, margin=2)
        assert raster.image.shape == (size[1] + 4, size[0] + 4)


@pytest.mark.parametrize("n", [65_535, 65_536, 65_537, 140_000])
def test_every_block_is_drawn(n: int) -> None:
    rng = np.random.default_rng(n)
    xs, ys = rng.uniform(-1, 5, (2, n)).astype(np.float32)
    colors = np.arange(1, n + 1, dtype=np.uint32)
    raster = PointRaster()
    raster.draw((xs, ys, colors), VIEW, (40, 30))
    expected = np.zeros((30, 40), np.uint32)
    column, row = np.floor(xs * np.float32(10)), np.floor((3 - ys) * np.float32(10))
    inside = (column >= 0) & (column < 40) & (row >= 0) & (row < 30)
    for i in np.flatnonzero(inside):
        expected[int(row[i]), int(column[i])] = colors[i]
    # A place on the border of two pixels may round to either.
    assert np.mean(raster.image[1:-1, 1:-1] == expected) > 0.99
    assert raster.occupied == pytest.approx(np.count_nonzero(expected), abs=3)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(-1e6, 1e6, width=32), st.floats(-1e6, 1e6, width=32)), max_size=20
    ),
    st.floats(1e-3, 1e6),
)
def test_any_finite_places_in_any_view_are_silent(
    places: list[tuple[float, float]], span: float
) -> None:
    xs, ys = np.array(places, np.float32).reshape(-1, 2).T.copy()
    colors = np.full(len(places), RED, np.uint32)
    raster = PointRaster()
    raster.draw((xs, ys, colors), (-span, span, -span, span), (16, 12), 4)
    assert raster.occupied <= len(places)
    assert set(np.unique(raster.image)) <= {0, RED}
