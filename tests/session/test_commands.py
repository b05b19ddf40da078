import re
from collections import Counter

import pytest

from vae_explorer.session.commands import COMMANDS, GESTURES, MENUS, Command

_MODIFIERS = {"Ctrl", "Shift", "Alt"}


def test_ids_are_unique_words() -> None:
    ids = [command.id for command in COMMANDS]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z]+(_[a-z0-9]+)*", name) for name in ids)


def test_no_key_and_no_text_is_given_twice() -> None:
    keys = Counter(key for command in COMMANDS for key in command.keys)
    texts = Counter((command.menu, command.text) for command in COMMANDS)
    assert keys.most_common(1)[0][1] == 1
    assert texts.most_common(1)[0][1] == 1


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.id)
def test_a_command_can_be_shown(command: Command) -> None:
    assert command.menu in MENUS
    assert command.text == command.text.strip() != ""
    assert command.help == command.help.strip() != ""
    assert not command.help.endswith("."), "helps are phrases, not sentences"
    for key in command.keys:
        *modifiers, last = key.split("+")
        assert set(modifiers) <= _MODIFIERS
        assert last


def test_every_menu_has_something_in_it() -> None:
    assert {command.menu for command in COMMANDS} == set(MENUS)
    assert len({name[0] for name in MENUS}) == len(MENUS), "Alt and the first letter open a menu"


def test_a_group_is_a_choice_within_one_menu() -> None:
    groups: dict[str, list[Command]] = {}
    for command in COMMANDS:
        if command.group:
            groups.setdefault(command.group, []).append(command)
    sizes = {name: len(members) for name, members in groups.items()}
    assert sizes == {"tool": 3, "split": 3, "kind": 3, "scheme": 3}
    for name, members in groups.items():
        assert len({command.menu for command in members}) == 1
        assert all(command.id.startswith(f"{name}_") for command in members)


def test_what_alters_or_ends_a_run_is_at_hand_on_keyboard_and_toolbar() -> None:
    table = {command.id: command for command in COMMANDS}
    for name in ("start", "pause", "stop", "open", "save"):
        assert table[name].keys
        assert table[name].toolbar
    assert table["pause"].keys == ("Space",)
    assert table["fit"].keys == ("Home",)
    assert table["clear"].keys == ("Esc",)
    assert table["keys"].keys == ("F1",)


def test_gestures_are_told_once_each() -> None:
    assert all(gesture and meaning for gesture, meaning in GESTURES)
    assert len({gesture for gesture, _ in GESTURES}) == len(GESTURES)
