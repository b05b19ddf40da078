from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import (
    QAccessible,
    QAction,
    QDragEnterEvent,
    QDropEvent,
    QImage,
    QKeySequence,
    QMouseEvent,
    QPointingDevice,
    QTabletEvent,
)
from PySide6.QtTest import QSignalSpy, QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QMainWindow, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from vae_explorer.data.bundled import mnist
from vae_explorer.data.centring import centred
from vae_explorer.gui.explore.sketch.drawing_pad import FRAME_MS, THICKNESS, DrawingPad
from vae_explorer.gui.explore.sketch.strokes import SIDE
from vae_explorer.types import Float64, LatentPoint, UInt8

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
NONE_HELD = Qt.KeyboardModifier.NoModifier
Give = Callable[["DrawingPad", QMimeData], bool]


@pytest.fixture
def pad(qtbot: QtBot) -> DrawingPad:
    pad = DrawingPad()
    qtbot.addWidget(pad)
    pad.resize(SIDE + 2, SIDE + 2)
    with qtbot.waitActive(pad):
        pad.show()
        pad.activateWindow()
    pad.setFocus()
    return pad


def pixel(pad: DrawingPad, place: LatentPoint) -> QPoint:
    """Where a place, in sides of the pad, is on the widget."""
    side = min(pad.width(), pad.height()) - 2
    left, top = (pad.width() - side) // 2, (pad.height() - side) // 2
    return QPoint(round(left + place[0] * side), round(top + place[1] * side))


def draw(pad: DrawingPad, places: Iterable[LatentPoint], button: Qt.MouseButton = LEFT) -> None:
    first, *rest = [pixel(pad, place) for place in places]
    QTest.mousePress(pad, button, pos=first)
    for at in rest:
        QTest.mouseMove(pad, at)
    QTest.mouseRelease(pad, button, pos=rest[-1] if rest else first)


def move(pad: DrawingPad, at: QPoint) -> None:
    """Move the mouse with the left button held, without a turn of the event loop."""
    there = QPointF(at)
    kind = QEvent.Type.MouseMove
    event = QMouseEvent(
        kind, there, pad.mapToGlobal(there), Qt.MouseButton.NoButton, LEFT, NONE_HELD
    )
    QApplication.sendEvent(pad, event)


def line(start: LatentPoint, end: LatentPoint, pieces: int = 20) -> list[LatentPoint]:
    shares = np.linspace(0, 1, pieces + 1)
    return [
        (start[0] + t * (end[0] - start[0]), start[1] + t * (end[1] - start[1])) for t in shares
    ]


def capsule(start: LatentPoint, end: LatentPoint, width: float) -> Float64:
    """Distance of each pixel's middle to the edge of a round line; negative inside, pixels."""
    y, x = np.indices((SIDE, SIDE)) + 0.5
    (x0, y0), (x1, y1) = start, end
    points = np.stack([x / SIDE - x0, y / SIDE - y0], axis=-1)
    along = np.array([x1 - x0, y1 - y0])
    share = np.clip(points @ along / max(along @ along, 1e-12), 0, 1)
    offsets = points - share[..., None] * along
    distance: Float64 = np.hypot(offsets[..., 0], offsets[..., 1]) - width / 2
    return distance * SIDE


def assert_is(ink: UInt8, distance: Float64) -> None:
    assert (ink[distance < -1.5] == 255).all()
    assert (ink[distance > 1.5] == 0).all()


HORIZONTAL = line((0.2, 0.3), (0.8, 0.3))
VERTICAL = line((0.5, 0.2), (0.5, 0.8))


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
    places = [pixel(pad, (float(x), float(y))) for x, y in rng.uniform(0.1, 0.9, (10_000, 2))]
    pad.set_thickness(0.02)
    QTest.mousePress(pad, LEFT, pos=places[0])
    before = told.count()
    for place in places[:5_000]:
        move(pad, place)
    assert told.count() == before
    qtbot.waitUntil(lambda: told.count() > before)
    qtbot.wait(3 * FRAME_MS)
    assert told.count() == before + 1
    for place in places[5_000:]:
        move(pad, place)
    QTest.mouseRelease(pad, LEFT, pos=places[-1])
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


# Pen and finger


def pen(
    pad: DrawingPad,
    kind: QEvent.Type,
    place: LatentPoint,
    pressure: float,
    pointer: QPointingDevice.PointerType = QPointingDevice.PointerType.Pen,
) -> None:
    capability = QPointingDevice.Capability
    device = QPointingDevice(
        "pen",
        1,
        QPointingDevice.DeviceType.Stylus,
        pointer,
        capability.Position | capability.Pressure,
        1,
        3,
    )
    at = QPointF(pixel(pad, place))
    pressed = Qt.MouseButton.NoButton if kind == QEvent.Type.TabletRelease else LEFT
    event = QTabletEvent(
        kind, device, at, pad.mapToGlobal(at), pressure, 0, 0, 0, 0, 0, NONE_HELD, LEFT, pressed
    )
    QApplication.sendEvent(pad, event)
    assert event.isAccepted()


def pen_line(
    pad: DrawingPad,
    places: list[LatentPoint],
    pressure: float,
    pointer: QPointingDevice.PointerType = QPointingDevice.PointerType.Pen,
) -> None:
    pen(pad, QEvent.Type.TabletPress, places[0], pressure, pointer)
    for place in places[1:]:
        pen(pad, QEvent.Type.TabletMove, place, pressure, pointer)
    pen(pad, QEvent.Type.TabletRelease, places[-1], 0, pointer)


