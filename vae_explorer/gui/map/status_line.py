"""The honest line below the map: what its points are, and what their colours mean."""

from time import monotonic

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QWidget
from typing_extensions import override

from vae_explorer.gui.theme import MARGIN, SPACE
from vae_explorer.session.map.state import MapPoints

_NARROW = 60  # letters across the map
_LETTERS = 8  # in sight of what colours mean, in the narrowest map


class StatusLine(QWidget):
    """How many points show, of what, and a choice of what to colour them by.

    Signals:
        color_chosen: by what a person wants the points coloured.
    """

    color_chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._points = self._work = self._age = ""
        self._waiting: dict[str, float] = {}
        self._shares: dict[str, float] = {}
        self._clock = QTimer(self, interval=1_000)
        self._clock.timeout.connect(self._show)
        self._text = QLabel()
        self._text.setAccessibleName("Points shown")
        # Two lines, or a long text would keep the window wide; always, or the map would jump.
        self._text.setWordWrap(True)
        self._text.setMinimumHeight(2 * self._text.fontMetrics().lineSpacing())
        self._color_by = QComboBox()
        self._color_by.setAccessibleName("Colour points by")
        self._color_by.setToolTip("What the colours of the points mean")
        self._color_by.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self._color_by.setMinimumContentsLength(_LETTERS)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(MARGIN, SPACE, MARGIN, MARGIN)
        layout.addWidget(self._text, 2)
        self._label = QLabel("Colour by ")
        layout.addWidget(self._label)
        layout.addWidget(self._color_by, 1)
        self._color_by.activated.connect(self._on_color)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a narrow map the text has the room of what the list's tip says too."""
        super().resizeEvent(event)
        self._label.setVisible(self.width() > _NARROW * self.fontMetrics().averageCharWidth())

    def set_points(self, points: MapPoints, drawn: int, selected: str) -> None:
        """Speak of points of which ``drawn`` show; ``selected`` is how many are, or empty."""
        self._points = told(points, drawn, selected)
        self._show()

    def set_age(self, epoch: float | None) -> None:
        """Say after how many epochs of a run that goes on the points were there; None of no run."""
        self._age = "" if epoch is None else f"as of epoch {epoch:.2f}"
        self._show()

    def set_progress(self, text: str) -> None:
        """Say how far what the colours wait for has come; empty when they are there."""
        self._work = text
        self._show()

    def set_waiting(self, what: str, waiting: bool) -> None:
        """Say that something is being computed, and for how long, once it takes a second."""
        self._waiting.pop(what, None)
        self._shares.pop(what, None)
        if waiting:
            self._waiting[what] = monotonic()
        if not self._waiting:
            self._clock.stop()
        elif not self._clock.isActive():
            self._clock.start()
        self._show()

    def set_share(self, what: str, share: float) -> None:
        """Say how much is done of what is being computed."""
        self._shares[what] = share
        self._show()

    def set_color_choices(self, choices: tuple[tuple[str, str], ...], by: str) -> None:
        """Offer these (value, text) to colour by, of which ``by`` is chosen."""
        self._color_by.clear()
        for value, text in choices:
            self._color_by.addItem(text, value)
        self.set_color_by(by)

    def set_color_by(self, by: str) -> None:
        """Choose another of what there is to colour by."""
        self._color_by.setCurrentIndex(self._color_by.findData(by))

    def _show(self) -> None:
        waiting = ""
        if self._waiting:  # one after the other
            what, since = next(iter(self._waiting.items()))
            seconds = int(monotonic() - since)
            done = f"{self._shares[what]:.0%}, " if what in self._shares else ""
            waiting = f"computing {what}: {done}{seconds} s" if seconds else ""
        self._text.setText(self._work or joined(self._points, self._age, waiting))

    def _on_color(self) -> None:
        self.color_chosen.emit(self._color_by.currentData())


def told(points: MapPoints, drawn: int, selected: str = "") -> str:
    """How many points show, of what; see ``StatusLine.set_points``."""
    split = "train and test" if points.split == "both" else points.split
    chosen = f"{selected} selected" if selected else ""
    count = f"{drawn:,}" if drawn == points.total else f"{drawn:,} of {points.total:,}"
    return joined(count, split, points.kind, points.orientation, points.foreign, chosen)


def joined(*parts: str) -> str:
    """What there is to say in one line."""
    return " · ".join(filter(None, parts))
