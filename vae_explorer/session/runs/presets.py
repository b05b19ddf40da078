"""Recipes by name: those that come with the program, and a person's own."""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from psygnal import Signal

from vae_explorer.data.dataset import Dataset
from vae_explorer.errors import RecipeError, UserError
from vae_explorer.session.files.settings_file import SettingsFile
from vae_explorer.session.tasks import Tasks
from vae_explorer.training.presets import NAMES, Preset, as_computed_here, first_presets
from vae_explorer.training.proposal import fitted
from vae_explorer.training.recipe import Recipe

DEFAULT = "Default"
LONGEST_NAME = 60

_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


class Presets:
    """The presets there are. Main thread only; files are read and written off it."""

    changed = Signal(tuple)
    """All of them, in order; told when they have been read, and after each change."""
    left_out = Signal(str)
    """A message on a file that is none."""

    def __init__(self, folders: "PresetFolders", tasks: Tasks, settings: SettingsFile) -> None:
        self.all = self._there = first_presets()
        self._data: Dataset | None = None
        self._folders = folders
        self._tasks = tasks
        self._settings = settings
        self._reading = tasks.newest("presets", "The presets cannot be read")

    @property
    def chosen(self) -> Preset:
        """The one that was chosen last, in this window or an earlier one; else the first."""
        name = self._settings.now.preset
        return next((preset for preset in self.all if preset.name == name), self.all[0])

    def choose(self, name: str) -> None:
        """Remember that a person took the preset of this name."""
        if name != self._settings.now.preset:
            self._settings.change(replace(self._settings.now, preset=name))

    def read(self) -> None:
        """Read all of them again."""
        self._reading.run(lambda _: self._folders.read(), self._on_read)

    def fit(self, data: Dataset) -> None:
        """Offer those of the program as other data need them."""
        self._data = data
        self._fit()

    def _fit(self) -> None:
        self.all = tuple(map(self._fitted, self._there))
        self.changed.emit(self.all)

    def _fitted(self, preset: Preset) -> Preset:
        if preset.own or self._data is None:
            return preset
        recipe = fitted(preset.recipe, self._data.train)
        measured = recipe == preset.recipe
        return preset if measured else Preset(preset.name, recipe)

    def save(self, name: str, recipe: Recipe) -> None:
        """Keep a recipe under a name."""
        work = partial(self._folders.save, name, recipe)
        self._tasks.write(work, self.read, "The preset was not saved")

    def delete(self, name: str) -> None:
        """Delete an own preset."""
        work = partial(self._folders.delete, name)
        self._tasks.write(work, self.read, "The preset was not deleted")

    def _on_read(self, found: tuple[tuple[Preset, ...], tuple[str, ...]]) -> None:
        self._there, messages = found
        self._fit()
        for message in messages:
            self.left_out.emit(message)


class PresetFolders:
    """Those of the program, then the TOML files of a person, each by the name of its file.

    Args:
        bundled: the folder of recipes that made the bundled models.
        own: that of a person's own; made when the first is saved.
    """

    def __init__(self, bundled: Path, own: Path) -> None:
        self._bundled = bundled
        self._own = own

    def read(self) -> tuple[tuple[Preset, ...], tuple[str, ...]]:
        """All presets, and a message on each file that is none."""
        messages: list[str] = []

        def recipes(folder: Path) -> Iterator[tuple[str, Recipe]]:
            for path in sorted(folder.glob("*.toml"), key=lambda path: path.stem.casefold()):
                try:
                    yield path.stem, Recipe.read(path)
                except RecipeError as error:
                    messages.append(f"Preset left out: {error}")

        found = (
            *first_presets(),
            *(as_computed_here(name, recipe) for name, recipe in recipes(self._bundled)),
            Preset(DEFAULT, Recipe()),
            *(Preset(name, recipe, own=True) for name, recipe in recipes(self._own)),
        )
        return found, tuple(messages)

    def save(self, name: str, recipe: Recipe) -> None:
        """Keep a recipe under a name; an own preset of this name, in whatever case, is replaced.

        Raises:
            UserError: the name cannot be a file's or is a bundled one's, or the disk refuses.
        """
        self._check(name)
        try:
            self._own.mkdir(parents=True, exist_ok=True)
            recipe.write(self._own / f"{name}.toml")
            for other in self._files(name):
                if other.stem != name:
                    other.unlink()
        except OSError as error:
            raise UserError(
                f"The preset “{name}” cannot be written to {self._own}: {error.strerror or error}."
            ) from error

    def delete(self, name: str) -> None:
        """Delete an own preset; nothing happens if there is none of this name.

        Raises:
            UserError: the disk refuses.
        """
        try:
            for path in self._files(name):
                path.unlink()
        except OSError as error:
            raise UserError(
                f"The preset “{name}” cannot be deleted from {self._own}: "
                f"{error.strerror or error}."
            ) from error

    def _files(self, name: str) -> list[Path]:
        """The own files of a name, which some disks tell apart by case and others do not."""
        wanted = name.casefold()
        return [path for path in self._own.glob("*.toml") if path.stem.casefold() == wanted]

    def _check(self, name: str) -> None:
        bundled = (path.stem for path in self._bundled.glob("*.toml"))
        if name.casefold() in map(str.casefold, (DEFAULT, *NAMES, *bundled)):
            raise UserError(f"“{name}” is a preset of the program; choose another name.")
        if not name.strip() or len(name) > LONGEST_NAME:
            raise UserError(f"The name of a preset has 1 to {LONGEST_NAME} characters.")
        if _FORBIDDEN.search(name) or name != name.strip(" .") or _DEVICES.fullmatch(name):
            raise UserError(
                f"“{name}” cannot be the name of a file everywhere; use letters, digits, spaces "
                "and hyphens."
            )
