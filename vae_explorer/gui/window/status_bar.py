"""The line at the foot of the window: model, data, points, position, and what a picture costs."""

import re
from html import escape

from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QHelpEvent, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QSizePolicy, QStatusBar, QWidget
from typing_extensions import override

from vae_explorer.gui.widgets.terms import explain, underline
from vae_explorer.number_format import AXES, figure, located
from vae_explorer.session.files.open_model import ModelInfo
from vae_explorer.session.terms import term_of
from vae_explorer.training.meaning import named

_LEAST = 60  # logical pixels of a field that gives way
_NAME, _MOST_NAME = 150, 0.45  # the least of the model's, and the most of the width, before others
_MOST = 16_777_215  # and of any widget, as Qt has it
_MESSAGE_MS = 8_000
_APART = 8  # logical pixels from one text to the next


class StatusBar(QStatusBar):
    """What is on the map, where the cursor is, and how long the last picture took.

    Every field has room of its own, so that a new figure lays nothing out; only that of progress
    comes and goes. In a narrow window the points, the time and the data, which stand under the map
    too, have none, in this order of what stays. A message hides all but position and time while it
    shows.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = _Field("Model", "name-of-a-model.safetensors", gives_way=True)
        self._data = _Field("Data", "train and test · 70,000 of 70,000")
        self._points = _Field("Pinned and selected points", "24 pinned · 70,000 selected")
        self._progress = _Field("Progress", "Exact posteriors: 40,000 of 70,000", gives_way=True)
        self._place = _Field("Position of the cursor", "z = (−0.000, −0.000)")
        self._cost = _Field("Time of the last decoding", "000.00 ms")
        self.setContentsMargins(_APART // 2, 0, 0, 0)
        self.addWidget(self._model, 2)
        self.addWidget(self._data)
        self.addWidget(self._points)
        self.addWidget(self._progress, 1)
        self.addPermanentWidget(self._place)
        self.addPermanentWidget(self._cost)
        self._shown = ""
        self._axes = AXES
        self.set_place(0.0, 0.0)
        self.set_marked(0, 0)
        self.set_progress("")

    @override
    def event(self, event: QEvent) -> bool:
        """Have room for other fields when the width or the font changes."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._make_room()
        return super().event(event)

    def set_model(self, model: ModelInfo) -> None:
        """Name the model on the map, its age, and its ELBO on held-out images."""
        self._shown = model.shown
        elbo = model.held_out_elbo
        name = named("held-out ELBO", model.no_likelihood)
        held_out = "" if elbo is None else f" · {name} {figure(elbo, 2)} nats"
        marks = "".join(f" · ⚠ {remark.mark}" for remark in model.remarks)
        known = model.parameters > 0  # else it is of another program
        age = f" · epoch {figure(model.epoch, 1)}" if known else ""
        text = f"{model.name}{marks}{age}{held_out}"
        where = f"{model.path or 'not saved yet'}\n{model.parameters:,} weights"
        where += f"\nTrained on {model.data}" if model.data else ""
        where = where if known else "Kept by its own program"
        remarks = "".join(f"\n{remark.text}" for remark in model.remarks)
        self._model.set_text(text, f"{text}\n{where}{remarks}")
        self._make_room()

    def set_data(self, split: str, shown: int, total: int) -> None:
        """Say of which split, "train", "test" or "both", how many images show of how many."""
        name = "train and test" if split == "both" else split
        data = "" if self._shown in ("", "MNIST") else f"{self._shown} "
        self._data.set_text(f"{data}{name} · {shown:,} of {total:,}")

    def set_marked(self, pinned: int, selected: int) -> None:
        """Say how many points are pinned and how many selected."""
        self._points.set_text(f"{pinned:,} pinned · {selected:,} selected")

    def set_axes(self, axes: tuple[str, str]) -> None:
        """Call the coordinates of the cursor otherwise."""
        if axes != self._axes:
            self._axes = axes
            self.set_place(*self._at)

    def set_place(self, z1: float, z2: float) -> None:
        """Say where the cursor is, latent units."""
        self._at = z1, z2
        self._place.set_text(located((z1, z2), self._axes))

    def set_cost(self, milliseconds: float) -> None:
        """Say how long the last picture took."""
        self._cost.set_text(f"{figure(milliseconds, 2)} ms")

    def set_progress(self, text: str) -> None:
        """Say what is being computed; "" when nothing is, and the model has its room."""
        self._progress.set_text(text)
        self._progress.setMaximumWidth(_MOST if text else _LEAST)

    def set_message(self, text: str) -> None:
        """Say something for some seconds."""
        self.showMessage(text, _MESSAGE_MS)

    def _make_room(self) -> None:
        inside = self.layout()
        apart = inside.spacing() if inside else 0
        name = max(min(self._model.needs(), round(_MOST_NAME * self.width())), _NAME)
        left = self.width() - name - _LEAST - self._place.sizeHint().width() - 8 * apart
        for field in (self._points, self._cost, self._data):
            room = field.sizeHint().width()
            field.setMaximumWidth(room if room <= left else 0)
            left -= field.maximumWidth()

    @override
    def showEvent(self, event: QShowEvent) -> None:
        """Let a message that came before the window hide what it stands on."""
        super().showEvent(event)
        message = self.currentMessage()
        self.clearMessage()
        self.set_message(message)


class _Field(QWidget):
    """Plain text on one line, in room that it does not change; a longer one ends in "…".

    Args:
        name: what it tells, for who cannot see it.
        sample: as long a text as there is to be room for.
        gives_way: in a narrow window there is less, in a wide one more.
    """

    def __init__(self, name: str, sample: str, *, gives_way: bool = False) -> None:
        super().__init__()
        self._text = ""
        self._sample = sample
        self.setAccessibleName(name)
        across = QSizePolicy.Policy.Ignored if gives_way else QSizePolicy.Policy.Maximum
        self.setSizePolicy(across, QSizePolicy.Policy.Fixed)
        if gives_way:
            self.setMinimumWidth(_LEAST)

    def set_text(self, text: str, tip: str = "") -> None:
        """Show another text; ``tip``, or the name and all of it, stands above the pointer."""
        self._text = text
        self.setAccessibleDescription(text)
        # Marked as rich, or a model named "<b>.safetensors" would be taken for it.
        tip = escape(tip or f"{self.accessibleName()}: {text}").replace("\n", "<br>")
        self.setToolTip(f"<qt>{tip}</qt>" if text else "")
        self.update()

    @override
    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        return QSize(metrics.horizontalAdvance(self._sample) + _APART, metrics.height())

    def needs(self) -> int:
        """How wide it is with all of its text, logical pixels."""
        return self.fontMetrics().horizontalAdvance(self._text) + _APART

    def shown(self) -> str:
        """As much of the text as there is room for."""
        elide = Qt.TextElideMode.ElideRight
        return self.fontMetrics().elidedText(self._text, elide, self.width() - _APART)

    def _terms(self) -> list[tuple[QRect, str]]:
        """The words shown that are terms of the field, and where they are."""
        shown, across = self.shown(), self.fontMetrics().horizontalAdvance
        return [
            (QRect(across(shown[: word.start()]), 0, across(word[0]), self.height()), word[0])
            for word in re.finditer(r"\S+", shown)
            if term_of(word[0])
        ]

    @override
    def event(self, event: QEvent) -> bool:
        """Explain the term that the pointer is over."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            for area, term in self._terms():
                if area.contains(event.pos()):
                    return explain(term, self, area)
        return super().event(event)

    @override
    def paintEvent(self, _event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter, self.shown())
            for area, term in self._terms():
                underline(painter, QRectF(area), term)
