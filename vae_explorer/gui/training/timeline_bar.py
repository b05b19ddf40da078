"""The bar under the map that goes back through a run."""

from PySide6.QtCore import QEvent, QObject, QPoint, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPixmap, QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QSlider,
    QStyle,
    QStyleOptionSlider,
    QToolButton,
    QToolTip,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from vae_explorer.gui.explore.decode.image import qimage_of
from vae_explorer.gui.theme import MARGIN, SPACE
from vae_explorer.gui.widgets.icons import icon
from vae_explorer.gui.widgets.readout import Readout
from vae_explorer.gui.widgets.wheel_guard import spare_from_wheel
from vae_explorer.number_format import figure
from vae_explorer.session.training.timeline_entry import TimelineEntry
from vae_explorer.training.meaning import Remark, explained, named

_PREVIEW = 168
"""Pixels on a side of the preview above the slider."""


class TimelineBar(QWidget):
    """A slider over the kept moments of a run, whose right end is the run as it is now.

    Signals:
        moment_chosen(int): the step of a frame.
        live_requested(): the run as it is now.
        play_requested(bool): play or stay.
    """

    moment_chosen = Signal(int)
    live_requested = Signal()
    play_requested = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._frames: tuple[TimelineEntry, ...] = ()
        self._shown: TimelineEntry | None = None
        self._play = QToolButton()
        self._play.setCheckable(True)
        self._play.setAutoRaise(True)
        self._play.clicked.connect(self.play_requested)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName("Snapshot of the training")
        self.slider.setMouseTracking(True)
        self.slider.setPageStep(8)
        spare_from_wheel(self.slider)
        self.slider.valueChanged.connect(self._on_value)
        self._preview = _Preview(self)
        self.slider.installEventFilter(self)
        self._text = Readout()
        self._text.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._live = QToolButton()
        self._live.setText("Live")
        self._live.setAutoRaise(True)
        self._live.clicked.connect(self.live_requested)
        row = QHBoxLayout(self)
        row.setContentsMargins(MARGIN, SPACE, MARGIN, SPACE)
        row.addWidget(self._play)
        row.addWidget(self.slider, 1)
        row.addWidget(self._text)
        row.addWidget(self._live)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Timeline")
        self.set_playing(False)
        self.set_frames(())
        self.set_shown(None)

    def set_frames(self, frames: tuple[TimelineEntry, ...]) -> None:
        """Offer these moments; the bar shows itself if there are two or more."""
        self._frames = frames
        self._place()
        self.setVisible(len(frames) > 1)

    def set_shown(self, frame: TimelineEntry | None, remark: Remark | None = None) -> None:
        """Say which moment the map shows; None for the run as it is now.

        ``remark``: its figures are no likelihood.
        """
        self._shown = frame
        self._live.setEnabled(frame is not None)
        self._place()
        words = "now" if frame is None else describe(frame, remark)
        self._text.set_text(words.replace(" ", _WHOLE).replace(f"·{_WHOLE}", "· "))
        self._text.setToolTip(explained("", remark))

    def set_live_tip(self, tip: str) -> None:
        """What the button that returns to the run does."""
        self._live.setToolTip(tip)

    def set_playing(self, playing: bool) -> None:
        """Show whether moments follow each other by themselves."""
        self._play.setIcon(icon("pause" if playing else "run"))
        self._play.setChecked(playing)
        text = "Pause at this snapshot" if playing else "Play the training from the snapshot shown"
        self._play.setToolTip(text)
        self._play.setAccessibleName(text)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        """The words have the room of the longest, or two lines where the slider had too little."""
        super().resizeEvent(event)
        longest = self.fontMetrics().horizontalAdvance(_LONGEST)
        narrow = self.width() < 2 * longest
        self._text.setFixedWidth(round(_NARROW * longest) if narrow else longest)
        self._text.set_lines(1 + narrow)

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Leave, QEvent.Type.Hide):
            self._preview.hide()
        elif event.type() == QEvent.Type.MouseMove and isinstance(event, QMouseEvent):
            index = self._index_at(event.position().toPoint())
            if index < len(self._frames) and not event.buttons():
                corner = QPoint(event.position().toPoint().x(), 0)
                self._preview.show_frame(self._frames[index], self.slider.mapToGlobal(corner))
            else:
                self._preview.hide()
        elif event.type() == QEvent.Type.MouseButtonPress and isinstance(event, QMouseEvent):
            # A click goes where it points, as with a video, and not a page further.
            self._preview.hide()
            if event.button() == Qt.MouseButton.LeftButton:
                self.slider.setValue(self._index_at(event.position().toPoint()))
        return super().eventFilter(watched, event)

    def _index_at(self, position: QPoint) -> int:
        option = QStyleOptionSlider()
        self.slider.initStyleOption(option)
        style, control = self.slider.style(), QStyle.ComplexControl.CC_Slider
        groove, handle = (
            style.subControlRect(control, option, part, self.slider)
            for part in (QStyle.SubControl.SC_SliderGroove, QStyle.SubControl.SC_SliderHandle)
        )
        room = groove.width() - handle.width()
        offset = position.x() - groove.x() - handle.width() // 2
        return QStyle.sliderValueFromPosition(0, self.slider.maximum(), offset, room)

    def _place(self) -> None:
        steps = [frame.step for frame in self._frames]
        shown = self._shown
        with QSignalBlocker(self.slider):
            self.slider.setMaximum(len(steps))
            known = shown is not None and shown.step in steps
            self.slider.setValue(steps.index(shown.step) if shown and known else len(steps))

    def _on_value(self, value: int) -> None:
        if value < len(self._frames):
            self.moment_chosen.emit(self._frames[value].step)
        else:
            self.live_requested.emit()


_LONGEST = "epoch 0,000.00 · step 000,000 · ELBO −000.0"
_NARROW = 0.7  # of its width, in two lines
_WHOLE = "\N{NO-BREAK SPACE}"


def describe(frame: TimelineEntry, remark: Remark | None = None) -> str:
    """A moment in words, such as "epoch 3.40 · step 935 · ELBO −145.2"."""
    words = [f"epoch {frame.epoch:,.2f}", f"step {frame.step:,}"]
    if frame.point is not None:
        words.append(f"{named('ELBO', remark)} {figure(frame.point.elbo, 1)}")
    return " · ".join(words)


class _Preview(QWidget):
    """What the plane decoded to at a moment, above the slider."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.ToolTip)
        self._picture = QLabel()
        self._picture.setFixedSize(QSize(_PREVIEW, _PREVIEW))
        self._picture.setScaledContents(True)
        self._words = QLabel(alignment=Qt.AlignmentFlag.AlignHCenter)
        self.setPalette(QToolTip.palette())
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE, SPACE, SPACE, SPACE)
        column.addWidget(self._picture)
        column.addWidget(self._words)
        self._frame: TimelineEntry | None = None

    def show_frame(self, frame: TimelineEntry, above: QPoint) -> None:
        """Show a frame above a position of the screen."""
        if frame is not self._frame:
            self._frame = frame
            self._picture.setPixmap(QPixmap.fromImage(qimage_of(frame.sheet)))
            self._words.setText(f"epoch {frame.epoch:,.2f}")
        self.adjustSize()
        self.move(above.x() - self.width() // 2, above.y() - self.height() - 4)
        self.show()
