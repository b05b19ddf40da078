"""The one family of errors a person is meant to read."""


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
