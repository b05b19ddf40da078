"""The key of a layer: what its colours, lines and crosses mean, and what exactly is shown."""

from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget
from typing_extensions import override

from vae_explorer.gui.plot.color_maps import argb_image, sequential
from vae_explorer.gui.theme import SPACE, current_theme
from vae_explorer.number_format import figure
from vae_explorer.session.map.marks import (
    ClassField,
    Curve,
    Ellipses,
    Field,
    LayerContent,
    Mark,
    Spots,
    Trails,
)

_BAR_HEIGHT = 10
_SAMPLE = QSize(26, 14)


class LayerKey(QWidget):
    """Explains one content, in no more height than that takes."""

    def __init__(self) -> None:
        super().__init__()
        self._bar = ColorBar()
        self._samples = {kind: _Sample(kind) for kind in (Curve, Ellipses, Spots, Trails)}
        self._classes = QLabel("Colours are those of the classes.", wordWrap=True)
        self._note = QLabel(wordWrap=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE)
        for part in (self._bar, *self._samples.values(), self._classes, self._note):
            layout.addWidget(part)
        self.set_content(LayerContent())

    def set_content(self, content: LayerContent) -> None:
        """Explain this content."""
        marks = content.marks
        fields = [mark for mark in marks if isinstance(mark, Field)]
        self._bar.setVisible(bool(fields))
        if fields:
            self._bar.set_field(fields[-1])
        for kind, sample in self._samples.items():
            words = dict.fromkeys(_words(mark) for mark in marks if isinstance(mark, kind))
            accented = any(isinstance(mark, Ellipses) and mark.labels is None for mark in marks)
            sample.set_text(", ".join(filter(None, words)), accented)
        self._classes.setVisible(any(isinstance(mark, ClassField) for mark in marks))
        self._note.setText(content.note)
        self._note.setVisible(bool(content.note))

    def set_opacity(self, opacity: float) -> None:
        """Show the colours as a layer of this opacity, 0 to 1, has them over the bare canvas."""
        self._bar.set_opacity(opacity)


def _words(mark: Mark) -> str:
    """What a line of the key says about a mark; nothing where the mark speaks for itself."""
    match mark:
        case Curve():
            return mark.text
        case Ellipses() if mark.named:
            return f"{', '.join(f'{radius:g}' for radius in mark.radii)} σ"
        case Spots() if len(mark.positions):
            return mark.text
        case Trails() if len(mark.end):
            return "each move ends at its dot"
        case _:
            return ""


class ColorBar(QWidget):
    """The colours of a field from its low to its high end, with three values and their unit."""

    def __init__(self) -> None:
        super().__init__()
        self._strip = _Strip()
        self._values = [QLabel(), QLabel(), QLabel()]
        self._unit = QLabel(wordWrap=True)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setVerticalSpacing(1)
        layout.addWidget(self._strip, 0, 0, 1, 3)
        sides = (
            Qt.AlignmentFlag.AlignLeft,
            Qt.AlignmentFlag.AlignHCenter,
            Qt.AlignmentFlag.AlignRight,
        )
        for column, (value, side) in enumerate(zip(self._values, sides, strict=True)):
            value.setAlignment(side)
            layout.addWidget(value, 1, column)
            layout.setColumnStretch(column, 1)
        self._unit.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        layout.addWidget(self._unit, 2, 0, 1, 3)

    def set_field(self, field: Field) -> None:
        """Show this field's ends, middle, unit and colours."""
        ends = (field.low, (field.low + field.high) / 2, field.high)
        for label, value in zip(self._values, ends, strict=True):
            label.setText(figure(value, ".3g"))
        self._unit.setText(field.unit)
        self._unit.setVisible(bool(field.unit))
        self._strip.fading = field.fading
        self._strip.update()

    def set_opacity(self, opacity: float) -> None:
        """Draw the colours at this opacity, 0 to 1."""
        self._strip.opacity = opacity
        self._strip.update()


class _Strip(QWidget):
    """The bare colours, low at the left."""

    def __init__(self) -> None:
        super().__init__()
        self.fading = False
        self.opacity = 1.0
        self.setFixedHeight(_BAR_HEIGHT)

    @override
    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = current_theme()
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), QColor(theme.canvas))
            painter.setOpacity(self.opacity)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(self.rect(), argb_image(sequential(theme, self.fading)[None]))


class _Sample(QWidget):
    """A piece of a mark and its words side by side."""

    def __init__(self, kind: type[Mark]) -> None:
        super().__init__()
        self._picture = _SamplePicture(kind)
        self._text = QLabel(wordWrap=True)
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._picture)
        layout.addWidget(self._text, 1)

    def set_text(self, text: str, accented: bool) -> None:
        """Say this, or be gone when there is nothing to say; only ellipses may be accented."""
        self._picture.accented = accented
        self._picture.update()
        self._text.setText(text)
        self.setVisible(bool(text))


class _SamplePicture(QWidget):
    def __init__(self, kind: type[Mark]) -> None:
        super().__init__()
        self._kind = kind
        self.accented = False
        self.setFixedSize(_SAMPLE)

    @override
    def paintEvent(self, _event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            accented, theme = self.accented and self._kind is Ellipses, current_theme()
            color = QColor(theme.accent if accented else theme.text)
            painter.setPen(QPen(color, 1.5))
            area = QRectF(self.rect()).adjusted(2, 2, -2, -2)
            middle = area.center()
            if self._kind is Ellipses:
                painter.drawEllipse(area)
            elif self._kind is Spots:
                down, up = QPointF(4.0, 4.0), QPointF(4.0, -4.0)
                painter.drawLines(
                    [QLineF(middle - down, middle + down), QLineF(middle - up, middle + up)]
                )
            else:
                end = QPointF(area.right(), middle.y())
                painter.drawLine(QPointF(area.left(), middle.y()), end)
                if self._kind is Trails:
                    painter.setBrush(color)
                    painter.drawEllipse(end, 1.5, 1.5)
