"""All commands of the window: their records, what becomes of them, and that each can be run."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QFileDialog,
    QKeySequenceEdit,
    QToolBar,
    QToolButton,
    QWidget,
)

from tests.support.person import Person
from vae_explorer import paths
from vae_explorer.gui.dialogs.help import KeysDialog
from vae_explorer.gui.window.actions import native
from vae_explorer.gui.window.records import MENUS, Command
from vae_explorer.session.files.settings import Settings
from vae_explorer.session.training.events import Phase
from vae_explorer.training.recipe import Recipe

_MODIFIERS = {"Ctrl", "Shift", "Alt"}
_EVERYWHERE = re.compile(
    r"(Ctrl\+|Ctrl\+Shift\+)[A-Z]|(Ctrl\+Shift\+)?F\d+|Ctrl\+\d|Alt\+\d"
    r"|((Ctrl|Alt)\+)?(Space|Esc|Home|Left|Right|PgUp|PgDown)"
)
"""Keys of every keyboard, whatever it writes: with Ctrl, letters are the Latin ones."""
_IDS = re.findall(
    r"\w+",
    """
    open open_data open_data_folder save reset export export_digit export_manifold open_workspace
    save_workspace quit undo redo copy
    clear tool_scrub tool_box tool_lasso select_shown nearest worst find invert name_selection
    export_points analogy attribute resample worst_first refine fit center random back forward
    play_path principal_plane reset_plane
    digit_1 digit_2 digit_3 digit_4 digit_5 digit_6 digit_7 digit_8 digit_9 digit_0 mark
    split_train split_test split_both kind_mean kind_sample kind_exact align ease color_table
    start pause sweep stop step epoch slow_motion restart branch new_seed estimate moment_play
    moment_back moment_forward moment_live export_film next_step step_before open_lesson save_lesson
    large
    scheme_system scheme_light scheme_dark layout_explore layout_train layout_learn
    layout_travel compare runs curves full_screen palette keys terms tour about
""",
)
"""The names that other programs may know; those of the layers are the layers'."""


_MANY = ("digit_", "layer_")

# The records of the real window


def test_every_record_is_well_made_and_becomes_an_action(person: Person) -> None:
    window = person.window
    actions, commands = window.actions_, window.actions_.commands
    ids = [command.id for command in commands if not command.id.startswith("layer_")]
    assert sorted(ids) == sorted(_IDS)
    keys = [key for command in commands for key in command.keys]
    texts = [(command.menu, command.text) for command in commands]
    assert max(*Counter(keys).values(), *Counter(texts).values()) == 1
    buttons = window.findChild(QToolBar, "toolbar").findChildren(QToolButton)
    toolbar = [button.defaultAction() for button in buttons]
    for command in commands:
        assert command.text == command.text.strip() != ""
        assert command.help == command.help.strip() != ""
        assert not command.help.endswith("."), "helps are phrases, not sentences"
        for key in command.keys:
            *modifiers, last = key.split("+")
            assert set(modifiers) <= _MODIFIERS
            assert last
        action = actions[command.id]
        assert command.named or action.text() == command.text
        assert action.statusTip() == command.help
        assert action.shortcuts() == [QKeySequence(key) for key in command.keys]
        assert all(not shortcut.isEmpty() for shortcut in action.shortcuts())
        shown = f" ({native(command.keys[:1])})" if command.keys else ""
        assert action.toolTip() == command.help + shown
        assert action in actions.menus[command.menu].actions()
        assert (action in toolbar) == bool(command.toolbar) == bool(command.icon)
        assert action.isCheckable() == (command.checked is not None)
    for name in ("start", "pause", "stop", "open", "save"):
        assert actions[name].shortcuts(), "what alters or ends a run is at hand"


def test_every_command_that_has_a_key_has_one_of_every_keyboard(person: Person) -> None:
    for command in person.window.actions_.commands:
        assert not command.keys or any(map(_EVERYWHERE.fullmatch, command.keys)), command.id
        for key in command.keys:
            assert not key.startswith("Ctrl+Alt+"), "AltGr, which types"
            assert key not in ("Ctrl+Space", "Ctrl+Shift+U"), "for input methods"


def test_every_menu_has_something_in_it_and_a_letter(person: Person) -> None:
    menus = person.window.actions_.menus
    assert tuple(menus) == MENUS
    assert len({name[0] for name in MENUS}) == len(MENUS), "Alt and the first letter open a menu"
    for menu in menus.values():
        assert any(not action.isSeparator() for action in menu.actions())
        letters = re.findall("&([^&])", " ".join(action.text() for action in menu.actions()))
        assert len(letters) == len(set(letters))


