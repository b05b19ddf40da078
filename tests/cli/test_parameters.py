import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from vae_explorer.cli.parameters import check_latent
from vae_explorer.errors import UserError

Cli = Callable[..., Result]
Refused = Callable[..., str]


@pytest.mark.parametrize("value", [-6.0, 0.0, 6.0])
def test_the_plane_has_its_edge(value: float) -> None:
    check_latent("z1", value)


@pytest.mark.parametrize("value", [-6.001, 1e30, float("inf"), float("nan")])
def test_off_the_plane_is_refused_by_name_and_value(value: float) -> None:
    with pytest.raises(UserError, match=f"^z2 is {re.escape(f'{value:g}')}; .* -6 to 6"):
        check_latent("z2", value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("codes.txt", "must end in .csv or .npz"),
        ("codes", "must end in .csv or .npz"),
        ("gone/codes.csv", "gone does not exist; make it first, or choose another one"),
        ("file/codes.csv", "Not a directory"),
        ("folder.csv", "is a folder"),
    ],
)
def test_an_output_that_cannot_be_is_refused_before_any_work(
    name: str, message: str, refused: Refused, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder.csv").mkdir()
    path = tmp_path / name
    # The model does not exist either, but is not looked for.
    said = refused("encode", "gone.safetensors", "--out", path)
    assert message in said
    assert str(path) in said


def test_an_unwritable_folder_is_named(refused: Refused, locked_folder: Path) -> None:
    path = locked_folder / "codes.csv"
    said = refused("encode", "gone.safetensors", "--out", path)
    assert said.startswith(f"Cannot write {path}: ")
    assert f"Make the folder {locked_folder} writable" in said


def test_checking_leaves_nothing_behind(refused: Refused, tmp_path: Path) -> None:
    refused("encode", "gone.safetensors", "--out", tmp_path / "codes.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_suffix_in_capitals_is_one(cli: Cli, checkpoint: Path, tmp_path: Path) -> None:
    for words, name, start in (
        (["decode", "--z", 0, 0], "DIGIT.PNG", b"\x89PNG"),
        (["decode", "--z", 0, 0, "--z", 1, 1], "Digits.NPZ", b"PK"),
        (["export", "manifold", "--n", 2], "Sheet.Png", b"\x89PNG"),
    ):
        path = tmp_path / name
        assert cli(*words, checkpoint, "--out", path).exit_code == 0
        assert path.read_bytes().startswith(start)


def test_a_file_that_is_there_is_replaced_and_help_says_so(
    cli: Cli, checkpoint: Path, tmp_path: Path
) -> None:
    path = tmp_path / "digit.png"
    path.write_text("old")
    assert cli("decode", checkpoint, "--z", 0, 0, "--out", path).exit_code == 0
    assert path.read_bytes().startswith(b"\x89PNG")
    for command in (["decode"], ["encode"], ["train"], ["export", "digit"]):
        said = " ".join(cli(*command, "--help").stdout.split())
        assert "A file that is there is replaced." in said
