"""Every kind of file from outside: what is damaged is refused in one way, by its path."""

import copy
import dataclasses
import json
import logging
import os
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from tests.support.strategies import plain_values, texts
from vae_explorer.errors import CheckpointError, RecipeError, UserError
from vae_explorer.lessons.course import LessonError, read_lesson
from vae_explorer.paths import bundled_checkpoint
from vae_explorer.session.files.settings import Settings
from vae_explorer.session.files.workspace import read_workspace
from vae_explorer.session.map.layers import LAYERS, default_state
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run_folder import RunFolder, RunLabel
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


def _toml(path: Path, values: dict[str, Any]) -> None:
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
            "pins.0": [["train", 60_000], ["test", -1], ["both", 1], ["test", 5.0]],
            "current": [None, ["train", 6], "train", 1],
            "selection": ["60000", "5-3", "3,3", "4,3", "3-5,5", "3-4-5", "-3", "3,", "²", [3]],
            "selections": [[], {"": "3"}, {"a": "4,3"}, {"a": [3]}],
            "layers": [{}, [LAYER, LAYER]],
            "layers.0.id": ["pixels", 1],
            "layers.0.on": [1],
            "layers.0.opacity": [1.5, -0.1, NAN, True, "half"],
            "layers.0.chosen": [{}, {"since": "before", "colour": "red"}],
            "layers.0.chosen.since": ["yesterday", ["before"]],
            "color_by": ["colour", "table:weight", None],
            "view": [[0, 1, 0], [1, 0, 0, 1], [0, 1, 1, 1], [0, INFINITE, 0, 1]],
            "scheme": ["pink"],
            "layout": [None, 1],
        },
    ),
    "recipe": Kind(
        {"epochs": 3, "beta": 2, "network": "mlp"},
        _toml,
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
        _toml,
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


def _put(kind: Kind, folder: Path, at: str = "", value: object = None) -> Path:
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


@pytest.mark.parametrize("name", KINDS)
def test_a_good_file_is_read(name: str, tmp_path: Path) -> None:
    assert KINDS[name].read(_put(KINDS[name], tmp_path))


@pytest.mark.parametrize(
    ("name", "at", "value"),
    [
        pytest.param(name, at, value, id=f"{name}-{at}-{value!r:.40}")
        for name, kind in KINDS.items()
        for at, values in kind.bad.items()
        for value in values
    ],
)
def test_a_bad_value_is_named(name: str, at: str, value: object, tmp_path: Path) -> None:
    kind = KINDS[name]
    path = _put(kind, tmp_path, at, value)
    with pytest.raises(kind.error) as caught:
        kind.read(path)
    message = str(caught.value)
    message.encode()
    assert message.startswith(str(path))
    assert len(message) < 300 + len(str(path))
    if name not in ("recipe", "sweep"):  # which check their own fields, in their own words
        assert at.split(".")[0] in message.removeprefix(str(path))


@pytest.mark.parametrize(
    ("name", "at"),
    [
        (name, field)
        for name, kind in KINDS.items()
        for field in kind.values
        if name not in ("recipe", "lesson") and field not in ("format", "changes")
        if (name, field) != ("checkpoint", "title")
    ],
)
def test_a_field_that_is_missing_is_named(name: str, at: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    with pytest.raises(kind.error, match=re.escape(f"“{at}”") if at != "data" else "data"):
        kind.read(_put(kind, tmp_path, at, ...))


@pytest.mark.parametrize(
    ("name", "at", "hint"),
    [
        ("workspace", "colour", "“colour” is unknown"),
        ("workspace", "laiout", "did you mean “layout”"),
        ("workspace", "layers.0.colour", "“layers[0].colour” is unknown"),
        ("recipe", "epoch", "did you mean 'epochs'"),
        ("sweep", "axis", "did you mean “axes”"),
    ],
)
def test_a_field_that_is_unknown_is_named(name: str, at: str, hint: str, tmp_path: Path) -> None:
    with pytest.raises(KINDS[name].error, match=re.escape(hint)):
        KINDS[name].read(_put(KINDS[name], tmp_path, at, 1))


@pytest.mark.parametrize(
    ("at", "value", "says"),
    [
        ("layers.0.opacity", 1.5, "“layers[0].opacity” is 1.5; it should be a number from 0 to 1."),
        ("scheme", "pink", '“scheme” is "pink"; it should be one of system, light, dark.'),
        ("align", 1, "“align” is 1; it should be true or false."),
        ("cursor", [0], "“cursor” is [0]; it should be a list of 2: a number from -6 to 6, a"),
        ("current", 1, "“current” is 1; it should be"),
        ("bookmarks", {"a": [0, 7]}, "“bookmarks[…][1]” should be a number from -6 to 6."),
        ("bookmarks", {"": [0, 0]}, "a name in “bookmarks” should be a text without outer spaces."),
        ("layers.0", {"id": "flow"}, "“layers[0]” lacks “on”."),
    ],
)
def test_what_is_wrong_is_said_with_what_would_do(
    at: str, value: object, says: str, tmp_path: Path
) -> None:
    path = _put(KINDS["workspace"], tmp_path, at, value)
    with pytest.raises(UserError, match=re.escape(f"{path}: {says}")):
        read_workspace(path)


# Texts


@pytest.mark.parametrize("name", IN_TEXT)
@pytest.mark.parametrize(
    "content",
    [b"", b"\x00" * 64, b"\x89PNG\r\n\x1a\n\xff\xfe", b"x = caf\xe9", b" " * (17 << 20)],
    ids=["empty", "zeros", "picture", "Latin-1", "too large"],
)
def test_what_is_no_such_text_is_refused(name: str, content: bytes, tmp_path: Path) -> None:
    if (name, content) == ("recipe", b""):
        pytest.skip("a recipe of default values")
    path = tmp_path / KINDS[name].name
    path.write_bytes(content)
    with pytest.raises(KINDS[name].error, match=re.escape(str(path))):
        KINDS[name].read(path)


@pytest.mark.parametrize("name", IN_TEXT)
@pytest.mark.parametrize("value", ["[" * 50_000, "9" * 10_000, "1\nx = 1", "caf"])
def test_what_is_no_toml_or_json_is_refused(name: str, value: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    path = tmp_path / kind.name
    text = f'{{"x": {value}, "x": 1}}' if kind.format == "JSON" else f"x = {value}\n"
    path.write_text(f"+++\n{text}\n+++\n## One\n" if name == "lesson" else text)
    with pytest.raises(kind.error, match=f"is not {kind.format}") as caught:
        kind.read(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", KINDS)
def test_what_is_no_regular_file_is_refused(name: str, tmp_path: Path) -> None:
    kind, path = KINDS[name], tmp_path / KINDS[name].name
    with pytest.raises(kind.error, match=f"{path} does not exist"):
        kind.read(path)
    path.mkdir()
    with pytest.raises(kind.error, match=f"{path} is not a "):
        kind.read(path)
    if hasattr(os, "mkfifo"):
        path.rmdir()
        os.mkfifo(path)
        with pytest.raises(kind.error, match=f"{path} is not a "):
            kind.read(path)


@pytest.mark.parametrize("name", IN_TEXT)
def test_a_byte_order_mark_and_other_line_ends_do_no_harm(name: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    path = _put(kind, tmp_path)
    before = kind.read(path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    after = kind.read(path)
    if name == "lesson":
        assert after == dataclasses.replace(before, source=after.source)  # type: ignore
    else:
        assert after == before


@pytest.mark.parametrize("name", IN_TEXT)
@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_read(
    name: str, tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("any") / KINDS[name].name
    path.write_bytes(content)
    with suppress(KINDS[name].error):
        KINDS[name].read(path)


@pytest.mark.parametrize("name", [name for name in IN_TEXT if name != "lesson"])
@given(data=st.data())
def test_values_of_any_type_are_refused_or_read(
    name: str, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    kind, path = KINDS[name], tmp_path_factory.mktemp("any") / KINDS[name].name
    fields = st.sampled_from(list(kind.values)) | texts
    kind.write(path, kind.values | data.draw(st.dictionaries(fields, plain_values, max_size=2)))
    try:
        kind.read(path)
    except kind.error as error:
        str(error).encode()


# What is remembered, and must never stop anybody


SETTINGS = {"version": 1, "scheme": "dark", "threads": 3, "layers": [LAYER]}


@pytest.mark.parametrize("name", [".", "x" * 5_000])
def test_settings_that_are_no_file_are_the_defaults(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert Settings.read(tmp_path / name) == Settings()
    (warning,) = _warnings(caplog)
    assert str(tmp_path) in warning


@given(st.binary(max_size=200))
def test_any_bytes_give_settings(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("config") / "settings.toml"
    path.write_bytes(content)
    assert Settings.read(path) == Settings()


@given(
    st.dictionaries(
        st.sampled_from([field.name for field in dataclasses.fields(Settings)]), plain_values
    )
)
def test_entries_of_any_type_give_settings_that_can_be_written(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, Any]
) -> None:
    path = tmp_path_factory.mktemp("config") / "settings.toml"
    _toml(path, {"version": 1} | values)
    settings = Settings.read(path)
    assert 0 <= settings.threads <= 1024
    settings.write(path)
    assert Settings.read(path) == settings


def _warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"\0" * 64, b"version = 1\nscheme = 'dark", b"version = 1\nfolder = '\xff\xfe'\n["),
        *(b"[" * 100_000, b"version = 1\nthreads = " + b"9" * 10_000, b"version = 1\nversion = 1"),
        *(b"version = 2\nscheme = 'dark'\n", b"version = '1'\n", b"scheme = 'dark'\n"),
    ],
    ids=lambda content: repr(content[:24]),
)
def test_settings_that_cannot_be_read_are_the_defaults(
    content: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(content)
    assert Settings.read(path) == Settings()
    (warning,) = _warnings(caplog)
    assert str(path) in warning


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("scheme", value) for value in ("pink", 1, ["dark"])),
        *(("split", "validation"), ("kind", "mode"), ("align", 1), ("ease", "yes")),
        *(("threads", value) for value in (-1, 1025, 2.0, True, "many", NAN)),
        *(("recent", value) for value in ("a", [1, 2], ["a", 1])),
        *(("device", "tpu"), ("folder", 1), ("geometry", {}), ("layout", {"a": 1})),
        *(("layers", [LAYER, LAYER]), ("layers", [LAYER | {"id": "pixels"}]), ("layers", {})),
        *(("layers", [LAYER | {"opacity": NAN}]), ("layers", [LAYER | {"chosen": {}}])),
        *(("layers", [LAYER | {"colour": "red"}]), ("colour", "red")),
    ],
    ids=str,
)
def test_a_bad_setting_is_dropped_alone_with_one_warning(
    key: str, value: object, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "settings.toml"
    _toml(path, SETTINGS)
    good = Settings.read(path)
    assert (good.scheme, good.threads, len(good.layers)) == ("dark", 3, 1)
    _toml(path, SETTINGS | {key: value})
    known = {field.name: getattr(Settings(), field.name) for field in dataclasses.fields(Settings)}
    bare = {key: known[key]} if key in known else {}
    assert Settings.read(path) == dataclasses.replace(good, **bare)
    (warning,) = _warnings(caplog)
    assert str(path) in warning
    assert f"“{key}" in warning


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("name = 'a'\nnote = 1\ncolour = 'red'", RunLabel("a")),
        ("name = ", RunLabel()),
        ("name = 'caf\xe9'", RunLabel("caf\xe9")),
        ("[" * 50_000, RunLabel()),
    ],
    ids=["a bad note", "no TOML", "an accent", "deep"],
)
def test_of_a_label_the_good_part_is_read(text: str, label: RunLabel, tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    assert run.label == RunLabel()
    (tmp_path / "label.toml").write_text(text, encoding="utf-8")
    assert run.label == label
    (tmp_path / "label.toml").write_bytes(b"name = '\xff'")
    assert run.label == RunLabel()
