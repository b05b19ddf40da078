from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPolygonF, QShortcut
from pytestqt.qtbot import QtBot

from vae_explorer.gui.map.canvas import FRAME_MS, MapCanvas, Tool
from vae_explorer.gui.map.map_view import MapView
from vae_explorer.session.map.selection import inside

Key, Modifier = Qt.Key, Qt.KeyboardModifier
NO_KEY, ALT = Modifier.NoModifier, Modifier.AltModifier
SHIFT, CTRL = Modifier.ShiftModifier, Modifier.ControlModifier
SIGNALS = (
    "hovered",
    "clicked",
    "double_clicked",
    "ctrl_clicked",
    "scrubbed",
    "nudged",
    "selected",
    "outline_changed",
    "grabbed",
    "fit_asked",
    "space_tapped",
)


@pytest.fixture
def canvas(view: MapView) -> MapCanvas:
    view.canvas.setFocus()
    return view.canvas


@pytest.fixture
def heard(canvas: MapCanvas) -> Iterator[list[tuple[Any, ...]]]:
    """Everything the canvas says: (signal, *arguments)."""
    said: list[tuple[Any, ...]] = []
    for name in SIGNALS:
        getattr(canvas, name).connect(lambda *a, name=name: said.append((name, *a)))
    yield said
    for name in SIGNALS:
        getattr(canvas, name).disconnect()


def names(heard: list[tuple[Any, ...]]) -> list[str]:
    return [entry[0] for entry in heard]


def at(canvas: MapCanvas, dx: float = 0.0, dy: float = 0.0) -> QPointF:
    """A whole pixel near the middle of the plane."""
    return QPointF(canvas.plot_rect().center().toPoint()) + QPointF(dx, dy)


def test_a_press_that_stays_is_a_click(canvas: MapCanvas, hand: Any, heard: list[Any]) -> None:
    spot = at(canvas, 30, 20)
    hand.drag(spot, spot + QPointF(2.0, 2.0))
    assert names(heard) == ["clicked"]
    assert heard[0][1:] == pytest.approx(canvas.to_latent(spot))


def test_a_press_that_moves_scrubs_every_place(
    canvas: MapCanvas, hand: Any, heard: list[Any]
) -> None:
    path = [at(canvas, 10 * i, -5 * i) for i in range(6)]
    hand.drag(*path)
    assert names(heard) == ["grabbed", *["scrubbed"] * 5, "grabbed"]
    assert heard[0] == ("grabbed", True)
    assert heard[-1] == ("grabbed", False)
    for entry, spot in zip(heard[1:-1], path[1:], strict=True):
        assert entry[1:] == pytest.approx(canvas.to_latent(spot))


def test_a_scrub_goes_on_outside_of_the_plane(
    canvas: MapCanvas, hand: Any, heard: list[Any]
) -> None:
    hand.drag(at(canvas), QPointF(-50, -50))
    assert heard[1][1:] == pytest.approx(canvas.to_latent(QPointF(-50, -50)))


def test_a_click_on_the_axes_is_none(canvas: MapCanvas, hand: Any, heard: list[Any]) -> None:
    hand.click(QPointF(5, 100))
    hand.move(QPointF(5, 100))
    assert heard == []


def test_a_double_click_follows_its_click(canvas: MapCanvas, hand: Any, heard: list[Any]) -> None:
    hand.double_click(at(canvas))
    assert names(heard) == ["clicked", "double_clicked"]


def test_middle_drag_pans(canvas: MapCanvas, hand: Any, heard: list[Any]) -> None:
    spot = at(canvas)
    place = canvas.to_latent(spot)
    hand.drag(spot, at(canvas, 20, 10), at(canvas, 60, -30), button=Qt.MouseButton.MiddleButton)
    assert names(heard) == ["grabbed", "grabbed"]
    assert canvas.to_latent(at(canvas, 60, -30)) == pytest.approx(place, abs=1e-9)


def test_the_right_button_does_nothing_and_opens_nothing(
    canvas: MapCanvas, hand: Any, heard: list[Any]
) -> None:
    view = canvas.view_box.viewRect()
    hand.drag(at(canvas), at(canvas, 50, 50), button=Qt.MouseButton.RightButton)
    assert canvas.view_box.viewRect() == view
    assert canvas.contextMenuPolicy() == Qt.ContextMenuPolicy.PreventContextMenu
    assert "clicked" not in names(heard)


def test_space_and_left_drag_pans_and_is_no_tap(
    qtbot: QtBot, canvas: MapCanvas, hand: Any, heard: list[Any]
) -> None:
    spot = at(canvas)
    place = canvas.to_latent(spot)
    qtbot.keyPress(canvas, Key.Key_Space)
    hand.drag(spot, at(canvas, 40, 40))
    qtbot.keyRelease(canvas, Key.Key_Space)
    assert names(heard) == ["grabbed", "grabbed"]
    assert canvas.to_latent(at(canvas, 40, 40)) == pytest.approx(place, abs=1e-9)


