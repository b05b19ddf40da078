import csv
import dataclasses
from pathlib import Path

import pytest
import torch

from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import CheckpointError, DataError, DivergedError
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run import Recorder
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.sweep import Axis, Cell, Sweep
from vae_explorer.training.sweep_folder import Result, SweepFolder
from vae_explorer.training.trainer import Trainer


@pytest.fixture
def plan(recipe: Recipe) -> Sweep:
    return Sweep(recipe.replace(batch_size=200), (Axis("beta", (0.5, 2)), Axis("seed", (0, 1))))


@pytest.fixture
def folder(plan: Sweep, mnist_small: ImageSet, tmp_path: Path) -> SweepFolder:
    """One that has not begun."""
    return SweepFolder.create(tmp_path / "mine", plan, mnist_small)


def _run(folder: SweepFolder, cell: Cell, data: ImageSet, steps: int = 1_000) -> Result:
    """As whoever trains does it, up to a step."""
    trainer, run = folder.begin(cell, data, "cpu")
    recorder = Recorder(trainer, run)
    recorder.begin()
    try:
        for _ in recorder.follow(lambda: True):
            if trainer.step == steps:
                break
    except DivergedError:
        return folder.record(cell, diverged=True)
    recorder.save()
    return folder.record(cell)


def _table(folder: SweepFolder) -> list[dict[str, str]]:
    with folder.results_path.open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_every_run_is_in_the_table_with_the_figures_of_its_history(
    folder: SweepFolder, mnist_small: ImageSet
) -> None:
    assert len(folder.pending()) == 4
    for count, cell in enumerate(folder.pending(), 1):
        result = _run(folder, cell, mnist_small)
        outcomes = [row["outcome"] for row in _table(folder)]
        assert outcomes == ["finished"] * count + ["waiting"] * (4 - count)
        run = RunFolder(folder.path / result.run)
        snapshot = read_checkpoint(run.model_path)
        assert snapshot.recipe == cell.recipe
        assert run.label.name == cell.name
        assert run.label.origin == f"sweep mine, run {count} of 4"
        elbos = [point.held_out_elbo for point in snapshot.history if point.held_out_elbo]
        last = snapshot.history[-1]
        assert len(elbos) == result.epoch == 2
        assert result.held_out_elbo == max(elbos)
        assert result.held_out_log_marginal == last.held_out_log_marginal
        assert (result.held_out_kl, result.active_units) == (last.held_out_kl, last.active_units)
        assert result.seconds
        row = _table(folder)[count - 1]
        assert (float(row["beta"]), int(row["seed"])) == (cell.recipe.beta, cell.recipe.seed)
        assert float(row["held_out_elbo"]) == result.held_out_elbo
        assert row["run"] == result.run
    assert folder.pending() == ()
    assert list(_table(folder)[0]) == [
        *("beta", "seed", "outcome", "epoch", "held_out_elbo", "held_out_log_marginal"),
        *("held_out_kl", "active_units", "seconds", "run", "measure"),
    ]


def test_a_sweep_goes_on_where_it_was_left_to_the_same_numbers(
    folder: SweepFolder, mnist_small: ImageSet
) -> None:
    first, second, *_ = folder.pending()
    done = _run(folder, first, mnist_small)
    assert _run(folder, second, mnist_small, steps=3).outcome == "begun"
    again = SweepFolder.open(folder.path)
    assert again == folder
    assert again.results()[0] == done
    assert [cell.number for cell in again.pending()] == [2, 3, 4]
    trainer, run = again.begin(again.pending()[0], mnist_small, "cpu")
    assert trainer.step == 3
    assert len(list(folder.path.glob("*/recipe.toml"))) == 2
    whole = Trainer(second.recipe, mnist_small, "cpu")
    for each in (trainer, whole):
        for _ in each.events():
            pass
    assert trainer.history == whole.history
    for mine, other in zip(trainer.vae.parameters(), whole.vae.parameters(), strict=True):
        assert torch.equal(mine, other)
    run.save(trainer)
    assert again.record(second).outcome == "finished"
    assert [cell.number for cell in again.pending()] == [3, 4]


