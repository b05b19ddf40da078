"""The application without pixels: what is open, where the cursor is, what is pinned."""

import dataclasses
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from psygnal import Signal

from vae_explorer import paths
from vae_explorer.data.bundled import mnist
from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import CheckpointError, UserError
from vae_explorer.export.images import export_digit, export_manifold
from vae_explorer.export.requests import DigitRequest, ManifoldRequest
from vae_explorer.session.decoding import Decoding
from vae_explorer.session.jobs import Control, Jobs
from vae_explorer.session.settings import Settings
from vae_explorer.session.state import (
    LATENT_LIMIT,
    DataPoint,
    Float32,
    MapPoints,
    ModelInfo,
    Thumbnail,
    UInt8,
)
from vae_explorer.session.training import LIVE_IMAGES, TrainingSession
from vae_explorer.training.checkpoint import read_checkpoint, write_checkpoint
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run import RunFolder
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.training.trainer import warm_up

IMAGE_SHAPE = (28, 28)
"""The map shows MNIST, so its models must read images of this height and width."""

CLOSE_SECONDS = 5.0
"""How long closing waits for a running job; one gradient step and a save take far less."""


class Explorer:
    """Composition root and state of one window. All methods belong to the main thread.

    Args:
        jobs: the lanes for work beside the main thread.
        defer: runs a function on the main thread, soon and at most once a frame.
        settings: what was remembered; ``settings`` holds the present ones.
    """

    model_changed = Signal(ModelInfo)
    points_changed = Signal(MapPoints)
    """Other points than before."""
    positions_changed = Signal(object)
    """The same points, moved: (n, 2) float32."""
    cursor_changed = Signal(float, float)
    pinned_changed = Signal(object)
    """A ``DataPoint`` or None."""
    history_changed = Signal(tuple)
    """All ``HistoryPoint``s of the model that was opened."""
    settings_changed = Signal(Settings)
    message = Signal(str)
    failed = Signal(str, str)
    """A title and a text that says what to do."""

    def __init__(
        self,
        jobs: Jobs,
        defer: Callable[[Callable[[], None]], None],
        settings: Settings | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self.decoding = Decoding(defer)
        self.training = TrainingSession(jobs, paths.runs(), self.settings.device)
        self.training.moved.connect(self._on_moved)
        self.training.ended.connect(self._on_training_ended)
        self.training.failed.connect(self._on_training_failed)
        self.training.not_saved.connect(self._on_not_saved)
        self._jobs = jobs
        self._snapshot: Snapshot | None = None
        self._path: Path | None = None
        self._points: MapPoints | None = None
        self._live: np.ndarray | None = None
        self._cursor = (0.0, 0.0)
        self._pinned: tuple[str, int] | None = None  # a split and an index into it
        self._after_training: Callable[[], None] | None = None

    # Models

    def open_now(self, path: Path) -> None:
        """Open a checkpoint before returning, for start-up; the map follows.

        Raises:
            CheckpointError: see ``read_checkpoint``, or the model reads images of another size.
        """
        self._show_opened(path, _read(path))

    def open_checkpoint(self, path: Path) -> None:
        """Open a checkpoint; a run under way is stopped and saved once the file proved good."""
        self._jobs.run_newest(
            "open",
            lambda _: _read(path),
            done=partial(self._on_read, path),
            failed=partial(self._fail, "The checkpoint was not opened"),
        )

    def _on_read(self, path: Path, snapshot: Snapshot) -> None:
        if self.training.active:
            self._after_training = partial(self._show_opened, path, snapshot)
            self.training.stop()
        else:
            self._show_opened(path, snapshot)

    def reset(self) -> None:
        """Go back to the bundled model."""
        self.open_checkpoint(paths.bundled_checkpoint())

    def save_checkpoint(self, path: Path) -> None:
        """Save the model on the map."""
        snapshot = self._snapshot
        if snapshot is None:
            return

        def saved() -> None:
            if self._snapshot is snapshot:
                self._path = path
                self.model_changed.emit(self._model_info(snapshot))
            self._remember(path)
            self.message.emit(f"Saved {path}")

        self._jobs.write(
            partial(write_checkpoint, snapshot, path),
            done=saved,
            failed=partial(self._fail, "The model was not saved"),
        )

    def _show_opened(self, path: Path, snapshot: Snapshot) -> None:
        self._path = path
        self._show(snapshot)
        self.history_changed.emit(snapshot.history)
        self._encode()
        if path != paths.bundled_checkpoint():
            self._remember(path)
        self.message.emit(f"Opened {path.name}")

    def _show(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self.decoding.set_decoder(snapshot.model)
        self.model_changed.emit(self._model_info(snapshot))
        self.decoding.request(self._cursor)
        self._tell_pinned()

    def _model_info(self, snapshot: Snapshot) -> ModelInfo:
        return ModelInfo(
            name=_name(self._path) if self._path else "training",
            path=self._path,
            epoch=snapshot.epoch,
            held_out_elbo=snapshot.held_out_elbo,
            image_shape=snapshot.model.image_shape,
            parameters=snapshot.model.parameters,
        )

    # The map

    def set_split(self, split: str) -> None:
        """Show the "train" or the "test" images; not while training."""
        if split != self.settings.split and not self.training.active:
            self.change_settings(split=split)
            self.unpin()
            self._encode()

    def thumbnail(self, row: int) -> Thumbnail:
        """The image behind row ``row`` of the map's points."""
        assert self._points is not None
        index = int(self._points.indices[row])
        data = mnist(self._points.split)
        return Thumbnail(index, int(self._points.labels[row]), data.images[index])

    def row_of(self, point: DataPoint | None) -> int:
        """The row of ``point`` among the map's points, or −1."""
        if point is None or self._points is None or point.split != self._points.split:
            return -1
        rows = np.flatnonzero(self._points.indices == point.index)
        return int(rows[0]) if len(rows) else -1

    def _encode(self) -> None:
        snapshot, split = self._snapshot, self.settings.split
        if snapshot is None:
            return

        def work(control: Control) -> MapPoints:
            data = mnist(split)
            mean = snapshot.model.encode(data.images, control.check).mean
            return MapPoints(mean, _labels(data), np.arange(len(mean)), len(mean), split)

        self._jobs.run_newest(
            "map",
            work,
            done=self._set_points,
            failed=lambda error: self._fail("The images could not be encoded", error),
        )

    def _set_points(self, points: MapPoints) -> None:
        self._points = points
        self.points_changed.emit(points)
        self._tell_pinned()

    # The cursor and the pin

    @property
    def cursor(self) -> tuple[float, float]:
        """The one place of interest, in latent units."""
        return self._cursor

    def set_cursor(self, z1: float, z2: float) -> None:
        """Move the cursor, clamped to ±``LATENT_LIMIT``; places that are no numbers are ignored."""
        if not (math.isfinite(z1) and math.isfinite(z2)):
            return
        place = (_clamp(z1), _clamp(z2))
        if place != self._cursor:
            self._cursor = place
            self.cursor_changed.emit(*place)
        self.decoding.request(place)

    def nudge(self, dz1: float, dz2: float) -> None:
        """Move the cursor by a little."""
        self.set_cursor(self._cursor[0] + dz1, self._cursor[1] + dz2)

    def preview(self, z: tuple[float, float] | None) -> None:
        """Show the picture at ``z`` while the cursor stays; back to the cursor's at None."""
        if z is None:
            self.decoding.request(self._cursor)
        elif math.isfinite(z[0]) and math.isfinite(z[1]):
            self.decoding.request((_clamp(z[0]), _clamp(z[1])), preview=True)

    def pin(self, row: int) -> None:
        """Pin the image behind a row of the map's points and put the cursor on it."""
        if self._points is None or not 0 <= row < len(self._points.indices):
            return
        self._pinned = self._points.split, int(self._points.indices[row])
        z1, z2 = self._points.positions[row]
        self.set_cursor(float(z1), float(z2))
        self._tell_pinned()

    def unpin(self) -> None:
        """Forget the pinned image."""
        self._pinned = None
        self._tell_pinned()

    def _tell_pinned(self) -> None:
        if self._pinned is None or self._snapshot is None:
            self.pinned_changed.emit(None)
            return
        model = self._snapshot.model
        split, index = self._pinned
        data = mnist(split)
        original = data.images[index]
        posterior = model.encode(original[None])
        terms = model.elbo_terms(original[None])
        self.pinned_changed.emit(
            DataPoint(
                index=index,
                label=int(_labels(data)[index]),
                split=split,
                original=original,
                reconstruction=model.decode(posterior.mean)[0],
                mean=posterior.mean[0],
                covariance=posterior.covariance[0],
                elbo=float(terms.elbo[0]),
                log_likelihood=float(terms.log_likelihood[0]),
                kl=float(terms.kl[0]),
            )
        )

    # Training

    @property
    def recipe(self) -> Recipe:
        """The recipe of the model on the map."""
        return self._snapshot.recipe if self._snapshot else Recipe()

    def train(self, recipe: Recipe) -> None:
        """Start a run on the training images; the map follows it."""
        try:
            shown = mnist(self.settings.split)
            live = np.arange(0, len(shown), math.ceil(len(shown) / LIVE_IMAGES))
            self.training.start(recipe, mnist("train"), shown.images[live])
        except UserError as error:
            self._fail("Training did not start", error)
            return
        self._live = live
        self._jobs.cancel("open")  # what was asked last counts

    def _on_moved(self, snapshot: Snapshot, positions: Float32) -> None:
        self._path = None
        self._jobs.cancel("map")
        live = self._live
        assert live is not None
        if self._points is not None and self._points.indices is live:
            self._points = dataclasses.replace(self._points, positions=positions)
            self.positions_changed.emit(positions)
        else:
            data = mnist(self.settings.split)
            total = len(data.images)
            labels = _labels(data)[live]
            self._points = MapPoints(positions, labels, live, total, self.settings.split)
            self.points_changed.emit(self._points)
        self._show(snapshot)

    def _on_training_ended(self, snapshot: Snapshot, path: Path | None) -> None:
        self._path = path
        self._show(snapshot)
        self._encode()
        if not self.training.active:
            if path:
                self._remember(path)
            self._leave_training()

    def _on_training_failed(self, error: BaseException) -> None:
        self._fail("Training ended early", error)
        self._leave_training()

    def _on_not_saved(self, error: UserError) -> None:
        self._fail("The run was not saved; training goes on", error)

    def _leave_training(self) -> None:
        then, self._after_training = self._after_training, None
        if then:
            then()

    # Files

    def export_digit(self, path: Path, scale: int) -> None:
        """Write the picture at the cursor as PNG, each pixel ``scale`` × ``scale``."""
        request = DigitRequest(self._cursor, scale)
        self._export(path, lambda model: export_digit(model.model, request, path))

    def export_manifold(self, path: Path, request: ManifoldRequest) -> None:
        """Write a sheet of decoded places as PNG."""
        self._export(path, lambda model: export_manifold(model.model, request, path))

    def _export(self, path: Path, write: Callable[[Snapshot], None]) -> None:
        snapshot = self._snapshot
        if snapshot is None:
            return
        self._jobs.write(
            partial(write, snapshot),
            done=lambda: self.message.emit(f"Exported {path}"),
            failed=partial(self._fail, "The picture was not exported"),
        )

    def _remember(self, path: Path) -> None:
        self.change_settings(recent=self.settings.with_recent(path.resolve()).recent)

    # The application

    def warm_up(self) -> None:
        """Import what the first training step needs, beside the window."""
        self._jobs.run_newest(
            "warm-up",
            lambda _: warm_up(),
            done=lambda _: None,
            failed=lambda error: self._fail("Training may not work here", error),
        )

    def change_settings(self, **changes: object) -> None:
        """Replace some settings and save them."""
        self.settings = dataclasses.replace(self.settings, **changes)  # type: ignore[arg-type]
        self.settings.write(paths.settings_file())
        self.settings_changed.emit(self.settings)

    def close(self) -> bool:
        """Stop and save a run, end the jobs; False if one did not end in time."""
        interrupted = self.training.active
        ended = self._jobs.shutdown(CLOSE_SECONDS)
        if interrupted and self.training.checkpoint and self.training.checkpoint.exists():
            self._remember(self.training.checkpoint)
        return ended

    def _fail(self, title: str, error: BaseException) -> None:
        if isinstance(error, UserError):
            self.failed.emit(title, str(error))
        else:
            self.failed.emit(title, f"Unexpected {type(error).__name__}: {error}")


def _read(path: Path) -> Snapshot:
    snapshot = read_checkpoint(path)
    if snapshot.model.image_shape != IMAGE_SHAPE:
        height, width = snapshot.model.image_shape
        raise CheckpointError(
            f"{path} reads images of {height}×{width} pixels, the map shows images of "
            f"{IMAGE_SHAPE[0]}×{IMAGE_SHAPE[1]}; choose a model trained on those."
        )
    return snapshot


def _clamp(value: float) -> float:
    return min(max(value, -LATENT_LIMIT), LATENT_LIMIT)


def _labels(data: ImageSet) -> UInt8:
    assert data.labels is not None, "the bundled images are labelled"
    return data.labels


def _name(path: Path) -> str:
    """A run's model is known by its folder, which tells when it was made."""
    return path.parent.name if path.name == RunFolder.MODEL else path.name
