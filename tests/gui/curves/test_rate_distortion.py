from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from tests.support.widgets import expose
from vae_explorer.gui.curves.rate_distortion import RateDistortionPanel, RunPath
from vae_explorer.gui.plot.marks import Line, Ring
from vae_explorer.session.training.run_history import RunHistory
from vae_explorer.training.history import HistoryPoint


def points(count: int, beta: float | None = 2.0) -> list[HistoryPoint]:
    """Ten reports an epoch along distortion = 100 + 40 / rate, where the slope at rate r is
    −40 / r²."""
    found = []
    for k in range(1, count + 1):
        rate = 1 + 4 * k / count
        fit = -100 - 40 / rate
        point = HistoryPoint(k / 10, fit - rate, fit, rate, fit - 2 * rate, beta=beta)
        if k % 10 == 0:
            point = replace(point, held_out_elbo=fit - rate - 3)
            point = replace(point, held_out_log_likelihood=fit - 2, held_out_kl=rate + 1)
        found.append(point)
    return found


def shown(qtbot: QtBot, history: list[HistoryPoint]) -> RateDistortionPanel:
    panel = expose(qtbot, RateDistortionPanel(), 400, 300)
    table = RunHistory(history)
    panel.set_paths([RunPath(table, "all"), RunPath(table, "held_out")], [])
    panel.refresh()
    panel.fit()
    return panel


def legend(panel: RateDistortionPanel) -> str:
    return " · ".join(f"{entry.name} {entry.value}".strip() for entry in panel.plot.legend)


def lines(panel: RateDistortionPanel) -> list[Line]:
    return [mark for mark in panel.plot.marks if isinstance(mark, Line)]


def rings(panel: RateDistortionPanel, shape: str = ".") -> list[tuple[float, float]]:
    front = panel.plot.front
    return [mark.position for mark in front if isinstance(mark, Ring) and mark.shape == shape]


def test_paths_are_kl_against_minus_the_log_likelihood(qtbot: QtBot) -> None:
    history = points(40)
    panel = shown(qtbot, history)
    train, held_out = lines(panel)
    np.testing.assert_array_equal(train.x, [p.kl for p in history])
    np.testing.assert_array_equal(train.y, [-p.log_likelihood for p in history])
    kl = [p.held_out_kl for p in history if p.held_out_kl is not None]
    np.testing.assert_array_equal(held_out.x, kl)
    assert panel.plot.x.label == "rate (nats / image)"
    assert panel.plot.y.label == "distortion (nats / image)"


def test_dots_are_at_the_newest_moment_or_the_one_read(qtbot: QtBot) -> None:
    history = points(40)
    panel = shown(qtbot, history)
    newest = history[-1]
    assert rings(panel)[0] == (newest.kl, -newest.log_likelihood)
    panel.set_reading(2.5)
    then, measured = history[24], history[19]
    assert measured.held_out_log_likelihood is not None
    assert rings(panel) == [
        (then.kl, -then.log_likelihood),
        (measured.held_out_kl, -measured.held_out_log_likelihood),
    ]
    assert f"({then.kl:.2f}, {-then.log_likelihood:.2f})" in legend(panel)
    panel.set_reading(0.5)
    assert len(rings(panel)) == 1  # nothing was held out by then


def test_along_the_line_the_objective_stays_the_same(qtbot: QtBot) -> None:
    panel = shown(qtbot, points(40))
    panel.set_reading(2.0)
    (line,) = [mark for mark in panel.plot.front if isinstance(mark, Line)]
    here = points(40)[19]
    np.testing.assert_allclose(line.y + 2.0 * line.x, -here.log_likelihood + 2.0 * here.kl)
    assert "slope −β = −2" in legend(panel)


def test_no_line_where_beta_is_not_known(qtbot: QtBot) -> None:
    panel = shown(qtbot, points(40, beta=None))
    assert not any(isinstance(mark, Line) for mark in panel.plot.front)
    assert "slope" not in legend(panel)


@pytest.mark.parametrize(("rows", "calmer"), [("all", True), ("held_out", False)])
def test_only_the_training_path_is_smoothed(rows: Literal["all", "held_out"], calmer: bool) -> None:
    rng = np.random.default_rng(0)
    table = RunHistory([replace(p, kl=p.kl + float(rng.normal())) for p in points(200)])
    rough, smooth = (
        np.abs(np.diff(RunPath(table, rows, smoothing=weight).positions[0])).sum()
        for weight in (0.0, 0.9)
    )
    assert (smooth < rough / 2) == calmer


def test_the_moment_of_a_place_is_found(qtbot: QtBot) -> None:
    then = points(40)[24]
    panel = shown(qtbot, points(40))
    position = then.kl, -then.log_likelihood
    assert panel.is_near(*position)
    assert panel.time_at(*position) == pytest.approx(2.5)
    assert panel.time_at(position[0], position[1] + 1e4) is None


def test_the_moment_of_the_window_is_marked(qtbot: QtBot) -> None:
    here = points(40)[19]
    panel = shown(qtbot, points(40))
    panel.set_moment(2.0)
    assert [x for x, _ in rings(panel, "o")] == [here.kl, here.held_out_kl]
    panel.set_moment(None)
    assert rings(panel, "o") == []


def test_other_runs_are_named(qtbot: QtBot) -> None:
    panel = shown(qtbot, points(40))
    runs = (("", RunHistory(points(40))), ("#d97706", RunHistory(points(20))))
    paths = [RunPath(table, "all", color) for color, table in runs]
    panel.set_paths([*paths, replace(paths[1], rows="held_out")], ["other run"])
    panel.refresh()
    assert "other run" in legend(panel)
    assert [line.color for line in lines(panel)].count("#d97706") == 2


def test_it_follows_a_run_that_leaves_the_view(qtbot: QtBot) -> None:
    history = points(40)
    panel = shown(qtbot, history[:20])
    panel.set_paths([RunPath(RunHistory(history), "all")], [])
    panel.refresh()
    panel.follow()
    assert panel.region[1] > history[-1].kl


def test_no_history_is_no_accident(qtbot: QtBot) -> None:
    panel = shown(qtbot, [])
    panel.follow()
    assert panel.time_at(0, 0) is None
