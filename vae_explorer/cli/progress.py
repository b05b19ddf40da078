"""What a person sees of a training run in a terminal or a log, and how it is stopped there."""

import math
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Self

import click

from vae_explorer.training.meaning import named, no_likelihood

if TYPE_CHECKING:
    from vae_explorer.training.history import HistoryPoint
    from vae_explorer.training.recipe import Recipe
    from vae_explorer.training.trainer import StepMetrics, Trainer


class Progress:
    """Speaks on stderr: through ``advance`` to a terminal's bar, or else a line an epoch."""

    def __init__(
        self, trainer: "Trainer", advance: Callable[[int, str], None] | None = None
    ) -> None:
        self._trainer = trainer
        self._advance = advance
        self._step = trainer.step
        self._images = 0
        self._held_out: float | None = None
        self._start = time.monotonic()

    @property
    def images_per_s(self) -> float:
        """Mean speed since the start, held-out evaluations and saves included."""
        return self._images / max(time.monotonic() - self._start, 1e-9)

    def hear(self, event: "StepMetrics") -> None:
        """Show one event of the trainer."""
        self._images += event.images
        point = event.point
        if point.held_out_elbo is not None:
            self._held_out = point.held_out_elbo
        epoch, elbo, held_out = figures(self._trainer.recipe, point, self._held_out)
        speed = f"{self.images_per_s:,.0f} images/s"
        if self._advance:
            self._advance(event.step - self._step, f"{epoch}  {held_out or elbo}  {speed}")
            self._step = event.step
        elif event.step % self._trainer.steps_per_epoch == 0:
            click.echo(f"{epoch}: {', '.join(filter(None, [elbo, held_out, speed]))}", err=True)


def figures(
    recipe: "Recipe", point: "HistoryPoint", held_out: float | None
) -> tuple[str, str, str]:
    """In words: the epoch, the ELBO and what is ``held_out``, empty if it is not known."""
    remark = no_likelihood(recipe)
    known = held_out is not None
    return (
        f"epoch {math.ceil(point.epoch)}/{recipe.epochs}",
        f"{named('ELBO', remark)} {point.elbo:.2f}",
        f"{named('held-out ELBO', remark)} {held_out:.2f}" if known else "",
    )


@contextmanager
def progress(trainer: "Trainer") -> Iterator[Progress]:
    """Show what is left of a trainer's run."""
    left = trainer.total_steps - trainer.step
    if not left or not sys.stderr.isatty():
        yield Progress(trainer)
        return
    with click.progressbar(
        length=left,
        file=sys.stderr,
        width=0,  # as wide as the terminal
        bar_template="[%(bar)s]  %(info)s",
        item_show_func=_shown,
    ) as bar:
        yield Progress(trainer, bar.update)


def _shown(item: str | None) -> str | None:
    return item


@contextmanager
def share_done(what: str = "") -> Iterator[Callable[[float], object]]:
    """What is told how much of ``what`` is done, from 0 to 1; a terminal sees it."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with click.progressbar(length=100, label=what, file=sys.stderr, show_eta=False) as bar:
        yield lambda share: bar.update(round(100 * share) - bar.pos)


class Stop:
    """Makes the first Ctrl-C or SIGTERM a wish, so that the run is saved at the end of a step.

    The second one acts as usual. Enter it on the main thread.
    """

    def __init__(self) -> None:
        self.signal = 0
        """The signal that came, or 0."""

    def __enter__(self) -> Self:
        self._handlers = {
            number: signal.signal(number, self._ask) for number in (signal.SIGINT, signal.SIGTERM)
        }
        return self

    def __exit__(self, *_: object) -> None:
        self._restore()

    def asked(self) -> bool:
        """True once the run is to end."""
        return self.signal != 0

    @property
    def status(self) -> int:
        """The exit status of a program that was so ended, by itself or with others."""
        return 128 + (self.signal or signal.SIGTERM)

    def _ask(self, number: int, _: FrameType | None) -> None:
        self.signal = number
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
