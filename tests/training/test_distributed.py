"""Parts of a batch against the whole, and two processes against one."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.support.trainers import NewTrainer
from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import DataError, UserError
from vae_explorer.model.architecture import Architecture
from vae_explorer.model.gaussian import Gaussian, Part
from vae_explorer.model.vae import VAE
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.training.distributed import ALONE, ObjectivePart, Team
from vae_explorer.training.objective import objective
from vae_explorer.training.recipe import OBJECTIVES, Recipe
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.tensors import read_tensors
from vae_explorer.training.trainer import Trainer


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _teams(size: int) -> list[Team]:
    return [Team(rank, size) for rank in range(size)]


# Parts


@pytest.mark.parametrize(("size", "images"), [(1, 7), (2, 7), (3, 200), (4, 4), (5, 101)])
def test_parts_are_the_batch_and_about_equal(size: int, images: int) -> None:
    parts = [team.part(images) for team in _teams(size)]
    assert [i for part in parts for i in range(images)[part.rows]] == list(range(images))
    lengths = [part.stop - part.start for part in parts]
    assert max(lengths) - min(lengths) <= 1
    assert min(lengths) > 0


def test_a_part_has_the_noise_that_it_has_in_the_whole() -> None:
    outputs = torch.randn(7, 5, generator=_generator(1))
    whole = Gaussian.from_outputs(outputs).sample(_generator(), 3)
    left = _generator()
    part = Gaussian.from_outputs(outputs[2:5]).sample(left, 3, Part(2, 5, 7))
    torch.testing.assert_close(part, whole[:, 2:5])
    after = _generator()
    Gaussian.from_outputs(outputs).sample(after, 3)
    assert torch.equal(left.get_state(), after.get_state())


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.parametrize("size", [2, 3])
def test_the_mean_gradient_of_unequal_parts_is_that_of_the_batch(name: str, size: int) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        vae = VAE(Architecture((3, 3), "mlp", (8,), (8,), likelihood="gaussian")).double()
    x = torch.rand(7, 9, generator=_generator(2)).double()
    recipe = Recipe(
        objective=name, samples=3, lattice_points=64, elbo_share=0.3, beta=0.7, kl_warmup=2.0
    )
    whole = objective(recipe, vae, x, _generator(), 1.0)
    parts = [ObjectivePart(vae, team)(recipe, x, _generator(), 1.0) for team in _teams(size)]
    torch.testing.assert_close(torch.cat([part.value for part in parts]), whole.value)
    expected = torch.autograd.grad(whole.loss, list(vae.parameters()))
    found = [torch.autograd.grad(part.loss, list(vae.parameters())) for part in parts]
    for own, gradient in zip(zip(*found, strict=True), expected, strict=True):
        torch.testing.assert_close(torch.stack(own).mean(0), gradient)


def test_a_batch_with_fewer_images_than_processes_is_refused(
    recipe: Recipe, mnist_small: ImageSet
) -> None:
    uneven = recipe.replace(batch_size=133)  # 6 batches, and one of 2
    with pytest.raises(DataError, match="batches of 133 leave 2 in the smallest, and 3 processes"):
        Trainer(uneven, mnist_small, "cpu", Team(0, 3))
    Trainer(uneven, mnist_small, "cpu", Team(0, 2))
    with pytest.raises(DataError, match="leave 2 in the smallest"):
        Trainer(recipe.replace(batch_size=2), mnist_small, "cpu", Team(2, 3))


# A team of one


def test_alone_there_is_nobody_to_wait_for() -> None:
    sums = torch.ones(3)
    ALONE.add_up(sums)
    assert sums.tolist() == [1, 1, 1]
    assert ALONE.leads
    assert [ALONE.any(False), ALONE.any(True)] == [False, True]
    with ALONE.united():
        pass
    with pytest.raises(UserError, match="^mine$"), ALONE.united():
        raise UserError("mine")


# Devices


def _only(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr(
        "vae_explorer.training.distributed.choose_device", lambda _: torch.device(kind)
    )


def test_each_process_has_a_gpu_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    _only(monkeypatch, "cuda")
    chosen: list[int] = []
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    monkeypatch.setattr("torch.cuda.set_device", chosen.append)
    assert Team(3, 4, local_rank=1, local_size=2).device() == "cuda"
    assert chosen == [1]
    with pytest.raises(DataError, match="4 processes share 2 GPUs"):
        Team(0, 4, 0, 4).device()


def test_one_gpu_is_not_given_to_several_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    _only(monkeypatch, "cuda:1")
    assert ALONE.device("cuda:1") == "cuda:1"
    with pytest.raises(DataError, match="cannot share 'cuda:1'; choose cuda"):
        Team(0, 2, 0, 2).device("cuda:1")


def test_apple_s_gpu_cannot_be_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    _only(monkeypatch, "mps")
    assert ALONE.device() == "mps"
    assert Team(0, 2, 0, 2).device() == "cpu"
    with pytest.raises(DataError, match="cannot share 'mps'"):
        Team(0, 2, 0, 2).device("mps")


# Two processes

SPECIAL: dict[str, dict[str, Any]] = {
    "uneven": {"batch_size": 133},  # the last batch has 2
    "clipped": {"gradient_clip": 10.0, "kl_warmup": 1.0},
    "convolutions": {"network": "conv", "encoder_hidden": "2", "decoder_hidden": "2", "epochs": 1},
    "variance": {"objective": "exact", "likelihood": "gaussian", "treatment": "gray"},
    "bfloat16": {"precision": "bfloat16"},
}


def _recipes(recipe: Recipe) -> dict[str, Recipe]:
    few = recipe.replace(lattice_points=200, elbo_share=0.1)
    plain = {name: few.replace(objective=name, samples=2) for name in OBJECTIVES}
    return plain | {name: few.replace(**fields) for name, fields in SPECIAL.items()}


@pytest.fixture(scope="module")
def pair(recipe: Recipe, mnist_small: ImageSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two processes made of every recipe."""
    folder = tmp_path_factory.mktemp("pair")
    for name, each in _recipes(recipe).items():
        each.write(folder / f"{name}.toml")
    alone = Trainer(recipe, mnist_small, "cpu")
    while alone.step < 5:
        alone.take_step()
    begun = folder / "begun-alone"
    begun.mkdir()
    RunFolder(begun).save(alone)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    program = Path(__file__).with_name("torchrun_program.py")
    done = subprocess.run(
        [*torchrun, "--nproc-per-node", "2", str(program), str(folder)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    return folder


def _close(found: dict[str, Tensor], expected: dict[str, Tensor], tolerance: float) -> None:
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        if name == "noise":
            assert torch.equal(found[name], value)
        elif name != "seconds":
            torch.testing.assert_close(found[name], value, atol=tolerance, rtol=100 * tolerance)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*OBJECTIVES, *SPECIAL])
