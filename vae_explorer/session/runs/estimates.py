"""What recipes cost on this computer: measured once each, or seen in a run, and kept."""

import json
import logging
import math
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from hashlib import sha256

from psygnal import Signal

from vae_explorer import paths, schema
from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import UserError
from vae_explorer.files import atomic_write, read_text
from vae_explorer.session.jobs import Control, Jobs
from vae_explorer.session.training.control import TrainingSession
from vae_explorer.session.training.events import (
    Begun,
    Ended,
    Paused,
    Phase,
    Progress,
    TrainingEvent,
    TrainingStatus,
)
from vae_explorer.training.device import set_threads
from vae_explorer.training.estimate import Estimate, computer, estimate
from vae_explorer.training.recipe import Recipe

_VERSION = 1
_MOST = 200
_LEAST_EPOCHS = 1.0
"""Of a run that is believed."""

_FREE = (
    *("epochs", "learning_rate", "schedule", "warmup_steps", "weight_decay", "gradient_clip"),
    *("beta", "kl_warmup", "elbo_share", "seed"),
)
"""Fields of a recipe that change nothing of what a step costs."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Kept:
    """The file: estimates by what they are of, the newest last."""

    version: int = _VERSION
    estimates: Mapping[str, Estimate] = field(default_factory=dict)


class Estimates:
    """Main thread only; the file is read and written off it, and nothing hangs on it.

    Args:
        jobs: the lanes of work.
        training: no recipe is measured beside a run, which it would slow and be slowed by.
        images: what is trained on.
        device: what is trained on.
        threads: that a step uses.
    """

    estimated = Signal(Recipe, Estimate)
    failed = Signal(Recipe, BaseException)

    def __init__(
        self,
        jobs: Jobs,
        training: TrainingSession,
        images: Callable[[], ImageSet],
        device: str,
        threads: int,
    ) -> None:
        self._jobs = jobs
        self._training = training
        self._images = images
        self._device = device
        self._threads = threads
        self._known: dict[str, Estimate] = {}
        self._recipe, self._from, self._last = Recipe(), 0.0, TrainingStatus(Phase.IDLE)
        """Of the run under way, and where it was begun or resumed."""
        training.events.connect(self._on_event)

    def read(self) -> None:
        """Read those of earlier windows."""

        def take(known: Mapping[str, Estimate]) -> None:
            self._known = {**known, **self._known}

        self._jobs.run_newest("estimates", _read, done=take, failed=lambda _: None)

    def known(self, recipe: Recipe) -> Estimate | None:
        """What is known of a recipe, or of one that differs in nothing that costs time."""
        found = self._known.get(self._key(recipe))
        return found and found.of_epochs(recipe.epochs)

    def measure(self, recipe: Recipe) -> None:
        """Take a few steps; not while there is a run, and a run that begins ends it."""
        if self._training.active:
            return
        images, device, count, key = self._images, self._device, self._threads, self._key(recipe)

        def work(control: Control) -> Estimate:
            # Threads that help a lane stay with it, and slow a run down even while they sleep.
            with ThreadPoolExecutor(1, initializer=partial(set_threads, count)) as thread:
                return thread.submit(estimate, recipe, images(), device, control.check).result()

        def done(found: Estimate) -> None:
            self._keep(key, found)
            self.estimated.emit(recipe, found)

        self._jobs.run_newest(
            "estimate",
            work,
            done=done,
            failed=lambda error: self.failed.emit(recipe, error),
            lane="figures",
        )

    def _keep(self, key: str, found: Estimate) -> None:
        self._known.pop(key, None)
        self._known[key] = found
        kept = _Kept(estimates=dict([*self._known.items()][-_MOST:]))
        self._jobs.write(lambda _: _write(kept), done=lambda: None, failed=lambda _: None)

    def _on_event(self, event: TrainingEvent) -> None:
        """Take what a run shows of its speed for truer than a few steps of nothing else."""
        match event:
            case Begun(recipe=recipe):
                self._recipe, self._from = recipe, math.inf
            case Progress(status=status):
                self._from, self._last = min(self._from, status.epoch), status
            case Paused() | Ended() if self._last.epoch >= self._from + _LEAST_EPOCHS:
                key, speed = self._key(self._recipe), self._last.images_per_second
                if (known := self._known.get(key)) and speed > 0:
                    images = known.steps_per_epoch * self._recipe.batch_size
                    self._keep(key, replace(known, epoch_seconds=images / speed))

    def _key(self, recipe: Recipe) -> str:
        usual = Recipe()
        same = recipe.replace(**{name: getattr(usual, name) for name in _FREE})
        on = computer(self._device, self._threads)
        with suppress(UserError):  # that there are no images is said by who measures
            on += f" {self._images().image_shape} {len(self._images())}"
        return sha256(f"{on}\n{same.to_toml()}".encode()).hexdigest()[:24]


def _read(_: Control) -> Mapping[str, Estimate]:
    """What earlier windows kept; none if the file is missing or no such file."""
    path = paths.estimates_file()
    try:
        values = schema.parse_json(read_text(path, "estimates"), str(path))
        kept = schema.build(_Kept, values, str(path))
    except (OSError, UserError) as error:
        if path.exists():
            logger.warning("Estimates in %s are not readable (%s).", path, error)
        return {}
    return kept.estimates if kept.version == _VERSION else {}


def _write(kept: _Kept) -> None:
    path = paths.estimates_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(path, json.dumps(asdict(kept)).encode())
    except OSError as error:
        logger.warning("Estimates were not kept in %s: %s", path, error)
