from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from PySide6.QtCore import QPoint
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from tests.support.map_views import PointsOf, markers, pixel, status, status_line
from vae_explorer.gui.map.map_view import MapView
from vae_explorer.gui.theme import DARK, Theme
from vae_explorer.session.map.layers import LAYERS, default_state


def test_points_glide_when_asked(qtbot: QtBot, view: MapView) -> None:
    start, end = view._cloud.positions.copy(), np.full((4, 2), 0.5, np.float32)
    seen: list[Any] = []
    view._easing.moved.connect(lambda _: seen.append(view._cloud.positions.copy()))
    view.set_pinned(1)
    view.set_positions(end, ease=True)
    qtbot.waitUntil(lambda: bool(seen) and np.array_equal(seen[-1], end))
    between = [places for places in seen if not (places == end).any()]
    for places in between:
        shares = (places - start) / (end - start)
        np.testing.assert_allclose(shares, shares[0, 0], atol=1e-6)
    assert markers(view).pin_place == (0.5, 0.5)
    view.set_positions(start, ease=False)
    np.testing.assert_array_equal(view._cloud.positions, start)


def test_other_points_end_a_glide(qtbot: QtBot, view: MapView, points_of: PointsOf) -> None:
    view.set_positions(np.zeros((4, 2), np.float32), ease=True)
    view.set_points(points_of([(1, 1)], [0]))
    qtbot.wait(50)
    np.testing.assert_array_equal(view._cloud.positions, [(1, 1)])


def test_layers_are_stacked_as_told(view: MapView) -> None:
    def stacked() -> list[str]:
        items = {**view.layers._items, "points": view._item}
        return sorted(items, key=lambda layer: -items[layer].zValue())

    states = tuple(default_state(spec) for spec in LAYERS)
    view.layers.set_states(states)
    assert stacked() == [state.id for state in states]
    view.layers.set_states((replace(states[-1], on=True, opacity=0.25), *states[:-1]))
    assert stacked() == [states[-1].id, *(state.id for state in states[:-1])]
    item = view.layers._items[states[-1].id]
    assert item.isVisible()
    assert item.opacity() == 0.25


def test_a_selection_and_its_size_are_seen(view: MapView, points_of: PointsOf) -> None:
    view.set_selected(np.array([True, False, True, False]), "2")
    assert status(view).endswith(" · 2 selected")
    colors = view._cloud.colors
    view.set_selected(None)
    assert "selected" not in status(view)
    assert (view._cloud.colors == colors).tolist() == [True, False, True, False]


def test_the_cursor_is_drawn_where_it_is_set(view: MapView) -> None:
    view.set_cursor(-0.75, 1.25)
    assert markers(view).cursor_place == (-0.75, 1.25)


def test_the_theme_reaches_everything(view: MapView, show_theme: Callable[[Theme], None]) -> None:
    show_theme(DARK)
    image = view.grab().toImage()
    between = view.canvas.mapTo(view, pixel(view, 2, 40).toPoint())
    for spot in (QPoint(2, 2), between, QPoint(view.width() - 3, view.height() - 3)):
        assert image.pixelColor(spot).name() == DARK.canvas
    palette = status_line(view).palette()
    assert palette.color(palette.ColorRole.WindowText) == QColor(DARK.muted)


def test_the_map_takes_the_focus_for_its_canvas(view: MapView) -> None:
    assert view.focusProxy() is view.canvas
    assert view.canvas.accessibleName()
