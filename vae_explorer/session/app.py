"""The application without pixels: its parts, built by one function."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from vae_explorer import paths
from vae_explorer.data.bundled import mnist_dataset
from vae_explorer.data.dataset import ImageSet
from vae_explorer.session.edits import Edits
from vae_explorer.session.explore.arithmetic import Arithmetic
from vae_explorer.session.explore.cursor import Cursor
from vae_explorer.session.explore.data_support import SupportGauge
from vae_explorer.session.explore.decoding import Decoding
from vae_explorer.session.explore.inspector import Inspector
from vae_explorer.session.explore.latent_paths import path_content
from vae_explorer.session.explore.latent_plane import LatentPlane
from vae_explorer.session.explore.pinning import Pinning
from vae_explorer.session.explore.pins import Pins
from vae_explorer.session.explore.playback import Playback
from vae_explorer.session.explore.refinement import Refiner, refined_content
from vae_explorer.session.explore.sketch import Sketch
from vae_explorer.session.explore.target import Target
from vae_explorer.session.files.exports import Exports
from vae_explorer.session.files.open_data import OpenData
from vae_explorer.session.files.open_model import OpenModel
from vae_explorer.session.files.settings import Settings
from vae_explorer.session.files.settings_file import SettingsFile
from vae_explorer.session.jobs import After, Jobs
from vae_explorer.session.lessons.context import LessonContext
from vae_explorer.session.lessons.course import Learning
from vae_explorer.session.map.coloring import Coloring
from vae_explorer.session.map.latent_map import LatentMap
from vae_explorer.session.map.map_layers import MapLayers
from vae_explorer.session.map.map_settings import MapSettings, map_choice
from vae_explorer.session.map.scores import Scores
from vae_explorer.session.map.search import Search
from vae_explorer.session.map.selection import Selection
from vae_explorer.session.messages import Messages
from vae_explorer.session.runs.catalogue import RunCatalogue
from vae_explorer.session.runs.estimates import Estimates
from vae_explorer.session.runs.presets import PresetFolders, Presets
from vae_explorer.session.runs.runs import Runs
from vae_explorer.session.runs.sweeps import Sweeps
from vae_explorer.session.tasks import Tasks
from vae_explorer.session.training.control import TrainingSession
from vae_explorer.training.device import threads_of_training

CLOSE_SECONDS = 5.0
"""How long closing waits for a running job; one gradient step and a save take far less."""


@dataclass(frozen=True, eq=False)
class App:
    """The parts of one window. All methods belong to the main thread."""

    tasks: Tasks
    messages: Messages
    edits: Edits
    settings: SettingsFile
    map: LatentMap
    map_settings: MapSettings
    data: OpenData
    model: OpenModel
    decoding: Decoding
    cursor: Cursor
    plane: LatentPlane
    pins: Pins
    pinning: Pinning
    selection: Selection
    scores: Scores
    coloring: Coloring
    sketch: Sketch
    layers: MapLayers
    search: Search
    arithmetic: Arithmetic
    data_support: SupportGauge
    inspector: Inspector
    refinement: Refiner
    playback: Playback
    target: Target
    exports: Exports
    runs: Runs
    catalogue: RunCatalogue
    sweeps: Sweeps
    presets: Presets
    estimates: Estimates
    learning: Learning

    @property
    def training(self) -> TrainingSession:
        """The one run of the runs."""
        return self.runs.training

    def warm_up(self) -> None:
        """Do beside the window what can wait until it is there.

        Read estimates, presets and lessons, and look for an interrupted run.
        """
        self.estimates.read()  # first, for what the presets cost is shown with them
        self.presets.read()
        self.learning.read()
        self.catalogue.look_for_interrupted()

    def close(self) -> bool:
        """Stop and save a run, end the jobs; False if one did not end in time."""
        self.refinement.stop()
        self.learning.hide()
        self.settings.change(replace(self.settings.now, layers=self.layers.states))
        interrupted = self.training.active
        ended = self.tasks.jobs.shutdown(CLOSE_SECONDS)
        settings = self.settings.now
        if interrupted and self.training.checkpoint and self.training.checkpoint.exists():
            settings = settings.with_recent(self.training.checkpoint)
        if interrupted or not ended:  # nobody waits for the main thread any more
            settings.write(paths.settings_file(), since=self.settings.start)
        return ended


def build_app(
    jobs: Jobs,
    defer: Callable[[Callable[[], None]], None],
    after: After,
    settings: Settings | None = None,
    *,
    keep_settings: bool = True,
) -> App:
    """The parts of a window on which nothing is open yet.

    Args:
        jobs: the lanes for work off the main thread.
        defer: runs a function on the main thread, soon and at most once a frame.
        after: runs one there when some seconds have passed.
        settings: what was remembered.
        keep_settings: whether changes of them are remembered too.
    """
    messages, edits = Messages(), Edits()
    tasks = Tasks(jobs, messages.fail)
    kept = SettingsFile(tasks, settings or Settings(), kept=keep_settings)
    data = OpenData(tasks, kept, mnist_dataset(), kept.now.device)
    threads = kept.now.threads or threads_of_training()
    latent_map = LatentMap(tasks, messages.progress.emit, data.now, map_choice(kept.now))
    runs = Runs(tasks, after, latent_map, data, paths.runs(), kept.now.device, threads)
    model = OpenModel(tasks, messages, kept, latent_map, runs, data)
    decoding = Decoding(latent_map, defer)
    cursor = Cursor(decoding)
    pins, selection, sketch = Pins(latent_map), Selection(latent_map), Sketch(tasks, latent_map)
    scores = Scores(tasks, latent_map)
    search = Search(tasks, latent_map, pins, selection, scores)
    layers = MapLayers(tasks, latent_map, pins, sketch, kept.now.layers)
    gauge = SupportGauge(tasks, latent_map, decoding, after)
    playback = Playback(tasks, latent_map, cursor, pins, gauge)
    refinement = Refiner(tasks, latent_map, pins, after)
    target = Target(pins, sketch)
    say = messages.published.emit

    coloring = Coloring(tasks, kept, latent_map, scores, say)

    def images() -> ImageSet:
        """What runs are trained on."""
        return data.now.train

    app = App(
        tasks=tasks,
        messages=messages,
        edits=edits,
        settings=kept,
        map=latent_map,
        map_settings=MapSettings(kept, latent_map, runs),
        data=data,
        model=model,
        decoding=decoding,
        cursor=cursor,
        plane=LatentPlane(latent_map, defer),
        pins=pins,
        pinning=Pinning(latent_map, pins, cursor, edits, messages.fail),
        selection=selection,
        scores=scores,
        coloring=coloring,
        sketch=sketch,
        layers=layers,
        search=search,
        arithmetic=Arithmetic(latent_map, pins, selection, cursor, say, messages.fail),
        data_support=gauge,
        inspector=Inspector(tasks, latent_map, pins),
        refinement=refinement,
        playback=playback,
        target=target,
        exports=Exports(tasks, messages, latent_map, cursor, playback, search, coloring, pins),
        runs=runs,
        catalogue=RunCatalogue(tasks, runs, model.open),
        sweeps=Sweeps(tasks, runs, data, model.open),
        presets=Presets(PresetFolders(paths.checkpoints(), paths.presets()), tasks, kept),
        estimates=Estimates(jobs, runs.training, images, kept.now.device, threads),
        learning=Learning(LessonContext(tasks, latent_map, target, after), tasks, kept),
    )
    runs.training.made_way.connect(say)
    data.changed.connect(app.presets.fit)
    for edited in (cursor.edited, pins.edited, selection.edited):
        edited.connect(edits.add)
    for progress in (data.progress, scores.progress, playback.progress):
        progress.connect(messages.progress)
    playback.path_changed.connect(lambda path: layers.show("path", path_content(path)))
    layers.show("path", path_content(None))
    refinement.stepped.connect(lambda step: layers.show("refined", refined_content(step)))
    for cleared in (refinement.started, refinement.available_changed):
        cleared.connect(lambda: layers.show("refined", refined_content(None)))
    return app
