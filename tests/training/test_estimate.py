from itertools import count
from typing import NoReturn

import pytest
import torch
from torch.profiler import ProfilerActivity, profile

from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import DataError
from vae_explorer.training.estimate import estimate
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.trainer import Trainer


def test_counts(recipe: Recipe, mnist_small: ImageSet) -> None:
    found = estimate(recipe, mnist_small, "cpu")
    assert found.steps_per_epoch == 8
    # 16 hidden units, 5 outputs of the encoder, 2 + 2 · 4 inputs of the decoder.
    assert found.parameters == 785 * 16 + 17 * 5 + 11 * 16 + 17 * 784
    assert found.run_seconds == pytest.approx(2 * found.epoch_seconds)
    assert found.epoch_seconds > 0


@pytest.mark.parametrize("batch_size", [800, 100, 10])
def test_an_epoch_is_its_steps_and_its_held_out_figures(
    recipe: Recipe, mnist_small: ImageSet, monkeypatch: pytest.MonkeyPatch, batch_size: int
) -> None:
    """By a clock on which a step takes 2 s and the held-out figures 30 s."""
    seconds = 0.0

    def lasting(method: str, duration: float) -> None:
        real = getattr(Trainer, method)

        def last(trainer: Trainer) -> object:
            nonlocal seconds
            seconds += duration
            return real(trainer)

        monkeypatch.setattr(Trainer, method, last)

    lasting("take_step", 2.0)
    lasting("held_out_figures", 30.0)
    monkeypatch.setattr("time.perf_counter", lambda: seconds)
    found = estimate(recipe.replace(batch_size=batch_size, epochs=7), mnist_small, "cpu")
    assert found.epoch_seconds == 2.0 * found.steps_per_epoch + 30
    assert found.run_seconds == 7 * found.epoch_seconds


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"batch_size": 400},
        {"objective": "exact", "lattice_points": 2_000},
        {"objective": "iwae", "samples": 30},
        {"network": "conv", "encoder_hidden": "8-16", "decoder_hidden": "16-8"},
    ],
    ids=str,
)
def test_memory_is_what_a_step_takes(
    recipe: Recipe, mnist_small: ImageSet, changes: dict[str, object]
) -> None:
    """Against the peak that PyTorch's profiler sees in a step, which holds the gradients too."""
    recipe = recipe.replace(encoder_hidden="64", decoder_hidden="64").replace(**changes)
    trainer = Trainer(recipe, mnist_small, "cpu")
    weights = sum(parameter.numel() for parameter in trainer.vae.parameters()) * 4
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        trainer.take_step()
    events = seen.profiler.kineto_results.events()
    held = peak = 0
    for event in events:
        if event.name() == "[memory]":
            held += event.nbytes()
            peak = max(peak, held)
    standing = mnist_small.images.nbytes + 3 * weights
    found = estimate(recipe, mnist_small, "cpu").memory_bytes
    assert 0.7 * (standing + peak) < found < 1.5 * (standing + peak)


def test_it_can_be_given_up(recipe: Recipe, mnist_small: ImageSet) -> None:
    calls = count()

    def check() -> None:
        if next(calls) == 3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        estimate(recipe, mnist_small, "cpu", check)


def test_it_disturbs_nobodys_random_stream(recipe: Recipe, mnist_small: ImageSet) -> None:
    before = torch.get_rng_state()
    estimate(recipe, mnist_small, "cpu")
    assert torch.equal(torch.get_rng_state(), before)


def test_what_cannot_be_trained_is_refused(recipe: Recipe, mnist_small: ImageSet) -> None:
    def never() -> NoReturn:
        raise AssertionError("went on")

    with pytest.raises(DataError, match="'validation_images'"):
        estimate(recipe.replace(validation_images=1_000), mnist_small, "cpu", never)
