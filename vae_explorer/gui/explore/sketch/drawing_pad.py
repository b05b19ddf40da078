"""A black square to draw a digit on."""

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from PySide6.QtCore import (
    QEvent,
    QMimeData,
    QMimeDatabase,
    QPointF,
    QRectF,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import (
    QColor,
    QDragEnterEvent,
    QDropEvent,
    QFocusEvent,
    QHideEvent,
    QImage,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
    QPointingDevice,
    QTabletEvent,
)
from PySide6.QtWidgets import QApplication, QSizePolicy, QWidget
from typing_extensions import override

from vae_explorer.gui.explore.decode.image import qimage_of
from vae_explorer.gui.explore.sketch.strokes import (
    SIDE,
    Mark,
    Picture,
    Sample,
    Stroke,
    draw_end,
    inked,
)
from vae_explorer.gui.theme import DARK, current_theme
from vae_explorer.gui.window.undo import Undo
from vae_explorer.session.edits import Edit
from vae_explorer.types import UInt8

FRAME_MS = 16
THICKNESS = 0.08
"""Of a line, at first, as a share of the pad's side."""

_HINT = "Draw an image"
_FRAME = 1
_STEP = 2 / SIDE  # between two samples of a line; less is the hand's trembling
_LEAST = 112  # pixels a side
_MOUSE_PRESSURE = 0.5  # that of a pen held as usual


class DrawingPad(QWidget):
    """Lines of light ink, drawn by mouse, pen or finger; the right button and a pen's end erase.

    A pen draws wider the harder it is pressed. Lines are kept in sides of the pad, so that it may
    be resized. With the focus it takes the keys of undo, redo and paste, and Delete, from the
    window.

    Signals:
        drawn: the ink, (SIDE, SIDE) uint8, after a person changed it; while a line is being drawn
            once a frame at most, and once at its end.
        image_dropped: a picture dropped or pasted, (h, w, 4) uint8 of RGB and opacity.
        file_dropped: the ``Path`` of a picture's file dropped or pasted.
        can_undo_changed: whether there is something to undo.

    No ``set_…()`` emits one of the first three.
    """

    drawn = Signal(object)
    image_dropped = Signal(object)
    file_dropped = Signal(object)
    can_undo_changed = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._thickness = THICKNESS
        self._erasing = False
        self._marks: tuple[Mark, ...] = ()
        self._ink = inked(())
        self._stroke: Stroke | None = None
        self._button = Qt.MouseButton.NoButton
        self._history = Undo(self)
        self._history.changed.connect(self._on_history)
        self._frame = QTimer(self)
        self._frame.setSingleShot(True)
        self._frame.setInterval(FRAME_MS)
        self._frame.timeout.connect(self._tell)
        self.setAccessibleName("Drawing pad")
        self.setAccessibleDescription(
            "Draw an image with the mouse, a pen or a finger; the right button erases. "
            "Ctrl+Z undoes, Delete clears, Ctrl+V pastes a picture."
        )
        self.setToolTip("Left button draws, right button erases; a picture may be dropped here")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        # The right button would open the window's menu of docks.
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setAcceptDrops(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def ink(self) -> UInt8:
        """What is on the pad, (SIDE, SIDE): 0 is empty, 255 full ink."""
        return np.frombuffer(self._ink.constBits(), np.uint8).reshape(SIDE, SIDE).copy()

    def set_thickness(self, share: float) -> None:
        """Draw lines of this width from now on, a share of the pad's side."""
        self._thickness = share

    def set_erasing(self, erasing: bool) -> None:
        """Let the left button, pen and finger erase, or draw."""
        self._erasing = erasing

    def set_image(self, image: UInt8) -> None:
        """Replace the drawing by ink (h, w), as large as fits; a person can undo it."""
        self._end_stroke()
        self._change("Picture", (Picture(qimage_of(image)),))

    def undo(self) -> None:
        """Take back the last line, picture or clearing."""
        self._do(self._history.undo)

    def redo(self) -> None:
        """Draw again what was taken back last."""
        self._do(self._history.redo)

    def _on_history(self) -> None:
        self.can_undo_changed.emit(self._history.can_undo)

    def clear(self) -> None:
        """Empty the pad."""
        self._do(partial(self._change, "Clear", ()))

    def paste(self) -> None:
        """Ask for the picture on the clipboard, if there is one."""
        if mime := QApplication.clipboard().mimeData():  # none where the clipboard is empty
            self.take(mime)

    def accepts(self, mime: QMimeData) -> bool:
        """Whether there is a picture, or its file, in what is dragged or copied."""
        return mime.hasImage() or _picture_file(mime) is not None

    def take(self, mime: QMimeData) -> None:
        """Ask for that picture, as if it were dropped here."""
        path = _picture_file(mime)
        if path is not None:
            self.file_dropped.emit(path)
        elif mime.hasImage():
            self.image_dropped.emit(_rgba(mime.imageData()))

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(_LEAST, _LEAST)

    @override
    def sizeHint(self) -> QSize:
        return QSize(SIDE + 2 * _FRAME, SIDE + 2 * _FRAME)

    # What a person does

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        right = event.button() == Qt.MouseButton.RightButton
        if not right and event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
            return
        self._begin(event.position(), _MOUSE_PRESSURE, right or self._erasing)
        self._button = event.button()

    @override
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._extend(event.position(), _MOUSE_PRESSURE)

    @override
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == self._button:
            self._do(self._end_stroke)

    @override
    def tabletEvent(self, event: QTabletEvent) -> None:
        if event.type() == QEvent.Type.TabletPress:
            end = event.pointerType() == QPointingDevice.PointerType.Eraser
            right = event.button() == Qt.MouseButton.RightButton
            self._begin(event.position(), event.pressure(), end or right or self._erasing)
        elif event.type() == QEvent.Type.TabletMove:
            self._extend(event.position(), event.pressure())
        else:
            self._do(self._end_stroke)
        event.accept()

    @override
    def hideEvent(self, event: QHideEvent) -> None:
        self._do(self._end_stroke)
        super().hideEvent(event)

    @override
    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            event.setAccepted(self._action(event) is not None)
            return True
        return super().event(event)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        action = self._action(event)
        if action is None:
            super().keyPressEvent(event)
        else:
            action()

    @override
    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self.accepts(event.mimeData()):
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
        else:
            event.ignore()

    @override
    def dropEvent(self, event: QDropEvent) -> None:
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        self.take(event.mimeData())

    @override
    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    @override
    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    @override
    def paintEvent(self, _event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            box = self._box()
            frame = box.adjusted(-_FRAME, -_FRAME, _FRAME, _FRAME)
            theme = current_theme()
            painter.fillRect(frame, QColor(theme.accent if self.hasFocus() else theme.grid))
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(box, self._ink)
            if not self._marks and self._stroke is None:
                painter.setPen(QColor(DARK.muted))  # the pad is black in every theme
                flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
                painter.drawText(box, flags, _HINT)

    # How lines come about

    def _begin(self, at: QPointF, pressure: float, erasing: bool) -> None:
        self._do(self._end_stroke)
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        if erasing and not self._marks:
            return
        self._stroke = Stroke([], erasing)
        self._extend(at, pressure)

    def _extend(self, at: QPointF, pressure: float) -> None:
        if self._stroke is None:
            return
        box = self._box()
        x, y = (at.x() - box.left()) / box.width(), (at.y() - box.top()) / box.height()
        samples = self._stroke.samples
        if samples and math.hypot(x - samples[-1].x, y - samples[-1].y) < _STEP:
            return
        samples.append(Sample(x, y, self._thickness * (0.5 + pressure)))
        draw_end(self._ink, self._stroke)
        self.update()
        if not self._frame.isActive():
            self._frame.start()

    def _end_stroke(self) -> None:
        self._frame.stop()
        stroke, self._stroke = self._stroke, None
        self._button = Qt.MouseButton.NoButton
        if stroke is not None:
            self._change("Erase" if stroke.erasing else "Draw", (*self._marks, stroke))

    def _change(self, text: str, marks: tuple[Mark, ...]) -> None:
        if marks == self._marks:
            return
        before = self._marks
        self._show(marks)
        self._history.push(Edit(text, partial(self._show, before), partial(self._show, marks)))

    def _show(self, marks: tuple[Mark, ...]) -> None:
        self._marks = marks
        self._ink = inked(marks)
        self.update()

    def _do(self, action: Callable[[], None]) -> None:
        """Do what a person asked for, and tell what came of it."""
        before, drawing = self._marks, self._stroke is not None
        self._end_stroke()
        action()
        if drawing or self._marks is not before:
            self._tell()

    def _tell(self) -> None:
        self.drawn.emit(self.ink())

    def _action(self, event: QKeyEvent) -> Callable[[], None] | None:
        if event.key() == Qt.Key.Key_Delete:
            return self.clear
        keys = {
            QKeySequence.StandardKey.Undo: self.undo,
            QKeySequence.StandardKey.Redo: self.redo,
            QKeySequence.StandardKey.Paste: self.paste,
        }
        return next((action for key, action in keys.items() if event.matches(key)), None)

    def _box(self) -> QRectF:
        """The square that is drawn in, logical coordinates."""
        side = max(min(self.width(), self.height()) - 2 * _FRAME, 1)
        return QRectF((self.width() - side) // 2, (self.height() - side) // 2, side, side)


def _picture_file(mime: QMimeData) -> Path | None:
    """The first file there whose name is that of a picture."""
    kinds = QMimeDatabase()
    for url in mime.urls():
        name = url.toLocalFile()
        kind = kinds.mimeTypeForFile(name, QMimeDatabase.MatchMode.MatchExtension)
        if name and kind.name().startswith("image/"):
            return Path(name)
    return None


def _rgba(given: object) -> UInt8:
    """(h, w, 4) of RGB and opacity; (0, 0, 4) if what another program gave is no picture."""
    image = given.toImage() if isinstance(given, QPixmap) else given
    if not isinstance(image, QImage) or image.isNull():
        return np.empty((0, 0, 4), np.uint8)
    plain = image.convertToFormat(QImage.Format.Format_RGBA8888)
    return np.frombuffer(plain.constBits(), np.uint8).reshape(plain.height(), -1, 4).copy()
