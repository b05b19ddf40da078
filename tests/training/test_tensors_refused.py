"""Nothing a stranger writes gets further than a plain refusal."""

import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.support.tensor_files import HEADER, OURS, TENSORS, assert_refused, raw
from vae_explorer.errors import CheckpointError
from vae_explorer.training.tensors import VERSION, read_tensors


@pytest.mark.parametrize("end", [0, 1, 7, 8, 9, 40, "header", "half", -1])
def test_a_file_cut_short_is_refused(good: bytes, path: Path, end: int | str) -> None:
    header_end = 8 + int.from_bytes(good[:8], "little")
    positions = {"header": header_end, "half": (header_end + len(good)) // 2}
    path.write_bytes(good[: positions[end] if isinstance(end, str) else end])
    assert_refused(path, "incomplete|not a safetensors file")


def test_bytes_too_many_are_refused(good: bytes, path: Path) -> None:
    path.write_bytes(good + b"\0")
    assert_refused(path, "damaged")


def test_every_flipped_bit_in_the_tensors_is_seen(good: bytes, path: Path) -> None:
    header_end = 8 + int.from_bytes(good[:8], "little")
    for position in range(header_end, len(good), 97):
        path.write_bytes(good[:position] + bytes([good[position] ^ 0x10]) + good[position + 1 :])
        assert_refused(path, "damaged.*checksum")


def test_a_changed_text_of_the_header_is_seen(good: bytes, path: Path) -> None:
    assert good.count("naïve β".encode()) == 1
    path.write_bytes(good.replace("naïve β".encode(), "naïve γ".encode()))
    assert_refused(path, "texts in its header.*checksum")


def test_a_file_from_before_texts_had_a_checksum_is_read(good: bytes, path: Path) -> None:
    size = int.from_bytes(good[:8], "little")
    table = json.loads(good[8 : 8 + size])
    del table["__metadata__"]["texts_sha256"]
    path.write_bytes(raw(table, good[8 + size :]))
    assert read_tensors(path)[1].items() >= HEADER.items()


def test_a_large_file_is_refused_by_its_header(path: Path) -> None:
    for start in (b"\0" * 16, raw({"__metadata__": OURS, "x": _entry("U8", [4], 0, 4)})):
        path.write_bytes(start)
        with path.open("r+b") as file:
            file.truncate((2 << 30) - 1)  # sparse: it takes no room on the disk
        assert_refused(path, "not a safetensors file|lies|bytes follow")


def test_a_flipped_bit_in_the_header_never_changes_a_tensor(good: bytes, path: Path) -> None:
    header_end = 8 + int.from_bytes(good[:8], "little")
    refused = 0
    for position in range(header_end):
        path.write_bytes(good[:position] + bytes([good[position] ^ 0x04]) + good[position + 1 :])
        try:
            tensors, header = read_tensors(path)
        except CheckpointError:
            refused += 1
        else:
            assert header.items() >= HEADER.items()
            assert tensors.keys() == TENSORS.keys()
            assert all(torch.equal(tensors[name], TENSORS[name]) for name in TENSORS)
    assert refused > header_end / 2


@given(st.data())
@settings(max_examples=200)
def test_no_garbage_gets_further_than_a_refusal(shared: Path, data: st.DataObject) -> None:
    shared.write_bytes(_garbage(data))
    assert_refused(shared)


def _garbage(data: st.DataObject) -> bytes:
    """Bytes, or JSON where a header should be, or a header with a table of tensors gone wrong."""
    kind = data.draw(st.sampled_from(["bytes", "json", "table"]))
    if kind == "bytes":
        return data.draw(st.binary(max_size=100))
    scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
    anything = st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=5,
    )
    if kind == "json":
        metadata = anything | st.dictionaries(st.sampled_from(sorted(OURS)), anything)
        return raw({"__metadata__": data.draw(metadata)} | {"x": data.draw(anything)})
    numbers = st.integers(-(2**65), 2**65) | st.integers(0, 8)
    entry = {
        "dtype": data.draw(st.sampled_from(["F32", "U8", "C64", "F8_E4M3", "F4", "X", "BOOL"])),
        "shape": data.draw(st.lists(numbers, max_size=3)),
        "data_offsets": data.draw(st.lists(numbers, min_size=2, max_size=2)),
    }
    return raw({"__metadata__": OURS, "x": entry}, bytes(8))


