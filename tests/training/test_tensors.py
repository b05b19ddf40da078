"""The file format: what goes in comes out, and nothing a stranger writes gets further than a
plain refusal."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.full_disk import disk_with_room_for
from tests.support.tensor_files import HEADER, OURS, TENSORS
from vae_explorer.errors import CheckpointError
from vae_explorer.training.tensors import VERSION, read_tensors, write_tensors

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
def test_any_text_may_go_in_the_header(shared: Path, header: dict[str, str]) -> None:
    write_tensors(shared, {}, header)
    assert read_tensors(shared)[1].items() >= header.items()


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


@pytest.mark.parametrize("room", [0, 100, 5_000])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(
    good: bytes, path: Path, room: int
) -> None:
    with (
        disk_with_room_for(room),
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
