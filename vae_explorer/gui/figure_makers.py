"""The maker of figures, for the table of the kinds of export."""

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
    Figure,
    LessonFigure,
    Map,
    Refinement,
    SweepMaps,
    edges_of,
)
from vae_explorer.export.kinds import kind_of
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

Arrange = Callable[["MainWindow"], object]
"""Does what is to be done once the workspace is there."""


def figure(request: Figure, source: Source, suffix: str, progress: Progress) -> bytes:
    """A figure, in a process that may have neither a display nor Qt yet.

    Raises:
        ExportError: it is not said of what, what is asked for is not there, or see
            ``render_figure``.
    """
    workspace, arrange, fits = _workspace(source), None, False
    match request:
        case Map():
            workspace = _of_map(request, workspace)
            fits = not source.workspace and not request.region
        case LessonFigure():
            workspace = _of_lesson(request, workspace)
        case Refinement():
            arrange = _refinement(request)
        case SweepMaps():
            arrange = _sweep(request)
        case Comparison():
            arrange = _comparison(request)
    if "PySide6.QtWidgets" not in sys.modules:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        preflight.check()
    from vae_explorer.gui.rendering import render_figure

    name = ".".join(filter(None, (kind_of(request).name, request.chosen)))
    check = partial(progress, 0.0)
    return render_figure(name, workspace, suffix[1:], request, check, arrange, fits=fits)


def _workspace(source: Source) -> Workspace:
    if source.path is None:
        raise ExportError("The model is in no file; save it first.")
    if source.workspace:
        told = {**source.workspace, "path": str(source.path)}
        return from_values(told, "The view of the export")
    return fresh(source.path, source.rotation)


def _of_map(request: Map, workspace: Workspace) -> Workspace:
    if request.layers:
        wanted, known = set(request.layers.replace(" ", "").split(",")), [s.id for s in LAYERS]
        if unknown := sorted(wanted - set(known)):
            raise ExportError(f"There is no layer “{unknown[0]}”; choose of {', '.join(known)}.")
        layers = tuple(replace(state, on=state.id in wanted) for state in workspace.layers)
        workspace = replace(workspace, layers=layers)
    if view := edges_of(request.region):
        workspace = replace(workspace, view=view, pixels=None)
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
    return workspace


def _of_lesson(request: LessonFigure, workspace: Workspace) -> Workspace:
    if request.lesson:
        place = LessonPlace(request.lesson, request.step - 1)
        return replace(workspace, lesson=place, layout="learn")
    if workspace.lesson is None:
        raise ExportError("Say which lesson, such as --lesson 4-bound.")
    return workspace


def _refinement(request: Refinement) -> Arrange:
    pin: Pin = request.split, request.index  # type: ignore[assignment]

    def arrange(window: "MainWindow") -> None:
        state = window.app.map.state
        if state and state.model.no_marginal:
            raise ExportError(state.model.no_marginal)
        if state and request.index >= state.data.sizes()[pin[0]]:
            raise ExportError(f"{state.data.name} has no {request.split} image {request.index:,}.")
        window.app.pins.restore((pin,), pin)
        window.app.refinement.start(request.steps)

    return arrange


def _sweep(request: SweepMaps) -> Arrange:
    if not request.folder:
        raise ExportError("Say which sweep, by --folder.")
    return lambda window: window.app.sweeps.open(Path(request.folder))


def _comparison(request: Comparison) -> Arrange:
    if not request.b:
        raise ExportError("Say which model is on the right, by --b.")
    edges_of(request.region_a), edges_of(request.region_b)
    return lambda window: window.compare.show(request)
