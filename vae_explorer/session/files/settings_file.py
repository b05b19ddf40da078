"""The present settings, and the file that remembers them."""

from functools import partial

from psygnal import Signal

from vae_explorer import paths
from vae_explorer.session.files.settings import Settings
from vae_explorer.session.tasks import Tasks


class SettingsFile:
    """Main thread only.

    Args:
        tasks: where they are saved.
        settings: as they were remembered.
        kept: whether changes are; not by a window that nobody sees.
    """

    changed = Signal(Settings)

    def __init__(self, tasks: Tasks, settings: Settings, *, kept: bool = True) -> None:
        self._tasks = tasks
        self._kept = kept
        self.start = self.now = settings
        """As they were remembered, and as they are."""

    def change(self, settings: Settings) -> None:
        """Take other settings, and save them off the main thread."""
        write = partial(settings.write, paths.settings_file(), since=self.now)
        self.now = settings
        if self._kept:
            self._tasks.write(write, lambda: None, "The settings were not saved")
        self.changed.emit(settings)
