"""A hand that does anything at all in the window, the same for the same seed."""

import random
import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from PySide6.QtCore import QAbstractTableModel, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QKeySequence, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QLineEdit,
    QMenu,
    QTabBar,
    QWidget,
)

from tests.support.person import Person, crowd
from tests.support.pulse import Pulse
from vae_explorer.errors import UserError
from vae_explorer.gui.main_thread import run_events
from vae_explorer.session.explore.cursor import LATENT_LIMIT
from vae_explorer.session.training.events import Phase
from vae_explorer.training.recipe import Recipe

LONGEST_S = 2.0
"""That any one act may hold the window up, where a core is free for it."""

_TEXTS = (
    *("", "0", "1", "-1", "−2", "0,5", "2.5", "1e999", "-1e-310", "nan", "inf", "abc", "10^18"),
    *("٣", "1 000", "3;4", "  7 ", "64, 32", "'", "<b>x</b>", "a\tb", "99999999999999999999"),
)
_KEYS = (
    *("Tab", "Shift+Tab", "Esc", "Return", "Space", "Up", "Down", "Left", "Right", "Home", "End"),
    *("PgUp", "PgDown", "Del", "Backspace", "F2", "Ctrl+A", "Ctrl+Z", "Ctrl+Shift+Z", "+", "5"),
)
_HELD = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.AltModifier,
    Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.ControlModifier,
)
_LEFT_ALONE = ("quit", "full_screen")

Widget = TypeVar("Widget", bound=QWidget)


