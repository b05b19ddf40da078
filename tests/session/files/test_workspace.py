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

from tests.support.strategies import layer_states, texts
from vae_explorer.data.bundled import mnist_dataset
from vae_explorer.errors import CheckpointError, UserError
from vae_explorer.paths import bundled_checkpoint
from vae_explorer.session.files.workspace import (
    VERSION,
    Workspace,
    check_images,
    find_model,
    model_hash,
    read_workspace,
    rows,
    rows_text,
    write_workspace,
)
from vae_explorer.session.map.coloring import CHOICES
from vae_explorer.session.map.layers import LAYERS, default_state
from vae_explorer.types import OneSplit

PLAIN = Workspace(
    model="0123456789abcdef" * 4,
    path=Path("/models/a.safetensors"),
    split="train",
    kind="mean",
    align=False,
    cursor=(0.5, -1.0),
    bookmarks={"a six": (1.0, 2.0)},
    pins=(("train", 5), ("test", 5)),
    current=("test", 5),
    selection="3-5,9",
    selections={"twos": "7"},
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


_names = texts.map(str.strip).filter(bool)
_places = st.tuples(st.floats(-6, 6), st.floats(-6, 6))
_splits: st.SearchStrategy[OneSplit] = st.sampled_from(["train", "test"])
_pins = st.tuples(_splits, st.integers(0, 9_999))
_chosen = st.sets(st.integers(0, 9_999) | st.integers(0, 20)).map(sorted).map(rows_text)
_views = st.tuples(*[st.floats(-1e6, 1e6)] * 4).filter(lambda v: v[0] < v[1] and v[2] < v[3])


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
        bookmarks=marks,
        pins=pins,
        current=draw(st.sampled_from(pins)) if pins else None,
        selection=draw(_chosen),
        selections=draw(st.dictionaries(_names, _chosen, max_size=3)),
        layers=draw(layer_states),
        color_by=draw(st.sampled_from([value for value, _ in CHOICES])),
        view=draw(_views),
        scheme=draw(st.sampled_from(["system", "light", "dark"])),
        layout=draw(texts),
        rotation=draw(
            st.sampled_from([None, ((0.0, -1.0), (1.0, 0.0)), ((0.6, 0.8), (0.8, -0.6))])
        ),
    )


@given(_workspaces())
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, workspace: Workspace
) -> None:
    path = tmp_path_factory.mktemp("work") / "some.vaex"
    write_workspace(path, workspace)
    assert read_workspace(path) == workspace


def test_it_is_a_small_text(path: Path) -> None:
    large = dataclasses.replace(PLAIN, split="both", selection=rows_text(range(70_000)))
    write_workspace(path, large)
    assert read_workspace(path) == large
    values = json.loads(path.read_text("ascii"))
    assert (values["version"], values["selection"]) == (VERSION, "0-69999")
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


# Other files


def test_one_of_the_first_version_has_no_rotation(path: Path) -> None:
    write_workspace(path, PLAIN)
    values = json.loads(path.read_text())
    del values["rotation"]
    path.write_text(json.dumps(values | {"version": 1}))
    assert read_workspace(path) == PLAIN


def test_a_rotation_stretches_nothing(path: Path) -> None:
    spoil(path, rotation=[[1, 0], [0, 1.1]])
    with pytest.raises(UserError, match="“rotation” should be a matrix that turns or mirrors"):
        read_workspace(path)


def test_a_newer_version_is_refused_by_name(path: Path) -> None:
    spoil(path, version=VERSION + 1, more="things")
    told = f"format version {VERSION + 1}; this program reads up to {VERSION}"
    with pytest.raises(UserError, match=told):
        read_workspace(path)


def test_a_selection_is_of_its_split(path: Path) -> None:
    spoil(path, split="both", selection="69999")
    workspace = read_workspace(path)
    assert rows(workspace.selection) == (69_999,)
    check_images(path, workspace, mnist_dataset())
    spoil(path, split="test", selection="10000")
    with pytest.raises(UserError, match="“selection” .* below 10,000"):
        check_images(path, read_workspace(path), mnist_dataset())


def test_few_bytes_cannot_fill_the_memory(path: Path) -> None:
    whole = {f"all {n}": "0-59999" for n in range(84)}  # 5,040,000 images
    spoil(path, split="train", selection="", selections=whole)
    with pytest.raises(UserError, match="“selections” has more than 5,000,000 images"):
        read_workspace(path)
    del whole["all 0"]
    spoil(path, split="train", selection="", selections=whole)
    assert len(read_workspace(path).selections) == 83


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
