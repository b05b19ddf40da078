"""Paths against circles, lines and the moments of the prior."""

from collections.abc import Callable

import numpy as np
import pytest

from vae_explorer.errors import DataError
from vae_explorer.latent.paths import (
    circle,
    column,
    resampled,
    row,
    smooth_walk,
    spherical,
    straight,
)
from vae_explorer.types import Float64

STOPS = np.array([[0.0, 0.0], [3.0, 0.0], [3.0, 4.0]])


def _steps(path: Float64) -> Float64:
    return np.asarray(np.linalg.norm(np.diff(path, axis=0), axis=1))


def test_equal_steps_along_a_polygon() -> None:
    expected = [[0, 0], [1, 0], [2, 0], [3, 0], [3, 1], [3, 2], [3, 3], [3, 4]]
    path = straight(STOPS, 8)
    assert path.dtype == np.float64
    np.testing.assert_allclose(path, expected, atol=1e-12)


def test_a_closed_polygon_comes_back_and_does_not_repeat_its_first_place() -> None:
    path = straight(STOPS, 12, closed=True)
    np.testing.assert_allclose(path[:8], straight(STOPS, 8), atol=1e-12)
    np.testing.assert_allclose(path[8:], [[2.4, 3.2], [1.8, 2.4], [1.2, 1.6], [0.6, 0.8]])


def test_stops_equally_far_out_are_joined_at_that_distance_the_shorter_way() -> None:
    angle = np.radians([170, -70, 50])
    stops = 2 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    path = spherical(stops, 14)
    turned = np.radians(np.linspace(170, 410, 14))
    expected = 2 * np.stack([np.cos(turned), np.sin(turned)], axis=1)
    np.testing.assert_allclose(path, expected, atol=1e-5)
    closed = spherical(stops, 36, closed=True)
    np.testing.assert_allclose(np.linalg.norm(closed, axis=1), 2, rtol=1e-12)
    np.testing.assert_allclose(_steps(closed), 4 * np.sin(np.pi / 36), rtol=1e-4)


def test_the_radius_goes_linearly_with_the_direction() -> None:
    """A spiral r = 1 + 2 φ/(π/2)."""
    path = spherical([[1, 0], [0, 3]], 40)
    angle = np.arctan2(path[:, 1], path[:, 0])
    np.testing.assert_allclose(np.linalg.norm(path, axis=1), 1 + 4 * angle / np.pi, atol=1e-9)
    np.testing.assert_allclose(_steps(path), _steps(path).mean(), rtol=1e-2)


@pytest.mark.parametrize("stops", [[[1, 1], [-2, -2]], [[0, 0], [1, 2]], [[3, 1], [0, 0]]])
def test_opposite_stops_and_the_origin_are_joined_straight(stops: list[list[float]]) -> None:
    start, end = np.array(stops)
    np.testing.assert_allclose(spherical(stops, 9), np.linspace(start, end, 9), atol=1e-12)


def test_a_circle() -> None:
    path = circle((1.0, -2.0), 0.5, 4)
    np.testing.assert_allclose(path, [[1.5, -2], [1, -1.5], [0.5, -2], [1, -2.5]], atol=1e-12)


def test_rows_and_columns() -> None:
    assert row(2.0, -1.0, 1.0, 3).tolist() == [[-1, 2], [0, 2], [1, 2]]
    assert column(2.0, 1.0, -1.0, 3).tolist() == [[2, 1], [2, 0], [2, -1]]


def test_a_walk_has_the_moments_of_the_prior_over_its_lap() -> None:
    for seed in range(20):
        walk = smooth_walk(seed, 500)
        np.testing.assert_allclose(walk.mean(0), 0, atol=1e-12)
        np.testing.assert_allclose(np.cov(walk.T, bias=True), np.eye(2), atol=1e-12)


def test_a_place_of_a_walk_is_distributed_as_the_prior() -> None:
    """Over seeds; half of all positions lie within √(2 ln 2) of the origin."""
    positions = np.array([smooth_walk(seed, 7)[3] for seed in range(2_000)])
    np.testing.assert_allclose(positions.mean(0), 0, atol=5 * 0.0224)
    np.testing.assert_allclose(np.cov(positions.T), np.eye(2), atol=5 * 0.0316)
    within = np.linalg.norm(positions, axis=1) < np.sqrt(2 * np.log(2))
    assert within.mean() == pytest.approx(0.5, abs=0.06)


def test_a_walk_is_smooth_closed_and_fixed_by_its_seed() -> None:
    walk = smooth_walk(5, 1_000)
    around = np.concatenate([walk, walk[:1]])
    assert _steps(around).max() < 0.1
    np.testing.assert_allclose(smooth_walk(5, 100), walk[::10], atol=1e-12)
    assert abs(smooth_walk(6, 1_000) - walk).max() > 0.1


def test_equal_steps_of_any_length() -> None:
    path = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
    found = resampled(path, 5, np.array([0.0, 3.0, 4.0]))
    np.testing.assert_allclose(
        found, [[0.0, 0.0], [1 / 3, 0.0], [2 / 3, 0.0], [1.0, 0.0], [1.0, 1.0]]
    )


def test_ends_stay_where_lengths_stand_still() -> None:
    path = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [3.0, 0.0]])
    still = resampled(path, 4, np.array([0.0, 0.0, 1.0, 1.0]))
    assert still[[0, -1]].tolist() == [[0, 0], [3, 0]]
    np.testing.assert_allclose(resampled(path, 4, np.zeros(4)), path)
    assert straight([[1, 2], [1, 2]], 3).tolist() == [[1, 2]] * 3


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: straight(STOPS, 1), "at least 2 points, not 1"),
        (lambda: spherical(STOPS, 0), "at least 2 points, not 0"),
        (lambda: circle((0.0, 0.0), 1.0, 1), "at least 2 points"),
        (lambda: smooth_walk(1, -3), "at least 2 points"),
        (lambda: smooth_walk(-1, 5), "from 0, not -1"),
        (lambda: straight(STOPS[:1], 5), "at least 2 waypoints, not 1"),
        (lambda: spherical(np.zeros((3, 3)), 5), r"shape \(k, 2\), not \(3, 3\)"),
        (lambda: row(np.nan, 0.0, 1.0, 5), "NaN or infinity"),
        (lambda: circle((0.0, np.inf), 1.0, 5), "no circle"),
        (lambda: circle((0.0, 0.0), -1.0, 5), "radius of -1"),
        (
            lambda: resampled(STOPS, 5, np.arange(2.0)),
            r"3 positions need as many lengths, not \(2,\)",
        ),
        (lambda: resampled(STOPS, 5, np.array([0, 2, 1.0])), "never fall"),
        (lambda: resampled(STOPS, 5, np.array([0, 1, np.nan])), "finite"),
    ],
)
def test_what_is_no_path_is_refused(ask: Callable[[], Float64], message: str) -> None:
    with pytest.raises(DataError, match=message):
        ask()
