import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vae_explorer.gui.map.raster import FAINTEST, PointRaster, opacity
from vae_explorer.gui.plot.color_maps import opaque
from vae_explorer.gui.theme import CLASS_COLORS
from vae_explorer.types import Float32, Float64, UInt32

VIEW = (0.0, 4.0, 0.0, 3.0)
SIZE = (4, 3)
RED, GREEN, BLUE = 0xFFFF0000, 0xFF00FF00, 0xFF0000FF


def draw(positions: list[tuple[float, float]], colors: list[int], margin: int = 1) -> UInt32:
    xs, ys = np.array(positions, np.float32).reshape(-1, 2).T.copy()
    raster = PointRaster()
    raster.draw((xs, ys, np.array(colors, np.uint32)), VIEW, SIZE, margin)
    return raster.image


def channels(pixels: UInt32) -> Float64:
    """Red, green, blue and alpha of pixels, still premultiplied, on a last axis."""
    return np.stack([pixels >> shift & 0xFF for shift in (16, 8, 0, 24)], -1).astype(np.float64)


def crowded(n: int) -> tuple[Float32, Float32, UInt32]:
    """A normal of 10 pixels: hundreds of points in its middle, single ones around."""
    rng = np.random.default_rng(n)
    xs, ys = (rng.normal(size=(2, n)) * 0.5).astype(np.float32)
    return xs + 2, ys + np.float32(1.5), opaque(CLASS_COLORS)[rng.integers(0, 10, n)]


def test_opaque_is_argb() -> None:
    assert opaque(np.array([[1, 2, 3], [255, 0, 128]], np.uint8)).tolist() == [
        0xFF010203,
        0xFFFF0080,
    ]


def test_pixels_are_exact_with_row_zero_on_top() -> None:
    image = draw([(0.0, 2.5), (3.9, 0.1), (1.0, 1.0)], [RED, BLUE, GREEN])[1:-1, 1:-1]
    assert image.tolist() == [[RED, 0, 0, 0], [0, 0, 0, 0], [0, GREEN, 0, BLUE]]


def test_a_pixel_has_the_mean_colour_of_its_points() -> None:
    pixel = draw([(0.5, 0.5), (0.6, 0.4), (0.4, 0.6)], [RED, BLUE, RED])[3, 1]
    red, green, blue, alpha = channels(pixel)
    assert [red, green, blue] == pytest.approx([alpha * 2 / 3, 0, alpha / 3], abs=0.51)


def test_the_picture_is_the_same_in_any_order() -> None:
    points = crowded(50_000)
    rng = np.random.default_rng(0)
    pictures = []
    for order in (np.arange(50_000), np.arange(50_000)[::-1], rng.permutation(50_000)):
        raster = PointRaster()
        xs, ys, colors = points[0][order], points[1][order], points[2][order]
        raster.draw((xs, ys, colors), VIEW, (80, 60))
        pictures.append(raster.image)
    assert np.array_equal(pictures[0], pictures[1])
    assert np.array_equal(pictures[0], pictures[2])


@pytest.mark.parametrize("label", range(10))
def test_a_pixel_of_one_class_has_the_colour_of_its_key(label: int) -> None:
    xs, ys, _ = crowded(20_000)
    colors = np.broadcast_to(opaque(CLASS_COLORS)[label], xs.shape)
    raster = PointRaster()
    raster.draw((xs, ys, colors), VIEW, (80, 60))
    drawn = channels(raster.image[raster.image != 0])
    alpha = drawn[:, 3:]
    assert len(np.unique(alpha)) > 10
    assert np.abs(drawn[:, :3] - CLASS_COLORS[label] * alpha / 255).max() <= 0.5 + 1e-6
    raster.draw((xs, ys, colors), VIEW, (80, 60), crowd=0.0)
    drawn = channels(raster.image[raster.image != 0])
    assert np.array_equal(drawn, np.broadcast_to([*CLASS_COLORS[label], 255], drawn.shape))


def test_a_million_points_on_one_pixel_keep_their_mean() -> None:
    n = 1_000_001
    colors = np.where(np.arange(n) % 4 == 0, np.uint32(0xFFFFFFFF), np.uint32(0xFF00FF01))
    raster = PointRaster()
    at = np.full(n, 1.5, np.float32)
    raster.draw((at, at, colors), VIEW, SIZE, crowd=0.0)
    assert raster.occupied == 1
    assert channels(raster.image[2, 2]).tolist() == [64, 255, 65, 255]


