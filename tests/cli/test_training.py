import json
import os
import re
import shlex
import signal
import sys
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
import torch
from click.testing import Result

import vae_explorer as vx
from tests.support.full_disk import disk_with_room_for
from vae_explorer import paths
from vae_explorer.cli.progress import Progress
from vae_explorer.training.history import HistoryPoint
from vae_explorer.training.presets import recipe_of
from vae_explorer.training.proposal import fitted
from vae_explorer.training.trainer import StepMetrics, Trainer

Cli = Callable[..., Result]
Refused = Callable[..., str]


@pytest.fixture
def recipe_file(tiny_recipe: vx.Recipe, tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    tiny_recipe.write(path)
    return path


@pytest.fixture
def quick(recipe_file: Path, tmp_path: Path) -> list[object]:
    """Options of a run of a second, kept in ``tmp_path / "runs"``."""
    # One thread: nets this small gain nothing from more, and lose much on a busy machine.
    return ["--recipe", recipe_file, "--images", 500, "--threads", 1, "--runs", tmp_path / "runs"]


@pytest.fixture
def interrupt_in_second_epoch(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Generator[None]:
    """Ctrl-C, or another signal, comes in the first report after one epoch."""
    hear = Progress.hear
    pending = [getattr(request, "param", signal.SIGINT)]

    def hear_and_interrupt(progress: Progress, event: StepMetrics) -> None:
        hear(progress, event)
        if pending and event.point.epoch > 1:
            signal.raise_signal(pending.pop())

    monkeypatch.setattr(Progress, "hear", hear_and_interrupt)
    old = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, old)


def _content(path: Path) -> tuple[vx.Recipe, tuple[HistoryPoint, ...], bytes]:
    """Recipe, history and weights of a checkpoint; the order in its file's header is not fixed."""
    snapshot = vx.read_checkpoint(path)
    weights = b"".join(tensor.numpy().tobytes() for tensor in snapshot.model.state_dict().values())
    return snapshot.recipe, snapshot.history, weights


def _files(run: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}


def test_a_run_is_kept_and_written_out(
    cli: Cli, quick: list[object], tiny_recipe: vx.Recipe, tmp_path: Path
) -> None:
    out = tmp_path / "model.safetensors"
    result = cli("train", *quick, "--set", "seed=7", "--out", out)
    assert result.exit_code == 0
    recipe = tiny_recipe.replace(seed=7)
    snapshot = vx.read_checkpoint(out)
    assert snapshot.recipe == recipe
    assert snapshot.epoch == 1
    assert snapshot.data.images == 500
    assert vx.Recipe.read(tmp_path / "model.toml") == recipe
    (run,) = (tmp_path / "runs").iterdir()
    assert _content(run / "model.safetensors") == _content(out)
    assert f"held-out ELBO {snapshot.held_out_elbo:.3f}" in result.stdout
    assert str(out) in result.stdout
    assert str(run) in result.stdout
    assert result.stderr.startswith("epoch 1/1: ELBO -")


def test_runs_go_to_the_users_folder_by_default(cli: Cli, recipe_file: Path) -> None:
    assert cli("train", "--recipe", recipe_file, "--images", 200, "--threads", 1).exit_code == 0
    (run,) = paths.runs().iterdir()
    assert (run / "model.safetensors").exists()


def test_json_tells_each_epoch_and_the_end(cli: Cli, quick: list[object], tmp_path: Path) -> None:
    result = cli("train", *quick, "--set", "epochs=2", "--json")
    first, second, end = map(json.loads, result.stdout.splitlines())
    assert [first["event"], second["event"], end["event"]] == ["epoch", "epoch", "end"]
    assert [first["epoch"], second["epoch"], end["epoch"]] == [1, 2, 2]
    assert first["held_out_elbo"] == pytest.approx(
        first["held_out_log_likelihood"] - first["held_out_kl"]
    )
    assert first["images_per_s"] > 0
    assert end["finished"] is True
    assert end["step"] == 8
    (run,) = (tmp_path / "runs").iterdir()
    assert Path(end["run"]) == run
    assert Path(end["checkpoint"]) == run / "model.safetensors"


def test_ctrl_c_saves_and_the_command_it_prints_goes_on_to_the_same_numbers(
    cli: Cli, quick: list[object], tmp_path: Path, interrupt_in_second_epoch: None
) -> None:
    longer = ["--set", "epochs=3", "--set", "batch_size=10"]  # 40 steps an epoch, 2 reports
    out = tmp_path / "resumed model.safetensors"
    stopped = cli("train", *quick, *longer, "--out", out)
    assert stopped.exit_code == 130
    assert stopped.stdout == ""
    assert not out.exists()
    said, command = stopped.stderr.splitlines()[-2:]
    assert said == "Stopped at epoch 1.50; go on with"
    assert cli(*shlex.split(command)[1:]).exit_code == 0
    whole = tmp_path / "whole.safetensors"
    cli("train", *quick, *longer, "--out", whole)
    assert _content(out) == _content(whole)


def test_a_finished_run_can_still_be_written_out(
    cli: Cli, quick: list[object], tmp_path: Path
) -> None:
    cli("train", *quick)
    (run,) = (tmp_path / "runs").iterdir()
    out = tmp_path / "late.safetensors"
    assert cli("train", "--resume", run, "--images", 500, "--out", out).exit_code == 0
    assert _content(out) == _content(run / "model.safetensors")


@pytest.mark.skipif(os.name == "nt", reason="Windows ends a process without asking it")
@pytest.mark.parametrize("interrupt_in_second_epoch", [signal.SIGTERM], indirect=True)
def test_a_terminated_run_is_saved(
    cli: Cli, quick: list[object], tmp_path: Path, interrupt_in_second_epoch: None
) -> None:
    stopped = cli("train", *quick, "--set", "epochs=3", "--set", "batch_size=10")
    assert stopped.exit_code == 128 + signal.SIGTERM
    assert "go on with\n  vae-explorer train --resume" in stopped.stderr
    (run,) = (tmp_path / "runs").iterdir()
    assert vx.read_checkpoint(run / "model.safetensors").epoch >= 1


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX limits")
def test_a_full_disk_says_how_to_go_on(
    cli: Cli,
    refused: Refused,
    quick: list[object],
    tmp_path: Path,
    interrupt_in_second_epoch: None,
) -> None:
    cli("train", *quick, "--set", "epochs=3", "--set", "batch_size=10")
    (run,) = (tmp_path / "runs").iterdir()
    before = _files(run)
    with disk_with_room_for(4096):
        said = refused("train", "--resume", run, "--images", 500, "--threads", 1)
    # The first file that a resumed run writes is its next moment.
    assert said.startswith(f"Cannot write {run}/moments/step-")
    assert ": File too large." in said
    assert f"go on with\n  vae-explorer train --resume {run} --images 500 --threads 1" in said
    assert _files(run) == before


def test_a_recipe_beside_the_output_that_says_the_same_keeps_its_comments(
    cli: Cli, quick: list[object], recipe_file: Path
) -> None:
    recipe_file.write_text("# why so small\n" + recipe_file.read_text())
    out = recipe_file.with_suffix(".safetensors")
    assert cli("train", *quick, "--out", out).exit_code == 0
    assert recipe_file.read_text().startswith("# why so small\n")
    assert cli("train", *quick, "--set", "seed=1", "--out", out).exit_code == 0
    assert vx.Recipe.read(recipe_file).seed == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--set", "epoch=3"], "Unknown recipe field 'epoch'; did you mean 'epochs'?"),
        (["--set", "epochs"], "'epochs' does not change a field; write --set FIELD=VALUE."),
        (["--set", "epochs=many"], "'epochs' is 'many'; it must be a whole number"),
        (["--set", "epochs=2.5"], "'epochs' is 2.5; it must be a whole number"),
        (["--set", "epochs=0"], "'epochs' is 0; it must lie between 1 and 10,000"),
        (["--set", "beta=nan"], "'beta' is 'nan'; it must be a number"),
        (["--set", "treatment=dithered"], "'treatment' is 'dithered'; choose one of"),
        (["--recipe", "gone.toml"], "gone.toml"),
        (["--images", 60_001], "--images is 60,001; MNIST has 60,000 training images"),
        (["--images", 5_000], "lower 'validation_images'"),
        (["--images", 6_000, "--device", "abacus"], "Device 'abacus' is not available here"),
        (["--resume", "gone"], "gone/state.safetensors does not exist"),
        (["--resume", "gone", "--set", "epochs=3"], "leave out --recipe, --preset, --set"),
        (["--resume", "gone", "--preset", "quick"], "leave out --recipe, --preset, --set"),
        (["--preset", "quick", "--recipe", "mnist-elbo"], "--recipe and --preset both say"),
        (["--preset", "slow"], "'slow' is not one of 'quick', 'good', 'best'"),
        (["--out", "model.toml"], "must end in .safetensors"),
    ],
)
def test_what_cannot_be_trained_is_refused_and_leaves_nothing(
    options: list[object], message: str, refused: Refused, tmp_path: Path
) -> None:
    assert message in refused("train", *options)
    assert not paths.runs().exists()


