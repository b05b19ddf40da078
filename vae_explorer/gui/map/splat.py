"""Pixels to round dots: the picture of points laid over itself, shifted, a few times.

The cost goes with the picture and not with the points. A dot grows by a cross and a square in
turn, which keeps it round; its outermost pixels are faint, which makes it smooth and lets its
width change without a jump.
"""

from typing import Final

from PySide6.QtGui import QImage, QPainter

ARGB = QImage.Format.Format_ARGB32_Premultiplied

MAX_DIAMETER: Final = 17.0
MARGIN: Final = 10
"""Pixels beyond its centre that the largest dot can reach, and one that stays empty."""

_Copies = tuple[tuple[int, int, float], ...]  # shift across, shift down, opacity
_CORNERS: Final = ((-1, -1), (1, -1), (-1, 1), (1, 1))
_BAR: Final[_Copies] = ((-1, 0, 1.0), (1, 0, 1.0))
_POST: Final[_Copies] = ((0, -1, 1.0), (0, 1, 1.0))
_CROSS: Final[_Copies] = (*_BAR, *_POST)
_SOFT_CROSS: Final[_Copies] = (*((dx, dy, 0.3) for dx, dy in _CORNERS), *_CROSS)
_SQUARE: Final[_Copies] = (*((dx, dy, 1.0) for dx, dy in _CORNERS), *_CROSS)
# What a dot of radius 0, 1, 2, … grows by. Two strokes make the square cheaper than its eight
# copies. The smallest need soft corners to look round.
_GROWTH: Final = ((_SOFT_CROSS,), (_BAR, _POST)) + 3 * ((_CROSS,), (_BAR, _POST))
_EDGES: Final = (_SOFT_CROSS, _SQUARE) + 7 * (_CROSS,)
_FAINTEST: Final = 0.05  # an edge fainter than this is not worth its copies


class Splatter:
    """Grows dots; keeps two pictures between frames."""

    def __init__(self) -> None:
        self._pictures = [QImage(), QImage()]

    def splat(self, points: QImage, diameter: float) -> QImage:
        """``points`` with every pixel grown to a dot ``diameter`` pixels wide, 1 to MAX_DIAMETER.

        The answer is ``points`` itself for a diameter of 1, or else drawn over by the next call.
        """
        radius = (min(max(diameter, 1.0), MAX_DIAMETER) - 1.0) / 2.0
        whole = int(radius)
        picture = points
        for strokes in _GROWTH[:whole]:
            for copies in strokes:
                picture = self._lay(picture, copies, 1.0)
        if radius - whole > _FAINTEST:
            picture = self._lay(picture, _EDGES[whole], radius - whole)
        return picture

    def _lay(self, source: QImage, copies: _Copies, opacity: float) -> QImage:
        """``source`` on top of shifted copies of it, all of them fainter by ``opacity``."""
        target = self._other(source)
        target.fill(0)
        with QPainter(target) as painter:
            for dx, dy, own in copies:
                painter.setOpacity(own * opacity)
                painter.drawImage(dx, dy, source)
            painter.setOpacity(1.0)
            painter.drawImage(0, 0, source)
        return target

    def _other(self, source: QImage) -> QImage:
        """The picture that is not ``source``, of its size."""
        which = 1 if source is self._pictures[0] else 0
        if self._pictures[which].size() != source.size():
            self._pictures[which] = QImage(source.size(), ARGB)
        return self._pictures[which]
