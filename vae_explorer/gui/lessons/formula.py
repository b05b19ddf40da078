"""Formulas as they are typeset, whose parts tell what they are and what they are worth now."""

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from PySide6.QtCore import QByteArray, QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QFont,
    QFontMetricsF,
    QHelpEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget
from typing_extensions import override

from vae_explorer.lessons.course import FormulaPart
from vae_explorer.number_format import figure, scientific

_GAP = 0.28
"""Between parts, in widths of an em."""

_VALUE = 0.72
"""The size of a live value, in that of the formula."""
_ROOM = "= −00.000"
"""What has room after a part that stands alone, so that nothing moves while its value changes."""
_SPACES = (r"\quad", r"\qquad")
_LEADING = re.compile(r"\s*\\(q?)quad\b\s*")
_MARGIN = 4
_NARROW = 60
_SMALLEST_EM = 8.0


class Glyphs:
    """A piece of LaTeX drawn once: ``size`` in pixels and how far it reaches below the baseline.

    What is no LaTeX is written as plain words; ``error`` then says why.
    """

    def __init__(self, tex: str, size: float, color: str) -> None:
        # Imported late: it costs the start of the window a tenth of a second.
        from ziamath.config import config
        from ziamath.zmath import Latex, Text

        # Plain paths: Qt's renderer knows no <symbol>.
        config.svg2 = False
        self.error = ""
        drawn: Latex | Text
        try:
            # It knows no space after this function.
            spaced = tex.replace(r"\det", r"\det\,")
            drawn = Latex(spaced, size=size, color=color, inline=False)
        except Exception as error:  # of a dozen types
            self.error = f"{type(error).__name__}: {error}"
            # Which is set as LaTeX too: what could be a command or a group must go.
            drawn = Text(re.sub(r"[\\{}$^_&#%]", " ", tex), size=size, color=color)
        width, height = drawn.getsize()
        self.size = QSize(round(width) + 2, round(height) + 2)
        self.below = -drawn.getyofst()
        self._svg = QByteArray(drawn.svg().encode())
        self._pixmaps: dict[float, QPixmap] = {}

    def draw(self, painter: QPainter, place: QPointF) -> None:
        """Draw with the upper left corner at a position."""
        ratio = painter.deviceTransform().m11()
        if ratio not in self._pixmaps:
            drawn = QPixmap(self.size * ratio)
            drawn.setDevicePixelRatio(ratio)
            drawn.fill(Qt.GlobalColor.transparent)
            with QPainter(drawn) as inner:
                QSvgRenderer(self._svg).render(inner, QRectF(QPointF(), self.size.toSizeF()))
            self._pixmaps[ratio] = drawn
        painter.drawPixmap(place.toPoint(), self._pixmaps[ratio])


@lru_cache(maxsize=512)
def glyphs(tex: str, size: float, color: str) -> Glyphs:
    """The same piece is typeset once."""
    return Glyphs(tex, size, color)