def test_two_processes_train_what_one_trains(
    pair: Path, recipe: Recipe, mnist_small: ImageSet, name: str
) -> None:
    trainer = Trainer(_recipes(recipe)[name], mnist_small, "cpu")
    for _ in trainer.events():
        pass
    tolerance = 1e-3 if name == "bfloat16" else 1e-5
    states = [read_tensors(pair / f"{name}-{rank}" / "state.safetensors")[0] for rank in (0, 1)]
    _close(states[0], trainer.state(), tolerance)
    _close(states[1], states[0], 0.0)
    snapshot = read_checkpoint(pair / f"{name}-0" / "model.safetensors")
    assert (snapshot.epoch, snapshot.step) == (trainer.epoch, trainer.step)
    for found, expected in zip(snapshot.history, trainer.history, strict=True):
        for field in ("elbo", "log_likelihood", "kl", "objective", "gradient_norm"):
            assert getattr(found, field) == pytest.approx(
                getattr(expected, field), rel=100 * tolerance, abs=tolerance
            )
        assert found.held_out_elbo == pytest.approx(expected.held_out_elbo, rel=100 * tolerance)
        assert (found.epoch, found.step, found.beta) == (
            expected.epoch,
            expected.step,
            expected.beta,
        )


@pytest.mark.slow
def test_a_run_goes_on_with_more_processes_and_then_with_fewer(
    new: NewTrainer, pair: Path, mnist_small: ImageSet
) -> None:
    said: list[str] = []
    trainer = RunFolder(pair / "begun-alone").resume(mnist_small, "cpu", said.append)
    assert trainer.step == 13
    assert len(said) == 1
    assert "1 threads in each of 2 processes, from here with" in said[0]
    for _ in trainer.events():
        pass
    alone = new()
    for _ in alone.events():
        pass
    _close(trainer.state(), alone.state(), 1e-5)
    assert [point.step for point in trainer.history] == [point.step for point in alone.history]
    for found, expected in zip(trainer.history, alone.history, strict=True):
        assert found.elbo == pytest.approx(expected.elbo, rel=1e-5)


@pytest.mark.slow
def test_wishes_and_failures_are_shared(pair: Path) -> None:
    first, second = (json.loads((pair / f"said-{rank}.json").read_text()) for rank in (0, 1))
    assert first == [False, True, True, "done", "elsewhere", "rank 0 failed"]
    assert second == [False, True, True, "done", "rank 1 failed", "elsewhere"]
