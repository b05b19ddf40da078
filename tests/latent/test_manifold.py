import itertools

import numpy as np
import pytest
from scipy import integrate, stats

from vae_explorer.latent.manifold import grid, linear_axis, quantile_axis


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
    places = grid(np.array([-1.0, 0.0, 2.0]))
    assert places.dtype == np.float32
    assert places.tolist() == [
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
