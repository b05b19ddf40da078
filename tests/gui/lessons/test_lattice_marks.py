import numpy as np
import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from tests.support.widgets import expose
from vae_explorer.gui.lessons.lattice_marks import cells, lines
from vae_explorer.gui.plot.chart import Chart
from vae_explorer.gui.theme import LIGHT

NODES = np.stack(np.meshgrid(np.arange(3.0), np.arange(3.0)), axis=2)
REGION = (0.0, 2.0, 0.0, 2.0)


@pytest.fixture
def chart(qtbot: QtBot) -> Chart:
    chart = expose(qtbot, Chart("x", aspect="exact"), 300, 300)
    chart.set_range(*REGION)
    return chart


def color(chart: Chart, x: float, y: float) -> QColor:
    return chart.grab().toImage().pixelColor(chart.to_pixel(x, y).toPoint())


def test_denser_cells_are_stronger(chart: Chart) -> None:
    chart.set_marks([cells(NODES, np.array([[0.0, 0.5], [1.0, np.nan]]))])
    assert color(chart, 0.4, 0.4) == QColor(LIGHT.canvas)
    assert color(chart, 1.6, 1.6) == QColor(LIGHT.canvas)
    weak, strong = color(chart, 1.6, 0.4).red(), color(chart, 0.4, 1.6).red()
    assert strong < weak < 255


def test_cells_that_a_fold_lays_on_others_are_painted(chart: Chart) -> None:
    folded = NODES.copy()
    folded[..., 1] = np.abs(folded[..., 1] - 1.0)
    chart.set_marks([cells(folded, np.ones((2, 2)))])
    assert color(chart, 0.4, 0.4).red() < 200


def test_nothing_finite_paints_nothing(chart: Chart) -> None:
    chart.set_marks([cells(np.full_like(NODES, np.nan), np.ones((2, 2)))])
    assert color(chart, 0.4, 0.4) == QColor(LIGHT.canvas)


def test_lines_are_broken_where_there_is_no_value_or_a_tear(chart: Chart) -> None:
    x, height = np.linspace(0.05, 1.95, 39), 1.1  # between the lines of the grid
    line = np.stack([x, np.full(39, height)], axis=1)
    line[10] = np.nan
    torn = np.stack([x, np.where(x < 1.1, 0.3, 1.7)], axis=1)
    chart.set_marks([lines(np.stack([line, torn]), REGION)])
    pixel = chart.to_data(QPointF(1.0, 1.0))[1] - chart.to_data(QPointF(1.0, 2.0))[1]
    left, gap, right = (
        min(color(chart, at, height + row * pixel).lightness() for row in (-1, 0, 1))
        for at in (0.35, x[10], 1.6)
    )
    assert gap == 255
    assert max(left, right) < 230
    assert color(chart, 1.1, 0.8).lightness() == 255
