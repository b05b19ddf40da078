"""The docks around the map and their arrangements, in the real window."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QApplication, QDockWidget, QListWidget

from tests.support.person import Person
from vae_explorer.gui.dialogs.palette import CommandPalette
from vae_explorer.gui.window.records import LAYOUTS

IN_FRONT = {
    "explore": {"layers", "decode"},
    "train": {"training", "decode", "curves"},
    "learn": {"learn"},
    "travel": {"layers", "decode", "paths"},
}
KEYS = {"explore": "Ctrl+1", "train": "Ctrl+2", "learn": "Ctrl+3", "travel": "Ctrl+4"}


def docks(person: Person) -> dict[str, QDockWidget]:
    return {dock.objectName(): dock for dock in person.window.findChildren(QDockWidget)}


def in_front(person: Person) -> set[str]:
    """The docks that can be seen."""
    QApplication.processEvents()
    found = docks(person).items()
    return {name for name, dock in found if not dock.visibleRegion().isEmpty()}


def test_it_opens_to_train(person: Person) -> None:
    """On a screen of 800 × 800, and then in a window of the usual size."""
    assert in_front(person) == IN_FRONT["train"]
    assert person.window.docks.layout == "train"


def test_a_key_brings_the_docks_of_a_layout_to_the_front(person: Person) -> None:
    for name in LAYOUTS:
        person.press("Ctrl+4" if name != "travel" else "Ctrl+1")
        docks(person)["decode"].hide()
        person.press(KEYS[name])
        assert in_front(person) == IN_FRONT[name]
        assert person.window.docks.layout == name


def test_every_layout_is_in_the_view_menu(person: Person) -> None:
    view = person.window.actions_.menus["View"].actions()
    layouts = [person.window.actions_[f"layout_{name}"] for name in LAYOUTS]
    assert [action for action in view if action in layouts] == layouts
    assert [action.text() for action in layouts] == ["Explore", "Train", "Learn", "Travel"]
    for name, key in KEYS.items():
        assert person.window.actions_[f"layout_{name}"].shortcut() == QKeySequence(key)


def test_another_name_changes_nothing(person: Person) -> None:
    person.trigger("layout_learn")
    person.window.docks.lay_out("of a newer program")
    assert in_front(person) == IN_FRONT["learn"]
    assert person.window.docks.layout == "learn"


def test_a_dock_that_was_moved_stays_where_it_is(person: Person) -> None:
    window, learn = person.window, docks(person)["learn"]
    window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, learn)
    person.press("Ctrl+1")
    person.press("Ctrl+3")
    assert window.dockWidgetArea(learn) == Qt.DockWidgetArea.RightDockWidgetArea
    assert "learn" in in_front(person)


def test_the_arrangement_comes_back(open_person: "Callable[..., Person]") -> None:
    first = open_person()
    first.trigger("layout_learn")  # for which the screen of tests is large enough
    right = Qt.DockWidgetArea.RightDockWidgetArea
    first.window.addDockWidget(right, docks(first)["layers"])
    docks(first)["layers"].show()
    seen = in_front(first)
    first.close()
    second = open_person()
    assert in_front(second) == seen == {"learn", "layers"}
    assert second.window.docks.layout == "learn"
    assert second.window.dockWidgetArea(docks(second)["layers"]) == right


def test_every_dock_is_hidden_and_shown_from_the_menu(person: Person) -> None:
    actions = {action.text(): action for action in person.window.docks.actions().values()}
    assert actions.keys() == {dock.windowTitle() for dock in docks(person).values()}
    for dock in docks(person).values():
        action = actions[dock.windowTitle()]
        assert action in person.window.actions_.menus["View"].actions()
        before = dock.isHidden()
        action.trigger()
        assert dock.isHidden() != before, dock.windowTitle()
        action.trigger()
        assert dock.isHidden() == before, dock.windowTitle()


def test_a_small_screen_has_room_whatever_was_shown(person: Person) -> None:
    window, learning = person.window, person.window.app.learning
    for layout in ("explore", "train", "travel", "learn"):
        person.trigger(f"layout_{layout}")
    for lesson in learning.lessons:
        learning.open(lesson.id)
        QApplication.processEvents()
        least = window.minimumSizeHint()
        assert least.width() <= 1024, lesson.id
        assert least.height() <= 700, lesson.id


def test_the_curves_have_what_the_training_panel_needs_not(person: Person) -> None:
    window, found = person.window, docks(person)
    window.resize(1024, 700)
    person.press("Ctrl+2")
    curves, training = found["curves"], found["training"]
    person.wait(lambda: curves.height() > training.height())
    assert curves.x() == training.x()
    assert curves.y() > training.y()
    before = curves.height()
    window.training.change.click()
    person.wait(lambda: curves.height() < before)
    window.training.change.click()
    person.wait(lambda: curves.height() == before)


def test_a_panel_that_is_opened_below_has_the_height_that_shows_it(person: Person) -> None:
    person.window.resize(1280, 800)
    person.press("Ctrl+2")
    person.press("F9")
    person.wait(lambda: docks(person)["slow"].height() == 310)
    person.trigger("layout_train")
    assert "slow" not in in_front(person)


def test_the_palette_has_one_entry_a_panel(person: Person) -> None:
    person.trigger("palette")
    palette = person.window.findChild(CommandPalette)
    assert palette is not None
    rows = palette.findChild(QListWidget)
    found = [rows.item(row).text() for row in range(rows.count())]
    assert {"Training Curves", "Browse Runs", "Decode"} <= set(found)
    assert not {"Curves", "Runs"} & set(found)
    palette.close()
