"""The makers of figures, for the table of the kinds of export."""

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from vae_explorer.errors import ExportError
from vae_explorer.export.figure_requests import (
    Comparison,
    Curves,
    Figure,
    LessonFigure,
    Map,
    Refinement,
    SweepMaps,
    edges_of,
)
from vae_explorer.export.source import Progress, Source
from vae_explorer.gui import preflight
from vae_explorer.session.explore.pins import Pin
from vae_explorer.session.files.workspace import Workspace, from_values
from vae_explorer.session.files.workspaces import fresh
from vae_explorer.session.lessons.place import LessonPlace
from vae_explorer.session.map.coloring import CHOICES
from vae_explorer.session.map.layers import LAYERS
from vae_explorer.types import Split

if TYPE_CHECKING:
    from vae_explorer.gui.window.main_window import MainWindow


def map_figure(request: Map, source: Source, suffix: str, progress: Progress) -> bytes:
    """The map.

    Raises:
        ExportError: a layer or what colours points is unknown, a region is none, or see ``_made``.
    """
    workspace, fits = _workspace(source), not source.workspace
    if request.layers:
        wanted, known = set(request.layers.replace(" ", "").split(",")), [s.id for s in LAYERS]
        if unknown := sorted(wanted - set(known)):
            raise ExportError(f"There is no layer “{unknown[0]}”; choose of {', '.join(known)}.")
        layers = tuple(replace(state, on=state.id in wanted) for state in workspace.layers)
        workspace = replace(workspace, layers=layers)
    if view := edges_of(request.region):
        workspace, fits = replace(workspace, view=view, pixels=None), False
    if request.split:
        split: Split = request.split  # type: ignore[assignment]
        workspace = replace(workspace, split=split, selection="", selections={})
    if request.color_by:
        named = {text.casefold(): value for value, text in CHOICES} | {v: v for v, _ in CHOICES}
        if request.color_by.casefold() not in named:
            raise ExportError(
                f"Points cannot be coloured by “{request.color_by}”; choose one of "
                f"{', '.join(value for value, _ in CHOICES)}."
            )
        workspace = replace(workspace, color_by=named[request.color_by.casefold()])
    return _made("map", workspace, request, suffix, progress, fits=fits)


def curves(request: Curves, source: Source, suffix: str, progress: Progress) -> bytes:
    """The training curves; raises as ``_made``."""
    return _made("curves", _workspace(source), request, suffix, progress)


def lesson(request: LessonFigure, source: Source, suffix: str, progress: Progress) -> bytes:
    """The figure of a lesson; raises as ``_made``, or ExportError: it is not said of which."""
    workspace = _workspace(source)
    if request.lesson:
        place = LessonPlace(request.lesson, request.step - 1)
        workspace = replace(workspace, lesson=place, layout="learn")
    elif workspace.lesson is None:
        raise ExportError("Say which lesson, such as --lesson 4-bound.")
    return _made("lesson", workspace, request, suffix, progress)


def refinement(request: Refinement, source: Source, suffix: str, progress: Progress) -> bytes:
    """The refinement of an image; raises as ``_made``, or ExportError: there is no such image."""
    pin: Pin = request.split, request.index  # type: ignore[assignment]

    def arrange(window: "MainWindow") -> None:
        state, refiner = window.app.map.state, window.app.refinement
        if state and state.model.no_marginal:
            raise ExportError(state.model.no_marginal)
        if state and request.index >= state.data.sizes()[pin[0]]:
            raise ExportError(f"{state.data.name} has no {request.split} image {request.index:,}.")
        window.app.pins.restore((pin,), pin)
        refiner.start(request.steps)

    return _made("refinement", _workspace(source), request, suffix, progress, arrange)


def sweep(request: SweepMaps, source: Source, suffix: str, progress: Progress) -> bytes:
    """The maps of a sweep; raises as ``_made``, or ExportError: it is not said of which."""
    if not request.folder:
        raise ExportError("Say which sweep, by --folder.")

    def arrange(window: "MainWindow") -> None:
        window.app.sweeps.open(Path(request.folder))

    return _made("sweep", _workspace(source), request, suffix, progress, arrange)


def comparison(request: Comparison, source: Source, suffix: str, progress: Progress) -> bytes:
    """Two maps; raises as ``_made``, or ExportError: there is no second model."""
    if not request.b:
        raise ExportError("Say which model is on the right, by --b.")
    edges_of(request.region_a), edges_of(request.region_b)

    def arrange(window: "MainWindow") -> None:
        window.compare.show(request)

    return _made("comparison", _workspace(source), request, suffix, progress, arrange)


def _workspace(source: Source) -> Workspace:
    if source.path is None:
        raise ExportError("The model is in no file; save it first.")
    if source.workspace:
        told = {**source.workspace, "path": str(source.path)}
        return from_values(told, "The view of the export")
    return fresh(source.path, source.rotation)


def _made(
    name: str,
    workspace: Workspace,
    request: Figure,
    suffix: str,
    progress: Progress,
    arrange: "Callable[[MainWindow], object] | None" = None,
    *,
    fits: bool = False,
) -> bytes:
    """As ``render_figure``, in a process that may have neither a display nor Qt yet."""
    if "PySide6.QtWidgets" not in sys.modules:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        preflight.check()
    from vae_explorer.gui.rendering import render_figure

    if request.chosen:
        name += f".{request.chosen}"
    check = partial(progress, 0.0)
    return render_figure(name, workspace, suffix[1:], request, check, arrange, fits=fits)
