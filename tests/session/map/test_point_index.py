import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vae_explorer.session.map.point_index import PointIndex
from vae_explorer.types import Float32, Float64

Places = Float32
PLACE = st.tuples(st.floats(-5, 5, width=32), st.floats(-5, 5, width=32))


def distances(positions: Places, place: tuple[float, float]) -> Float64:
    away = positions.astype(np.float64) - place
    return np.asarray(np.hypot(*away.T))


def of_kind(kind: str, n: int = 30_000) -> Places:
    rng = np.random.default_rng(3)
    positions = rng.normal(size=(n, 2)).astype(np.float32)
    if kind == "collapsed":
        positions[n // 50 :] *= np.float32(1e-6)
    elif kind == "in a line":
        positions[:, 1] = 0.25
    elif kind == "outliers":
        positions[::1000] *= np.float32(1e9)
    return positions


KINDS = ["normal", "collapsed", "in a line", "outliers"]


@settings(max_examples=200, deadline=None)
@given(st.lists(PLACE, max_size=40), PLACE, st.floats(1e-3, 20), st.integers(0, 2**40 - 1))
def test_against_brute_force(
    points: list[tuple[float, float]], place: tuple[float, float], radius: float, bits: int
) -> None:
    positions = np.array(points, np.float32).reshape(-1, 2)
    allowed = np.array([bits >> i & 1 for i in range(len(points))], bool)
    index = PointIndex(positions)
    away = np.where(allowed, distances(positions, place), np.inf)
    found = index.nearest(place, radius, allowed)
    if found == -1:
        assert not (away < radius * (1 - 1e-12)).any()
    else:
        assert away[found] <= radius * (1 + 1e-12)
        assert away[found] == pytest.approx(away.min(), rel=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_many_places_however_they_lie(kind: str) -> None:
    positions = of_kind(kind)
    index = PointIndex(positions)
    rng = np.random.default_rng(4)
    for place in [(0.0, 0.25), (1e4, -3.0), *map(tuple, rng.normal(size=(15, 2)))]:
        away = distances(positions, place)
        for radius in (1e-7, 1e-2, 1.0, 1e5):
            found = index.nearest(place, radius)
            if found == -1:
                assert away.min() > radius
            else:
                assert away[found] == away.min() <= radius


def test_places_that_are_none_are_never_found() -> None:
    positions = of_kind("normal", 200)
    positions[::3, 0] = np.nan
    positions[1::3, 1] = np.inf
    index = PointIndex(positions)
    good = set(range(2, 200, 3))
    assert index.nearest((0.0, 0.0), 1e30) in good


@pytest.mark.parametrize("n", [0, 3])
def test_with_none_to_find(n: int) -> None:
    index = PointIndex(np.full((n, 2), np.nan, np.float32))
    assert index.nearest((0.0, 0.0), 1.0) == -1
    assert index.fullest == 0


def test_positions_are_shared_and_little_is_added() -> None:
    positions = of_kind("normal", 200_000)
    index = PointIndex(positions)
    assert index.positions is positions
    assert index.nbytes < 6 * len(positions)
    assert index.fullest >= len(positions) / 256**2


@pytest.mark.parametrize("shape", [(4,), (4, 3), (2, 4, 2)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"\(n, 2\)"):
        PointIndex(np.zeros(shape, np.float32))
