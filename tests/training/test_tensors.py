"""The file format: what goes in comes out, and nothing a stranger writes gets further than a
plain refusal."""

import json
import os
import pickle
import resource
import stat
import struct
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from vae_explorer.errors import CheckpointError
from vae_explorer.training.tensors import VERSION, read_tensors, write_tensors

TENSORS = {
    "weight": torch.randn(40, 30, generator=torch.Generator().manual_seed(0)),
    "scalar": torch.tensor(3.5),
    "counts": torch.arange(7),
    "state": torch.arange(200, dtype=torch.uint8),
    "nothing": torch.empty(0, 4),
}
HEADER = {"note": 'naïve β ∈ [0, 1]\n"quoted"', "empty": ""}
OURS = {"format": "vae-explorer", "version": str(VERSION), "sha256": "0" * 64}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file.safetensors"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A path that many examples of one property share."""
    return tmp_path_factory.mktemp("desk") / "file.safetensors"


@pytest.fixture
def good(path: Path) -> bytes:
    """The bytes of a good file, which also lies at ``path``."""
    write_tensors(path, TENSORS, HEADER)
    return path.read_bytes()


@contextmanager
def _bounded() -> Iterator[None]:
    """Less than a second of work and 300 MB, whatever a file asks for."""
    process, start = psutil.Process(), time.process_time()
    before = process.memory_info().rss
    yield
    assert time.process_time() - start < 1
    assert process.memory_info().rss - before < 300e6


def _refused(path: Path, reason: str = ".") -> str:
    with _bounded(), pytest.raises(CheckpointError, match=reason) as caught:
        read_tensors(path)
    message = str(caught.value)
    assert str(path) in message
    return message


def _raw(header: Any, data: bytes = b"", size: int | None = None) -> bytes:
    """A safetensors file written by hand; ``header`` is JSON text or what becomes it."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if size is None else size) + text + data


# What is written


def test_what_was_written_is_read(path: Path) -> None:
    write_tensors(path, TENSORS, HEADER)
    tensors, header = read_tensors(path)
    assert tensors.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert tensors[name].dtype == tensor.dtype
        assert tensors[name].shape == tensor.shape
        assert torch.equal(tensors[name], tensor)
    assert HEADER.items() <= header.items()
    assert header["version"] == str(VERSION)


_KEYS = st.text(st.characters(exclude_categories=["Cs"])).filter(lambda key: key not in OURS)


@given(st.dictionaries(_KEYS, st.text()))
@settings(max_examples=30)
def test_any_text_may_go_in_the_header(desk: Path, header: dict[str, str]) -> None:
    write_tensors(desk, {}, header)
    assert read_tensors(desk)[1].items() >= header.items()


def test_views_and_shared_memory_are_written_as_they_look(path: Path) -> None:
    base = torch.arange(12.0).reshape(3, 4)
    write_tensors(path, {"base": base, "turned": base.T, "row": base[1]}, {})
    tensors, _ = read_tensors(path)
    assert torch.equal(tensors["turned"], base.T)
    assert torch.equal(tensors["row"], base[1])


def test_what_was_read_is_the_readers_to_change(good: bytes, path: Path) -> None:
    tensors, _ = read_tensors(path)
    path.write_bytes(b"")  # cut short by another program: a mapped file would raise SIGBUS
    tensors["weight"].add_(1)
    torch.testing.assert_close(tensors["weight"], TENSORS["weight"] + 1)


def test_a_missing_folder_is_made(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "file.safetensors"
    write_tensors(path, TENSORS, HEADER)
    assert read_tensors(path)[1]["note"] == HEADER["note"]


def test_a_link_is_followed_and_a_mode_kept(good: bytes, path: Path, tmp_path: Path) -> None:
    path.chmod(0o640)
    link = tmp_path / "link.safetensors"
    link.symlink_to(path)
    write_tensors(link, {"only": torch.zeros(1)}, {})
    assert link.is_symlink()
    assert read_tensors(path)[0].keys() == {"only"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_new_file_gets_the_usual_mode(tmp_path: Path) -> None:
    write_tensors(tmp_path / "new", TENSORS, HEADER)
    (tmp_path / "plain").touch()
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    long = tmp_path / ("long" * 100)
    for path in (tmp_path / "file" / "x.safetensors", tmp_path / "folder", long):
        with pytest.raises(CheckpointError, match="Cannot write") as caught:
            write_tensors(path, TENSORS, HEADER)
        assert str(path) in str(caught.value)
    assert sorted(item.name for item in tmp_path.iterdir()) == ["file", "folder"]


@contextmanager
def _disk_with_room_for(size: int) -> Iterator[None]:
    """Files of this process end at ``size`` bytes, as on a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("room", [0, 100, 5_000])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(
    good: bytes, path: Path, room: int
) -> None:
    with (
        _disk_with_room_for(room),
        pytest.raises(CheckpointError, match=r"Cannot write .*free some space"),
    ):
        write_tensors(path, {"large": torch.zeros(10_000)}, {})
    assert path.read_bytes() == good
    assert list(path.parent.iterdir()) == [path]
    write_tensors(path, {"large": torch.zeros(10_000)}, {})  # room again
    assert read_tensors(path)[0].keys() == {"large"}


