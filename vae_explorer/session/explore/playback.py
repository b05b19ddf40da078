"""Travelling through the latent plane: the path that is shown, and the frame of it."""

import dataclasses
from collections.abc import Callable
from functools import partial

import numpy as np
from psygnal import Signal

from vae_explorer.latent.arithmetic import class_means
from vae_explorer.latent.trust import DataSupport
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.session.explore.latent_paths import (
    LEAST,
    MOST,
    Stop,
    Trip,
    TripRequest,
    travelled,
)
from vae_explorer.session.jobs import Job, Jobs
from vae_explorer.session.state import DataPoint, MapPoints


class Travel:
    """The path that is shown and the frame of it. All methods belong to the main thread.

    What a person chooses is answered at once, and only the newest. But a trip that is under way
    when the model or the cursor moves is finished first: while they move none would ever be.

    Args:
        jobs: where paths are found and decoded.
        fail: told what went wrong, with a title.
    """

    chosen = Signal(str, int, bool)
    """The kind, frames and closing of the path that is wanted, whoever chose them."""
    path_changed = Signal(object)
    """A ``Trip``, or None; ``frame`` may be another than before."""
    frame_changed = Signal(int, tuple)
    """A frame and its place (z₁, z₂), which the cursor is to follow."""
    progress = Signal(str)
    """What is being computed, or "" when nothing is."""

    def __init__(self, jobs: Jobs, fail: Callable[[str, BaseException], None]) -> None:
        self._jobs = jobs
        self._fail = fail
        self._request = TripRequest()
        self._job: Job | None = None
        self._again = False
        self._leading = False
        self._said = ""
        self.trip: Trip | None = None
        self.frame = 0
        """The frame that is shown; 0 if there is none."""

    # What a person chooses

    def choose(self, kind: str, n: int, closed: bool) -> None:
        """Travel another way; the same once more takes another random walk.

        Args:
            kind: of ``KINDS``, or "" for no path.
            n: frames; of "grid" the largest square within, of "classes" for each pair.
            closed: come back to the first stop, if the kind is closable.
        """
        old = self._request
        n = min(max(n, LEAST), MOST)
        again = (kind, n, closed) == (old.kind, old.n, old.closed)
        if kind != old.kind:
            self.frame = 0
        self.chosen.emit(kind, n, closed)
        self._change(kind=kind, n=n, closed=closed, seed=old.seed + again)

    def set_frame(self, frame: int) -> None:
        """Show a frame, of those there are the nearest."""
        trip = self.trip
        if trip is None or not len(trip.places):
            return
        self.frame = min(max(frame, 0), len(trip.places) - 1)
        z1, z2 = trip.places[self.frame].tolist()
        self._leading = True
        try:
            self.frame_changed.emit(self.frame, (z1, z2))
        finally:
            self._leading = False

    # What it depends on

    def set_model(self, model: TrainedVAE) -> None:
        """Decode by another model; the stops under it are to be set before."""
        if model is not self._request.model:
            # Class means are about to come, with the points.
            needed = self._request.kind != "classes"
            self._change(needed, patient=True, model=model, graph=[])

    def set_stops(self, stops: tuple[Stop, ...]) -> None:
        """Go through these places, in their order."""
        # The same images elsewhere are under another model, which is about to come.
        others = [stop.title for stop in stops] != [stop.title for stop in self._request.stops]
        self._change(
            others and self._request.kind in ("straight", "spherical", "geodesic"), stops=stops
        )

    def set_points(self, points: MapPoints) -> None:
        """Take the means of the classes from these points."""
        finite = np.isfinite(points.positions).all(1)
        places, labels = points.positions[finite], points.labels[finite]
        means = list(class_means(places, labels).values())
        found = np.array(means, np.float32).reshape(-1, 2)
        self._change(self._request.kind == "classes", patient=True, means=found)

    def set_cursor(self, z1: float, z2: float) -> None:
        """Lead rows, columns and circles by the cursor, unless it follows a frame itself."""
        if not self._leading:
            led = self._request.kind in ("row", "column", "circle")
            self._change(led, patient=True, cursor=(z1, z2))

    def set_subject(self, point: DataPoint | None) -> None:
        """Compute log p(x|z) of a pinned image, or of none."""
        old = self._request.subject
        other = (point and (point.split, point.index)) != (old and (old.split, old.index))
        self._change(other, subject=point)

    def set_support(self, support: DataSupport | None) -> None:
        """Rank q(z) among the codes of the data, or do not."""
        self._change(patient=True, support=support)

    def _change(self, needed: bool = True, *, patient: bool = False, **changes: object) -> None:
        self._request = dataclasses.replace(self._request, **changes)  # type: ignore[arg-type]
        if needed:
            self._refresh(patient)

    def _refresh(self, patient: bool = False) -> None:
        request = self._request
        if not request.kind:
            self._jobs.cancel("path")
            self._job, self._again = None, False
            self._say("")
            if self.trip is not None:
                self._show(None)
        elif request.model is None:
            pass
        elif patient and self._job and not self._job.finished:
            self._again = True
        else:
            self._again = False
            self._job = self._jobs.run_newest(
                "path",
                partial(travelled, request.model, request, self._say),
                done=self._show,
                failed=self._give_up,
                lane="layers",
            )

    def _show(self, trip: Trip | None) -> None:
        self._say("")
        self.trip = trip
        self.frame = min(self.frame, max(0, len(trip.places) - 1)) if trip else 0
        self.path_changed.emit(trip)
        self._go_on()

    def _give_up(self, error: BaseException) -> None:
        self._show(None)  # the last one was of something else
        self._fail("The path could not be found", error)

    def _go_on(self) -> None:
        if self._again:
            self._refresh()

    def _say(self, text: str) -> None:
        if text != self._said:
            self._said = text
            self.progress.emit(text)
