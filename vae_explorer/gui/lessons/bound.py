"""The view of the bound: q over the exact posterior, and the bars that always add up."""

from collections.abc import Collection
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from typing_extensions import override

from vae_explorer.gui.explore.decode.digit_view import DigitView
from vae_explorer.gui.lessons.bound_bars import BoundBars
from vae_explorer.gui.lessons.bound_plane import BoundPlane
from vae_explorer.gui.lessons.lesson_view import LessonView
from vae_explorer.gui.widgets.rows import button, column, fill, held, row
from vae_explorer.session.lessons.bound import BoundExperiment, BoundResult
from vae_explorer.session.lessons.experiment import differs

_LEAST = 84  # pixels
_DIGITS, _SHARE = 132, 7
"""Pixels across the column of digits, and in how many the width is shared where it is larger."""

_PUT = {
    "encoder": ("Encoder’s q", "Set q to what the encoder predicts for this digit"),
    "moments": ("Posterior’s Moments", "Give q the mean and the covariance of the exact posterior"),
    "prior": ("Prior", "Make q the prior, which says nothing about the digit"),
}


class BoundView(LessonView):
    """Controls a lesson may hide: ``encoder``, ``moments``, ``prior``, ``refine``, ``log``.

    So too the rows ``terms`` and ``gap`` of the bars.
    """

    experiment: BoundExperiment
    readouts = ("terms", "gap")

    def __init__(self, experiment: BoundExperiment) -> None:
        super().__init__(experiment)
        self.plane = BoundPlane()
        self.bars = BoundBars()
        self._digit = DigitView("The digit", "x", least=_LEAST)
        self._digit.setToolTip(
            "The digit as it is scored: one sample of the model's data treatment"
        )
        self._decoded = DigitView("Decoded mean of q", "decoded mean of q", "q’s mean", _LEAST)
        put = {name: button(*words, partial(experiment.put, name)) for name, words in _PUT.items()}
        tip = "Climb the ELBO from where q is; again to stop"
        self._refine = button("Refine", tip, self._on_refine)
        fit = button("Show All", "Show the posterior and q (Home)", experiment.fit)
        log = self.form.rows["log"]
        self.controls = {**put, "refine": self._refine, "log": log}
        self._side = held(column((self._digit, 1), (self._decoded, 1)))
        top = row((self.plane, 1), self._side)
        top.setAlignment(self._side, Qt.AlignmentFlag.AlignTop)
        fill(self.page, (top, 1), row(*put.values(), self._refine, None, log, fit), self.bars)
        self.plane.q_moved.connect(experiment.set_q)
        self.plane.view_changed.connect(lambda: experiment.move(view=self.plane.view))
        self.plane.reset_requested.connect(experiment.fit)
        self.start()

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        width = max(_DIGITS, self.width() // _SHARE)
        self._side.setFixedSize(width, self._digit.height_for(width) * 2 + 8)

    def set_hidden(self, names: Collection[str]) -> None:
        """Hide controls and rows."""
        super().set_hidden(names)
        self.bars.set_rows("terms" not in names, "gap" not in names)

    def draw(self, old: BoundResult | None) -> None:
        """Draw what has changed."""
        found = self.experiment.result
        truth = found.truth
        if differs(found, old, "truth"):
            self._digit.set_image(truth.x[0] if truth else None)
            self._digit.set_caption(f"x: {truth.target_image.title}" if truth else "x", "x")
        if differs(found, old, "q"):
            self.plane.set_q(found.q)
            self._decoded.set_image(found.decoded)
        if differs(found, old, "bound", "best", "truth"):
            self.bars.set_waiting(not self.tells("elbo", "kl_post", "recon", "kl_prior"))
            self.bars.show_bound(found.bound, truth.known.error if truth else 0.0, found.gap)
        if differs(found, old, "picture"):
            self.plane.set_picture(found.picture)
        self._refine.setText("Stop" if found.refining else "Refine")
        self.plane.set_title(self.plane.plot.title, *self.axes)
        self.plane.set_view(self.experiment.sight)

    def _on_refine(self) -> None:
        found = self.experiment.result
        if found.refining and found.q:
            self.experiment.set_q(found.q)  # a hand has put it there
        else:
            self.experiment.refine()
