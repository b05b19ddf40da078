"""The one dialog by which files leave, in the window."""

import re
import shlex
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import shiboken6
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QComboBox,
    QDialogButtonBox,
    QFileDialog,
    QLabel,
    QLineEdit,
    QListWidget,
    QMessageBox,
    QPushButton,
    QWidget,
)

from tests.support.person import Person
from vae_explorer.export.figure_requests import Map
from vae_explorer.export.film_requests import Walk
from vae_explorer.export.requests import Manifold
from vae_explorer.gui.dialogs.export import ExportDialog
from vae_explorer.gui.main_thread import run_events
from vae_explorer.gui.widgets.number_box import NumberBox

Opened = Callable[[str], ExportDialog]


@pytest.fixture
def opened(person: Person, tmp_path: Path) -> Opened:
    person.window._ask.remember(tmp_path / "any")

    def opened(command: str) -> ExportDialog:
        person.trigger(command)
        return next(one for one in person.window.findChildren(ExportDialog) if one.isVisible())

    return opened


def editor(dialog: ExportDialog, start: str) -> Any:
    """The first control of a field."""
    return next(
        widget
        for kind in (NumberBox, QComboBox)
        for widget in dialog.findChildren(kind)
        if widget.accessibleName().startswith(start)
    )


def name_field(dialog: ExportDialog) -> QLineEdit:
    lines = dialog.findChildren(QLineEdit)
    return next(line for line in lines if line.accessibleName() == "File")


def typed(dialog: ExportDialog, text: str) -> None:
    name_field(dialog).selectAll()
    QTest.keyClicks(name_field(dialog), text)


def label(dialog: ExportDialog, name: str) -> QLabel:
    return next(one for one in dialog.findChildren(QLabel) if one.accessibleName() == name)


def kinds(dialog: ExportDialog) -> list[str]:
    shown = dialog.findChild(QListWidget)
    return [shown.item(row).text() for row in range(shown.count())]


def button(dialog: ExportDialog, text: str) -> QPushButton:
    return next(one for one in dialog.findChildren(QPushButton) if one.text() == text)


def test_what_is_under_the_focus_is_offered_first(person: Person, opened: Opened) -> None:
    person.window.app.pinning.pin(3)
    for widget, kind in (
        (person.window.map.canvas, "Map"),
        (person.window.decode, "Image at the cursor"),
        (person.window.decode.inspector, "Images and reconstructions"),
    ):
        widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        widget.setFocus()
        dialog = opened("export")
        assert kinds(dialog)[0] == kind
        assert "Lesson" not in kinds(dialog)  # none is open
        dialog.reject()


def test_the_form_is_the_request_and_the_preview_follows(person: Person, opened: Opened) -> None:
    dialog = opened("export_manifold")
    assert dialog.request == Manifold()
    assert label(dialog, "Size").text() == "560 × 560 pixels"
    extent = editor(dialog, "Range")
    assert not extent.isEnabled()
    editor(dialog, "Spacing").setCurrentIndex(1)
    assert extent.isEnabled()
    editor(dialog, "Grid").setValue(7)
    assert dialog.request == Manifold(7, "linear")
    assert label(dialog, "Size").text() == "196 × 196 pixels"
    preview = label(dialog, "Preview")
    person.wait(lambda: preview.pixmap().width() == preview.pixmap().height() > 100)
    assert dialog.path.name == "manifold_7x7.png"


def told_in(shown: QLabel, text: str) -> bool:
    return text in shown.text()


def test_what_cannot_be_seen_is_told_with_its_size(person: Person, opened: Opened) -> None:
    dialog = opened("export")
    preview = label(dialog, "Preview")
    for kind, told in (("page", "4,000 test images"), ("model", "encoder alone")):
        dialog.choose(kind)
        person.wait(partial(told_in, preview, told))
        assert re.match(r"\d\.\d\d MB\n", preview.text())
    formats = next(box for box in dialog.findChildren(QComboBox) if box.findText("ONNX") >= 0)
    before = preview.text()
    formats.setCurrentIndex(formats.findText("ONNX"))
    person.wait(lambda: preview.text() != before)


