import json
import time
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch
from torch import Tensor

import vae_explorer
from tests.support.trainers import NewTrainer
from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import CheckpointError
from vae_explorer.training.checkpoint import header, read_checkpoint, write_checkpoint
from vae_explorer.training.history import HistoryPoint
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.training.tensors import read_tensors, write_tensors
from vae_explorer.training.trainer import Trainer

Z = np.random.default_rng(0).normal(size=(9, 2)).astype(np.float32)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.safetensors"


def _refused(path: Path, reason: str) -> None:
    """Refused by name in less than a second of work and 100 MB."""
    process, start = psutil.Process(), time.process_time()
    before = process.memory_info().rss
    with pytest.raises(CheckpointError, match=reason) as caught:
        read_checkpoint(path)
    assert str(path) in str(caught.value)
    assert time.process_time() - start < 1
    assert process.memory_info().rss - before < 100e6


def test_a_snapshot_comes_back_whole(snapshot: Snapshot, mnist_small: ImageSet, path: Path) -> None:
    write_checkpoint(snapshot, path)
    again = read_checkpoint(path)
    assert replace(again, model=snapshot.model) == snapshot  # recipe, data, history, progress
    assert again.data.fingerprint == mnist_small.fingerprint
    assert again.held_out_elbo == snapshot.held_out_elbo is not None
    assert again.model.treatment == "binarized"
    assert again.model.parameters == snapshot.model.parameters
    np.testing.assert_array_equal(again.model.decode(Z), snapshot.model.decode(Z))
    images = mnist_small.images[:50]
    np.testing.assert_array_equal(again.model.elbo(images), snapshot.model.elbo(images))


@pytest.mark.parametrize(
    "changes",
    [
        {"posterior": "diagonal"},
        {"fourier_features": 0},
        {"encoder_hidden": "16-16-16", "decoder_hidden": "16-16-16-16"},
        {"treatment": "gray"},
    ],
    ids=str,
)
def test_every_architecture_comes_back(
    new: NewTrainer, path: Path, changes: dict[str, Any]
) -> None:
    snapshot = new(**changes).snapshot()
    write_checkpoint(snapshot, path)
    again = read_checkpoint(path)
    assert replace(again, model=snapshot.model) == snapshot
    np.testing.assert_array_equal(again.model.decode(Z), snapshot.model.decode(Z))


def test_images_that_are_not_square(recipe: Recipe, path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (300, 4, 7), np.uint8)
    data = ImageSet(images, None, "noise — «weiß» 数字", "train")
    write_checkpoint(Trainer(recipe, data, "cpu").snapshot(), path)
    again = read_checkpoint(path)
    assert again.model.image_shape == (4, 7)
    assert again.data.name == "noise — «weiß» 数字"


def test_the_public_door(snapshot: Snapshot, path: Path) -> None:
    write_checkpoint(snapshot, path)
    model = vae_explorer.load_checkpoint(str(path))
    np.testing.assert_array_equal(model.decode(Z), snapshot.model.decode(Z))


def test_a_long_history_can_be_read_again(snapshot: Snapshot, path: Path) -> None:
    """As many reports as a run can make, each as long as numbers get."""
    number = -123.45678901234567
    figures = {item.name: number for item in fields(HistoryPoint)}
    whole = {"active_units": 2, "step": 600_000_000, "samples": 10_000}
    point = HistoryPoint(**(figures | whole | {"epoch": 123.45678901234567}))  # type: ignore[arg-type]
    long = replace(snapshot, history=(point,) * 30_000)
    write_checkpoint(long, path)
    assert read_checkpoint(path).history == long.history


def test_reading_leaves_the_global_random_stream_alone(snapshot: Snapshot, path: Path) -> None:
    write_checkpoint(snapshot, path)
    before = torch.get_rng_state()
    read_checkpoint(path)
    assert torch.equal(torch.get_rng_state(), before)


# What does not fit together. Each file is whole, with a right checksum: a liar's, not a rotten one.


def _write(snapshot: Snapshot, path: Path, **fields: str) -> None:
    write_tensors(path, snapshot.model.state_dict(), header(snapshot) | fields)


def _rename(tensors: dict[str, Tensor]) -> None:
    tensors["encoder.9.weight"] = tensors.pop("encoder.0.weight")


