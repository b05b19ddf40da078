"""The run on screen and others beside it, and what each panel draws of them."""

from typing import Literal

from vae_explorer.gui.curves.curve_controls import RATE_DISTORTION, CurveChoices
from vae_explorer.gui.curves.curve_panel import CurvePanel
from vae_explorer.gui.curves.curve_table import PANELS, TIME_LABELS, Overlay, overlaid
from vae_explorer.gui.curves.panel import Panel
from vae_explorer.gui.curves.rate_distortion import RateDistortionPanel, RunPath
from vae_explorer.gui.curves.trace import TimeScale, Trace
from vae_explorer.session.training.run_history import RunHistory
from vae_explorer.training.meaning import Remark

_ROWS: tuple[Literal["all", "held_out"], ...] = ("all", "held_out")


class CurveRuns:
    """``history`` is that of the run on screen, which others may share."""

    def __init__(self) -> None:
        self.history = RunHistory()
        self.remark: Remark | None = None
        """Why its figures are no likelihood, if so."""
        self.overlays: tuple[Overlay, ...] = ()
        """The runs beside it."""

    @property
    def empty(self) -> bool:
        """Whether there is no run at all."""
        return not len(self.history) and not self.overlays

    @property
    def units(self) -> frozenset[str]:
        """What the run on screen can count time in."""
        return frozenset(unit for unit in TIME_LABELS if self.history.has_time(unit))

    @property
    def offered(self) -> frozenset[str]:
        """The panels that have something to say: not β and samples that are one throughout."""
        histories = (self.history, *(overlay.history for overlay in self.overlays))
        usual = {n for n in ("beta", "samples") if not any(h.unusual(n) for h in histories)}
        return frozenset((*(spec.id for spec in PANELS), RATE_DISTORTION)) - usual

    @property
    def conditions(self) -> tuple[object, ...]:
        """What decides which panels and curves there are; it seldom changes as a run goes on."""
        history = self.history
        exact = history.knows("held_out_log_marginal")
        return self.empty, history.own_objective, exact, self.offered, self.units

    def scale(self, wanted: TimeScale) -> TimeScale:
        """The one wanted; epochs where the run does not know the unit."""
        return wanted if wanted.unit in self.units else wanted._replace(unit="epoch")

    def panel(self, name: str, choices: CurveChoices) -> Panel:
        """A new panel of this name with its curves."""
        spec = {spec.id: spec for spec in PANELS}.get(name)
        panel = CurvePanel(spec) if spec else RateDistortionPanel()
        panel.name = name
        self.fill(panel, choices)
        return panel

    def fill(self, panel: Panel, choices: CurveChoices) -> None:
        """Give a panel its curves."""
        if isinstance(panel, CurvePanel):
            self._fill_curves(panel, choices)
        elif isinstance(panel, RateDistortionPanel):
            self._fill_paths(panel, choices)

    def _fill_curves(self, panel: CurvePanel, choices: CurveChoices) -> None:
        history, weight = self.history, choices.smoothing
        own = [
            Trace(history, curve, "", weight)
            for curve in panel.spec.curves
            if (curve.column != "objective" or history.own_objective)
            and (curve.rows != "exact" or history.knows(curve.column))
        ]
        foreign = [
            (name, [Trace(other, c, color, weight) for c in overlaid(panel.spec)])
            for name, color, other in self.overlays
        ]
        panel.set_remark(self.remark)
        panel.set_scale(self.scale(choices.scale), choices.log_y)
        panel.set_traces(own, foreign)

    def _fill_paths(self, panel: RateDistortionPanel, choices: CurveChoices) -> None:
        runs = [("", self.history), *((color, other) for _, color, other in self.overlays)]
        paths = [
            RunPath(history, rows, color, choices.smoothing)
            for color, history in runs
            for rows in _ROWS
        ]
        panel.set_paths(paths, [overlay.name for overlay in self.overlays])