class FormulaView(QWidget):
    """One formula. A part with a symbol has its live value with it and its meaning in a tool tip.

    The value stands after a part that is a whole between spaces, or ends in "=", else below it.

    Args:
        parts: from left to right; the line is broken where it becomes too long.
        meanings: of the symbols, by name.
    """

    def __init__(
        self,
        parts: tuple[FormulaPart, ...],
        meanings: Mapping[str, str],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._parts, self._signs, self._leads = _spaced(parts)
        self._longest = [""] * len(self._parts)
        self._meanings = meanings
        self._values: Mapping[str, float | str] = {}
        self._em = self._wanted_em = 18.0
        self._boxes: list[QRectF] = []
        self._hovered = ""
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Formula")
        self._describe()

    def set_values(self, values: Mapping[str, float | str]) -> None:
        """Write other live values with the symbols."""
        self._values = values
        before = self._longest
        self._longest = [max(text, self._value(n), key=len) for n, text in enumerate(before)]
        if self._longest != before:
            self.updateGeometry()
        self._describe()
        self.update()

    def set_em(self, pixels: float) -> None:
        """Set in another size."""
        self._em = self._wanted_em = pixels
        self.updateGeometry()
        self.update()

    @override
    def sizeHint(self) -> QSize:
        """One line if there is room, and the height of all lines at the present width."""
        parts = range(len(self._parts))
        width = sum(self._width(n) + self._gap + self._leads[n] * self._em for n in parts)
        return QSize(round(width) + 2 * _MARGIN, round(self._lay_out(self.width())[1]))

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(_NARROW, self.sizeHint().height())

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.updateGeometry()

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._boxes, _ = self._lay_out(self.width())
            palette = self.palette()
            painter.setFont(self._value_font)
            for number, (part, box) in enumerate(zip(self._parts, self._boxes, strict=True)):
                if part.symbol and part.symbol == self._hovered:
                    shade = palette.color(QPalette.ColorRole.Accent)
                    shade.setAlpha(50)
                    painter.fillRect(box.adjusted(-2, -2, 2, 2), shade)
                drawn, text = self._glyphs(part), self._value(number)
                middle = self._signs[number] is None
                left = box.center().x() - drawn.size.width() / 2 if middle else box.left()
                drawn.draw(painter, QPointF(left, box.top()))
                if not text:
                    continue
                painter.setPen(palette.color(QPalette.ColorRole.Accent))
                if middle:
                    below = QRectF(box.left(), box.bottom() - self._note, box.width(), self._note)
                    align = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom
                    painter.drawText(below, align | Qt.TextFlag.TextDontClip, text)
                else:
                    base = box.top() + drawn.size.height() - drawn.below
                    painter.drawText(QPointF(box.left() + drawn.size.width() + 3, base), text)

    @override
    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            symbol = self._symbol_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), self._meaning(symbol), self)
            return True
        return super().event(event)

    @override
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        symbol = self._symbol_at(event.position())
        if symbol != self._hovered:
            self._hovered = symbol
            self.update()

    @override
    def leaveEvent(self, event: QEvent) -> None:
        self._hovered = ""
        self.update()
        super().leaveEvent(event)

    @property
    def _gap(self) -> float:
        return _GAP * self._em

    @property
    def _note(self) -> float:
        """Room for a value below a symbol."""
        parts = zip(self._parts, self._signs, strict=True)
        below = any(part.symbol and sign is None for part, sign in parts)
        return _VALUE * 1.25 * self._em if below else 0.0

    @property
    def _value_font(self) -> QFont:
        font = self.font()
        font.setPixelSize(max(9, round(_VALUE * self._em)))
        return font

    def _value(self, number: int) -> str:
        """What is written with a part."""
        value = self._values.get(self._parts[number].symbol, "")
        text = value if value == "" else value_text(value)
        return f"{self._signs[number] or ''} {text}".strip() if text else ""

    def _width(self, number: int) -> float:
        """Of a part with its value; it has room for the longest there was, or all would move."""
        width = float(self._glyphs(self._parts[number]).size.width())
        metrics, longest = QFontMetricsF(self._value_font), self._longest[number]
        if self._signs[number] is None:
            return max(width, metrics.horizontalAdvance(longest))
        return width + 3 + max(map(metrics.horizontalAdvance, (_ROOM, longest)))

    def _glyphs(self, part: FormulaPart) -> Glyphs:
        role = QPalette.ColorRole.Accent if part.symbol else QPalette.ColorRole.WindowText
        return glyphs(part.tex, self._em, self.palette().color(role).name())

    def _suit(self, room: int) -> None:
        """Set all parts in a size in which the widest has room."""
        self._em = self._wanted_em
        widest = max(map(self._width, range(len(self._parts))), default=0)
        if widest > room > 0:
            self._em = max(_SMALLEST_EM, int(self._wanted_em * room / widest))

    def _lay_out(self, width: int) -> tuple[list[QRectF], float]:
        """A box for each part, with the room below for its value, and the height of all."""
        self._suit(width - 2 * _MARGIN)
        lines: list[list[int]] = [[]]
        x = float(_MARGIN)
        for number in range(len(self._parts)):
            lead, needed = self._leads[number] * self._em, self._width(number)
            if lines[-1] and x + lead + needed > width - _MARGIN:
                lines.append([])
                x = float(_MARGIN)
            x += (lead if lines[-1] else 0.0) + needed + self._gap
            lines[-1].append(number)
        boxes = []
        top = float(_MARGIN)
        for line in lines:
            drawn = [self._glyphs(self._parts[number]) for number in line]
            above = max((one.size.height() - one.below for one in drawn), default=0.0)
            below = max((one.below for one in drawn), default=0.0)
            x = float(_MARGIN)
            for number, one in zip(line, drawn, strict=True):
                x += self._leads[number] * self._em if number != line[0] else 0.0
                up = one.size.height() - one.below
                height = one.size.height() + (below - one.below) + self._note
                boxes.append(QRectF(x, top + above - up, self._width(number), height))
                x += self._width(number) + self._gap
            top += above + below + self._note + 4
        return boxes, top

    def _symbol_at(self, place: QPointF) -> str:
        for part, box in zip(self._parts, self._boxes, strict=False):
            if box.contains(place):
                return part.symbol
        return ""

    def _meaning(self, symbol: str) -> str:
        meaning = self._meanings.get(symbol, "")
        value = self._values.get(symbol)
        return meaning if value is None else f"{meaning}: {value_text(value)}"

    def _describe(self) -> None:
        """For those who hear it: the LaTeX, and what the symbols are."""
        tex = " ".join(part.tex for part in self._parts)
        said = [self._meaning(part.symbol) for part in self._parts if part.symbol]
        self.setAccessibleDescription("; ".join([tex, *said]))


def _signs(parts: tuple[FormulaPart, ...]) -> list[str | None]:
    """What comes before the value after each part; None if the value stands below or is none."""
    tex = [part.tex.strip() for part in parts]
    signs: list[str | None] = []
    for number, part in enumerate(parts):
        starts = number == 0 or tex[number].startswith(_SPACES) or tex[number - 1].endswith(_SPACES)
        ends = number == len(parts) - 1 or tex[number + 1].startswith(_SPACES)
        said = tex[number].endswith(("=", ":", r"\approx"))
        after = bool(part.symbol) and ends and (starts or said)
        signs.append(None if not after else "" if said else "=")
    return signs


def _spaced(
    parts: tuple[FormulaPart, ...],
) -> tuple[list[FormulaPart], list[str | None], list[float]]:
    """The parts without the space before them, their signs, and that space in ems.

    It is there only between parts of a line, so that no line is indented.
    """
    kept: list[FormulaPart] = []
    signs: list[str | None] = []
    leads: list[float] = []
    lead = 0.0
    for part, sign in zip(parts, _signs(parts), strict=True):
        tex = part.tex
        while space := _LEADING.match(tex):
            lead += 2.0 if space[1] else 1.0
            tex = tex[space.end() :]
        if tex:
            kept.append(replace(part, tex=tex))
            signs.append(sign)
            leads.append(lead)
            lead = 0.0
    return kept, signs, leads


def value_text(value: float | str) -> str:
    """A live value as it is written below its symbol."""
    if isinstance(value, str):
        return value
    size = abs(value)
    if size and not 1e-3 <= size < 1e7:
        return scientific(value)
    return figure(value, ",.0f" if size >= 1000 else 1 if size >= 100 else 3 if size < 10 else 2)