def _drop(tensors: dict[str, Tensor]) -> None:
    del tensors["decoder.0.frequencies"]


def _add(tensors: dict[str, Tensor]) -> None:
    tensors["extra"] = torch.zeros(1)


def _transpose(tensors: dict[str, Tensor]) -> None:
    tensors["encoder.0.weight"] = tensors["encoder.0.weight"].T


def _cast(kind: torch.dtype) -> Callable[[dict[str, Tensor]], None]:
    def change(tensors: dict[str, Tensor]) -> None:
        tensors["encoder.0.weight"] = tensors["encoder.0.weight"].to(kind)

    return change


def _poison(value: float) -> Callable[[dict[str, Tensor]], None]:
    def change(tensors: dict[str, Tensor]) -> None:
        tensors["encoder.0.weight"][0, 0] = value

    return change


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param(_rename, r"'encoder\.", id="renamed"),
        pytest.param(_drop, r"lacks 'decoder\.0\.frequencies'", id="missing"),
        pytest.param(_add, "unknown tensor 'extra'", id="extra"),
        pytest.param(dict.clear, "lacks", id="none at all"),
        pytest.param(_transpose, r"\(784, 16\), it should be .*\(16, 784\)", id="shape"),
        pytest.param(_cast(torch.float64), "float64.*should be torch.float32", id="double"),
        pytest.param(_cast(torch.bfloat16), "bfloat16.*should be torch.float32", id="brain"),
        pytest.param(_cast(torch.int32), "int32.*should be torch.float32", id="integers"),
        pytest.param(_cast(torch.complex64), "complex64.*should be torch.float32", id="complex"),
        pytest.param(_poison(float("nan")), "NaN.*'encoder.0.weight'", id="NaN"),
        pytest.param(_poison(float("-inf")), "infinite.*'encoder.0.weight'", id="infinite"),
    ],
)
@pytest.mark.filterwarnings("ignore:Casting complex")
def test_tensors_that_do_not_fit_the_recipe(
    snapshot: Snapshot, path: Path, change: Callable[[dict[str, Tensor]], None], reason: str
) -> None:
    tensors = {name: value.clone() for name, value in snapshot.model.state_dict().items()}
    change(tensors)
    write_tensors(path, tensors, header(snapshot))
    _refused(path, reason)


@pytest.mark.parametrize(
    "changes",
    [
        {
            "encoder_hidden": "-".join(["8192"] * 16),
            "decoder_hidden": "-".join(["8192"] * 16),
        },  # 8 GB of weights
        {"encoder_hidden": "15"},
        {"decoder_hidden": "16-16"},
        {"posterior": "diagonal"},
        {"fourier_features": 1_024},
    ],
    ids=str,
)
def test_a_recipe_for_other_networks_is_refused_without_building_them(
    snapshot: Snapshot, path: Path, changes: dict[str, Any]
) -> None:
    _write(snapshot, path, recipe=snapshot.recipe.replace(**changes).to_toml())
    _refused(path, "does not fit its recipe")


def test_what_was_steered_comes_back(new: NewTrainer, recipe: Recipe, path: Path) -> None:
    trainer = new()
    trainer.steer(beta=2, learning_rate=1e-4)
    trainer.take_step()
    trainer.steer(samples=5)
    write_checkpoint(trainer.snapshot(), path)
    again = read_checkpoint(path)
    assert again.changes == tuple(trainer.changes)
    assert len(again.changes) == 3
    assert again.recipe == trainer.recipe


def test_a_file_without_changes_is_of_an_earlier_version(snapshot: Snapshot, path: Path) -> None:
    texts = header(snapshot)
    del texts["changes"]
    write_tensors(path, snapshot.model.state_dict(), texts)
    assert read_checkpoint(path).changes == ()


def test_markup_in_a_name_stays_text(snapshot: Snapshot, path: Path) -> None:
    data = {"name": "<b>x</b>", "fingerprint": "f", "images": 1}
    _write(snapshot, path, data=json.dumps(data))
    assert read_checkpoint(path).data.name == "<b>x</b>"


def test_the_state_of_a_trainer_is_no_checkpoint(
    new: NewTrainer, recipe: Recipe, path: Path
) -> None:
    trainer = new()
    write_tensors(path, trainer.state(), header(trainer.snapshot()))
    _refused(path, "does not fit its recipe")
    assert "noise" in read_tensors(path)[0]
