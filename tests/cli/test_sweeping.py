import csv
import json
import shlex
import signal
from collections.abc import Callable, Generator
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

import vae_explorer as vx
from vae_explorer.cli.progress import Progress
from vae_explorer.training.trainer import StepMetrics, Trainer

Cli = Callable[..., Result]
Refused = Callable[..., str]


@pytest.fixture
def quick(tiny_recipe: vx.Recipe, tmp_path: Path) -> list[object]:
    """Options of runs of a blink, kept in ``tmp_path / "sweep"``."""
    path = tmp_path / "tiny.toml"
    tiny_recipe.write(path)
    size = ["--images", 500, "--threads", 1]
    return ["--recipe", path, *size, "--out", tmp_path / "sweep"]


@pytest.fixture
def interrupt_in_second_run(monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """Ctrl-C comes in the first report of the run with seed 1."""
    hear = Progress.hear
    pending = [signal.SIGINT]

    def hear_and_interrupt(progress: Progress, event: StepMetrics) -> None:
        hear(progress, event)
        if pending and progress._trainer.recipe.seed == 1:
            signal.raise_signal(pending.pop())

    monkeypatch.setattr(Progress, "hear", hear_and_interrupt)
    old = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, old)


def _table(folder: Path) -> list[dict[str, str]]:
    with (folder / "results.csv").open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_a_grid_is_trained_and_its_table_printed(
    cli: Cli, quick: list[object], tmp_path: Path, tiny_recipe: vx.Recipe
) -> None:
    result = cli("sweep", *quick, "--set", "epochs=2", "--vary", "beta=0.5,1", "--vary", "seed=0:2")
    assert result.exit_code == 0
    rows = _table(tmp_path / "sweep")
    assert [(row["beta"], row["seed"]) for row in rows] == [
        *(("0.5", "0"), ("0.5", "1"), ("1.0", "0"), ("1.0", "1"))
    ]
    for row in rows:
        snapshot = vx.read_checkpoint(tmp_path / "sweep" / row["run"] / "model.safetensors")
        fields = {"beta": float(row["beta"]), "seed": int(row["seed"]), "epochs": 2}
        assert snapshot.recipe == tiny_recipe.replace(**fields)
        assert snapshot.epoch == 2
    header, *lines, where = result.stdout.splitlines()
    assert header.split()[:4] == ["beta", "seed", "outcome", "epochs"]
    for line, row in zip(lines, rows, strict=True):
        assert line.split()[:4] == [row["beta"], row["seed"], "finished", "2"]
        assert line.split()[4] == f"{float(row['held_out_elbo']):.2f}"
        assert line.endswith(row["run"])
    assert where == f"Results  {tmp_path / 'sweep' / 'results.csv'}"
    assert "run 3 of 4: beta=1.0, seed=0\nepoch 1/2: ELBO" in result.stderr


def test_ctrl_c_saves_and_the_command_it_prints_does_the_rest(
    cli: Cli, quick: list[object], tmp_path: Path, interrupt_in_second_run: None
) -> None:
    longer = ["--set", "batch_size=10", "--vary", "seed=0:3"]  # 40 steps, 2 reports
    stopped = cli("sweep", *quick, *longer)
    assert stopped.exit_code == 130
    said, command = stopped.stderr.splitlines()[-2:]
    assert said == "Stopped with 2 of 3 runs to go; go on with"
    assert command == f"  vae-explorer sweep --resume {tmp_path / 'sweep'} --threads 1"
    rows = _table(tmp_path / "sweep")
    assert [row["outcome"] for row in rows] == ["finished", "begun", "waiting"]
    assert "begun" in stopped.stdout
    first = vx.read_checkpoint(tmp_path / "sweep" / rows[0]["run"] / "model.safetensors")
    resumed = cli(*shlex.split(command)[1:])
    assert resumed.exit_code == 0
    assert "run 1 of 3" not in resumed.stderr
    rows = _table(tmp_path / "sweep")
    assert [row["outcome"] for row in rows] == ["finished"] * 3
    assert len(list((tmp_path / "sweep").glob("*/recipe.toml"))) == 3
    whole = Trainer(first.recipe.replace(seed=1), vx.mnist("train").subset(slice(500)), "cpu")
    for _ in whole.events():
        pass
    again = vx.read_checkpoint(tmp_path / "sweep" / rows[1]["run"] / "model.safetensors")
    assert list(again.history) == whole.history


