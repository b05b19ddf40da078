"""The transport of a run: one row of buttons, a counter of epochs and how far it is."""

from collections.abc import Iterable

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QBoxLayout,
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from vae_explorer.gui.theme import DISPLAY, MARGIN, SPACE, enlarge
from vae_explorer.gui.training.progress_text import counter, describe, progress
from vae_explorer.gui.widgets.icons import SMALL, icon
from vae_explorer.gui.widgets.readout import Readout
from vae_explorer.gui.window.actions import native
from vae_explorer.gui.window.records import Command
from vae_explorer.session.training.events import Phase, TrainingStatus

_STEPS = 1_000
NAMES = ("restart", "pause", "step", "epoch", "slow_motion", "stop", "branch", "new_seed")


class Transport(QWidget):
    """A button for each of some commands, and where the run stands."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._phase = Phase.IDLE
        self._commands: dict[str, Command] = {}
        self.start = QPushButton("Start")
        self.start.clicked.connect(self._on_clicked)
        width = self.start.fontMetrics().horizontalAdvance("Start")
        self.start.setMinimumWidth(width + 20)
        self.start.setMaximumWidth(width + 80)
        row = QHBoxLayout()
        row.setSpacing(SPACE)
        row.addWidget(self.start, 1)
        self.buttons: dict[str, QToolButton] = {}
        for name in NAMES:
            button = QToolButton()
            button.setIconSize(QSize(SMALL, SMALL))
            button.setAutoRaise(True)
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            button.setIcon(icon(name))
            button.clicked.connect(self._on_clicked)
            row.addWidget(button)
            self.buttons[name] = button
        row.addStretch()

        self._counter = Readout()
        self._counter.setAccessibleName("Epoch")
        enlarge(self._counter, DISPLAY)
        self._counter.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._progress = QProgressBar()
        self._progress.setRange(0, _STEPS)
        self._progress.setAccessibleName("Training progress")
        self._progress.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._line = Readout()
        self._line.setAccessibleName("State of the run")
        self._words = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._words.setSpacing(SPACE)
        self._words.addWidget(self._line)
        self._words.addWidget(self._progress)
        position = QHBoxLayout()
        position.setSpacing(2 * SPACE)
        position.addWidget(self._counter)
        position.addLayout(self._words, 1)
        self._all = QBoxLayout(QBoxLayout.Direction.TopToBottom, self)
        self._all.setContentsMargins(MARGIN, MARGIN, MARGIN, 0)
        self._all.setSpacing(SPACE)
        self._all.addLayout(row)
        self._all.addLayout(position, 1)
        self.set_status(TrainingStatus(Phase.IDLE))

    def set_commands(self, commands: Iterable[Command]) -> None:
        """Let the buttons stand for these commands; they have "start" and all of ``NAMES``."""
        self._commands = {command.id: command for command in commands}
        for name, button in self._all_buttons().items():
            command = self._commands[name]
            button.setText(command.text)
            button.setAccessibleName(command.text)
            button.setAccessibleDescription(command.help)
            keys = f" ({native(command.keys)})" if command.keys else ""
            button.setToolTip(f"{command.text}: {command.help}{keys}")
        self._show_phase()

    def set_status(self, status: TrainingStatus) -> None:
        """Show where training stands, and offer what can be done there."""
        if status.phase is not self._phase:
            self._phase = status.phase
            self._show_phase()
        share = status.epoch / status.epochs if status.epochs else 0.0
        self._progress.setValue(round(_STEPS * min(share, 1.0)))
        self._progress.setFormat(progress(status))
        self._set_counter(counter(status))
        self._line.set_text(describe(status))

    @property
    def phase(self) -> Phase:
        """Where training stands, as shown."""
        return self._phase

    def offers(self) -> dict[QWidget, bool]:
        """Which buttons can be used now, as their commands say."""
        buttons = self._all_buttons()
        return {
            buttons[name]: command.enabled is None or command.enabled()
            for name, command in self._commands.items()
            if name in buttons
        }

    def _all_buttons(self) -> dict[str, QAbstractButton]:
        return {"start": self.start, **self.buttons}

    def set_wide(self, wide: bool) -> None:
        """Put everything into one row, or the counter under the buttons."""
        directions = QBoxLayout.Direction
        self._all.setDirection(directions.LeftToRight if wide else directions.TopToBottom)
        self._all.setSpacing(4 * SPACE if wide else SPACE)
        self._words.setDirection(directions.LeftToRight if wide else directions.TopToBottom)
        self._words.setSpacing(2 * SPACE if wide else SPACE)
        self._words.setStretch(0, int(wide))
        self._words.setStretch(1, 2 * wide)

    def _show_phase(self) -> None:
        for button, on in self.offers().items():
            button.setEnabled(on)
        pause = self.buttons["pause"]
        pause.setText("Resume" if self._phase is Phase.PAUSED else "Pause")
        pause.setAccessibleName(pause.text())
        pause.setIcon(icon("run" if self._phase in (Phase.IDLE, Phase.PAUSED) else "pause"))

    def _set_counter(self, text: str) -> None:
        """Leave room for the widest digits, so that nothing moves while they run."""
        room = self._counter.fontMetrics().horizontalAdvance(
            "".join("0" if letter.isdigit() else letter for letter in text)
        )
        if abs(room + 4 - self._counter.width()) > 1:
            self._counter.setFixedWidth(room + 4)
        self._counter.set_text(text)

    def _on_clicked(self) -> None:
        buttons = self._all_buttons()
        self._commands[next(name for name in buttons if buttons[name] is self.sender())].run()
