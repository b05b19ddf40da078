"""Figures that can be asked for: of the map, the training curves and the lessons.

Each is a ``FigureStyle`` too. What it does not say is as in the workspace, or as a window begins.
"""

from dataclasses import dataclass

from typing_extensions import override

from vae_explorer.export.figure import FigureStyle
from vae_explorer.export.requests import Request, asked
from vae_explorer.types import ImageShape

_FAR = 1e6


@dataclass(frozen=True)
class Figure(Request, FigureStyle):
    """What all of them share."""

    turned = False  # the workspace says how the plane is turned

    @override
    def size(self, shape: ImageShape) -> str:
        width, height = self.pixels
        return f"{width:,} × {height:,} pixels"

    @override
    def small(self, shape: ImageShape) -> "Request | None":
        width, height = self.points
        return self.replace(dpi=min(self.dpi, max(50, int(72 * 480 / max(width, height)))))


@dataclass(frozen=True)
class Map(Figure):
    """The map with its layers."""

    layers: str = asked(
        "", "", "The layers shown, such as points,manifold; left out, those of the workspace."
    )
    region: tuple[float, ...] | None = asked(
        None, "", "Left and right edge, then bottom and top, in latent units.",
        low=-_FAR, high=_FAR,
    )  # fmt: skip
    split: str = asked(
        "", "", "The images shown, if not those of the workspace.",
        choices=("", "train", "test", "both"),
    )  # fmt: skip
    color_by: str = asked("", "", "What colours the points, such as label or log p(x).")


@dataclass(frozen=True)
class Curves(Figure):
    """The training curves of the model."""

    panel: str = asked("", "", "One of them alone, such as elbo or kl; left out, all.")


@dataclass(frozen=True)
class LessonFigure(Figure):
    """The figure of a lesson."""

    lesson: str = asked("", "", "Which, such as 4-bound; left out, that of the workspace.")
    step: int = asked(1, "", "Of the lesson.", low=1, high=1_000)
    chart: str = asked("", "", "One chart alone, by its title; left out, all.")

    @property
    @override
    def stem(self) -> str:
        return "lesson"
