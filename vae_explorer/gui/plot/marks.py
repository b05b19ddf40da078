"""What stands on a chart, in units of its axes. Colours are fields of ``Theme``, or "#rrggbb"."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtGui import QColor, QImage, QPainter

from vae_explorer.gui.theme import Theme, class_color
from vae_explorer.session.map import marks as latent
from vae_explorer.types import Floats, Labels, LatentPoint, Region

if TYPE_CHECKING:
    from vae_explorer.gui.plot.layout import Layout


@dataclass(frozen=True, eq=False)
class Line:
    """A curve through (x, y), each (n,); a value that is not finite breaks it.

    It is ``filled`` down to 0 and has a ``symbol`` at each point, "o" or "d" (a diamond), if asked
    for; with a ``width`` of 0 these stand alone. A ``halo`` sets it off from its ground.
    """

    x: Floats
    y: Floats
    color: str
    name: str = ""
    width: float = 2.0
    dashed: bool = False
    dotted: bool = False
    filled: bool = False
    opacity: float = 1.0
    symbol: str = ""
    halo: bool = False


@dataclass(frozen=True, eq=False)
class Band:
    """What lies between two curves over the same x, (n,) each."""

    x: Floats
    lower: Floats
    upper: Floats
    color: str
    name: str = ""
    opacity: float = 0.2


@dataclass(frozen=True, eq=False)
class Columns:
    """Columns between ``edges`` (n + 1,) of ``heights`` (n,); ``gap`` is left of their width."""

    edges: Floats
    heights: Floats
    color: str
    name: str = ""
    gap: float = 0.0


@dataclass(frozen=True)
class Box:
    """A box over a region, with its name in the middle if there is room for it."""

    region: Region
    color: str
    name: str = ""


@dataclass(frozen=True, eq=False)
class Dots:
    """Dots at ``positions`` (n, 2), ``size`` pixels wide."""

    positions: Floats
    color: str
    name: str = ""
    size: float = 3.0
    opacity: float = 0.5


@dataclass(frozen=True)
class Level:
    """A line across the whole chart at a value of y, or of x if it is ``upright``."""

    value: float
    color: str
    name: str = ""
    upright: bool = False
    dashed: bool = True
    width: float = 2.0


@dataclass(frozen=True)
class Arrow:
    """An arrow from ``start`` to ``end``, (x, y) each."""

    start: tuple[float, float]
    end: tuple[float, float]
    color: str
    name: str = ""


@dataclass(frozen=True)
class Ring:
    """A ring ("o") or cross ("x") at a position, set off from its ground, or a shape with an edge.

    That is a disc ("."), a diamond ("d"), a square ("s") or a triangle that points left ("<").
    ``text`` stands beside it, clear of the texts of other rings.
    """

    position: tuple[float, float]
    color: str
    size: float = 5.0
    shape: str = "o"
    text: str = ""
    edge: str = "canvas"
    name: str = ""


@dataclass(frozen=True, eq=False)
class Picture:
    """An image over a region; its first row is the lowest."""

    image: QImage
    region: Region
    name: str = ""
    opacity: float = 1.0


@dataclass(frozen=True, eq=False)
class Painted:
    """Whatever ``paint`` paints by the layout's way to pixels."""

    paint: Callable[[QPainter, "Layout", Theme], None]
    name: str = ""


@dataclass(frozen=True, eq=False)
class Layer:
    """Marks in latent units, and what is written on them clear of ``names``, of one opacity."""

    marks: tuple[latent.Mark, ...]
    opacity: float = 1.0
    name: str = ""
    names: Mapping[str, LatentPoint] = field(default_factory=dict)


SHADED = 0.86
"""How opaque a colour is that grows with a value, where that is the largest."""

Mark = (
    Line | Band | Columns | Box | Dots | Level | Arrow | Ring | Picture | Painted | Layer
    | latent.Mark
)  # fmt: skip


def class_dots(positions: Floats, labels: Labels, size: float = 3.0) -> tuple[Dots, ...]:
    """Dots at ``positions`` (n, 2) in the colours of their classes (n,)."""
    return tuple(
        Dots(positions[labels == label], class_color(label).name(), f"class {label}", size, 0.78)
        for label in np.unique(labels).tolist()
    )


def theme_color(theme: Theme, color: str, opacity: float = 1.0) -> QColor:
    """A colour of the theme by its field, or as it is."""
    found = QColor(color if color.startswith("#") else getattr(theme, color))
    found.setAlphaF(opacity)
    return found


@dataclass(frozen=True)
class Entry:
    """A line of the legend: its stroke, as characters in a colour, a name and a value.

    Room is kept for a value, so that nothing moves while it changes.
    """

    color: str
    stroke: str
    name: str
    value: str = ""


def entries_of(marks: tuple[Mark, ...]) -> tuple[Entry, ...]:
    """What the marks' names say."""
    return tuple(
        Entry(mark.color, _stroke(mark), mark.name)
        for mark in marks
        if isinstance(mark, Line | Band | Columns | Dots | Level | Arrow) and mark.name
    )


def _stroke(mark: Line | Band | Columns | Dots | Level | Arrow) -> str:
    match mark:
        case Level(upright=True):
            return "╎" if mark.dashed else "│"
        case Line() if not mark.width:
            return "●"
        case Line(dotted=True):
            return "┄┄"
        case Line() | Level():
            return "╍╍" if mark.dashed else "━"
        case Arrow():
            return "→"
        case Dots():
            return "●"
        case Band():
            return "▒"
    return "■"
