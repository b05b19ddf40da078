from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vae_explorer.data.bundled import mnist_dataset
from vae_explorer.gui.map.cloud import PointCloud
from vae_explorer.gui.map.picking import Picker
from vae_explorer.session.map.point_index import PointIndex
from vae_explorer.session.map.state import MapPoints
from vae_explorer.types import Float32, Float64

PLACES = st.floats(-4, 4, width=32)


def brute(
    xs: Float32, ys: Float32, place: tuple[float, float], scale: tuple[float, float]
) -> Float64:
    """Distances in pixels, in double precision."""
    across = (xs.astype(np.float64) - place[0]) * scale[0]
    up = (ys.astype(np.float64) - place[1]) * scale[1]
    return np.asarray(np.hypot(across, up))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(PLACES, PLACES), max_size=60),
    st.tuples(PLACES, PLACES),
    st.tuples(st.floats(1, 500), st.floats(1, 500)),
    st.floats(0.5, 100),
)
def test_against_brute_force(
    points: list[tuple[float, float]],
    place: tuple[float, float],
    scale: tuple[float, float],
    radius: float,
) -> None:
    xs, ys = np.array(points, np.float32).reshape(-1, 2).T.copy()
    found = Picker().nearest(xs, ys, place, scale, radius)
    distances = brute(xs, ys, place, scale)
    slack = 1e-3  # pixels: the float32 arithmetic of a picker
    if found == -1:
        assert not (distances < radius - slack).any()
    else:
        assert distances[found] <= radius + slack
        assert distances[found] <= distances.min() + slack


def test_many_blocks() -> None:
    rng = np.random.default_rng(2)
    xs, ys = rng.normal(size=(2, 200_000)).astype(np.float32)
    picker = Picker()
    for place in rng.normal(size=(20, 2)):
        found = picker.nearest(xs, ys, tuple(place), (100.0, 100.0), 14.0)
        distances = brute(xs, ys, tuple(place), (100.0, 100.0))
        if found == -1:
            assert distances.min() > 13.99
        else:
            assert distances[found] == pytest.approx(distances.min(), abs=1e-3)


def test_the_radius_is_in_pixels_and_counts_itself() -> None:
    xs, ys = np.array([1.0], np.float32), np.array([0.0], np.float32)
    picker = Picker()
    assert picker.nearest(xs, ys, (0.0, 0.0), (14.0, 1.0), 14.0) == 0
    assert picker.nearest(xs, ys, (0.0, 0.0), (14.1, 1.0), 14.0) == -1
    assert picker.nearest(xs, ys, (1.0, 1.0), (500.0, 10.0), 14.0) == 0


def test_no_points() -> None:
    none = np.empty(0, np.float32)
    assert Picker().nearest(none, none, (0.0, 0.0), (1.0, 1.0), 14.0) == -1


def test_points_parked_far_away_are_never_meant() -> None:
    far = np.array([1e9, 1e9], np.float32)
    assert Picker().nearest(far, far, (0.0, 0.0), (1e6, 1e6), 14.0) == -1


@pytest.fixture(scope="module")
def many() -> MapPoints:
    n = 400_000
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 10, n).astype(np.uint8)
    centers = rng.normal(size=(10, 2))
    positions = (centers[labels] + rng.normal(size=(n, 2)) * 0.3).astype(np.float32)
    return MapPoints(positions, labels, np.arange(n), n, "train", mnist_dataset())


@pytest.mark.parametrize("visible", [frozenset(range(10)), frozenset(range(1, 9)), frozenset({2})])
@pytest.mark.parametrize("scale", [2.0, 120.0, 9_000.0])
def test_an_index_finds_what_brute_force_finds(
    many: MapPoints, visible: frozenset[int], scale: float
) -> None:
    cloud = PointCloud()
    cloud.set_points(many, visible)
    picker = Picker()
    picker.set_index(PointIndex(many.positions))
    shown = np.isin(many.labels, list(visible))
    xs, ys = many.positions.T
    rng = np.random.default_rng(int(scale))
    for place in [*rng.normal(size=(12, 2)), *(rng.normal(size=(4, 2)) * 6)]:
        found = picker.pick(cloud, tuple(place), (scale, scale), 14.0)
        pixels = brute(xs[shown], ys[shown], tuple(place), (scale, scale))
        if pixels.min() > 14:
            assert found == -1
        else:
            assert int(many.labels[found]) in visible
            [distance] = brute(xs[[found]], ys[[found]], tuple(place), (scale, scale))
            assert distance == pytest.approx(pixels.min(), abs=1e-3)


def test_an_index_of_other_positions_is_not_asked(many: MapPoints) -> None:
    cloud = PointCloud()
    cloud.set_points(many, frozenset(range(10)))
    picker = Picker()
    picker.set_index(PointIndex(many.positions))
    cloud.set_positions(many.positions + np.float32(50))
    x, y = (float(z) for z in many.positions[7])
    assert picker.pick(cloud, (x, y), (100.0, 100.0), 14.0) == -1
    found = picker.pick(cloud, (x + 50, y + 50), (1e6, 1e6), 14.0)
    assert np.allclose(many.positions[found], many.positions[7], atol=1e-4)


def test_places_too_far_out_to_be_drawn_are_not_picked(many: MapPoints) -> None:
    positions = many.positions.copy()
    positions[3] = 2e6, 2e6
    positions[4] = np.nan, 0
    cloud = PointCloud()
    cloud.set_points(replace(many, positions=positions), frozenset(range(10)))
    picker = Picker()
    picker.set_index(PointIndex(positions))
    assert picker.pick(cloud, (2e6, 2e6), (100.0, 100.0), 14.0) == -1
