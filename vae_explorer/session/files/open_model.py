"""The model that is open: from a file, to a file, and what it is called."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from psygnal import Signal

from vae_explorer import paths
from vae_explorer.data.dataset import Dataset
from vae_explorer.errors import UserError
from vae_explorer.model.outside import NO_WEIGHTS
from vae_explorer.session.files.open_data import OpenData
from vae_explorer.session.files.settings_file import SettingsFile
from vae_explorer.session.map.latent_map import LatentMap
from vae_explorer.session.map.state import MapState
from vae_explorer.session.messages import Messages
from vae_explorer.session.runs.runs import Runs
from vae_explorer.session.tasks import Tasks
from vae_explorer.training.checkpoint import read_checkpoint, write_checkpoint
from vae_explorer.training.meaning import Remark, no_figures, of_model
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.snapshot import Snapshot, reference
from vae_explorer.types import Float64, ImageShape

BUNDLED_MODELS = {
    "mnist-elbo": "trained on the ELBO, as most VAEs are",
    "mnist-exact": "trained on log p(x) itself, for the best likelihood",
    "mnist-iwae": "trained on IWAE-8: a wide gap to its ELBO",
    "mnist-paper": "the small networks of the published VAE, trained on log p(x)",
}
"""The models that come with the program, and what each shows."""


@dataclass(frozen=True)
class ModelInfo:
    """The model on the map.

    ``name`` is for people; ``path`` is None while it exists only in memory. ``epoch`` counts
    finished epochs (fractional during one). ``held_out_elbo`` is in nats per image.
    """

    name: str
    path: Path | None
    epoch: float
    held_out_elbo: float | None
    image_shape: ImageShape
    parameters: int
    remarks: tuple[Remark, ...] = ()
    """What its figures are not: a likelihood, of the data that it was trained on."""
    data: str = ""
    """What it was trained on."""
    shown: str = ""
    """The data that it is shown on."""
    no_likelihood: Remark | None = None
    """That of the ``remarks``, if any, by which its ELBO and log p(x) are no likelihood."""


class OpenModel:
    """Opens and saves the model on the map. All methods belong to the main thread."""

    changed = Signal(ModelInfo)
    """Another model is on the map, or the same by another name."""
    opened = Signal(Snapshot)
    """A model was opened, and now comes on the map: its images are encoded."""

    def __init__(
        self,
        tasks: Tasks,
        messages: Messages,
        settings: SettingsFile,
        latent_map: LatentMap,
        runs: Runs,
        data: OpenData,
    ) -> None:
        self._tasks = tasks
        self._reading = tasks.newest("open", "The checkpoint was not opened")
        self._messages = messages
        self._settings = settings
        self._map = latent_map
        self._runs = runs
        self._data = data
        self._coming: tuple[SavedModel, Callable[[], None]] | None = None
        """The model whose images are encoded, and what it is once they are."""
        self.own = False
        """Whether the model opened last does not come with the program."""
        latent_map.changed.connect(self._on_map)
        runs.left.connect(self._on_left)
        data.taken.connect(self._on_data)

    @property
    def snapshot(self) -> Snapshot | None:
        """The model on the map, as it was trained."""
        return self._map.state.snapshot if self._map.state else None

    @property
    def path(self) -> Path | None:
        """Where the model on the map is saved; None while it exists only in memory."""
        return self._map.state.path if self._map.state else None

    @property
    def recipe(self) -> Recipe:
        """The recipe of the model on the map."""
        return self.snapshot.recipe if self.snapshot else Recipe()

    @property
    def no_marginal(self) -> str:
        """Why the model on the map knows no log p(x) and no bounds of it; "" if it does."""
        return self.snapshot.model.no_marginal if self.snapshot else ""

    @property
    def no_weights(self) -> str:
        """Why the model on the map can neither be saved nor trained on; "" if it can."""
        outside = self.snapshot and self.snapshot.model.vae.architecture.network == "outside"
        return NO_WEIGHTS if outside else ""

    @property
    def shown(self) -> tuple[Snapshot, str] | None:
        """The model as the plane of the map is rotated, and its name without a suffix."""
        state = self._map.state
        if state is None:
            return None
        return replace(state.snapshot, model=state.model), state.name.removesuffix(".safetensors")

    def open_now(self, path: Path) -> None:
        """Open a checkpoint before returning, for start-up; the map follows.

        While a person is asked where its data are, the bundled model is shown.

        Raises:
            CheckpointError: see ``read_checkpoint``.
        """
        snapshot, name = read_checkpoint(path), name_of(path)

        def show(data: Dataset) -> None:
            self._show(SavedModel(path, snapshot, name, data))

        found = self._data.look(snapshot.data, show, lambda: snapshot.model.image_shape)
        if isinstance(found, Dataset):
            show(found)
        elif path == paths.bundled_checkpoint():
            show(self._data.to_show(snapshot))
        else:
            self.open_now(paths.bundled_checkpoint())
            self._data.missing.emit(found)

    def open(self, path: Path) -> None:
        """Open a checkpoint; a run under way is stopped and saved once the file proved good."""

        def seek(read: tuple[Snapshot, str]) -> None:
            snapshot, name = read
            self._data.seek(
                self._reading,
                snapshot.data,
                lambda data: self.open_read(SavedModel(path, snapshot, name, data)),
                lambda: snapshot.model.image_shape,
            )

        self._reading.run(lambda _: (read_checkpoint(path), name_of(path)), seek)

    def open_read(self, model: "SavedModel") -> None:
        """Show a model that was read; a run under way is stopped and saved first."""
        self._runs.training.end_then(partial(self._show, model))

    def open_bundled(self, name: str) -> None:
        """Open one of ``BUNDLED_MODELS``."""
        self.open(paths.checkpoints() / f"{name}.safetensors")

    def reset(self) -> None:
        """Go back to the bundled model."""
        self.open(paths.bundled_checkpoint())

    def save(self, path: Path) -> None:
        """Save the model on the map."""
        snapshot = self.snapshot
        if snapshot is None:
            return

        def write() -> None:
            if path.resolve() in map(Path.resolve, paths.bundled_models().values()):
                raise UserError(f"{path.name} comes with the program; choose another name.")
            write_checkpoint(snapshot, path)

        def saved() -> None:
            self._map.rename(snapshot, path.name, path)
            self._remember(path)
            self._messages.published.emit(f"Saved {path}")

        self._tasks.write(write, saved, "The model was not saved")

    def _show(self, model: "SavedModel") -> None:
        path = model.path

        def opened() -> None:
            self.own = path is None or path.parent != paths.checkpoints()
            self._data.use(model.data)
            self.opened.emit(model.snapshot)
            if path is not None and path != paths.bundled_checkpoint():
                self._remember(path)
            self._messages.published.emit(f"Opened {model.name}")

        self._bring(model, opened)

    def _bring(self, model: "SavedModel", then: Callable[[], None] = lambda: None) -> None:
        """Show a model; curves, timeline and form go on to it when the map does, and ``then``."""
        path, snapshot, name, data = model.path, model.snapshot, model.name, model.data

        def come() -> None:
            self._runs.open_run(path, snapshot, name, data)
            then()

        self._map.begin_run()
        self._runs.timeline.leave()
        self._coming = model, come
        self._map.show(snapshot, name, path, model.rotation, data)

    def _on_data(self, data: Dataset) -> None:
        """Show the model on data that a person opened, if it reads such images."""
        state, start = self._map.state, f"Opened {data.name}"
        if self._runs.training.active:
            self._messages.published.emit(f"{start}; the next run trains on it")
            return
        if state is None or state.model.image_shape != data.image_shape:
            self._messages.published.emit(f"{start}; press Start to train on it and to see it")
            return
        self._messages.published.emit(start)
        if state.data is data:
            return
        self._bring(SavedModel(state.path, state.snapshot, state.name, data))

    def _remember(self, path: Path) -> None:
        self._settings.change(self._settings.now.with_recent(path))

    def _on_left(self) -> None:
        path = self._runs.training.checkpoint
        if path is not None:
            self._remember(path)

    def _on_map(self, new: MapState, old: MapState | None) -> None:
        if self._coming:
            model, come = self._coming
            if new.snapshot is model.snapshot and new.data is model.data:
                self._coming = None
                if not self._runs.training.active:
                    come()
        if old is None or _shown(new) != _shown(old):
            snapshot = new.snapshot
            self.changed.emit(
                ModelInfo(
                    name=new.name,
                    path=new.path,
                    epoch=snapshot.epoch,
                    held_out_elbo=snapshot.held_out_elbo,
                    image_shape=new.model.image_shape,
                    parameters=new.model.parameters,
                    data=f"{snapshot.data.name}, {snapshot.data.images:,} images",
                    shown=new.data.name,
                    remarks=of_model(snapshot, reference(new.data)),
                    no_likelihood=no_figures(snapshot),
                )
            )


@dataclass(frozen=True, eq=False)
class SavedModel:
    """A checkpoint that was read; ``name`` is that of its run, if it is a run's, or its file's.

    ``path`` is None of a model that a program handed over.
    ``data`` are what it is to be shown on; ``rotation`` (2, 2) is how the plane is to be turned, by
    None as that of any other model.
    """

    path: Path | None
    snapshot: Snapshot
    name: str
    data: Dataset
    rotation: Float64 | None = None


def _shown(state: MapState) -> tuple[object, ...]:
    """What there is to tell of a model anew when it changes."""
    return state.snapshot, state.name, state.path, state.data


def read_model(path: Path, data: OpenData) -> SavedModel:
    """Read a checkpoint, and find the data that it can be shown on.

    Raises:
        CheckpointError: see ``read_checkpoint``.
    """
    snapshot = read_checkpoint(path)
    return SavedModel(path, snapshot, name_of(path), data.to_show(snapshot))


def name_of(path: Path) -> str:
    """What a model of this file is called: as its run, or as the file."""
    run = RunFolder.of(path)
    return run.name if run else path.name
