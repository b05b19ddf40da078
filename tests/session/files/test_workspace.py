"""Workspaces: what is written is read, and nothing else is."""

import dataclasses
import json
import os
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open

from vae_explorer.errors import CheckpointError, UserError
from vae_explorer.paths import bundled_checkpoint
from vae_explorer.session.explore.cursor import Bookmark
from vae_explorer.session.files.workspace import (
    Workspace,
    find_model,
    model_hash,
    read_workspace,
    write_workspace,
)
from vae_explorer.session.map.coloring import CHOICES
from vae_explorer.session.map.layers import LAYERS, LayerSpec, LayerState, default_state

PLAIN = Workspace(
    model="0123456789abcdef" * 4,
    path=Path("/models/a.safetensors"),
    split="train",
    kind="mean",
    align=False,
    cursor=(0.5, -1.0),
    bookmarks=(Bookmark("a six", (1.0, 2.0)),),
    pins=(("train", 5), ("test", 5)),
    current=("test", 5),
    selection=(3, 4, 5, 9),
    selections={"twos": (7,)},
    layers=tuple(map(default_state, LAYERS)),
    color_by="label",
    view=(-3.0, 3.0, -2.0, 2.0),
    scheme="system",
    layout="Explore",
)

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "some.vaex"


def spoil(path: Path, /, **changes: Any) -> None:
    """Write ``PLAIN`` with other values in the file."""
    write_workspace(path, PLAIN)
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


# There and back


def _states(spec: LayerSpec) -> st.SearchStrategy[LayerState]:
    chosen = {
        choice.id: st.sampled_from([value for value, _ in choice.options])
        for choice in spec.choices
    }
    return st.builds(
        LayerState,
        id=st.just(spec.id),
        on=st.booleans(),
        opacity=st.floats(0, 1),
        chosen=st.fixed_dictionaries(chosen),
    )


_texts = st.text(max_size=20)
_names = _texts.map(str.strip).filter(bool)
_places = st.tuples(st.floats(-6, 6), st.floats(-6, 6))
_pins = st.tuples(st.sampled_from(["train", "test"]), st.integers(0, 9_999))
_chosen = st.sets(st.integers(0, 9_999) | st.integers(0, 20)).map(lambda rows: tuple(sorted(rows)))
_views = st.tuples(*[st.floats(-1e6, 1e6)] * 4).filter(lambda v: v[0] < v[1] and v[2] < v[3])
_layers = (
    st.permutations(LAYERS)
    .flatmap(lambda specs: st.tuples(*map(_states, specs)))
    .flatmap(lambda states: st.integers(0, len(LAYERS)).map(lambda n: states[:n]))
)


@st.composite
def _workspaces(draw: st.DrawFn) -> Workspace:
    pins = tuple(draw(st.lists(_pins, max_size=24, unique=True)))
    marks = draw(st.dictionaries(_names, _places, max_size=3))
    return Workspace(
        model=draw(st.text("0123456789abcdef", min_size=64, max_size=64)),
        path=Path("/", *draw(st.lists(st.text(string.printable, min_size=1), max_size=3))),
        split=draw(st.sampled_from(["train", "test", "both"])),
        kind=draw(st.sampled_from(["mean", "sample", "exact"])),
        align=draw(st.booleans()),
        cursor=draw(_places),
        bookmarks=tuple(Bookmark(name, place) for name, place in marks.items()),
        pins=pins,
        current=draw(st.sampled_from(pins)) if pins else None,
        selection=draw(_chosen),
        selections=draw(st.dictionaries(_names, _chosen, max_size=3)),
        layers=draw(_layers),
        color_by=draw(st.sampled_from([value for value, _ in CHOICES])),
        view=draw(_views),
        scheme=draw(st.sampled_from(["system", "light", "dark"])),
        layout=draw(_texts),
    )


@given(_workspaces())
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, workspace: Workspace
) -> None:
    path = tmp_path_factory.mktemp("work") / "some.vaex"
    write_workspace(path, workspace)
    assert read_workspace(path) == workspace


def test_it_is_a_small_text(path: Path) -> None:
    large = dataclasses.replace(PLAIN, split="both", selection=tuple(range(70_000)))
    write_workspace(path, large)
    assert read_workspace(path) == large
    values = json.loads(path.read_text("ascii"))
    assert (values["version"], values["selection"]) == (1, "0-69999")
    assert path.stat().st_size < 4_000
    write_workspace(path, PLAIN)
    assert json.loads(path.read_text())["selection"] == "3-5,9"