class Monkey:
    """Acts at random, and says of each act what is wrong after it.

    Args:
        person: whose window it is.
        seed: fixes what is done, as far as threads let it.
        recipe: what the form has whenever a run may begin, so that none is large.
    """

    def __init__(self, person: Person, seed: int, recipe: Recipe) -> None:
        self.trail: list[str] = []
        self.slowest = (0.0, "")
        self._pulse = Pulse(person.window)
        self._person = person
        self._window = person.window
        self._random = random.Random(seed)
        self._recipe = recipe
        self._acts: Sequence[Callable[[], str | None]] = (
            *(self._command,) * 4,
            *(self._click, self._drag, self._hover, self._wheel) * 2,
            *(self._button, self._number, self._text, self._choice, self._slider) * 2,
            *(self._key, self._key, self._tab, self._cell, self._resize, self._dialog),
        )

    def act(self) -> None:
        """Do one thing, let the window answer, and look whether all is well.

        Raises:
            AssertionError: it is not; the message has the last acts.
        """
        self._tame()
        self._pulse.begin()
        done = None
        while done is None:
            done = self._random.choice(self._acts)()
        self.trail.append(done)
        QApplication.processEvents()
        took = self._pulse.longest()
        self.slowest = max(self.slowest, (took, done))
        if self._random.random() < 0.3:
            run_events(self._random.randrange(20))
        wrong = [*self._wrong()]
        if took > LONGEST_S * crowd():
            wrong.append(f"it took {took:.1f} s")
        assert not wrong, f"{'; '.join(wrong)}, after:\n" + "\n".join(self.trail[-25:])

    @property
    def blocked(self) -> bool:
        """A dialog is open, or the start is not offered."""
        return bool(self._modal()) or not self._window.actions_["start"].isEnabled()

    # What has to hold

    def _wrong(self) -> list[str]:
        window, app = self._window, self._window.app
        wrong = [
            text
            for text in self._person.errors
            if re.search(r"\b[A-Z]\w+(Error|Exception)\b", text)
        ]
        if not window.isVisible():
            wrong.append("the window is gone")
        if max(map(abs, app.cursor.position)) > LATENT_LIMIT:
            wrong.append(f"the cursor is at {app.cursor.position}")
        points = app.map.points
        if points is not None and app.selection.indices.size:
            last = int(app.selection.indices.max())
            if last >= points.total:
                wrong.append(f"image {last} of {points.total} is selected")
        actions = window.actions_
        if actions["start"].isEnabled() and app.training.status.phase is not Phase.IDLE:
            wrong.append("a second run could be started")
        return wrong

    # What may be done

    def _command(self) -> str | None:
        actions = self._window.actions_
        ids = [
            command.id
            for command in actions.commands
            if command.id not in _LEFT_ALONE and actions[command.id].isEnabled()
        ]
        if self._modal():
            return None
        chosen = self._random.choice(ids)
        actions[chosen].trigger()
        return f"command {chosen}"

    def _click(self) -> str:
        held = self._random.choice(_HELD)
        at, canvas = self._spot(), self._window.map.canvas
        if self._random.random() < 0.2:
            QTest.mouseDClick(canvas, Qt.MouseButton.LeftButton, held, at)
            return f"double click at {at.toTuple()}, {held.name}"
        QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, held, at)
        return f"click at {at.toTuple()}, {held.name}"

    def _drag(self) -> str:
        held, canvas = self._random.choice(_HELD), self._window.map.canvas
        button = self._random.choice((Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton))
        start, end = self._spot(), self._spot()
        QTest.mousePress(canvas, button, held, start)
        for share in (0.3, 0.6, 1.0):
            QTest.mouseMove(canvas, start + (end - start) * share)
            if self._random.random() < 0.2:
                QApplication.processEvents()
        QTest.mouseRelease(canvas, button, held, end)
        return f"drag from {start.toTuple()} to {end.toTuple()}, {button.name}, {held.name}"

    def _hover(self) -> str:
        canvas, at = self._window.map.canvas, self._spot()
        view = canvas.view_box.viewRect()
        x = view.left() + view.width() * at.x() / max(canvas.width(), 1)
        y = view.top() + view.height() * at.y() / max(canvas.height(), 1)
        self._person.hover((x, y))
        return f"hover over {x:.2f}, {y:.2f}"

    def _wheel(self) -> str:
        canvas, at = self._window.map.canvas, self._spot()
        turn = QPoint(0, self._random.choice((-120, 120, 600, -600)))
        event = QWheelEvent(
            QPointF(at),
            QPointF(canvas.mapToGlobal(at)),
            QPoint(),
            turn,
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(canvas, event)
        return f"wheel by {turn.y()}"

    def _button(self) -> str | None:
        button = self._some(QAbstractButton)
        if button is None:
            return None
        name = button.accessibleName() or button.text() or type(button).__name__
        QTimer.singleShot(0, self._window, _close_popup)  # else a menu waits for ever
        button.click()
        return f"button {name}"

    def _number(self) -> str | None:
        box = self._some(QAbstractSpinBox)
        if box is None:
            return None
        text = self._random.choice(_TEXTS)
        name = box.accessibleName()
        box.setFocus()
        box.selectAll()
        _type(box, text)
        if self._random.random() < 0.7:
            QTest.keyClick(box, self._random.choice((Qt.Key.Key_Return, Qt.Key.Key_Tab)))
        return f"“{text}” into {name}"

    def _text(self) -> str | None:
        edit = self._some(QLineEdit)
        if edit is None or isinstance(edit.parent(), QAbstractSpinBox | QComboBox):
            return None
        text, name = self._random.choice(_TEXTS), edit.accessibleName()
        edit.setFocus()
        edit.selectAll()
        _type(edit, text)
        if self._random.random() < 0.5:
            QTest.keyClick(edit, Qt.Key.Key_Return)
        return f"“{text}” into {name}"

    def _choice(self) -> str | None:
        box = self._some(QComboBox)
        if box is None:
            return None
        name = box.accessibleName()
        box.setFocus()
        for _ in range(self._random.randrange(1, 4)):
            QTest.keyClick(box, self._random.choice((Qt.Key.Key_Down, Qt.Key.Key_Up)))
        return f"choice of {name}"

    def _slider(self) -> str | None:
        slider = self._some(QAbstractSlider)
        if slider is None:
            return None
        slider.setValue(self._random.randint(slider.minimum(), slider.maximum()))
        return f"slider {slider.accessibleName()}"

    def _key(self) -> str:
        keys = [key for command in self._window.actions_.commands for key in command.keys]
        left_alone = {
            key
            for command in self._window.actions_.commands
            if command.id in _LEFT_ALONE
            for key in command.keys
        }
        key = self._random.choice([*_KEYS, *(key for key in keys if key not in left_alone)])
        focused = QApplication.focusWidget() or self._window.map.canvas
        QTest.keySequence(focused, QKeySequence(key))
        return f"key {key} at {type(focused).__name__}"

    def _tab(self) -> str | None:
        bar = self._some(QTabBar)
        if bar is None or not bar.count():
            return None
        bar.setCurrentIndex(self._random.randrange(bar.count()))
        return f"tab {bar.tabText(bar.currentIndex())}"

    def _cell(self) -> str | None:
        view = self._some(QAbstractItemView)
        if view is None or view.model() is None or not view.model().rowCount():
            return None
        model = view.model()
        row = self._random.randrange(model.rowCount())
        columns = model.columnCount() if isinstance(model, QAbstractTableModel) else 1
        index = model.index(row, self._random.randrange(max(columns, 1)))
        view.scrollTo(index, QAbstractItemView.ScrollHint.EnsureVisible)
        at = view.visualRect(index).center()
        held = self._random.choice(_HELD)
        QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, held, at)
        if self._random.random() < 0.3:
            QTest.keyClick(view, self._random.choice((Qt.Key.Key_Return, Qt.Key.Key_Space)))
        return f"cell {row} of {view.accessibleName() or type(view).__name__}"

    def _resize(self) -> str:
        size = self._random.randrange(400, 1600), self._random.randrange(300, 1000)
        self._window.resize(*size)
        return f"size {size}"

    def _dialog(self) -> str | None:
        """End a dialog or a menu one way or the other, so that none stays for ever."""
        popup = QApplication.activePopupWidget()
        if isinstance(popup, QMenu):
            popup.close()
            return "menu closed"
        open_ones = [d for d in self._window.findChildren(QDialog) if d.isVisible()]
        if not open_ones:
            return None
        dialog = self._random.choice(open_ones)
        name, accept = dialog.windowTitle(), self._random.random() < 0.5
        (dialog.accept if accept else dialog.reject)()
        return f"dialog {name} {'accepted' if accept else 'rejected'}"

    # How it is done

    def _modal(self) -> QWidget | None:
        return QApplication.activeModalWidget()

    def _some(self, kind: type[Widget]) -> Widget | None:
        """A widget of a kind that can be used now."""
        roots = [self._modal()] if self._modal() else [self._window]
        found = [
            widget
            for root in roots
            if root is not None
            for widget in root.findChildren(kind)
            if widget.isVisible() and widget.isEnabled()
        ]
        return self._random.choice(found) if found else None

    def _spot(self) -> QPoint:
        rect = self._window.map.canvas.rect()
        return QPoint(
            self._random.randrange(max(rect.width(), 1)),
            self._random.randrange(max(rect.height(), 1)),
        )

    def _tame(self) -> None:
        """A recipe that was typed in may take hours; those of a run are small."""
        form = self._window.training.form
        if self._window.app.training.status.phase is not Phase.IDLE:
            return
        try:
            recipe = form.recipe()
        except UserError:  # nothing can be started by it
            return
        if any(getattr(recipe, name) != getattr(self._recipe, name) for name in _SIZES):
            self._window.training.set_recipe(self._recipe)


def _close_popup() -> None:
    if popup := QApplication.activePopupWidget():
        popup.close()


def _type(widget: QWidget, text: str) -> None:
    """Key by key, or pasted where Qt's tests have no key for a letter."""
    if text.isascii():
        QTest.keyClicks(widget, text)
    else:
        QApplication.clipboard().setText(text)
        QTest.keySequence(widget, QKeySequence.StandardKey.Paste)


_SIZES = (
    *("network", "encoder_hidden", "decoder_hidden", "samples", "validation_images", "batch_size"),
)