def test_of_a_group_one_is_checked_and_all_are_in_one_menu(person: Person) -> None:
    groups: dict[str, list[Command]] = {}
    for command in person.window.actions_.commands:
        if command.group:
            groups.setdefault(command.group, []).append(command)
    sizes = {name: len(members) for name, members in groups.items()}
    assert sizes == {"tool": 3, "split": 3, "kind": 3, "scheme": 3, "layout": 4}
    for members in groups.values():
        assert len({command.menu for command in members}) == 1
        checked = [person.window.actions_[command.id].isChecked() for command in members]
        assert sum(checked) == 1


def test_the_readme_lists_the_keys(person: Person) -> None:
    readme = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    for line in readme_keys(person.window.actions_.commands):
        assert line in readme.splitlines(), "README.md's table of keys is made of the records"


def readme_keys(commands: Sequence[Command]) -> list[str]:
    """A row a menu: the keys of its commands, each before what it does."""
    rows = []
    for menu in MENUS:
        cells = [
            f"{' '.join(f'`{key}`' for key in command.keys)} {command.text.rstrip('…')}"
            for command in commands
            if command.menu == menu and command.keys and not command.id.startswith(_MANY)
        ]
        if menu == "Go":
            cells.append("`0` … `9` or `Alt+0` … `Alt+9` Go to a Class")
        if menu == "Layers":
            layers = [command for command in commands if command.id.startswith("layer_")]
            cells = [f"`{command.keys[0]}` {command.text}" for command in layers]
            first, last = layers[0].keys[1], layers[-1].keys[1]
            cells[-1] += f"; or `{first}` … `{last}`, in this order"
        rows.append(f"| {menu} | {', '.join(cells)} |")
    return rows


@pytest.mark.slow
def test_every_command_runs(
    person: Person, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("getOpenFileName", "getSaveFileName"):
        monkeypatch.setattr(QFileDialog, name, lambda *_: ("", ""))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    window = person.window
    for command in sorted(window.actions_.commands, key=lambda command: command.id == "quit"):
        prepare(person, recipe, command.id)
        if command.id in ("pause", "stop", "principal_plane", "reset_plane"):
            command.run()  # harmless without a run, and with two dimensions
        else:
            person.trigger(command.id)
        QApplication.processEvents()
        assert not person.errors, command.id
        assert window.isVisible() == (command.id != "quit"), command.id
        for dialog in window.findChildren(QDialog):
            dialog.close()
        window.app.training.stop()
        person.wait_for_phase(Phase.IDLE)


def prepare(person: Person, recipe: Recipe, command_id: str) -> None:
    """Have pins, a selection, something to redo, and a recipe in the form, as far as they went."""
    window, app = person.window, person.window.app
    if command_id == "branch":  # by a recipe of the networks on the map
        recipe = app.model.recipe.replace(epochs=10_000, validation_images=100)
    if window.training.form.recipe() != recipe:
        window.training.set_recipe(recipe)
    if len(app.pins.tray) != 3:
        app.pins.clear()
        for row in (0, 1, 2):
            app.pinning.pin(row, add=True)
    if person.selected != [1, 2] or not window.actions_["redo"].isEnabled():
        app.selection.replace([1, 2])
        app.selection.clear()
        person.trigger("undo")
    if command_id == "forward":
        person.trigger("back")


def test_a_key_chosen_in_the_sheet_works_is_shown_everywhere_and_kept(person: Person) -> None:
    window = person.window
    person.trigger("keys")
    sheet = window.findChild(KeysDialog)
    (edit,) = sheet.findChildren(QKeySequenceEdit)
    for command, key in (("step", "Ctrl+Y"), ("layer_density", "F5"), ("moment_live", "Ctrl+;")):
        sheet.edit(command)
        QTest.keySequence(edit, QKeySequence(key))
    sheet.close()
    keys = {"layer_density": "F5", "moment_live": "Ctrl+;"}
    assert window.app.settings.now.keys == keys, "Ctrl+Y is a key of Redo"
    person.press("F5", window.map.canvas)
    assert window.actions_["layer_density"].isChecked()
    tips = [
        w.toolTip() for part in (window.layers, window.time_bar) for w in part.findChildren(QWidget)
    ]
    assert "F5 shows or hides this layer" in tips
    assert any(tip.endswith("(Ctrl+;)") for tip in tips)
    person.wait(lambda: Settings.read(paths.settings_file()).keys == keys)
