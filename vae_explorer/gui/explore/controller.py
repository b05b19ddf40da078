"""Between what is explored and the docks that show it: paths, drawing, refining, comparing."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from vae_explorer.gui.compare.controller import CompareController
from vae_explorer.gui.dialogs.ask_path import PICTURE, PNG, AskPath
from vae_explorer.gui.explore.decode.refine_section import RefineSection
from vae_explorer.gui.explore.paths.path_panel import PathPanel
from vae_explorer.gui.explore.sketch.draw_panel import DrawPanel
from vae_explorer.session.app import Explorer
from vae_explorer.session.explore.latent_paths import Trip
from vae_explorer.session.explore.refinement import RefinementStep
from vae_explorer.types import UInt8


class ExploreController(QObject):
    """Wires the docks of paths, drawing and refining to the explorer; opens the comparison.

    Args:
        explorer: told what a person wants, and listened to.
        paths: the dock of paths.
        draw: that of drawing.
        refine: that of refining.
        ask: asks for files.
        window: the parent of dialogs.
    """

    def __init__(
        self,
        explorer: Explorer,
        paths: PathPanel,
        draw: DrawPanel,
        refine: RefineSection,
        ask: AskPath,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._explorer = explorer
        self._paths = paths
        self._draw = draw
        self._refine = refine
        self._ask = ask
        self._window = window
        self._comparison: CompareController | None = None
        self._connect_paths()
        self._connect_drawing()
        self._connect_refining()

    def handlers(self) -> dict[str, Callable[[], object]]:
        """What the commands about exploring do, by id."""
        return {"compare": self._compare}

    def compare(self, a: Path, b: Path) -> None:
        """Open the comparison with the models of two checkpoints."""
        self._compare().open(a, b)

    def _connect_paths(self) -> None:
        travel, panel = self._explorer.exploration.travel, self._paths
        panel.chosen.connect(travel.choose)
        panel.frame_chosen.connect(travel.set_frame)
        panel.export_requested.connect(self._export_path)
        travel.chosen.connect(panel.set_choice)
        travel.path_changed.connect(self._on_path)
        travel.frame_changed.connect(self._on_frame)

    def _connect_drawing(self) -> None:
        drawn, panel = self._explorer.exploration.drawn, self._draw
        panel.drawn.connect(drawn.draw)
        panel.cleared.connect(self._on_cleared)
        panel.image_given.connect(drawn.give)
        panel.file_given.connect(drawn.open)
        panel.open_requested.connect(self._open_picture)
        drawn.seen_changed.connect(self._on_seen)
        drawn.reconstructed.connect(panel.set_reconstruction)
        drawn.read.connect(panel.set_figures)
        drawn.nearest_changed.connect(panel.set_nearest)

    def _connect_refining(self) -> None:
        refining, section = self._explorer.exploration.refining, self._refine
        section.start_requested.connect(self._explorer.exploration.refine)
        section.stop_requested.connect(refining.stop)
        self._explorer.exploration.refinable_changed.connect(self._on_refinable)
        self._on_refinable(False)
        refining.started.connect(self._on_refining)
        refining.stepped.connect(section.append_step)
        refining.ceiling_known.connect(section.set_ceiling)
        refining.ended.connect(self._on_refined)

    # What the explorer says

    def _on_path(self, trip: Trip | None) -> None:
        self._paths.set_trip(trip)
        self._paths.set_frame(self._explorer.exploration.travel.frame)

    def _on_frame(self, frame: int, _: tuple[float, float]) -> None:
        self._paths.set_frame(frame)

    def _on_seen(self, seen: UInt8 | None, ink: UInt8 | None) -> None:
        self._draw.set_seen(seen)
        if ink is not None:
            self._draw.set_ink(ink)

    def _on_cleared(self) -> None:
        self._explorer.exploration.drawn.draw(np.zeros((1, 1), np.uint8))  # the pad is empty

    def _on_refining(self) -> None:
        self._refine.clear()
        self._refine.set_running(True)

    def _on_refinable(self, refinable: bool) -> None:
        self._refine.clear()
        self._refine.setEnabled(refinable)

    def _on_refined(self, _: RefinementStep | None) -> None:
        self._refine.set_running(False)

    # What a person asks for

    def _open_picture(self) -> None:
        if path := self._ask.open("Open Picture", PICTURE):
            self._explorer.exploration.drawn.open(path)

    def _export_path(self) -> None:
        if path := self._ask.save("Export Path", "path.png", PNG):
            self._explorer.export_path(path)

    def _compare(self) -> CompareController:
        """Open the comparison, or bring it to the front."""
        if self._comparison is None:
            self._comparison = CompareController(self._explorer, self._ask, self._window)
            self._comparison.closed.connect(self._on_compare_closed)
        self._comparison.show()
        return self._comparison

    def _on_compare_closed(self) -> None:
        self._comparison = None
