from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vae_explorer.gui.curves.decimation import VERTICES_A_COLUMN, Pyramid, decimate

RNG = np.random.default_rng(0)
NOISE = RNG.normal(size=100_003)


def pyramid(values: np.ndarray) -> Pyramid:
    built = Pyramid()
    built.update(values)
    return built


@given(
    st.integers(1, 3_000),
    st.lists(st.integers(0, 3_000), min_size=2, max_size=20, unique=True),
    st.integers(0, 99),
)
@settings(max_examples=60)
def test_extremes_hold_every_span_and_reach_little_further(
    count: int, borders: list[int], seed: int
) -> None:
    values = np.random.default_rng(seed).normal(size=count)
    edges = np.unique(np.clip(sorted(borders), 0, count))
    if len(edges) < 2:
        return
    starts, ends = edges[:-1], edges[1:]
    low, high = pyramid(values).extremes(starts, ends)
    for start, end, least, greatest in zip(starts, ends, low, high, strict=True):
        slack = (end - start) // 8
        around = values[max(start - slack, 0) : end + slack]
        assert around.min() <= least <= values[start:end].min()
        assert values[start:end].max() <= greatest <= around.max()


def test_it_grows_in_any_portions() -> None:
    whole, grown = pyramid(NOISE), Pyramid()
    for end in (0, 1, 7, 8, 9, 511, 512, 513, 5_000, 5_001, len(NOISE)):
        grown.update(NOISE[:end])
    starts = np.arange(0, len(NOISE) - 2_000, 2_000)
    np.testing.assert_array_equal(
        grown.extremes(starts, starts + 2_000), whole.extremes(starts, starts + 2_000)
    )


def test_what_is_not_finite_is_no_extreme() -> None:
    values = NOISE[:4_096].copy()
    values[:1_000] = np.nan
    values[2_000], values[2_001] = np.inf, -np.inf
    starts = np.array([0, 1_024, 2_048])
    low, high = pyramid(values).extremes(starts, np.array([512, 2_048, 4_096]))
    assert np.isnan([low[0], high[0]]).all()
    assert np.isfinite([low[1:], high[1:]]).all()


@pytest.mark.parametrize("most", [10, 100, 1_000, 200_000])
def test_an_outline_is_bounded_and_holds_the_extremes(most: int) -> None:
    found = pyramid(NOISE).outline(most)
    assert len(found) <= 2 * most + 20
    assert {NOISE.argmin(), NOISE.argmax()} <= set(found.tolist())
    assert np.all(np.diff(found) > 0)
    assert len(NOISE) - found[-1] < len(NOISE) / 4


@pytest.mark.parametrize("columns", [16, 300, 1_200])
@pytest.mark.parametrize("log", [False, True])
def test_vertices_are_few_and_peaks_survive(columns: int, log: bool) -> None:
    x = np.arange(1.0, len(NOISE) + 1)
    y = NOISE.copy()
    y[54_321], y[77_777] = 1e6, -1e6
    edges = np.geomspace(1, x[-1] + 1, columns + 1) if log else np.linspace(0, x[-1], columns + 1)
    drawn = decimate(x, y, pyramid(y), edges)
    assert len(drawn.x) <= VERTICES_A_COLUMN * columns + 2
    assert drawn.y.max() == 1e6
    assert drawn.y.min() == -1e6
    assert np.all(np.diff(drawn.x) >= 0)
    assert (drawn.x[0], drawn.y[0]) == (x[0], y[0])
    assert (drawn.x[-1], drawn.y[-1]) == (x[-1], y[-1])


def test_each_column_reaches_as_far_as_its_points() -> None:
    x = np.linspace(0, 1, len(NOISE), endpoint=False)
    edges = np.linspace(0, 1, 101)
    drawn = decimate(x, NOISE, pyramid(NOISE), edges)
    for left, right in pairwise(edges.tolist()):
        inside = NOISE[(x >= left) & (x < right)]
        here = drawn.y[(drawn.x >= left) & (drawn.x < right)]
        assert here.min() <= inside.min()
        assert here.max() >= inside.max()


def test_few_points_are_drawn_as_they_are() -> None:
    x = np.arange(100.0)
    drawn = decimate(x, NOISE[:100], pyramid(NOISE[:100]), np.linspace(-10, 200, 101))
    np.testing.assert_array_equal(drawn.x, x)
    np.testing.assert_array_equal(drawn.y, NOISE[:100])


def test_a_zoomed_curve_goes_on_beyond_the_edges() -> None:
    x = np.arange(100.0)
    drawn = decimate(x, NOISE[:100], pyramid(NOISE[:100]), np.linspace(10.5, 20.5, 101))
    np.testing.assert_array_equal(drawn.x, np.arange(10.0, 22.0))


@pytest.mark.parametrize("span", [(-5.0, -1.0), (200.0, 300.0)])
def test_nothing_in_sight_is_next_to_nothing(span: tuple[float, float]) -> None:
    drawn = decimate(np.arange(100.0), NOISE[:100], pyramid(NOISE[:100]), np.linspace(*span, 11))
    assert len(drawn.x) <= 2


def test_no_points_have_no_vertices() -> None:
    empty = np.empty(0)
    assert len(decimate(empty, empty, pyramid(empty), np.linspace(0, 1, 11)).x) == 0
