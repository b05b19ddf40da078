"""Slow motion: one real gradient step, its stages lit one after another."""

from html import escape

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from vae_explorer.gui.theme import MARGIN, SPACE
from vae_explorer.gui.training.anatomy_cards import cards
from vae_explorer.gui.widgets.icons import SMALL, icon
from vae_explorer.gui.widgets.readout import Readout
from vae_explorer.gui.widgets.rows import Scrolled
from vae_explorer.session.training.events import Phase
from vae_explorer.training.anatomy import StepAnatomy

FASTEST, SLOWEST = 2, 30
"""Tenths of a second a stage may last."""

_USUAL = 12
_WIDE = 140  # letters; from here on all stages are shown side by side
_HINT = (
    "Next Step takes one gradient step of the run, or the first of a new one, and shows what "
    "happens in it."
)


class SlowMotion(QWidget):
    """Plays the stages of a ``StepAnatomy``; a timer drives it, and rests while it is hidden.

    Signals:
        step_requested(): another step is wanted, to be given by ``set_anatomy``.
    """

    step_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._anatomy: StepAnatomy | None = None
        self._stage = 0
        self._playing = False
        self._wide = False
        self._phase = Phase.IDLE
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._advance)

        self._cards = cards()
        self._chips = QButtonGroup(self)
        chips, stages = QHBoxLayout(), QHBoxLayout()
        chips.setSpacing(SPACE)
        stages.setSpacing(SPACE)
        self._frames: list[QWidget] = []
        for number, card in enumerate(self._cards):
            chip = QToolButton()
            chip.setText(card.title)
            chip.setCheckable(True)
            chip.setAutoRaise(True)
            chip.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            chip.setSizePolicy(card.sizePolicy())
            chip.setToolTip(f"Pause at the stage “{card.title}”")
            chip.clicked.connect(self._on_chip)
            self._chips.addButton(chip, number)
            chips.addWidget(chip, 1)
            frame = Scrolled(card)
            stages.addWidget(frame, 1)
            self._frames.append(frame)
        self._caption = Readout(lines=3)
        self._caption.setAccessibleName("What happens")

        self._play = QToolButton()
        self._play.clicked.connect(self._on_play)
        self._next = QToolButton()
        self._next.setIcon(icon("step"))
        self._next.setAccessibleName("Next stage")
        self._next.setToolTip("Next stage; after the last one the next step")
        self._next.clicked.connect(self._on_next)
        for button in (self._play, self._next):
            button.setAutoRaise(True)
            button.setIconSize(QSize(SMALL, SMALL))
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._step = QPushButton("Next Step")
        self._step.setToolTip("Take another gradient step; a run in progress is paused for it")
        self._step.clicked.connect(self._ask)
        self._loop = QCheckBox("Loop")
        self._loop.setToolTip("Go on with the next step, until it is paused")
        self._speed = QSlider(Qt.Orientation.Horizontal)
        self._speed.setRange(FASTEST, SLOWEST)
        self._speed.setValue(_USUAL)
        self._speed.setInvertedAppearance(True)
        self._speed.setInvertedControls(True)
        self._speed.setAccessibleName("Seconds per stage")
        self._speed.setToolTip("How long a stage is shown; to the right it is faster")
        self._speed.setMinimumWidth(40)
        self._speed.setMaximumWidth(200)
        self._speed.valueChanged.connect(self._on_speed)
        self._seconds = QLabel()
        self._seconds.setFixedWidth(self._seconds.fontMetrics().horizontalAdvance("0.0 s") + 2)
        controls = QHBoxLayout()
        controls.setSpacing(SPACE)
        for widget in (self._play, self._next, self._step, self._loop):
            controls.addWidget(widget)
        controls.addWidget(self._speed, 1)
        controls.addWidget(self._seconds)
        controls.addStretch()

        column = QVBoxLayout(self)
        column.setContentsMargins(MARGIN, SPACE, MARGIN, SPACE)
        column.setSpacing(SPACE)
        column.addLayout(chips)
        column.addLayout(stages, 1)
        column.addWidget(self._caption)
        column.addLayout(controls)
        self._on_speed(_USUAL)
        self._show_sign()
        self._show_stage()

    @property
    def stage(self) -> int:
        """The stage that is lit."""
        return self._stage

    @property
    def stages(self) -> int:
        """How many there are."""
        return len(self._cards)

    @property
    def playing(self) -> bool:
        """Whether the next stage comes by itself."""
        return self._playing

    def set_anatomy(self, anatomy: StepAnatomy) -> None:
        """Play the stages of a step from the first on."""
        self._anatomy = anatomy
        for card in self._cards:
            card.set_anatomy(anatomy)
        self._stage = 0
        self._set_playing(True)
        self._show_stage()

    def clear(self) -> None:
        """Show no step."""
        self._anatomy, self._stage = None, 0
        self._set_playing(False)
        self._show_stage()

    def set_stage(self, stage: int) -> None:
        """Stay at a stage."""
        self._set_playing(False)
        self._stage = stage
        self._show_stage()

    def set_phase(self, phase: Phase) -> None:
        """Where the run stands; a loop goes on only while it waits for the next step."""
        self._phase = phase
        self._step.setEnabled(phase is not Phase.STOPPING)

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(300, super().minimumSizeHint().height())

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        wide = self.width() >= _WIDE * self.fontMetrics().averageCharWidth()
        if wide != self._wide:
            self._wide = wide
            self._caption.set_lines(1 if wide else 3)
            self._show_stage()

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._wind()

    @override
    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()

    def _advance(self) -> None:
        """The next stage; after the last the next step if it is to loop, or the end."""
        if self._stage < len(self._cards) - 1:
            self._stage += 1
            self._show_stage()
            self._wind()
        elif self._loop.isChecked() and self._phase is Phase.PAUSED:
            self.step_requested.emit()
        else:
            self._set_playing(False)

    def _wind(self) -> None:
        """Wait for the next stage, if there is anybody to see it."""
        if self._playing and self._anatomy is not None and self.isVisible():
            self._timer.start(100 * self._speed.value())
        else:
            self._timer.stop()

    def _set_playing(self, playing: bool) -> None:
        self._playing = playing
        self._show_sign()
        self._wind()

    def _show_stage(self) -> None:
        there = self._anatomy is not None
        for number, (card, frame) in enumerate(zip(self._cards, self._frames, strict=True)):
            frame.setVisible(self._wide or number == self._stage)
            card.set_reached(there and number <= self._stage, there and number == self._stage)
        for chip in self._chips.buttons():
            chip.setEnabled(there)
        self._play.setEnabled(there)
        self._next.setEnabled(there)
        self._chips.button(self._stage).setChecked(True)
        if self._anatomy is None:
            self._caption.set_text(_HINT)
            return
        text = escape(self._cards[self._stage].caption())
        self._caption.set_text(f"<b>Step {self._anatomy.step:,}.</b> {text}")

    def _show_sign(self) -> None:
        name = "Pause on this stage" if self._playing else "Play the stages"
        self._play.setAccessibleName(name)
        self._play.setToolTip(name)
        self._play.setIcon(icon("pause" if self._playing else "run"))

    def _on_play(self) -> None:
        last = self._stage == len(self._cards) - 1
        if not self._playing and last and not self._loop.isChecked():
            self._stage = 0
            self._show_stage()
        self._set_playing(not self._playing)

    def _on_next(self) -> None:
        if self._stage == len(self._cards) - 1:
            self._set_playing(False)
            self._ask()
        else:
            self.set_stage(self._stage + 1)

    def _on_chip(self) -> None:
        self.set_stage(self._chips.checkedId())

    def _ask(self) -> None:
        self._timer.stop()
        self.step_requested.emit()

    def _on_speed(self, tenths: int) -> None:
        self._seconds.setText(f"{tenths / 10:.1f} s")
        if self._timer.isActive():
            self._wind()
