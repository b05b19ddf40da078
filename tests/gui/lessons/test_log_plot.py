import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from vae_explorer.gui.lessons.log_plot import Level, Line, LogPlot
from vae_explorer.gui.theme import DARK, LIGHT, Theme

X = np.array([1, 10, 100, 1_000])


@pytest.fixture(params=[False, True], ids=["linear", "log"])
def plot(request: pytest.FixtureRequest, qtbot: QtBot) -> LogPlot:
    plot = LogPlot("Error", "samples m", "nats", log_y=request.param)
    qtbot.addWidget(plot)
    plot.resize(500, 300)
    plot.set_theme(LIGHT)
    plot.set_x_range(1, 1_000)
    plot.show()
    QApplication.processEvents()
    return plot


def color_at(plot: LogPlot, x: float, y: float) -> QColor:
    QApplication.processEvents()
    at = plot.to_pixel(x, y).toPoint()
    return plot.grab().toImage().pixelColor(at)


def near(color: QColor, wanted: str, tolerance: int = 60) -> bool:
    other = QColor(wanted)
    pairs = zip(color.getRgb()[:3], other.getRgb()[:3], strict=True)  # type: ignore[index]
    return all(abs(a - b) < tolerance for a, b in pairs)


def shows(plot: LogPlot, x: float, y: float, wanted: str) -> bool:
    """Whether a colour is seen at a place or as near to it as a dash is long."""
    QApplication.processEvents()
    at = plot.to_pixel(x, y).toPoint()
    image = plot.grab().toImage()
    offsets = range(-8, 9)
    return any(
        near(image.pixelColor(at + QPoint(right, down)), wanted)
        for right in offsets
        for down in offsets
    )


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_a_line_and_levels_are_drawn_where_they_are(plot: LogPlot, theme: Theme) -> None:
    plot.set_theme(theme)
    line = Line(X, np.full(4, 6.5), "train", "from prior")
    plot.set_content([line], [Level(20.0, "held_out", "exact")], (1.0, 40.0))
    assert shows(plot, 33, 6.5, theme.train)
    assert near(color_at(plot, 33, 12.0), theme.canvas, 50)
    assert shows(plot, 33, 20.0, theme.held_out)
    assert "from prior" in plot.legend()
    assert "exact" in plot.legend()


def test_an_upright_level_stands_at_its_x(plot: LogPlot) -> None:
    plot.set_content([], [Level(50.0, "kl", "needed", upright=True)], (1.0, 40.0))
    assert shows(plot, 50, 15, LIGHT.kl)
    assert not shows(plot, 70, 15, LIGHT.kl)


def test_a_band_is_shaded_around_its_line(plot: LogPlot) -> None:
    line = Line(X, np.full(4, 10.0), "train", band=np.full(4, 5.0))
    plot.set_content([line], (), (1.0, 40.0))
    shade = color_at(plot, 33, 7.3)
    assert shade.blue() > shade.red() + 30
    assert near(color_at(plot, 33, 33.0), LIGHT.canvas, 45)


def test_the_place_is_dragged(plot: LogPlot, qtbot: QtBot) -> None:
    places: list[float] = []
    plot.dragged.connect(places.append)
    at = plot.to_pixel(100, 1.0).toPoint()
    at.setY(150)
    QTest.mousePress(plot, Qt.MouseButton.LeftButton, pos=at)
    assert places == []  # there is nothing to drag yet
    QTest.mouseRelease(plot, Qt.MouseButton.LeftButton, pos=at)
    plot.set_cursor(10)
    QTest.mousePress(plot, Qt.MouseButton.LeftButton, pos=at)
    QTest.mouseMove(plot, at + QPoint(2_000, 0))
    QTest.mouseRelease(plot, Qt.MouseButton.LeftButton, pos=at)
    assert places[0] == pytest.approx(100, rel=0.03)
    assert places[-1] == pytest.approx(1_000, rel=0.2)


def test_axes_are_numbered_at_powers_of_ten(plot: LogPlot) -> None:
    plot.set_x_range(1e-2, 1e5)
    ticks = plot.plot.getPlotItem().getAxis("bottom")._tickLevels[0]
    names = dict(ticks)
    assert names[-2.0] == "0.01"
    assert names[0.0] == "1"
    assert names[3.0] == "1,000"
    assert names[5.0] == "10⁵"


def test_without_lines_it_is_empty(plot: LogPlot) -> None:
    plot.set_content(())
    assert plot.legend() == ""
    plot.set_content([Line(X, np.full(4, np.nan), "train")])
