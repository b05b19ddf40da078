"""The window: the map at its heart, docks around it, and the controllers of its subjects."""

from base64 import b64encode
from dataclasses import replace
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QMainWindow, QMessageBox, QStackedWidget, QVBoxLayout, QWidget
from typing_extensions import override

from vae_explorer.errors import UserError
from vae_explorer.export.figure import FigureStyle
from vae_explorer.export.figure_requests import (
    Curves,
    Figure,
    LessonFigure,
    Map,
    Refinement,
    SweepMaps,
)
from vae_explorer.export.kinds import kind_of
from vae_explorer.export.requests import Request
from vae_explorer.gui.compare.controller import CompareController
from vae_explorer.gui.curves.controller import CurvesController
from vae_explorer.gui.dialogs.ask_path import AskPath
from vae_explorer.gui.dialogs.controller import FilesController
from vae_explorer.gui.explore.controller import ExploreController
from vae_explorer.gui.lessons.controller import LearnController
from vae_explorer.gui.map.controller import MapController
from vae_explorer.gui.map.selection_controller import SelectionController
from vae_explorer.gui.plot.figures import charts_of, figures_of, room_of
from vae_explorer.gui.plot.menu import Export
from vae_explorer.gui.runs.controller import RunsController
from vae_explorer.gui.runs.sweep_controller import SweepController
from vae_explorer.gui.theme import SchemeChoice, apply_scheme
from vae_explorer.gui.training.controller import TrainingController
from vae_explorer.gui.training.timeline_controller import TimelineController
from vae_explorer.gui.window.actions import Actions
from vae_explorer.gui.window.controller import WindowController
from vae_explorer.gui.window.docks import Docks
from vae_explorer.gui.window.geometry import around_middle, restore_geometry
from vae_explorer.gui.window.tour import Tour
from vae_explorer.session.app import App
from vae_explorer.session.files.workspace import CurvesPlace, Workspace
from vae_explorer.types import Region

_BESIDE, _ABOVE = 13.0, 19.0
"""Millimetres that the axes and the head of a map take of its figure."""


