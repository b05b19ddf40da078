"""The state of a window as a small text file, to come back to and to pass on."""

import dataclasses
import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

from vae_explorer.data import bundled
from vae_explorer.errors import CheckpointError, UserError
from vae_explorer.files import atomic_write
from vae_explorer.session.explore.cursor import Bookmark
from vae_explorer.session.explore.pins import MOST, Pin
from vae_explorer.session.map.coloring import CHOICES
from vae_explorer.session.map.layers import LAYERS, LayerState
from vae_explorer.session.state import LATENT_LIMIT
from vae_explorer.training.tensors import read_tensors
from vae_explorer.types import LatentPoint, Region

EXTENSION = ".vaex"

VERSION = 1
"""Version of the file format; a file with a larger one is refused."""

_FORMAT = "vae-explorer workspace"
_LARGEST_FILE = 16 << 20
_MOST_SELECTED = 5_000_000  # images in all named selections: in few bytes a file may say very many


@dataclass(frozen=True)
class Workspace:
    """What a person sees and has marked.

    ``model`` is ``model_hash`` of the model's checkpoint, ``path`` where that was; ``split``,
    ``kind``, ``align``, ``scheme`` and ``layers`` are as in ``Settings``. ``cursor`` and ``view``
    are in latent units. ``selection`` holds rising indices into ``split``, as do the named
    ``selections``; ``current`` is the one of ``pins`` that is looked at, None only if there are
    none. ``color_by`` is the value of one of ``coloring.CHOICES``, as tables stay outside.
    ``layout`` names the arrangement of the window.
    """

    model: str
    path: Path
    split: str
    kind: str
    align: bool
    cursor: LatentPoint
    bookmarks: tuple[Bookmark, ...]
    pins: tuple[Pin, ...]
    current: Pin | None
    selection: tuple[int, ...]
    selections: Mapping[str, tuple[int, ...]]
    layers: tuple[LayerState, ...]
    color_by: str
    view: Region
    scheme: str
    layout: str


def write_workspace(path: Path, workspace: Workspace) -> None:
    """Save atomically, as JSON text.

    Raises:
        UserError: the file cannot be written; an old one of that name is intact.
    """
    values = {"format": _FORMAT, "version": VERSION} | dataclasses.asdict(workspace)
    values |= {
        "path": str(workspace.path),
        "bookmarks": {mark.name: mark.place for mark in workspace.bookmarks},
        "selection": _runs(workspace.selection),
        "selections": {name: _runs(chosen) for name, chosen in workspace.selections.items()},
    }
    try:
        atomic_write(path, (json.dumps(values, indent=2) + "\n").encode())
    except OSError as error:
        raise UserError(f"Cannot write {path}: {error.strerror or error}.") from error


def read_workspace(path: Path) -> Workspace:
    """Read what ``write_workspace`` wrote.

    Raises:
        UserError: missing, not a workspace, newer than this program, or a field is missing,
            unknown or holds a bad value. The message names the file and the field.
    """
    values = _read(path)
    names = [field.name for field in dataclasses.fields(Workspace)]
    for name in sorted(values.keys() ^ set(names)):
        problem = "lacks" if name in names else "has an unknown field"
        raise UserError(f"{path} cannot be opened: it {problem} {_shown(name)}.")
    read: dict[str, Any] = {}
    for name in names:
        try:
            read[name] = _READERS[name](values[name], read)
        except _BadValueError as error:
            raise UserError(f"{path} cannot be opened: “{name}” {error}.") from None
    return Workspace(**read)


def model_hash(path: Path) -> str:
    """SHA-256 of a checkpoint's weights, 64 hexadecimal digits, wherever it lies.

    Raises:
        CheckpointError: see ``read_tensors``.
    """
    _, header = read_tensors(path)
    return header["sha256"]


