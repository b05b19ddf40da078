import io
import signal
import sys
from collections.abc import Generator, Iterator

import click
import pytest

from vae_explorer.cli.progress import Progress, Stop, progress
from vae_explorer.data.dataset import ImageSet
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.trainer import StepMetrics, Trainer


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def trainer(tiny_recipe: Recipe, mnist_small: ImageSet) -> Trainer:
    return Trainer(tiny_recipe.replace(epochs=3), mnist_small, "cpu")


def _reports(trainer: Trainer) -> Iterator[StepMetrics]:
    return (event for event in trainer.events() if isinstance(event, StepMetrics))


@pytest.fixture
def handlers() -> Generator[None]:
    """Python's own handlers, whatever this process was started with."""
    old = {
        signal.SIGINT: signal.signal(signal.SIGINT, signal.default_int_handler),
        signal.SIGTERM: signal.signal(signal.SIGTERM, signal.SIG_DFL),
    }
    yield
    for number, handler in old.items():
        signal.signal(number, handler)


def test_a_log_gets_a_line_an_epoch(trainer: Trainer, capsys: pytest.CaptureFixture[str]) -> None:
    with progress(trainer) as shown:
        for event in _reports(trainer):
            shown.hear(event)
    lines = capsys.readouterr().err.splitlines()
    points = [point for point in trainer.history if point.held_out_elbo is not None]
    assert len(lines) == len(points) == 3
    for number, (line, point) in enumerate(zip(lines, points, strict=True), start=1):
        assert line.startswith(
            f"epoch {number}/3: ELBO {point.elbo:.2f}, held-out ELBO {point.held_out_elbo:.2f}, "
        )
        assert line.endswith(" images/s")


def test_without_held_out_images_there_is_no_such_figure(
    trainer: Trainer, mnist_small: ImageSet, capsys: pytest.CaptureFixture[str]
) -> None:
    all_in = Trainer(trainer.recipe.replace(validation_images=0, epochs=1), mnist_small, "cpu")
    shown = Progress(all_in)
    for event in _reports(all_in):
        shown.hear(event)
    line = capsys.readouterr().err
    assert line.startswith("epoch 1/1: ELBO ")
    assert "held-out" not in line


def test_a_terminal_gets_a_bar_that_fits(trainer: Trainer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys, "stderr", screen := Terminal())
    with progress(trainer) as shown:
        for event in _reports(trainer):
            shown.hear(event)
    drawn = [line for line in click.unstyle(screen.getvalue()).split("\r") if "epoch" in line]
    assert "epoch 1/3  held-out ELBO -" in drawn[0]
    assert "100%" in drawn[-1]
    assert "epoch 3/3" in drawn[-1]
    assert max(len(line.rstrip()) for line in drawn) <= 80


def test_a_bar_of_a_resumed_run_shows_what_is_left(trainer: Trainer) -> None:
    for _ in range(4):
        trainer.take_step()
    steps: list[int] = []
    shown = Progress(trainer, lambda count, _: steps.append(count))
    for event in _reports(trainer):
        shown.hear(event)
    assert sum(steps) == trainer.total_steps - 4


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_is_a_wish(number: signal.Signals, handlers: None) -> None:
    with Stop() as stop:
        assert not stop.asked()
        signal.raise_signal(number)
        assert stop.asked()
        assert stop.signal == number
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_leaving_puts_the_handlers_back(handlers: None) -> None:
    with Stop():
        assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
