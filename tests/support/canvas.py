"""What the canvas of a map says, and where the hand is put."""

from typing import Any

from PySide6.QtCore import QPointF, Qt

from vae_explorer.gui.map.canvas import MapCanvas

Key, Modifier = Qt.Key, Qt.KeyboardModifier
NO_KEY, ALT = Modifier.NoModifier, Modifier.AltModifier
SHIFT, CTRL = Modifier.ShiftModifier, Modifier.ControlModifier
SIGNALS = (
    "hovered",
    "clicked",
    "double_clicked",
    "ctrl_clicked",
    "scrubbed",
    "nudged",
    "selected",
    "outline_changed",
    "grabbed",
    "fit_asked",
    "space_tapped",
)


def names(heard: list[tuple[Any, ...]]) -> list[str]:
    return [entry[0] for entry in heard]


def at(canvas: MapCanvas, dx: float = 0.0, dy: float = 0.0) -> QPointF:
    """A whole pixel near the middle of the plane."""
    return QPointF(canvas.plot_rect().center().toPoint()) + QPointF(dx, dy)
