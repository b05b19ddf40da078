"""The view of the trade, with real studies of the bundled model and of very small ones."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QProgressBar, QSlider
from pytestqt.qtbot import QtBot

from tests.support.lessons import button, named
from tests.support.person import ShowTheme
from vae_explorer.gui.explore.decode.digit_view import DigitView
from vae_explorer.gui.lessons.code_map import CodeMap
from vae_explorer.gui.lessons.picture_grid import PictureGrid
from vae_explorer.gui.lessons.rate_plane import RatePlane
from vae_explorer.gui.lessons.trade import TradeView
from vae_explorer.gui.theme import DARK, LIGHT
from vae_explorer.lessons.trade import BETAS
from vae_explorer.session.lessons.trade import Trade

_LEFT = Qt.MouseButton.LeftButton


def test_the_button_trains_and_the_bar_tells(
    view: TradeView, experiment: Trade, settle: Callable[[], None]
) -> None:
    bar = view.findChild(QProgressBar)
    slider = view.findChild(QSlider)
    assert not slider.isEnabled()
    assert "0 of 8" in bar.text()
    train = button(view, "rain")
    train.click()
    assert train.text() == "S&top"
    settle()
    assert len(experiment.result.studies) == len(BETAS)
    assert "8 of 8" in bar.text()
    assert not train.isEnabled()
    assert slider.isEnabled()


def test_the_slider_morphs_and_a_click_on_a_point_chooses(
    view: TradeView, experiment: Trade, settle: Callable[[], None], qtbot: QtBot
) -> None:
    experiment.set(train=(0.3, 3.0))
    settle()
    slider = view.findChild(QSlider)
    (plane,) = view.findChildren(RatePlane)
    slider.setValue(20 * BETAS.index(3.0))
    assert experiment.result.study is experiment.result.studies[3.0]
    figures = experiment.result.studies[0.3].aggregate
    at = plane.to_pixel(figures.rate, figures.distortion).toPoint()
    QTest.mouseClick(plane, _LEFT, pos=at)
    settle()
    assert experiment.result.study is experiment.result.studies[0.3]
    assert slider.value() == 20 * BETAS.index(0.3)
    assert not button(view, "of the").isChecked()
    own = experiment.result.own
    assert own is not None
    at = plane.to_pixel(own.aggregate.rate, own.aggregate.distortion).toPoint()
    QTest.mouseClick(plane, _LEFT, pos=at)
    assert experiment.result.whole
    assert button(view, "of the").isChecked()
    plane.setFocus()
    rates = {one.aggregate.rate: one for one in [*experiment.result.trained, own]}
    order = [rates[rate] for rate in sorted(rates, reverse=True)]
    QTest.keyClick(plane, Qt.Key.Key_Left)
    settle()
    assert experiment.result.study is order[min(order.index(own) + 1, 2)]


def test_pointing_at_the_map_decodes_there(view: TradeView, experiment: Trade) -> None:
    (code_map,) = view.findChildren(CodeMap)
    probe = named(view, DigitView, "Decoded")
    position = code_map.frame.center().toPoint() + QPoint(30, -20)
    QTest.mousePress(code_map, _LEFT, pos=position)
    QTest.mouseRelease(code_map, _LEFT, pos=position)
    found = experiment.decode(code_map.to_data(position.toPointF()))
    assert found is not None
    assert probe._image is not None
    gray = probe._image.pixelColor(14, 14).red()
    assert gray == pytest.approx(255 * found[0][14, 14], abs=1)
    assert "q/p" in probe.accessibleDescription()
    before = probe._image.copy()
    code_map.setFocus()
    QTest.keyClick(code_map, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert probe._image != before


def test_a_draw_pointed_at_is_marked_on_the_map(view: TradeView, experiment: Trade) -> None:
    draws = named(view, PictureGrid, "Prior samples")
    (code_map,) = view.findChildren(CodeMap)
    before = code_map.grab().toImage()
    QTest.mouseMove(draws, draws.box(3).center().toPoint())
    assert draws._chosen == 3
    assert code_map.grab().toImage() != before
    assert experiment.result.draws is not None
    seed = experiment.settings.draws
    button(view, "New Samples").click()
    assert experiment.settings.draws == seed + 1
    assert draws.plot.subtitle.endswith("in a hole")
    view.set_hidden(["holes"])
    assert not draws.plot.subtitle
    assert not draws._framed


def test_points_have_the_colours_of_their_classes_in_both_themes(
    view: TradeView, experiment: Trade, show_theme: ShowTheme
) -> None:
    (code_map,) = view.findChildren(CodeMap)
    view.set_hidden(["pictures"])
    for theme in (LIGHT, DARK):
        show_theme(theme)
        image = code_map.grab().toImage()
        colors = set()
        for x, y in experiment.result.codes[experiment.result.labels == 0][:40].tolist():
            at = code_map.to_pixel(x, y).toPoint()
            if code_map.frame.contains(at.toPointF()):
                color = image.pixelColor(at)
                colors.add(color.blue() > color.red() + 40)
        assert True in colors
        corner = code_map.frame.topLeft().toPoint() + QPoint(3, 3)
        assert image.pixelColor(corner).name() == theme.canvas
