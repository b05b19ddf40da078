"""The legend: one button a class, with its colour, its digit and how many points it has."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QPointF, QRectF, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QEnterEvent,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractButton, QVBoxLayout, QWidget
from typing_extensions import override

from vae_explorer.gui.theme import class_color, current_theme
from vae_explorer.gui.widgets.rows import Scrolled

_MARGIN, _SPACE = 7, 7
_SWATCH = 0.9  # of the height of capitals and their stems
_WIDEST = 18  # letters of the name of a class


class LegendButton(QAbstractButton):
    """A row: checked while its class shows."""

    isolate_asked = Signal(int)
    select_asked = Signal(int, bool)
    """A class, and whether it is to be added to the selection."""

    def __init__(self, label: int, count: int, name: str) -> None:
        super().__init__()
        self.label = label
        self._name = name
        self.colored = True
        """Whether points have the colours of classes."""
        self._count = f"{count:,}"
        self.setCheckable(True)
        self.setChecked(True)
        self.setText(name)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(f"Class {name}, {count:,} points")
        self.setToolTip(
            f"Class {name}\n"
            "Click to show or hide; double-click, or Enter, to show it alone; Shift-click to select"
        )

    @property
    def _swatch(self) -> int:
        return round(_SWATCH * self.fontMetrics().ascent())

    @override
    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(self.font())
        bold = self.font()
        bold.setBold(True)
        widest = _WIDEST * metrics.averageCharWidth()
        name = min(QFontMetrics(bold).horizontalAdvance(self._name) + 2, widest)
        text = max(name, metrics.horizontalAdvance("00")) + metrics.horizontalAdvance(self._count)
        return QSize(2 * _MARGIN + self._swatch + 2 * _SPACE + text, metrics.height() + 8)

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            adding = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
            self.select_asked.emit(self.label, adding)
        else:
            super().mousePressEvent(event)

    @override
    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Ask to be alone; take back what the click before did, at once and without a wait."""
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            return
        with QSignalBlocker(self):
            self.setChecked(not self.isChecked())
        self.isolate_asked.emit(self.label)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.isolate_asked.emit(self.label)
        else:
            super().keyPressEvent(event)

    @override
    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self.update()

    @override
    def paintEvent(self, _event: QPaintEvent) -> None:
        """A full swatch for a class that shows, a hollow one for a hidden class."""
        theme, shown = current_theme(), self.isChecked()
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            frame = QRectF(self.rect()).adjusted(1, 1, -1, -1)
            if self.underMouse() or self.hasFocus():
                painter.setPen(
                    QPen(QColor(theme.accent), 1.5) if self.hasFocus() else Qt.PenStyle.NoPen
                )
                painter.setBrush(QColor(theme.grid) if self.underMouse() else Qt.BrushStyle.NoBrush)
                painter.drawRoundedRect(frame, 4, 4)
            color = class_color(self.label)
            color = color if self.colored else QColor(theme.muted)
            painter.setPen(QPen(color if shown else QColor(theme.muted), 1.5))
            painter.setBrush(color if shown else Qt.BrushStyle.NoBrush)
            swatch = self._swatch
            center = QPointF(_MARGIN + swatch / 2, self.height() / 2)
            painter.drawEllipse(center, swatch / 2 - 0.75, swatch / 2 - 0.75)
            text = QRectF(self.rect()).adjusted(_MARGIN + swatch + _SPACE, 0, -_MARGIN, 0)
            painter.setPen(QColor(theme.muted))
            painter.drawText(
                text, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, self._count
            )
            font = self.font()
            font.setBold(shown)
            painter.setFont(font)
            room = int(text.width()) - painter.fontMetrics().horizontalAdvance(self._count) - 2
            painter.setPen(QColor(theme.text if shown else theme.muted))
            painter.drawText(
                text,
                Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft,
                QFontMetrics(font).elidedText(self.text(), Qt.TextElideMode.ElideRight, room),
            )


class Legend(Scrolled):
    """A column of classes, which scrolls when there are many.

    Signals:
        visible_changed: frozenset of the labels that a person wants to see.
        select_asked: the label of a class to select, and whether to add it.
    """

    visible_changed = Signal(object)
    select_asked = Signal(int, bool)

    def __init__(self) -> None:
        super().__init__(QWidget())
        self._colored = True
        self._buttons: list[LegendButton] = []
        self.setAccessibleName("Classes")
        self.viewport().setAutoFillBackground(False)
        self.set_counts({})

    def set_colored(self, colored: bool) -> None:
        """Show the classes' colours, or say by grey swatches that points do not have them."""
        self._colored = colored
        for button in self._buttons:
            button.colored = colored
            button.update()

    def set_counts(self, counts: Mapping[int, int], names: Sequence[str] = ()) -> None:
        """List these classes, with their numbers of points; if they are others, all are shown.

        ``names`` are those of all classes there may be, by default their numbers.
        """
        called = {label: names[label] if label < len(names) else str(label) for label in counts}
        known = {button.label: button.text() for button in self._buttons}
        visible = self.visible_labels() if called == known else frozenset(counts)
        column = QWidget()
        column.setAutoFillBackground(False)
        layout = QVBoxLayout(column)
        layout.setContentsMargins(0, 8, 4, 8)
        layout.setSpacing(0)
        self._buttons = [LegendButton(label, n, called[label]) for label, n in counts.items()]
        for button in self._buttons:
            button.colored = self._colored
            button.toggled.connect(self._announce)
            button.isolate_asked.connect(self._isolate)
            button.select_asked.connect(self.select_asked)
            layout.addWidget(button)
        layout.addStretch()
        self.set_visible_labels(visible)
        self.setWidget(column)
        self._make_room()

    def labels(self) -> frozenset[int]:
        """All classes listed."""
        return frozenset(button.label for button in self._buttons)

    def visible_labels(self) -> frozenset[int]:
        """The classes that show."""
        return frozenset(button.label for button in self._buttons if button.isChecked())

    def set_visible_labels(self, labels: frozenset[int]) -> None:
        """Show these classes and no others."""
        for button in self._buttons:
            with QSignalBlocker(button):
                button.setChecked(button.label in labels)
            button.update()

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._make_room()

    def _make_room(self) -> None:
        """Be as wide as the names and their counts, beside a scroll bar if there is one."""
        column = self.widget()
        size = column.sizeHint() if column and self._buttons else QSize(0, 0)
        scrolls = size.height() > self.height()
        bar = self.verticalScrollBar().sizeHint().width() if scrolls else 0
        self.setFixedWidth(size.width() + bar)

    def _isolate(self, label: int) -> None:
        alone = frozenset({label})
        self.set_visible_labels(self.labels() if self.visible_labels() == alone else alone)
        self._announce()

    def _announce(self) -> None:
        self.visible_changed.emit(self.visible_labels())
