"""An export in words: the command line and the lines of Python that write the same file."""

import json
from pathlib import Path
from typing import Any

from vae_explorer import shell
from vae_explorer.errors import ExportError
from vae_explorer.export.about import About, about
from vae_explorer.export.requests import Request, given
from vae_explorer.export.source import Source


def as_python(request: Request, source: Source, path: Path) -> str:
    """Lines of Python.

    Raises:
        ExportError: the model lies in no file.
    """
    told, fields = about(request, source), given(request)
    more: dict[str, Any] = {"data": told.data_path, "rotation": told.rotation}
    if told.workspace:
        more["workspace"] = told.workspace
    named = {name: value for name, value in more.items() if value is not None} | dict(fields)
    words = [repr(told.kind), repr(str(path)), repr(_model(told))]
    words += [f"{name}={value!r}" for name, value in named.items()]
    return f"import vae_explorer as vx\n\nvx.export({', '.join(words)})\n"


def as_command(request: Request, source: Source, path: Path) -> str:
    """A command line; raises as ``as_python``."""
    told = about(request, source)
    words = ["vae-explorer", "export", told.kind, _model(told)]
    for name, value in given(request).items():
        flag = f"--{name.replace('_', '-')}"
        if isinstance(value, bool):
            words.append(flag if value else f"--no-{flag[2:]}")
        elif isinstance(value, tuple) and getattr(type(request)(), name) is None:
            for pair in zip(value[::2], value[1::2], strict=True):
                words += [flag, *map(repr, pair)]
        elif isinstance(value, tuple):
            words += [flag, *map(str, value)]
        else:
            words += [flag, str(value)]
    if told.data_path:
        words += ["--data", told.data_path]
    if told.workspace:
        words += ["--workspace", json.dumps(told.workspace)]
    if told.rotation:
        words += ["--rotation", *(repr(value) for row in told.rotation for value in row)]
    return shell.command_line(*words, "--out", str(path))


def _model(told: About) -> str:
    name = told.model.name or told.model.path
    if name is None:
        raise ExportError("The model lies in no file; save it first, so that it can be named.")
    return name
