"""Between what is explored and the docks that show it: cursor, pins, paths, sketch, refining."""

import numpy as np
from PySide6.QtCore import QPoint, QRect
from PySide6.QtWidgets import QWidget

from vae_explorer.gui.dialogs.ask_path import PICTURE, AskPath
from vae_explorer.gui.dialogs.selection import NameDialog
from vae_explorer.gui.explore.decode.decode_panel import DecodePanel
from vae_explorer.gui.explore.decode.lowest_elbo_list import LowestElboList
from vae_explorer.gui.explore.decode.plane_panel import PlanePanel
from vae_explorer.gui.explore.decode.refine_section import RefineSection
from vae_explorer.gui.explore.paths.film import Film
from vae_explorer.gui.explore.paths.path_panel import PathPanel
from vae_explorer.gui.explore.sketch.draw_panel import DrawPanel
from vae_explorer.gui.map.map_view import MapView
from vae_explorer.gui.widgets.fading import Fading
from vae_explorer.gui.window.docks import reveal
from vae_explorer.gui.window.records import BOTTOM, RIGHT, Choices, Command, Controller, Panel
from vae_explorer.number_format import located
from vae_explorer.session.app import App
from vae_explorer.session.explore.latent_paths import LatentPath
from vae_explorer.session.explore.latent_plane import PlaneView
from vae_explorer.session.explore.refinement import RefinementStep
from vae_explorer.session.files.open_model import ModelInfo
from vae_explorer.session.map.state import class_name
from vae_explorer.types import UInt8

_DECODE = {"explore": (0, 0), "train": (1_000, 0), "learn": (1_700, 0), "travel": (600, 0)}
"""Where the decoded image is seen; a lesson gives its room to the figure."""
_WALK = 48  # frames of a film that nobody chose
_EVERY = 16  # position of a path that a film makes room for
_LONGEST = 40  # letters of the name of a class in the menu


