import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from vae_explorer.latent.manifold import (
    cell_places,
    cells,
    grid,
    linear_axis,
    middles,
    quantile_axis,
)
from vae_explorer.types import Float64


@pytest.mark.parametrize("n", [1, 2, 5, 20, 101])
def test_quantiles_are_the_middles_of_cells_of_equal_mass(n: int) -> None:
    axis = quantile_axis(n)
    middles = (np.arange(n) + 0.5) / n
    np.testing.assert_allclose(axis, stats.norm.ppf(middles), atol=1e-12)
    np.testing.assert_allclose(axis, -axis[::-1], atol=1e-12)


def test_between_two_quantiles_lies_one_nth_of_the_prior() -> None:
    axis = quantile_axis(8)
    for low, high in itertools.pairwise(axis):
        mass, _ = integrate.quad(stats.norm.pdf, low, high)
        assert mass == pytest.approx(1 / 8)


def test_linear_axes_reach_from_end_to_end() -> None:
    np.testing.assert_allclose(linear_axis(5, 3.0), [-3, -1.5, 0, 1.5, 3])
    assert linear_axis(1, 3.0).tolist() == [0.0]


def test_a_grid_reads_like_a_picture() -> None:
    """z₁ grows from left to right, z₂ falls from the top row to the bottom one."""
    positions = grid(np.array([-1.0, 0.0, 2.0]))
    assert positions.dtype == np.float32
    assert positions.tolist() == [
        [-1, 2],
        [0, 2],
        [2, 2],
        [-1, 0],
        [0, 0],
        [2, 0],
        [-1, -1],
        [0, -1],
        [2, -1],
    ]


def test_middles_go_from_the_lowest_row_to_the_highest() -> None:
    positions = middles((-1.0, 3.0, 10.0, 11.0), (2, 4))
    assert positions.dtype == np.float32
    up, across = np.divmod(np.arange(8), 4)
    np.testing.assert_allclose(positions, np.stack([across - 0.5, 10.25 + up / 2], axis=1))


# Cells

_views = st.tuples(
    st.floats(-7, 7), st.floats(-7, 7), st.floats(0.01, 14), st.floats(0.3, 3), st.integers(3, 9)
)


def _overlap(first: Float64, second: Float64) -> Float64:
    """The areas (n, m) that regions (n, 4) and (m, 4) have in common."""
    low = np.maximum(first[:, None, ::2], second[:, ::2])
    high = np.minimum(first[:, None, 1::2], second[:, 1::2])
    areas: Float64 = (high - low).clip(0).prod(2)
    return areas


@given(_views, st.booleans())
def test_cells_tile_a_region_without_gap_or_overlap(
    view: tuple[float, float, float, float, int], quantiles: bool
) -> None:
    x, y, width, proportion, across = view
    height = width * proportion
    region = (x - width / 2, x + width / 2, y - height / 2, y + height / 2)
    found = cells(region, width / across, 6.0, quantiles)
    square = np.array([[-6.0, 6.0, -6.0, 6.0]])
    wanted = _overlap(np.array([region]), square)[0, 0]
    # The outermost quantiles are as far out as rounding tells.
    assert _overlap(found, np.array([region])).sum() == pytest.approx(wanted, abs=1e-5)
    common = _overlap(found, found)
    np.testing.assert_array_equal(common - np.diag(common.diagonal()), 0)
    if len(found):
        assert (found[:, 1::2] - found[:, ::2]).min() >= width / across


@pytest.mark.parametrize("quantiles", [False, True])
def test_cells_halve_as_one_zooms_in(quantiles: bool) -> None:
    coarse = cells((-2.0, 1.0, 0.0, 2.0), 0.2, 6.0, quantiles)
    fine = cells((-1.0, 0.5, 0.5, 1.5), 0.1, 6.0, quantiles)
    within = _overlap(fine, coarse)
    area = (fine[:, 1] - fine[:, 0]) * (fine[:, 3] - fine[:, 2])
    np.testing.assert_allclose(within.max(1), area, err_msg="each lies in one")
    np.testing.assert_array_equal((within > 1e-9).sum(0).max(), 4)
    # The next halving would make one too small.
    assert (fine[:, 1::2] - fine[:, ::2]).min() < 0.2


def test_cells_at_quantiles_have_equal_prior_mass_and_places_that_halve_it() -> None:
    found = cells((-9.0, 9.0, -9.0, 9.0), 0.1, 6.0, quantiles=True)
    assert len(found) > 100
    mass = np.diff(stats.norm.cdf(found.reshape(-1, 2, 2)))[:, :, 0]
    np.testing.assert_allclose(mass, len(found) ** -0.5, rtol=1e-6)
    positions = cell_places(found, quantiles=True)
    below = stats.norm.cdf(positions) - stats.norm.cdf(found[:, ::2])
    np.testing.assert_allclose(below, mass / 2, rtol=1e-6)


def test_even_cells_are_square_and_stand_for_their_middle() -> None:
    found = cells((0.0, 1.5, -0.1, 0.1), 1.4, 6.0, quantiles=False)
    assert found.tolist() == [[0, 1.5, -1.5, 0], [0, 1.5, 0, 1.5]]
    assert cell_places(found, quantiles=False).tolist() == [[0.75, -0.75], [0.75, 0.75]]


def test_beyond_the_extent_there_is_no_cell() -> None:
    assert cells((6.5, 8.0, 0.0, 1.0), 0.1, 6.0, quantiles=False).shape == (0, 4)
