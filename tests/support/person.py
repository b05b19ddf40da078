"""The real window over a small real subset, on the bundled model, and a person in front of it."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QImage, QKeySequence, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QMessageBox, QWidget

from vae_explorer.data.dataset import ImageSet
from vae_explorer.gui.app import open_window
from vae_explorer.gui.dialogs.form import FormDialog
from vae_explorer.gui.explore.decode.digit_view import DigitView
from vae_explorer.gui.explore.decode.pin_tray import PinTray
from vae_explorer.gui.main_thread import run_events
from vae_explorer.gui.map.markers import Markers
from vae_explorer.gui.theme import SchemeChoice, Theme, apply_scheme
from vae_explorer.gui.window.main_window import MainWindow
from vae_explorer.paths import bundled_checkpoint
from vae_explorer.session.explore.cursor import LATENT_LIMIT
from vae_explorer.session.training.events import Phase
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.types import Float32, LatentPoint, UInt8

_LEFT = Qt.MouseButton.LeftButton
NOTHING_HELD = Qt.KeyboardModifier.NoModifier

ShowTheme = Callable[[Theme], None]


def crowd() -> float:
    """How many times longer all takes because of what else runs on this machine."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return max(1.0, load / (os.cpu_count() or 1))


class Person:
    """Sees what the window shows and does what a person can do in it."""

    def __init__(self, window: MainWindow) -> None:
        self.window = window
        self.markers = window.findChild(Markers)

    # What is seen

    @property
    def positions(self) -> Float32:
        """Where the map's points are, (n, 2), in the order of the data."""
        return self.window.map._cloud._positions

    def position(self, row: int) -> LatentPoint:
        """Where one of them is."""
        z1, z2 = self.positions[row].tolist()
        return z1, z2

    @property
    def labels(self) -> UInt8:
        """Their classes, (n,)."""
        assert self.window.map._points is not None
        return self.window.map._points.labels

    @property
    def empty(self) -> LatentPoint:
        """The position in sight, and in the cursor's reach, that is furthest from every point."""
        rect = self.window.map.canvas.view_box.viewRect()
        shares = np.linspace(0.05, 0.95, 19)
        xs, ys = rect.left() + shares * rect.width(), rect.top() + shares * rect.height()
        places = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 1, 2)
        places = places[np.abs(places).max((1, 2)) < LATENT_LIMIT]
        distances = np.linalg.norm(places - self.positions, axis=2).min(axis=1)
        x, y = places[distances.argmax(), 0].tolist()
        return x, y

    @property
    def status(self) -> str:
        """The line below the map."""
        labels = self.window.map.findChildren(QLabel)
        return next(label.text() for label in labels if label.accessibleName() == "Points shown")

    @property
    def selected(self) -> list[int]:
        """The indices of the selected images."""
        return list(self.window.app.selection.indices.tolist())

    @property
    def pins(self) -> list[int]:
        """The indices of the pinned images, as in the tray."""
        (tray,) = self.window.decode.findChildren(PinTray)
        return [tray.item(row).data(Qt.ItemDataRole.UserRole)[1] for row in range(tray.count())]

    @property
    def lone(self) -> int:
        """The point in sight, off the crosshair, that is furthest from all the others."""
        canvas = self.window.map.canvas
        pixels = np.array([canvas.to_pixel(*place).toTuple() for place in self.positions.tolist()])
        distances = np.hypot(*(pixels[:, None] - pixels).transpose(2, 0, 1))
        np.fill_diagonal(distances, np.inf)
        rect = canvas.plot_rect()
        cross = canvas.to_pixel(*self.window.app.cursor.position).toTuple()
        inner = (pixels > rect.topLeft().toTuple()) & (pixels < rect.bottomRight().toTuple())
        clear = inner.all(1) & (np.abs(pixels - cross) > 20).all(1)
        return int(np.where(clear, distances.min(1), -1).argmax())

    @property
    def model_line(self) -> str:
        return self.field("Model")

    def field(self, name: str) -> str:
        """What a field at the foot of the window says, by its name."""
        fields = self.window.statusBar().findChildren(QWidget)
        return next(f.accessibleDescription() for f in fields if f.accessibleName() == name)

    @property
    def errors(self) -> list[str]:
        """Title and text of each error dialog on screen."""
        boxes = self.window.findChildren(QMessageBox)
        return [f"{box.text()}: {box.informativeText()}" for box in boxes if box.isVisible()]

    def close_errors(self) -> None:
        for box in self.window.findChildren(QMessageBox):
            box.close()

    def view(self, name: str) -> DigitView:
        views = self.window.findChildren(DigitView)
        return next(view for view in views if view.accessibleName() == name)

    def color_at(self, place: LatentPoint) -> tuple[int, int, int]:
        """The colour on screen of a position of the map, (red, green, blue)."""
        at = self.window.map.canvas.to_pixel(*place)
        color = self.window.map.canvas.grab().toImage().pixelColor(int(at.x()), int(at.y()))
        return color.red(), color.green(), color.blue()

    def picture(self, name: str = "Decoded image") -> UInt8:
        """Gray levels of an image on screen, (h, w)."""
        shown = self.view(name)._image
        assert shown is not None
        image = shown.convertToFormat(QImage.Format.Format_Grayscale8)
        rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
        return rows[:, : image.width()].copy()

    def sees(self, image: Float32) -> bool:
        """The decoded digit on screen is ``image``, but for the last bit."""
        wanted = np.rint(image * 255).astype(int)
        return bool((np.abs(self.picture() - wanted) <= 1).all())

    # What is done

    def wait(self, condition: Callable[[], object], seconds: float = 20.0) -> None:
        """Let the window live until a condition holds; looked at oftener than qtbot does."""
        begun = time.monotonic()
        while not condition():
            assert time.monotonic() - begun < seconds * crowd(), f"not within {seconds} s"
            run_events(1)

    def wait_for_phase(self, phase: Phase) -> None:
        self.wait(lambda: self.window.app.training.status.phase is phase)

    def trigger(self, command_id: str) -> None:
        """Choose a command from its menu."""
        action = self.window.actions_[command_id]
        assert action.isEnabled()
        action.trigger()

    def press(self, key: str, widget: QWidget | None = None) -> None:
        """Press a key where the focus is, or at ``widget`` after giving it the focus."""
        if widget is not None:
            widget.setFocus()
        focused = QApplication.focusWidget()
        assert focused is not None
        QTest.keySequence(focused, QKeySequence(key))

    def at(self, place: LatentPoint) -> QPoint:
        return self.window.map.canvas.to_pixel(*place).toPoint()

    def click(self, place: LatentPoint, held: Qt.KeyboardModifier = NOTHING_HELD) -> None:
        left = Qt.MouseButton.LeftButton
        QTest.mouseClick(self.window.map.canvas, left, held, self.at(place))

    def hover(self, place: LatentPoint) -> None:
        # Not by the real pointer: whatever window lies there, such as a tooltip, would get it.
        canvas, at, none = self.window.map.canvas, self.at(place), Qt.MouseButton.NoButton
        spot = QPointF(canvas.mapToGlobal(at))
        kind = QEvent.Type.MouseMove
        move = QMouseEvent(kind, at.toPointF(), spot, none, none, NOTHING_HELD)
        QApplication.sendEvent(canvas, move)

    def leave_map(self) -> None:
        QApplication.sendEvent(self.window.map.canvas, QEvent(QEvent.Type.Leave))

    def drag(
        self, start: LatentPoint, end: LatentPoint, held: Qt.KeyboardModifier = NOTHING_HELD
    ) -> None:
        canvas, left = self.window.map.canvas, Qt.MouseButton.LeftButton
        QTest.mousePress(canvas, left, held, self.at(start))
        for share in (0.3, 0.6, 1.0):
            QTest.mouseMove(canvas, self.at(start) + (self.at(end) - self.at(start)) * share)
        QTest.mouseRelease(canvas, left, pos=self.at(end))

    def drop(self, data: QMimeData, onto: QWidget | None = None) -> bool:
        """Drag onto a widget, by default the map, and let go; False if it is not taken there."""
        widget, copy, left = onto or self.window.map.canvas, Qt.DropAction.CopyAction, _LEFT
        at = widget.rect().center()
        enter = QDragEnterEvent(at, copy, data, left, NOTHING_HELD)
        enter.ignore()
        QApplication.sendEvent(widget, enter)
        if enter.isAccepted():
            QApplication.sendEvent(
                widget, QDropEvent(at.toPointF(), copy, data, left, NOTHING_HELD)
            )
        return enter.isAccepted()

    def agree(self) -> None:
        """Wait for a form, and accept what it says."""
        self.wait(lambda: any(form.isVisible() for form in self.window.findChildren(FormDialog)))
        (form,) = (form for form in self.window.findChildren(FormDialog) if form.isVisible())
        form.go.click()
        self.window.activateWindow()
        self.wait(self.window.isActiveWindow)

    def close(self) -> None:
        for dialog in self.window.findChildren(QDialog):
            dialog.close()
        self.window.close()