@pytest.mark.skipif(os.name == "nt", reason="its names are always Unicode")
def test_a_path_that_is_no_unicode_comes_back(path: Path) -> None:
    odd = dataclasses.replace(PLAIN, path=Path(os.fsdecode(b"/caf\xe9.safetensors")))
    write_workspace(path, odd)
    assert read_workspace(path) == odd


def test_a_folder_that_refuses_keeps_the_old_file(path: Path) -> None:
    write_workspace(path, PLAIN)
    with pytest.raises(UserError, match="Cannot write"):
        write_workspace(path / "below.vaex", PLAIN)
    assert read_workspace(path) == PLAIN


# Bad files


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "damaged or no workspace"),
        (b"\x89PNG\r\n\x1a\n", "damaged or no workspace"),
        (b"[" * 100_000, "damaged or no workspace"),
        (b'{"x": ' + b"9" * 10_000 + b"}", "damaged or no workspace"),
        (b'{"split": 1, "split": 2}', '"split" is there twice'),
        (b"[1, 2]", "not a workspace"),
        (b'{"version": 1}', "not a workspace"),
        (b" " * (17 << 20), "larger than any workspace"),
    ],
    ids=lambda value: repr(value[:20]),
)
def test_what_is_no_workspace_is_refused(path: Path, content: bytes, said: str) -> None:
    path.write_bytes(content)
    with pytest.raises(UserError, match=said) as caught:
        read_workspace(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_and_a_folder_are_refused(path: Path) -> None:
    for name in (path, path.parent):
        with pytest.raises(UserError, match="Cannot read"):
            read_workspace(name)


def test_a_newer_version_is_refused_by_name(path: Path) -> None:
    spoil(path, version=2, more="things")
    with pytest.raises(UserError, match="format version 2; this program reads up to 1"):
        read_workspace(path)


@pytest.mark.parametrize("version", [0, -1, "1", 1.0, True, None])
def test_a_version_that_is_none_is_refused(path: Path, version: Any) -> None:
    spoil(path, version=version)
    with pytest.raises(UserError, match="“version” is"):
        read_workspace(path)


LAYER = dataclasses.asdict(default_state(next(spec for spec in LAYERS if spec.id == "flow")))
BAD: list[tuple[str, list[Any]]] = [
    ("model", ["0" * 63, "g" * 64, "A" * 64, 0]),
    ("path", ["", "/a\0b", "/\ud800", [], ["/a"], 1]),
    ("split", ["validation", ["train"], 1]),
    ("kind", ["mode"]),
    ("align", [1, "true"]),
    ("cursor", [[1.0], [1.0, 2.0, 3.0], [6.5, 0.0], [float("nan"), 0.0], [True, 0], "0,0"]),
    ("bookmarks", [[], {"": [0, 0]}, {" a": [0, 0]}, {"a": [0, 7]}, {"a": None}]),
    (
        "pins",
        [
            {},
            [["train", 60_000]],
            [["test", 10_000]],
            [["test", -1]],
            [["both", 1]],
            [["test", True]],
            [["test", 5.0]],
            [["test", 5], ["test", 5]],
            [["test", index] for index in range(25)],
        ],
    ),
    ("current", [None, ["train", 6], "train", 1]),
    ("selection", ["60000", "5-3", "3,3", "4,3", "3-5,5", "3-4-5", "-3", "3,", "²", " 3", [3]]),
    ("selections", [[], {"": "3"}, {"a": "4,3"}, {"a": [3]}]),
    (
        "layers",
        [
            {},
            [LAYER, LAYER],
            [LAYER | {"id": "pixels"}],
            [LAYER | {"on": 1}],
            [LAYER | {"opacity": 1.5}],
            [LAYER | {"opacity": float("nan")}],
            [LAYER | {"opacity": True}],
            [LAYER | {"chosen": {}}],
            [LAYER | {"chosen": {"since": "yesterday"}}],
            [LAYER | {"chosen": {"since": ["before"]}}],
            [LAYER | {"colour": "red"}],
        ],
    ),
    ("color_by", ["colour", "table:weight", None]),
    ("view", [[0, 1, 0], [1, 0, 0, 1], [0, 1, 1, 1], [0, float("inf"), 0, 1], [0, 10**400, 0, 1]]),
    ("scheme", ["pink"]),
    ("layout", [None, 1]),
]


@pytest.mark.parametrize(
    ("field", "value"), [(field, value) for field, values in BAD for value in values], ids=repr
)
def test_a_bad_value_is_named(path: Path, field: str, value: Any) -> None:
    spoil(path, **{field: value})
    with pytest.raises(UserError, match=f"cannot be opened: “{field}” (is|has)") as caught:
        read_workspace(path)
    assert str(path) in str(caught.value)
    assert len(str(caught.value)) < 250 + len(str(path))


def test_every_field_has_a_bad_value_here() -> None:
    assert [field for field, _ in BAD] == [field.name for field in dataclasses.fields(Workspace)]


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Workspace)])
def test_a_missing_field_is_named(path: Path, field: str) -> None:
    write_workspace(path, PLAIN)
    values = json.loads(path.read_text())
    del values[field]
    path.write_text(json.dumps(values))
    with pytest.raises(UserError, match=f'it lacks "{field}"'):
        read_workspace(path)


