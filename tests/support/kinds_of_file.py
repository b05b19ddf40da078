"""Every kind of file from outside: a good one, and values that none may have."""

import copy
import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from vae_explorer.errors import CheckpointError, RecipeError, UserError
from vae_explorer.lessons.course import LessonError, read_lesson
from vae_explorer.paths import bundled_checkpoint
from vae_explorer.session.files.workspace import read_workspace
from vae_explorer.session.map.layers import LAYERS, default_state
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.sweep_folder import SweepFolder
from vae_explorer.training.tensors import read_tensors, write_tensors

INFINITE, NAN = float("inf"), float("nan")
LAYER = dataclasses.asdict(default_state(next(spec for spec in LAYERS if spec.id == "flow")))


@dataclass(frozen=True)
class Kind:
    """A kind of file: a good one as plain values, how it is written and read, and bad values.

    ``bad`` has a list for each path of keys and rows; ``format`` what its text is called.
    """

    values: dict[str, Any]
    write: Callable[[Path, dict[str, Any]], object]
    read: Callable[[Path], object]
    error: type[UserError]
    format: str
    bad: dict[str, list[Any]]
    name: str = "file"


def toml(path: Path, values: dict[str, Any]) -> None:
    path.write_text(tomli_w.dumps(values), encoding="utf-8")


def _json(path: Path, values: dict[str, Any]) -> None:
    path.write_text(json.dumps(values))


def _lesson(path: Path, values: dict[str, Any]) -> None:
    head = {name: value for name, value in values.items() if name != "state"}
    block = f"```state\n{tomli_w.dumps(values['state'])}```\n"
    path.write_text(f"+++\n{tomli_w.dumps(head)}\n+++\n## One\n{block}")


_TENSORS, _HEADER = read_tensors(bundled_checkpoint())
_IN_JSON = ("image_shape", "data", "progress", "changes")


def _checkpoint(path: Path, values: dict[str, Any]) -> None:
    texts = {k: json.dumps(v) if k in _IN_JSON else str(v) for k, v in values.items()}
    write_tensors(path, _TENSORS, texts)


