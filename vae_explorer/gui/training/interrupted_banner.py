"""Offers to go on with a run whose program ended without warning."""

from html import escape

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QPushButton

from vae_explorer.gui.training.banner import Banner
from vae_explorer.session.runs.run_info import RunInfo


class InterruptedBanner(Banner):
    """The run, where it stopped, and a button.

    Signals:
        resume_requested(RunInfo): a person wants it to go on.
    """

    resume_requested = Signal(object)

    def __init__(self) -> None:
        self._resume = QPushButton("Resume")
        self._resume.setToolTip("Go on with the run from where it was saved last")
        super().__init__(
            "Interrupted run", "Dismiss; the run stays in the list of runs", self._resume
        )
        self._run: RunInfo | None = None
        self._resume.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._resume.clicked.connect(self._on_resume)

    def set_run(self, run: RunInfo) -> None:
        """Offer it."""
        assert run.recipe is not None
        self._run = run
        self.say(
            f"<b>A run was interrupted.</b> {escape(run.name)} was saved last at epoch "
            f"{run.figures.epoch:,.2f} of {run.recipe.epochs:,}."
        )

    def _on_resume(self) -> None:
        self.hide()
        self.resume_requested.emit(self._run)
