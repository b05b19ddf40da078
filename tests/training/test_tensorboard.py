"""Event files, read back by their format and the package's own message classes."""

import dataclasses
import importlib
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tensorboardX.proto.event_pb2 import Event, SessionLog
from tensorboardX.proto.plugin_hparams_pb2 import HParamsPluginData
from tensorboardX.record_writer import masked_crc32c

from tests.support.trainers import NewTrainer
from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import CheckpointError, UserError
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.tensorboard import EventFile
from vae_explorer.training.trainer import Trainer


def _events(path: Path) -> Iterator[Any]:
    """The records of a TFRecord file: length, its CRC, data, its CRC."""
    content = path.read_bytes()
    while content:
        (length,) = struct.unpack("<Q", content[:8])
        data = content[12 : 12 + length]
        sums = struct.unpack("<I", content[8:12]) + struct.unpack("<I", content[12 + length :][:4])
        assert sums == (masked_crc32c(content[:8]), masked_crc32c(data))
        yield Event.FromString(data)
        content = content[16 + length :]


def _train(trainer: Trainer, folder: RunFolder, steps: int) -> list[Any]:
    board = EventFile(folder, trainer)
    for event in trainer.events(lambda: True):
        board.hear(event)
        if trainer.step == steps:
            break
    board.close()
    (path,) = (folder.path / "tensorboard").glob(
        f"events.out.tfevents.*.step-{trainer.step - steps}*"
    )
    return list(_events(path))


def _scalars(events: list[Any]) -> dict[int, dict[str, float]]:
    """By step and name."""
    return {
        event.step: {value.tag: value.simple_value for value in event.summary.value}
        for event in events
        if any(value.HasField("simple_value") for value in event.summary.value)
    }


def test_every_figure_of_the_history_is_there(
    new: NewTrainer, tmp_path: Path, recipe: Recipe
) -> None:
    trainer = new(batch_size=20)
    before = time.time()
    events = _train(trainer, RunFolder.create(tmp_path, trainer.recipe), 80)
    found = _scalars(events)
    assert list(found) == [20, 40, 60, 80]
    names = {
        "elbo": "train/elbo",
        "log_likelihood": "train/log_likelihood",
        "kl": "train/kl",
        "objective": "train/objective",
        "epoch": "train/epoch",
        "learning_rate": "train/learning_rate",
        "gradient_norm": "train/gradient_norm",
        "beta": "train/beta",
        "samples": "train/samples",
        "seconds": "train/seconds",
        "held_out_elbo": "held_out/elbo",
        "held_out_log_likelihood": "held_out/log_likelihood",
        "held_out_kl": "held_out/kl",
        "held_out_log_marginal": "held_out/log_marginal",
        "active_units": "held_out/active_units",
    }
    for point in trainer.history:
        assert point.step is not None
        figures = dataclasses.asdict(point)
        known = {
            name: figures[field] for field, name in names.items() if figures[field] is not None
        }
        assert found[point.step] == pytest.approx(known)
    assert len(found[20]) == 10
    assert len(found[40]) == 15
    assert all(before - 1 <= event.wall_time <= time.time() for event in events)


def test_the_recipe_is_there_to_read_and_to_compare(tmp_path: Path, trainer: Trainer) -> None:
    events = _train(trainer, RunFolder.create(tmp_path, trainer.recipe), 1)
    values = [value for event in events for value in event.summary.value]
    (text,) = (value for value in values if value.tag == "recipe/text_summary")
    assert b"| encoder_hidden | 16 |" in text.tensor.string_val[0]
    (start,) = (value for value in values if value.tag == "_hparams_/session_start_info")
    content = HParamsPluginData.FromString(start.metadata.plugin_data.content)
    fields = content.session_start_info.hparams
    assert set(fields) == set(Recipe.specs())
    assert fields["batch_size"].number_value == 100
    assert fields["objective"].string_value == "elbo"


def test_a_resumed_run_writes_a_second_file_that_hides_later_steps(
    tmp_path: Path, trainer: Trainer, mnist_small: ImageSet
) -> None:
    folder = RunFolder.create(tmp_path, trainer.recipe)
    _train(trainer, folder, 3)
    folder.save(trainer)
    resumed = folder.resume(mnist_small, "cpu")
    board = EventFile(folder, resumed)
    for event in resumed.events():
        board.hear(event)
    board.close()
    first, second = sorted((folder.path / "tensorboard").iterdir())
    assert first.name.endswith(".step-0")
    assert second.name.endswith(".step-3")
    log = next(event for event in _events(second) if event.HasField("session_log"))
    assert (log.session_log.status, log.step) == (SessionLog.START, 4)
    assert list(_scalars(list(_events(second)))) == [8, 16]


def test_an_epoch_is_on_the_disk_at_its_end(tmp_path: Path, trainer: Trainer) -> None:
    folder = RunFolder.create(tmp_path, trainer.recipe)
    board = EventFile(folder, trainer)
    board.hear(next(trainer.events()))
    (path,) = (folder.path / "tensorboard").iterdir()
    assert list(_scalars(list(_events(path)))) == [8]
    board.close()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, trainer: Trainer) -> None:
    folder = RunFolder.create(tmp_path, trainer.recipe)
    (folder.path / "tensorboard").touch()
    with pytest.raises(CheckpointError, match="Cannot write to .*tensorboard: File exists"):
        EventFile(folder, trainer)


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    monkeypatch.delitem(sys.modules, "vae_explorer.training.tensorboard")
    with pytest.raises(UserError, match=r"pip install 'vae-explorer\[tensorboard\]'"):
        importlib.import_module("vae_explorer.training.tensorboard")
