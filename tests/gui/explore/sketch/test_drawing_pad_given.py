"""What a pen, a finger and other programs give a drawing pad."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import (
    QAccessible,
    QDragEnterEvent,
    QDropEvent,
    QImage,
    QKeySequence,
    QPointingDevice,
    QTabletEvent,
)
from PySide6.QtTest import QSignalSpy, QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.support.drawing import HORIZONTAL, LEFT, NONE_HELD, Give, assert_is, capsule, draw, pixel
from vae_explorer.data.bundled import mnist
from vae_explorer.data.centring import centred
from vae_explorer.gui.explore.sketch.drawing_pad import FRAME_MS, THICKNESS, DrawingPad
from vae_explorer.gui.explore.sketch.strokes import SIDE
from vae_explorer.types import LatentPoint, UInt8


def pen(
    pad: DrawingPad,
    kind: QEvent.Type,
    position: LatentPoint,
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
    at = QPointF(pixel(pad, position))
    pressed = Qt.MouseButton.NoButton if kind == QEvent.Type.TabletRelease else LEFT
    event = QTabletEvent(
        kind, device, at, pad.mapToGlobal(at), pressure, 0, 0, 0, 0, 0, NONE_HELD, LEFT, pressed
    )
    QApplication.sendEvent(pad, event)
    assert event.isAccepted()


def pen_line(
    pad: DrawingPad,
    positions: list[LatentPoint],
    pressure: float,
    pointer: QPointingDevice.PointerType = QPointingDevice.PointerType.Pen,
) -> None:
    pen(pad, QEvent.Type.TabletPress, positions[0], pressure, pointer)
    for position in positions[1:]:
        pen(pad, QEvent.Type.TabletMove, position, pressure, pointer)
    pen(pad, QEvent.Type.TabletRelease, positions[-1], 0, pointer)


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
    positions = [pixel(pad, position) for position in HORIZONTAL]
    QTest.touchEvent(pad, device).press(0, positions[0], pad).commit()
    for position in positions[1:]:
        QTest.touchEvent(pad, device).move(0, position, pad).commit()
    QTest.touchEvent(pad, device).release(0, positions[-1], pad).commit()
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
    assert np.corrcoef(centred(pad.ink(), (28, 28)).ravel(), digit.ravel())[0, 1] > 0.9
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
    QApplication.clipboard().clear()
    pad.paste()
    assert [spy.count() for spy in given] == [0, 0]


def test_it_tells_assistive_tools_what_it_is(pad: DrawingPad) -> None:
    interface = QAccessible.queryAccessibleInterface(pad)
    assert interface.text(QAccessible.Text.Name) == "Drawing pad"
    assert "Delete clears" in interface.text(QAccessible.Text.Description)
