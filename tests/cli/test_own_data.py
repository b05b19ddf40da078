"""Runs and sweeps on images of one's own, which find them again."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

import vae_explorer as vx
from vae_explorer.data.reading import Reading
from vae_explorer.training.run import Recorder
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.sweep import Axis, Sweep
from vae_explorer.training.sweep_folder import SweepFolder
from vae_explorer.training.trainer import Trainer

Cli = Callable[..., Result]
Refused = Callable[..., str]

READING = Reading(invert=True, size=(6, 6))


@pytest.fixture
def small(tiny_recipe: vx.Recipe) -> vx.Recipe:
    return tiny_recipe.replace(batch_size=20, validation_images=10)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.npz"
    images = np.random.default_rng(0).integers(0, 256, (90, 8, 8), np.uint8)
    np.savez(path, images=images, labels=np.arange(90) % 3)
    return path


def begun(recipe: vx.Recipe, data: vx.ImageSet, runs: Path) -> RunFolder:
    """A run that was interrupted before its first step."""
    folder = RunFolder.create(runs, recipe)
    with Recorder(Trainer(recipe, data, "cpu"), folder) as recorder:
        recorder.begin()
    return folder


@pytest.mark.parametrize("count", [50, 1_000])
def test_a_run_resumes_on_the_data_it_was_begun_on(
    cli: Cli, refused: Refused, small: vx.Recipe, own: Path, tmp_path: Path, count: int
) -> None:
    data = vx.open_images(own, READING).train.first(count)
    folder = begun(small, data, tmp_path / "runs")
    moved = own.rename(tmp_path / "moved.npz")
    again = ("train", "--resume", folder.path, "--threads", 1)
    said = refused(*again)
    assert "own.npz does not exist" in said
    assert "name it by --data" in said
    other = tmp_path / "other.npz"
    np.savez(other, images=np.zeros((90, 6, 6), np.uint8), labels=np.arange(90) % 3)
    assert "give it the same images" in refused(*again, "--data", other)
    if count > len(data):
        assert cli(*again, "--data", moved).exit_code == 0
    else:
        moved.rename(own)
        assert cli(*again).exit_code == 0
    whole = Trainer(small, data, "cpu")
    for _ in whole.events():
        pass
    snapshot = vx.read_checkpoint(folder.model_path)
    assert list(snapshot.history) == whole.history
    assert snapshot.data.fingerprint == whole.data.fingerprint
    header, *_ = (folder.path / "history.csv").read_text(encoding="utf-8").splitlines()
    assert "remark" not in header, "the figures are of its own data"


def test_a_run_tells_where_its_data_was(
    cli: Cli, small: vx.Recipe, own: Path, tmp_path: Path
) -> None:
    small.write(tmp_path / "small.toml")
    out = tmp_path / "model.safetensors"
    words = [
        "--recipe",
        tmp_path / "small.toml",
        "--data",
        own,
        "--read",
        "invert=true",
        "--threads",
        1,
    ]
    cli("train", *words, "--read", "size=6x6", "--runs", tmp_path / "runs", "--out", out)
    source = vx.read_checkpoint(out).data.source
    assert source is not None
    assert source.path == own
    assert (source.reading.invert, source.reading.size) == (True, (6, 6))
    assert vx.open_images(source.path, source.reading).train.image_shape == (6, 6)


def test_a_sweep_resumes_on_the_data_it_was_made_of(
    cli: Cli, refused: Refused, small: vx.Recipe, own: Path, tmp_path: Path
) -> None:
    small.write(tmp_path / "small.toml")
    data = vx.open_images(own, READING).train.first(40)
    folder = SweepFolder.create(tmp_path / "sweep", Sweep(small, (Axis("beta", (0.5, 1.0)),)), data)
    own.rename(tmp_path / "moved.npz")
    assert "name it by --data" in refused("sweep", "--resume", folder.path, "--threads", 1)
    (tmp_path / "moved.npz").rename(own)
    assert cli("sweep", "--resume", folder.path, "--threads", 1).exit_code == 0
    again = SweepFolder.open(folder.path)
    assert not again.pending()
    assert again.data == folder.data

    new = [
        *("--recipe", tmp_path / "small.toml"),
        *("--data", own),
        *("--read", "size=6x6"),
        *("--threads", 1),
    ]
    out = tmp_path / "another"
    assert cli("sweep", *new, "--vary", "seed=0:1", "--out", out).exit_code == 0
    (run,) = out.glob("*/model.safetensors")
    model = vx.read_checkpoint(run)
    assert model.model.image_shape == (6, 6)
    assert model.data.name == "own"