def test_a_tap_of_space_is_passed_on_once(
    qtbot: QtBot, canvas: MapCanvas, heard: list[Any]
) -> None:
    stolen: list[bool] = []
    shortcut = QShortcut(Qt.Key.Key_Space, canvas.window())
    shortcut.activated.connect(lambda: stolen.append(True))
    qtbot.keyClick(canvas, Key.Key_Space)
    assert names(heard) == ["space_tapped"]
    assert stolen == []


def test_space_is_forgotten_with_the_focus(
    qtbot: QtBot, canvas: MapCanvas, hand: Any, heard: list[Any]
) -> None:
    qtbot.keyPress(canvas, Key.Key_Space)
    canvas.clearFocus()
    hand.click(at(canvas))
    assert names(heard) == ["clicked"]


@pytest.mark.parametrize(
    ("key", "modifier", "step"),
    [
        (Key.Key_Left, Modifier.NoModifier, (-0.1, 0.0)),
        (Key.Key_Right, Modifier.NoModifier, (0.1, 0.0)),
        (Key.Key_Up, Modifier.NoModifier, (0.0, 0.1)),
        (Key.Key_Down, Modifier.NoModifier, (0.0, -0.1)),
        (Key.Key_Right, Modifier.ShiftModifier, (1.0, 0.0)),
        (Key.Key_Up, Modifier.ControlModifier, (0.0, 0.01)),
    ],
)
def test_arrows_nudge(
    qtbot: QtBot,
    canvas: MapCanvas,
    heard: list[Any],
    key: Qt.Key,
    modifier: Qt.KeyboardModifier,
    step: tuple[float, float],
) -> None:
    qtbot.keyClick(canvas, key, modifier)
    assert names(heard) == ["nudged"]
    assert heard[0][1:] == pytest.approx(step)


def test_home_asks_to_fit_and_plus_and_minus_zoom(
    qtbot: QtBot, canvas: MapCanvas, heard: list[Any]
) -> None:
    qtbot.keyClick(canvas, Key.Key_Home)
    assert names(heard) == ["fit_asked"]
    scale = canvas.pixels_per_unit()[0]
    qtbot.keyClick(canvas, Key.Key_Plus)
    assert canvas.pixels_per_unit()[0] > scale
    qtbot.keyClick(canvas, Key.Key_Minus)
    assert canvas.pixels_per_unit()[0] == pytest.approx(scale)


def test_the_wheel_zooms_about_the_pointer(canvas: MapCanvas, hand: Any) -> None:
    spot = at(canvas, 90, -60)
    place, scale = canvas.to_latent(spot), canvas.pixels_per_unit()[0]
    hand.wheel(spot, 1)
    assert canvas.to_latent(spot) == pytest.approx(place, abs=1e-9)
    assert canvas.pixels_per_unit()[0] == pytest.approx(scale * 1.013**15)
    hand.wheel(spot, -1)
    assert canvas.pixels_per_unit()[0] == pytest.approx(scale)


def test_hover_is_at_once_then_once_a_frame_and_ends_with_none(
    qtbot: QtBot, canvas: MapCanvas, hand: Any, heard: list[Any]
) -> None:
    spots = [at(canvas, i, 0) for i in range(20)]
    for spot in spots:
        hand.move(spot)
    assert len(heard) <= 2  # a slow machine may fit a frame in between
    assert heard[0][1] == pytest.approx(canvas.to_latent(spots[0]))
    qtbot.waitUntil(lambda: heard[-1][1] == canvas.to_latent(spots[-1]), timeout=50 * FRAME_MS)
    hand.leave()
    hand.leave()
    assert [entry[1] for entry in heard].count(None) == 1
    assert heard[-1] == ("hovered", None)


def test_leaving_drops_the_hover_that_was_due(
    qtbot: QtBot, canvas: MapCanvas, hand: Any, heard: list[Any]
) -> None:
    hand.move(at(canvas))
    hand.move(at(canvas, 5, 5))
    hand.leave()
    count = len(heard)
    qtbot.wait(3 * FRAME_MS)
    assert len(heard) == count
    assert heard[-1] == ("hovered", None)


def test_no_hover_during_a_scrub(
    qtbot: QtBot, canvas: MapCanvas, hand: Any, heard: list[Any]
) -> None:
    hand.move(at(canvas))
    hand.move(at(canvas, 1, 1))
    hand.press(at(canvas))
    hand.move(at(canvas, 40, 40))
    heard.clear()
    qtbot.wait(3 * FRAME_MS)
    assert heard == []


def test_a_release_that_was_lost_ends_the_scrub(
    canvas: MapCanvas, hand: Any, heard: list[Any]
) -> None:
    hand.press(at(canvas))
    hand.move(at(canvas, 40, 40))
    hand._held = Qt.MouseButton.NoButton
    hand.move(at(canvas, 50, 50))
    assert names(heard) == ["grabbed", "scrubbed", "grabbed", "hovered"]


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
