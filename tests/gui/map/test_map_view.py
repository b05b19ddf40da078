from dataclasses import replace
from operator import attrgetter
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from tests.support.map_views import (
    COLORS,
    IMAGE,
    SIGNALS,
    PointsOf,
    card,
    markers,
    messages,
    names,
    pixel,
    status,
)
from tests.support.widgets import expose
from vae_explorer.gui.map import status_line
from vae_explorer.gui.map.hover import CARD_DELAY_MS, PICK_RADIUS
from vae_explorer.gui.map.legend import LegendButton
from vae_explorer.gui.map.map_view import MapView
from vae_explorer.gui.theme import DARK, LIGHT
from vae_explorer.session.map.layers import LAYERS, default_state


@pytest.fixture
def heard(view: MapView) -> list[tuple[Any, ...]]:
    """Everything the map says: (signal, *arguments)."""
    said: list[tuple[Any, ...]] = []
    for name in SIGNALS:
        attrgetter(name)(view).connect(lambda *a, name=name: said.append((name, *a)))
    return said


def test_an_empty_map_says_so(qtbot: QtBot, points_of: PointsOf) -> None:
    view = expose(qtbot, MapView())
    assert "Opening the map…" in messages(view)
    view.set_points(points_of([], []))
    assert "No points to show" in messages(view)
    view.fit()
    view.set_points(points_of([(0, 0)], [3]))
    assert not {"Opening the map…", "No points to show"} & set(messages(view))


def test_the_first_picture_leaves_room_for_the_legend(qtbot: QtBot, points_of: PointsOf) -> None:
    view = expose(qtbot, MapView())
    view.set_points(points_of([(-2, -2), (2, 2)], [0, 1]))
    at_once = view.canvas.width(), view.region()
    QApplication.processEvents()
    assert at_once == (view.canvas.width(), view.region())
    assert view.canvas.width() < view.width()


def test_the_first_points_are_fitted_and_later_ones_when_asked(
    view: MapView, points_of: PointsOf
) -> None:
    rect = view.canvas.plot_rect()
    assert all(rect.contains(pixel(view, index)) for index in range(4))
    shown = view.canvas.view_box.viewRect()
    far = points_of([(50, 50), (60, 60)], [0, 1])
    view.set_points(far)
    assert view.canvas.view_box.viewRect() == shown
    view.set_points(far, fit=True)
    assert view.canvas.plot_rect().contains(view.canvas.to_pixel(60, 60))
    assert not view.canvas.plot_rect().contains(view.canvas.to_pixel(0, 0))


def test_the_line_below_is_honest(view: MapView) -> None:
    assert status(view) == "4 of 60,000 · train · encoder mean"
    view.set_visible_labels(frozenset({1}))
    assert status(view) == "2 of 60,000 · train · encoder mean"
    view.set_positions(np.array([(0, 0), (np.nan, 0), (0, 0), (1, 1)], np.float32))
    assert status(view) == "1 of 60,000 · train · encoder mean"


def test_the_line_below_says_how_far_the_colours_have_come(view: MapView) -> None:
    before = status(view)
    view.status.set_progress("ELBO: 2,000 of 60,000 images")
    assert status(view) == "ELBO: 2,000 of 60,000 images"
    view.status.set_progress("")
    assert status(view) == before


