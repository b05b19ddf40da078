import errno
import os
import stat
from pathlib import Path

import pytest

from vae_explorer.files import atomic_write, cannot_write, sweep


def test_writes_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "model"
    atomic_write(path, b"first")
    atomic_write(path, b"second")
    assert path.read_bytes() == b"second"
    assert os.listdir(tmp_path) == ["model"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_a_new_file_follows_the_mask_and_an_old_one_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "model"
    previous = os.umask(0o027)
    try:
        atomic_write(path, b"new")
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        path.chmod(0o604)
        atomic_write(path, b"old")
        assert stat.S_IMODE(path.stat().st_mode) == 0o604
    finally:
        os.umask(previous)


@pytest.mark.skipif(os.name == "nt", reason="Windows reserves symbolic links")
def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere" / "model", tmp_path / "link"
    target.write_bytes(b"old")
    link.symlink_to(target)
    atomic_write(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert os.listdir(target.parent) == ["model"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failure_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = tmp_path / "model"
    path.write_bytes(b"old")

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match="No space left"):
        atomic_write(path, b"new")
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["model"]


def _held(monkeypatch: pytest.MonkeyPatch, times: int, winerror: int | None) -> list[float]:
    """Another program holds the target for so many tries; the pauses between them."""
    rename, refusals, pauses = os.replace, [0], list[float]()

    def replace(source: Path, target: Path) -> None:
        if refusals[0] < times:
            refusals[0] += 1
            error = PermissionError(errno.EACCES, "Permission denied")
            if winerror is not None:
                error.winerror = winerror  # type: ignore[attr-defined, unused-ignore]
            raise error
        rename(source, target)

    monkeypatch.setattr(os, "replace", replace)
    monkeypatch.setattr("time.sleep", pauses.append)
    return pauses


@pytest.mark.parametrize("winerror", [5, 32])
def test_a_target_that_windows_holds_for_a_moment_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, winerror: int
) -> None:
    path = tmp_path / "model"
    path.write_bytes(b"old")
    pauses = _held(monkeypatch, 4, winerror)
    atomic_write(path, b"new")
    assert path.read_bytes() == b"new"
    assert len(pauses) == 4
    assert sum(pauses) < 1


@pytest.mark.parametrize(("winerror", "tries"), [(32, 7), (None, 1)])
def test_a_target_that_stays_held_is_refused_within_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, winerror: int | None, tries: int
) -> None:
    path = tmp_path / "model"
    path.write_bytes(b"old")
    pauses = _held(monkeypatch, 100, winerror)
    with pytest.raises(PermissionError):
        atomic_write(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["model"]
    assert len(pauses) == tries - 1
    assert sum(pauses) < 1


def test_a_folder_that_cannot_be_synced_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.EINVAL, "not on this file system")

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refuse)  # the file itself is opened by pathlib
        atomic_write(tmp_path / "model", b"new")
    assert (tmp_path / "model").read_bytes() == b"new"


def test_no_place_to_write_is_an_oserror(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        atomic_write(tmp_path / "missing" / "model", b"new")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match=r"[Ii]s a directory|denied"):
        atomic_write(tmp_path / "folder", b"new")
    assert os.listdir(tmp_path) == ["folder"]


def test_a_name_as_long_as_the_system_allows(tmp_path: Path) -> None:
    path = tmp_path / ("z" * 255)
    atomic_write(path, b"new")
    assert path.read_bytes() == b"new"


def test_sweeping_deletes_what_a_killed_writer_left_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise SystemExit

    def stay(*_: object, **__: object) -> None: ...

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", killed)
        patch.setattr(Path, "unlink", stay)  # nobody tidies up after a kill
        with pytest.raises(SystemExit):
            atomic_write(tmp_path / "model", b"half")
    (left,) = tmp_path.iterdir()
    assert left.read_bytes() == b"half"
    others = {"model", "other.tmp", ".vae-explorer-mine.tmp", left.name + "~"}
    for name in others:
        (tmp_path / name).touch()
    sweep(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == others
    sweep(tmp_path / "missing")


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "make room, or choose another folder."),
        (errno.EROFS, "choose another folder."),
        (errno.EACCES, "choose another folder."),
        (errno.EIO, os.strerror(errno.EIO) + "."),
    ],
)
def test_what_cannot_be_written_is_told_with_what_to_do(
    tmp_path: Path, number: int, advice: str
) -> None:
    told = cannot_write(tmp_path / "a.png", OSError(number, os.strerror(number)))
    assert told.startswith(f"Cannot write {tmp_path / 'a.png'}: {os.strerror(number)}")
    assert told.endswith(advice)
