import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from configparser import ConfigParser
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from tests.support.person import Person
from vae_explorer import paths
from vae_explorer.errors import UserError
from vae_explorer.export.requests import Digit
from vae_explorer.gui.app import open_window, prepare
from vae_explorer.gui.style import Style
from vae_explorer.gui.theme import SchemeChoice
from vae_explorer.session.files.settings import Settings


def test_the_application_has_its_name_style_and_icon(qapp: QApplication) -> None:
    names = qapp.applicationName(), qapp.applicationDisplayName()
    icon = qapp.windowIcon()
    prepare(qapp)
    assert qapp.applicationName() == "vae-explorer"
    assert qapp.applicationDisplayName() == "VAE Explorer"
    entry = ConfigParser(interpolation=None)
    entry.read(paths.resources() / "icons" / f"{qapp.desktopFileName()}.desktop")
    assert entry["Desktop Entry"]["Name"] == "VAE Explorer"
    assert entry["Desktop Entry"]["StartupWMClass"] == qapp.desktopFileName()
    style = qapp.style()
    assert isinstance(style, Style)
    assert style.baseStyle().name() == "fusion"
    assert not qapp.windowIcon().pixmap(64, 64).isNull()
    qapp.setApplicationName(names[0])
    qapp.setApplicationDisplayName(names[1])
    qapp.setWindowIcon(icon)


def test_a_checkpoint_is_opened_instead_of_the_bundled_model(
    open_person: "Callable[..., Person]", checkpoint: Path
) -> None:
    person = open_person(checkpoint)
    assert person.model_line.startswith("tiny.safetensors · epoch 2.0")
    assert person.window.app.settings.now.recent == (str(checkpoint),)
    assert not person.errors


@pytest.mark.parametrize("content", [None, b"", b"\x80\x04no checkpoint\n" * 100])
def test_a_bad_checkpoint_gives_a_dialog_over_the_bundled_model(
    open_person: "Callable[..., Person]", tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "bad.safetensors"
    if content is not None:
        path.write_bytes(content)
    person = open_person(path)
    (error,) = person.errors
    assert error.startswith("The model was not opened: ")
    assert str(path) in error
    assert person.model_line.startswith("mnist-elbo.safetensors")
    assert len(person.positions) == 600


def test_settings_count_from_the_start(open_person: "Callable[..., Person]") -> None:
    Settings(scheme="dark", split="test").write(paths.settings_file())
    person = open_person()
    assert len(person.positions) == 300
    assert person.window.actions_["split_test"].isChecked()
    assert person.window.actions_[f"scheme_{SchemeChoice.DARK.value}"].isChecked()
    assert person.window.palette().window().color().lightness() < 128


def test_without_any_model_there_is_a_dialog_and_a_window(
    open_person: "Callable[..., Person]", monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("vae_explorer.paths.bundled_checkpoint", lambda: tmp_path / "no")
    monkeypatch.setattr("vae_explorer.session.app.App.warm_up", lambda *_: None)
    window = open_window()
    QApplication.processEvents()
    assert window.isVisible()
    window.app.cursor.move(1.0, 1.0)
    window.app.exports.export(Digit(), tmp_path / "a.png")
    window.app.model.save(tmp_path / "a.safetensors")
    window.map.canvas.hovered.emit((0.5, 0.5))
    assert window.close()
    assert list(tmp_path.iterdir()) == []
    window.deleteLater()


def run_program(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "vae_explorer", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_without_a_display_it_says_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    begun = time.perf_counter()
    program = run_program()
    output, errors = program.communicate(timeout=60)
    assert program.returncode == 2
    assert output == ""
    (line,) = errors.splitlines()
    assert line.startswith("Error: There is no display to open a window on.")
    assert time.perf_counter() - begun < 20, "it does not load PyTorch first"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc when signals are handled")
@pytest.mark.parametrize(
    "name",
    ["SIGTERM", *(pytest.param(name, marks=pytest.mark.long) for name in ("SIGINT", "SIGHUP"))],
)
def test_a_signal_closes_a_quiet_window_and_saves_the_layout(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    program = run_program()
    limit = time.monotonic() + 60
    while not _handles_signals(program.pid) and time.monotonic() < limit:
        time.sleep(0.05)
    _wait_until_quiet(program.pid)
    program.send_signal(signal.Signals[name])
    _, errors = program.communicate(timeout=30)
    assert program.returncode == 0
    assert [line for line in errors.splitlines() if "plugin does not support" not in line] == []
    assert Settings.read(paths.settings_file()).geometry


def _handles_signals(pid: int) -> bool:
    """The program catches SIGTERM, which Python by itself does not."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)


def _wait_until_quiet(pid: int) -> None:
    """Until the program has used no processor for a second."""
    spent, since = "", time.monotonic()
    while time.monotonic() - since < 1:
        now = " ".join(Path(f"/proc/{pid}/stat").read_text().split()[13:15])
        if now != spent:
            spent, since = now, time.monotonic()
        time.sleep(0.1)


def test_imports_stay_pythons_own_after_qt_is_loaded() -> None:
    code = (
        "import builtins; plain = builtins.__import__\n"
        "from vae_explorer.gui import preflight; preflight.check()\n"
        "import PySide6.QtWidgets\n"
        "print(builtins.__import__ is plain)"
    )
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
    assert result.stdout == "True\n", result.stderr


def test_two_bad_models_are_a_plain_error(
    open_person: "Callable[..., Person]", monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("vae_explorer.paths.bundled_checkpoint", lambda: tmp_path / "no")
    with pytest.raises(UserError, match="no"):
        open_person(tmp_path / "bad.safetensors")
