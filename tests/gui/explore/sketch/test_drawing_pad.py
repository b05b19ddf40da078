import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import (
    QAction,
    QImage,
    QKeySequence,
)
from PySide6.QtTest import QSignalSpy, QTest
from PySide6.QtWidgets import QLineEdit, QMainWindow, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from tests.support.drawing import (
    HORIZONTAL,
    LEFT,
    RIGHT,
    VERTICAL,
    assert_is,
    capsule,
    draw,
    line,
    move,
    pixel,
)
from vae_explorer.data.bundled import mnist
from vae_explorer.gui.explore.sketch.drawing_pad import FRAME_MS, THICKNESS, DrawingPad
from vae_explorer.gui.explore.sketch.strokes import SIDE
from vae_explorer.types import LatentPoint


@pytest.mark.parametrize("end", [(0.8, 0.3), (0.7, 0.9), (0.2, 0.3)])
def test_a_line_inks_its_pixels_and_no_others(pad: DrawingPad, end: LatentPoint) -> None:
    draw(pad, line((0.2, 0.3), end))
    assert_is(pad.ink(), capsule((0.2, 0.3), end, THICKNESS))


def test_few_places_make_a_smooth_curve(pad: DrawingPad) -> None:
    angles = np.linspace(0, 2 * np.pi, 33)
    draw(pad, [(0.5 + 0.3 * np.cos(a), 0.5 + 0.3 * np.sin(a)) for a in angles])
    y, x = np.indices((SIDE, SIDE)) + 0.5
    radius = np.hypot(x - SIDE / 2, y - SIDE / 2)
    assert_is(pad.ink(), np.abs(radius - 0.3 * SIDE) - THICKNESS * SIDE / 2)


def test_a_click_is_a_dot(pad: DrawingPad) -> None:
    QTest.mouseClick(pad, LEFT, pos=pixel(pad, (0.25, 0.75)))
    assert_is(pad.ink(), capsule((0.25, 0.75), (0.25, 0.75), THICKNESS))


@pytest.mark.parametrize("size", [(142, 142), (562, 562), (562, 302), (130, 500)])
def test_the_size_on_screen_does_not_matter(pad: DrawingPad, size: tuple[int, int]) -> None:
    pad.resize(*size)
    draw(pad, HORIZONTAL)
    found = pad.ink()
    distance = capsule((0.2, 0.3), (0.8, 0.3), THICKNESS)
    assert (found[distance < -3] == 255).all()
    assert (found[distance > 3] == 0).all()
    pad.resize(300, 300)
    np.testing.assert_array_equal(pad.ink(), found)


def test_what_is_on_screen_is_the_ink(pad: DrawingPad) -> None:
    draw(pad, HORIZONTAL)
    shown = pad.grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    rows = np.frombuffer(shown.constBits(), np.uint8).reshape(shown.height(), -1)
    np.testing.assert_array_equal(rows[1 : SIDE + 1, 1 : SIDE + 1], pad.ink())


def test_an_empty_pad_says_what_to_do(pad: DrawingPad) -> None:
    empty = pad.grab().toImage()
    draw(pad, HORIZONTAL)
    assert empty.pixelColor(20, 20).lightness() == 0
    pad.clear()
    assert not pad.ink().any()
    assert pad.grab().toImage() == empty
    colors = {empty.pixelColor(x, y).lightness() for x in range(90, 190) for y in range(130, 150)}
    assert max(colors) > 80


def test_a_thicker_line_is_thicker(pad: DrawingPad) -> None:
    draw(pad, HORIZONTAL)
    pad.set_thickness(0.16)
    draw(pad, line((0.2, 0.7), (0.8, 0.7)))
    thin = capsule((0.2, 0.3), (0.8, 0.3), THICKNESS)
    thick = capsule((0.2, 0.7), (0.8, 0.7), 0.16)
    assert_is(pad.ink(), np.minimum(thin, thick))


