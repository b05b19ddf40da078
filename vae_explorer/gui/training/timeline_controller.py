"""Wires the time machine to its bar and to the curves."""

from collections.abc import Callable

from vae_explorer.gui.training.timeline_bar import TimeBar
from vae_explorer.gui.training.training_panel import TrainingPanel
from vae_explorer.session.app import Explorer
from vae_explorer.session.training.timeline_frames import FilmFrame


class TimeController:
    """Sends what is chosen of the past of a run to the explorer, and shows what it says."""

    def __init__(self, explorer: Explorer, bar: TimeBar, training: TrainingPanel) -> None:
        self._time = explorer.lab.time
        self._bar = bar
        self._training = training
        bar.moment_chosen.connect(self._time.show)
        bar.live_requested.connect(self._time.return_live)
        bar.play_requested.connect(self._play)
        training.moment_chosen.connect(self._time.show_epoch)
        self._time.film_changed.connect(bar.set_frames)
        self._time.shown_changed.connect(self._on_shown)
        self._time.playing_changed.connect(bar.set_playing)

    def handlers(self) -> dict[str, Callable[[], object]]:
        """What its commands do."""
        return {
            "moment_back": self._time.back,
            "moment_forward": self._time.forward,
            "moment_play": self._toggle,
            "moment_live": self._time.return_live,
        }

    def _play(self, playing: bool) -> None:
        (self._time.play if playing else self._time.pause)()

    def _toggle(self) -> None:
        self._play(not self._time.playing)

    def _on_shown(self, frame: FilmFrame | None) -> None:
        self._bar.set_shown(frame)
        self._training.set_moment(None if frame is None else frame.epoch)
