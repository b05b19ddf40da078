"""Command lines that a person copies into the shell of this system."""

import os
import re
import shlex

_WINDOWS = os.name == "nt"
_PLAIN = re.compile(r"[\w./:\\+=~-]+")
_BEFORE_QUOTE = re.compile(r'(\\*)("|$)')


def command_line(*words: str) -> str:
    """The words as one line, quoted for a POSIX shell, or on Windows for cmd and PowerShell."""
    if not _WINDOWS:
        return shlex.join(words)
    return " ".join(word if _PLAIN.fullmatch(word) else _in_quotes(word) for word in words)


def install_line(extra: str) -> str:
    """The command line that installs what an optional part of this program needs."""
    return command_line("pip", "install", f"vae-explorer[{extra}]")


def _in_quotes(word: str) -> str:
    """As the C library of Windows reads it: backslashes are doubled before a quotation mark."""
    inner = _BEFORE_QUOTE.sub(lambda at: 2 * at[1] + ('\\"' if at[2] else ""), word)
    return f'"{inner}"'
