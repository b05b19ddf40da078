from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shiboken6
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QCheckBox, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from vae_explorer.data.bundled import mnist_dataset
from vae_explorer.data.dataset import ImageSet
from vae_explorer.gui.compare.side import SidePanel
from vae_explorer.gui.compare.window import CompareWindow
from vae_explorer.gui.main_thread import MainThread
from vae_explorer.gui.map.markers import Markers
from vae_explorer.gui.theme import DARK, LIGHT, Theme
from vae_explorer.session.compare.comparison import Comparison
from vae_explorer.session.compare.sides import Preview, Side, SideInfo
from vae_explorer.session.jobs import Jobs
from vae_explorer.session.map.state import MapPoints
from vae_explorer.session.tasks import Tasks
from vae_explorer.training.snapshot import Snapshot

PLACES = np.array([(-2, -2), (2, 2), (0, 0), (-2, 2)], np.float32)
POINTS = MapPoints(
    PLACES, np.array([0, 1, 1, 2], np.uint8), np.arange(4), 4, "test", mnist_dataset()
)
FILES = ((Path("models/one.safetensors"), "one"), (Path("models/two.safetensors"), "two"))
ONE = SideInfo("one", FILES[0][0], "test", 3.0, "elbo", "")
ON_MAP = SideInfo("mine", None, "train", 1.5, "exact", "aligned: turned by 90°")
SIGNALS = (
    "model_chosen",
    "open_requested",
    "split_chosen",
    "point_hovered",
    "place_hovered",
    "area_selected",
    "point_selected",
    "class_selected",
    "clear_requested",
    "closed",
)
NO_BUTTON, NO_KEY = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[CompareWindow]:
    window = CompareWindow()
    with qtbot.waitExposed(window):
        window.show()
    yield window
    if shiboken6.isValid(window):
        window.close()


@pytest.fixture
def filled(window: CompareWindow) -> CompareWindow:
    """With the same four points on both sides."""
    window.set_models(FILES)
    window.set_side("A", ONE)
    window.set_side("B", ON_MAP)
    for side in ("A", "B"):
        window.set_points(side, POINTS)
    QApplication.processEvents()
    return window


@pytest.fixture
def heard(window: CompareWindow) -> list[tuple[Any, ...]]:
    """Everything the window says: (signal, *arguments)."""
    said: list[tuple[Any, ...]] = []
    for name in SIGNALS:
        getattr(window, name).connect(lambda *a, name=name: said.append((name, *a)))
    return said


def at(panel: SidePanel, place: tuple[float, float]) -> QPoint:
    return panel.map.canvas.to_pixel(*place).toPoint()


def hover(panel: SidePanel, place: tuple[float, float]) -> None:
    canvas, spot = panel.map.canvas, QPointF(at(panel, place))
    around = QPointF(canvas.mapToGlobal(spot))
    kind = QEvent.Type.MouseMove
    QApplication.sendEvent(canvas, QMouseEvent(kind, spot, around, NO_BUTTON, NO_BUTTON, NO_KEY))


def view(window: CompareWindow, side: Side) -> QRectF:
    return QRectF(window.sides[side].map.canvas.view_box.viewRect())


def texts(panel: SidePanel) -> list[str]:
    return [label.text() for label in panel.findChildren(QLabel) if label.isVisible()]


# Orders from above


def test_what_is_missing_is_said(window: CompareWindow) -> None:
    window.set_models(FILES)
    panel = window.sides["A"]
    assert "No model yet: choose one above, or open a file." in texts(panel)
    assert panel.models.currentText() == ""
    window.set_side("A", ONE)
    assert "Encoding the images by one…" in texts(panel)
    window.set_points("A", POINTS)
    assert not panel.message.isVisible()


def test_a_side_says_what_it_shows(filled: CompareWindow) -> None:
    a, b = filled.sides["A"], filled.sides["B"]
    assert (a.models.currentText(), a.splits.currentText()) == ("one", "Test images")
    assert (b.models.currentText(), b.splits.currentText()) == (
        "The model on the map",
        "Training images",
    )
    assert "Epoch 3.0 · objective elbo" in texts(a)
    filled.set_selected("B", np.array([True, False, False, False]), "1 of 4")
    assert "aligned: turned by 90° · 1 of 4 selected" in texts(b)


def test_an_opened_file_joins_the_choices_before_open(filled: CompareWindow) -> None:
    filled.set_side("B", SideInfo("run 7", Path("run 7/model.safetensors"), "test", 1, "elbo", ""))
    models = filled.sides["B"].models
    names = [models.itemText(row) for row in range(models.count())]
    assert names == ["The model on the map", "one", "two", "run 7", "Open…"]
    assert models.currentText() == "run 7"