def test_a_crowded_picture_leaves_no_trace_in_the_next() -> None:
    kept = PointRaster()
    for n, size in ((300, SIZE), (50, SIZE), (258, SIZE), (257, SIZE), (900, (90, 70))) * 2:
        fresh = PointRaster()
        for raster in (kept, fresh):
            raster.draw(crowded(n), VIEW, size)
            raster.draw(crowded(n), VIEW, size)
        assert np.array_equal(kept.image, fresh.image)
        assert (kept.occupied, kept.crowd) == (fresh.occupied, fresh.crowd)


@pytest.mark.parametrize("n", [257, 258, 65_000, 65_281, 65_535, 65_536, 65_600, 131_071])
def test_a_pixel_keeps_its_colour_whatever_the_number_of_its_points(n: int) -> None:
    color = 0xFFFFFE01
    pixel = draw([(0.5, 0.5)] * n + [(2.5, 0.5)], [color] * n + [BLUE])[3, 1]
    red, green, blue, alpha = channels(pixel)
    assert red == alpha > 200
    assert [green, blue] == pytest.approx([alpha * 254 / 255, alpha / 255], abs=0.51)


def test_opacity_tells_one_from_ten_from_a_hundred_in_a_crowd() -> None:
    xs, ys, colors = crowded(1_000_000)
    raster = PointRaster()
    raster.draw((xs, ys, colors), VIEW, (120, 90))
    counts = np.array([1, 10, 100, 1_000], np.float32)
    levels = opacity(counts, raster.crowd)
    assert levels[0] >= FAINTEST
    assert (np.diff(levels) > 0.05).all()
    assert levels[-1] > 0.8


def test_few_points_are_opaque_even_if_some_coincide() -> None:
    xs, ys, colors = crowded(300)
    xs[:5] = xs[0]
    ys[:5] = ys[0]
    raster = PointRaster()
    raster.draw((xs, ys, colors), VIEW, (800, 600))
    assert channels(raster.image[raster.image != 0])[:, 3].min() >= 250


def test_zooming_changes_the_opacity_of_a_point_bit_by_bit() -> None:
    points = crowded(100_000)
    raster = PointRaster()
    levels = []
    for zoom in 1.05 ** np.arange(-60, 120):
        view = (2 - 2 / zoom, 2 + 2 / zoom, 1.5 - 1.5 / zoom, 1.5 + 1.5 / zoom)
        raster.draw(points, view, (200, 150))
        levels.append(float(opacity(np.ones(1, np.float32), raster.crowd)[0]))
    assert min(levels) < 0.4
    assert max(levels) > 0.9
    assert np.abs(np.diff(levels)).max() < 0.02


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


@pytest.mark.parametrize("n", [16_383, 16_384, 16_385, 140_000])
def test_every_point_counts(n: int) -> None:
    rng = np.random.default_rng(n)
    xs, ys = rng.uniform(-1, 5, (2, n)).astype(np.float32)
    raster = PointRaster()
    raster.draw((xs, ys, np.full(n, RED, np.uint32)), VIEW, (40, 30))
    column, row = np.floor(xs * np.float32(10)), np.floor((3 - ys) * np.float32(10))
    inside = (column >= 0) & (column < 40) & (row >= 0) & (row < 30)
    expected = np.zeros((30, 40))
    np.add.at(expected, (row[inside].astype(int), column[inside].astype(int)), 1)
    alpha = channels(raster.image)[1:-1, 1:-1, 3]
    wanted = np.rint(255 * opacity(np.maximum(expected, 1).astype(np.float32), raster.crowd))
    # A position on the border of two pixels may round to either.
    assert np.mean(alpha == np.where(expected > 0, wanted, 0)) > 0.98
    assert raster.occupied == pytest.approx(np.count_nonzero(expected), abs=3)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(-1e6, 1e6, width=32), st.floats(-1e6, 1e6, width=32)), max_size=20
    ),
    st.floats(1e-3, 1e6),
)
def test_any_finite_places_in_any_view_are_silent(
    positions: list[tuple[float, float]], span: float
) -> None:
    xs, ys = np.array(positions, np.float32).reshape(-1, 2).T.copy()
    colors = np.full(len(positions), RED, np.uint32)
    raster = PointRaster()
    raster.draw((xs, ys, colors), (-span, span, -span, span), (16, 12), 4)
    assert raster.occupied <= len(positions)
    red, green, blue, alpha = channels(raster.image).reshape(-1, 4).T
    assert np.array_equal(red, alpha)
    assert not green.any()
    assert not blue.any()
    assert ((alpha == 0) | (alpha >= np.floor(255 * FAINTEST))).all()
