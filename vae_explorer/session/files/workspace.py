"""The state of a window as a small text file, to come back to and to pass on."""

import dataclasses
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta

from vae_explorer import schema
from vae_explorer.data.dataset import Dataset
from vae_explorer.errors import CheckpointError, UserError
from vae_explorer.files import atomic_write, cannot_write, read_text
from vae_explorer.model.trained import is_rotation
from vae_explorer.session.explore.cursor import LATENT_LIMIT
from vae_explorer.session.explore.pins import MOST
from vae_explorer.session.files.settings import KIND, SCHEME
from vae_explorer.session.lessons.place import LessonPlace
from vae_explorer.session.map.coloring import CHOICES
from vae_explorer.session.map.layers import LayerState, check_once
from vae_explorer.training.snapshot import DataReference
from vae_explorer.training.tensors import read_tensors
from vae_explorer.types import OneSplit, Split

EXTENSION = ".vaex"

VERSION = 5
"""Version of the file format; a file with a larger one is refused."""

_FORMAT = "vae-explorer workspace"
_WANTED = f"a workspace ({EXTENSION})"
_MOST_SELECTED = 5_000_000  # images in all named selections: in few bytes a file may say very many

_Name = Annotated[str, Meta(pattern=r"^\S(?s:.*\S)?\Z", description="a text without outer spaces")]
_Coordinate = Annotated[float, Meta(ge=-LATENT_LIMIT, le=LATENT_LIMIT)]
_Place = tuple[_Coordinate, _Coordinate]
_Rotation = tuple[tuple[float, float], tuple[float, float]]
_Edge = Annotated[float, Meta(gt=-1e9, lt=1e9)]
_Pin = tuple[OneSplit, Annotated[int, Meta(ge=0)]]
_View = tuple[_Edge, _Edge, _Edge, _Edge]
_Label = Annotated[int, Meta(ge=0)]
_Pixels = Annotated[int, Meta(ge=1, le=100_000)]
_Rows = Annotated[
    str,
    Meta(
        pattern=r"^(?:[0-9]{1,9}(?:-[0-9]{1,9})?(?:,[0-9]{1,9}(?:-[0-9]{1,9})?)*)?\Z",
        description='rising indices, as in "3-5,9"',
    ),
]


@dataclass(frozen=True)
class CurvesPlace:
    """Which optional ``panels`` of the training curves show, over what time, and how smooth.

    ``views`` are what is in sight of each panel that shows, by its name: left, right, bottom and
    top edge. It is none unless a person moved one, for then the whole run shows.
    """

    panels: tuple[str, ...] = ()
    unit: Literal["epoch", "step", "seconds"] = "epoch"
    log_x: bool = False
    log_y: bool = False
    smoothing: Annotated[float, Meta(ge=0, le=0.99)] = 0.0
    views: Mapping[str, _View] = field(default_factory=dict)


@dataclass(frozen=True)
class Workspace:
    """What a person sees and has marked, as it is in the file.

    ``model`` is ``model_hash`` of the model's checkpoint, ``path`` where that was; ``split``,
    ``kind``, ``align``, ``scheme`` and ``layers`` are as in ``Settings``. ``cursor``, ``bookmarks``
    and ``view`` are in latent units of the plane as it was turned: by ``rotation`` R from the
    checkpoint's, if at all, so that R z stands for its z. ``selection`` and the named
    ``selections`` are rising indices into ``split`` as text, see ``rows``; ``current`` is the one
    of ``pins`` that is looked at, None only if there are none. ``color_by`` is the value of one of
    ``coloring.CHOICES``, as tables stay outside. ``layout`` names the arrangement of the window.
    ``data`` are what the model is shown on, if not what it was trained on. ``pixels`` is how wide
    and high the map was, which decides how fine its layers are; ``lesson`` is None while the map is
    shown. ``hidden`` are the labels of the classes that do not show.
    """

    model: Annotated[
        str, Meta(pattern=r"^[0-9a-f]{64}\Z", description="a SHA-256, 64 hexadecimal digits")
    ]
    path: Path
    split: Split
    kind: Annotated[str, KIND]
    align: bool
    cursor: _Place
    bookmarks: Mapping[_Name, _Place]
    pins: Annotated[tuple[_Pin, ...], Meta(max_length=MOST)]
    current: _Pin | None
    selection: _Rows
    selections: Mapping[_Name, _Rows]
    layers: tuple[LayerState, ...]
    color_by: Annotated[str, schema.one_of(*dict(CHOICES))]
    view: _View
    scheme: Annotated[str, SCHEME]
    layout: str
    rotation: _Rotation | None = None
    data: DataReference | None = None
    pixels: tuple[_Pixels, _Pixels] | None = None
    lesson: LessonPlace | None = None
    curves: CurvesPlace = CurvesPlace()
    hidden: tuple[_Label, ...] = ()