def test_orders_are_not_echoed(filled: CompareWindow, heard: list[Any]) -> None:
    filled.set_models(FILES)
    filled.set_side("A", ON_MAP)
    filled.set_points("A", POINTS)
    filled.set_linked("A", 2)
    filled.set_selected("A", np.ones(4, np.bool_), "4 of 4")
    filled.set_preview("A", Preview((0.0, 0.0), np.zeros((28, 28), np.float32), ""))
    filled.set_theme(DARK)
    assert heard == []


def test_the_linked_point_is_ringed(filled: CompareWindow) -> None:
    filled.set_linked("B", 3)
    markers = {side: panel.findChild(Markers) for side, panel in filled.sides.items()}
    assert markers["B"].pin_place == (-2, 2)
    assert markers["A"].pin_place is None
    filled.set_linked("B", -1)
    assert markers["B"].pin_place is None


def test_a_side_shows_what_it_decodes(filled: CompareWindow) -> None:
    digit = filled.sides["B"].digit
    filled.set_preview("B", Preview((0.5, -1.25), np.full((28, 28), 0.6, np.float32), ""))
    shown: QImage | None = digit._image
    assert shown is not None
    assert shown.pixelColor(3, 3) == QColor(153, 153, 153)
    assert digit.accessibleDescription() == "(0.50, −1.25)"
    filled.set_preview("B", None)
    assert digit._image is None


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_words_stand_on_the_map_s_own_ground(
    window: CompareWindow, theme: Any, show_theme: Callable[[Theme], None]
) -> None:
    show_theme(theme)
    canvas = window.sides["A"].map.canvas
    picture = canvas.grab().toImage()
    assert picture.pixelColor(5, 5) == QColor(theme.canvas)


# The maps as one


def test_both_maps_pan_and_zoom_together_while_linked(filled: CompareWindow) -> None:
    a, b = (filled.sides[side].map.canvas for side in ("A", "B"))
    a.zoom(2.0, a.to_pixel(1.0, 1.0))
    a.pan_by(30, -10)
    center = view(filled, "A").center()
    assert view(filled, "B").center().toTuple() == pytest.approx(center.toTuple())
    assert b.pixels_per_unit() == pytest.approx(a.pixels_per_unit())
    b.zoom(3.0)
    assert a.pixels_per_unit() == pytest.approx(b.pixels_per_unit())
    (link,) = filled.findChildren(QCheckBox)
    link.click()
    before = view(filled, "A")
    b.pan_by(50, 50)
    assert view(filled, "A") == before
    link.click()
    assert view(filled, "B").center().toTuple() == pytest.approx(before.center().toTuple())


def test_resizing_moves_neither_map(filled: CompareWindow) -> None:
    centers = {side: view(filled, side).center().toTuple() for side in filled.sides}
    scale = filled.sides["A"].map.canvas.pixels_per_unit()[0]
    for width in (700, 1100, 900, filled.width()):
        filled.resize(width, filled.height())
        QApplication.processEvents()
    for side, center in centers.items():
        assert view(filled, side).center().toTuple() == pytest.approx(center, abs=1e-6)
    assert filled.sides["A"].map.canvas.pixels_per_unit()[0] == pytest.approx(scale, rel=0.02)


def test_a_class_hidden_on_one_side_is_hidden_on_both(filled: CompareWindow) -> None:
    filled.sides["A"].map.legend.visible_changed.emit(frozenset({0, 2}))
    assert filled.sides["B"].map.shown().tolist() == [True, False, False, True]


# Intent from below


def test_hovering_tells_the_side_the_point_and_the_place(
    filled: CompareWindow, heard: list[Any]
) -> None:
    hover(filled.sides["B"], (2, 2))
    (place_name, place), (name, side, row) = heard
    assert (name, side, row) == ("point_hovered", "B", 1)
    assert place_name == "place_hovered"
    assert place == pytest.approx((2, 2), abs=0.02)


def test_a_box_on_one_side_tells_which_points_show(filled: CompareWindow, heard: list[Any]) -> None:
    panel = filled.sides["A"]
    panel.map.set_visible_labels(frozenset({1}))
    left, canvas = Qt.MouseButton.LeftButton, panel.map.canvas
    QTest.mousePress(canvas, left, SHIFT, at(panel, (-1, -1)))
    QTest.mouseMove(canvas, at(panel, (1, 1)))
    QTest.mouseRelease(canvas, left, SHIFT, at(panel, (1, 1)))
    ((_, side, polygon, mode, visible),) = [e for e in heard if e[0] == "area_selected"]
    assert (side, mode) == ("A", "replace")
    np.testing.assert_allclose([polygon.min(), polygon.max()], [-1, 1], atol=0.03)
    assert visible.tolist() == [False, True, True, False]