def _entry(dtype: str, shape: list[int], start: int, end: int) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(raw(b"{", size=2**60), "lies", id="header of 2^60 bytes"),
        pytest.param(raw(b"{", size=2**64 - 1), "lies", id="header of 2^64 - 1 bytes"),
        pytest.param(raw(b'{"a":' + b" " * 99_000_000), "lies", id="header of 99 MB"),
        pytest.param(raw(b'{"a":' * 100_000), "not JSON", id="deep braces"),
        pytest.param(raw(b'{"a":' + b"[" * 100_000), "not JSON", id="deep brackets"),
        pytest.param(raw(b'{"a": ' + b"9" * 10_000 + b"}"), "not JSON", id="endless number"),
        pytest.param(raw(b"{\xff}"), "not JSON", id="not UTF-8"),
        pytest.param(raw(b"{,}"), "not JSON", id="not JSON"),
        pytest.param(raw({}), "not written by VAE Explorer", id="no metadata"),
        pytest.param(raw({"__metadata__": None}), "not written", id="metadata null"),
        pytest.param(raw({"__metadata__": [1]}), ".", id="metadata a list"),
        pytest.param(raw({"__metadata__": "text"}), ".", id="metadata a text"),
        pytest.param(raw({"__metadata__": 7}), ".", id="metadata a number"),
        pytest.param(raw({"__metadata__": {"format": "pt"}}), "not written", id="foreign format"),
        pytest.param(raw({"__metadata__": OURS | {"x": 1}}), ".", id="metadata holds a number"),
        pytest.param(
            raw({"__metadata__": OURS, "x": _entry("F32", [2], 0, 4)}, bytes(4)),
            "damaged",
            id="shape and bytes differ",
        ),
        pytest.param(
            raw(
                {"__metadata__": OURS, "x": _entry("U8", [4], 0, 4), "y": _entry("U8", [4], 2, 6)},
                bytes(6),
            ),
            "damaged",
            id="tensors overlap",
        ),
        pytest.param(
            raw({"__metadata__": OURS, "x": _entry("U8", [-4], 0, 4)}, bytes(4)),
            "damaged",
            id="negative shape",
        ),
        pytest.param(
            raw({"__metadata__": OURS, "x": _entry("F32", [2**40, 2**30], 0, 4)}, bytes(4)),
            "damaged",
            id="shape overflows",
        ),
        pytest.param(
            raw({"__metadata__": OURS, "x": _entry("F32", [2**62, 0], 0, 0)}),
            "damaged",
            id="large empty shape",
        ),
        pytest.param(
            raw({"__metadata__": OURS, "x": _entry("Q9", [4], 0, 4)}, bytes(4)),
            "damaged",
            id="unknown type",
        ),
        pytest.param(
            raw({"__metadata__": OURS, "x": _entry("U8", [4], 0, 4)}, bytes(4)),
            "checksum",
            id="wrong checksum",
        ),
        pytest.param(
            raw(
                b'{"__metadata__": ' + json.dumps(OURS).encode() + b","
                b'"x":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},'
                b'"x":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}',
                bytes(4),
            ),
            "damaged",
            id="the same name twice",
        ),
    ],
)
def test_hostile_headers_are_refused(path: Path, content: bytes, reason: str) -> None:
    path.write_bytes(content)
    assert_refused(path, reason)


def test_a_newer_version_is_refused_with_both_versions(path: Path) -> None:
    path.write_bytes(raw({"__metadata__": OURS | {"version": "7"}}))
    message = assert_refused(path, "Update VAE Explorer")
    assert "version 7" in message
    assert f"up to {VERSION}" in message


@pytest.mark.parametrize("version", ["", "0", "-1", "1.5", "one", "²", "٣", "9" * 5_000, 1, None])
def test_a_version_that_is_no_number_is_refused(path: Path, version: object) -> None:
    path.write_bytes(raw({"__metadata__": OURS | {"version": version}}))
    assert len(assert_refused(path)) < 400


def test_a_version_is_needed(path: Path) -> None:
    path.write_bytes(raw({"__metadata__": {"format": "vae-explorer"}}))
    assert_refused(path, "version")


def test_a_safetensors_file_of_another_program_is_refused(path: Path) -> None:
    safetensors.torch.save_file({"weight": torch.zeros(3)}, path)
    assert_refused(path, "not written by VAE Explorer")


class _Bomb:
    """Creates a file when unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("protocol", [0, 2, 5, "torch"])
def test_a_pickle_is_refused_and_never_run(path: Path, tmp_path: Path, protocol: int | str) -> None:
    harm = tmp_path / "harm"
    if protocol == "torch":
        torch.save({"weight": torch.zeros(2), "bomb": _Bomb(harm)}, path)
        assert zipfile.is_zipfile(path)
    else:
        path.write_bytes(pickle.dumps(_Bomb(harm), int(protocol)))
    assert_refused(path, "not a safetensors file|incomplete")
    assert not harm.exists()


def test_a_picture_is_refused(path: Path) -> None:
    Image.new("L", (28, 28)).save(path, "PNG")
    assert_refused(path, "not a safetensors file")


def test_what_is_not_a_file_is_refused_at_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    link = tmp_path / "link"
    link.symlink_to("/dev/zero")
    for path in (tmp_path, pipe, Path("/dev/zero"), link):
        assert_refused(path, "is not a regular file")


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    assert_refused(tmp_path / "missing.safetensors", "does not exist")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert_refused(tmp_path / "loop", "Cannot read")
    assert_refused(tmp_path / ("long" * 100), "Cannot read")


def test_a_file_of_terabytes_is_refused_unread(path: Path) -> None:
    with path.open("wb") as stream:
        stream.truncate(2**40)  # sparse: takes no room
    assert_refused(path, "bytes")
