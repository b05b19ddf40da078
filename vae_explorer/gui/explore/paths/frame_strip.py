"""The frames of a path side by side, and curves of what is known at each beneath."""

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QSizePolicy
from typing_extensions import override

from vae_explorer.gui.explore.decode.image import qimage_of
from vae_explorer.gui.theme import Theme, current_theme
from vae_explorer.session.explore.latent_paths import LatentPath
from vae_explorer.types import Float32

_KEEP = Qt.AspectRatioMode.KeepAspectRatio
_LEAST_SIDE = 32  # pixels of a picture
_CURVES = 26  # pixels, the least height of the curves
_EDGE = 2  # around a picture, which its frame fills
_ROOM = 4  # above and below a curve
_PAGE = 10  # frames
_STEPS = {
    Qt.Key.Key_Left: -1,
    Qt.Key.Key_Right: 1,
    Qt.Key.Key_PageUp: -_PAGE,
    Qt.Key.Key_PageDown: _PAGE,
}


@dataclass(frozen=True, eq=False)
class FrameCurve:
    """What is known at each frame: ``values`` (n,), all in ``low`` … ``high``, in ``unit``."""

    name: str
    values: Float32
    low: float
    high: float
    unit: str
    digits: int
    dashed: bool = False

    def color(self, theme: Theme) -> QColor:
        """Of the line."""
        return QColor(theme.log_likelihood if self.dashed else theme.kl)


def curves_of(path: LatentPath) -> tuple[FrameCurve, ...]:
    """The density q(z) as a percentile, or the prior's, and log p(x|z) if there is an image."""
    if not len(path.positions):
        return ()
    if path.percentile is not None:
        first = FrameCurve("q(z) above", path.percentile, 0.0, 100.0, "% of codes", 0)
    else:
        first = _fitted("log p(z)", path.log_prior, 2)
    if path.log_likelihood is None:
        return (first,)
    return first, _fitted("log p(x|z)", path.log_likelihood, 1, dashed=True)


def _fitted(name: str, values: Float32, digits: int, dashed: bool = False) -> FrameCurve:
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    return FrameCurve(name, values, low, high, "nats", digits, dashed)


