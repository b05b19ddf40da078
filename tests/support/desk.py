"""All parts of a window and what they publish, in place of the window."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.support.stand_ins import Frames, MainThread
from vae_explorer.data.dataset import ImageSet
from vae_explorer.latent.figures import image_figures
from vae_explorer.session.app import build_app
from vae_explorer.session.explore.decoding import Decoded
from vae_explorer.session.explore.pins import DataPoint
from vae_explorer.session.files.open_model import ModelInfo
from vae_explorer.session.files.settings import Settings
from vae_explorer.session.jobs import Jobs
from vae_explorer.session.map.state import MapPoints, MapState
from vae_explorer.session.training.events import Phase
from vae_explorer.training.checkpoint import write_checkpoint
from vae_explorer.training.history import HistoryPoint
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.types import Float32


def at_once(_: float, function: Callable[[], None]) -> None:
    """In place of a clock."""
    function()


class Desk:
    """An app and all it said, in place of the window."""

    def __init__(
        self, jobs: Jobs, main: MainThread, frames: Frames, settings: Settings | None = None
    ) -> None:
        self.app = app = build_app(jobs, frames.defer, at_once, settings)
        self.main = main
        self.frames = frames
        self.models: list[ModelInfo] = []
        self.points: list[MapPoints] = []
        self.positions: list[Float32] = []
        self.cursors: list[tuple[float, float]] = []
        self.pins: list[DataPoint | None] = []
        self.histories: list[tuple[HistoryPoint, ...]] = []
        self.messages: list[str] = []
        self.failures: list[tuple[str, str]] = []
        self.pictures: list[Decoded] = []
        self.heard = [
            app.model.changed.connect(self.models.append),
            app.map.changed.connect(self._on_map),
            app.cursor.changed.connect(lambda z1, z2: self.cursors.append((z1, z2))),
            app.pins.changed.connect(lambda: self.pins.append(app.pins.current)),
            app.model.opened.connect(lambda snapshot: self.histories.append(snapshot.history)),
            app.messages.published.connect(self.messages.append),
            app.messages.failed.connect(lambda title, text: self.failures.append((title, text))),
            app.decoding.decoded.connect(self.pictures.append),
        ]

    def _on_map(self, new: MapState, old: MapState | None) -> None:
        points, before = new.points, old.points if old else None
        if points is None or points is before:
            return
        if before and before.indices is points.indices and before.kind == points.kind:
            self.positions.append(points.positions)
        else:
            self.points.append(points)

    def settle(self) -> None:
        """Deliver what inline jobs have to say, then draw a frame."""
        self.main.run()
        self.frames.next()

    def wait_for(self, phase: Phase) -> None:
        self.main.run_until(lambda: self.app.training.status.phase is phase)

    def wait_for_progress(self) -> None:
        self.main.run_until(lambda: self.app.training.status.images_per_second > 0)

    @property
    def pin(self) -> DataPoint:
        assert self.pins[-1] is not None
        return self.pins[-1]

    @property
    def pinned_row(self) -> int:
        """Where the pin is among the points."""
        return self.app.map.row(self.pin.split, self.pin.index)

    @property
    def recent(self) -> list[Path]:
        return [Path(name) for name in self.app.settings.now.recent]


@pytest.fixture
def desk(inline_jobs: Jobs, main: MainThread, frames: Frames) -> Desk:
    """Nothing is open; jobs run inline."""
    return Desk(inline_jobs, main, frames)


@pytest.fixture
def opened(desk: Desk, checkpoint: Path) -> Desk:
    """A model and its 600 points are on the map."""
    desk.app.model.open_now(checkpoint)
    desk.settle()
    return desk


@pytest.fixture
def threaded(threaded_jobs: Jobs, main: MainThread, frames: Frames, checkpoint: Path) -> Desk:
    """As ``opened``, with jobs on threads."""
    desk = Desk(threaded_jobs, main, frames, Settings(device="cpu"))
    desk.app.model.open_now(checkpoint)
    main.run_until(lambda: desk.points)
    return desk


@pytest.fixture
def another(tmp_path: Path, other: Snapshot) -> Path:
    """A checkpoint of other weights."""
    path = tmp_path / "another.safetensors"
    write_checkpoint(other, path)
    return path


def expected_point(snapshot: Snapshot, data: ImageSet, index: int) -> dict[str, float]:
    """Of a training image, which is drawn with its index for a seed."""
    figures = image_figures(snapshot.model, data.images[index : index + 1], np.array([index]))
    return {name: float(getattr(figures, name)[0]) for name in ("elbo", "log_likelihood", "kl")}
