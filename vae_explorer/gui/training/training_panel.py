"""The training dock: transport, health and the choice of a recipe."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from vae_explorer.errors import RecipeError
from vae_explorer.gui.runs.preset_bar import PresetBar
from vae_explorer.gui.theme import MARGIN, SPACE
from vae_explorer.gui.training.health_banner import HealthBanner
from vae_explorer.gui.training.interrupted_banner import InterruptedBanner
from vae_explorer.gui.training.recipe_form import CHANGED, LIVE, RecipeForm
from vae_explorer.gui.training.stop_rule_form import StopRuleForm
from vae_explorer.gui.training.transport import Transport
from vae_explorer.gui.widgets.readout import Readout
from vae_explorer.gui.widgets.rows import Scrolled
from vae_explorer.session.training.events import Phase, TrainingStatus
from vae_explorer.training.presets import Preset
from vae_explorer.training.recipe import Recipe

_LEAST_WIDE = 900
_MOST_LINES = 18
"""Of the height that the panel asks for."""

_LEGEND = f"{CHANGED} changed"
_LIVE_LEGEND = f"{_LEGEND} · {LIVE} takes effect at the next step of the run"


class FormArea(Scrolled):
    """Scrolls a form up and down; it is never narrower than the form."""

    def __init__(self, form: QWidget) -> None:
        super().__init__(form)
        self._form = form

    @override
    def minimumSizeHint(self) -> QSize:
        width = self._form.minimumSizeHint().width() + self.verticalScrollBar().sizeHint().width()
        return QSize(width, 60)

    @override
    def sizeHint(self) -> QSize:
        return QSize(self.minimumSizeHint().width(), self._form.sizeHint().height())


class TrainingPanel(QWidget):
    """What starts, steers and ends a run, for a tall dock at the side or a wide one below.

    Its parts have signals of their own: ``transport``, ``interrupted``, ``presets``, ``form`` and
    ``stop_rule``; ``change`` folds the last two away.

    Signals:
        recipe_changed(Recipe): a person changed a field or took another recipe.
        shown(): it came into sight.
    """

    recipe_changed = Signal(object)
    shown = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._phase = Phase.IDLE
        self._live = False
        self.transport = Transport()
        self.interrupted = InterruptedBanner()
        self.health = HealthBanner()
        self.presets = PresetBar()
        self.presets.chosen.connect(self._on_preset)
        self.change = QToolButton()
        self.change.setText("Change…")
        self.change.setCheckable(True)
        self.change.setAutoRaise(True)
        self.change.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.change.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.change.setToolTip("Show the recipe field by field, and when to stop early")
        self.change.toggled.connect(self._unfold)
        self.form = RecipeForm()
        self.form.recipe_changed.connect(self._on_recipe)
        self.form.pointed.connect(self._on_pointed)
        self.stop_rule = StopRuleForm()
        fields = QWidget()
        column = QVBoxLayout(fields)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.form)
        column.addWidget(self.stop_rule)
        column.addStretch(1)
        self.stop_rule.setContentsMargins(MARGIN, 0, MARGIN, SPACE)
        self._area = FormArea(fields)
        self._area.setFocusPolicy(Qt.FocusPolicy.ClickFocus)  # it has the keyboard as a run stops
        self._area.setAccessibleName("Recipe")
        self._help = Readout(lines=2, growing=True)
        line = QHBoxLayout()
        line.setContentsMargins(MARGIN, 0, MARGIN, 0)
        line.addWidget(self._help)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE)
        layout.setSizeConstraint(QVBoxLayout.SizeConstraint.SetNoConstraint)
        layout.addWidget(self.transport)
        layout.addWidget(self.interrupted)
        layout.addWidget(self.health)
        layout.addWidget(self.presets)
        layout.addWidget(self.change)
        layout.addWidget(self._area, 1)
        layout.addLayout(line)
        layout.addStretch()
        self._column = layout
        self.set_status(TrainingStatus(Phase.IDLE))
        self._on_pointed("")
        self._unfold(False)

    def set_status(self, status: TrainingStatus) -> None:
        """Show where training stands, and offer what can be done there."""
        phase = status.phase
        idle = phase is Phase.IDLE
        self._live = phase in (Phase.RUNNING, Phase.PAUSED)
        if phase is not self._phase:
            self._phase = phase
            focus = self.focusWidget()
            locked = not idle and (
                self.presets.isAncestorOf(focus) or self.form.locks(focus, live=self._live)
            )
            if locked or self.transport.offers().get(focus) is False:
                # Qt would send the keyboard through the form as it is locked, field by field.
                heir: QWidget = self._area if self._area.isVisible() else self.change
                if idle:
                    heir = self.transport.start
                elif self._live:
                    heir = self.transport.buttons["pause"]
                heir.setEnabled(True)
                heir.setFocus()
            self.form.set_editable(idle, live=self._live)
            self.presets.set_editable(idle)
            self._on_pointed("")
        self.transport.set_status(status)

    @property
    def phase(self) -> Phase:
        """Where training stands, as shown."""
        return self._phase

    def recipe(self) -> Recipe:
        """The recipe as it stands in the form, with what is being typed.

        Raises:
            RecipeError: what was typed into a field is not understood; the form is unfolded.
        """
        try:
            return self.form.recipe()
        except RecipeError:
            self.change.setChecked(True)
            return self.form.recipe()  # which has the keyboard go to the field

    def set_recipe(self, recipe: Recipe) -> None:
        """Show a recipe in the form, which marks from now on what is changed of it."""
        self.form.set_recipe(recipe)
        self.form.set_base(recipe)
        self.presets.set_recipe(recipe)

    def take_recipe(self, recipe: Recipe) -> None:
        """Show a recipe that a person chose."""
        self.set_recipe(recipe)
        self.recipe_changed.emit(recipe)

    def forget_run(self) -> None:
        """Show nothing of the run before but its curves."""
        self.interrupted.hide()
        self.health.clear()

    @override
    def minimumSizeHint(self) -> QSize:
        """Small both ways, as a dock may be moved or turned; what is folded has no room."""
        if self.change.isChecked():
            return QSize(320, 220)
        needs = self._column.minimumSize().height()
        if self._column.hasHeightForWidth():
            needs = max(needs, self._column.minimumHeightForWidth(max(self.width(), 320)))
        return QSize(320, min(needs, _MOST_LINES * self.fontMetrics().height()))

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.shown.emit()

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        wide = self.width() > max(1.4 * self.height(), _LEAST_WIDE)
        self.transport.set_wide(wide)
        self.form.set_columns(2 if wide else 1)

    def _unfold(self, shown: bool) -> None:
        self._area.setVisible(shown)
        self._help.setVisible(shown)
        self._column.setStretch(self._column.count() - 1, int(not shown))
        self.change.setArrowType(Qt.ArrowType.DownArrow if shown else Qt.ArrowType.RightArrow)

    def _on_preset(self, preset: Preset) -> None:
        self.take_recipe(preset.recipe)

    def _on_recipe(self, recipe: Recipe) -> None:
        self.presets.set_recipe(recipe)
        self.recipe_changed.emit(recipe)

    def _on_pointed(self, text: str) -> None:
        self._help.set_text(text or (_LIVE_LEGEND if self._live else _LEGEND))
