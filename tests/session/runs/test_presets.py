from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.stand_ins import MainThread
from vae_explorer import paths
from vae_explorer.errors import UserError
from vae_explorer.session.files.settings import Settings
from vae_explorer.session.files.settings_file import SettingsFile
from vae_explorer.session.runs.presets import DEFAULT, LONGEST_NAME, PresetFolders, Presets
from vae_explorer.session.tasks import Tasks
from vae_explorer.training.presets import Preset
from vae_explorer.training.recipe import Recipe

MINE = Recipe(epochs=3, beta=0.5)


@pytest.fixture
def presets(tmp_path: Path) -> PresetFolders:
    return PresetFolders(paths.checkpoints(), tmp_path / "config" / "presets")


def names(presets: PresetFolders) -> list[str]:
    found, messages = presets.read()
    assert not messages
    return [preset.name for preset in found]


BUNDLED = ["Quick", "Good", "Best", "mnist-exact", "mnist-iwae", "mnist-paper", DEFAULT]


def test_the_recipes_of_the_program_are_there_with_what_they_took(presets: PresetFolders) -> None:
    assert names(presets) == BUNDLED
    found, _ = presets.read()
    *measured, default = found
    assert default == Preset(DEFAULT, Recipe())
    assert all(preset.seconds for preset in measured)
    times = [preset.seconds or 0 for preset in measured[:3]]
    assert times == sorted(times), "from the shortest to the longest"
    exact = Recipe.read(paths.checkpoints() / "mnist-exact.toml")
    assert found[3].recipe.replace(precision=exact.precision) == exact
    assert not any(preset.own for preset in found)


@pytest.fixture
def window_presets(
    presets: PresetFolders, tasks: Tasks, main: MainThread
) -> Callable[..., Presets]:
    """Those of a window that begins with some settings."""

    def begin(settings: Settings) -> Presets:
        return Presets(presets, tasks, SettingsFile(tasks, settings))

    return begin


def test_the_preset_chosen_last_is_remembered(
    window_presets: Callable[..., Presets], presets: PresetFolders, main: MainThread
) -> None:
    first = window_presets(Settings())
    assert first.chosen.name == "Quick", "before any file is read"
    first.read()
    main.run()
    assert first.chosen.name == "Quick"
    first.save("mine", MINE)
    main.run()
    first.choose("mine")
    main.run()
    assert first.chosen == Preset("mine", MINE, own=True)
    second = window_presets(Settings.read(paths.settings_file()))
    assert second.chosen.name == "Quick", "the own ones are not read yet"
    second.read()
    main.run()
    assert second.chosen.recipe == MINE
    second.delete("mine")
    main.run()
    assert second.chosen.name == "Quick"


def test_reading_makes_no_folder(presets: PresetFolders, tmp_path: Path) -> None:
    presets.read()
    assert list(tmp_path.iterdir()) == []


def test_own_presets_come_back_and_go(presets: PresetFolders, tmp_path: Path) -> None:
    presets.save("β a half", MINE)
    presets.save("Another", Recipe(seed=4))
    found, _ = presets.read()
    assert found[len(BUNDLED) :] == (
        Preset("Another", Recipe(seed=4), own=True),
        Preset("β a half", MINE, own=True),
    )
    assert Recipe.read(tmp_path / "config" / "presets" / "β a half.toml") == MINE
    presets.delete("Another")
    presets.delete("Another")
    assert names(presets) == [*BUNDLED, "β a half"]


def test_a_name_is_the_same_in_whatever_case(presets: PresetFolders) -> None:
    presets.save("mine", Recipe(seed=1))
    presets.save("Mine", Recipe(seed=2))
    found, _ = presets.read()
    assert found[-1] == Preset("Mine", Recipe(seed=2), own=True)
    assert len(found) == len(BUNDLED) + 1
    presets.delete("MINE")
    assert names(presets) == BUNDLED


@pytest.mark.parametrize(
    "name", ["default", "DEFAULT", "mnist-elbo", "MNIST-Paper", "quick", "Best"]
)
def test_bundled_names_are_taken(presets: PresetFolders, name: str) -> None:
    with pytest.raises(UserError, match=f"“{name}” is a preset of the program"):
        presets.save(name, MINE)
    presets.delete(name)
    assert names(presets) == BUNDLED


@pytest.mark.parametrize(
    "name",
    [
        *("", "  ", "a/b", "..", "../x", "a\\b", "C:x", "what?", "a\nb", "nul", "COM1", "aux.x"),
        *(".hidden", "dot.", " blank", "x" * (LONGEST_NAME + 1)),
    ],
)
def test_names_that_are_no_file_names_are_refused(
    presets: PresetFolders, tmp_path: Path, name: str
) -> None:
    with pytest.raises(UserError):
        presets.save(name, MINE)
    assert list(tmp_path.rglob("*.toml")) == []


@pytest.mark.parametrize("name", ["v1.2", "console", "ü" * LONGEST_NAME, "a (b) + c, d=0.5"])
def test_other_names_are_fine(presets: PresetFolders, name: str) -> None:
    presets.save(name, MINE)
    assert names(presets)[-1] == name


def test_bad_files_are_left_out_and_said(presets: PresetFolders, tmp_path: Path) -> None:
    folder = tmp_path / "config" / "presets"
    presets.save("fine", MINE)
    (folder / "broken.toml").write_text("epochs = ")
    (folder / "future.toml").write_text("epoch = 3")
    (folder / "folder.toml").mkdir()
    (folder / "notes.txt").write_text("not a preset")
    found, messages = presets.read()
    assert [preset.name for preset in found] == [*BUNDLED, "fine"]
    assert len(messages) == 3
    assert all(message.startswith("Preset left out: ") for message in messages)
    assert "broken.toml" in messages[0]
    assert "did you mean 'epochs'" in messages[2]


def test_a_disk_that_refuses_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    presets = PresetFolders(paths.checkpoints(), tmp_path / "file" / "presets")
    with pytest.raises(UserError, match="“mine” cannot be written to"):
        presets.save("mine", MINE)
    assert names(presets) == BUNDLED


def test_a_preset_that_cannot_be_deleted_is_said(presets: PresetFolders, tmp_path: Path) -> None:
    (tmp_path / "config" / "presets" / "mine.toml").mkdir(parents=True)
    with pytest.raises(UserError, match="“mine” cannot be deleted"):
        presets.delete("mine")
