import re
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QComboBox, QLabel, QMenu, QStyledItemDelegate, QStyleOptionViewItem
from pytestqt.qtbot import QtBot

from vae_explorer import paths
from vae_explorer.gui.runs.preset_bar import PresetBar, format_seconds
from vae_explorer.gui.widgets.readout import Readout
from vae_explorer.session.runs.presets import PresetFolders
from vae_explorer.training.estimate import Estimate
from vae_explorer.training.presets import Preset, recipe_of
from vae_explorer.training.recipe import Recipe

ESTIMATE = Estimate(3.14, 62.8, 212_000_000, 1_234_567, 275, 345_000_000)
MINE = Preset("mine", Recipe(seed=9), own=True)


@pytest.fixture
def bar(qtbot: QtBot, tmp_path: Path) -> PresetBar:
    bar = PresetBar()
    qtbot.addWidget(bar)
    bar.resize(340, 80)
    bar.set_presets((*PresetFolders(paths.checkpoints(), tmp_path).read()[0], MINE))
    bar.set_recipe(recipe_of("quick"))
    with qtbot.waitExposed(bar):
        bar.show()
    return bar


def box(bar: PresetBar) -> QComboBox:
    (found,) = bar.findChildren(QComboBox)
    return found


def line(bar: PresetBar) -> str:
    (found,) = bar.findChildren(Readout)
    return found.text().replace("\N{NO-BREAK SPACE}", " ")


def listed(bar: PresetBar) -> list[str]:
    """What the list of the box says."""
    texts, view = [], box(bar).view()
    for row in range(box(bar).count()):
        option = QStyleOptionViewItem()
        delegate = view.itemDelegate()
        assert isinstance(delegate, QStyledItemDelegate)
        delegate.initStyleOption(option, box(bar).model().index(row, 0))
        texts.append(option.text)
    return texts


def act(bar: PresetBar, text: str) -> None:
    next(action for action in bar.findChild(QMenu).actions() if action.text() == text).trigger()


def test_a_recipe_that_has_a_name_is_named(bar: PresetBar) -> None:
    assert box(bar).currentText() == "Quick"
    bar.set_recipe(Recipe())
    assert box(bar).currentText() == "Default"
    bar.set_recipe(recipe_of("best"))
    assert box(bar).currentText() == "Best"
    bar.set_recipe(Recipe(epochs=21))
    assert box(bar).currentIndex() == -1
    assert box(bar).placeholderText() == "Custom recipe"
    assert bar.preset is None


def test_the_list_has_the_time_and_the_figure_of_each(bar: PresetBar) -> None:
    quick, good, best, *_, default, mine = listed(bar)
    assert [text.split(" · ")[0] for text in (quick, good, best)] == ["Quick", "Good", "Best"]
    assert quick.split(" · ")[1].endswith(" s")
    for text in (good, best):
        assert text.split(" · ")[1].endswith(" min")
    assert "ELBO −" in quick
    assert (default, mine) == ("Default", "mine")
    view = box(bar).view()
    assert view.minimumWidth() >= view.sizeHintForColumn(0), "none is cut"


def test_a_chosen_preset_is_told(qtbot: QtBot, bar: PresetBar) -> None:
    row = box(bar).findText("mine")
    with qtbot.waitSignal(bar.chosen) as told:
        box(bar).setCurrentIndex(row)
        box(bar).activated.emit(row)
    assert told.args == [MINE]


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


def test_the_menu_asks(qtbot: QtBot, bar: PresetBar) -> None:
    for text, signal in {
        "Save as Preset…": bar.save_requested,
        "Import Recipe…": bar.import_requested,
        "Export Recipe…": bar.export_requested,
    }.items():
        with qtbot.waitSignal(signal):
            act(bar, text)


def test_a_run_keeps_its_recipe_but_it_can_be_saved(qtbot: QtBot, bar: PresetBar) -> None:
    bar.set_editable(False)
    assert not box(bar).isEnabled()
    with qtbot.assertNotEmitted(bar.import_requested):
        act(bar, "Import Recipe…")
    with qtbot.waitSignal(bar.save_requested):
        act(bar, "Save as Preset…")


def test_until_it_is_measured_here_a_preset_says_what_it_took_elsewhere(bar: PresetBar) -> None:
    assert re.fullmatch(r"([0-9]+ min )?[0-9]+ s on two cores · ELBO −[0-9.]+ held out", line(bar))
    bar.set_recipe(Recipe(epochs=21))
    assert line(bar) == ""


def test_an_estimate_says_what_a_run_costs(bar: PresetBar) -> None:
    bar.set_estimating()
    assert "Estimating" in line(bar)
    bar.set_estimate(ESTIMATE)
    time, figure, disk, memory = line(bar).split(" · ")
    assert time == "About 1 min 3 s here"
    assert figure.startswith("ELBO −")
    assert disk == "365 MB on disk"
    assert memory == "212 MB of memory"
    (shown,) = bar.findChildren(Readout)
    for part in ("3.1 s an epoch of 275 steps", "1,234,567 parameters", "345 MB of snapshots"):
        assert part in shown.toolTip()
    bar.set_recipe(recipe_of("quick"))  # the same
    assert line(bar).startswith("About")
    bar.set_recipe(Recipe(epochs=21))
    assert line(bar) == "", "it was of another"
    bar.set_estimate(ESTIMATE)
    assert "held out" not in line(bar), "what a recipe of one's own reaches nobody knows"


@pytest.mark.parametrize("points", [9, 18])
def test_no_part_of_an_estimate_is_cut(qtbot: QtBot, bar: PresetBar, points: int) -> None:
    font = bar.font()
    font.setPointSize(points)
    bar.setFont(font)
    bar.resize(300, 200)
    bar.set_estimate(replace(ESTIMATE, run_seconds=99_999, snapshot_bytes=123_456_789_012))
    (shown,) = bar.findChildren(Readout)
    label = shown.findChild(QLabel)
    qtbot.waitUntil(lambda: shown.height() >= label.heightForWidth(shown.width()))


def test_a_recipe_that_cannot_be_estimated_says_why(bar: PresetBar) -> None:
    bar.set_estimating()
    bar.set_no_estimate("600 images are held out.")
    assert line(bar) == "No estimate: 600 images are held out."


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0123, "0.012 s"), (3.14, "3.1 s"), (9.96, "10 s"), (75, "1 min 15 s")]
)
def test_short_durations_have_two_digits(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text