@pytest.fixture
def system_scheme(qapp: QApplication) -> Iterator[None]:
    """Gives the application its own colours back."""
    yield
    apply_scheme(SchemeChoice.SYSTEM)


@pytest.fixture
def show_theme(system_scheme: None) -> ShowTheme:
    """Shows the application in a theme."""

    def show(theme: Theme) -> None:
        apply_scheme(SchemeChoice.DARK if theme.dark else SchemeChoice.LIGHT)
        QApplication.processEvents()

    return show


@pytest.fixture
def open_person(
    qapp: QApplication,
    small_mnist: dict[str, ImageSet],
    bundled: Snapshot,
    system_scheme: None,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[..., Person]]:
    """Opens windows as the program does, on the bundled model or on a checkpoint."""
    # These belong to the whole test run.
    monkeypatch.setattr("vae_explorer.training.device.set_threads", lambda *_, **__: 1)
    monkeypatch.setattr("sys.setswitchinterval", lambda _: None)
    monkeypatch.setattr(
        "vae_explorer.session.files.open_model.read_checkpoint",
        lambda path: replace(bundled) if path == bundled_checkpoint() else read_checkpoint(path),
    )
    people: list[Person] = []

    def open_one(checkpoint: Path | None = None) -> Person:
        person = Person(open_window(checkpoint))
        people.append(person)
        person.wait(lambda: len(person.positions))
        person.window.activateWindow()
        person.wait(person.window.isActiveWindow)
        return person

    yield open_one
    for person in people:
        person.close()
        person.window.deleteLater()


@pytest.fixture
def person(open_person: Callable[..., Person]) -> Person:
    """Somebody at a window of the usual size that shows 600 points on the bundled model."""
    person = open_person()
    person.window.resize(1280, 800)
    QApplication.processEvents()
    person.window.map.fit()
    return person


@pytest.fixture
def window(person: Person) -> MainWindow:
    """That window."""
    return person.window