@pytest.mark.parametrize(("name", "low"), [("quick", True), ("QUICK", False), ("best", False)])
def test_a_preset_is_the_recipe_in_the_window_as_the_processor_has_it(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, low: bool
) -> None:
    monkeypatch.setattr("vae_explorer.training.device.bfloat16_is_faster", lambda: low)
    runs = tmp_path / "runs"
    small = ["--set", "epochs=1", "--set", "validation_images=50", "--set", "encoder_hidden=8"]
    cut = [*small, "--set", "decoder_hidden=8", "--images", 200, "--threads", 1]
    assert cli("train", "--preset", name, *cut, "--runs", runs).exit_code == 0
    (run,) = runs.iterdir()
    found = vx.Recipe.read(run / "recipe.toml")
    offered = recipe_of(name.lower())
    assert found.precision == offered.precision == ("bfloat16" if low else "float32")
    assert (found.learning_rate, found.batch_size) == (offered.learning_rate, offered.batch_size)


def test_a_preset_is_fitted_to_data_of_ones_own(cli: Cli, tmp_path: Path) -> None:
    small = {"epochs": 1, "encoder_hidden": "8", "decoder_hidden": "8"}
    changes = [word for name, value in small.items() for word in ("--set", f"{name}={value}")]
    options = ["--data", "digits", "--preset", "quick", *changes, "--runs", tmp_path]
    assert cli("train", *options).exit_code == 0
    (run,) = tmp_path.iterdir()
    wanted = fitted(recipe_of("quick"), vx.open_images("digits").train).replace(**small)
    assert vx.Recipe.read(run / "recipe.toml") == wanted
    assert wanted.likelihood == "continuous-bernoulli", "unlike MNIST's"


