from collections.abc import Callable

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.support.widgets import expose
from vae_explorer.gui.map.plot import LARGEST_SPAN, SMALLEST_SPAN, LatentPlot
from vae_explorer.gui.theme import DARK, LIGHT, Theme


@pytest.fixture(params=[(640, 480), (300, 600), (1000, 260)])
def plot(qtbot: QtBot, request: pytest.FixtureRequest) -> LatentPlot:
    widget = expose(qtbot, LatentPlot(), *request.param)
    widget.grab()
    return widget


def test_pixels_and_places_are_inverse(plot: LatentPlot) -> None:
    for z in ((0.0, 0.0), (2.5, -1.0), (-40.0, 3.0)):
        assert plot.to_latent(plot.to_pixel(*z)) == pytest.approx(z, abs=1e-9)


def test_right_is_more_and_up_is_more(plot: LatentPlot) -> None:
    origin, right, up = plot.to_pixel(0, 0), plot.to_pixel(1, 0), plot.to_pixel(0, 1)
    assert right.x() > origin.x()
    assert right.y() == pytest.approx(origin.y())
    assert up.y() < origin.y()


def test_a_unit_is_as_long_across_as_up(plot: LatentPlot) -> None:
    across, up = plot.pixels_per_unit()
    assert across == pytest.approx(up, rel=1e-6)


def test_the_region_asked_for_is_in_view(plot: LatentPlot) -> None:
    plot.show_region(-1.0, 4.0, 2.0, 3.0)
    rect = plot.plot_rect()
    assert rect.contains(plot.to_pixel(-1.0, 2.0))
    assert rect.contains(plot.to_pixel(4.0, 3.0))
    assert plot.to_latent(rect.center()) == pytest.approx((1.5, 2.5), abs=0.02)


def test_a_single_place_is_a_region(plot: LatentPlot) -> None:
    plot.show_region(2.0, 2.0, 1.0, 1.0)
    assert plot.to_latent(plot.plot_rect().center()) == pytest.approx((2.0, 1.0), abs=1e-3)


def test_pan_moves_places_by_pixels(plot: LatentPlot) -> None:
    before = plot.to_pixel(0.5, 0.5)
    plot.pan_by(31.0, -17.0)
    after = plot.to_pixel(0.5, 0.5)
    assert after.x() - before.x() == pytest.approx(31.0, abs=1e-6)
    assert after.y() - before.y() == pytest.approx(-17.0, abs=1e-6)


def test_zoom_keeps_the_place_under_the_pointer(plot: LatentPlot) -> None:
    at = plot.plot_rect().topLeft() + QPointF(60, 40)
    position, scale = plot.to_latent(at), plot.pixels_per_unit()[0]
    plot.zoom(2.0, at)
    assert plot.to_latent(at) == pytest.approx(position, abs=1e-9)
    assert plot.pixels_per_unit()[0] == pytest.approx(2 * scale)


def test_zoom_has_ends(plot: LatentPlot) -> None:
    for factor, end in ((10.0, SMALLEST_SPAN), (0.1, LARGEST_SPAN)):
        for _ in range(20):
            plot.zoom(factor)
        assert plot.view_box.viewRect().width() == pytest.approx(end, rel=1e-6)


def test_view_changed_tells_of_pan_and_of_size(qtbot: QtBot, plot: LatentPlot) -> None:
    with qtbot.waitSignal(plot.view_changed):
        plot.pan_by(5, 0)
    with qtbot.waitSignal(plot.view_changed):
        plot.resize(plot.width() + 50, plot.height())
        plot.grab()


def test_a_fit_survives_a_change_of_size(plot: LatentPlot) -> None:
    plot.show_region(-2.0, 2.0, -2.0, 2.0)
    for size in ((400, 300), (900, 200), (260, 800)):
        plot.resize(*size)
        plot.grab()
        assert plot.plot_rect().contains(plot.to_pixel(-2, -2))
        assert plot.plot_rect().contains(plot.to_pixel(2, 2))
        across, up = plot.pixels_per_unit()
        assert across == pytest.approx(up, rel=1e-6)


def test_the_plot_inside_is_deaf(plot: LatentPlot) -> None:
    inner = plot.childAt(plot.plot_rect().center().toPoint())
    assert inner is None
    assert plot.view_box.menuEnabled() is False
    assert plot.contextMenuPolicy() == Qt.ContextMenuPolicy.DefaultContextMenu


def test_the_theme_colours_the_background(
    plot: LatentPlot, show_theme: Callable[[Theme], None]
) -> None:
    for theme in (DARK, LIGHT):
        show_theme(theme)
        shown = plot.grab().toImage().pixelColor(plot.plot_rect().center().toPoint())
        assert shown.name() == theme.canvas


def test_the_axes_have_room_for_numbers_and_names_in_any_font(plot: LatentPlot) -> None:
    font = plot.font()
    for size in (9.0, 18.0, 9.0):
        font.setPointSizeF(size)
        plot.setFont(font)
        QApplication.processEvents()
        line, plane = plot.fontMetrics().height(), plot.plot_rect()
        assert 2 * line <= plot.height() - plane.bottom() <= 3 * line
        assert 3 * line <= plane.left() <= 4 * line
