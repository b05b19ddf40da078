"""The panel of paths: which way to travel, how it plays, and its frames."""

from html import escape

from PySide6.QtCore import QEvent, QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QSlider,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from vae_explorer.gui.explore.paths.frame_strip import FrameCurve, FrameStrip, curves_of
from vae_explorer.gui.theme import MARGIN, SPACE, Theme, Themed, current_theme
from vae_explorer.gui.widgets.number_box import NumberBox
from vae_explorer.gui.widgets.readout import Readout
from vae_explorer.gui.widgets.rows import label_of, row
from vae_explorer.gui.widgets.wheel_guard import spare_from_wheel
from vae_explorer.number_format import figure, located
from vae_explorer.session.explore.latent_paths import KINDS, LEAST, MOST, LatentPath

_LINE = 105  # letters; from here on each text stands on one line
_FRAMES = 16
_SLOWEST, _FASTEST, _SPEED = 1, 30, 8  # frames per second


class PathPanel(Themed):
    """Choices and player above, the strip below, and two lines of text about path and frame.

    It plays by asking for the next frame, and stops when it is hidden.

    Signals:
        chosen: a person wants a path: a kind of ``KINDS`` or "", frames, and whether closed.
        frame_chosen: a frame is to be shown, counted from 0, by a person or as it plays.
        export_requested: a person wants to keep the frames.
        played: a person wants to see it played.
        put_away: it is hidden.

    No ``set_…()`` emits any of them.
    """

    chosen = Signal(str, int, bool)
    frame_chosen = Signal(int)
    export_requested = Signal()
    played = Signal()
    put_away = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("export", "path")
        self._path: LatentPath | None = None
        self._frame = 0
        self._strip = FrameStrip()
        self._about, self._now = Readout(), Readout()
        self.results = self._strip, self._about, self._now
        """What shows the path."""
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._step)

        self._controls = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._rows = self._choices(), self._player()
        for controls in self._rows:
            self._controls.addLayout(controls, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(MARGIN, SPACE, MARGIN, SPACE)
        column.setSpacing(SPACE)
        column.addLayout(self._controls)
        column.addWidget(self._strip, 1)
        column.addWidget(self._about)
        column.addWidget(self._now)
        self.setAccessibleName("Paths")
        # As it stands now; in one row the controls would ask for more than they need.
        self.setMinimumWidth(self.minimumSizeHint().width())

        self._strip.frame_chosen.connect(self.frame_chosen)
        self._pinned, self._work = 0, ""
        self.set_path(None)

    def set_choice(self, kind: str, frames: int, closed: bool) -> None:
        """Show what is chosen: a kind of ``KINDS`` or "", frames, and whether closed."""
        with QSignalBlocker(self._frames), QSignalBlocker(self._closed):
            self._kind.setCurrentIndex(self._kind.findData(kind))
            self._frames.setValue(frames)
            self._closed.setChecked(closed)
        self._show_kind()

    def set_path(self, path: LatentPath | None) -> None:
        """Show another path, or none; one that plays goes on."""
        self._path = path
        self._strip.set_path(path)
        some = self._strip.count > 0
        for button in (self._play, self._export):
            button.setEnabled(some)
        if not some:
            self._pause()
        self._tell()
        self.set_frame(self._frame)

    def set_pinned(self, count: int) -> None:
        """Ask for images to be pinned as long as a path through them has too few."""
        self._pinned = count
        self._tell()

    def set_progress(self, text: str) -> None:
        """Say what the next path waits for; "" when it is there."""
        self._work = text
        self._tell()

    def _tell(self) -> None:
        path, some = self._path, self._strip.count > 0
        text = self._work or (_about(path) if path and some else "")
        self._about.set_text(text if some else "")
        self._about.setToolTip(text if some else "")
        pin = "Choose" if self._pinned >= LEAST else "Pin two images, and choose"
        self._strip.set_note(self._work or f"{pin} a kind of path above.")

    def set_frame(self, frame: int) -> None:
        """Show which frame is the current one."""
        self._frame = min(max(frame, 0), max(0, self._strip.count - 1))
        self._strip.set_frame(self._frame)
        self._now.set_text(self._frame_text())

    @override
    def set_theme(self, theme: Theme) -> None:
        self._now.set_text(self._frame_text())

    @override
    def event(self, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.FontChange):
            self._fit()
        return super().event(event)

    @override
    def hideEvent(self, event: QHideEvent) -> None:
        self._pause()
        self.put_away.emit()
        super().hideEvent(event)

    def _choices(self) -> QHBoxLayout:
        self._kind = QComboBox()
        self._kind.addItem("No path", "")
        for kind in KINDS:
            self._kind.addItem(kind.name, kind.id)
            self._kind.setItemData(self._kind.count() - 1, kind.about, Qt.ItemDataRole.ToolTipRole)
        self._kind.setAccessibleName("Path")
        self._kind.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._frames = NumberBox(LEAST, MOST, value=_FRAMES, whole=True, even=True)
        self._frames.setAccessibleName("Frames")
        self._frames.setToolTip("Pictures along the path")
        self._closed = QCheckBox("Closed")
        self._closed.setToolTip("Return to the start of the path")
        self._closed.setEnabled(False)
        spare_from_wheel(self._kind, self._frames)
        # Also when the same is chosen again, which means another walk.
        self._kind.activated.connect(self._choose)
        self._frames.valueChanged.connect(self._choose)
        self._closed.toggled.connect(self._choose)
        label = label_of(self._frames, "Frames")
        return row(self._kind, label, self._frames, self._closed, wide=self._kind)

    def _player(self) -> QHBoxLayout:
        self._play = QPushButton("Pause")
        self._play.setFixedWidth(self._play.sizeHint().width())  # so that nothing jumps
        self._play.setText("Play")
        self._play.setToolTip("Show the path as a film: the cursor moves along it")
        self._play.setProperty("command", "play_path")
        self._loop = QCheckBox("Loop")
        self._loop.setChecked(True)
        self._loop.setToolTip("Repeat after the last frame")
        self._speed = QSlider(Qt.Orientation.Horizontal)
        self._speed.setRange(_SLOWEST, _FASTEST)
        self._speed.setValue(_SPEED)
        self._speed.setMinimumWidth(60)
        spare_from_wheel(self._speed)
        self._speed.setAccessibleName("Speed")
        self._speed.setAccessibleDescription("In frames per second")
        self._export = QPushButton("Export…")
        self._export.setToolTip("Save the frames of the path")
        self._play.clicked.connect(self.toggle)
        self._speed.valueChanged.connect(self._set_speed)
        self._export.clicked.connect(self.export_requested)
        self._set_speed(_SPEED)
        label = label_of(self._speed, "Speed")
        return row(self._play, self._loop, label, self._speed, self._export, wide=self._speed)

    def _choose(self) -> None:
        self._show_kind()
        self.chosen.emit(self._kind.currentData(), self._frames.number, self._closed.isChecked())

    def _show_kind(self) -> None:
        kind = next((one for one in KINDS if one.id == self._kind.currentData()), None)
        self._closed.setEnabled(kind is not None and kind.closable)
        self._kind.setToolTip("" if kind is None else kind.about)

    def _set_speed(self, speed: int) -> None:
        self._timer.setInterval(round(1_000 / speed))
        self._speed.setToolTip(f"{speed} frames per second")

    def toggle(self) -> None:
        """Play the path, or pause."""
        if self._timer.isActive():
            self._pause()
            return
        self._play.setText("Pause")
        self._timer.start()
        self.played.emit()
        if self._strip.count and self._frame == self._strip.count - 1:
            self.frame_chosen.emit(0)

    def _pause(self) -> None:
        self._play.setText("Play")
        self._timer.stop()

    def _step(self) -> None:
        following = self._frame + 1
        if following < self._strip.count:
            self.frame_chosen.emit(following)
        elif not self._strip.count:
            return  # it is still being found
        elif self._loop.isChecked():
            self.frame_chosen.emit(0)
        else:
            self._pause()

    def _frame_text(self) -> str:
        """Which frame it is, where, and what the curves say of it, each with its line."""
        path, frame = self._path, self._frame
        if path is None or not self._strip.count:
            return ""
        z1, z2 = path.positions[frame].tolist()
        parts = [f"{frame + 1} of {self._strip.count}", located((z1, z2), path.axes)]
        return " · ".join(parts + [self._curve_text(curve) for curve in curves_of(path)])

    def _curve_text(self, curve: FrameCurve) -> str:
        color = curve.color(current_theme()).name()
        value = figure(float(curve.values[self._frame]), curve.digits)
        line = "╌╌" if curve.dashed else "──"
        text = escape(f"{line} {curve.name} {value} {curve.unit}")
        return f'<span style="color:{color}">{text}</span>'

    def _fit(self) -> None:
        letters = self.width() / self.fontMetrics().averageCharWidth()
        in_a_row = sum(controls.minimumSize().width() for controls in self._rows)
        fits = in_a_row + self._controls.spacing() <= self.width() - 2 * MARGIN
        direction = QBoxLayout.Direction
        self._controls.setDirection(direction.LeftToRight if fits else direction.TopToBottom)
        for text in (self._about, self._now):
            text.set_lines(1 if letters >= _LINE else 2)


def _about(path: LatentPath) -> str:
    if path.length is None or path.straight_length is None:
        return path.note
    saved = 1 - path.length / path.straight_length if path.straight_length > 0 else 0.0
    lengths = f"{figure(path.length, 1)}, straight {figure(path.straight_length, 1)}"
    return f"{path.note} · length {lengths}: {figure(100 * saved, 0)} % saved"