def test_the_line_below_names_what_takes_long(
    view: MapView, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(status_line, "monotonic", lambda: now[0])
    before = status(view)
    view.status.set_waiting("log p(x)", True)
    assert status(view) == before, "it may be there at once"
    now[0] += 5
    view.status.set_waiting("Likelihood", True)
    assert status(view) == f"{before} · computing log p(x): 5 s"
    view.status.set_share("log p(x)", 0.35)
    assert status(view) == f"{before} · computing log p(x): 35%, 5 s"
    view.status.set_waiting("log p(x)", True)
    now[0] += 2
    view.status.set_waiting("Likelihood", True)
    assert status(view) == f"{before} · computing log p(x): 2 s", "another image begins"
    view.status.set_waiting("log p(x)", False)
    assert status(view) == before
    now[0] += 2
    view.status.set_progress("")
    assert status(view) == f"{before} · computing Likelihood: 2 s"
    view.status.set_waiting("Likelihood", False)
    assert status(view) == before


def test_two_lines_are_enough_for_the_line_below_a_narrow_map(view: MapView) -> None:
    view.resize(330, 500)
    view.status.set_progress("60,000 · train · encoder mean · 12,700 selected")
    QApplication.processEvents()
    label = next(one for one in view.findChildren(QLabel) if one.accessibleName() == "Points shown")
    two_lines = 2 * label.fontMetrics().lineSpacing()
    assert label.heightForWidth(label.width()) <= label.height() == two_lines


def test_a_click_tells_place_and_point(view: MapView, hand: Any, heard: list[Any]) -> None:
    hand.click(pixel(view, 1, PICK_RADIUS - 2))
    hand.click(pixel(view, 1, -(PICK_RADIUS + 2)))
    assert names(heard) == ["clicked", "clicked"]
    assert heard[0][3] == 1
    assert heard[1][3] == -1
    where = view.canvas.to_latent(pixel(view, 1, PICK_RADIUS - 2))
    assert heard[0][1:3] == pytest.approx(where)


def test_a_ctrl_click_tells_a_point_and_nothing_of_empty_places(
    view: MapView, hand: Any, heard: list[Any]
) -> None:
    hand.keys = Qt.KeyboardModifier.ControlModifier
    hand.click(pixel(view, 3))
    hand.click(pixel(view, 3, PICK_RADIUS + 2))
    assert heard == [("ctrl_clicked", 3)]


@pytest.mark.parametrize("how", ["home", "double click"])
def test_home_and_a_double_click_on_nothing_fit(
    qtbot: QtBot, view: MapView, hand: Any, how: str
) -> None:
    fitted = view.canvas.view_box.viewRect()
    view.canvas.zoom(0.4)
    view.canvas.pan_by(40, 40)
    if how == "home":
        qtbot.keyClick(view.canvas, Qt.Key.Key_Home)
    else:
        hand.double_click(view.canvas.plot_rect().topLeft() + QPointF(20, 20))
    assert view.canvas.view_box.viewRect() == fitted


def test_a_double_click_on_a_point_is_two_clicks(
    view: MapView, hand: Any, heard: list[Any]
) -> None:
    shown = view.canvas.view_box.viewRect()
    hand.double_click(pixel(view, 2))
    assert [(entry[0], entry[3]) for entry in heard] == [("clicked", 2), ("clicked", 2)]
    assert view.canvas.view_box.viewRect() == shown


def test_hover_rings_the_nearest_point_and_tells_of_changes(
    qtbot: QtBot, view: MapView, hand: Any, heard: list[Any]
) -> None:
    def told() -> list[int]:
        return [entry[1] for entry in heard if entry[0] == "point_hovered"]

    hand.move(pixel(view, 1, 5))
    assert told() == [1]
    assert markers(view).hover_place == (2, 2)
    hand.move(pixel(view, 1, 8))
    qtbot.waitUntil(lambda: names(heard).count("hovered") == 2)
    assert told() == [1]
    hand.move(pixel(view, 2))
    qtbot.waitUntil(lambda: told() == [1, 2])
    hand.leave()
    assert told() == [1, 2, -1]
    assert heard[-2:] == [("hovered", None), ("point_hovered", -1)]
    assert markers(view).hover_place is None


def test_the_card_comes_after_a_moment_and_goes_with_the_hit(
    qtbot: QtBot, view: MapView, hand: Any
) -> None:
    hand.move(pixel(view, 2))
    assert not card(view).isVisible()
    view.hover.set_image(2, IMAGE, "ELBO −90.1")
    qtbot.waitUntil(card(view).isVisible, timeout=20 * CARD_DELAY_MS)
    assert {"7", "train 1,002", "ELBO −90.1"} <= set(messages(view))
    hand.leave()
    assert not card(view).isVisible()


def test_an_image_that_comes_late_is_ignored(view: MapView, hand: Any) -> None:
    hand.move(pixel(view, 2))
    view.hover.set_image(1, IMAGE, "of another point")
    assert card(view).findChildren(QLabel)
    assert "of another point" not in [label.text() for label in card(view).findChildren(QLabel)]


def test_ring_and_card_are_hidden_while_dragging(qtbot: QtBot, view: MapView, hand: Any) -> None:
    hand.move(pixel(view, 2))
    qtbot.waitUntil(card(view).isVisible, timeout=20 * CARD_DELAY_MS)
    hand.press(pixel(view, 2))
    hand.move(pixel(view, 2, 12))
    assert not card(view).isVisible()
    assert markers(view).hover_place is None


def test_the_pin_follows_its_point_and_goes_with_the_points(
    view: MapView, points_of: PointsOf
) -> None:
    view.set_pinned(3)
    assert markers(view).pin_place == (-2, 2)
    moved = np.array([(0, 0), (0, 0), (0, 0), (1, 0.5)], np.float32)
    view.set_positions(moved)
    assert markers(view).pin_place == (1, 0.5)
    moved[3] = np.inf
    view.set_positions(moved.copy())
    assert markers(view).pin_place is None
    view.set_pinned(0)
    view.set_points(points_of([(1, 1)], [0]))
    assert markers(view).pin_place is None


def test_the_legend_hides_classes_from_eye_and_pointer(
    qtbot: QtBot, view: MapView, hand: Any, heard: list[Any]
) -> None:
    seven = next(b for b in view.findChildren(LegendButton) if b.label == 7)
    qtbot.mouseClick(seven, Qt.MouseButton.LeftButton)
    assert heard == [("legend.visible_changed", frozenset({0, 1}))]
    hand.click(pixel(view, 2))
    assert heard[-1][3] == -1
    shown = view.grab().toImage().pixelColor(view.canvas.mapTo(view, pixel(view, 2).toPoint()))
    assert shown == QColor(LIGHT.canvas)


def test_hidden_classes_stay_hidden_for_points_of_the_same_classes(
    view: MapView, points_of: PointsOf
) -> None:
    view.set_visible_labels(frozenset({0, 7}))
    view.set_points(points_of([(0, 0), (1, 1), (2, 2)], [7, 1, 0]))
    assert view.legend.visible_labels() == {0, 7}
    assert status(view).startswith("2 of")
    view.set_points(points_of([(0, 0), (1, 1)], [5, 1]))
    assert view.legend.visible_labels() == {1, 5}


def test_orders_say_nothing(view: MapView, points_of: PointsOf, heard: list[Any]) -> None:
    view.set_visible_labels(frozenset({1}))
    view.set_positions(np.zeros((4, 2), np.float32))
    view.set_cursor(1.0, 2.0)
    view.set_pinned(1, (0, 1))
    view.hover.set_image(1, IMAGE, "")
    view.status.set_color_choices((("label", "Label"), ("width", "Posterior width")), "width")
    view.set_colors(COLORS)
    view.set_selected(np.array([True, False, False, True]), "2 of 60,000")
    view.layers.set_states(tuple(default_state(spec) for spec in LAYERS))
    view.canvas.set_tool("box")
    view.set_theme(DARK)
    view.set_points(points_of([(0, 0)], [2]), fit=True)
    view.fit()
    view.grab()
    assert heard == []


def test_places_that_are_none_break_nothing(
    view: MapView, hand: Any, heard: list[Any], points_of: PointsOf
) -> None:
    nan, inf = float("nan"), float("inf")
    view.set_points(points_of([(nan, nan), (inf, 0), (0, -inf), (1e30, 1)], [0, 1, 2, 3]), fit=True)
    view.set_pinned(0)
    view.grab()
    hand.click(view.canvas.plot_rect().center())
    assert heard[0][3] == -1
    view.set_points(points_of([(nan, 0), (0.5, 0.5)], [0, 1]), fit=True)
    hand.click(view.canvas.to_pixel(0.5, 0.5))
    assert heard[-1][3] == 1


def test_points_that_are_hidden_are_not_hit(view: MapView, hand: Any, heard: list[Any]) -> None:
    states = [default_state(spec) for spec in LAYERS]
    view.layers.set_states(tuple(replace(state, on=state.id != "points") for state in states))
    hand.click(pixel(view, 1))
    assert heard[0][3] == -1
