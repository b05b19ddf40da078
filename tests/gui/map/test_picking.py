import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from vae_explorer.gui.map.picking import Picker

PLACES = st.floats(-4, 4, width=32)


def brute(
    xs: NDArray[np.float32],
    ys: NDArray[np.float32],
    place: tuple[float, float],
    scale: tuple[float, float],
) -> NDArray[np.float64]:
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
