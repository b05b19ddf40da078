"""The kinds of export: a row each, of which dialog, command line, Python and ``remake`` are made.

A maker is ``make(request, source, suffix, progress) -> bytes``. It gives the same bytes for the
same request, whenever it is called: no times, no random names. What a file says of its making is
put in by ``export/about.py`` afterwards, and no business of a maker.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from vae_explorer.export import figure_requests, film_requests, numeric_requests, requests
from vae_explorer.export.requests import Request

if TYPE_CHECKING:
    from vae_explorer.export.source import Progress, Source

Maker = Callable[[Any, "Source", str, "Progress"], bytes]


@dataclass(frozen=True)
class Kind:
    """A kind of export.

    Args:
        name: on the command line and in files.
        title: on screen.
        about: a line of help.
        request: its class.
        suffixes: of the formats, the usual one first.
        maker: ``module:function``, loaded when it is called.
        data: whether the file depends on the images that the model is shown on.
        painted: whether Qt paints it, on the main thread, by the view of the map.
        check: ``module:function`` of what was made, which refuses it or says how good it is.
    """

    name: str
    title: str
    about: str
    request: type[Request]
    suffixes: tuple[str, ...]
    maker: str
    data: bool = False
    painted: bool = False
    check: str = ""

    @property
    def make(self) -> Maker:
        """The maker itself."""
        made: Maker = _loaded(self.maker)
        return made

    def checked(self, request: Request, source: "Source", suffix: str, content: bytes) -> str:
        """What to say of what was made, "" if nothing is; may raise UserError."""
        said: str = _loaded(self.check)(request, source, suffix, content) if self.check else ""
        return said


def _loaded(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(f"vae_explorer.{module}"), name)


_TABLES = (".csv", ".tsv", ".parquet", ".npz")
_PICTURES = (".png", ".tiff", ".svg")
_FILMS = (".gif", ".apng", ".webp", ".mp4", ".webm")


def _figure(name: str, request: type[Request], title: str, about: str) -> Kind:
    suffixes, maker = (".png", ".svg", ".pdf", ".csv"), "gui.figure_makers:figure"
    return Kind(name, title, about, request, suffixes, maker, painted=True)


KINDS = {
    kind.name: kind
    for kind in (
        Kind("digit", "Image at the cursor", "One decoded latent point.",
            requests.Digit, _PICTURES, "export.pictures:digit"),
        Kind("manifold", "Manifold", "A sheet of n × n decoded latent points.",
            requests.Manifold, _PICTURES, "export.pictures:manifold"),
        Kind("path", "Path", "Decoded latent points side by side.",
            requests.Strip, _PICTURES, "export.pictures:strip"),
        Kind("images", "Images and reconstructions",
            "Images of the data, and what the model makes of them.",
            requests.Images, _PICTURES, "export.pictures:images", data=True),
        Kind("points", "Points", "A table of images: codes, labels and scores.",
            numeric_requests.Points, _TABLES, "export.points:points", data=True),
        Kind("codes", "Codes", "A table of all images of a split: codes and labels.",
            numeric_requests.Codes, _TABLES, "export.points:points", data=True),
        Kind("model", "Model", "A checkpoint, a network as ONNX, or PyTorch in a ZIP.",
            numeric_requests.Model, (".safetensors", ".onnx", ".zip"), "export.models:model",
            check="export.models:checked"),
        Kind("walk", "Film of a walk", "The way over the plane, and the image there.",
            film_requests.Walk, _FILMS, "gui.film:walk"),
        Kind("film", "Film of the training",
            "Map, sheet and curves from snapshot to snapshot of a run, by its folder or its model.",
            film_requests.Film, _FILMS, "gui.film:training", data=True),
        Kind("page", "Page", "One HTML page with decoder, map and manifold, for any browser.",
            requests.Page, (".html",), "export.page:page", data=True),
        _figure("map", figure_requests.Map, "Map",
            "The map with its layers, axes and classes, or its points as a table."),
        _figure("curves", figure_requests.Curves, "Curves", "The training curves of a model."),
        _figure("lesson", figure_requests.LessonFigure, "Lesson",
            "The figure of a step of a lesson."),
        _figure("refinement", figure_requests.Refinement, "Refinement",
            "The ELBO of an image as its posterior is refined."),
        _figure("sweep", figure_requests.SweepMaps, "Sweep", "Small maps of the runs of a sweep."),
        _figure("comparison", figure_requests.Comparison, "Comparison",
            "The maps of two models side by side."),
    )
}  # fmt: skip


def kind_of(request: Request) -> Kind:
    """The kind that a request is of."""
    return next(kind for kind in KINDS.values() if kind.request is type(request))
