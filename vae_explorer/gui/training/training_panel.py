"""The training dock: transport, progress, recipe, curves and log."""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSplitter,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from vae_explorer.gui.readout import Readout
from vae_explorer.gui.theme import Theme
from vae_explorer.gui.training.log_view import LogView
from vae_explorer.gui.training.plots import ElboPlot, Overlay
from vae_explorer.gui.training.progress_text import describe
from vae_explorer.gui.training.recipe_form import RecipeForm
from vae_explorer.session import Recipe
from vae_explorer.session.state import HistoryPoint, Phase, TrainingStatus

_PROGRESS_STEPS = 1_000
_LEAST_WIDE = 900


class FormArea(QScrollArea):
    """Scrolls a form up and down; it is never narrower than the form."""

    def __init__(self, form: QWidget) -> None:
        super().__init__()
        self._form = form
        self.setWidget(form)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def minimumSizeHint(self) -> QSize:
        """The form's least width, and a few rows."""
        width = self._form.minimumSizeHint().width() + self.verticalScrollBar().sizeHint().width()
        return QSize(width, 60)

    def sizeHint(self) -> QSize:
        """All of the form."""
        return QSize(self.minimumSizeHint().width(), self._form.sizeHint().height())


class TrainingPanel(QWidget):
    """Everything about a training run, for a tall dock at the side or a wide one below.

    Signals:
        start_requested(Recipe), pause_requested(), resume_requested(), stop_requested(),
        reset_requested(): a button.
        recipe_changed(Recipe): a person changed a field.
        moment_chosen(float): a person chose this epoch in the curves.
        curves_export_requested(): a person wants to keep the curves; ``export_curves`` has them.
    """

    start_requested = Signal(object)
    pause_requested = Signal()
    resume_requested = Signal()
    stop_requested = Signal()
    reset_requested = Signal()
    recipe_changed = Signal(object)
    moment_chosen = Signal(float)
    curves_export_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._phase = Phase.IDLE
        self._start = QPushButton("Start")
        self._start.setToolTip("Train a new model with this recipe")
        self._start.clicked.connect(self._on_start)
        self._pause = QPushButton("Pause")
        self._pause.clicked.connect(self._on_pause)
        self._stop = QPushButton("Stop")
        self._stop.setToolTip("End the run and keep the model as it is")
        self._stop.clicked.connect(self.stop_requested)
        self._reset = QPushButton("Reset")
        self._reset.setToolTip("Back to the bundled model")
        self._reset.clicked.connect(self.reset_requested)
        transport = QHBoxLayout()
        transport.setSpacing(4)
        for button in (self._start, self._pause, self._stop, self._reset):
            # Four of them must fit into a narrow dock.
            button.setMinimumWidth(button.fontMetrics().horizontalAdvance("Resume") + 20)
            transport.addWidget(button)

        self._progress = QProgressBar()
        self._progress.setRange(0, _PROGRESS_STEPS)
        self._progress.setAccessibleName("Training progress")
        self._line = Readout(lines=2)
        self._header = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._header.setContentsMargins(6, 6, 6, 0)
        self._header.addLayout(transport)
        self._header.addWidget(self._progress, 1)
        self._header.addWidget(self._line, 2)

        self._form = RecipeForm()
        self._form.recipe_changed.connect(self.recipe_changed)
        self._plot = ElboPlot()
        self._plot.moment_chosen.connect(self.moment_chosen)
        self._plot.export_requested.connect(self.curves_export_requested)
        self._log = LogView()
        self._tabs = QTabWidget()
        self._tabs.setDocumentMode(True)
        self._tabs.addTab(self._plot, "Plot")
        self._tabs.addTab(self._log, "Log")
        self._splitter = QSplitter(Qt.Orientation.Vertical)
        self._splitter.setChildrenCollapsible(False)
        self._area = FormArea(self._form)
        self._splitter.addWidget(self._area)
        self._splitter.addWidget(self._tabs)
        self._splitter.splitterMoved.connect(self._on_splitter_moved)
        self._form.rest_toggled.connect(self._share_space)
        self._share_is_theirs = False

        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSizeConstraint(QVBoxLayout.SizeConstraint.SetNoConstraint)
        layout.addLayout(self._header)
        layout.addWidget(self._splitter, 1)
        self.set_status(TrainingStatus(Phase.IDLE))
        self._arrange(wide=False)

    def set_status(self, status: TrainingStatus) -> None:
        """Show where training stands, and offer what can be done there."""
        idle, paused = status.phase is Phase.IDLE, status.phase is Phase.PAUSED
        active = paused or status.phase is Phase.RUNNING
        enabled: dict[QWidget, bool] = {
            self._start: idle,
            self._pause: active,
            self._stop: active,
            self._reset: idle,
        }
        if status.phase is not self._phase:
            self._phase = status.phase
            focus = self.focusWidget()
            if enabled.get(focus) is False or (not idle and self._form.isAncestorOf(focus)):
                # Qt would send the keyboard through the form as it is locked, field by field.
                heir = self._start if idle else self._pause if active else self._tabs
                heir.setEnabled(True)
                heir.setFocus()
        for button, on in enabled.items():
            button.setEnabled(on)
        self._pause.setText("Resume" if paused else "Pause")
        self._form.set_editable(idle)
        share = status.epoch / status.epochs if status.epochs else 0.0
        self._progress.setValue(round(_PROGRESS_STEPS * min(share, 1.0)))
        self._line.set_text(describe(status))

    def recipe(self) -> Recipe:
        """The recipe in the form, with what is being typed if that is complete."""
        return self._form.recipe()

    def set_recipe(self, recipe: Recipe) -> None:
        """Show a recipe in the form."""
        self._form.set_recipe(recipe)

    def set_base(self, recipe: Recipe) -> None:
        """Mark the fields of the form that differ from this recipe."""
        self._form.set_base(recipe)

    def set_history(self, points: Sequence[HistoryPoint]) -> None:
        """Show the figures of a run, in order of epoch."""
        self._plot.set_history(points)

    def append_history(self, points: Sequence[HistoryPoint]) -> None:
        """Add later figures of the run."""
        self._plot.append(points)

    def set_overlays(self, overlays: tuple[Overlay, ...]) -> None:
        """Draw other runs beside this one."""
        self._plot.set_overlays(overlays)

    def set_moment(self, epoch: float | None) -> None:
        """Mark the moment that the rest of the window shows, or none."""
        self._plot.set_moment(epoch)

    def export_curves(self, kind: str) -> bytes:
        """The curves as a file of this kind; see ``ElboPlot.export``."""
        return self._plot.export(kind)

    def log(self, text: str) -> None:
        """Add a line to the log."""
        self._log.append(text)

    def set_theme(self, theme: Theme) -> None:
        """Take the theme's colours."""
        self._plot.set_theme(theme)

    def minimumSizeHint(self) -> QSize:
        """Small in both directions, whatever the layout now: a dock may be moved or turned."""
        return QSize(320, 220)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Suit the layout to a tall or a wide space."""
        super().resizeEvent(event)
        wide = self.width() > max(1.4 * self.height(), _LEAST_WIDE)
        if wide != (self._splitter.orientation() == Qt.Orientation.Horizontal):
            self._arrange(wide)
        if not self._share_is_theirs:
            self._share_space()

    def _arrange(self, wide: bool) -> None:
        directions = QBoxLayout.Direction
        self._header.setDirection(directions.LeftToRight if wide else directions.TopToBottom)
        # Two lines in a narrow place: the progress bar must not jump when the text grows.
        self._line.set_lines(1 if wide else 2)
        self._form.set_columns(2 if wide else 1)
        self._splitter.setOrientation(
            Qt.Orientation.Horizontal if wide else Qt.Orientation.Vertical
        )
        self._share_is_theirs = False

    def _share_space(self) -> None:
        """Give the form what it asks for and the plot the rest."""
        wide = self._splitter.orientation() == Qt.Orientation.Horizontal
        whole = self._splitter.width() if wide else self._splitter.height()
        hint = self._area.sizeHint()
        share = hint.width() if wide else hint.height()
        self._splitter.setSizes([share, max(whole - share - self._splitter.handleWidth(), 1)])

    def _on_splitter_moved(self) -> None:
        self._share_is_theirs = True

    def _on_start(self) -> None:
        self.start_requested.emit(self.recipe())

    def _on_pause(self) -> None:
        (self.resume_requested if self._phase is Phase.PAUSED else self.pause_requested).emit()
