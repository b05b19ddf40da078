from dataclasses import replace

import numpy as np
import pytest

from vae_explorer.gui.curves.curve_table import PANELS, CurveSpec
from vae_explorer.gui.curves.decimation import Vertices
from vae_explorer.gui.curves.history_table import HistoryTable
from vae_explorer.gui.curves.trace import TimeScale, Trace, robust_range, to_axis, written
from vae_explorer.gui.theme import DARK, LIGHT
from vae_explorer.training.history import HistoryPoint

X = np.linspace(0.0, 40.0, 601)
RISE = -133 - 407 * np.exp(-X / 0.8)
ELBO, HELD_OUT = PANELS[0].curves[:2]


def table(count: int, per_epoch: int = 10) -> HistoryTable:
    """Reports a tenth of an epoch apart, ten steps and half a second each."""
    points = []
    for k in range(1, count + 1):
        point = HistoryPoint(
            k / per_epoch, -200.0 + k, -190.0 + k, 10.0, -200.0 + k, step=10 * k, seconds=k / 2
        )
        if k % per_epoch == 0:
            point = replace(point, held_out_elbo=-210.0 + k)
        points.append(point)
    return HistoryTable(points)


def test_the_first_steps_do_not_flatten_the_curve() -> None:
    limits = robust_range([Vertices(X, RISE)])
    assert limits is not None
    low, high = limits
    assert -140 < low < -133.5
    assert -133 < high < -132


def test_a_spike_and_a_nan_do_not_flatten_the_curve_either() -> None:
    y = RISE.copy()
    y[300], y[301], y[302] = -1e9, np.nan, np.inf
    limits = robust_range([Vertices(X, y)])
    assert limits is not None
    assert -145 < limits[0] < limits[1] < -130


def test_all_curves_fit() -> None:
    other = Vertices(np.array([39.0, 40.0]), np.array([-150.0, -151.0]))
    limits = robust_range([Vertices(X, RISE), other])
    assert limits is not None
    assert limits[0] < -151
    assert limits[1] > -133


@pytest.mark.parametrize("y", [[-133.0], [0.0], [-133.0, -133.0, -133.0]])
def test_a_flat_curve_has_a_range_around_it(y: list[float]) -> None:
    limits = robust_range([Vertices(np.arange(len(y), dtype=float), np.array(y))])
    assert limits is not None
    assert limits[0] < y[0] < limits[1]


@pytest.mark.parametrize("y", [[], [np.nan], [np.nan, np.inf]])
def test_nothing_finite_has_no_range(y: list[float]) -> None:
    curve = Vertices(np.arange(len(y), dtype=float), np.array(y, dtype=float))
    assert robust_range([curve]) is None


def test_a_logarithm_of_nothing_is_not_a_number() -> None:
    np.testing.assert_array_equal(
        to_axis(np.array([100.0, 0.0, -1.0, np.nan]), log=True), [2, np.nan, np.nan, np.nan]
    )


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (-133.456, ".2f", "−133.46"),
        (1.5e-7, ".3g", "1.5e−07"),
        (2.0, ".0f", "2"),
        (None, ".2f", ""),
    ],
)
def test_values_are_written_short(value: float | None, digits: str, text: str) -> None:
    assert written(value, digits) == text


@pytest.mark.parametrize(("unit", "last"), [("epoch", 3.0), ("step", 300.0), ("seconds", 15.0)])
def test_time_is_counted_as_asked(unit: str, last: float) -> None:
    trace = Trace(table(30), ELBO)
    trace.update()
    drawn = trace.drawn(TimeScale(unit), np.linspace(0, last, 101), smooth=False)  # type: ignore[arg-type]
    np.testing.assert_allclose(drawn.x, np.linspace(last / 30, last, 30))
    np.testing.assert_array_equal(drawn.y, np.arange(-199.0, -169.0))


def test_a_logarithmic_time_axis_is_in_powers_of_ten() -> None:
    trace = Trace(table(30), ELBO)
    trace.update()
    drawn = trace.drawn(TimeScale("step", log=True), np.linspace(0, 3, 101), smooth=False)
    np.testing.assert_allclose(10**drawn.x, np.arange(10, 301, 10))


def test_a_run_that_does_not_know_the_unit_is_not_drawn() -> None:
    trace = Trace(HistoryTable([HistoryPoint(1.0, -150.0, -144.0, 6.0, -150.0)]), ELBO)
    trace.update()
    drawn = trace.drawn(TimeScale("seconds"), np.linspace(0, 10, 11), smooth=False)
    assert len(drawn.x) == len(trace.times("seconds")) == 0
    assert trace.at("seconds", 3.0) is None


def test_the_newest_figure_at_a_moment_is_read() -> None:
    trace = Trace(table(30), HELD_OUT)
    assert trace.at("epoch", None) == -180
    assert trace.at("epoch", 2.9) == -190
    assert trace.at("step", 200) == -190
    assert trace.at("epoch", 0.9) is None


def test_only_what_was_updated_is_drawn() -> None:
    growing = table(5)
    trace = Trace(growing, ELBO)
    trace.set_smoothing(0.5)
    trace.update()
    growing.append([HistoryPoint(0.6, -100.0, -90.0, 10.0, -100.0, step=60, seconds=3.0)])
    edges = np.linspace(0, 1, 101)
    for smooth in (False, True):
        assert len(trace.drawn(TimeScale(), edges, smooth=smooth).x) == 5
    trace.update()
    for smooth in (False, True):
        assert len(trace.drawn(TimeScale(), edges, smooth=smooth).x) == 6


def test_only_what_is_noisy_is_smoothed() -> None:
    train, held_out = Trace(table(30), ELBO), Trace(table(30), HELD_OUT)
    for trace in (train, held_out):
        trace.set_smoothing(0.9)
    assert train.smoothing
    assert not held_out.smoothing
    held_out.update()
    assert len(held_out.drawn(TimeScale(), np.linspace(0, 3, 11), smooth=True).x) == 0


@pytest.mark.parametrize("log", [False, True])
def test_a_sample_of_a_long_history_spreads_along_the_axis(log: bool) -> None:
    sample = Trace(table(20_000), ELBO).sample(TimeScale("epoch", log))
    assert 100 < len(sample.x) <= 4_096
    middle = np.searchsorted(sample.x, (sample.x[0] + sample.x[-1]) / 2)
    assert middle / len(sample.x) == pytest.approx(0.5 if not log else 0.1, abs=0.1)


def test_a_colour_is_the_theme_s_or_its_own() -> None:
    spec = CurveSpec("train", "elbo", "train")
    assert Trace(table(1), spec).color(DARK) == DARK.train
    assert Trace(table(1), spec).color(LIGHT) == LIGHT.train
    assert Trace(table(1), spec, "#123456").color(DARK) == "#123456"
    assert Trace(table(1), spec, "#123456").foreign
