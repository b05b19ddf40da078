from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.support.trainers import NewTrainer
from vae_explorer.errors import CheckpointError
from vae_explorer.training import moments as module
from vae_explorer.training.checkpoint import read_checkpoint, write_checkpoint
from vae_explorer.training.history import HistoryPoint
from vae_explorer.training.moments import MOST, Moments, bytes_kept, first_stride, most_kept
from vae_explorer.training.snapshot import Snapshot


@pytest.fixture
def names_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Writes a moment in no time."""
    monkeypatch.setattr(module, "write_tensors", _write_name)


def _write_name(path: Path, *_: object) -> None:
    path.parent.mkdir(exist_ok=True)
    path.touch()


def _at(snapshot: Snapshot, step: int) -> Snapshot:
    return Snapshot(snapshot.model, snapshot.recipe, snapshot.data, (), step / 8, step)


def _pass(moments: Moments, snapshot: Snapshot, steps: range) -> Moments:
    for step in steps:
        if moments.due(step):
            moments.keep(_at(snapshot, step))
    return moments


def _on_disk(folder: Path) -> list[int]:
    return sorted(int(path.name[5:14]) for path in folder.iterdir())


@given(st.integers(1, 10_000_000))
def test_a_run_that_fits_is_kept_at_even_distances(total: int) -> None:
    stride = first_stride(total)
    assert 1 <= stride <= 128
    if stride < 128:  # from the first to the last
        assert MOST / 2 <= total // stride + 1 <= MOST or stride == 1


@pytest.mark.parametrize("total", [1, 63, 64, 65, 500, 5_500])
def test_of_a_short_run_all_moments_are_kept(
    snapshot: Snapshot, tmp_path: Path, names_only: None, total: int
) -> None:
    stride = first_stride(total)
    moments = _pass(Moments(tmp_path / "moments", stride), snapshot, range(total + 1))
    even = set(range(0, total + 1, stride))
    early = {2**power for power in range(14) if 2**power <= min(stride, total)}
    assert _on_disk(moments.folder) == moments.steps == sorted(even | early)
    assert len(even) <= MOST


def test_a_long_run_stays_small(snapshot: Snapshot, tmp_path: Path, names_only: None) -> None:
    """Always with its first moment, its first steps, and one not long ago."""
    moments = Moments(tmp_path / "moments", first_stride(10**9))
    for last in range(40_000):
        if moments.due(last):
            moments.keep(_at(snapshot, last))
            assert _on_disk(moments.folder) == moments.steps
            assert len(moments.steps) <= MOST + 12
            early = [0, *(2**power for power in range(8))]
            assert {step for step in early if step <= last} <= set(moments.steps)
            assert moments.steps[-1] == last
        assert last - moments.steps[-1] <= max(128, last / (MOST / 2))
    assert len(moments.steps) >= MOST / 2


@pytest.mark.parametrize("megabytes", [1, 2, 3, 20, 60, 300])
def test_the_moments_of_a_large_model_are_fewer(
    snapshot: Snapshot, tmp_path: Path, names_only: None, megabytes: int
) -> None:
    parameters, total = megabytes * 500_000, 20_000
    most = most_kept(parameters)
    moments = _pass(
        Moments(tmp_path / "moments", first_stride(total, most), most), snapshot, range(total)
    )
    assert 1 <= len(moments.steps) * 2 * parameters <= bytes_kept(parameters, total)
    assert bytes_kept(parameters, total) <= max(150e6, 2 * 2 * parameters)
    assert moments.steps[0] == 0
    assert (most == MOST) == (megabytes <= 2)
    if megabytes <= 3:  # as the default network
        assert len(moments.steps) > 30
        assert set(moments.steps) >= {0, 1, 2, 4, 8, 16, 32}


@pytest.mark.parametrize("seed", range(5))
def test_what_is_kept_does_not_depend_on_interruptions(
    snapshot: Snapshot, tmp_path: Path, names_only: None, seed: int
) -> None:
    """Stopped anywhere, opened again, and resumed from an earlier step as after a crash."""
    total, stride = 3_000, 5
    random = np.random.default_rng(seed)
    whole = _pass(Moments(tmp_path / "whole", stride), snapshot, range(total + 1))
    start = 0
    while start <= total:
        stop = min(start + int(random.integers(1, 500)), total + 1)
        _pass(Moments(tmp_path / "parts", stride), snapshot, range(start, stop))
        start = stop if stop > total else max(1, stop - int(random.integers(0, 100)))
    assert _on_disk(tmp_path / "parts") == whole.steps


def test_a_kept_moment_can_be_read_with_its_past(new: NewTrainer, tmp_path: Path) -> None:
    trainer = new()
    moments = Moments(tmp_path / "moments", 4)
    kept: dict[int, Snapshot] = {}
    while True:
        if moments.due(trainer.step):
            kept[trainer.step] = trainer.snapshot()
            moments.keep(kept[trainer.step])
        if trainer.finished:
            break
        trainer.take_step()
    assert list(kept) == moments.steps == [0, 1, 2, 4, 8, 12, 16]
    again = Moments(tmp_path / "moments", 4)
    assert again.steps == moments.steps
    positions = np.zeros((1, 2))
    for step, snapshot in kept.items():
        read = again.read(step, tuple(trainer.history))
        np.testing.assert_allclose(
            read.model.decode(positions), snapshot.model.decode(positions), atol=0.5 / 255
        )
        assert (read.step, read.epoch, read.history) == (step, snapshot.epoch, snapshot.history)
    # On disk it has its own point alone, and can be opened as it is.
    assert again.read(16).history == (trainer.history[-1],)
    assert read_checkpoint(again.path(12)).step == 12
    assert not again.due(12)
    with pytest.raises(CheckpointError, match="does not exist"):
        again.read(3)


def test_a_moment_is_half_a_checkpoint_and_small_tensors_are_exact(
    snapshot: Snapshot, tmp_path: Path
) -> None:
    """Numbers beyond float16 too; and a moment of an earlier version is read as it is."""
    with torch.no_grad():
        write_checkpoint(snapshot, tmp_path / "own.safetensors")
    snapshot = read_checkpoint(tmp_path / "own.safetensors")
    snapshot.model.state_dict()["encoder.0.weight"][0, 0] = 1e6
    moments = Moments(tmp_path / "moments", 1)
    moments.keep(_at(snapshot, 16))
    write_checkpoint(_at(snapshot, 17), moments.path(17))
    halved, whole = (moments.path(step).stat().st_size for step in (16, 17))
    assert halved < 0.8 * whole
    exact = snapshot.model.state_dict()
    read, earlier = (moments.read(step).model.state_dict() for step in (16, 17))
    for name, tensor in exact.items():
        assert torch.equal(earlier[name], tensor)
        kept = tensor.numel() <= 4_096 or bool((tensor.abs() > 65_504).any())
        assert torch.equal(read[name], tensor) == kept
        torch.testing.assert_close(read[name], tensor, rtol=2**-11, atol=2**-25)


def test_foreign_files_are_left_alone(snapshot: Snapshot, tmp_path: Path, names_only: None) -> None:
    foreign = {
        "notes.txt",
        "step-000000007.safetensors.bak",
        "step-7.safetensors",
        "step-00000000٧.safetensors",
        "xstep-000000007.safetensors",
        "step-0000000007.safetensors",
        "model.safetensors",
    }
    for name in foreign:
        (tmp_path / name).write_text("mine")
    moments = Moments(tmp_path, 1)
    assert moments.steps == []
    _pass(moments, snapshot, range(300))
    assert {name for name in foreign if (tmp_path / name).read_text() == "mine"} == foreign
    ours = {moments.path(step).name for step in moments.steps}
    assert {path.name for path in tmp_path.iterdir()} == foreign | ours
    assert Moments(tmp_path, 1).steps == moments.steps


def test_no_folder_is_no_moments_and_none_is_made(tmp_path: Path) -> None:
    assert Moments(tmp_path / "moments", 1).steps == []
    assert not (tmp_path / "moments").exists()


def test_a_disk_that_refuses_costs_no_moment(
    snapshot: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "write_tensors", _write_name)
    moments = _pass(Moments(tmp_path / "moments", 1), snapshot, range(MOST))

    def refuse(*_: object) -> None:
        raise CheckpointError("full")

    monkeypatch.setattr(module, "write_tensors", refuse)
    with pytest.raises(CheckpointError):
        moments.keep(_at(snapshot, MOST))
    assert moments.steps == _on_disk(moments.folder) == list(range(MOST))
    assert moments.due(MOST)


def test_a_moment_already_gone_does_no_harm(
    snapshot: Snapshot, tmp_path: Path, names_only: None
) -> None:
    moments = _pass(Moments(tmp_path / "moments", 1), snapshot, range(MOST))
    moments.path(3).unlink()
    moments.keep(_at(snapshot, MOST))
    assert 3 not in moments.steps
    assert _on_disk(moments.folder) == moments.steps


def test_the_last_point_goes_with_it(snapshot: Snapshot, tmp_path: Path) -> None:
    points = tuple(HistoryPoint(number, -2.0, -1.0, 1.0, -2.0) for number in (1.0, 2.0))
    path = tmp_path / "long.safetensors"
    write_checkpoint(snapshot, path)
    moments = Moments(tmp_path / "moments", 1)
    moments.keep(_at(snapshot, 16))
    assert moments.read(16).history == ()
    assert moments.read(16, points).history == points