def test_a_run_that_never_got_to_its_first_step_is_not_run_twice(
    folder: SweepFolder, mnist_small: ImageSet
) -> None:
    cell = folder.pending()[0]
    _, run = folder.begin(cell, mnist_small, "cpu")
    trainer, again = folder.begin(cell, mnist_small, "cpu")
    assert (again, trainer.step, trainer.recipe) == (run, 0, cell.recipe)
    assert folder.record(cell) == Result(
        cell.values, "begun", run=run.path.name, measure="likelihood"
    )


def test_a_run_that_diverges_is_told_and_not_tried_again(
    folder: SweepFolder, mnist_small: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, *_ = folder.pending()
    with monkeypatch.context() as context:
        context.setattr("vae_explorer.training.trainer.learning_rate", lambda *_: 1e30)
        result = _run(folder, first, mnist_small)
    assert result.outcome == "diverged"
    assert _run(folder, second, mnist_small).outcome == "finished"
    assert [row["outcome"] for row in _table(folder)] == [
        *("diverged", "finished", "waiting", "waiting")
    ]
    assert [cell.number for cell in SweepFolder.open(folder.path).pending()] == [3, 4]


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"outcome\ndiverged\n", b'"'])
def test_a_table_that_cannot_be_read_is_made_again(
    folder: SweepFolder, mnist_small: ImageSet, content: bytes
) -> None:
    cell = folder.pending()[0]
    done = _run(folder, cell, mnist_small)
    before = folder.results_path.read_bytes()
    folder.results_path.write_bytes(content)
    assert folder.results()[0] == done
    assert folder.record(cell) == done
    assert folder.results_path.read_bytes() == before


def test_folders_that_are_no_runs_do_no_harm(folder: SweepFolder, mnist_small: ImageSet) -> None:
    for name, text in {"a": "epochs = 'many'", "b": "\0", "c": "epochs = 7"}.items():
        (folder.path / name).mkdir()
        (folder.path / name / "recipe.toml").write_text(text)
    assert len(folder.pending()) == 4
    done = _run(folder, folder.pending()[0], mnist_small)
    (folder.path / done.run / "history.csv").write_text("nonsense")
    assert folder.results()[0] == Result(done.values, "begun", run=done.run, measure="likelihood")


def test_other_images_are_refused(folder: SweepFolder, mnist_small: ImageSet) -> None:
    other = mnist_small.subset(slice(999))
    with pytest.raises(DataError, match="begun on 1,000 images of MNIST, not on these 999"):
        folder.begin(folder.pending()[0], other, "cpu")


# What cannot be begun


def test_a_folder_with_something_in_it_is_left_alone(
    plan: Sweep, folder: SweepFolder, mnist_small: ImageSet, tmp_path: Path
) -> None:
    before = (folder.path / "sweep.toml").read_bytes()
    with pytest.raises(CheckpointError, match="has a sweep already; go on with it by --resume"):
        SweepFolder.create(folder.path, plan, mnist_small)
    assert (folder.path / "sweep.toml").read_bytes() == before
    with pytest.raises(CheckpointError, match="is not empty"):
        SweepFolder.create(tmp_path, plan, mnist_small)
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match="Cannot begin a sweep in .*Choose another folder"):
        SweepFolder.create(tmp_path / "file", plan, mnist_small)


def test_a_run_without_images_is_refused_before_any_is_begun(
    recipe: Recipe, mnist_small: ImageSet, tmp_path: Path
) -> None:
    greedy = Sweep(recipe, (Axis("validation_images", (200, 1_000)),))
    with pytest.raises(DataError, match="lower 'validation_images'"):
        SweepFolder.create(tmp_path / "mine", greedy, mnist_small)
    assert not (tmp_path / "mine").exists()


def test_a_table_that_cannot_be_written_is_named(
    folder: SweepFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = dataclasses.replace(folder, path=folder.path / "gone")
    with pytest.raises(CheckpointError, match=r"results\.csv: the folder .*gone does not exist"):
        gone.record(folder.pending()[0])