KINDS = {
    "workspace": Kind(
        {
            "format": "vae-explorer workspace",
            "version": 1,
            "model": "0123456789abcdef" * 4,
            "path": "/models/a.safetensors",
            "split": "train",
            "kind": "mean",
            "align": False,
            "cursor": [0.5, -1],
            "bookmarks": {"a six": [1.0, 2.0]},
            "pins": [["train", 5], ["test", 5]],
            "current": ["test", 5],
            "selection": "3-5,9",
            "selections": {"twos": "7"},
            "layers": [LAYER | {"opacity": 1}],
            "color_by": "label",
            "view": [-3.0, 3.0, -2.0, 2.0],
            "scheme": "system",
            "layout": "Explore",
            "pixels": [600, 400],
            "lesson": {"id": "1-functionals", "step": 2, "settings": {"bars": 6}},
            "curves": {"panels": ["gap"], "unit": "step", "smoothing": 0.5},
        },
        _json,
        read_workspace,
        UserError,
        "JSON",
        {
            "version": [0, -1, "1", 1.0, True, None],
            "model": ["0" * 63, "g" * 64, "A" * 64, "a" * 64 + "\n", 0],
            "path": ["", "/a\0b", "/\ud800", [], 1],
            "split": ["validation", ["train"], 1],
            "kind": ["mode"],
            "align": [1, "true"],
            "cursor": [[1.0], [1.0, 2.0, 3.0], "0,0"],
            "cursor.0": [6.5, NAN, True, 10**400],
            "bookmarks": [[], {"": [0, 0]}, {" a": [0, 0]}, {"a": [0, 7]}, {"a": None}],
            "pins": [{}, [["test", 5], ["test", 5]], [["test", index] for index in range(25)]],
            "pins.0": [["test", -1], ["both", 1], ["test", 5.0]],
            "current": [None, ["train", 6], "train", 1],
            "selection": ["5-3", "3,3", "4,3", "3-5,5", "3-4-5", "-3", "3,", "²", [3]],
            "selections": [[], {"": "3"}, {"a": "4,3"}, {"a": [3]}],
            "layers": [{}, [LAYER, LAYER]],
            "layers.0.id": ["pixels", 1],
            "layers.0.on": [1],
            "layers.0.opacity": [1.5, -0.1, NAN, True, "half"],
            "layers.0.chosen": [{}, {"since": "before", "colour": "red"}],
            "layers.0.chosen.since": ["yesterday", ["before"]],
            "color_by": ["colour", "table:weight", None],
            "pixels": [[600], [0, 400], [600, 1e3]],
            "lesson": [[], {}],
            "lesson.step": [-1, 1.0],
            "lesson.settings": [{"bars": {}}, []],
            "curves.unit": ["hours"],
            "curves.smoothing": [1.0, NAN],
            "view": [[0, 1, 0], [1, 0, 0, 1], [0, 1, 1, 1], [0, INFINITE, 0, 1]],
            "scheme": ["pink"],
            "layout": [None, 1],
        },
    ),
    "recipe": Kind(
        {"epochs": 3, "beta": 2, "network": "mlp"},
        toml,
        Recipe.read,
        RecipeError,
        "TOML",
        {"epochs": [0, 3.0, True, "3"], "beta": [NAN, "1", -1], "network": ["transformer", 1]},
    ),
    "sweep": Kind(
        {
            "data": {"name": "MNIST", "fingerprint": "f", "images": 60_000},
            "axes": [{"field": "beta", "values": [0.5, 1]}],
            "recipe": {"epochs": 3},
        },
        toml,
        lambda path: SweepFolder.open(path.parent),
        RecipeError,
        "TOML",
        {
            "data": ["MNIST", {}],
            "data.images": [-1, 2.0, "many"],
            "axes": [[], {}, "beta"],
            "axes.0.field": [1, "betta"],
            "axes.0.values": [[], [[1]], [1, 1], [101], 3],
            "recipe": [[], 1, {"epochs": 0}, {"epoch": 3}],
        },
        "sweep.toml",
    ),
    "lesson": Kind(
        {
            "title": "Entropy",
            "instrument": "functionals",
            "author": "somebody",
            "references": ["a paper"],
            "symbols": {"H": "the entropy"},
            "state": {"bars": 6, "hide": ["ascend"]},
        },
        _lesson,
        read_lesson,
        LessonError,
        "TOML",
        {
            "title": [3, []],
            "instrument": [1],
            "references": ["a paper", [1]],
            "symbols": [[], {"H": 1}],
            "state.hide": ["ascend", [1]],
        },
    ),
    "checkpoint": Kind(
        {
            name: json.loads(_HEADER[name]) if name in _IN_JSON else _HEADER[name]
            for name in ("recipe", "image_shape", "data", "progress", "history")
        }
        | {"changes": [[1, "beta", 2.0], [2, "samples", 5]], "title": "more than we know"},
        _checkpoint,
        read_checkpoint,
        CheckpointError,
        "JSON",
        {
            "recipe": ["<b>not TOML</b>", "epochs = 0", "epoch = 3", "x = " + "[" * 100_000],
            "image_shape": [28, [28], [28, 28, 1], {"28": 28}, None],
            "image_shape.0": [28.0, True, "28", 0, -28, 10**9, NAN],
            "data": [[], 7, {}, None],
            "data.more": [2],
            "data.name": [7],
            "data.fingerprint": [None],
            "data.images": ["many", -1, 10**20],
            "progress": [{}, [2.0, 16]],
            "progress.epoch": [None, NAN, INFINITE, -1.0, 10**400],
            "progress.step": [-1, 1.5, "16", INFINITE, 10**3_000],
            "changes": [7, None, {"beta": 2.0}, [7], ["abc"], [[1, "beta"]], [[1, "beta", 2, 3]]],
            "changes.0.0": ["1", True, -1, 1.0, 10**20],
            "changes.0.1": ["seed", "speed", 2, ["beta"]],
            "changes.0.2": ["2", True, None, NAN, 101.0],
            "changes.1.2": [1.5],
            "history": ["", "time,loss\n1,2\n", "9" * 200_000],
        },
    ),
}
IN_TEXT = [name for name in KINDS if name != "checkpoint"]


def put(kind: Kind, folder: Path, at: str = "", value: object = None) -> Path:
    """A file of this kind with another value at a path; a missing one where the value is ...."""
    values = copy.deepcopy(kind.values)
    inner: Any = values
    *steps, last = [int(step) if step.isdigit() else step for step in at.split(".")]
    for step in steps:
        inner = inner[step]
    if value is ...:
        del inner[last]
    elif at:
        inner[last] = value
    path = folder / kind.name
    kind.write(path, values)
    return path