def test_a_bad_field_in_a_file_is_named_with_the_file(refused: Refused, tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text("epochs = 3\nlearning_rates = 0.1\n")
    said = refused("train", "--recipe", path)
    assert said == f"{path}: Unknown recipe field 'learning_rates'; did you mean 'learning_rate'?"


def test_folders_that_cannot_be_written_are_refused_at_once(
    refused: Refused, quick: list[object], locked_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("trained")

    monkeypatch.setattr(Trainer, "events", never)
    said = refused("train", *quick, "--out", locked_folder / "model.safetensors")
    assert f"Make the folder {locked_folder} writable" in said
    said = refused("train", *quick, "--runs", locked_folder / "runs")
    assert said.startswith(f"Cannot start a run in {locked_folder / 'runs'}: ")


def test_a_diverged_run_says_what_to_do(
    refused: Refused, quick: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vae_explorer.training.trainer.learning_rate", lambda *_: 1e30)
    said = refused("train", *quick, "--set", "epochs=3")
    diverged = re.match(r"Training diverged at step (\d+) ", said)
    assert diverged
    assert "Lower the learning rate" in said
    (run,) = (tmp_path / "runs").iterdir()
    # The model of the step before is kept, in what opens and in what resumes.
    assert vx.read_checkpoint(run / "model.safetensors").step == int(diverged[1]) - 1
    again = refused("train", "--resume", run, "--images", 500, "--threads", 1)
    assert again.partition(" (")[0] == said.partition(" (")[0]


def test_a_run_keeps_moments_from_its_first_step_on(
    cli: Cli, quick: list[object], tmp_path: Path
) -> None:
    cli("train", *quick, "--set", "epochs=2")
    (run,) = (tmp_path / "runs").iterdir()
    names = sorted(path.name for path in (run / "moments").iterdir())
    assert names == [f"step-{step:09d}.safetensors" for step in range(9)]
    kept, last = (
        vx.read_checkpoint(path).model.state_dict()
        for path in (run / "moments" / names[-1], run / "model.safetensors")
    )
    for name, tensor in last.items():
        torch.testing.assert_close(kept[name], tensor, rtol=2**-11, atol=2**-24)  # of float16


def test_a_resumed_run_says_if_the_machine_is_another(
    cli: Cli, quick: list[object], tmp_path: Path
) -> None:
    cli("train", *quick)
    (run,) = (tmp_path / "runs").iterdir()
    same = cli("train", "--resume", run, "--images", 500, "--threads", 1)
    assert "Trained so far" not in same.stderr
    other = cli("train", "--resume", run, "--images", 500, "--threads", 2)
    assert "1 threads, from here with " in other.stderr
    assert "2 threads: last digits may differ." in other.stderr


def test_a_run_on_other_images_is_refused(
    refused: Refused, cli: Cli, quick: list[object], tmp_path: Path
) -> None:
    cli("train", *quick)
    (run,) = (tmp_path / "runs").iterdir()
    assert "give it the same images" in refused("train", "--resume", run, "--images", 400)


def test_a_run_can_be_watched_in_tensorboard(
    cli: Cli, quick: list[object], tmp_path: Path, interrupt_in_second_epoch: None
) -> None:
    longer = ["--set", "epochs=3", "--set", "batch_size=10"]
    stopped = cli("train", *quick, *longer, "--tensorboard")
    command = stopped.stderr.splitlines()[-1]
    assert command.endswith(" --tensorboard")
    (run,) = (tmp_path / "runs").iterdir()
    (first,) = (run / "tensorboard").iterdir()
    assert b"held_out/elbo" in first.read_bytes()
    assert cli(*shlex.split(command)[1:]).exit_code == 0
    assert len(list((run / "tensorboard").iterdir())) == 2


def test_without_tensorboard_s_package_nothing_is_begun(
    refused: Refused, quick: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    monkeypatch.delitem(sys.modules, "vae_explorer.training.tensorboard", raising=False)
    said = refused("train", *quick, "--tensorboard")
    assert "need the package tensorboardX" in said
    assert "pip install 'vae-explorer[tensorboard]'" in said
    assert not (tmp_path / "runs").exists()


def test_a_recipe_that_is_no_likelihood_is_warned_of(
    cli: Cli, quick: list[object], tmp_path: Path
) -> None:
    told = cli("train", *quick, "--set", "treatment=gray", "--runs", tmp_path / "runs").stderr
    assert "Warning: Gray pixels under a Bernoulli give a cross-entropy" in told


def test_a_change_that_does_nothing_is_refused(refused: Refused, tmp_path: Path) -> None:
    changes = ["--set", "objective=exact", "--set", "beta=4", "--runs", tmp_path / "runs"]
    assert "'beta' is 4.0 and makes no difference: objective is exact" in refused("train", *changes)
    assert not (tmp_path / "runs").exists()