class FrameStrip(QAbstractScrollArea):
    """Pictures in a row, the current one framed, over curves of the same horizontal axis.

    The pictures are as large as the height allows, but shrink to 32 pixels before the
    strip scrolls sideways. A click, a drag, the arrow keys, Page Up and Down, Home and End choose a
    frame; which is the current one is said by ``set_frame`` alone.
    """

    frame_chosen = Signal(int)
    """A person asks for a frame, counted from 0."""

    def __init__(self) -> None:
        super().__init__()
        self._path: LatentPath | None = None
        self._curves: tuple[FrameCurve, ...] = ()
        self._frame = 0
        self._note = ""
        self.setAccessibleName("Frames of the path")
        self.setToolTip("Click, drag or press the arrow keys to choose a frame")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)

    def set_path(self, path: LatentPath | None) -> None:
        """Show other frames, or none."""
        self._path = path
        self._curves = curves_of(path) if path else ()
        self._lay_out()
        self.set_frame(self._frame)

    def set_note(self, note: str) -> None:
        """What stands here while there is no path."""
        self._note = note
        self.set_frame(self._frame)

    def set_frame(self, frame: int) -> None:
        """Frame a picture and bring it into sight."""
        self._frame = min(max(frame, 0), max(0, self.count - 1))
        bar, cell = self.horizontalScrollBar(), self._cell
        left = self._frame * cell
        # With its neighbours, so that a drag can go on.
        first, last = left - cell, left + 2 * cell - self.viewport().width()
        bar.setValue(max(min(bar.value(), first), last) if last < first else left)
        at = f"Frame {self._frame + 1} of {self.count}" if self.count else f"No frames. {self._why}"
        self.setAccessibleDescription(at)
        self.viewport().update()

    @property
    def _why(self) -> str:
        return self._path.note if self._path else self._note

    @property
    def count(self) -> int:
        """The number of frames."""
        return len(self._path.positions) if self._path else 0

    def frame_rect(self, frame: int) -> QRect:
        """Where in the viewport a frame's picture is."""
        left = frame * self._cell + _EDGE - self.horizontalScrollBar().value()
        return QRect(left, _EDGE, self._side, self._side)

    @override
    def minimumSizeHint(self) -> QSize:
        """Room for pictures of their own size, the curves and the scroll bar."""
        bar = self.horizontalScrollBar().sizeHint().height()
        height = self._least_height + bar + 2 * self.frameWidth()
        return QSize(4 * _LEAST_SIDE, height)

    @override
    def sizeHint(self) -> QSize:
        return self.minimumSizeHint() + QSize(0, _LEAST_SIDE)

    @property
    def _least_height(self) -> int:
        return _LEAST_SIDE + 2 * _EDGE + _CURVES

    @property
    def _side(self) -> int:
        """Pixels of a picture: its height is what the curves leave, its width what n allow."""
        tallest = max(_LEAST_SIDE, self.viewport().height() - 2 * _EDGE - _CURVES)
        widest = self.viewport().width() // max(1, self.count) - 2 * _EDGE
        return min(tallest, max(_LEAST_SIDE, widest))

    @property
    def _cell(self) -> int:
        return self._side + 2 * _EDGE

    def _lay_out(self) -> None:
        bar, width = self.horizontalScrollBar(), self.viewport().width()
        bar.setPageStep(width)
        bar.setSingleStep(self._cell)
        bar.setRange(0, max(0, self.count * self._cell - width))

    # Qt's events

    @override
    def event(self, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() == Qt.Key.Key_Home
        ):
            event.accept()
            return True
        return super().event(event)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the pictures to the height, and keep the current one in sight."""
        super().resizeEvent(event)
        self._lay_out()
        self.set_frame(self._frame)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if key in _STEPS:
            self._choose(self._frame + _STEPS[key])
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self._choose(0 if key == Qt.Key.Key_Home else self.count - 1)
        else:
            super().keyPressEvent(event)

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._choose(self._frame_at(event.position()))

    @override
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        frame = self._frame_at(event.position())
        if event.buttons() & Qt.MouseButton.LeftButton and frame != self._frame:
            self._choose(frame)

    @override
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""

    @override
    def wheelEvent(self, event: QWheelEvent) -> None:
        self.horizontalScrollBar().event(event)

    @override
    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.viewport().update()

    @override
    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.viewport().update()

    def _frame_at(self, position: QPointF) -> int:
        return int((position.x() + self.horizontalScrollBar().value()) // self._cell)

    def _choose(self, frame: int) -> None:
        if self.count:
            self.frame_chosen.emit(min(max(frame, 0), self.count - 1))

    @override
    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw what of the pictures and curves is in sight, or why there are none."""
        with QPainter(self.viewport()) as painter:
            painter.fillRect(self.viewport().rect(), QColor(current_theme().canvas))
            if self._path is None or not self.count:
                self._paint_note(painter)
            else:
                self._paint_frames(painter, self._path)
                for curve in self._curves:
                    self._paint_curve(painter, curve)
            if self.hasFocus():
                painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
                painter.setPen(QColor(current_theme().accent))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(self.viewport().rect().adjusted(0, 0, -1, -1))

    def _paint_note(self, painter: QPainter) -> None:
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.setPen(QColor(current_theme().muted))
        painter.drawText(self.viewport().rect().adjusted(8, 4, -8, -4), flags, self._why)

    def _in_sight(self) -> range:
        start = self.horizontalScrollBar().value() // self._cell
        return range(start, min(self.count, start + self.viewport().width() // self._cell + 2))

    def _paint_frames(self, painter: QPainter, path: LatentPath) -> None:
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        for frame in self._in_sight():
            box = self.frame_rect(frame)
            if frame == self._frame:
                edged = box.adjusted(-_EDGE, -_EDGE, _EDGE, _EDGE)
                painter.fillRect(edged, QColor(current_theme().accent))
            picture = qimage_of(path.images[frame])
            area = QRect(QPoint(), picture.size().scaled(box.size(), _KEEP))
            area.moveCenter(box.center())
            painter.drawImage(area, picture)

    def _paint_curve(self, painter: QPainter, curve: FrameCurve) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        top = self._cell + _ROOM
        area = QRectF(0, top, self.viewport().width(), self.viewport().height() - top - _ROOM)
        seen = self._in_sight()
        # One beyond either edge, so that the line goes on to it.
        frames = range(max(0, seen.start - 1), min(self.count, seen.stop + 1))
        points = [
            (frame, point)
            for frame in frames
            if (point := self._at(curve, frame, area)) is not None
        ]
        painter.setPen(QPen(QColor(current_theme().grid), 1))
        middle = self.frame_rect(self._frame).center().x() + 0.5
        painter.drawLine(QPointF(middle, top - _ROOM), QPointF(middle, area.bottom() + _ROOM))
        style = Qt.PenStyle.DashLine if curve.dashed else Qt.PenStyle.SolidLine
        painter.setPen(QPen(curve.color(current_theme()), 1.5, style))
        painter.drawPolyline([point for _, point in points])
        painter.setBrush(curve.color(current_theme()))
        for frame, point in points:
            if frame == self._frame:
                painter.drawEllipse(point, 2.5, 2.5)

    def _at(self, curve: FrameCurve, frame: int, area: QRectF) -> QPointF | None:
        value = float(curve.values[frame])
        if not np.isfinite(value):
            return None
        span = curve.high - curve.low
        share = (value - curve.low) / span if span > 0 else 0.5
        x = self.frame_rect(frame).center().x() + 0.5
        return QPointF(x, area.bottom() - share * area.height())
