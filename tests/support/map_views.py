"""What a map of points shows."""

from collections.abc import Callable
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QLabel

from vae_explorer.gui.map.map_view import MapView
from vae_explorer.gui.map.markers import Markers
from vae_explorer.gui.map.point_tooltip import PointTooltip
from vae_explorer.session.map.state import MapPoints, PointColors

PointsOf = Callable[[list[tuple[float, float]], list[int]], MapPoints]
IMAGE = np.full((28, 28), 200, np.uint8)
COLORS = PointColors("Width", "How wide", np.array([0, 1, 0.5, np.nan], np.float32), unit="units")
SIGNALS = (
    "hovered",
    "point_hovered",
    "clicked",
    "ctrl_clicked",
    "canvas.scrubbed",
    "canvas.nudged",
    "canvas.selected",
    "canvas.space_tapped",
    "legend.visible_changed",
    "legend.select_asked",
)


def names(heard: list[tuple[Any, ...]]) -> list[str]:
    return [entry[0] for entry in heard]


def pixel(view: MapView, index: int, dx: float = 0.0) -> QPointF:
    position = [(-2, -2), (2, 2), (0, 0), (-2, 2)][index]
    return view.canvas.to_pixel(*position) + QPointF(dx, 0)


def card(view: MapView) -> PointTooltip:
    (found,) = view.findChildren(PointTooltip)
    return found


def markers(view: MapView) -> Markers:
    (found,) = view.findChildren(Markers)
    return found


def status_line(view: MapView) -> QLabel:
    return next(
        label for label in view.findChildren(QLabel) if label.accessibleName() == "Points shown"
    )


def status(view: MapView) -> str:
    return status_line(view).text()


def messages(view: MapView) -> list[str]:
    return [label.text() for label in view.findChildren(QLabel) if label.isVisible()]
