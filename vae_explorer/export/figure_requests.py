"""Figures that can be asked for: the map, and every chart.

Each is a ``FigureStyle`` too. What it does not say is as in the workspace, or as a window begins.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from typing_extensions import override

from vae_explorer.errors import ExportError
from vae_explorer.export.figure import FigureStyle
from vae_explorer.export.requests import Request, asked
from vae_explorer.fields import field
from vae_explorer.types import ImageShape, Region

_FAR = 1e6
_SPLITS = ("test", "train", "both")


def _region(of: str) -> Any:
    about = f"{of}: left and right edge, then bottom and top, in latent units."
    return asked(None, "", about, low=-_FAR, high=_FAR)


def edges_of(region: tuple[float, ...] | None) -> Region | None:
    """Left, right, bottom and top of a field of that; raises ExportError: they are not four."""
    match region:
        case None:
            return None
        case (left, right, bottom, top) if left < right and bottom < top:
            return left, right, bottom, top
    raise ExportError(
        "A region is four numbers: the left edge and a larger right one, the bottom and a larger "
        "top."
    )


@dataclass(frozen=True)
class Figure(Request, FigureStyle):
    """What all of them share."""

    turned = False  # the workspace says how the plane is turned
    part: ClassVar[str] = ""
    """The field that names one of its charts, if it may be one alone."""

    @property
    def chosen(self) -> str:
        """The chart that it is of, "" of all."""
        return getattr(self, self.part) if self.part else ""

    @property
    def subject(self) -> dict[str, Any]:
        """What it is of, as its look and its chart are left out."""
        look = FigureStyle.specs().keys() | {self.part}
        return {name: value for name, value in self.to_dict().items() if name not in look}

    @property
    @override
    def stem(self) -> str:
        words = (type(self).__name__.lower(), *self.chosen.split("-"))
        return "_".join(word for word in words if word.isalnum())

    @override
    def size(self, shape: ImageShape) -> str:
        width, height = self.pixels
        return f"{width:,} × {height:,} pixels"

    @override
    def small(self, shape: ImageShape) -> Request:
        width, height = self.points
        return self.replace(dpi=min(self.dpi, max(50, int(72 * 480 / max(width, height)))))


@dataclass(frozen=True)
class Map(Figure):
    """The map with its layers."""

    layers: str = asked(
        "", "", "The layers shown, such as points,manifold; left out, those of the workspace."
    )
    region: tuple[float, ...] | None = _region("Of the map")
    split: str = asked(
        "", "", "The images shown, if not those of the workspace.",
        choices=("", "train", "test", "both"),
    )  # fmt: skip
    color_by: str = asked("", "", "What colours the points, such as label or log p(x).")


@dataclass(frozen=True)
class Curves(Figure):
    """The training curves of the model."""

    part = "panel"

    panel: str = asked("", "", "One of them alone, such as elbo or kl; left out, all.")


@dataclass(frozen=True)
class LessonFigure(Figure):
    """The figure of a lesson."""

    part = "chart"

    lesson: str = asked("", "", "Which, such as 4-bound; left out, that of the workspace.")
    step: int = asked(1, "", "Of the lesson.", low=1, high=1_000)
    chart: str = asked("", "", "One chart alone, by its title; left out, all.")

    @property
    @override
    def stem(self) -> str:
        return super().stem.replace("lessonfigure", "lesson")


@dataclass(frozen=True)
class Refinement(Figure):
    """The ELBO of an image as its posterior is refined, and log p(x) above it."""

    split: str = asked("test", "", "Of the image.", choices=("test", "train"))
    index: int = asked(0, "", "Of the image in its split, from 0.", low=0, high=10**8)
    steps: int = asked(300, "", "After which it ends.", low=0, high=300)


@dataclass(frozen=True)
class SweepMaps(Figure):
    """A small map of each run of a sweep."""

    folder: str = asked("", "", "Of the sweep.")


@dataclass(frozen=True)
class Comparison(Figure):
    """The maps of two models side by side, of which the second is turned to fit the first."""

    width: float = field(200.0, FigureStyle.specs()["width"])
    a: str = asked("", "", "Another model on the left, by its name or its checkpoint.")
    b: str = asked("", "", "The model on the right, likewise.")
    split_a: str = asked("test", "", "The images on the left.", choices=_SPLITS)
    split_b: str = asked("test", "", "The images on the right.", choices=_SPLITS)
    region_a: tuple[float, ...] | None = _region("Of the left map")
    region_b: tuple[float, ...] | None = _region("Of the right map")
