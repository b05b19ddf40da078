from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

import vae_explorer
from vae_explorer.gui.dialogs.ask_path import (
    MODEL,
    TABLE,
    AskPath,
    FileKind,
    ask_folder,
    may_write,
)

PNG, PDF, CSV = (FileKind(f"{end} files", (f".{end}",)) for end in ("png", "pdf", "csv"))

Answer = Callable[..., list[str]]


@pytest.fixture
def remembered() -> list[str]:
    return [""]


@pytest.fixture
def ask(qtbot: QtBot, remembered: list[str]) -> AskPath:
    window = QWidget()
    qtbot.addWidget(window)
    return AskPath(window, lambda: remembered[-1], remembered.append)


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Answers the file dialogs in turn; returns the list of where each began."""

    def give(*names: str, chosen: str = "") -> list[str]:
        answers: Iterator[str] = iter(names)
        started: list[str] = []

        def choose(_parent: QWidget, _title: str, start: str, _filters: str) -> tuple[str, str]:
            started.append(start)
            return next(answers), chosen

        for name in ("getOpenFileName", "getSaveFileName"):
            monkeypatch.setattr(QFileDialog, name, choose)
        return started

    return give


@pytest.fixture
def replace(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], list[str]]:
    """Answers whether a file may be replaced; returns the list of questions."""

    def give(yes: bool) -> list[str]:
        asked: list[str] = []
        buttons = QMessageBox.StandardButton

        def question(_parent: QWidget, _title: str, text: str, *_: object) -> object:
            asked.append(text)
            return buttons.Yes if yes else buttons.No

        monkeypatch.setattr(QMessageBox, "question", question)
        return asked

    return give


@pytest.mark.parametrize("way", ["open", "save"])
def test_each_dialog_begins_in_the_folder_of_the_last_file(
    ask: AskPath, answer: Answer, remembered: list[str], tmp_path: Path, way: str
) -> None:
    file = tmp_path / "a.safetensors"

    def go() -> Path | None:
        return ask.open("Open", MODEL) if way == "open" else ask.save("Save", "a", MODEL)

    started = answer(str(file), "", str(file))
    assert go() == file
    assert go() is None, "cancelled"
    assert remembered == ["", str(tmp_path)]
    remembered.append(str(tmp_path / "gone"))
    go()
    homes = [Path.home(), tmp_path, Path.home()]
    assert started == [str(home if way == "open" else home / "a") for home in homes]


@pytest.mark.parametrize(
    ("typed", "chosen", "written"),
    [
        ("a.png", "", "a.png"),
        ("a.PDF", "", "a.PDF"),
        ("run 1.5", CSV.filter, "run 1.5.csv"),
        ("a", PDF.filter, "a.pdf"),
        ("a", "", "a.png"),
        ("a.txt", PNG.filter, "a.txt.png"),
    ],
)
def test_a_name_gets_the_suffix_of_the_kind_chosen(
    ask: AskPath, answer: Answer, tmp_path: Path, typed: str, chosen: str, written: str
) -> None:
    answer(str(tmp_path / typed), chosen=chosen)
    assert ask.save("Save", "x", PNG, PDF, CSV) == tmp_path / written


def test_every_suffix_of_a_kind_is_one(tmp_path: Path) -> None:
    assert TABLE.filter == "Tables (*.csv *.tsv *.txt *.parquet *.npz)"
    for name in ("a.csv", "a.tsv", "a.TXT"):
        assert TABLE.named(tmp_path / name) == tmp_path / name
    assert TABLE.named(tmp_path / "a.v2") == tmp_path / "a.v2.csv"


def test_what_would_really_be_replaced_is_asked_about(
    ask: AskPath, answer: Answer, replace: Callable[[bool], list[str]], tmp_path: Path
) -> None:
    (tmp_path / "a.png").touch()
    started = answer(str(tmp_path / "a"), str(tmp_path / "b"))
    asked = replace(False)
    assert ask.save("Save", "a.png", PNG) == tmp_path / "b.png", "asked again"
    assert asked == ["a.png already exists. Do you want to replace it?"]
    assert started[1] == str(tmp_path / "a.png")
    answer(str(tmp_path / "a"))
    replace(True)
    assert ask.save("Save", "a.png", PNG) == tmp_path / "a.png"
    answer(str(tmp_path / "a.png"))
    asked = replace(False)
    assert ask.save("Save", "a.png", PNG) == tmp_path / "a.png", "the dialog itself has asked"
    assert not asked


def test_a_free_name_needs_no_question(ask: AskPath, tmp_path: Path) -> None:
    assert may_write(QWidget(), tmp_path / "free")


def test_a_folder(ask: AskPath, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    window = QWidget()
    for answer, path in (("", None), (str(tmp_path), tmp_path)):
        monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_, a=answer: a)
        assert ask_folder(window, "Open", tmp_path) == path


def test_this_is_the_only_door_to_the_names_of_files() -> None:
    """So that nothing is replaced unasked."""
    package = Path(vae_explorer.__file__).parent
    users = [path.name for path in package.rglob("*.py") if "QFileDialog" in path.read_text()]
    assert users == ["ask_path.py"]


@pytest.mark.parametrize("typed", ["a.PNG", "A.png", "a.Png.png"])
def test_a_suffix_in_any_letters_is_not_added_twice(
    ask: AskPath, answer: Answer, tmp_path: Path, typed: str
) -> None:
    answer(str(tmp_path / typed))
    assert ask.save("Save", "x", PNG) == tmp_path / typed


def test_a_link_to_a_file_is_that_file(
    ask: AskPath, answer: Answer, replace: Callable[[bool], list[str]], tmp_path: Path
) -> None:
    (tmp_path / "real").touch()
    (tmp_path / "a.png").symlink_to(tmp_path / "real")
    answer(str(tmp_path / "a"), "")
    asked = replace(False)
    assert ask.save("Save", "x", PNG) is None
    assert len(asked) == 1
