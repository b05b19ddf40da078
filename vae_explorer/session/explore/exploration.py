"""What is made of the place and the images a person looks at: paths, refinements, drawings."""

from collections.abc import Callable

import numpy as np
from psygnal import Signal

from vae_explorer.model.trained import Posterior, TrainedVAE
from vae_explorer.session.explore.cursor import Cursor
from vae_explorer.session.explore.data_support import TrustGauge
from vae_explorer.session.explore.inspector import CardSession
from vae_explorer.session.explore.latent_paths import Trip, marks_of, stops_of
from vae_explorer.session.explore.pins import Pins
from vae_explorer.session.explore.playback import Travel
from vae_explorer.session.explore.refinement import RefinementStep, Refining
from vae_explorer.session.explore.sketch import DrawnDigit
from vae_explorer.session.jobs import After, Jobs
from vae_explorer.session.map.layer_contents import Subject
from vae_explorer.session.map.map_layers import MapLayers
from vae_explorer.session.map.marks import Drawing, Ellipses
from vae_explorer.session.state import DataPoint, MapPoints, draw_seeds
from vae_explorer.types import LatentPoint


class Exploration:
    """Feeds paths, refinements and drawings with what they are of, and the map with them.

    All methods belong to the main thread.
    """

    refinable_changed = Signal(bool)
    """Another digit is looked at, or by another model, and whether there is one.

    What was refined is forgotten.
    """

    def __init__(
        self,
        jobs: Jobs,
        fail: Callable[[str, BaseException], None],
        after: After,
        cursor: Cursor,
        pins: Pins,
        layers: MapLayers,
    ) -> None:
        self.travel = Travel(jobs, fail)
        self.refining = Refining(jobs, fail, after)
        self.drawn = DrawnDigit(jobs, fail)
        self.trust = TrustGauge(jobs, fail, after)
        self.card = CardSession(jobs, fail)
        self.trust.support_changed.connect(self.travel.set_support)
        self._cursor = cursor
        self._pins = pins
        self._layers = layers
        self._model: TrainedVAE | None = None
        self._looked_at: tuple[str, int] | None = None
        cursor.changed.connect(self.travel.set_cursor)
        pins.tray_changed.connect(self._on_pins)
        self.travel.frame_changed.connect(self._on_frame)
        self.travel.path_changed.connect(self._on_path)
        self.refining.started.connect(self._clear_refined)
        self.refining.stepped.connect(self._on_refined)
        self.drawn.subject_changed.connect(self._on_drawn)

    def set_model(self, model: TrainedVAE) -> None:
        """Explore another model; the pins must have been told of it."""
        if model is not self._model:
            self._model = model
            self._forget_refined()
        self.card.set_point(model, self._pins.current)
        self.travel.set_model(model)
        self.drawn.set_model(model)

    def set_points(self, points: MapPoints, posterior: Posterior, moving: bool) -> None:
        """Explore among other points; ``moving`` ones will soon be elsewhere."""
        assert self._model is not None
        self.trust.set_points(self._model, points, posterior, moving)
        self.travel.set_points(points)
        self.drawn.set_points(points)

    def refine(self) -> None:
        """Refine the posterior of the pinned digit that is looked at, if there is one."""
        pinned = self._pins.current
        if self._model is not None and pinned is not None:
            seed = int(draw_seeds(pinned.split, np.array([pinned.index]))[0])
            self.refining.start(self._model, pinned.original, seed)

    def _on_pins(self, tray: tuple[DataPoint, ...]) -> None:
        self.travel.set_stops(stops_of(tray))
        pinned = self._pins.current
        self.travel.set_subject(pinned)
        if self._model is not None:
            self.card.set_point(self._model, pinned)
        looked_at = (pinned.split, pinned.index) if pinned else None
        if looked_at != self._looked_at:
            self._looked_at = looked_at
            self._forget_refined()

    def _on_frame(self, _: int, place: LatentPoint) -> None:
        self._cursor.scrub(*place)

    def _on_path(self, trip: Trip | None) -> None:
        self._layers.show("path", Drawing(marks_of(trip), trip.note if trip else ""))

    def _on_refined(self, step: RefinementStep) -> None:
        mark = Ellipses(step.mean[None], step.covariance[None])
        self._layers.show("refined", Drawing((mark,), f"Step {step.step} of {step.steps}"))

    def _forget_refined(self) -> None:
        self.refining.forget()
        self._clear_refined()
        self.refinable_changed.emit(self._pins.current is not None)

    def _clear_refined(self) -> None:
        self._layers.show("refined", Drawing(note="Pin a digit and press Refine."))

    def _on_drawn(self, subject: Subject | None) -> None:
        self._layers.set_drawn(subject)
