from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from vae_explorer.gui.curves.history_table import HistoryTable
from vae_explorer.gui.curves.rate_distortion import MOST_BLOCKS, Path, RateDistortionPanel
from vae_explorer.gui.theme import DARK, LIGHT
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
    panel = RateDistortionPanel()
    qtbot.addWidget(panel)
    panel.resize(400, 300)
    with qtbot.waitExposed(panel):
        panel.show()
    panel.set_theme(LIGHT)
    table = HistoryTable(history)
    panel.set_paths([Path(table, "all"), Path(table, "held_out")], [])
    panel.refresh()
    panel.fit()
    return panel


def legend(panel: RateDistortionPanel) -> str:
    return " ".join(label.text() for label in panel.findChildren(QLabel))


def test_paths_are_kl_against_minus_the_log_likelihood(qtbot: QtBot) -> None:
    history = points(40)
    sheet = shown(qtbot, history).sheet(LIGHT)
    train, held_out = sheet.strokes[:2]
    np.testing.assert_array_equal(train.vertices.x, [p.kl for p in history])
    np.testing.assert_array_equal(train.vertices.y, [-p.log_likelihood for p in history])
    np.testing.assert_array_equal(
        held_out.vertices.x, [p.held_out_kl for p in history if p.held_out_kl is not None]
    )
    assert sheet.x.label == "rate (nats / image)"
    assert sheet.y.label == "distortion (nats / image)"


def test_dots_are_at_the_newest_moment_or_the_one_read(qtbot: QtBot) -> None:
    history = points(40)
    panel = shown(qtbot, history)

    def dots() -> list[tuple[float, float]]:
        x, y = panel._dots.getOriginalDataset()
        return list(zip(x, y, strict=True))

    newest = history[-1]
    assert dots()[0] == (newest.kl, -newest.log_likelihood)
    panel.set_reading(2.5)
    then, measured = history[24], history[19]
    assert measured.held_out_log_likelihood is not None
    assert dots() == [
        (then.kl, -then.log_likelihood),
        (measured.held_out_kl, -measured.held_out_log_likelihood),
    ]
    assert f"({then.kl:.2f},&nbsp;{-then.log_likelihood:.2f})" in legend(panel)
    panel.set_reading(0.5)
    assert len(dots()) == 1  # nothing was held out by then


def test_along_the_line_the_objective_stays_the_same(qtbot: QtBot) -> None:
    panel = shown(qtbot, points(40))
    panel.set_reading(2.0)
    line = panel.sheet(LIGHT).strokes[-1].vertices
    loss = line.y + 2.0 * line.x
    here = points(40)[19]
    np.testing.assert_allclose(loss, -here.log_likelihood + 2.0 * here.kl)
    assert "slope&nbsp;−β&nbsp;=&nbsp;−2" in legend(panel)


def test_the_line_on_screen_has_that_slope(qtbot: QtBot) -> None:
    panel = shown(qtbot, points(40))
    panel.set_reading(2.0)
    ends = panel.sheet(LIGHT).strokes[-1].vertices
    picture = panel.plot.grab().toImage()
    for share in (0.15, 0.8):  # off the dots
        x = ends.x[0] + share * (ends.x[1] - ends.x[0])
        at = panel.view.mapViewToScene(QPointF(x, np.interp(x, ends.x, ends.y)))
        near = [
            picture.pixelColor(round(at.x()) + dx, round(at.y()) + dy)
            for dx in range(-8, 9)
            for dy in (-1, 0, 1)
        ]
        assert min(color.lightness() for color in near) < 140


def test_no_line_where_beta_is_not_known(qtbot: QtBot) -> None:
    panel = shown(qtbot, points(40, beta=None))
    assert not panel._tangent.isVisible()
    assert "slope" not in legend(panel)


def test_a_long_path_has_few_vertices_and_keeps_its_corners() -> None:
    rng = np.random.default_rng(0)
    kl, fit = rng.normal(5, 1, 50_000), rng.normal(-100, 5, 50_000)
    kl[20_000], fit[30_000] = 50, -900
    path = Path(
        HistoryTable(
            [
                HistoryPoint(k, y - x, y, x, y - x)
                for k, (x, y) in enumerate(zip(kl.tolist(), fit.tolist(), strict=True), 1)
            ]
        ),
        "all",
    )
    path.update()
    assert len(path.outline) < 5 * MOST_BLOCKS
    assert path.drawn.x.max() == 50
    assert path.drawn.y.max() == 900
    assert path.outline[-1] == 49_999


def test_only_the_training_path_is_smoothed() -> None:
    rng = np.random.default_rng(0)
    history = [replace(p, kl=p.kl + float(rng.normal())) for p in points(200)]
    for rows, calmer in (("all", True), ("held_out", False)):
        path = Path(HistoryTable(history), rows)  # type: ignore[arg-type]
        path.update()
        raw = np.abs(np.diff(path.rate)).sum()
        path.set_smoothing(0.9)
        path.update()
        assert (np.abs(np.diff(path.rate)).sum() < raw / 2) == calmer


def test_the_moment_of_a_place_is_found(qtbot: QtBot) -> None:
    history = points(40)
    panel = shown(qtbot, history)
    then = history[24]
    place = QPointF(then.kl, -then.log_likelihood)
    assert panel.is_near(place)
    assert panel.epoch_at(place) == pytest.approx(2.5)
    assert panel.epoch_at(QPointF(then.kl, -then.log_likelihood + 1e4)) is None


def test_the_moment_of_the_window_is_marked(qtbot: QtBot) -> None:
    history = points(40)
    panel = shown(qtbot, history)
    panel.set_moment(2.0)
    x, _ = panel._moment_dot.getOriginalDataset()
    assert list(x) == [history[19].kl, history[19].held_out_kl]
    panel.set_moment(None)
    assert panel._moment_dot.getOriginalDataset()[0] is None


def test_other_runs_are_named(qtbot: QtBot) -> None:
    panel = shown(qtbot, points(40))
    own, other = HistoryTable(points(40)), HistoryTable(points(20))
    panel.set_paths(
        [
            Path(own, "all"),
            Path(own, "held_out"),
            Path(other, "all", "#d97706"),
            Path(other, "held_out", "#d97706"),
        ],
        ["other run"],
    )
    panel.refresh()
    panel.set_theme(DARK)
    assert "other&nbsp;run" in legend(panel)
    assert [s.color for s in panel.sheet(DARK).strokes].count("#d97706") == 2
    assert len(panel.vertices()) == 2


def test_it_follows_a_run_that_leaves_the_view(qtbot: QtBot) -> None:
    history = points(40)
    panel = shown(qtbot, history[:20])
    panel.set_paths([Path(HistoryTable(history), "all")], [])
    panel.refresh()
    panel.follow()
    assert panel.view.viewRange()[0][1] > history[-1].kl


def test_no_history_is_no_accident(qtbot: QtBot) -> None:
    panel = shown(qtbot, [])
    panel.follow()
    assert panel.epoch_at(QPointF(0, 0)) is None
    assert panel.sheet(LIGHT).strokes == ()
