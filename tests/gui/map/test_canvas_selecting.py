from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPolygonF, QShortcut
from pytestqt.qtbot import QtBot

from tests.support.canvas import ALT, CTRL, NO_KEY, SHIFT, Key, at, names
from vae_explorer.gui.map.canvas import MapCanvas, Tool
from vae_explorer.session.map.selection import inside


def bend(canvas: MapCanvas) -> list[QPointF]:
    """A path with an area."""
    return [at(canvas), at(canvas, 60, 10), at(canvas, 90, -40), at(canvas, 30, -80)]


@pytest.mark.parametrize(
    ("tool", "keys", "shape", "mode"),
    [
        ("none", SHIFT, "box", "replace"),
        ("none", SHIFT | ALT, "box", "remove"),
        ("none", SHIFT | CTRL, "lasso", "replace"),
        ("none", SHIFT | CTRL | ALT, "lasso", "remove"),
        ("box", NO_KEY, "box", "replace"),
        ("box", CTRL, "box", "add"),
        ("box", SHIFT | CTRL, "lasso", "replace"),
        ("lasso", NO_KEY, "lasso", "replace"),
        ("lasso", CTRL, "lasso", "add"),
        ("lasso", ALT, "lasso", "remove"),
        ("lasso", SHIFT, "box", "replace"),
    ],
)
def test_a_drag_selects_by_tool_and_keys(
    canvas: MapCanvas,
    hand: Any,
    heard: list[Any],
    tool: Tool,
    keys: Qt.KeyboardModifier,
    shape: str,
    mode: str,
) -> None:
    path = bend(canvas)
    canvas.set_tool(tool)
    hand.keys = keys
    hand.drag(*path)
    assert names(heard) == ["grabbed", *["outline_changed"] * 4, "grabbed", "selected"]
    places = np.array([canvas.to_latent(spot) for spot in path])
    (x1, y1), (x2, y2) = places[0], places[-1]
    box = np.array([(x1, y1), (x2, y1), (x2, y2), (x1, y2)])
    polygon = heard[-1][1]
    assert polygon.dtype == np.float64
    assert polygon == pytest.approx(places if shape == "lasso" else box)
    assert heard[-1][2] == mode


def test_the_keys_count_as_the_drag_begins(canvas: MapCanvas, hand: Any, heard: list[Any]) -> None:
    hand.keys = SHIFT
    hand.press(at(canvas))
    hand.keys = CTRL
    for spot in bend(canvas)[1:]:
        hand.move(spot)
    hand.keys = NO_KEY
    hand.release(at(canvas))
    assert heard[-1][0] == "selected"
    assert len(heard[-1][1]) == 4
    assert heard[-1][2] == "replace"


def test_a_tool_stays_until_it_is_put_down(canvas: MapCanvas, hand: Any, heard: list[Any]) -> None:
    canvas.set_tool("lasso")
    hand.drag(*bend(canvas))
    hand.drag(*bend(canvas))
    assert names(heard).count("selected") == 2
    canvas.set_tool("none")
    heard.clear()
    hand.drag(*bend(canvas))
    assert names(heard) == ["grabbed", *["scrubbed"] * 3, "grabbed"]


def test_the_outline_grows_and_goes(canvas: MapCanvas, hand: Any, heard: list[Any]) -> None:
    canvas.set_tool("lasso")
    hand.drag(*bend(canvas))
    outlines = [entry[1] for entry in heard if entry[0] == "outline_changed"]
    assert [len(outline) for outline in outlines[:-1]] == [2, 3, 4]
    assert outlines[-1] is None
    heard.clear()
    canvas.set_tool("box")
    hand.drag(at(canvas), at(canvas, 50, 50))
    (box, none) = [entry[1] for entry in heard if entry[0] == "outline_changed"]
    assert box[0].tolist() == box[4].tolist()
    assert none is None


@pytest.mark.parametrize("tool", ["box", "lasso"])
def test_a_drag_without_an_area_is_a_click(
    canvas: MapCanvas, hand: Any, heard: list[Any], tool: Tool
) -> None:
    canvas.set_tool(tool)
    spot = at(canvas)
    for path in (
        [spot],
        [spot, at(canvas, 2, 2)],
        [spot, at(canvas, 80, 3)],
        [spot, at(canvas, 8, 0), at(canvas, 0, 3), spot],
    ):
        heard.clear()
        hand.drag(*path)
        assert names(heard)[-1] == "clicked"
        assert "selected" not in names(heard)
        assert heard[-1][1:] == pytest.approx(canvas.to_latent(spot))


def test_a_figure_of_eight_has_an_area(canvas: MapCanvas, hand: Any, heard: list[Any]) -> None:
    canvas.set_tool("lasso")
    hand.drag(at(canvas), at(canvas, 60, 60), at(canvas, 60, 0), at(canvas, 0, 60))
    assert names(heard)[-1] == "selected"


