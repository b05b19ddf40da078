from dataclasses import replace

import numpy as np
import pytest

from vae_explorer.gui.curves.curve_table import PANELS
from vae_explorer.gui.curves.trace import Trace, robust_range, smoothed
from vae_explorer.gui.plot.axis import Axis
from vae_explorer.session.training.run_history import RunHistory
from vae_explorer.training.history import HistoryPoint
from vae_explorer.types import Float64

X = np.linspace(0.0, 40.0, 601)
RISE = -133 - 407 * np.exp(-X / 0.8)
ELBO, HELD_OUT = PANELS[0].curves[:2]


def table(count: int, per_epoch: int = 10) -> RunHistory:
    """Reports a tenth of an epoch apart, ten steps and half a second each."""
    points = []
    for k in range(1, count + 1):
        point = HistoryPoint(
            k / per_epoch, -200.0 + k, -190.0 + k, 10.0, -200.0 + k, step=10 * k, seconds=k / 2
        )
        if k % per_epoch == 0:
            point = replace(point, held_out_elbo=-210.0 + k)
        points.append(point)
    return RunHistory(points)


TRAIN = (X, RISE)
SPIKE = RISE.copy()
SPIKE[300:303] = -1e9, np.nan, np.inf


@pytest.mark.parametrize(
    ("curves", "below", "above"),
    [
        ([TRAIN], (-140, -133.5), (-133, -132)),  # the first steps do not flatten it
        ([(X, SPIKE)], (-145, -133), (-133.5, -130)),
        ([TRAIN, (np.array([39.0, 40.0]), np.array([-150.0, -151.0]))], (-155, -151), (-133, -130)),
        ([(np.zeros(1), np.array([-133.0]))], (-134, -133), (-133, -132)),
        ([(np.arange(3.0), np.zeros(3))], (-1, 0), (0, 1)),
    ],
)
def test_the_bulk_of_the_curves_can_be_read(
    curves: list[tuple[Float64, Float64]], below: tuple[float, float], above: tuple[float, float]
) -> None:
    limits = robust_range(curves, Axis(), Axis())
    assert limits is not None
    assert below[0] < limits[0] < below[1]
    assert above[0] < limits[1] < above[1]


@pytest.mark.parametrize("y", [[], [np.nan], [np.nan, np.inf]])
def test_nothing_finite_has_no_range(y: list[float]) -> None:
    curve = np.arange(len(y), dtype=float), np.array(y, dtype=float)
    assert robust_range([curve], Axis(), Axis(log=True)) is None


def test_a_long_history_counts_evenly_along_the_axis() -> None:
    times = np.arange(1.0, 20_001.0)
    limits = robust_range([(times, np.log10(times))], Axis(log=True), Axis())
    assert limits is not None
    assert limits[0] < 1.0  # of the values, nearly all are above 3


def test_the_newest_figure_at_a_moment_is_read() -> None:
    trace = Trace(table(30), HELD_OUT)
    assert trace.at("epoch", None) == -180
    assert trace.at("epoch", 2.9) == -190
    assert trace.at("step", 200) == -190
    assert trace.at("epoch", 0.9) is None


def test_only_what_is_noisy_is_smoothed() -> None:
    assert Trace(table(30), ELBO, smoothing=0.9).smoothing == 0.9
    assert Trace(table(30), HELD_OUT, smoothing=0.9).smoothing == 0.0


def test_a_run_that_does_not_know_the_unit_is_not_drawn() -> None:
    trace = Trace(RunHistory([HistoryPoint(1.0, -150.0, -144.0, 6.0, -150.0)]), ELBO)
    assert len(trace.times("seconds")) == 0
    assert trace.at("seconds", 3.0) is None


@pytest.mark.parametrize("weight", [0.0, 0.5, 0.9, 0.99])
def test_an_average_is_that_of_its_recurrence(weight: float) -> None:
    values = np.random.default_rng(0).normal(-130, 10, 300)
    values[[0, 7, 8]] = np.nan, np.inf, np.nan
    expected, mean, count = [], 0.0, 0
    for value in values:
        if np.isfinite(value):
            mean, count = weight * mean + (1 - weight) * value, count + 1
            expected.append(mean / (1 - weight**count))
        else:
            expected.append(np.nan if weight else value)
    np.testing.assert_allclose(smoothed(values, weight), expected, rtol=1e-12)
