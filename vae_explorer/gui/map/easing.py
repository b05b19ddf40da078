"""Points that glide from where they were to where they are."""

from PySide6.QtCore import QEasingCurve, QObject, QVariantAnimation, Signal
from PySide6.QtWidgets import QApplication, QStyle

from vae_explorer.types import Float32

DURATION_MS = 300
"""A little less than lies between two snapshots of a run."""

FRAME_MS = 30
"""Least time between two frames on the way: each is painted under a run that goes on."""


class Easing(QObject):
    """Moves positions a frame at a time, or at once where the system asks for reduced motion.

    Signals:
        moved: positions (n, 2) float32 along the way; the last are the very ones aimed at.
    """

    moved = Signal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._start: Float32 | None = None
        self._end: Float32 | None = None
        self._next = 0
        self._animation = QVariantAnimation(self)
        self._animation.setDuration(DURATION_MS)
        self._animation.setStartValue(0.0)
        self._animation.setEndValue(1.0)
        self._animation.setEasingCurve(QEasingCurve.Type.InOutCubic)
        self._animation.valueChanged.connect(self._move)

    def start(self, start: Float32, end: Float32) -> None:
        """Go from ``start`` to ``end``, (n, 2) each; what was under way is left where it is."""
        self._animation.stop()
        self._start, self._end, self._next = start, end, FRAME_MS
        if QApplication.style().styleHint(QStyle.StyleHint.SH_Widget_Animation_Duration) > 0:
            self._animation.start()
        else:
            self.moved.emit(end)

    def stop(self) -> None:
        """Go no further."""
        self._animation.stop()

    def _move(self, share: float) -> None:
        assert self._start is not None
        assert self._end is not None
        if share >= 1.0:
            self.moved.emit(self._end)
        elif self._animation.currentTime() >= self._next:
            self._next = self._animation.currentTime() + FRAME_MS
            self.moved.emit(self._start + share * (self._end - self._start))
