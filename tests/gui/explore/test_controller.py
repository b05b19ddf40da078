"""Paths, drawing and refining in the real window, by what a person can do."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QFileDialog,
    QLineEdit,
    QPushButton,
    QWidget,
)

from tests.support.person import Person
from vae_explorer.data.centring import centred
from vae_explorer.data.dataset import ImageSet
from vae_explorer.gui.dialogs.export import ExportDialog
from vae_explorer.gui.explore.paths.frame_strip import FrameStrip
from vae_explorer.gui.explore.sketch.drawing_pad import DrawingPad
from vae_explorer.gui.widgets.readout import Readout
from vae_explorer.session.explore.latent_paths import KINDS
from vae_explorer.training.snapshot import Snapshot

LEFT = Qt.MouseButton.LeftButton


def strip(person: Person) -> FrameStrip:
    (found,) = person.window.paths.findChildren(FrameStrip)
    return found


def path_combo(person: Person) -> QComboBox:
    combos = person.window.paths.findChildren(QComboBox)
    return next(combo for combo in combos if combo.accessibleName() == "Path")


def choose(person: Person, kind: str) -> None:
    """Choose a path from the list."""
    combo = path_combo(person)
    combo.setCurrentIndex(combo.findData(kind))
    combo.activated.emit(combo.currentIndex())


def button(panel: QWidget, text: str) -> QAbstractButton:
    return next(b for b in panel.findChildren(QAbstractButton) if b.text() == text)


def pad(person: Person) -> DrawingPad:
    (found,) = person.window.draw.findChildren(DrawingPad)
    return found


def draw_a_one(person: Person) -> None:
    """A stroke down the middle of the pad."""
    one = pad(person)
    middle, height = one.width() // 2, one.height()
    QTest.mousePress(one, LEFT, pos=QPoint(middle, round(0.2 * height)))
    for share in np.linspace(0.25, 0.8, 8):
        QTest.mouseMove(one, QPoint(middle, round(share * height)))
    QTest.mouseRelease(one, LEFT, pos=QPoint(middle, round(0.8 * height)))


# Paths


def test_a_path_is_found_shown_and_leads_the_cursor(person: Person, bundled: Snapshot) -> None:
    for row in (3, 300):
        person.window.app.pinning.pin(row, add=True)
    person.press("Ctrl+4")
    for kind in ("straight", "spherical", "row", "circle", "grid", "walk"):
        follow(person, bundled, kind)


def follow(person: Person, bundled: Snapshot, kind: str) -> None:
    """Choose a path and go to its end."""
    app = person.window.app
    choose(person, kind)
    person.wait(lambda: app.playback.path is not None and app.playback.path.kind == kind)
    path = app.playback.path
    assert path is not None
    assert strip(person).count == 16
    person.press("End", strip(person))
    z1, z2 = path.positions[-1].tolist()
    assert app.cursor.position == pytest.approx((z1, z2))
    image = bundled.model.decode(path.positions[-1:])[0]
    person.wait(lambda: person.sees(image))
    texts = [readout.text() for readout in person.window.paths.findChildren(Readout)]
    assert any(text.startswith("16 of 16") for text in texts)


def test_a_path_chosen_elsewhere_is_the_one_in_the_box(person: Person) -> None:
    playback = person.window.app.playback
    for kind in [kind.id for kind in KINDS if kind.id != "geodesic"]:
        playback.choose(kind, 9, False)
        assert path_combo(person).currentData() == kind
        playback.choose("", 9, False)
        assert path_combo(person).currentData() == ""


def test_a_path_without_pins_says_what_it_needs(person: Person) -> None:
    person.press("Ctrl+4")
    choose(person, "straight")
    person.wait(lambda: person.window.app.playback.path is not None or person.errors)
    said = [readout.text() for readout in person.window.paths.findChildren(Readout)]
    path = person.window.app.playback.path
    told = " ".join([*said, *person.errors, path.note if path else ""])
    assert "Pin two images" in told
    assert not button(person.window.paths, "Play").isEnabled()


def test_a_path_becomes_a_picture(person: Person, tmp_path: Path) -> None:
    choose(person, "row")
    person.wait(lambda: strip(person).count == 16)
    _export(person, tmp_path / "v1.2")
    path = tmp_path / "v1.2.png"
    person.wait(path.exists)
    with Image.open(path) as picture:
        assert picture.width >= 16 * 28


def test_a_path_that_cannot_be_written_is_told(person: Person, tmp_path: Path) -> None:
    choose(person, "row")
    person.wait(lambda: strip(person).count == 16)
    _export(person, tmp_path / "nowhere" / "way.png")
    person.wait(lambda: person.errors)
    assert person.errors[0].startswith("The file was not exported: ")


def _export(person: Person, path: Path) -> None:
    button(person.window.paths, "Export…").click()
    (dialog,) = person.window.findChildren(ExportDialog)
    lines = dialog.findChildren(QLineEdit)
    next(line for line in lines if line.accessibleName() == "File").setText(str(path))
    dialog.go.click()


# Drawing


def test_a_digit_drawn_is_read(person: Person, bundled: Snapshot) -> None:
    person.press("Ctrl+4")
    QApplication.processEvents()
    draw_a_one(person)
    wanted = centred(pad(person).ink(), (28, 28))
    np.testing.assert_array_equal(person.picture("Drawing as the model sees it"), wanted)
    mean = bundled.model.encode(wanted[None]).mean
    reconstruction = np.rint(255 * bundled.model.decode(mean)[0]).astype(int)
    shown = person.picture("Reconstruction of the drawing").astype(int)
    assert np.abs(shown - reconstruction).max() <= 1
    person.wait(lambda: person.view("Nearest image 1")._image is not None)
    button(person.window.draw, "Clear").click()
    assert person.view("Drawing as the model sees it")._image is None
    assert person.view("Reconstruction of the drawing")._image is None
    assert not person.errors


def test_a_picture_is_opened_from_a_file(
    person: Person,
    small_mnist: dict[str, ImageSet],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    image = small_mnist["train"].images[7]
    path = tmp_path / "digit.png"
    Image.fromarray(np.uint8(255) - image.repeat(10, 0).repeat(10, 1)).save(path)
    answers = iter(["", str(path), str(tmp_path / "gone.png")])
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (next(answers), ""))
    choose_file = button(person.window.draw, "Open…")
    choose_file.click()
    assert not pad(person).ink().any(), "cancelled"
    choose_file.click()
    person.wait(lambda: pad(person).ink().any())
    seen = person.picture("Drawing as the model sees it").astype(float)
    assert np.corrcoef(seen.ravel(), image.astype(float).ravel())[0, 1] > 0.95
    choose_file.click()
    person.wait(lambda: person.errors)
    assert person.errors[0].startswith("The picture was not read: ")
    assert pad(person).ink().any(), "what was there stays"


def test_a_picture_that_is_none_is_told(person: Person) -> None:
    null, blank = QImage(), QImage(40, 40, QImage.Format.Format_RGB32)
    blank.fill(Qt.GlobalColor.white)
    for offered in (None, null, blank):
        data = QMimeData()
        if offered is not None:
            data.setImageData(offered)
        QApplication.clipboard().setMimeData(data)
        button(person.window.draw, "Paste").click()
        if offered is blank:
            person.wait(lambda: person.errors)
            assert "Nothing stands out" in person.errors[0]
        assert all(error.startswith("The picture was not read: ") for error in person.errors)
        assert person.window.isVisible()
        person.close_errors()
    QApplication.clipboard().clear()  # or it would outlive Python's part of it


# Refining


def test_a_pinned_digit_is_refined_to_the_end(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vae_explorer.session.explore.refinement.STEPS", 30)
    section = person.window.refine
    person.press("Ctrl+3")
    assert not section.isEnabled()
    person.window.app.pinning.pin(7)
    assert section.isEnabled()
    (start,) = section.findChildren(QPushButton)
    start.click()
    assert start.text() == "Stop"
    text = next(iter(section.findChildren(Readout)))
    person.wait(lambda: "→" in text.text())
    person.wait(lambda: start.text() == "Refine", 60)
    assert "log" in text.text()
    person.window.app.pins.clear()
    assert not section.isEnabled()
    assert not person.errors


def test_refining_is_stopped_by_the_button_and_by_another_pin(person: Person) -> None:
    section = person.window.refine
    person.window.app.pinning.pin(7)
    person.press("Ctrl+R")
    (stop,) = section.findChildren(QPushButton)
    assert stop.text() == "Stop"
    stop.click()
    person.wait(lambda: stop.text() == "Refine")
    person.press("Ctrl+R")
    person.window.app.pinning.pin(9)
    person.wait(lambda: stop.text() == "Refine")
