import faulthandler
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QMessageBox

from vae_explorer import paths
from vae_explorer.errors import UserError
from vae_explorer.gui import logs, preflight


@pytest.fixture(autouse=True)
def _own_logging(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is set up is taken down, pytest's own handlers aside."""
    root, ours = logging.getLogger(), logging.getLogger("vae_explorer")
    before, levels = list(root.handlers), (root.level, ours.level)
    monkeypatch.setattr(faulthandler, "enable", lambda file: file.close())
    yield
    for handler in [handler for handler in root.handlers if handler not in before]:
        root.removeHandler(handler)
        handler.close()
    root.setLevel(levels[0])
    ours.setLevel(levels[1])


def log() -> str:
    return paths.log_file().read_text(encoding="utf-8")


def test_the_log_lies_beside_the_settings_and_has_what_happened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    logs.keep_log()
    logs.keep_log()
    logging.getLogger("vae_explorer.anywhere").warning("said β")
    assert paths.log_file().parent == paths.settings_file().parent
    first, second = log().splitlines()
    assert sys.version.split()[0] in first
    assert second.endswith("WARNING vae_explorer.anywhere: said β")


def test_a_console_is_told_warnings_too(capsys: pytest.CaptureFixture[str]) -> None:
    logs.keep_log()
    logging.getLogger("vae_explorer").warning("said")
    logging.getLogger("vae_explorer").info("whispered")
    assert capsys.readouterr().err == "said\n"
    assert "whispered" in log()


def test_the_log_stays_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    logs.keep_log()
    for _ in range(200):
        logging.getLogger("vae_explorer").error("x" * 10_000)
    sizes = [path.stat().st_size for path in paths.log_file().parent.glob("vae-explorer.log*")]
    assert len(sizes) == 2
    assert sum(sizes) < 700_000


def test_a_disk_that_refuses_costs_the_log_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(paths, "log_file", lambda: tmp_path / "file" / "log")
    logs.keep_log()
    logging.getLogger("vae_explorer").warning("said")
    assert capsys.readouterr().err == "said\n"


def test_without_a_console_a_dialog_says_why_nothing_opened(
    monkeypatch: pytest.MonkeyPatch, qapp: object, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []
    monkeypatch.setattr(QMessageBox, "critical", lambda _, title, text: told.append(text))
    logs.tell("The model is gone.")
    assert told == [f"The model is gone.\n\nThe log has more: {paths.log_file()}"]
    assert "The model is gone." in caplog.text


def test_where_qt_cannot_say_it_the_log_does(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse() -> None:
        raise UserError("no display")

    monkeypatch.setattr(preflight, "check", refuse)
    monkeypatch.setattr(QMessageBox, "critical", lambda *_: pytest.fail("a dialog"))
    logs.tell("There is no display.")
    assert "There is no display." in caplog.text


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        ("'explore', 'missing.safetensors'", 2, "no display to open a window on"),
        ("'fly'", 2, "No such command 'fly'"),
    ],
)
def test_a_start_without_a_console_that_fails_is_in_the_log(
    monkeypatch: pytest.MonkeyPatch, words: str, code: int, why: str
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    program = (
        "import sys; sys.stderr = sys.stdout = None\n"
        f"from vae_explorer.cli import main; main([{words}])"
    )
    result = subprocess.run([sys.executable, "-c", program], env=os.environ, timeout=60)
    assert result.returncode == code
    assert why in log()


def test_a_crash_leaves_where_it_was_and_the_next_start_keeps_it() -> None:
    start = "from vae_explorer.gui.logs import keep_log; keep_log()"
    crash = f"{start}\nimport faulthandler; faulthandler._sigsegv()"
    ends = [
        subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=60).returncode
        for program in (crash, start)
    ]
    assert [end != 0 for end in ends] == [True, False]
    text = paths.crash_file().read_text(encoding="utf-8")
    assert "Segmentation fault" in text or "access violation" in text
    assert "<module>" in text