class MainWindow(QMainWindow):
    """Shows an ``App``: builds the controllers, and from what they declare all the rest."""

    def __init__(self, app: App) -> None:
        super().__init__()
        self.app = app
        self.setWindowTitle("VAE Explorer")
        self.setAcceptDrops(True)
        self.job_left = False
        """True if a job did not end when the window closed."""
        self._ask = ask = AskPath(self, lambda: app.settings.now.folder, self._remember_folder)
        pages = QStackedWidget()
        self._map = MapController(app, ask)
        explore = ExploreController(app, self._map.view, ask, pages, self)
        self._files = FilesController(app, ask, explore.draw, self._seen, self)
        self._selecting = SelectionController(app, self._map.view, self._files.export, self)
        training = TrainingController(app, ask, self)
        curves = CurvesController(app)
        timeline = TimelineController(app, curves.plot, self._files.export)
        self.compare = CompareController(app, ask, self)
        runs = RunsController(app, training.panel, curves.plot, self.compare.open)
        sweep = SweepController(app, training.panel, self)
        self._lessons = LearnController(app, pages, ask)
        self._window = WindowController(
            app,
            self._map.view,
            self._lay_out,
            lambda: self.docks.layout,
            lambda: self.actions_.commands,
            lambda: self.docks.actions(),
            self,
        )
        # The parts of the window, by the names that tests and benches know.
        self.map, self.layers, self.time_bar = self._map.view, self._map.layers, timeline.bar
        self.decode, self.draw, self.paths = explore.decode, explore.draw, explore.paths
        self.refine, self.worst, self.film = explore.refine, explore.worst, explore.film
        self.training, self.runs, self.sweep = training.panel, runs.panel, sweep.panel
        self.curves, self.slow_motion, self.log = curves.plot, training.slow_motion, training.log
        self.learn, self.status = self._lessons.panel, self._window.status
        self.workspaces = self._files.workspaces
        self.tour = Tour(
            app, self, self.map, self.decode.inspector.title, self.training.transport.start
        )

        pages.addWidget(_column(self.map, self.time_bar))
        self.setCentralWidget(pages)
        self.setStatusBar(self.status)
        with_panels = (curves, training, self._map, self._lessons, explore, runs, sweep)
        self.docks = Docks(self, [panel for part in with_panels for panel in part.panels])
        self._controllers = (
            self._files, self.tour, self._window, self._selecting, explore, self._map,
            training, sweep, timeline, self._lessons, self.compare, curves, runs,
        )  # fmt: skip
        """In the order of what they have in one menu."""
        self.actions_ = Actions(
            self,
            [record for part in self._controllers for record in part.commands],
            lambda: app.settings.now.keys,
        )
        for part in self._controllers:
            for change in part.changes:
                change.connect(self.actions_.refresh)
        view_menu = self.actions_.menus["View"]
        view_menu.addSeparator()
        view_menu.addActions([*self.docks.actions().values()])

        self.map.canvas.space_tapped.connect(self.actions_["pause"].trigger)
        self.curves.start_requested.connect(self.actions_["start"].trigger)
        self.decode.export.clicked.connect(lambda: self._files.export("digit"))
        self.paths.export_requested.connect(lambda: self._files.export("path"))
        self.curves.export_requested.connect(lambda: self._files.export("curves"))
        self.export = self._files.export
        app.exports.starts |= {
            "map": self._map_in_sight,
            "curves": lambda: Curves() if self.curves.history else None,
            "lesson": lambda: LessonFigure() if app.learning.place else None,
            "refinement": self._refinement,
            "sweep": lambda: SweepMaps(folder=f"{app.sweeps.path}") if app.sweeps.path else None,
            "comparison": lambda: self.compare.request,
        }
        self.layers.set_actions(self.actions_.__getitem__)
        self.workspaces.restored.connect(self._on_restored)
        app.model.opened.connect(self._map.fit_next)
        app.messages.failed.connect(self.show_error)
        self.training.change.toggled.connect(self.docks.refit)
        self.docks.tell("learn", self._lessons.set_in_front)
        self._restore()

    def figures(self, region: Region | None = None) -> dict[str, Export]:
        """What makes each figure that can be seen, by its name; see ``figures_of``."""
        self.curves.stop_reading()  # which belongs to the pointer
        rooms: dict[str, QWidget | None] = {
            "lesson": self._lessons.view if self.app.learning.shown else None,
            "curves": self.curves,
            "refinement": self.refine,
        }
        whole: dict[str, Export] = {
            "map": partial(self._map.menu.export, region=region),
            "curves": self.curves.export,
            "sweep": self.sweep.maps.export,
            "comparison": self.compare.export,
        }
        return figures_of(rooms, whole)

    def request_of(self, widget: QWidget) -> Request | None:
        """What leaves if this is clicked: a chart, or what it is a part of."""
        room = room_of(widget)
        if room is None:
            return None
        request = self.app.exports.offers().get(room.property("export"))
        charts = charts_of(room)
        if isinstance(request, Figure) and request.part and len(charts) > 1:
            for name in (name for name, chart in charts.items() if chart is widget):
                return request.replace(**{request.part: name})
        return request

    def shows(self, style: FigureStyle | None) -> bool:
        """Whether what a figure is asked of is here, such as this sweep."""
        if not isinstance(style, Figure):
            return False
        now = self.app.exports.starts[kind_of(style).name]()
        return isinstance(now, Figure) and now.subject == style.subject

    def _map_in_sight(self) -> Map:
        """As high as the part of the plane in sight wants, so that no side is bare."""
        left, right, bottom, top = self.map.region()
        usual = Map()
        across = usual.width - _BESIDE
        height = across * (top - bottom) / (right - left) + _ABOVE
        return usual.replace(
            height=float(round(min(max(height, usual.height / 2), 1.5 * usual.width)))
        )

    def _refinement(self) -> Refinement | None:
        pin, last = self.app.pins.current, self.app.refinement.last
        return (
            Refinement(split=pin.split, index=pin.index, steps=last.step) if pin and last else None
        )

    def show_exactly(self, region: Region) -> None:
        """Show this part of the plane, and the points to come in it."""
        self._map.show_exactly(region)

    def show_error(self, title: str, text: str) -> None:
        """Show a dialog that does not stop anything; one that is open already is enough."""
        for box in self.findChildren(QMessageBox):
            if (box.text(), box.informativeText()) == (title, text):
                return
        box = QMessageBox(QMessageBox.Icon.Warning, "VAE Explorer", title, parent=self)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setInformativeText(text)
        box.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        box.open()

    def open_lesson(self, lesson: str) -> None:
        """Show a lesson, from its first step."""
        self._lay_out("learn")
        self.activateWindow()
        self.raise_()
        if any(lesson == known.id for known in self.app.learning.lessons):
            self.app.learning.open(lesson)

    def workspace(self) -> Workspace | None:
        """What is seen and marked; None of a model that is in no file."""
        try:
            return self.workspaces.now(*self._seen())
        except UserError:
            return None

    def _seen(self) -> tuple[Region, str, CurvesPlace]:
        """What only the window knows of a workspace."""
        return self.map.region(), self.docks.layout, self.curves.place

    def _remember_folder(self, folder: str) -> None:
        self.app.settings.change(replace(self.app.settings.now, folder=folder))

    def _lay_out(self, name: str) -> None:
        """Arrange the docks; lessons have the position of the map, and give it back."""
        self.docks.lay_out(name)
        if self.docks.layout == "learn":
            self._lessons.show()
        else:
            self._lessons.leave()
        self.actions_.refresh()

    def _on_restored(self, workspace: Workspace) -> None:
        """Show what a workspace says; what was done before cannot be undone."""
        self._window.choose_scheme(workspace.scheme)
        self._lay_out(workspace.layout)
        self._map.show_exactly(workspace.view)
        self.curves.restore(workspace.curves)
        self._selecting.undo.clear()

    def _restore(self) -> None:
        settings = self.app.settings.now
        apply_scheme(SchemeChoice(settings.scheme))
        restore_geometry(self, settings.geometry)
        self.docks.restore(settings.layout)

    # Qt's events

    @override
    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self._files.accepts(event.mimeData()):
            event.acceptProposedAction()

    @override
    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self._files.drop(event.mimeData())

    @override
    def closeEvent(self, event: QCloseEvent) -> None:
        # PySide closes the window even if this method raises, so nothing may.
        try:
            geometry = b64encode(self.saveGeometry().data()).decode()
            settings, layout = self.app.settings.now, self.docks.state()
            around = around_middle(self)
            self.app.settings.change(
                replace(settings, geometry=geometry, layout=layout, around_map=around)
            )
            self.job_left = not self.app.close()
        except Exception as error:
            self.show_error("Closing failed", str(error))
            event.ignore()
            return
        event.accept()


def _column(*widgets: QWidget) -> QWidget:
    """Widgets above each other, of which the first takes what room there is."""
    column = QWidget()
    layout = QVBoxLayout(column)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    for widget in widgets:
        layout.addWidget(widget, int(widget is widgets[0]))
    return column
