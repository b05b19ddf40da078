"""What is written on marks in latent units: beside lines, clear of each other."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontInfo,
    QFontMetricsF,
    QPainter,
    QPainterPath,
    QPen,
    QTransform,
)

from vae_explorer.gui.plot.latent_marks import RASTER, drawable
from vae_explorer.gui.theme import Theme
from vae_explorer.session.map.marks import Curve, Ellipses, Mark
from vae_explorer.types import LatentPoint

_TEXT_HALO = 6.0  # closes the gap before a percent sign
_TEXT_ROOM = 18.0  # logical pixels a text keeps from the edges of the view
_NAME_SCALE = 1.7
_OUTLINE = 2_048  # pixels of the font that outlines are taken from
_CIRCLE = np.linspace(0.0, 2 * np.pi, 65)[:-1]


class Outlined:
    """A text with its outline, whose middle is at the origin."""

    def __init__(self, text: str, font: QFont) -> None:
        self.text, self.font = text, font
        # So large that Qt keeps no letter of it. The outlines of those that it keeps begin at the
        # part of a pixel where any letter of their font was painted last.
        large = QFont(font)
        large.setPixelSize(_OUTLINE)
        path = QPainterPath()
        path.addText(0.0, 0.0, large, text)
        center, scale = path.boundingRect().center(), QFontInfo(font).pixelSize() / _OUTLINE
        self._start = -center * scale
        self.glyphs = QTransform.fromScale(scale, scale).map(path.translated(-center))

    @property
    def box(self) -> QRectF:
        """The room it takes about the origin."""
        return self.glyphs.boundingRect().adjusted(-2, -2, 2, 2)

    def write(self, painter: QPainter, at: QPointF, halo: QPen, color: QColor) -> None:
        """Write it about a pixel, in a file of lines as letters."""
        glyphs = self.glyphs.translated(at)
        painter.strokePath(glyphs, halo)
        if painter.paintEngine().type() == RASTER:
            painter.fillPath(glyphs, color)
        else:
            painter.setFont(self.font)
            painter.setPen(color)
            painter.drawText(at + self._start, self.text)


@dataclass(frozen=True, eq=False)
class Caption:
    """A text for a line (k, 2)."""

    text: Outlined
    line: NDArray[np.floating[Any]]

    def positions(self, view: QRectF) -> Iterator[QPointF]:
        """Where it may stand: the ends of what is in view, the highest first."""
        x, y = self.line.T
        seen = (x > view.left()) & (x < view.right()) & (y > view.top()) & (y < view.bottom())
        x, y = x[seen], y[seen]
        if x.size:
            for index in (y.argmax(), x.argmax(), y.argmin(), x.argmin()):
                yield QPointF(float(x[index]), float(y[index]))


def captions(mark: Mark, font: QFont | None = None) -> Iterator[Caption]:
    """The texts of a mark."""
    font = font or QFont()
    match mark:
        case Curve(paths, text) if text and paths:
            yield Caption(Outlined(text, font), max(paths, key=len))
        case Ellipses() if mark.named:
            circle = np.stack([np.cos(_CIRCLE), np.sin(_CIRCLE)], axis=1)
            for center, root, _ in drawable(mark):
                for radius in mark.radii:
                    yield Caption(Outlined(f"{radius:g}σ", font), center + radius * circle @ root.T)


def write_captions(
    painter: QPainter,
    texts: Sequence[Caption],
    view: QRectF,
    theme: Theme,
    names: Mapping[LatentPoint, QRectF],
) -> None:
    """Write each where its line is in view and no other stands; the painter is in latent units.

    Nor do they stand where ``names`` are: these have boxes in pixels about their positions.
    """
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    to_pixels = painter.worldTransform()
    painter.setWorldTransform(QTransform())
    room_x, room_y = _TEXT_ROOM / to_pixels.m11(), _TEXT_ROOM / abs(to_pixels.m22())
    inner = view.adjusted(room_x, room_y, -room_x, -room_y)
    ground = QPen(QColor(QColor(theme.canvas).rgb()), _TEXT_HALO)
    ground.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    taken = [box.translated(to_pixels.map(QPointF(*at))) for at, box in names.items()]
    for caption in texts:
        places = (to_pixels.map(position) for position in caption.positions(inner))
        if (at := free(places, caption.text.box, taken)) is not None:
            caption.text.write(painter, at, ground, QColor(theme.text))


def free(places: Iterable[QPointF], box: QRectF, taken: list[QRectF]) -> QPointF | None:
    """The first place where a ``box`` about it stands on none of those ``taken``; now it is one."""
    for at in places:
        there = box.translated(at)
        if not any(there.intersects(other) for other in taken):
            taken.append(there)
            return at
    return None


def name_font(font: QFont) -> QFont:
    """In which the names of classes are written."""
    large = QFont(font)
    if font.pixelSize() > 0:
        large.setPixelSize(round(font.pixelSize() * _NAME_SCALE))
    else:
        large.setPointSizeF(font.pointSizeF() * _NAME_SCALE)
    large.setBold(True)
    return large


def name_boxes(names: Mapping[str, LatentPoint], font: QFont) -> dict[LatentPoint, QRectF]:
    """The room that the names of classes take about their positions."""
    large = name_font(font)
    return {at: Outlined(name, large).box for name, at in names.items()}


def beside(at: QPointF, box: QRectF, font: QFont, area: QRectF) -> Iterator[QPointF]:
    """Where the name of what is there may stand, whole: on it, or a line above or below."""
    if area.contains(at):
        at.setX(max(area.left() - box.left(), min(at.x(), area.right() - box.right())))
    line = QPointF(0, QFontMetricsF(font).height())
    yield from (at, at - line, at + line)