def test_clicks_select_points_and_not_places(filled: CompareWindow, heard: list[Any]) -> None:
    panel, left = filled.sides["B"], Qt.MouseButton.LeftButton
    QTest.mouseClick(panel.map.canvas, left, NO_KEY, at(panel, (-2, 2)))
    QTest.mouseClick(panel.map.canvas, left, NO_KEY, at(panel, (1, -1)))
    held = Qt.KeyboardModifier.ControlModifier
    QTest.mouseClick(panel.map.canvas, left, held, at(panel, (2, 2)))
    selected = [entry for entry in heard if entry[0] == "point_selected"]
    assert selected == [("point_selected", "B", 3, "replace"), ("point_selected", "B", 1, "add")]


def test_choices_are_told_and_wait_until_they_are_true(
    filled: CompareWindow, heard: list[Any]
) -> None:
    models, splits = filled.sides["A"].models, filled.sides["A"].splits
    for row in (2, 0, 3):  # "two", the one on the map, "Open…"
        models.setCurrentIndex(row)
        models.activated.emit(row)
        assert models.currentText() == "one"
    splits.activated.emit(2)
    assert heard == [
        ("model_chosen", "A", FILES[1][0]),
        ("model_chosen", "A", None),
        ("open_requested", "A"),
        ("split_chosen", "A", "both"),
    ]


def test_esc_and_the_button_clear_the_selection(filled: CompareWindow, heard: list[Any]) -> None:
    (button,) = (b for b in filled.findChildren(QPushButton) if "Clear" in b.text())
    assert not button.isEnabled()
    filled.set_selected("A", np.ones(4, np.bool_), "4 of 4")
    button.click()
    filled.activateWindow()
    filled.sides["A"].map.canvas.setFocus()
    QTest.keySequence(filled.sides["A"].map.canvas, "Esc")
    assert [entry[0] for entry in heard] == ["clear_requested"] * 2


def test_closing_says_so_and_leaves_nothing(filled: CompareWindow, heard: list[Any]) -> None:
    filled.close()
    assert heard == [("closed",)]
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert not shiboken6.isValid(filled)


@pytest.mark.parametrize("width", [640, 1280])
def test_no_text_is_clipped(filled: CompareWindow, width: int) -> None:
    filled.resize(width, 800)
    filled.set_side("B", ON_MAP)
    filled.set_selected("B", np.ones(4, np.bool_), "10,000 of 10,000")
    QApplication.processEvents()
    for panel in filled.sides.values():
        for label in (panel._title, panel._details):
            assert label.heightForWidth(label.width()) <= label.height()


# With a real comparison


def test_hover_and_selection_reach_the_other_map(
    qtbot: QtBot, window: CompareWindow, small_mnist: dict[str, ImageSet], bundled: Snapshot
) -> None:
    main = MainThread()
    jobs = Jobs(main.post)
    failures: list[str] = []
    comparison = Comparison(Tasks(jobs, lambda title, _: failures.append(title)), mnist_dataset())
    comparison.points_changed.connect(window.set_points)
    comparison.linked.connect(window.set_linked)
    comparison.decoded.connect(window.set_preview)
    comparison.selection_changed.connect(window.set_selected)
    window.point_hovered.connect(comparison.hover)
    window.place_hovered.connect(comparison.preview)
    window.class_selected.connect(comparison.select_class)
    window.closed.connect(comparison.close)
    comparison.set_split("B", "both")
    for side in ("A", "B"):
        comparison.take(side, bundled, "bundled")
    a, b = window.sides["A"], window.sides["B"]
    qtbot.waitUntil(lambda: len(a.map.shown()) == 300 and len(b.map.shown()) == 900, timeout=20_000)
    QApplication.processEvents()
    a.map.canvas.zoom(20, a.map.canvas.to_pixel(*a.map._cloud.positions[7].tolist()))
    hover(a, tuple(a.map._cloud.positions[7].tolist()))
    row = a.map.hover.row
    assert row >= 0
    markers = b.findChild(Markers)
    assert markers.pin_place == pytest.approx(a.map._cloud.positions[row], abs=1e-4)
    assert b.digit.accessibleDescription() == f"test {row}"
    a.map.legend.select_asked.emit(4, False)
    fours = small_mnist["test"].labels == 4
    assert b.map._selected is not None
    np.testing.assert_array_equal(b.map._selected, np.r_[np.zeros(600, np.bool_), fours])
    window.close()
    assert jobs.shutdown(20)
    assert not failures
