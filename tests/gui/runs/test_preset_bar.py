from pathlib import Path

import pytest
from PySide6.QtWidgets import QComboBox, QMenu, QPushButton
from pytestqt.qtbot import QtBot

from vae_explorer import paths
from vae_explorer.gui.runs.preset_bar import PresetBar, format_seconds
from vae_explorer.gui.widgets.readout import Readout
from vae_explorer.session.runs.presets import Preset, PresetFolders
from vae_explorer.training.estimate import Estimate
from vae_explorer.training.recipe import Recipe

ESTIMATE = Estimate(3.14, 62.8, 212_000_000, 1_234_567, 275, 345_000_000)
MINE = Preset("mine", Recipe(seed=9), own=True)


@pytest.fixture
def bar(qtbot: QtBot, tmp_path: Path) -> PresetBar:
    bar = PresetBar()
    qtbot.addWidget(bar)
    bar.resize(340, 80)
    bar.set_presets((*PresetFolders(paths.checkpoints(), tmp_path).read()[0], MINE))
    with qtbot.waitExposed(bar):
        bar.show()
    return bar


def box(bar: PresetBar) -> QComboBox:
    (found,) = bar.findChildren(QComboBox)
    return found


def line(bar: PresetBar) -> Readout:
    (found,) = bar.findChildren(Readout)
    return found


def act(bar: PresetBar, text: str) -> None:
    next(action for action in bar.findChild(QMenu).actions() if action.text() == text).trigger()


def test_a_recipe_that_has_a_name_is_named(bar: PresetBar) -> None:
    assert box(bar).currentText() == "Default"
    bar.set_recipe(Recipe.read(paths.checkpoints() / "mnist-iwae.toml"))
    assert box(bar).currentText() == "mnist-iwae"
    bar.set_recipe(Recipe(epochs=21))
    assert box(bar).currentIndex() == -1
    assert box(bar).placeholderText() == "Custom recipe"


def test_a_chosen_preset_is_told(qtbot: QtBot, bar: PresetBar) -> None:
    row = box(bar).findText("mine")
    with qtbot.waitSignal(bar.chosen) as told:
        box(bar).setCurrentIndex(row)
        box(bar).activated.emit(row)
    assert told.args == [MINE.recipe]


def test_of_two_names_of_one_recipe_the_chosen_one_stays(bar: PresetBar) -> None:
    twin = Preset("twin", MINE.recipe, own=True)
    bar.set_presets((MINE, twin))
    bar.set_recipe(MINE.recipe)
    assert box(bar).currentText() == "mine"
    box(bar).setCurrentIndex(1)
    bar.set_recipe(MINE.recipe)
    assert box(bar).currentText() == "twin"


def test_only_own_presets_can_be_deleted(qtbot: QtBot, bar: PresetBar) -> None:
    with qtbot.assertNotEmitted(bar.delete_requested):
        act(bar, "Delete Preset")
    bar.set_recipe(MINE.recipe)
    with qtbot.waitSignal(bar.delete_requested) as told:
        act(bar, "Delete Preset")
    assert told.args == ["mine"]


def test_the_menu_and_the_button_ask(qtbot: QtBot, bar: PresetBar) -> None:
    for text, signal in {
        "Save as Preset…": bar.save_requested,
        "Import Recipe…": bar.import_requested,
        "Export Recipe…": bar.export_requested,
    }.items():
        with qtbot.waitSignal(signal):
            act(bar, text)
    with qtbot.waitSignal(bar.estimate_requested):
        bar.findChild(QPushButton).click()


def test_a_run_keeps_its_recipe_but_it_can_be_saved(qtbot: QtBot, bar: PresetBar) -> None:
    bar.set_editable(False)
    assert not box(bar).isEnabled()
    assert not bar.findChild(QPushButton).isEnabled()
    with qtbot.assertNotEmitted(bar.import_requested):
        act(bar, "Import Recipe…")
    with qtbot.waitSignal(bar.save_requested):
        act(bar, "Save as Preset…")


def test_an_estimate_is_shown_and_grows_stale(bar: PresetBar) -> None:
    assert not line(bar).isVisible()
    bar.set_estimating()
    assert "Estimating" in line(bar).text()
    bar.set_estimate(ESTIMATE)
    text = line(bar).text()
    for part in (
        "3.1 s an epoch",
        "1 min 3 s in all",
        "212 MB of memory",
        "345 MB of snapshots",
        "1,234,567 parameters",
    ):
        assert part in text
    assert "275 steps an epoch" in text
    bar.set_recipe(Recipe())  # the same
    assert line(bar).text() == text
    bar.set_recipe(Recipe(epochs=21))
    bar.set_recipe(Recipe(epochs=22))
    assert line(bar).text() == f"Before the last change: {text}"
    assert not line(bar).isEnabled()
    bar.set_estimate(ESTIMATE)
    assert line(bar).isEnabled()


def test_a_recipe_that_cannot_be_estimated_says_why(bar: PresetBar) -> None:
    bar.set_estimating()
    bar.set_no_estimate("600 images are held out.")
    assert line(bar).text() == "No estimate: 600 images are held out."
    bar.set_no_estimate()
    assert not line(bar).isVisible()


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0123, "0.012 s"), (3.14, "3.1 s"), (9.96, "10 s"), (75, "1 min 15 s")]
)
def test_short_durations_have_two_digits(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text