class ExploreController(Controller):
    """Moves the cursor; the docks of decoding, drawing, refining and paths.

    Args:
        app: told what a person wants, and listened to.
        view: the map, which knows where each class is densest.
        ask: asks for files.
        pages: has the map, which the film of a path lies over.
        window: the parent of dialogs.
    """

    def __init__(
        self, app: App, view: MapView, ask: AskPath, pages: QWidget, window: QWidget
    ) -> None:
        super().__init__(app)
        self._view = view
        self._ask = ask
        self._pages = pages
        self._window = window
        self.decode = DecodePanel()
        self.plane = PlanePanel()
        self.draw = DrawPanel()
        self.refine = RefineSection()
        self.worst = LowestElboList(app.map.image)
        self.paths = PathPanel()
        self.film = Film(pages, self._film_room)
        self._connect_decoding()
        self._connect_paths()
        self._connect_drawing()
        self._connect_refining()
        for freshness, widgets in (
            (app.inspector.freshness, (self.decode.inspector,)),
            (app.playback.freshness, self.paths.results),
            (app.sketch.freshness, self.draw.results),
            (app.search.freshness, (self.worst,)),
        ):
            for widget in widgets:
                Fading(widget, freshness)
        app.model.changed.connect(self._on_model)
        cursor, arithmetic = app.cursor, app.arithmetic
        self.commands = (
            Command("analogy", "Go", "Analogy of Three Pins",
                "Move the cursor to the first pin − the second + the third", arithmetic.analogy,
                ("Ctrl+Shift+A",)),
            Command("attribute", "Go", "Add the Selection's Attribute",
                "Move the cursor by the mean of the selected images − that of the others",
                arithmetic.add_attribute, ("Ctrl+Shift+V",)),
            Command("resample", "Go", "Resample Posterior",
                "Decode another sample from the pinned image's q",
                app.inspector.resample),
            Command("refine", "Go", "Refine Posterior", "Climb the ELBO of the pinned image",
                self._show_refining, ("Ctrl+R",), lacks=lambda: app.model.no_marginal),
            Command("center", "Go", "Cursor to the Origin", "Move the cursor to z = (0, 0)",
                lambda: cursor.move(0.0, 0.0), ("O", "Ctrl+H")),
            Command("random", "Go", "Random Position", "Move the cursor to a sample from the prior",
                cursor.random, ("R", "Ctrl+J")),
            Command("back", "Go", "Back", "Return to the previous position", cursor.back,
                ("Alt+Left",), enabled=lambda: cursor.can_back),
            Command("forward", "Go", "Forward", "Undo going back", cursor.forward,
                ("Alt+Right",), enabled=lambda: cursor.can_forward),
            Command("play_path", "Go", "Play the Path",
                "Show the latent path as a film, by default a random walk", self._play_path,
                ("Ctrl+G",)),
            Command("principal_plane", "Go", "Principal Plane",
                "Show the plane along which the codes of the images vary most",
                lambda: app.plane.choose(None), enabled=lambda: app.plane.view is not None),
            Command("reset_plane", "Go", "Reset Other Coordinates",
                "Put the plane back through the mean code",
                app.plane.reset, enabled=lambda: app.plane.view is not None),
            *(self._class(label) for label in range(10)),
            Command("mark", "Go", "Add Bookmark…", "Keep the cursor's position under a name",
                self._ask_bookmark, ("Ctrl+B",), separator=True),
            Choices("Go", "Go to Bookmark", self._bookmarks,
                self.attempt("The cursor did not move", cursor.visit)),
            Choices("Go", "Remove Bookmark", self._bookmarks,
                self.attempt("No bookmark was removed", cursor.forget)),
            Command("worst_first", "Select", "Lowest ELBO First",
                "List all points from the lowest ELBO on", self._show_worst,
                lacks=lambda: app.model.no_marginal),
        )  # fmt: skip
        self.panels = (
            Panel("decode", self.decode, RIGHT, _DECODE, size=280),
            Panel("draw", self.draw, RIGHT),
            Panel("refine", self.refine, RIGHT, hidden=True),
            Panel("worst", self.worst, RIGHT, hidden=True, title="Low ELBO"),
            Panel("plane", self.plane, RIGHT, hidden=True, title="Latent plane", under=True),
            Panel("paths", self.paths, BOTTOM, {"travel": (0, 0)}, hidden=True, size=200),
        )
        visits, bookmarks = cursor.visits_changed, cursor.bookmarks_changed
        self.changes = (visits, bookmarks, app.plane.changed, app.model.changed)

    def _class(self, label: int) -> Command:
        app, view = self._app, self._view

        def name() -> str:
            return class_name(app.map.shown_data, label)

        return Command(
            f"digit_{label}",
            "Go",
            f"Go to Class {label}",
            "Move the cursor to where the images of this class are densest",
            lambda: app.cursor.go_to(view.class_places(), label, name()),
            (str(label), f"Alt+{label}"),
            enabled=lambda: name() != "",
            named=lambda: f"Go to Class {name()[:_LONGEST] or label}",
        )

    def _connect_decoding(self) -> None:
        app, panel = self._app, self.decode
        panel.sliders.z_changed.connect(app.cursor.scrub)
        panel.unpin.clicked.connect(app.pins.clear)
        panel.inspector.resample_requested.connect(app.inspector.resample)
        panel.inspector.refine_requested.connect(self._show_refining)
        panel.tray.chosen.connect(app.pins.look_at)
        panel.tray.removed.connect(app.pins.remove)
        app.cursor.changed.connect(panel.sliders.set_z)
        app.decoding.decoded.connect(panel.set_decoded)
        self.plane.along_changed.connect(app.plane.choose)
        self.plane.other_changed.connect(app.plane.move)
        self.plane.reset_requested.connect(app.plane.reset)
        app.plane.changed.connect(self._on_plane)
        app.data_support.judged.connect(panel.support.set_reading)
        app.inspector.inspected.connect(panel.inspector.set_inspection)
        app.pins.changed.connect(self._on_pins)
        app.search.ranked.connect(self.worst.set_images)
        app.search.ranking.connect(self.worst.set_progress)
        self.worst.chosen.connect(app.pinning.find)
        self.worst.asked.connect(app.search.rank)

    def _connect_paths(self) -> None:
        playback, panel = self._app.playback, self.paths
        panel.chosen.connect(playback.choose)
        panel.frame_chosen.connect(playback.set_frame)
        playback.chosen.connect(panel.set_choice)
        playback.progress.connect(panel.set_progress)
        playback.path_changed.connect(self._on_path)
        playback.frame_changed.connect(self._on_frame)
        panel.played.connect(self._show_film)
        panel.put_away.connect(self.film.hide)

    def _connect_drawing(self) -> None:
        sketch, panel = self._app.sketch, self.draw
        panel.drawn.connect(sketch.draw)
        panel.cleared.connect(self._on_cleared)
        panel.pad.image_dropped.connect(sketch.give)
        panel.pad.file_dropped.connect(sketch.open)
        panel.open_requested.connect(self._open_picture)
        sketch.seen_changed.connect(self._on_seen)
        sketch.available_changed.connect(panel.set_drawable)
        sketch.reconstructed.connect(panel.set_reconstruction)
        sketch.read.connect(panel.set_figures)
        sketch.nearest_changed.connect(panel.set_nearest)

    def _connect_refining(self) -> None:
        refinement, section = self._app.refinement, self.refine
        section.start_requested.connect(refinement.start)
        section.stop_requested.connect(refinement.stop)
        refinement.available_changed.connect(self._on_refinable)
        self._on_refinable(False)
        refinement.started.connect(self._on_refining)
        refinement.stepped.connect(section.append_step)
        refinement.ceiling_known.connect(section.set_ceiling)
        refinement.ended.connect(self._on_refined)

    # What the explorer says

    def _on_model(self, model: ModelInfo) -> None:
        for panel in (self.decode.inspector, self.refine, self.draw, self.worst):
            panel.set_remark(model.no_likelihood)

    def _on_plane(self, plane: PlaneView | None) -> None:
        shown = self.plane.is_empty
        self.plane.set_plane(plane)
        if plane is not None and shown:
            reveal(self.plane)
        elif plane is None and (dock := self.plane.parentWidget()):
            dock.hide()

    def _on_pins(self) -> None:
        pins = self._app.pins
        self.decode.set_pins(pins.tray, pins.current)
        self.paths.set_pinned(len(pins.tray))

    def _on_path(self, path: LatentPath | None) -> None:
        self.paths.set_path(path)
        self._on_frame(self._app.playback.frame)
        if path is None or not len(path.positions):
            self.film.hide()
        elif self.film.isVisible():
            self.film.start()

    def _on_frame(self, frame: int) -> None:
        self.paths.set_frame(frame)
        path = self._app.playback.path
        if path is not None and len(path.positions):
            z1, z2 = path.positions[frame].tolist()
            at = f"{frame + 1} of {len(path.positions)} · {located((z1, z2), path.axes, 2)}"
            self.film.set_frame(path.images[frame], at)

    def _film_room(self) -> tuple[QRect, list[QPoint]]:
        """The plane of the map and the path in it; all of the pages while the map is hidden."""
        canvas, path = self._view.canvas, self._app.playback.path
        if not canvas.isVisible():
            return self._pages.rect(), []
        corner = canvas.mapTo(self._pages, QPoint())
        line = path.line[::_EVERY].tolist() if path else []
        seen = [canvas.to_pixel(*z).toPoint() + corner for z in line]
        return canvas.plot_rect().toRect().translated(corner), seen

    def _on_seen(self, seen: UInt8 | None, ink: UInt8 | None) -> None:
        self.draw.set_seen(seen)
        if ink is not None:
            self.draw.pad.set_image(ink)

    def _on_cleared(self) -> None:
        self._app.sketch.draw(np.zeros((1, 1), np.uint8))  # the pad is empty

    def _on_refining(self) -> None:
        self.refine.clear()
        self.refine.set_running(True)

    def _on_refinable(self, refinable: bool) -> None:
        self.refine.clear()
        self.refine.setEnabled(refinable)

    def _on_refined(self, _: RefinementStep | None) -> None:
        self.refine.set_running(False)

    # What a person asks for

    def _bookmarks(self) -> list[str]:
        return [bookmark.name for bookmark in self._app.cursor.bookmarks]

    def _ask_bookmark(self) -> None:
        NameDialog("Add Bookmark", self._bookmarks(), self._window).ask(
            self.attempt("The bookmark was not added", self._app.cursor.bookmark)
        )

    def _show_film(self) -> None:
        self.film.start()
        self._on_frame(self._app.playback.frame)

    def _play_path(self) -> None:
        playback = self._app.playback
        reveal(self.paths)
        if playback.path is None:
            playback.choose("walk", _WALK, closed=False)
        self.paths.toggle()

    def _show_worst(self) -> None:
        reveal(self.worst)
        self._app.search.rank()

    def _show_refining(self) -> None:
        reveal(self.refine)
        self._app.refinement.start()

    def _open_picture(self) -> None:
        if path := self._ask.open("Open Picture", PICTURE):
            self._app.sketch.open(path)
