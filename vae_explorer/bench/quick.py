"""How soon the recipe that *Start* offers first beats what is published, and how far in a minute.

It is trained in the window, from the press of Start; without one, on all cores; and beside both
PyTorch's own example of a VAE is trained as it is written, with as many latent dimensions. All are
held against the same images, which none is trained on. Only the example's clock stands still while
it is: it has no such figures of its own.
"""

import math
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from torch import from_numpy

from vae_explorer.bench.application import application
from vae_explorer.bench.measurement import Measurement
from vae_explorer.bench.reference import loaded_batches, training_losses
from vae_explorer.data.bundled import mnist
from vae_explorer.data.dataset import ImageSet
from vae_explorer.gui.app import open_window
from vae_explorer.gui.main_thread import run_events
from vae_explorer.model.vae import VAE
from vae_explorer.session.training.events import Progress, TrainingEvent
from vae_explorer.training.device import set_threads
from vae_explorer.training.held_out import held_out_figures
from vae_explorer.training.presets import recipe_of
from vae_explorer.training.published import PUBLISHED
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run import train
from vae_explorer.training.trainer import StepMetrics

_PUBLISHED = next(r.elbo for r in PUBLISHED if r.model == "Gaussian" and r.elbo is not None)
_SECONDS = 60.0
_SETTLE_MS = 4_000
_RECIPE: Recipe | None = None
"""In place of the one that is offered."""
_PEER = Recipe(
    batch_size=128,
    encoder_hidden="400",
    decoder_hidden="400",
    activation="relu",
    posterior="diagonal",
    fourier_features=0,
)
"""The network of the example but for its 20 latent dimensions; how it is trained is its own."""


@dataclass
class _Course:
    """Held-out ELBOs by the seconds since ``begin``."""

    begin: float = field(default_factory=time.perf_counter)
    elbos: list[tuple[float, float]] = field(default_factory=list)

    def note(self, elbo: float | None) -> None:
        if elbo is not None:
            self.elbos.append((time.perf_counter() - self.begin, elbo))

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.begin

    def figures(self, prefix: str, **details: int | str) -> Iterator[Measurement]:
        """When it was beyond the published figure, if it was, and what it was at the end."""
        in_time = [(seconds, elbo) for seconds, elbo in self.elbos if seconds <= _SECONDS]
        more = {"epochs": len(in_time), **details}
        if reached := [seconds for seconds, elbo in in_time if elbo > _PUBLISHED]:
            yield Measurement(f"{prefix}seconds_to_published", reached[0], "s", 1, more)
        if in_time:
            last, elbo = in_time[-1]
            yield Measurement(f"{prefix}elbo_60s", elbo, "nats", 1, more | {"at_s": round(last, 1)})


def measure() -> Iterator[Measurement]:
    """In the window, without it, and the example."""
    recipe = _RECIPE or recipe_of("quick")
    precision = recipe.precision
    yield from _in_window(recipe).figures("quick.", precision=precision)
    threads = set_threads()
    data = mnist("train")
    yield from _headless(recipe, data).figures(
        "quick.headless_", precision=precision, threads=threads
    )
    yield from _example(data, recipe.validation_images).figures("quick.peer_", threads=threads)


def _in_window(recipe: Recipe) -> _Course:
    application(needs_screen=True)
    with tempfile.TemporaryDirectory() as folder:
        window = open_window()
        training = window.app.training
        training.runs = Path(folder)
        run_events(_SETTLE_MS)
        window.training.set_recipe(recipe)
        course = _Course()

        def hear(event: TrainingEvent) -> None:
            if isinstance(event, Progress):
                for point in event.points:
                    course.note(point.held_out_elbo)

        training.events.connect(hear)
        window.training.transport.start.click()
        while training.active and course.seconds < _SECONDS:
            run_events(50)
        training.events.disconnect(hear)
        training.stop()
        while training.active:
            run_events(50)
        window.close()
        window.deleteLater()
    return course


def _headless(recipe: Recipe, data: ImageSet) -> _Course:
    with tempfile.TemporaryDirectory() as folder:
        course = _Course()

        def hear(event: StepMetrics) -> None:
            course.note(event.point.held_out_elbo)

        train(recipe, data, runs=folder, report=hear)
    return course


def _example(data: ImageSet, held_out: int) -> _Course:
    course = _Course()
    count = len(data) - held_out
    vae = VAE(_PEER.architecture(data.image_shape))
    others = from_numpy(data.images[count:].reshape(held_out, -1).copy())
    batches = loaded_batches(data.subset(slice(count)), _PEER.batch_size, _PEER.seed)
    losses = training_losses(vae, batches, _PEER.seed)
    epoch = math.ceil(count / _PEER.batch_size)
    while course.seconds < _SECONDS:
        for _ in islice(losses, epoch):
            if course.seconds >= _SECONDS:
                break
        stopped = time.perf_counter()
        elbo = held_out_figures(vae, others, _PEER.treatment)["held_out_elbo"]
        course.begin += time.perf_counter() - stopped
        course.elbos.append((min(course.seconds, _SECONDS), elbo))
    return course
