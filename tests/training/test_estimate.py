import os
import subprocess
import sys
from itertools import count
from pathlib import Path
from typing import NoReturn

import pytest
import torch
from torch.profiler import ProfilerActivity, profile

from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import DataError
from vae_explorer.training import cost as cost_module
from vae_explorer.training.cost import cost
from vae_explorer.training.estimate import estimate
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run import Recorder
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.trainer import Trainer
from vae_explorer.types import BUNDLED_SHAPE


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

        def last(trainer: Trainer, *more: object, **named: object) -> object:
            nonlocal seconds
            seconds += duration
            return real(trainer, *more, **named)

        monkeypatch.setattr(Trainer, method, last)

    lasting("take_step", 2.0)
    lasting("held_out_figures", 30.0)
    monkeypatch.setattr("time.thread_time", lambda: seconds)
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


def test_where_a_step_takes_long_fewer_images_are_tried(
    recipe: Recipe, mnist_small: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, sizes, take = estimate(recipe, mnist_small, "cpu"), list[int](), Trainer.take_step

    def noted(trainer: Trainer) -> object:
        sizes.append(trainer.recipe.batch_size)
        return take(trainer)

    monkeypatch.setattr(Trainer, "take_step", noted)
    monkeypatch.setattr(cost_module, "_SPEED", cost(recipe, BUNDLED_SHAPE).seconds * 1.5e10 / 10)
    found = estimate(recipe, mnist_small, "cpu")
    assert {*sizes} == {recipe.batch_size // 10}
    assert (found.parameters, found.steps_per_epoch) == (whole.parameters, whole.steps_per_epoch)
    assert found.snapshot_bytes == whole.snapshot_bytes
    assert found.memory_bytes == pytest.approx(whole.memory_bytes, rel=0.2)
    assert found.epoch_seconds > whole.epoch_seconds


def test_what_the_snapshots_take(recipe: Recipe, mnist_small: ImageSet, tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, recipe)
    trainer = Trainer(recipe, mnist_small, "cpu")
    with Recorder(trainer, folder) as recorder:
        recorder.begin()
        for _ in recorder.follow():
            pass
    size = sum(path.stat().st_size for path in folder.moments().folder.iterdir())
    found = estimate(recipe, mnist_small, "cpu").snapshot_bytes
    assert found < size < found + 5_000 * len(folder.moments().steps)  # of headers, small tensors


@pytest.mark.long
def test_the_largest_network_trains_and_is_scored_in_bounded_memory(mnist_small: ImageSet) -> None:
    """Sizes that are usual for other networks are channels of this one."""
    program = """
import re, time
from pathlib import Path
from vae_explorer.data.bundled import mnist
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.trainer import Trainer
recipe = Recipe(network="conv", encoder_hidden="512-512-512", decoder_hidden="512-512",
                objective="exact", lattice_points=300, batch_size=20, validation_images=300)
trainer = Trainer(recipe, mnist("train").subset(slice(0, 600)), "cpu")
trainer.take_step()
begin = time.monotonic()
trainer.given_up = lambda: True
assert trainer.held_out_figures() == {}
# Not that of getrusage, which begins at what the process had that started this one.
status = Path("/proc/self/status").read_text()
print(time.monotonic() - begin, int(re.search(r"VmHWM:\\s+(\\d+)", status)[1]) / 1e6)
"""
    ended = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    seconds, gigabytes = map(float, ended.stdout.split())
    assert seconds < 30
    assert gigabytes < 5


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
