"""Comparing, from the real window."""

from pathlib import Path

import numpy as np
import pytest
import shiboken6
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog

from tests.support.person import Person
from vae_explorer.export.figure_requests import Comparison
from vae_explorer.gui.compare.window import CompareWindow
from vae_explorer.gui.dialogs.export import ExportDialog
from vae_explorer.gui.map.map_view import MapView

NONE, LEFT = Qt.MouseButton.NoButton, Qt.MouseButton.LeftButton
HELD = Qt.KeyboardModifier.NoModifier


def opened(person: Person) -> CompareWindow:
    """The comparison, once the map's model is side A."""
    person.trigger("compare")
    (window,) = person.window.findChildren(CompareWindow)
    person.wait(lambda: not window.sides["A"].message.isVisible())
    return window


def both(person: Person, other: Path) -> CompareWindow:
    """With another model as side B."""
    window = opened(person)
    window.model_chosen.emit("B", other)
    person.wait(lambda: not window.sides["B"].message.isVisible())
    person.wait(lambda: window.sides["B"].models.currentText())
    return window


def hover(view: MapView, row: int) -> None:
    canvas = view.canvas
    at = canvas.to_pixel(*view._cloud._positions[row].tolist())
    spot = QPointF(canvas.mapToGlobal(at))
    kind = QEvent.Type.MouseMove
    QApplication.sendEvent(canvas, QMouseEvent(kind, at, spot, NONE, NONE, HELD))


def lone(view: MapView) -> int:
    """The point furthest to the right, which no other is nearer to."""
    return int(view._cloud._positions[:, 0].argmax())


def test_the_model_on_the_map_is_side_a_and_a_second_call_brings_it_back(person: Person) -> None:
    window = opened(person)
    positions = window.sides["A"].map._cloud._positions
    assert len(positions) == 300, "the test images"
    assert person.window.app.model.shown is not None
    person.trigger("compare")
    assert person.window.findChildren(CompareWindow) == [window]
    window.close()
    person.wait(lambda: not person.window.findChildren(CompareWindow))
    assert opened(person) is not window


def test_what_is_hovered_and_clicked_reaches_the_other_side(
    person: Person, checkpoint: Path
) -> None:
    window = both(person, checkpoint)
    a, b = window.sides["A"].map, window.sides["B"].map
    row = lone(a)
    a.fit()

    def linked() -> bool:
        QApplication.sendEvent(a.canvas, QEvent(QEvent.Type.Leave))
        hover(a, row)
        return b._pinned == row

    person.wait(linked)  # once the index of positions is there
    person.wait(lambda: all(panel.digit._image for panel in window.sides.values()))
    QTest.mouseClick(a.canvas, LEFT, pos=a.canvas.to_pixel(*a._cloud._positions[row]).toPoint())
    person.wait(lambda: b._selected is not None)
    assert b._selected is not None
    assert np.flatnonzero(b._selected).tolist() == [row]


def test_what_leaves_from_here_is_the_comparison(person: Person, checkpoint: Path) -> None:
    window = both(person, checkpoint)
    window.activateWindow()
    person.wait(window.isActiveWindow)
    QTest.keyClick(window, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    (dialog,) = window.findChildren(ExportDialog)
    assert isinstance(dialog.request, Comparison)
    dialog.close()


def test_a_model_is_opened_from_a_file_and_a_bad_one_is_told(
    person: Person, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = opened(person)
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(b"nothing")
    answers = iter([str(bad), str(checkpoint), ""])
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (next(answers), ""))
    window.open_requested.emit("B")
    person.wait(lambda: person.errors)
    assert person.errors[0].startswith("The model was not opened: ")
    assert str(bad) in person.errors[0]
    window.open_requested.emit("B")
    person.wait(lambda: window.sides["B"].models.currentText() == "tiny")
    window.open_requested.emit("B")  # cancelled
    window.model_chosen.emit("B", None)
    person.wait(lambda: window.sides["B"].models.currentText() == "The model on the map")


def test_it_closes_while_a_point_is_hovered_and_a_model_is_read(
    person: Person, checkpoint: Path
) -> None:
    """Closing takes the pointer off the map, which is told, when nobody listens any more."""
    window = opened(person)
    view = window.sides["A"].map
    hover(view, lone(view))
    window.model_chosen.emit("B", checkpoint)
    window.close()
    if shiboken6.isValid(window):
        QApplication.sendEvent(view.canvas, QEvent(QEvent.Type.Leave))
    QApplication.processEvents()
    person.wait(lambda: not person.window.findChildren(CompareWindow))
    assert not person.errors
    assert opened(person).isVisible()