def test_pressure_widens_a_pens_line(pad: DrawingPad) -> None:
    areas = []
    for pressure in (0.1, 0.5, 1.0):
        pen_line(pad, HORIZONTAL, pressure)
        areas.append(int(pad.ink().sum()))
        pad.clear()
    draw(pad, HORIZONTAL)
    assert areas[0] < areas[1] < areas[2]
    assert areas[1] == pad.ink().sum()


def test_the_other_end_of_a_pen_erases(pad: DrawingPad) -> None:
    draw(pad, HORIZONTAL)
    pen_line(pad, HORIZONTAL, 1.0, QPointingDevice.PointerType.Eraser)
    assert not pad.ink().any()
    pen(pad, QEvent.Type.TabletMove, (0.5, 0.5), 0.0)  # hovering draws nothing
    assert not pad.ink().any()


def test_a_finger_draws(pad: DrawingPad) -> None:
    device = QTest.createTouchDevice()
    places = [pixel(pad, place) for place in HORIZONTAL]
    QTest.touchEvent(pad, device).press(0, places[0], pad).commit()
    for place in places[1:]:
        QTest.touchEvent(pad, device).move(0, place, pad).commit()
    QTest.touchEvent(pad, device).release(0, places[-1], pad).commit()
    assert_is(pad.ink(), capsule((0.2, 0.3), (0.8, 0.3), THICKNESS))


# Pictures


def test_setting_a_picture_says_nothing_and_fits_it(qtbot: QtBot, pad: DrawingPad) -> None:
    told = QSignalSpy(pad.drawn)
    QTest.mousePress(pad, LEFT, pos=QPoint(50, 50))
    pad.set_image(np.full((50, 100), 255, np.uint8))
    qtbot.wait(2 * FRAME_MS)
    assert told.count() == 0
    ink = pad.ink()
    assert (ink[SIDE // 4 : 3 * SIDE // 4] == 255).all()
    assert not ink[: SIDE // 4].any()
    digit = mnist("test").images[3]
    pad.set_image(digit)
    assert np.corrcoef(centred(pad.ink()).ravel(), digit.ravel())[0, 1] > 0.9
    assert told.count() == 0


def mime_of(content: QImage | Path | str) -> QMimeData:
    mime = QMimeData()
    if isinstance(content, QImage):
        mime.setImageData(content)
    elif isinstance(content, Path):
        mime.setUrls([QUrl("https://example.org/a.png"), QUrl.fromLocalFile(str(content))])
    else:
        mime.setText(content)
    return mime


def drop(pad: DrawingPad, mime: QMimeData) -> bool:
    """Drop something as the window system does, if it is let in."""
    actions, at = Qt.DropAction.CopyAction | Qt.DropAction.MoveAction, QPoint(50, 50)
    enter = QDragEnterEvent(at, actions, mime, LEFT, NONE_HELD)
    QApplication.sendEvent(pad, enter)
    if not enter.isAccepted():
        return False
    event = QDropEvent(QPointF(at), actions, mime, LEFT, NONE_HELD)
    QApplication.sendEvent(pad, event)
    # A move would have the file manager delete the file.
    assert event.dropAction() == Qt.DropAction.CopyAction
    return event.isAccepted()


def paste(pad: DrawingPad, mime: QMimeData) -> bool:
    QApplication.clipboard().setMimeData(mime)
    QTest.keySequence(pad, QKeySequence(QKeySequence.StandardKey.Paste))
    QApplication.clipboard().clear()
    return True


@pytest.mark.parametrize("give", [drop, paste])
def test_a_picture_is_handed_on_as_it_is(pad: DrawingPad, give: Give) -> None:
    given, told = QSignalSpy(pad.image_dropped), QSignalSpy(pad.drawn)
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 4), np.uint8)
    image = QImage(pixels.tobytes(), 7, 5, 28, QImage.Format.Format_RGBA8888).copy()
    assert give(pad, mime_of(image))
    np.testing.assert_array_equal(given.at(0)[0], pixels)
    assert told.count() == 0
    assert not pad.ink().any()


@pytest.mark.parametrize("give", [drop, paste])
def test_a_pictures_file_is_named(pad: DrawingPad, give: Give, tmp_path: Path) -> None:
    given = QSignalSpy(pad.file_dropped)
    path = tmp_path / "a seven.PNG"
    Image.new("L", (3, 4)).save(path)
    assert give(pad, mime_of(path))
    assert (given.count(), given.at(0)[0]) == (1, path)


def test_a_picture_that_nothing_can_be_made_of_has_no_pixels(pad: DrawingPad) -> None:
    given: list[UInt8] = []
    pad.image_dropped.connect(given.append)
    empty, spoilt = mime_of(QImage()), QMimeData()
    spoilt.setData("application/x-qt-image", b"spoilt")
    assert drop(pad, empty)
    assert drop(pad, spoilt)
    assert [picture.shape for picture in given] == [(0, 0, 4)] * 2


def test_what_is_no_picture_is_left_to_others(pad: DrawingPad, tmp_path: Path) -> None:
    given = QSignalSpy(pad.image_dropped), QSignalSpy(pad.file_dropped)
    assert not drop(pad, mime_of("seven"))
    assert not drop(pad, mime_of(tmp_path / "model.safetensors"))
    paste(pad, mime_of("seven"))
    assert [spy.count() for spy in given] == [0, 0]


def test_it_tells_assistive_tools_what_it_is(pad: DrawingPad) -> None:
    interface = QAccessible.queryAccessibleInterface(pad)
    assert interface.text(QAccessible.Text.Name) == "Drawing pad"
    assert "Delete clears" in interface.text(QAccessible.Text.Description)
