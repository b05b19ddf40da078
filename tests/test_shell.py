import re
import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vae_explorer import shell
from vae_explorer.shell import command_line

PACKAGE = Path(shell.__file__).parent


@given(st.lists(st.text(min_size=1).filter(lambda text: "\0" not in text), min_size=1))
def test_a_posix_shell_reads_the_words_that_were_written(words: list[str]) -> None:
    assert shlex.split(command_line(*words)) == words


@pytest.mark.parametrize(
    ("word", "line"),
    [
        (r"C:\Users\Zoë\runs\a-1", r"C:\Users\Zoë\runs\a-1"),
        (r"C:\Users\Zoë Müller\runs", r'"C:\Users\Zoë Müller\runs"'),
        ("C:\\My Runs\\", '"C:\\My Runs\\\\"'),
        ("R&D", '"R&D"'),  # which cmd would take for two commands
        ("it's", '"it\'s"'),  # and PowerShell for the beginning of a text
        ("PySide6-Essentials<6.12", '"PySide6-Essentials<6.12"'),
        ("vae-explorer[tensorboard]", '"vae-explorer[tensorboard]"'),
        ("a;b", '"a;b"'),
        ("", '""'),
    ],
)
def test_on_windows_it_is_quoted_for_both_shells(
    monkeypatch: pytest.MonkeyPatch, word: str, line: str
) -> None:
    monkeypatch.setattr(shell, "_WINDOWS", True)
    assert command_line("vae-explorer", "--resume", word) == f"vae-explorer --resume {line}"


@given(st.text('ab "\\', min_size=1))
def test_windows_reads_it_back(word: str) -> None:
    """What has a space is quoted as Python quotes it there."""
    expected = subprocess.list2cmdline([f"{word} "])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shell, "_WINDOWS", True)
        assert command_line(f"{word} ") == expected


def test_no_command_is_printed_with_quotes_of_one_shell() -> None:
    for path in PACKAGE.rglob("*.py"):
        if path.name != "shell.py":
            text = path.read_text(encoding="utf-8")
            assert "shlex" not in text, path
            assert not re.search(r"pip install (--\S+ )*'", text), path
