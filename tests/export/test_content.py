from pathlib import Path

import pytest

from vae_explorer.errors import ExportError
from vae_explorer.export.content import export_content


def test_the_bytes_are_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "curves.svg"
    export_content(path, b"before")
    export_content(path, b"<svg/>")
    assert path.read_bytes() == b"<svg/>"


def test_a_missing_folder_is_told_in_words(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "curves.svg"
    with pytest.raises(
        ExportError,
        match=r"curves\.svg: the folder .*nowhere does not exist; make it",
    ):
        export_content(path, b"<svg/>")
