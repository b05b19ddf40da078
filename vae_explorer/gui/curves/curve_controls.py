"""What a person chooses about the training curves: which, over what, how smooth."""

from dataclasses import dataclass, field

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QMenu, QToolButton, QWidget

from vae_explorer.gui.curves.curve_table import PANELS, TIME_LABELS
from vae_explorer.gui.curves.trace import TimeScale
from vae_explorer.gui.theme import MARGIN, SPACE
from vae_explorer.gui.widgets.number_box import NumberBox

RATE_DISTORTION = "rate_distortion"
_UNITS = {"epoch": "Epochs", "step": "Steps", "seconds": "Seconds"}
_SMOOTHEST = 0.99


@dataclass(frozen=True)
class CurveChoices:
    """The optional panels shown, the axes, and the weight of the past in averages."""

    panels: frozenset[str] = field(default_factory=frozenset)
    scale: TimeScale = field(default_factory=TimeScale)
    log_y: bool = False
    smoothing: float = 0.0


def panels_of(chosen: frozenset[str]) -> list[str]:
    """The panels that are always shown, and of the others those that are chosen, in their order."""
    names = [spec.id for spec in PANELS if not spec.optional or spec.id in chosen]
    return [*names, RATE_DISTORTION] if RATE_DISTORTION in chosen else names


class CurveControls(QWidget):
    """A row of menus, and a button to ``export``, that fits a narrow dock.

    Signals:
        choices_changed(CurveChoices): a person chose something.
    """

    choices_changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._panels: dict[str, QAction] = {}
        curves = QMenu(self)
        curves.setToolTipsVisible(True)
        for spec in PANELS:
            if spec.optional:
                self._panels[spec.id] = self._check(curves, spec.title, spec.tip)
        self._panels[RATE_DISTORTION] = self._check(
            curves, "Rate–distortion", "KL against −log p(x|z) as training goes on"
        )
        axes = QMenu(self)
        axes.setToolTipsVisible(True)
        group = QActionGroup(axes)
        self._units: dict[str, QAction] = {}
        for unit in TIME_LABELS:
            self._units[unit] = self._check(axes, _UNITS[unit], f"Show time in {_UNITS[unit]}")
            group.addAction(self._units[unit])
        self._units["epoch"].setChecked(True)
        axes.addSeparator()
        self._log_x = self._check(axes, "Logarithmic Time", "Show the start of a run in detail")
        self._log_y = self._check(
            axes,
            "Logarithmic Values",
            "For learning rate and gradient norm; log-likelihoods are logarithms already",
        )
        self._smoothing = NumberBox(0, _SMOOTHEST, 0.05, decimals=2, even=True)
        self._smoothing.setAccessibleName("Smoothing")
        self._smoothing.setToolTip(
            "Weight of the past in a moving average of the training figures; those reported stay "
            "pale behind it. Held-out figures have no noise of minibatches and stay as they are"
        )
        self._smoothing.setPrefix("Smooth ")
        self._smoothing.valueChanged.connect(self._tell)
        self.export = export = QToolButton()
        export.setText("Export…")
        export.setToolTip("Save the curves as a picture (PNG, SVG, PDF) or a table (CSV)")
        row = QHBoxLayout(self)
        row.setContentsMargins(MARGIN, SPACE, MARGIN, 0)
        row.setSpacing(SPACE)
        row.addWidget(_menu_button("Curves", "Show more curves", curves))
        row.addWidget(_menu_button("Axes", "Count time in epochs, steps or seconds", axes))
        row.addWidget(self._smoothing)
        row.addStretch(1)
        row.addWidget(export)

    @property
    def choices(self) -> CurveChoices:
        """What is chosen."""
        unit = next(unit for unit in TIME_LABELS if self._units[unit].isChecked())
        return CurveChoices(
            frozenset(name for name, action in self._panels.items() if action.isChecked()),
            TimeScale(unit, self._log_x.isChecked()),
            self._log_y.isChecked(),
            self._smoothing.value(),
        )

    def set_choices(self, choices: CurveChoices) -> None:
        """Show what is chosen."""
        for name, action in self._panels.items():
            action.setChecked(name in choices.panels)
        self._units[choices.scale.unit].setChecked(True)
        self._log_x.setChecked(choices.scale.log)
        self._log_y.setChecked(choices.log_y)
        self._smoothing.blockSignals(True)
        self._smoothing.setValue(choices.smoothing)
        self._smoothing.blockSignals(False)

    def set_known(self, panels: frozenset[str], units: frozenset[str]) -> None:
        """Offer only panels and units of time of which this run has figures."""
        for offered, known in ((self._panels, panels), (self._units, units)):
            for name, action in offered.items():
                action.setEnabled(name in known)

    def _check(self, menu: QMenu, text: str, tip: str) -> QAction:
        action = menu.addAction(text)
        action.setCheckable(True)
        action.setToolTip(tip)
        action.triggered.connect(self._tell)
        return action

    def _tell(self) -> None:
        self.choices_changed.emit(self.choices)


def _menu_button(text: str, tip: str, menu: QMenu) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setToolTip(tip)
    button.setMenu(menu)
    button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