def test_an_empty_text_says_what_it_stands_for(opened: Opened) -> None:
    dialog = opened("export")
    dialog.choose("points")
    fields = {line.accessibleName()[:7]: line for line in dialog.findChildren(QLineEdit)}
    assert (fields["Indices"].text(), fields["Indices"].placeholderText()) == ("", "all")


def test_a_map_is_as_high_as_its_view(person: Person) -> None:
    offers, canvas = person.window.app.exports.offers, person.window.map.canvas
    heights = []
    for size in ((1_400, 700), (900, 800)):
        person.window.resize(*size)
        canvas.show_region(-1.0, 1.0, -1.0, 1.0)
        left, right, bottom, top = person.window.map.region()
        request = offers()["map"]
        assert isinstance(request, Map)
        heights.append(request.height)
        wanted = 147 * (top - bottom) / (right - left) + 19
        assert request.height == pytest.approx(min(max(wanted, 55), 240), abs=1)
    assert heights[0] < heights[1]


def test_a_preview_that_comes_too_late_goes_nowhere(person: Person, opened: Opened) -> None:
    dialog = opened("export_manifold")
    editor(dialog, "Grid").setValue(30)
    dialog._look()
    dialog.close()
    QCoreApplication.sendPostedEvents(dialog, QEvent.Type.DeferredDelete)
    assert not shiboken6.isValid(dialog)
    run_events(300)
    assert not person.errors


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("/pictures/a.png", "a.png"),
        ("/pictures/a.PNG", "a.PNG"),
        ("  /pictures/a  ", "a.png"),
        ("/pictures/z=(0.5, 1.25)", "z=(0.5, 1.25).png"),
        ("/pictures/a.jpg", "a.jpg.png"),
        ("/pictures/a.svg", "a.svg"),
    ],
)
def test_a_name_gets_the_suffix_of_what_is_written(opened: Opened, text: str, name: str) -> None:
    dialog = opened("export_digit")
    typed(dialog, text)
    assert dialog.path == Path("/pictures") / name


def test_a_name_may_be_short_or_none(opened: Opened, tmp_path: Path) -> None:
    dialog = opened("export_digit")
    typed(dialog, "~/a")
    assert dialog.path == Path.home() / "a.png"
    for text in ("", "  ", "/", "~", "..", "no/such/..", "pictures/", str(tmp_path)):
        name_field(dialog).setText(text)
        assert not dialog.go.isEnabled(), text
        name_field(dialog).setText("picture")
        assert dialog.go.isEnabled()


def test_the_default_name_is_a_free_one_and_goes_with_the_format(
    opened: Opened, tmp_path: Path
) -> None:
    (tmp_path / "manifold_20x20.png").touch()
    dialog = opened("export_manifold")
    assert dialog.path == tmp_path / "manifold_20x20-2.png"
    formats = next(box for box in dialog.findChildren(QComboBox) if box.findText("SVG") >= 0)
    formats.setCurrentIndex(formats.findText("SVG"))
    assert dialog.path == tmp_path / "manifold_20x20.svg"


