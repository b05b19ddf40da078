"""The one family of errors a person is meant to read."""

import sys


class UserError(Exception):
    """Something outside the program is wrong: a file, a field, a display.

    The message says what was wrong, where, and what to do about it. The window shows it as a
    dialog, the command line prints it on stderr and exits with status 2.
    """


class DataError(UserError):
    """A data file cannot be used."""


class CheckpointError(UserError):
    """A checkpoint cannot be read or written."""


class RecipeError(UserError):
    """A recipe holds an unknown field or a value out of range."""


class ExportError(UserError):
    """A picture or table could not be written."""


class DivergedError(UserError):
    """Training produced numbers that are not finite."""


def torch_trouble(error: BaseException) -> str:
    """What to do about a PyTorch that does not load, or "" if the error is of something else."""
    of_a_file = getattr(error, "filename", None)
    if not isinstance(error, ImportError | OSError) or of_a_file or "torch" not in str(error):
        return ""
    if sys.platform == "win32":
        return (
            "On Windows Qt, which the window loads first, may bring an older C++ runtime than "
            "PyTorch needs: install Microsoft's newest Visual C++ Redistributable, and in programs "
            "of your own import torch before PySide6."
        )
    return "Install it again: pip install --force-reinstall torch"