def find_model(workspace: Workspace, candidates: Iterable[Path]) -> Path | None:
    """The first file that holds the workspace's model: where it was, or one of ``candidates``."""
    for path in (workspace.path, *candidates):
        try:
            if model_hash(path) == workspace.model:
                return path
        except CheckpointError:
            continue  # gone or spoilt meanwhile
    return None


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as stream:
            content = stream.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise UserError(f"Cannot read {path}: {error.strerror or error}.") from error
    if len(content) > _LARGEST_FILE:
        raise UserError(f"{path} is larger than any workspace; choose a {EXTENSION} file.")
    try:
        values = json.loads(content, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is damaged or no workspace ({error}).") from error
    if not isinstance(values, dict) or values.pop("format", None) != _FORMAT:
        raise UserError(f"{path} is not a workspace; choose a {EXTENSION} file.")
    version = values.pop("version", None)
    if type(version) is not int or version < 1:
        raise UserError(f"{path} cannot be opened: “version” is {_shown(version)}.")
    if version > VERSION:
        raise UserError(
            f"{path} has format version {_shown(version)}; this program reads up to {VERSION}. "
            "Update VAE Explorer to open it."
        )
    return values


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{_shown(twice)} is there twice")
    return values


_DIGITS = re.compile("[0-9]{1,9}")

# Fields: a value as JSON has it, and those of the fields before, to the value or _BadValueError.

_Reader = Callable[[Any, Mapping[str, Any]], Any]


class _BadValueError(Exception):
    """What is wrong with a value; follows the field's name."""


def _refuse(value: Any, wanted: str) -> NoReturn:
    raise _BadValueError(f"is {_shown(value)}; it should be {wanted}")


def _shown(value: Any) -> str:
    # What no file can be named, such as half a surrogate pair, cannot be shown either.
    text = json.dumps(value, ensure_ascii=False).encode(errors="replace").decode()
    return text if len(text) <= 60 else text[:60] + "…"


def _one_of(*choices: str) -> _Reader:
    def read(value: Any, _: Mapping[str, Any]) -> str:
        if value not in choices:
            _refuse(value, "one of " + ", ".join(choices))
        return str(value)

    return read


def _model(value: Any, _: Mapping[str, Any]) -> str:
    if not (isinstance(value, str) and len(value) == 64 and set(value) <= set("0123456789abcdef")):
        _refuse(value, "a SHA-256, 64 hexadecimal digits")
    return value


def _path(value: Any, _: Mapping[str, Any]) -> Path:
    try:
        if value and b"\0" not in os.fsencode(value):
            return Path(value)
    except (TypeError, UnicodeEncodeError):
        pass
    _refuse(value, "the path of a file")


def _truth(value: Any, _: Mapping[str, Any]) -> bool:
    if not isinstance(value, bool):
        _refuse(value, "true or false")
    return value


def _text(value: Any, _: Mapping[str, Any]) -> str:
    if not isinstance(value, str):
        _refuse(value, "a text")
    return value


def _numbers(value: Any, count: int, wanted: str) -> tuple[float, ...]:
    if not (isinstance(value, list) and len(value) == count):
        _refuse(value, wanted)
    for number in value:
        # A whole number may be too large for a float, which the comparison takes all the same.
        if type(number) not in (int, float) or not abs(number) < 1e9:
            _refuse(value, wanted)
    return tuple(map(float, value))


def _place(value: Any, _: Mapping[str, Any]) -> LatentPoint:
    wanted = f"two numbers within ±{LATENT_LIMIT:g}"
    z1, z2 = _numbers(value, 2, wanted)
    if max(abs(z1), abs(z2)) > LATENT_LIMIT:
        _refuse(value, wanted)
    return z1, z2


def _view(value: Any, _: Mapping[str, Any]) -> Region:
    wanted = "four numbers: left < right, bottom < top"
    left, right, bottom, top = _numbers(value, 4, wanted)
    if not (left < right and bottom < top):
        _refuse(value, wanted)
    return left, right, bottom, top


def _named(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        _refuse(value, "names and what they stand for")
    for name in value:
        if not name or name != name.strip():
            raise _BadValueError(
                f"has the name {_shown(name)}; a name is some text without spaces around"
            )
    return value


def _bookmarks(value: Any, read: Mapping[str, Any]) -> tuple[Bookmark, ...]:
    return tuple(Bookmark(name, _place(place, read)) for name, place in _named(value).items())


def _pin(value: Any) -> Pin:
    match value:
        case [("train" | "test") as split, int(index)] if not isinstance(index, bool):
            if 0 <= index < len(bundled.mnist(split).images):
                return split, index
    _refuse(value, 'an image, as in ["test", 12]')


def _pins(value: Any, _: Mapping[str, Any]) -> tuple[Pin, ...]:
    if not isinstance(value, list):
        _refuse(value, "a list of images")
    pins = tuple(map(_pin, value))
    if len(pins) > MOST or len(set(pins)) < len(pins):
        _refuse(value, f"at most {MOST} images, each once")
    return pins


def _current(value: Any, read: Mapping[str, Any]) -> Pin | None:
    pins = read["pins"]
    if value is None and not pins:
        return None
    if value is None or _pin(value) not in pins:
        _refuse(value, "one of the pins" if pins else "null without pins")
    return _pin(value)


def _runs(indices: tuple[int, ...]) -> str:
    """Rising integers as text: 3, 4, 5 and 9 are "3-5,9"."""
    breaks = [row for row, (a, b) in enumerate(pairwise(indices), 1) if b != a + 1]
    edges = pairwise((0, *breaks, len(indices))) if indices else ()
    pairs = [(indices[start], indices[stop - 1]) for start, stop in edges]
    return ",".join(f"{a}-{b}" if a < b else f"{a}" for a, b in pairs)


def _selection(value: Any, read: Mapping[str, Any]) -> tuple[int, ...]:
    total = len(bundled.mnist(read["split"]).images)
    wanted = f'rising indices below {total:,}, as in "3-5,9"'
    if not isinstance(value, str):
        _refuse(value, wanted)
    indices: list[int] = []
    for run in value.split(",") if value else ():
        ends = run.split("-")
        if not (len(ends) <= 2 and all(_DIGITS.fullmatch(end) for end in ends)):
            _refuse(value, wanted)
        first, last = int(ends[0]), int(ends[-1])
        if not ((indices[-1] if indices else -1) < first <= last < total):
            _refuse(value, wanted)
        indices.extend(range(first, last + 1))
    return tuple(indices)


def _selections(value: Any, read: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    selections: dict[str, tuple[int, ...]] = {}
    room = _MOST_SELECTED
    for name, runs in _named(value).items():
        selections[name] = _selection(runs, read)
        room -= len(selections[name])
        if room < 0:
            raise _BadValueError(f"selects more than {_MOST_SELECTED:,} images in all")
    return selections


def _layer(value: Any) -> LayerState:
    match value:
        case {"id": str(name), "on": bool(on), "opacity": int() | float(), "chosen": dict(chosen)}:
            options = {
                spec.id: {choice.id: dict(choice.options) for choice in spec.choices}
                for spec in LAYERS
            }.get(name)
            opacity = value["opacity"]
            if (
                len(value) == 4
                and options is not None
                and not isinstance(opacity, bool)
                and 0 <= opacity <= 1
                and chosen.keys() == options.keys()
                and all(
                    isinstance(option, str) and option in options[choice]
                    for choice, option in chosen.items()
                )
            ):
                return LayerState(name, on, float(opacity), chosen)
    _refuse(value, "a layer of the map with its choices")


def _layers(value: Any, _: Mapping[str, Any]) -> tuple[LayerState, ...]:
    if not isinstance(value, list):
        _refuse(value, "a list of layers")
    layers = tuple(map(_layer, value))
    if len({layer.id for layer in layers}) < len(layers):
        _refuse(value, "layers, each once")
    return layers


_READERS: dict[str, _Reader] = {
    "model": _model,
    "path": _path,
    "split": _one_of("train", "test", "both"),
    "kind": _one_of("mean", "sample", "exact"),
    "align": _truth,
    "cursor": _place,
    "bookmarks": _bookmarks,
    "pins": _pins,
    "current": _current,
    "selection": _selection,
    "selections": _selections,
    "layers": _layers,
    "color_by": _one_of(*dict(CHOICES)),
    "view": _view,
    "scheme": _one_of("system", "light", "dark"),
    "layout": _text,
}