_SAVE_UNTIL_KILLED = """
import os, random, signal, sys, time
from pathlib import Path
import torch
from vae_explorer.training.tensors import read_tensors, write_tensors

torch.set_num_threads(1)
path = Path(sys.argv[1])
versions = [{"weight": torch.full((300_000,), float(number))} for number in range(2)]
random.seed(0)
write_tensors(path, versions[0], {"number": "0"})
for _ in range(10):
    child = os.fork()
    if not child:
        while True:
            for number in (1, 0):
                write_tensors(path, versions[number], {"number": str(number)})
    time.sleep(random.uniform(0.01, 0.08))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    tensors, header = read_tensors(path)
    assert torch.equal(tensors["weight"], versions[int(header["number"])]["weight"])
print("always whole")
"""


@pytest.mark.slow
def test_being_killed_while_saving_leaves_a_whole_file(path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _SAVE_UNTIL_KILLED, str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert ended.stdout == "always whole\n", ended.stderr


# What is refused


@pytest.mark.parametrize("end", [0, 1, 7, 8, 9, 40, "header", "half", -1])
def test_a_file_cut_short_is_refused(good: bytes, path: Path, end: int | str) -> None:
    header_end = 8 + int.from_bytes(good[:8], "little")
    places = {"header": header_end, "half": (header_end + len(good)) // 2}
    path.write_bytes(good[: places[end] if isinstance(end, str) else end])
    _refused(path, "incomplete|not a safetensors file")


def test_bytes_too_many_are_refused(good: bytes, path: Path) -> None:
    path.write_bytes(good + b"\0")
    _refused(path, "damaged")


def test_every_flipped_bit_in_the_tensors_is_seen(good: bytes, path: Path) -> None:
    header_end = 8 + int.from_bytes(good[:8], "little")
    for place in range(header_end, len(good), 97):
        path.write_bytes(good[:place] + bytes([good[place] ^ 0x10]) + good[place + 1 :])
        _refused(path, "damaged.*checksum")


def test_a_flipped_bit_in_the_header_never_changes_a_tensor(good: bytes, path: Path) -> None:
    header_end = 8 + int.from_bytes(good[:8], "little")
    refused = 0
    for place in range(header_end):
        path.write_bytes(good[:place] + bytes([good[place] ^ 0x04]) + good[place + 1 :])
        try:
            tensors, _ = read_tensors(path)
        except CheckpointError:
            refused += 1
        else:
            assert tensors.keys() == TENSORS.keys()
            assert all(torch.equal(tensors[name], TENSORS[name]) for name in TENSORS)
    assert refused > header_end / 2


@given(st.data())
@settings(max_examples=200)
def test_no_garbage_gets_further_than_a_refusal(desk: Path, data: st.DataObject) -> None:
    desk.write_bytes(_garbage(data))
    _refused(desk)


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
        return _raw({"__metadata__": data.draw(metadata)} | {"x": data.draw(anything)})
    numbers = st.integers(-(2**65), 2**65) | st.integers(0, 8)
    entry = {
        "dtype": data.draw(st.sampled_from(["F32", "U8", "C64", "F8_E4M3", "F4", "X", "BOOL"])),
        "shape": data.draw(st.lists(numbers, max_size=3)),
        "data_offsets": data.draw(st.lists(numbers, min_size=2, max_size=2)),
    }
    return _raw({"__metadata__": OURS, "x": entry}, bytes(8))


def _entry(dtype: str, shape: list[int], start: int, end: int) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(_raw(b"{", size=2**60), "lies", id="header of 2^60 bytes"),
        pytest.param(_raw(b"{", size=2**64 - 1), "lies", id="header of 2^64 - 1 bytes"),
        pytest.param(_raw(b'{"a":' + b" " * 99_000_000), "lies", id="header of 99 MB"),
        pytest.param(_raw(b'{"a":' * 100_000), "not JSON", id="deep braces"),
        pytest.param(_raw(b'{"a":' + b"[" * 100_000), "not JSON", id="deep brackets"),
        pytest.param(_raw(b'{"a": ' + b"9" * 10_000 + b"}"), "not JSON", id="endless number"),
        pytest.param(_raw(b"{\xff}"), "not JSON", id="not UTF-8"),
        pytest.param(_raw(b"{,}"), "not JSON", id="not JSON"),
        pytest.param(_raw({}), "not written by VAE Explorer", id="no metadata"),
        pytest.param(_raw({"__metadata__": None}), "not written", id="metadata null"),
        pytest.param(_raw({"__metadata__": [1]}), ".", id="metadata a list"),
        pytest.param(_raw({"__metadata__": "text"}), ".", id="metadata a text"),
        pytest.param(_raw({"__metadata__": 7}), ".", id="metadata a number"),
        pytest.param(_raw({"__metadata__": {"format": "pt"}}), "not written", id="foreign format"),
        pytest.param(_raw({"__metadata__": OURS | {"x": 1}}), ".", id="metadata holds a number"),
        pytest.param(
            _raw({"__metadata__": OURS, "x": _entry("F32", [2], 0, 4)}, bytes(4)),
            "damaged",
            id="shape and bytes differ",
        ),
        pytest.param(
            _raw(
                {"__metadata__": OURS, "x": _entry("U8", [4], 0, 4), "y": _entry("U8", [4], 2, 6)},
                bytes(6),
            ),
            "damaged",
            id="tensors overlap",
        ),
        pytest.param(
            _raw({"__metadata__": OURS, "x": _entry("U8", [-4], 0, 4)}, bytes(4)),
            "damaged",
            id="negative shape",
        ),
        pytest.param(
            _raw({"__metadata__": OURS, "x": _entry("F32", [2**40, 2**30], 0, 4)}, bytes(4)),
            "damaged",
            id="shape overflows",
        ),
        pytest.param(
            _raw({"__metadata__": OURS, "x": _entry("F32", [2**62, 0], 0, 0)}),
            "damaged",
            id="large empty shape",
        ),
        pytest.param(
            _raw({"__metadata__": OURS, "x": _entry("Q9", [4], 0, 4)}, bytes(4)),
            "damaged",
            id="unknown type",
        ),
        pytest.param(
            _raw({"__metadata__": OURS, "x": _entry("U8", [4], 0, 4)}, bytes(4)),
            "checksum",
            id="wrong checksum",
        ),
        pytest.param(
            _raw(
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
    _refused(path, reason)


def test_a_newer_version_is_refused_with_both_versions(path: Path) -> None:
    path.write_bytes(_raw({"__metadata__": OURS | {"version": "7"}}))
    message = _refused(path, "Update VAE Explorer")
    assert "version 7" in message
    assert f"up to {VERSION}" in message


@pytest.mark.parametrize("version", ["", "0", "-1", "1.5", "one", "²", "٣", "9" * 5_000, 1, None])
def test_a_version_that_is_no_number_is_refused(path: Path, version: object) -> None:
    path.write_bytes(_raw({"__metadata__": OURS | {"version": version}}))
    assert len(_refused(path)) < 400


def test_a_version_is_needed(path: Path) -> None:
    path.write_bytes(_raw({"__metadata__": {"format": "vae-explorer"}}))
    _refused(path, "version")


def test_a_safetensors_file_of_another_program_is_refused(path: Path) -> None:
    safetensors.torch.save_file({"weight": torch.zeros(3)}, path)
    _refused(path, "not written by VAE Explorer")


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
    _refused(path, "not a safetensors file|incomplete")
    assert not harm.exists()


def test_a_picture_is_refused(path: Path) -> None:
    Image.new("L", (28, 28)).save(path, "PNG")
    _refused(path, "not a safetensors file")


def test_what_is_not_a_file_is_refused_at_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    link = tmp_path / "link"
    link.symlink_to("/dev/zero")
    for path in (tmp_path, pipe, Path("/dev/zero"), link):
        _refused(path, "is not a regular file")


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    _refused(tmp_path / "missing.safetensors", "does not exist")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    _refused(tmp_path / "loop", "Cannot read")
    _refused(tmp_path / ("long" * 100), "Cannot read")


def test_a_file_of_terabytes_is_refused_unread(path: Path) -> None:
    with path.open("wb") as stream:
        stream.truncate(2**40)  # sparse: takes no room
    _refused(path, "bytes")
