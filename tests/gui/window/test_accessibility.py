from collections.abc import Iterable, Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QDialog,
    QDockWidget,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from pytestqt.qtbot import QtBot

from tests.support.clipping import clipped, visible
from tests.support.person import Person
from vae_explorer.gui.map.point_colors import ColorKey
from vae_explorer.gui.window.main_window import MainWindow
from vae_explorer.session.map.layers import LAYERS
from vae_explorer.session.training.events import Phase
from vae_explorer.training.recipe import Recipe

SIZES = [(1280, 800), (1920, 1080)]
PANELS = ("training", "layers", "learn", "refine", "worst", "draw", "paths", "runs", "sweep")
DIALOGS = ["export", "export_manifold", "find", "nearest", "name_selection", "keys", "about"]


def focusable(top: QWidget) -> set[QWidget]:
    """What the keyboard should reach, for now."""
    return {
        widget
        for widget in visible(top)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and widget.isEnabled()
        and widget.focusProxy() is None
        and widget.window() is top
    }


def name_of(widget: QWidget) -> str:
    return QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name)


def open_more(window: MainWindow) -> None:
    """Show the fields of the recipe that are seldom changed."""
    window.training.change.click()
    more = next(b for b in window.training.findChildren(QToolButton) if b.text().startswith("More"))
    more.click()
    QApplication.processEvents()


@pytest.fixture
def full(person: Person) -> Person:
    """A person before all there can be: pins, a scale of colours, and every layer."""
    window = person.window
    open_more(window)
    for row in (0, 1):
        window.app.pinning.pin(row, add=True)
    for spec in LAYERS:
        window.app.layers.set_on(spec.id, True)
    window.app.coloring.choose("width")
    window.app.selection.replace(range(47))
    return person


def in_front(person: Person, panels: Iterable[str]) -> Iterator[str]:
    """Each of the panels in turn, as soon as it is in front."""
    for name in panels:
        person.window.docks.show(name)
        QApplication.processEvents()
        yield name


def test_every_control_has_a_name(full: Person) -> None:
    for panel in in_front(full, PANELS):
        controls = focusable(full.window)
        assert len(controls) > 30
        buttons = {w for w in visible(full.window) if isinstance(w, QAbstractButton)}
        nameless = [str(widget) for widget in controls | buttons if not name_of(widget).strip()]
        assert nameless == [], panel


def test_tab_reaches_every_control_and_comes_round(full: Person) -> None:
    for panel in in_front(full, ("training", "layers")):
        wanted = focusable(full.window)
        full.window.map.canvas.setFocus()
        first = focused = QApplication.focusWidget()
        reached = set()
        for _ in range(2 * len(wanted)):
            assert focused is not None
            reached.add(focused)
            QTest.keyClick(focused, Qt.Key.Key_Tab)
            focused = QApplication.focusWidget()
            if focused is first:
                break
        else:
            pytest.fail(f"Tab does not come round, {panel}")
        assert {str(widget) for widget in wanted - reached} == set(), panel


def test_each_view_is_named_for_who_cannot_see_it(person: Person) -> None:
    names = {name_of(widget) for widget in visible(person.window)}
    for name in ("Map of latent space", "Decoded image", "Training curves"):
        assert name in names
    person.trigger("layout_explore")
    person.window.app.pinning.pin(0)
    person.wait(person.window.decode.tray.isVisible)
    assert "Original image" in {name_of(widget) for widget in visible(person.window)}
    # Of a choice Qt for Linux gives the text as the name, and tells the name as a relation.
    given = {widget.accessibleName() for widget in visible(person.window)}
    for name in ("Points shown", "Colour points by", "Pinned images"):
        assert name in given
    person.wait(lambda: person.view("Decoded image").accessibleDescription().startswith("z = "))


def test_what_is_clipped_is_found(qtbot: QtBot) -> None:
    top = QWidget()
    qtbot.addWidget(top)
    layout = QVBoxLayout(top)
    label, button, roomy = QLabel("far too long"), QPushButton("far too long"), QLabel("short")
    label.setFixedWidth(20)
    button.setFixedWidth(20)
    for widget in (label, button, roomy):
        layout.addWidget(widget)
    top.show()
    assert len(clipped(top)) == 2


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_nothing_is_clipped(person: Person, recipe: Recipe, size: tuple[int, int]) -> None:
    window = person.window
    window.resize(*size)
    window.app.cursor.move(-5.555, -5.555)
    window.app.pinning.pin(0)
    person.wait(lambda: "preview" not in person.view("Decoded image").accessibleDescription())
    person.wait(lambda: not clipped(window))
    window.training.set_recipe(recipe.replace(epochs=10_000))
    window.actions_["start"].trigger()
    person.wait(lambda: window.app.training.status.epoch > 1)
    # Figures come all the while, and a longer one has its room only with the next event.
    person.wait(lambda: not clipped(window))
    person.trigger("pause")
    person.wait_for_phase(Phase.PAUSED)
    QApplication.processEvents()
    assert clipped(window) == []


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_nothing_is_clipped_when_all_is_shown(full: Person, size: tuple[int, int]) -> None:
    full.window.resize(*size)
    for panel in in_front(full, ("training", "layers")):
        assert clipped(full.window) == [], panel
        (key,) = full.window.map.findChildren(ColorKey)
        assert key.visibleRegion().boundingRect().size() == key.size() == key.sizeHint()


def test_docks_cannot_be_made_too_narrow(full: Person) -> None:
    docks = full.window.findChildren(QDockWidget)
    for panel in in_front(full, ("training", "layers")):
        full.window.resizeDocks(docks, [1] * len(docks), Qt.Orientation.Horizontal)
        QApplication.processEvents()
        assert clipped(full.window) == [], panel


def test_of_every_dialog_all_controls_have_a_name_and_room(person: Person) -> None:
    for command_id in DIALOGS:
        person.window.app.selection.replace([0])
        person.trigger(command_id)
        QApplication.processEvents()
        (dialog,) = (d for d in person.window.findChildren(QDialog) if d.isVisible())
        controls = focusable(dialog)
        assert len(controls) >= 2, command_id
        assert [str(widget) for widget in controls if not name_of(widget).strip()] == []
        assert clipped(dialog) == [], command_id
        dialog.close()
