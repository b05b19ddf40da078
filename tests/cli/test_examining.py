import json
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import click.testing
import pytest

from tests.cli.conftest import Cli
from vae_explorer import __version__, paths
from vae_explorer.cli import examining, main
from vae_explorer.errors import UserError
from vae_explorer.gui import preflight


@pytest.fixture(autouse=True)
def _healthy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    for name in ("QT_PLUGIN_PATH", "QT_QPA_PLATFORM_PLUGIN_PATH"):
        monkeypatch.delenv(name, raising=False)


def examined(cli: Cli, code: int) -> dict[str, dict[str, Any]]:
    result = cli("doctor", "--json")
    assert result.exit_code == code, result.output
    told = json.loads(result.stdout)
    assert told["window"] == (code == 0)
    return {finding["name"]: finding for finding in told["findings"]}


def test_a_healthy_installation_is_described_and_passes(cli: Cli) -> None:
    result = cli("doctor")
    assert result.exit_code == 0
    assert "PROBLEM" not in result.stdout
    assert result.stdout.endswith("Nothing stops the window.\n")
    for word in (
        __version__,
        sys.version.split()[0],
        "torch",
        "numpy",
        "pyqtgraph",
        "plugin offscreen",
        "QT_QPA_PLATFORM=offscreen",
        sys.getfilesystemencoding(),
        str(paths.settings_file()),
        str(paths.runs()),
        str(paths.log_file()),
        "multiplies matrices",
        "to use, of",
    ):
        assert word in result.stdout
    assert not paths.settings_file().parent.exists(), "it looks and leaves nothing"


def test_a_display_that_is_not_there_stops_the_window(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise UserError("There is no display. Do this.")

    monkeypatch.setattr(preflight, "check", refuse)
    assert examined(cli, 1)["Checks"]["problem"] == "There is no display. Do this."


def test_a_qt_that_aborts_is_survived_and_quoted(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        examining, "_OPEN_QT", "import os, sys; print('no plugin xcb', file=sys.stderr); os.abort()"
    )
    found = examined(cli, 1)["Start of Qt"]
    assert found["value"] == "no plugin xcb"
    assert found["stops"]


def test_a_pytorch_that_does_not_load_comes_after_all_that_does_without(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "vae_explorer.training.device", None)
    found = examined(cli, 1)
    assert list(found)[-1] == "PyTorch"
    assert "pip install --force-reinstall torch" in found["PyTorch"]["problem"]


@pytest.mark.parametrize(
    ("system", "advice"),
    [("win32", "newest Visual C++ Redistributable"), ("linux", "pip install --force-reinstall")],
)
@pytest.mark.parametrize("command", ["doctor", "evaluate"])
def test_libraries_of_pytorch_that_do_not_load_are_told_in_a_sentence(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, system: str, advice: str, command: str
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(r'[WinError 1114] Error loading "C:\torch\lib\c10.dll"')

    monkeypatch.setattr("vae_explorer.training.device.devices", refuse)
    monkeypatch.setattr("vae_explorer.data.bundled.mnist", refuse)
    monkeypatch.setattr("vae_explorer.errors.sys.platform", system)
    result = cli(command)
    assert result.exit_code in (1, 2)
    assert "c10.dll" in result.output
    assert advice in result.output
    assert "Cannot write" not in result.output


def test_missing_packages_and_pairs_that_do_not_fit_are_named(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = version

    def pretend(package: str) -> str:
        if package == "scipy":
            raise PackageNotFoundError(package)
        return {"shiboken6": "6.10.1", "PySide6-Essentials": "6.11.3", "PyQt5": "5.15"}.get(
            package
        ) or real(package)

    monkeypatch.setattr(examining, "version", pretend)
    found = examined(cli, 1)
    assert found["scipy"]["problem"] == "It is missing; run: pip install scipy"
    assert "shiboken6==6.11.3" in found["Qt for Python"]["problem"]
    assert found["Other Qt libraries"]["value"] == "PyQt5 5.15"


def test_plugins_of_another_program_are_pointed_out(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QT_PLUGIN_PATH", "/lib/cv2/qt/plugins")
    found = examined(cli, 0)["QT_PLUGIN_PATH"]
    assert found["value"] == "/lib/cv2/qt/plugins"
    assert "unset it" in found["problem"]


def test_a_folder_that_cannot_be_written_is_a_note(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, locked_folder: Path
) -> None:
    if not locked_folder.exists():
        pytest.skip("there is no such folder here")
    monkeypatch.setattr(paths, "runs", lambda: locked_folder / "runs")
    found = examined(cli, 0)["Runs"]
    assert str(locked_folder) in found["problem"]
    assert not found["stops"]


def test_what_no_code_page_has_is_still_printed(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(paths, "runs", lambda: tmp_path / "läufe ☃" / "runs")
    runner = click.testing.CliRunner(charset="cp1252", catch_exceptions=False)
    result = runner.invoke(main, ["doctor"])
    assert result.exit_code == 0
    assert "läufe \\u2603" in result.stdout