@pytest.mark.parametrize("by_mode", [False, True])
def test_erasing_takes_away_what_it_crosses(pad: DrawingPad, by_mode: bool) -> None:
    draw(pad, HORIZONTAL)
    pad.set_erasing(by_mode)
    draw(pad, VERTICAL, LEFT if by_mode else RIGHT)
    kept = capsule((0.2, 0.3), (0.8, 0.3), THICKNESS)
    assert_is(pad.ink(), np.maximum(kept, -capsule((0.5, 0.2), (0.5, 0.8), THICKNESS)))
    pad.set_erasing(False)
    draw(pad, VERTICAL)
    assert pad.ink()[SIDE // 2, SIDE // 2] == 255


def test_erasing_nothing_is_no_edit(pad: DrawingPad) -> None:
    told, undoable = QSignalSpy(pad.drawn), QSignalSpy(pad.can_undo_changed)
    draw(pad, VERTICAL, RIGHT)
    pad.clear()
    pad.undo()
    assert (told.count(), undoable.count()) == (0, 0)


def test_strokes_are_undone_and_redone_one_by_one(pad: DrawingPad) -> None:
    states = [pad.ink()]
    for change in (
        lambda: draw(pad, HORIZONTAL),
        lambda: draw(pad, VERTICAL),
        lambda: draw(pad, line((0.1, 0.1), (0.9, 0.9)), RIGHT),
        pad.clear,
        lambda: pad.set_image(mnist("test").images[0]),
        lambda: draw(pad, [(0.9, 0.9)]),
    ):
        change()
        states.append(pad.ink())
    for state in reversed(states[:-1]):
        pad.undo()
        np.testing.assert_array_equal(pad.ink(), state)
    for state in states[1:]:
        pad.redo()
        np.testing.assert_array_equal(pad.ink(), state)
    pad.undo()
    pad.undo()
    draw(pad, VERTICAL)
    after = pad.ink()
    pad.redo()  # there is nothing any more
    np.testing.assert_array_equal(pad.ink(), after)


def test_undo_while_drawing_takes_the_line_back(pad: DrawingPad) -> None:
    QTest.mousePress(pad, LEFT, pos=QPoint(50, 50))
    QTest.mouseMove(pad, QPoint(90, 90))
    told = QSignalSpy(pad.drawn)
    QTest.keySequence(pad, QKeySequence(QKeySequence.StandardKey.Undo))
    QTest.mouseMove(pad, QPoint(200, 90))
    QTest.mouseRelease(pad, LEFT, pos=QPoint(200, 90))
    assert not pad.ink().any()
    assert not told.at(told.count() - 1)[0].any()


def test_it_speaks_once_a_frame_and_at_the_end(qtbot: QtBot, pad: DrawingPad) -> None:
    told = QSignalSpy(pad.drawn)
    rng = np.random.default_rng(0)
    positions = [pixel(pad, (float(x), float(y))) for x, y in rng.uniform(0.1, 0.9, (10_000, 2))]
    pad.set_thickness(0.02)
    QTest.mousePress(pad, LEFT, pos=positions[0])
    before = told.count()
    for position in positions[:5_000]:
        move(pad, position)
    assert told.count() == before
    qtbot.waitUntil(lambda: told.count() > before)
    qtbot.wait(3 * FRAME_MS)
    assert told.count() == before + 1
    for position in positions[5_000:]:
        move(pad, position)
    QTest.mouseRelease(pad, LEFT, pos=positions[-1])
    assert told.count() <= before + 3
    np.testing.assert_array_equal(told.at(told.count() - 1)[0], pad.ink())
    qtbot.wait(3 * FRAME_MS)
    assert told.count() <= before + 3


def test_what_was_told_stays_as_it_was(pad: DrawingPad) -> None:
    told = QSignalSpy(pad.drawn)
    draw(pad, HORIZONTAL)
    first = told.at(told.count() - 1)[0]
    assert (first.shape, first.dtype) == ((SIDE, SIDE), np.uint8)
    kept = first.copy()
    draw(pad, VERTICAL)
    np.testing.assert_array_equal(first, kept)


def test_hiding_ends_the_line(pad: DrawingPad) -> None:
    QTest.mousePress(pad, LEFT, pos=QPoint(50, 50))
    pad.hide()
    pad.show()
    told = QSignalSpy(pad.drawn)
    QTest.mouseMove(pad, QPoint(200, 200))
    assert told.count() == 0
    pad.undo()
    assert not pad.ink().any()


# Keys


class Window(QMainWindow):
    """A window with an undo of its own, as the real one has."""

    def __init__(self, pad: DrawingPad) -> None:
        super().__init__()
        self.taken: list[str] = []
        for key in ("Ctrl+Z", "Ctrl+Shift+Z", "Ctrl+V", "Del"):
            action = QAction(key, self)
            action.setShortcut(key)
            action.triggered.connect(lambda _=False, key=key: self.taken.append(key))
            self.addAction(action)
        content = QWidget()
        layout = QVBoxLayout(content)
        self.other = QLineEdit()
        self.other.setReadOnly(True)
        layout.addWidget(pad)
        layout.addWidget(self.other)
        self.setCentralWidget(content)


def test_keys_are_the_pads_only_while_it_has_the_focus(qtbot: QtBot) -> None:
    pad = DrawingPad()
    window = Window(pad)
    qtbot.addWidget(window)
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    draw(pad, HORIZONTAL)
    assert pad.hasFocus()
    one = pad.ink()
    draw(pad, VERTICAL)
    two = pad.ink()
    for key, wanted in (("Ctrl+Z", one), ("Ctrl+Shift+Z", two), ("Del", two * 0), ("Ctrl+Z", two)):
        QTest.keySequence(pad, QKeySequence(key))
        np.testing.assert_array_equal(pad.ink(), wanted)
    assert window.taken == []
    window.other.setFocus()
    QTest.keySequence(window.other, QKeySequence("Ctrl+Shift+Z"))
    assert window.taken == ["Ctrl+Shift+Z"]
    np.testing.assert_array_equal(pad.ink(), two)


def test_other_keys_go_on(pad: DrawingPad) -> None:
    draw(pad, HORIZONTAL)
    before = pad.ink()
    for key in (Qt.Key.Key_Z, Qt.Key.Key_Up, Qt.Key.Key_F1):
        QTest.keyClick(pad, key)
    np.testing.assert_array_equal(pad.ink(), before)