def test_browse_starts_from_the_name_and_fills_it_in(
    opened: Opened, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    dialog = opened("export_manifold")
    asked: list[str] = []

    def choose(parent: QWidget, title: str, start: str, kinds: str) -> tuple[str, str]:
        asked.append(start)
        first = kinds.split(";;")[0]
        return (str(tmp_path / "chosen"), first) if len(asked) == 1 else ("", "")

    monkeypatch.setattr(QFileDialog, "getSaveFileName", choose)
    button(dialog, "Browse…").click()
    assert asked == [str(tmp_path / "manifold_20x20.png")]
    assert dialog.path == tmp_path / "chosen.png"
    button(dialog, "Browse…").click()
    assert dialog.path == tmp_path / "chosen.png", "cancelling keeps the name"


@pytest.mark.parametrize("yes", [True, False])
def test_a_file_is_replaced_only_if_one_says_so(
    person: Person, opened: Opened, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, yes: bool
) -> None:
    path = tmp_path / "picture.png"
    path.touch()
    buttons = QMessageBox.StandardButton
    answer = buttons.Yes if yes else buttons.No
    monkeypatch.setattr(QMessageBox, "question", lambda *_: answer)
    dialog = opened("export_digit")
    typed(dialog, str(path.with_suffix("")))
    dialog.go.click()
    if yes:
        person.wait(lambda: not shiboken6.isValid(dialog))
        assert path.stat().st_size > 0
    else:
        assert dialog.isVisible()
        assert path.stat().st_size == 0


def test_a_folder_that_vanished_is_told_once_and_the_dialog_stays(
    person: Person, opened: Opened, tmp_path: Path
) -> None:
    dialog = opened("export_digit")
    typed(dialog, str(tmp_path / "gone" / "a.png"))
    dialog.go.click()
    person.wait(lambda: person.errors)
    assert len(person.errors) == 1
    assert "the folder" in person.errors[0]
    assert dialog.isVisible()
    assert dialog.go.isEnabled()
    assert list(tmp_path.iterdir()) == []
    dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Cancel).click()


def test_the_words_copied_write_the_same_file(
    person: Person, opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialog = opened("export_manifold")
    editor(dialog, "Grid").setValue(3)
    path = dialog.path
    button(dialog, "Copy as Command").click()
    assert shlex.split(QGuiApplication.clipboard().text()) == [
        "vae-explorer", "export", "manifold", "mnist-elbo", "--n", "3", "--out", str(path),
    ]  # fmt: skip
    button(dialog, "Copy as Python").click()
    exec(QGuiApplication.clipboard().text(), {})
    written = path.read_bytes()
    path.unlink()
    dialog.go.click()
    person.wait(path.exists)
    assert path.read_bytes() == written


def test_copy_puts_the_picture_on_the_clipboard(person: Person) -> None:
    for widget, width in ((person.window.map.canvas, 1_890), (person.window.decode, 280)):
        widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        widget.setFocus()
        QGuiApplication.clipboard().clear()
        person.press("Ctrl+C")
        person.wait(lambda: not QGuiApplication.clipboard().image().isNull())
        assert person.window.statusBar().currentMessage() == "Copied"
        assert QGuiApplication.clipboard().image().width() == width


def test_copy_on_a_list_takes_what_it_shows(person: Person) -> None:
    person.trigger("worst_first")
    images = person.window.worst.model()
    person.wait(lambda: images.rowCount() == len(person.positions))
    person.window.worst.setFocus()
    person.press("Ctrl+C")
    rows = QGuiApplication.clipboard().text().split("\n")
    assert len(rows) == images.rowCount()
    assert rows[0] == images.index(0, 0).data().replace("−", "-")


def test_a_walk_is_along_the_path_or_else_the_pins_or_the_bookmarks(person: Person) -> None:
    app = person.window.app
    assert "walk" not in app.exports.offers()
    for z, name in (((0.5, 1.0), "a"), ((-1.0, 2.0), "b")):
        app.cursor.move(*z)
        app.cursor.bookmark(name)
    assert app.exports.offers()["walk"] == Walk(z=(0.5, 1.0, -1.0, 2.0))
    for index in (3, 5):
        app.pinning.pin(index, add=True)
    pins = tuple(float(z) for pin in app.pins.tray for z in pin.mean)
    assert app.exports.offers()["walk"] == Walk(z=pins)
    app.playback.choose("geodesic", 8, True)
    person.wait(lambda: app.playback.path is not None)
    assert app.exports.offers()["walk"] == Walk(z=pins, metric="geodesic", closed=True)
    app.playback.choose("circle", 8, False)
    person.wait(lambda: app.playback.path.kind == "circle")
    walk = app.exports.offers()["walk"]
    assert isinstance(walk, Walk)
    assert (len(walk.places), walk.metric, walk.closed) == (8, "straight", True)
