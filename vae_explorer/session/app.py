"""The application without pixels: what is open, where the cursor is, what is pinned."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from psygnal import Signal

from vae_explorer import paths
from vae_explorer.data import bundled
from vae_explorer.data.dataset import ImageSet
from vae_explorer.data.tables import Table, read_table
from vae_explorer.errors import CheckpointError, UserError
from vae_explorer.export.content import export_content
from vae_explorer.export.images import export_digit, export_manifold, export_strip
from vae_explorer.export.requests import DigitRequest, ManifoldRequest
from vae_explorer.export.tables import export_points
from vae_explorer.model.trained import Posterior, TrainedVAE
from vae_explorer.session.compare.comparison import Comparison
from vae_explorer.session.edits import Edit, joined
from vae_explorer.session.explore.arithmetic import Arithmetic
from vae_explorer.session.explore.cursor import Cursor
from vae_explorer.session.explore.data_support import SupportGauge
from vae_explorer.session.explore.decoding import Decoding
from vae_explorer.session.explore.inspector import Inspector
from vae_explorer.session.explore.latent_paths import path_content
from vae_explorer.session.explore.pins import Pins
from vae_explorer.session.explore.playback import Playback
from vae_explorer.session.explore.refinement import Refiner, refined_content
from vae_explorer.session.explore.sketch import Sketch
from vae_explorer.session.explore.target import Target
from vae_explorer.session.files.settings import Settings
from vae_explorer.session.jobs import After, Jobs, Tasks
from vae_explorer.session.lessons.context import LessonContext
from vae_explorer.session.lessons.course import Learning
from vae_explorer.session.map.coloring import Coloring
from vae_explorer.session.map.latent_map import LatentMap, MapChoice
from vae_explorer.session.map.map_layers import MapLayers
from vae_explorer.session.map.scores import Scores
from vae_explorer.session.map.search import Search
from vae_explorer.session.map.selection import Selection
from vae_explorer.session.map.state import MapState
from vae_explorer.session.runs.lab import Lab
from vae_explorer.session.runs.presets import PresetFolders, Presets
from vae_explorer.session.runs.runs import Runs
from vae_explorer.session.runs.sweeps import Sweeps
from vae_explorer.session.state import ModelInfo
from vae_explorer.session.training.events import Begun, TrainingEvent
from vae_explorer.training.checkpoint import read_checkpoint, write_checkpoint
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.training.trainer import warm_up
from vae_explorer.types import Int64, UInt8

T = TypeVar("T")

IMAGE_SHAPE = (28, 28)
"""The map shows MNIST, so its models must read images of this height and width."""

CLOSE_SECONDS = 5.0
"""How long closing waits for a running job; one gradient step and a save take far less."""


class Explorer:
    """Composition root and state of one window. All methods belong to the main thread.

    Args:
        jobs: the lanes for work off the main thread.
        defer: runs a function on the main thread, soon and at most once a frame.
        after: runs one there when some seconds have passed.
        settings: what was remembered; ``settings`` holds the present ones.
    """

    model_changed = Signal(ModelInfo)
    opened = Signal(Snapshot)
    """A model was opened; it is on the map as soon as its images are encoded."""
    settings_changed = Signal(Settings)
    message = Signal(str)
    progress = Signal(str)
    """What is being computed and how far it is, or "" when nothing is."""
    failed = Signal(str, str)
    """A title and a text that says what to do."""
    edited = Signal(Edit)
    """A change of cursor, pins or selection, which can be undone."""

    def __init__(
        self,
        jobs: Jobs,
        defer: Callable[[Callable[[], None]], None],
        after: After,
        settings: Settings | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self.tasks = tasks = Tasks(jobs, self.fail)
        self.map = LatentMap(tasks, self.progress.emit, self._map_choice())
        self.decoding = Decoding(self.map, defer)
        self.cursor = Cursor(self.decoding)
        self.lab = Lab(jobs, after, self, paths.runs(), self.settings.device)
        self.training = self.lab.training
        self.sweeps = Sweeps(jobs, self.lab, self.training_images, self.open_checkpoint, self.fail)
        self.presets = Presets(PresetFolders(paths.checkpoints(), paths.presets()), tasks)
        self.pins = Pins(self.map)
        self.selection = Selection(self.map)
        self.scores = Scores(tasks, self.map)
        self.coloring = Coloring(self.map, self.scores)
        self.sketch = Sketch(tasks, self.map)
        self.layers = MapLayers(tasks, self.map, self.pins, self.sketch, self.settings.layers)
        self.search = Search(tasks, self.map, self.pins, self.selection, self.scores)
        self.arithmetic = Arithmetic(
            self.map, self.pins, self.selection, self.cursor, self.message.emit, self.fail
        )
        self.data_support = SupportGauge(tasks, self.map, self.decoding, after)
        self.inspector = Inspector(tasks, self.map, self.pins)
        self.refinement = Refiner(tasks, self.map, self.pins, after)
        self.playback = Playback(tasks, self.map, self.cursor, self.pins, self.data_support)
        self.target = Target(self.map, self.pins, self.sketch)
        self.learning = Learning(LessonContext(tasks, self.map, after), tasks)
        self._jobs = jobs
        self._gathered: list[Edit] | None = None
        self._after_training: Callable[[], None] | None = None
        self.training.events.connect(self._on_training)
        self.lab.left.connect(self._on_left)
        self.map.changed.connect(self._on_map)
        self.target.changed.connect(self.learning.context.set_subject)
        for part in (self.scores, self.playback):
            part.progress.connect(self.progress)
        for edited in (self.cursor.edited, self.pins.edited, self.selection.edited):
            edited.connect(self._on_edited)
        show = self.layers.show
        self.playback.path_changed.connect(lambda path: show("path", path_content(path)))
        self.refinement.stepped.connect(lambda step: show("refined", refined_content(step)))
        for cleared in (self.refinement.started, self.refinement.available_changed):
            cleared.connect(lambda: show("refined", refined_content(None)))

    # Models

    def open_now(self, path: Path) -> None:
        """Open a checkpoint before returning, for start-up; the map follows.

        Raises:
            CheckpointError: see ``read_checkpoint``, or the model reads images of another size.
        """
        self._show_opened(read_model(path))

    def open_checkpoint(self, path: Path) -> None:
        """Open a checkpoint; a run under way is stopped and saved once the file proved good."""
        self._jobs.run_newest(
            "open",
            lambda _: read_model(path),
            done=self.open_model,
            failed=partial(self.fail, "The checkpoint was not opened"),
        )

    def open_model(self, model: "SavedModel") -> None:
        """Show a model that was read; a run under way is stopped and saved first."""
        if self.training.active:
            self._after_training = partial(self._show_opened, model)
            self.training.stop()
        else:
            self._show_opened(model)

    @property
    def path(self) -> Path | None:
        """Where the model on the map is saved; None while it exists only in memory."""
        return self.map.state.path if self.map.state else None

    def reset(self) -> None:
        """Go back to the bundled model."""
        self.open_checkpoint(paths.bundled_checkpoint())

    def save_checkpoint(self, path: Path) -> None:
        """Save the model on the map."""
        if self.map.state is None:
            return
        snapshot = self.map.state.snapshot

        def saved() -> None:
            self.map.rename(snapshot, path.name, path)
            self._remember(path)
            self.message.emit(f"Saved {path}")

        self._jobs.write(
            partial(write_checkpoint, snapshot, path),
            done=saved,
            failed=partial(self.fail, "The model was not saved"),
        )

    def _show_opened(self, model: "SavedModel") -> None:
        path, snapshot = model.path, model.snapshot
        self.map.begin_run()
        self.lab.open_film(path, snapshot, model.name)
        self.show_whole(snapshot, path, model.name)
        self.opened.emit(snapshot)
        if path != paths.bundled_checkpoint():
            self._remember(path)
        self.message.emit(f"Opened {path.name}")

    # The map

    def set_split(self, split: str) -> None:
        """Show the "train" or the "test" images, or "both"; not while training."""
        if split != self.settings.split and not self.training.active:
            self.change_settings(replace(self.settings, split=split))
            self.lab.probe_anew()

    def set_kind(self, kind: str) -> None:
        """Show the encoder's "mean", a "sample" from q(z|x) or the "exact" posterior's mean."""
        if kind != self.settings.kind:
            self.change_settings(replace(self.settings, kind=kind))

    def set_aligned(self, aligned: bool) -> None:
        """Turn every other model's plane so that it compares with the one before, or do not."""
        if aligned != self.settings.align:
            self.change_settings(replace(self.settings, align=aligned))

    def _map_choice(self) -> MapChoice:
        return MapChoice(self.settings.split, self.settings.kind, self.settings.align)

    def _on_map(self, new: MapState, old: MapState | None) -> None:
        if old is None or (new.snapshot, new.name, new.path) != (old.snapshot, old.name, old.path):
            self.model_changed.emit(_model_info(new))

    # The cursor and the pins

    def pin(self, row: int, *, add: bool = False) -> None:
        """Pin the image behind a row of the map's points and put the cursor on it.

        With ``add`` the others stay pinned, and a pinned one is no longer.
        """
        points = self.map.points
        if points is None or not 0 <= row < len(points.indices):
            return
        split, index = points.origin(row)
        z1, z2 = points.positions[row].tolist()
        # One edit of the pin and the cursor.
        self._gathered = []
        if add:
            self.pins.toggle(split, index)
        else:
            self.pins.pin(split, index)
        self.cursor.move(z1, z2)
        edits, self._gathered = self._gathered, None
        if edits:
            self.edited.emit(joined(edits))

    def _on_edited(self, edit: Edit) -> None:
        if self._gathered is None:
            self.edited.emit(edit)
        else:
            self._gathered.append(edit)

    def find(self, split: str, index: int) -> None:
        """Pin an image by its index in "train" or "test"."""
        row = self.map.row(split, index)
        if row < 0:
            text = f"Image {index:,} of {split} is not on the map; show all images of that split."
            self.fail("The image was not found", UserError(text))
            return
        self.pin(row)

    def export_selection(self, path: Path) -> None:
        """Write a table of the selected points, or of all if none is, as CSV."""
        columns = self.search.table()
        self.write(path, lambda: export_points(path, columns), "The table was not exported")

    def load_table(self, path: Path) -> None:
        """Colour the points by a user's table, one row an image of those on the map."""
        points = self.map.points
        if points is not None:
            self._jobs.run_newest(
                "table",
                lambda _: read_table(path, points.total),
                done=partial(self._on_table, points.total),
                failed=partial(self.fail, "The table was not read"),
            )

    # Training

    @property
    def recipe(self) -> Recipe:
        """The recipe of the model on the map."""
        return self.snapshot.recipe if self.snapshot else Recipe()

    @property
    def snapshot(self) -> Snapshot | None:
        """The model on the map, as it was trained."""
        return self.map.state.snapshot if self.map.state else None

    def train(self, recipe: Recipe) -> None:
        """Start a run on the training images; the map follows it."""
        self.lab.train(recipe)

    def training_images(self) -> ImageSet:
        """The images that runs are trained on."""
        return bundled.mnist("train")

    def probes(self, most: int) -> tuple[Int64, UInt8]:
        """Some images of the split that is shown, at most so many, and their indices in it."""
        return self.map.live_images(most)

    def show_moving(
        self, snapshot: Snapshot, posterior: Posterior, indices: Int64, name: str
    ) -> None:
        """Show a model that another may follow at once, by q(z|x) of the probes ``indices``."""
        self.map.move(snapshot, name, posterior, indices, moving=self.lab.moving)

    def show_whole(self, snapshot: Snapshot, path: Path | None, name: str) -> None:
        """Show a model of this name, saved at ``path``, and all images, which follow."""
        self.map.show(snapshot, name, path)

    def _on_training(self, event: TrainingEvent) -> None:
        if isinstance(event, Begun):
            self.map.begin_run()

    def _on_left(self) -> None:
        path = self.training.checkpoint
        if path is not None:
            self._remember(path)
        then, self._after_training = self._after_training, None
        if then:
            then()

    def _on_table(self, total: int, table: Table) -> None:
        if self.map.points is None or self.map.points.total != total:
            return  # other images have come meanwhile
        self.coloring.set_table(table)
        left_out = "; ".join(f"“{name}” {why}" for name, why in table.skipped.items())
        if left_out:
            self.message.emit(f"Columns of {table.name} left out: {left_out}")

    # Files

    def export_digit(self, path: Path, scale: int) -> None:
        """Write the picture at the cursor as PNG, each pixel ``scale`` × ``scale``."""
        request = DigitRequest(self.cursor.place, scale)
        self._export(path, lambda model: export_digit(model, request, path))

    def export_path(self, path: Path) -> None:
        """Write the pictures of the path as one strip, PNG."""
        shown = self.playback.path
        if shown is not None and len(shown.images):
            self.write(path, partial(export_strip, shown.images, path), "The path was not exported")

    def export_curves(self, path: Path, content: bytes) -> None:
        """Write the training curves as a view has drawn them."""
        self.write(path, partial(export_content, path, content), "The curves were not exported")

    def export_manifold(self, path: Path, request: ManifoldRequest) -> None:
        """Write a sheet of decoded places as PNG."""
        self._export(path, lambda model: export_manifold(model, request, path))

    def _export(self, path: Path, write: Callable[[TrainedVAE], None]) -> None:
        if self.map.state is not None:
            write_model = partial(write, self.map.state.model)
            self.write(path, write_model, "The picture was not exported")

    def write(self, path: Path, write: Callable[[], None], failure: str) -> None:
        """Write a file off the main thread, and say so; ``failure`` is the title of an error."""
        self._jobs.write(
            write,
            done=lambda: self.message.emit(f"Exported {path}"),
            failed=partial(self.fail, failure),
        )

    def write_text(self, path: Path, text: str, failure: str) -> None:
        """Write a text file off the main thread; ``failure`` is the title of an error."""
        self.write(path, partial(export_content, path, text.encode()), failure)

    # Comparing

    def compare(self) -> Comparison:
        """Two maps side by side, for as long as it is not closed; one at a time."""
        return Comparison(self.tasks)

    def catalogue(self, trash: Callable[[Path], bool]) -> Runs:
        """All runs; ``trash`` moves a folder to the system's trash, and says whether it could."""
        return Runs(self._jobs, self.lab, self.open_checkpoint, trash, self.fail)

    def shown(self) -> tuple[Snapshot, str] | None:
        """The model as the map is turned, and its name."""
        state = self.map.state
        if state is None:
            return None
        return replace(state.snapshot, model=state.model), state.name.removesuffix(".safetensors")

    def _remember(self, path: Path) -> None:
        self.change_settings(self.settings.with_recent(path))

    def read_beside(
        self,
        key: str,
        read: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        """Read a file off the main thread; of the same key the newest wins."""
        self._jobs.run_newest(key, lambda _: read(), done=done, failed=failed)

    # The application

    def warm_up(self) -> None:
        """Read the presets, and import what the first training step needs, beside the window."""
        self.presets.read()
        self._jobs.run_newest(
            "warm-up",
            lambda _: warm_up(),
            done=lambda _: None,
            failed=lambda error: self.fail("Training may not work here", error),
        )

    def change_settings(self, settings: Settings) -> None:
        """Take other settings, and save them off the main thread."""
        self.settings = settings
        self.tasks.write(
            partial(settings.write, paths.settings_file()),
            lambda: None,
            "The settings were not saved",
        )
        self.map.choose(self._map_choice())
        self.settings_changed.emit(self.settings)

    def close(self) -> bool:
        """Stop and save a run, end the jobs; False if one did not end in time."""
        self.refinement.stop()
        self.learning.hide()
        self.change_settings(replace(self.settings, layers=self.layers.states))
        interrupted = self.training.active
        ended = self._jobs.shutdown(CLOSE_SECONDS)
        if interrupted and self.training.checkpoint and self.training.checkpoint.exists():
            self.settings = self.settings.with_recent(self.training.checkpoint)
        if interrupted or not ended:  # nobody waits for the main thread any more
            self.settings.write(paths.settings_file())
        return ended

    def fail(self, title: str, error: BaseException) -> None:
        """Tell what went wrong, in words if it is an error of ours."""
        if isinstance(error, UserError):
            self.failed.emit(title, str(error))
        else:
            self.failed.emit(title, f"Unexpected {type(error).__name__}: {error}")


@dataclass(frozen=True)
class SavedModel:
    """A checkpoint that was read; ``name`` is that of its run, if it is a run's, or its file's."""

    path: Path
    snapshot: Snapshot
    name: str


def read_model(path: Path) -> SavedModel:
    """Read a checkpoint of images that the map shows.

    Raises:
        CheckpointError: see ``read_checkpoint``, or the model reads images of another size.
    """
    snapshot = read_checkpoint(path)
    if snapshot.model.image_shape != IMAGE_SHAPE:
        height, width = snapshot.model.image_shape
        raise CheckpointError(
            f"{path} reads images of {height}×{width} pixels, the map shows images of "
            f"{IMAGE_SHAPE[0]}×{IMAGE_SHAPE[1]}; choose a model trained on those."
        )
    of_run = path.name == RunFolder.MODEL
    return SavedModel(path, snapshot, RunFolder(path.parent).name if of_run else path.name)


def _model_info(state: MapState) -> ModelInfo:
    return ModelInfo(
        name=state.name,
        path=state.path,
        epoch=state.snapshot.epoch,
        held_out_elbo=state.snapshot.held_out_elbo,
        image_shape=state.model.image_shape,
        parameters=state.model.parameters,
    )
