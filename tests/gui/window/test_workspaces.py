from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QFileDialog

from tests.support.person import Person
from vae_explorer.types import Int64


def test_another_window_opens_on_the_same_pixels(
    open_person: "Callable[..., Person]", monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "mine.vaex"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    first = open_person()
    app = first.window.app
    first.trigger("layout_explore")
    first.trigger("split_test")
    first.wait(lambda: len(first.positions) == 300)
    app.pinning.pin(4)
    app.pinning.pin(9, add=True)
    app.cursor.move(0.5, -0.25)
    app.selection.replace([1, 2, 3])
    app.layers.set_on("prior", on=True)
    first.window.map.canvas.show_region(-1.0, 1.5, -1.25, 1.0)
    app.coloring.choose("width")
    settle(first)
    first.trigger("save_workspace")
    first.wait(path.exists)
    seen = first.window.map.canvas.grab().toImage(), first.picture()
    size = first.window.size()
    first.close()

    second = open_person()
    second.window.resize(size)
    second.trigger("layout_explore")
    second.trigger("open_workspace")
    second.wait(lambda: len(second.positions) == 300)
    second.wait(lambda: second.window.app.coloring.by == "width")
    settle(second)
    # By the last bit of the view a digit over the points may be rounded to another 64th of a
    # pixel, across and up, which is 4 of 255 levels each along its edges.
    apart = np.abs(levels(second.window.map.canvas.grab().toImage()) - levels(seen[0]))
    assert apart.max() <= 8
    assert (apart > 0).mean() < 1e-3
    np.testing.assert_array_equal(second.picture(), seen[1])
    assert not second.errors


def levels(image: QImage) -> Int64:
    """Gray levels, (h, w)."""
    gray = image.convertToFormat(QImage.Format.Format_Grayscale8)
    rows = np.frombuffer(gray.constBits(), np.uint8).reshape(gray.height(), -1)
    return rows[:, : gray.width()].astype(np.int64)


def settle(person: Person) -> None:
    """Wait until all layers are drawn and the view has told where it rests."""
    QApplication.processEvents()
    person.wait(lambda: not person.window.map._rest.isActive())
    person.wait(lambda: not person.window.app.layers.busy)
    QApplication.processEvents()
