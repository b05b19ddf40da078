"""When a run is to end before its recipe does: four conditions, each with a check box."""

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QCheckBox, QGridLayout, QToolButton, QVBoxLayout, QWidget

from vae_explorer.gui.theme import SPACE
from vae_explorer.gui.widgets.number_box import NumberBox
from vae_explorer.gui.widgets.wheel_guard import spare_from_wheel
from vae_explorer.number_format import figure
from vae_explorer.training.stopping import StopRule

_HELP = {
    "epoch": ("At epoch", "End the run when this epoch is reached; parts of one count"),
    "seconds": ("After", "End the run after this many seconds of training, not counting pauses"),
    "elbo": ("At held-out ELBO", "End the run when the held-out ELBO, nats an image, is as high"),
    "plateau": (
        "On a plateau of",
        "End the run when the held-out ELBO has not risen by more than "
        f"{StopRule().least_gain:g} nats in this many epochs",
    ),
}


class StopRuleForm(QWidget):
    """Folded, it is one line that says the rule.

    Signals:
        rule_changed(StopRule): a person changed the rule.
        toggled(): it was folded or unfolded.
    """

    rule_changed = Signal(object)
    toggled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._editors: dict[str, NumberBox] = {
            "epoch": NumberBox(0.01, 10_000, 1, "epochs"),
            "seconds": NumberBox(1, 1e7, 10, "s"),
            "elbo": NumberBox(-100_000, 100_000, 1, "nats"),
            "plateau": NumberBox(1, 1_000, unit="epochs", whole=True, even=True),
        }
        for name, value in {"epoch": 10, "seconds": 300, "elbo": -150, "plateau": 5}.items():
            self._editors[name].setValue(value)
        self._header = QToolButton()
        self._header.setCheckable(True)
        self._header.setAutoRaise(True)
        self._header.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._header.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._header.setArrowType(Qt.ArrowType.RightArrow)
        self._header.setToolTip("End the run before its recipe does, at whichever comes first")
        self._header.toggled.connect(self._on_toggled)
        self._body = QWidget()
        grid = QGridLayout(self._body)
        grid.setContentsMargins(3 * SPACE, 0, 0, 0)
        grid.setVerticalSpacing(SPACE)
        grid.setColumnStretch(1, 1)
        self._checks: dict[str, QCheckBox] = {}
        for line, (name, editor) in enumerate(self._editors.items()):
            label, tip = _HELP[name]
            check = self._checks[name] = QCheckBox(label)
            editor.setAccessibleName(label)
            spare_from_wheel(editor)
            for widget in (check, editor):
                widget.setToolTip(tip)
                widget.setAccessibleDescription(tip)
            check.toggled.connect(editor.setEnabled)
            check.toggled.connect(self._on_changed)
            editor.setEnabled(False)
            editor.valueChanged.connect(self._on_changed)
            grid.addWidget(check, line, 0)
            grid.addWidget(editor, line, 1)
        self._body.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE)
        column.addWidget(self._header)
        column.addWidget(self._body)
        self._summarize()

    def rule(self) -> StopRule:
        """The rule as it stands in the form."""
        epoch, seconds, elbo, plateau = map(self._value, ("epoch", "seconds", "elbo", "plateau"))
        return StopRule(epoch, seconds, elbo, None if plateau is None else int(plateau))

    def set_rule(self, rule: StopRule) -> None:
        """Show a rule; a condition that does not matter keeps the number it had."""
        for name, check in self._checks.items():
            value, editor = getattr(rule, name), self._editors[name]
            with QSignalBlocker(check), QSignalBlocker(editor):
                check.setChecked(value is not None)
                if value is not None:
                    editor.setValue(value)
            editor.setEnabled(value is not None)
        self._summarize()

    def _value(self, name: str) -> float | None:
        return self._editors[name].value() if self._checks[name].isChecked() else None

    def _on_changed(self) -> None:
        self._summarize()
        self.rule_changed.emit(self.rule())

    def _on_toggled(self, shown: bool) -> None:
        self._body.setVisible(shown)
        self._header.setArrowType(Qt.ArrowType.DownArrow if shown else Qt.ArrowType.RightArrow)
        self.toggled.emit()

    def _summarize(self) -> None:
        rule, words = self.rule(), []
        if rule.epoch is not None:
            words.append(f"epoch {rule.epoch:g}")
        if rule.seconds is not None:
            words.append(f"{rule.seconds:g} s")
        if rule.elbo is not None:
            words.append(f"ELBO {figure(rule.elbo, 1)}")
        if rule.plateau is not None:
            words.append(f"plateau {rule.plateau}")
        self._header.setText("Stop early: " + (", ".join(words) if words else "never"))
