"""What of the settings the map shows: the split, the kind of its points, their alignment."""

from dataclasses import replace

from vae_explorer.session.files.settings import Settings
from vae_explorer.session.files.settings_file import SettingsFile
from vae_explorer.session.map.latent_map import LatentMap, MapChoice
from vae_explorer.session.runs.runs import Runs
from vae_explorer.types import Split


def map_choice(settings: Settings) -> MapChoice:
    """What a map shows by these settings."""
    return MapChoice(settings.split, settings.kind, settings.align)


class MapSettings:
    """Changes them, and lets the map follow. All methods belong to the main thread."""

    def __init__(self, settings: SettingsFile, latent_map: LatentMap, runs: Runs) -> None:
        self._settings = settings
        self._map = latent_map
        self._runs = runs
        settings.changed.connect(self._on_settings)

    def set_split(self, split: Split) -> None:
        """Show other images; not while training."""
        if split != self._settings.now.split and not self._runs.training.active:
            self._settings.change(replace(self._settings.now, split=split))
            self._runs.reload()

    def set_kind(self, kind: str) -> None:
        """Show the encoder's "mean", a "sample" from q(z|x) or the "exact" posterior's mean."""
        if kind != self._settings.now.kind:
            self._settings.change(replace(self._settings.now, kind=kind))

    def set_aligned(self, aligned: bool) -> None:
        """Rotate every other model's plane so that it compares with the one before, or do not."""
        if aligned != self._settings.now.align:
            self._settings.change(replace(self._settings.now, align=aligned))

    def _on_settings(self, settings: Settings) -> None:
        self._map.choose(map_choice(settings))
