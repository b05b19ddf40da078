"""Between the training timeline and its bar under the map."""

from collections.abc import Callable

from vae_explorer.gui.curves.plots import ElboPlot
from vae_explorer.gui.training.timeline_bar import TimelineBar
from vae_explorer.gui.window.actions import tip
from vae_explorer.gui.window.records import Command, Controller
from vae_explorer.session.app import App
from vae_explorer.session.training.timeline_entry import TimelineEntry
from vae_explorer.training.meaning import no_likelihood

_NO_FILM = (
    "A film is made of a run whose model is on the map; wait for its end, or open one's model"
)
_NO_SNAPSHOTS = "This model came without snapshots of its training; one of a run's folder has them"


class TimelineController(Controller):
    """The bar, and the moment marked in the curves.

    Args:
        app: has the timeline.
        curves: of its run.
        export: asks how to export something of this kind.
    """

    def __init__(self, app: App, curves: ElboPlot, export: Callable[[str], None]) -> None:
        super().__init__(app)
        self._export = export
        self._time = app.runs.timeline
        self._curves = curves
        self.bar = TimelineBar()
        self.bar.moment_chosen.connect(self._time.show)
        self.bar.live_requested.connect(self._time.return_live)
        self.bar.play_requested.connect(self._play)
        curves.moment_chosen.connect(self._on_chosen)
        self._time.entries_changed.connect(self.bar.set_frames)
        self._time.shown_changed.connect(self._on_shown)
        self._time.playing_changed.connect(self.bar.set_playing)
        self.commands = (
            Command("moment_play", "Training", "Play the Training",
                "Play the snapshots of the run, or pause",
                lambda: self._play(not self._time.playing), ("Ctrl+P",), separator=True),
            Command("moment_back", "Training", "Previous Snapshot", "Go back in the run",
                self._time.back, ("Alt+PgUp", "[")),
            Command("moment_forward", "Training", "Next Snapshot", "Go on in the run",
                self._time.forward, ("Alt+PgDown", "]")),
            Command("moment_live", "Training", "Live", "Show the run as it is now",
                self._time.return_live, ("Ctrl+L",)),
            Command("export_film", "Training", "Export Film…",
                "Write map, decoded sheet and curves of the run, from snapshot to snapshot",
                self._export_film),
        )  # fmt: skip
        self._show_keys()
        app.settings.changed.connect(self._show_keys)

    def _show_keys(self) -> None:
        self.bar.set_live_tip(tip(self.commands_as_chosen()[3]))

    def _play(self, playing: bool) -> None:
        (self._time.play if playing else self._time.pause)()

    def _export_film(self) -> None:
        if "film" in self._app.exports.offers():
            self._export("film")
        else:
            self._app.messages.published.emit(_NO_FILM)

    def _on_chosen(self, epoch: float) -> None:
        if self._time.has_moments:
            self._time.show_epoch(epoch)
        else:
            self._app.messages.published.emit(_NO_SNAPSHOTS)

    def _on_shown(self, frame: TimelineEntry | None) -> None:
        self.bar.set_shown(frame, no_likelihood(self._app.model.recipe))
        self._curves.set_moment(None if frame is None else frame.epoch)
