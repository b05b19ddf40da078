"""Every command line and every line of Python in README.md works."""

import os
import re
import shlex
import site
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import click.testing
import pytest

from vae_explorer import paths
from vae_explorer.bench.measurement import Measurement
from vae_explorer.cli import main
from vae_explorer.data import bundled
from vae_explorer.gui import app
from vae_explorer.gui.training.progress_text import format_duration
from vae_explorer.training.presets import as_computed_here
from vae_explorer.training.recipe import Recipe

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [
    shlex.split(line, comments=True)
    for line in re.findall(
        r"^    ((?:vae-explorer|torchrun)\b.*)|`(vae-explorer .*?)`", README, re.M
    )
    for line in line
    if line
]
PYTHON = [
    line.strip()
    for block in re.findall(r"\n(    import vae_explorer as vx\n(?:    .*\n|\n)*)", README)
    for line in block.splitlines()
    if line.strip()
]

_SMALL = ["--set", "encoder_hidden=8", "--set", "decoder_hidden=8", "--set", "batch_size=50"]
_SHORT = ["--set", "epochs=1", "--set", "validation_images=5", "--images", "20"]
_QUICK = {
    "train": _SMALL + _SHORT, "sweep": _SMALL + _SHORT, "evaluate": ["--subset", "1"],
    "film": ["--snapshots", "2", "--data", "MNIST"], "walk": ["--frames", "2"],
}  # fmt: skip
"""What is put behind a command so that it takes no time."""


def _quick(words: list[str]) -> list[str]:
    if "--resume" in words:
        return [*words, "--images", "20"]
    command = "train" if words[0] == "torchrun" else "".join(words[1:2])
    if command == "export":
        command = words[2]
    return words + _QUICK.get(command, [])


def _with_run(words: list[str], folder: Path) -> list[str]:
    """The folder of an earlier run for the one that stands for any."""
    return [str(min(folder.iterdir())) if word == "RUN_FOLDER" else word for word in words]


@pytest.mark.parametrize("name", ["quick", "good", "mnist-elbo"])
def test_what_a_recipe_costs_is_what_the_window_says(name: str) -> None:
    preset = as_computed_here(name, Recipe())
    (row,) = re.findall(rf"^\| \*{preset.name}\* \| (.*?) \|", README, re.M)
    assert preset.seconds is not None
    time = format_duration(preset.seconds)
    assert row == (f"{time}; {preset.figure} held out" if preset.figure else time)


def test_all_lines_are_found() -> None:
    """The patterns above still fit the file."""
    shown = {
        words[1] if words[0] == "vae-explorer" and words[1:] else words[0] for words in COMMANDS
    }
    assert {*main.commands} - {"explore"} <= shown
    assert {"torchrun", "vae-explorer", "mnist-iwae"} <= shown
    assert len(PYTHON) > 10


@pytest.fixture
def hasty(hardly_refined: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One thread, and next to no refining of q."""
    monkeypatch.setattr("vae_explorer.training.device.set_threads", lambda *_, **__: 1)
    monkeypatch.chdir(tmp_path)


@pytest.mark.slow
@pytest.mark.usefixtures("hasty")
def test_every_command_line_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the checkout, on few images; windows, benchmarks and torchrun are stood in for."""
    opened: list[Path | None] = []

    def open_window(path: Path | None = None) -> int:
        opened.append(path)
        return 0

    def measure(name: str) -> Iterator[Measurement]:
        yield Measurement(f"{name}.figure", 1, "ms", 1)

    mnist = bundled.mnist
    monkeypatch.setattr(app, "main", open_window)
    monkeypatch.setattr("vae_explorer.cli.measuring.run", measure)
    for words in COMMANDS:
        if words[0] == "torchrun":  # which tests/cli/test_torchrun.py starts
            words = words[words.index("train") - 1 :]
        few = None if words[1:] == ["data"] else 20  # which looks at all of them
        monkeypatch.setattr(
            bundled, "mnist", lambda split, few=few: mnist(split).subset(slice(few))
        )
        words = _with_run(_quick(words), paths.runs())
        result = click.testing.CliRunner(catch_exceptions=False).invoke(main, words[1:])
        assert result.exit_code == 0, (words, result.stderr)
    assert len(opened) == 2
    assert {"codes.csv", "digits.png", "manifold.png"} <= {path.name for path in tmp_path.iterdir()}


@pytest.mark.usefixtures("hasty")
def test_every_line_of_python_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mnist = bundled.mnist
    few = {"train": 5_100, "test": 5}
    monkeypatch.setattr(bundled, "mnist", lambda split: mnist(split).subset(slice(few[split])))
    names: dict[str, object] = {}
    for line in PYTHON:
        exec(line, names)
    assert (tmp_path / "mine.safetensors").is_file()


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a fresh environment: the wheel in it, the rest from the present one."""
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip"]
    subprocess.run([*pip, "wheel", "-q", "--no-deps", "-w", folder, ROOT], check=True)
    venv.create(folder / "venv", with_pip=False)
    programs = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
    (wheel,) = folder.glob("*.whl")
    subprocess.run(
        [*pip, "--python", programs / "python", "install", "-q", "--no-deps", wheel], check=True
    )
    query = "import sysconfig; print(sysconfig.get_path('purelib'))"
    (own,) = _output([str(programs / "python"), "-c", query], folder).splitlines()
    # Only what is in the folder: the checkout's own path, which a .pth file there adds, is not.
    Path(own, "present.pth").write_text("\n".join(site.getsitepackages()))
    where = "import vae_explorer; print(vae_explorer.__file__)"
    assert _output([str(programs / "python"), "-c", where], folder).startswith(own)
    assert Path(own, "vae_explorer", "py.typed").is_file()
    return programs


def _output(words: list[str], folder: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, timeout=1_800
    )
    assert done.returncode == 0, (words, done.stderr)
    return done.stdout


@pytest.mark.long
@pytest.mark.skipif(os.name == "nt", reason="ends the window by a signal")
def test_every_command_line_works_installed(installed: Path, tmp_path: Path) -> None:
    for words in COMMANDS:
        words = _with_run(_quick(words), paths.runs())
        if words[0] == "torchrun":
            module = [str(installed / "python"), "-m", "torch.distributed.run", "--standalone"]
            _output(module + words[1:], tmp_path)
        elif words[0] == "vae-explorer" and words[1:] in ([], ["mnist-iwae"]):
            window = ["timeout", "--preserve-status", "--signal=TERM", "30"]
            _output([*window, str(installed / words[0]), *words[1:]], tmp_path)
        else:
            _output([str(installed / words[0]), *words[1:]], tmp_path)
    assert {"codes.csv", "digits.png", "manifold.png"} <= {path.name for path in tmp_path.iterdir()}


@pytest.mark.long
def test_every_line_of_python_works_installed(installed: Path, tmp_path: Path) -> None:
    script = tmp_path / "readme.py"
    script.write_text("\n".join(PYTHON), encoding="utf-8")
    _output([str(installed / "python"), str(script)], tmp_path)
    assert (tmp_path / "mine.safetensors").is_file()
