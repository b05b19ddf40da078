"""Levels and lines against the circles of a standard normal."""

import numpy as np
import pytest

from vae_explorer.latent.contours import level_lines, mass_levels
from vae_explorer.types import Float64

REGION = (-4.0, 6.0, -5.0, 4.5)


def cells(rows: int = 190, columns: int = 250) -> tuple[Float64, Float64]:
    """z₁ and z₂ at the middles of the cells of REGION."""
    left, right, bottom, top = REGION
    z1 = left + (np.arange(columns) + 0.5) / columns * (right - left)
    z2 = bottom + (np.arange(rows) + 0.5) / rows * (top - bottom)
    first, second = np.meshgrid(z1, z2)
    return first, second


def test_the_levels_of_a_standard_normal() -> None:
    """Where the density is at least (1 − s)/2π lies the share s."""
    axis = np.linspace(-6, 6, 401)
    z1, z2 = np.meshgrid(axis, axis)
    density = np.exp(-(z1**2 + z2**2) / 2) / (2 * np.pi)
    shares = [0.1, 0.5, 0.9, 0.99]
    levels = mass_levels(density, shares)
    np.testing.assert_allclose(levels, (1 - np.array(shares)) / (2 * np.pi), rtol=5e-3)


def test_a_region_holds_its_share_and_no_smaller_one_does() -> None:
    density = np.random.default_rng(0).random((30, 30)) ** 4
    for share, level in zip((0.2, 0.7), mass_levels(density, [0.2, 0.7]), strict=True):
        assert density[density >= level].sum() >= share * density.sum()
        assert density[density > level].sum() < share * density.sum()


def test_all_and_nothing_of_the_mass() -> None:
    density = np.array([[3.0, 1.0], [2.0, 0.0]])
    assert mass_levels(density, [0, 1]).tolist() == [3, 1]
    assert mass_levels(np.zeros((2, 2)), [0.5]).tolist() == [0]


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_the_line_is_the_circle_that_holds_the_share(share: float) -> None:
    """Around a position off the middle of a region that is not square: radius √(−2 ln(1 − s))."""
    z1, z2 = cells()
    density = np.exp(-((z1 - 1.5) ** 2 + (z2 + 1) ** 2) / 2) / (2 * np.pi)
    (line,) = level_lines(density, REGION, (1 - share) / (2 * np.pi))
    assert line.dtype == np.float32
    radius = np.hypot(line[:, 0] - 1.5, line[:, 1] + 1)
    np.testing.assert_allclose(radius, np.sqrt(-2 * np.log(1 - share)), atol=2e-3)
    assert line[0].tolist() == line[-1].tolist()
    x, y = line[:-1].T.astype(float)
    following_x, following_y = line[1:].T.astype(float)
    area = (x * following_y - following_x * y).sum() / 2
    assert area == pytest.approx(np.pi * -2 * np.log(1 - share), rel=5e-3)


def test_a_ramp_s_line_runs_from_edge_to_edge() -> None:
    _, z2 = cells()
    (line,) = level_lines(z2, REGION, 2.0)
    np.testing.assert_allclose(line[:, 1], 2, atol=1e-6)
    assert np.ptp(line[:, 0]) == pytest.approx(10 - 10 / 250)


def test_lines_end_where_values_are_not_finite() -> None:
    z1, z2 = cells()
    values = np.where(abs(z1) < 1, np.nan, np.where(abs(z1 - 4) < 0.5, np.inf, z2))
    lines = level_lines(values, REGION, 0.0)
    assert len(lines) == 3
    for line in lines:
        assert np.isfinite(line).all()
        assert (abs(line[:, 0]) >= 1).all()
        assert (abs(line[:, 0] - 4) >= 0.5).all()


def test_no_line_where_no_value_passes_the_level() -> None:
    z1, _ = cells()
    assert level_lines(z1, REGION, 7.0) == ()
    assert level_lines(np.full((5, 6), np.nan), REGION, 0.0) == ()
    assert level_lines(np.zeros((5, 6)), REGION, 0.0) == ()
