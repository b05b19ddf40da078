import pytest
from pytestqt.qtbot import QtBot

from vae_explorer.gui.curves.curve_controls import RATE_DISTORTION, CurveChoices
from vae_explorer.gui.curves.curve_panel import CurvePanel
from vae_explorer.gui.curves.curve_runs import CurveRuns
from vae_explorer.gui.curves.curve_table import PANELS, Overlay
from vae_explorer.gui.curves.trace import TimeScale
from vae_explorer.gui.plot.marks import Line
from vae_explorer.session.training.run_history import RunHistory
from vae_explorer.training.history import HistoryPoint

OLD = HistoryPoint(1.0, -150.0, -144.0, 6.0, -150.0)
NEW = HistoryPoint(
    2.0, -140.0, -134.0, 6.0, -140.0, -141.0, -134.4, 6.6, -140.5, 2, 15, 1e-3, 9.0, 2.0, 1, 3.5
)


def test_panels_are_offered_that_have_something_to_say() -> None:
    runs = CurveRuns()
    assert runs.empty
    runs.history = RunHistory([OLD])
    assert not runs.empty
    assert {"active_units", RATE_DISTORTION} <= runs.offered
    assert not {"beta", "samples"} & runs.offered
    runs.overlays = (Overlay("other", "#d97706", RunHistory([NEW])),)
    assert "beta" in runs.offered


def test_time_is_counted_in_what_the_run_knows() -> None:
    runs = CurveRuns()
    runs.history = RunHistory([NEW])
    assert runs.scale(TimeScale("seconds", True)) == TimeScale("seconds", True)
    runs.history = RunHistory([OLD])
    assert runs.scale(TimeScale("seconds", True)) == TimeScale("epoch", True)


@pytest.mark.parametrize(("point", "changed"), [(OLD, False), (NEW, True)])
def test_what_decides_the_curves_changes_seldom(point: HistoryPoint, changed: bool) -> None:
    runs = CurveRuns()
    runs.history = RunHistory([OLD])
    before = runs.conditions
    runs.history.extend([point])
    assert (runs.conditions != before) == changed


def drawn(panel: CurvePanel) -> list[Line]:
    return [mark for mark in panel.plot.marks if isinstance(mark, Line) and len(mark.x)]


def test_a_panel_gets_the_curves_of_all_runs(qtbot: QtBot) -> None:
    runs = CurveRuns()
    runs.history = RunHistory([NEW])
    runs.overlays = (Overlay("other", "#d97706", RunHistory([OLD, NEW])),)
    panel = CurvePanel(PANELS[2])
    qtbot.addWidget(panel)
    runs.fill(panel, CurveChoices(scale=TimeScale("step")))
    panel.set_x_range(0, 20)
    panel.refresh()
    # The other run does not know its steps throughout.
    assert [line.color for line in drawn(panel)] == ["kl", "held_out"]
    runs.fill(panel, CurveChoices())
    panel.refresh()
    assert [line.color for line in drawn(panel)].count("#d97706") == 2