def test_an_unknown_field_is_named(path: Path) -> None:
    spoil(path, colour="red")
    with pytest.raises(UserError, match='an unknown field "colour"'):
        read_workspace(path)


@pytest.mark.parametrize("pins", [[], [["test", 3]]])
def test_the_current_pin_is_one_of_them(path: Path, pins: list[Any]) -> None:
    spoil(path, pins=pins)
    with pytest.raises(UserError, match="“current” is"):
        read_workspace(path)
    spoil(path, pins=[], current=None)
    assert read_workspace(path).current is None


def test_a_selection_is_of_its_split(path: Path) -> None:
    spoil(path, split="both", selection="69999")
    assert read_workspace(path).selection == (69_999,)
    spoil(path, split="test", selection="10000")
    with pytest.raises(UserError, match="“selection” .* below 10,000"):
        read_workspace(path)


def test_few_bytes_cannot_fill_the_memory(path: Path) -> None:
    whole = {f"all {n}": "0-59999" for n in range(84)}  # 5,040,000 images
    spoil(path, split="train", selection="", selections=whole)
    with pytest.raises(UserError, match="“selections” selects more than 5,000,000 images"):
        read_workspace(path)
    del whole["all 0"]
    spoil(path, split="train", selection="", selections=whole)
    assert len(read_workspace(path).selections) == 83


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _texts | _chosen.map(str),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([field for field, _ in BAD]) | _texts, _values, max_size=2))
def test_values_of_any_type_are_refused_or_come_back(
    tmp_path_factory: pytest.TempPathFactory, changes: dict[str, Any]
) -> None:
    path = tmp_path_factory.mktemp("work") / "some.vaex"
    write_workspace(path, PLAIN)
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    try:
        workspace = read_workspace(path)
    except UserError as error:
        str(error).encode()
    else:
        write_workspace(path, workspace)
        assert read_workspace(path) == workspace


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("work") / "some.vaex"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"some\.vaex"):
        read_workspace(path)


# The model


def test_the_model_is_known_by_its_weights(checkpoint: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(checkpoint.read_bytes())
    with safe_open(checkpoint, "np") as file:
        assert model_hash(copy) == file.metadata()["sha256"]
    assert model_hash(bundled_checkpoint()) != model_hash(copy)
    with pytest.raises(CheckpointError):
        model_hash(tmp_path / "none")


def test_a_model_is_found_wherever_it_lies(checkpoint: Path, tmp_path: Path) -> None:
    spoilt = tmp_path / "spoilt.safetensors"
    spoilt.write_bytes(np.random.default_rng(0).bytes(1_000))
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(checkpoint.read_bytes())
    wanted = dataclasses.replace(PLAIN, model=model_hash(checkpoint), path=checkpoint)
    assert find_model(wanted, []) == checkpoint
    moved = dataclasses.replace(wanted, path=tmp_path / "gone")
    candidates = [bundled_checkpoint(), tmp_path, spoilt, copy, checkpoint]
    assert find_model(moved, candidates) == copy
    assert find_model(moved, candidates[:3]) is None
    replaced = dataclasses.replace(wanted, path=bundled_checkpoint())
    assert find_model(replaced, candidates) == copy, "another model is at its path now"