def test_that_command_says_which_data_and_how_they_are_read(
    cli: Cli, quick: list[object], tmp_path: Path, interrupt_in_second_run: None
) -> None:
    pixels = np.random.default_rng(0).integers(0, 200, (600, 12, 10)).astype(np.float32)
    np.save(tmp_path / "own images.npy", pixels)
    own = [
        "--data",
        str(tmp_path / "own images.npy"),
        "--read",
        "size=8,6",
        "--read",
        "invert=true",
    ]
    longer = ["--set", "batch_size=10", "--vary", "seed=0:2"]
    stopped = cli("sweep", *quick, *own, "--read", "range=0:200", *longer)
    command = shlex.split(stopped.stderr.splitlines()[-1])
    assert command[4:] == [*own[:4], "--read", "range=0.0,200.0", *own[4:], "--threads", "1"]
    assert cli(*command[1:]).exit_code == 0
    assert [row["outcome"] for row in _table(tmp_path / "sweep")] == ["finished"] * 2


def test_a_run_that_diverges_does_not_end_the_sweep(
    cli: Cli, quick: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "vae_explorer.training.trainer.learning_rate",
        lambda recipe, *_: 1e30 if recipe.seed == 0 else 1e-3,
    )
    result = cli("sweep", *quick, "--set", "epochs=2", "--vary", "seed=0:2", "--json")
    assert result.exit_code == 0
    assert "Training diverged at step" in result.stderr
    events = [json.loads(line) for line in result.stdout.splitlines()]
    runs = [event for event in events if event["event"] == "run"]
    assert [(run["number"], run["seed"], run["outcome"]) for run in runs] == [
        *((1, 0, "diverged"), (2, 1, "finished"))
    ]
    assert {event["event"] for event in events} == {"epoch", "run", "end"}
    end = events[-1]
    assert (end["finished"], end["runs"], end["left"]) == (True, 2, 0)
    assert Path(end["results"]) == tmp_path / "sweep" / "results.csv"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "varies one or two fields, not none"),
        (["--vary", "bata=1,2"], "Unknown recipe field 'bata'; did you mean 'beta'?"),
        (["--vary", "self=1"], "Unknown recipe field 'self'"),
        (["--vary", "changes=1"], "Unknown recipe field 'changes'"),
        (["--vary", "seed=" + "9" * 5_000], "'seed' is"),
        (["--vary", "beta=1,-2"], "'beta' is -2; it must lie between"),
        (["--vary", "beta"], "'beta' varies no field; write FIELD=VALUE,VALUE,..."),
        (["--vary", "beta=1", "--vary", "beta=2"], "one or two fields, not beta, beta"),
        (["--vary", "validation_images=10,500"], "lower 'validation_images'"),
        (["--vary", "seed=0:2", "--set", "epochs=0"], "'epochs' is 0"),
        (["--vary", "seed=0:2", "--resume", "there"], "leave out --recipe, --preset, --set"),
    ],
)
def test_what_cannot_be_run_is_refused_and_leaves_nothing(
    refused: Refused, quick: list[object], tmp_path: Path, options: list[object], message: str
) -> None:
    assert message in refused("sweep", *quick, *options)
    assert not (tmp_path / "sweep").exists()


def test_it_must_know_where(refused: Refused, tmp_path: Path) -> None:
    assert "Name a new folder" in refused("sweep", "--vary", "seed=0:2")
    assert f"{tmp_path / 'sweep.toml'} does not exist" in refused("sweep", "--resume", tmp_path)


def test_torchrun_is_of_no_use(
    refused: Refused, quick: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    assert "without torchrun" in refused("sweep", *quick, "--vary", "seed=0:2")
