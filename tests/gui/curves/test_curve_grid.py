import pytest
from pytestqt.qtbot import QtBot

from tests.support.widgets import expose
from vae_explorer.gui.curves.curve_grid import CurveGrid
from vae_explorer.gui.curves.curve_panel import CurvePanel
from vae_explorer.gui.curves.curve_table import PANELS
from vae_explorer.gui.curves.panel import Panel
from vae_explorer.gui.curves.rate_distortion import RateDistortionPanel
from vae_explorer.gui.plot.export import columns_for


@pytest.mark.parametrize(
    ("count", "size", "columns"),
    [
        (3, (340, 700), 1),
        (3, (1200, 420), 3),
        (3, (900, 220), 3),
        (6, (1200, 420), 3),
        (9, (1200, 800), 3),
        (9, (320, 700), 1),
        (1, (1200, 420), 1),
    ],
)
def test_columns_suit_the_space(count: int, size: tuple[int, int], columns: int) -> None:
    assert columns_for(count, *size) == columns


@pytest.fixture
def grid(qtbot: QtBot) -> CurveGrid:
    return expose(qtbot, CurveGrid(), 340, 700)


def numbered(panel: Panel) -> bool:
    return panel.plot.x.numbers


def test_only_the_lowest_panel_of_a_stack_is_numbered(grid: CurveGrid) -> None:
    panels = [CurvePanel(spec) for spec in PANELS[:3]]
    grid.set_panels(panels)
    assert [numbered(panel) for panel in panels] == [False, False, True]
    grid.resize(1200, 300)
    assert grid.columns == 3
    assert all(numbered(panel) for panel in panels)


def test_time_is_numbered_above_a_panel_that_has_none(grid: CurveGrid) -> None:
    panels = [*(CurvePanel(spec) for spec in PANELS[:3]), RateDistortionPanel()]
    grid.set_panels(panels)
    assert [numbered(panel) for panel in panels] == [False, False, True, True]


def test_panels_come_and_go(qtbot: QtBot, grid: CurveGrid) -> None:
    panels = [CurvePanel(spec) for spec in PANELS[:3]]
    grid.set_panels(panels)
    grid.set_panels(panels[:1])
    qtbot.waitUntil(lambda: panels[0].height() > 600)
    assert [panel.isVisible() for panel in panels] == [True, False, False]
    grid.set_panels(panels)
    qtbot.waitUntil(panels[2].isVisible)


def test_too_many_for_the_height_scroll(qtbot: QtBot, grid: CurveGrid) -> None:
    grid.set_panels([CurvePanel(spec) for spec in PANELS])
    grid.resize(320, 400)
    qtbot.waitUntil(lambda: grid.verticalScrollBar().maximum() > 0)
    assert grid.horizontalScrollBar().maximum() == 0