def test_ctrl_clicks_are_told_apart(canvas: MapCanvas, hand: Any, heard: list[Any]) -> None:
    hand.keys = CTRL
    hand.double_click(at(canvas, 5, 5))
    assert names(heard) == ["ctrl_clicked"] * 2
    assert heard[0][1:] == pytest.approx(canvas.to_latent(at(canvas, 5, 5)))
    hand.keys = NO_KEY
    hand.click(at(canvas))
    assert heard[-1][0] == "clicked"


def test_esc_gives_up_what_is_drawn_and_only_then_is_taken(
    qtbot: QtBot, canvas: MapCanvas, hand: Any, heard: list[Any]
) -> None:
    unpinned: list[bool] = []
    shortcut = QShortcut(Key.Key_Escape, canvas.window())
    shortcut.activated.connect(lambda: unpinned.append(True))
    hand.keys = SHIFT
    path = bend(canvas)
    hand.press(path[0])
    for spot in path[1:]:
        hand.move(spot)
    qtbot.keyClick(canvas, Key.Key_Escape, SHIFT)
    assert unpinned == []
    assert heard[-2:] == [("outline_changed", None), ("grabbed", False)]
    hand.release(path[-1])
    assert {"selected", "clicked"}.isdisjoint(names(heard))
    qtbot.keyClick(canvas, Key.Key_Escape)
    assert unpinned == [True]


def test_a_release_that_was_lost_selects_nothing(
    canvas: MapCanvas, hand: Any, heard: list[Any]
) -> None:
    hand.keys = SHIFT
    hand.press(at(canvas))
    hand.move(at(canvas, 40, 40))
    hand._held = Qt.MouseButton.NoButton
    hand.move(at(canvas, 50, 50))
    assert names(heard) == ["grabbed", *["outline_changed"] * 2, "grabbed", "hovered"]
    assert heard[2][1] is None


def test_an_outline_stays_in_sight(canvas: MapCanvas, hand: Any, heard: list[Any]) -> None:
    hand.keys = SHIFT
    hand.drag(at(canvas), QPointF(-500, 9_000))
    corner = canvas.to_latent(canvas.plot_rect().bottomLeft())
    assert heard[-1][1][2] == pytest.approx(corner)


def test_an_outline_keeps_its_places_when_the_view_zooms(
    canvas: MapCanvas, hand: Any, heard: list[Any]
) -> None:
    canvas.set_tool("lasso")
    path = bend(canvas)
    places = [canvas.to_latent(spot) for spot in path[:3]]
    hand.press(path[0])
    hand.move(path[1])
    hand.move(path[2])
    hand.wheel(path[2], 3)
    hand.move(path[3])
    hand.release(path[3])
    assert heard[-1][1] == pytest.approx(np.array([*places, canvas.to_latent(path[3])]))


def test_what_a_lasso_selects_is_what_it_encloses_on_the_screen(
    canvas: MapCanvas, hand: Any, heard: list[Any]
) -> None:
    rng = np.random.default_rng(3)
    path = [at(canvas, *rng.integers(-150, 150, 2).tolist()) for _ in range(12)]
    hand.keys = SHIFT | CTRL
    hand.drag(*path)
    positions = rng.normal(size=(500, 2)).astype(np.float32)
    drawn = QPolygonF(path)
    seen = [
        drawn.containsPoint(canvas.to_pixel(*place), Qt.FillRule.OddEvenFill)
        for place in positions.tolist()
    ]
    assert 50 < sum(seen) < 450
    assert inside(heard[-1][1], positions).tolist() == seen


def test_the_pointer_tells_the_tool(qtbot: QtBot, canvas: MapCanvas, hand: Any) -> None:
    shapes = Qt.CursorShape
    pictures = []
    for tool in ("box", "lasso"):
        canvas.set_tool(tool)
        assert canvas.cursor().shape() == shapes.BitmapCursor
        pictures.append(canvas.cursor().pixmap().toImage())
    assert pictures[0] != pictures[1]
    qtbot.keyPress(canvas, Key.Key_Space)
    assert canvas.cursor().shape() == shapes.OpenHandCursor
    qtbot.keyRelease(canvas, Key.Key_Space)
    canvas.set_tool("none")
    assert canvas.cursor().shape() == shapes.CrossCursor
    hand.keys = SHIFT
    hand.press(at(canvas))
    hand.move(at(canvas, 50, 50))
    assert canvas.cursor().pixmap().toImage() == pictures[0]
    hand.release(at(canvas, 50, 50))
    assert canvas.cursor().shape() == shapes.CrossCursor


def test_space_and_the_middle_button_pan_with_a_tool_too(
    qtbot: QtBot, canvas: MapCanvas, hand: Any, heard: list[Any]
) -> None:
    canvas.set_tool("lasso")
    hand.drag(*bend(canvas), button=Qt.MouseButton.MiddleButton)
    qtbot.keyPress(canvas, Key.Key_Space)
    hand.drag(*bend(canvas))
    qtbot.keyRelease(canvas, Key.Key_Space)
    assert set(names(heard)) == {"grabbed"}