def write_workspace(path: Path, workspace: Workspace) -> None:
    """Save atomically, as JSON text.

    Raises:
        UserError: the file cannot be written; an old one of that name is intact.
    """
    try:
        atomic_write(path, (json.dumps(as_values(workspace), indent=2) + "\n").encode())
    except OSError as error:
        raise UserError(cannot_write(path, error)) from error


def read_workspace(path: Path) -> Workspace:
    """Read what ``write_workspace`` wrote.

    Raises:
        UserError: missing, not a workspace, newer than this program, or a field is missing,
            unknown or holds a bad value. The message names the file and the field.
    """
    return from_values(schema.parse_json(read_text(path, _WANTED), str(path)), str(path))


def as_values(workspace: Workspace) -> dict[str, Any]:
    """As it is in the file."""
    values = {"format": _FORMAT, "version": VERSION} | dataclasses.asdict(workspace)
    return values | {"path": str(workspace.path)}


def from_values(values: object, source: str) -> Workspace:
    """From what is in a file; errors begin with ``source``, and are those of ``read_workspace``."""
    if not isinstance(values, dict) or values.get("format") != _FORMAT:
        raise UserError(f"{source} is not a workspace; choose {_WANTED}.")
    schema.check_version(values.get("version"), VERSION, source)
    fields = {name: value for name, value in values.items() if name not in ("format", "version")}
    workspace = schema.build(Workspace, fields, source)
    try:
        _check(workspace)
    except ValueError as error:
        raise UserError(f"{source}: {error}.") from None
    return workspace


def _check(workspace: Workspace) -> None:
    """What the types of the fields cannot say.

    Raises:
        ValueError: the message names the field.
    """
    check_once(workspace.layers)
    if workspace.rotation and not is_rotation(workspace.rotation):
        raise ValueError(
            "“rotation” should be a matrix that turns or mirrors, and stretches nothing"
        )
    panels = {f"curves.views.{name}": view for name, view in workspace.curves.views.items()}
    for name, (left, right, bottom, top) in {"view": workspace.view, **panels}.items():
        if not (left < right and bottom < top):
            raise ValueError(f"“{name}” should be four numbers: left < right, bottom < top")
    pins, current = workspace.pins, workspace.current
    if len(set(pins)) < len(pins):
        raise ValueError("“pins” should have each image once")
    if (current not in pins) if pins else (current is not None):
        wanted = "one of the pins" if pins else "null without pins"
        raise ValueError(f"“current” is {schema.shown(current)}; it should be {wanted}")
    left_over = _MOST_SELECTED
    for name, text in _selections(workspace).items():
        ends = [end for first, last in _ranges(text) for end in (first, last + 1)]
        if any(a > b for a, b in pairwise([0, *ends])) or any(a >= b for a, b in _pairs(ends)):
            raise ValueError(f"“{name}” should be rising indices, as in “3-5,9”")
        left_over -= sum(b - a for a, b in _pairs(ends)) if name != "selection" else 0
        if left_over < 0:
            raise ValueError(f"“selections” has more than {_MOST_SELECTED:,} images in all")


def check_images(path: Path, workspace: Workspace, data: Dataset) -> None:
    """Refuse a workspace of images that its data do not have.

    Raises:
        UserError: the message names the file and the field.
    """
    sizes = data.sizes()
    for split, index in workspace.pins:
        if index >= sizes[split]:
            text = f"“pins” has {index:,} of “{split}”, which has fewer images"
            raise UserError(f"{path}: {text}.")
    total = sizes[workspace.split]
    for name, text in _selections(workspace).items():
        if any(last >= total for _, last in _ranges(text)):
            raise UserError(f"{path}: “{name}” should be indices below {total:,}.")


def _selections(workspace: Workspace) -> dict[str, str]:
    """All selections as they are in the file, by the names of their fields."""
    named = {f"selections.{name}": text for name, text in workspace.selections.items()}
    return {"selection": workspace.selection, **named}


def _pairs(ends: Sequence[int]) -> Iterable[tuple[int, int]]:
    return zip(ends[::2], ends[1::2], strict=True)


def _ranges(text: str) -> list[tuple[int, int]]:
    """First and last of each run of integers."""
    runs = re.findall(r"(\d+)(?:-(\d+))?", text)
    return [(int(first), int(last or first)) for first, last in runs]


def rows(text: str) -> tuple[int, ...]:
    """Rising integers from text, in which 3, 4, 5 and 9 are "3-5,9"."""
    return tuple(row for first, last in _ranges(text) for row in range(first, last + 1))


def rows_text(indices: Sequence[int]) -> str:
    """What ``rows`` reads."""
    breaks = [row for row, (a, b) in enumerate(pairwise(indices), 1) if b != a + 1]
    edges = pairwise((0, *breaks, len(indices))) if len(indices) else ()
    pairs = [(indices[start], indices[stop - 1]) for start, stop in edges]
    return ",".join(f"{a}-{b}" if a < b else f"{a}" for a, b in pairs)


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
