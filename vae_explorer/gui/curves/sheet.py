"""What a panel shows, as values: its axes, its curves and the words of its legend."""

from dataclasses import dataclass

from PySide6.QtCore import Qt

from vae_explorer.gui.curves.decimation import Vertices
from vae_explorer.gui.curves.legend import Entry


@dataclass(frozen=True)
class Axis:
    """A name with its unit, and the range shown; of a logarithmic one its powers of ten."""

    label: str
    low: float
    high: float
    log: bool = False


@dataclass(frozen=True)
class Stroke:
    """A curve: vertices in units of the axes, a colour "#rrggbb", and how it is drawn."""

    vertices: Vertices
    color: str
    opacity: float = 1.0
    line: Qt.PenStyle = Qt.PenStyle.SolidLine
    symbol: str | None = None


@dataclass(frozen=True)
class Band:
    """The space between two curves over the same x."""

    lower: Vertices
    upper: Vertices
    color: str


@dataclass(frozen=True)
class Mark:
    """A moment, as a line across the panel."""

    x: float
    color: str
    line: Qt.PenStyle


@dataclass(frozen=True)
class Sheet:
    """A panel with all its words, in the colours of one theme."""

    title: str
    x: Axis
    y: Axis
    strokes: tuple[Stroke, ...] = ()
    bands: tuple[Band, ...] = ()
    marks: tuple[Mark, ...] = ()
    entries: tuple[Entry, ...] = ()
    note: str = ""
    """Stands in the middle of a panel without curves."""
