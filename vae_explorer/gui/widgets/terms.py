"""Labels that explain the terms of the field: a sentence on hover, and a link to the lesson."""

from html import escape
from typing import Protocol, runtime_checkable

from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QRectF,
    Qt,
    QTimer,
)
from PySide6.QtGui import (
    QColor,
    QEnterEvent,
    QFontMetricsF,
    QHelpEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QFrame,
    QHeaderView,
    QLabel,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionButton,
    QStyleOptionViewItem,
    QToolTip,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from vae_explorer.gui.theme import current_theme
from vae_explorer.session.terms import Term, sign_of, term_of

_WIDTH = 300  # logical pixels
_GAP = 4  # from the term to its explanation
_GRACE_MS = 300
"""What the pointer may take from the term to its explanation, which stays while it is there."""


@runtime_checkable
class Teacher(Protocol):
    """A window that has the lessons."""

    def open_lesson(self, lesson: str) -> None:
        """Show the lesson of this name."""


class TermCard(QFrame):
    """The explanation of a term beside it, with a link to its lesson."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window, Qt.WindowType.ToolTip)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setPalette(QToolTip.palette())
        self.text = QLabel(textFormat=Qt.TextFormat.RichText, wordWrap=True)
        self.text.setPalette(QToolTip.palette())
        self.text.setFixedWidth(_WIDTH)
        self.text.linkActivated.connect(self._follow)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addWidget(self.text)
        self._of: QWidget | None = None
        self._area = QRect()
        self._grace = QTimer(self, singleShot=True, interval=_GRACE_MS)
        self._grace.timeout.connect(self.hide)

    def explain(self, term: Term, widget: QWidget, area: QRect, more: str) -> None:
        """Stand below or above a term, which has this area of a widget."""
        self._watch(widget)
        self._area = area
        link = f"<a href='{term.lesson}'>{term.lesson_name}</a>"
        here = f"<p>{escape(more)}</p>" if more else ""
        self.text.setText(
            f"<p><b>{escape(term.name)}</b> – {escape(term.meaning)}</p>{here}<p>{link}</p>"
        )
        self.setAccessibleName(f"{term.name}: {term.meaning}")
        self.adjustSize()
        corner = widget.mapToGlobal(area.bottomLeft() + QPoint(0, _GAP))
        screen = widget.screen().availableGeometry()
        if corner.y() + self.height() > screen.bottom():
            corner.setY(widget.mapToGlobal(area.topLeft()).y() - _GAP - self.height())
        corner.setX(min(max(corner.x(), screen.left()), screen.right() - self.width()))
        self.move(corner)
        self._grace.stop()
        self.show()

    @override
    def enterEvent(self, event: QEnterEvent) -> None:
        self._grace.stop()
        super().enterEvent(event)

    @override
    def leaveEvent(self, event: QEvent) -> None:
        self._grace.start()
        super().leaveEvent(event)

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Go when the pointer leaves the term, or anything else is done with its widget."""
        kind, kinds = event.type(), QEvent.Type
        if kind in (kinds.Leave, kinds.MouseMove):
            at = event.position().toPoint() if isinstance(event, QMouseEvent) else None
            if at is not None and self._area.contains(at):
                self._grace.stop()
            elif not self._grace.isActive():
                self._grace.start()
        elif kind in (kinds.Hide, kinds.Wheel, kinds.KeyPress, kinds.Destroy):
            self.hide()
        return False

    def _watch(self, widget: QWidget) -> None:
        if self._of is not widget:
            if self._of is not None:
                self._of.removeEventFilter(self)
            self._of = widget
            widget.installEventFilter(self)
            widget.destroyed.connect(self._forget)

    def _forget(self) -> None:
        self._of = None
        self.hide()

    def _follow(self, lesson: str) -> None:
        self.hide()
        teacher = _teacher(self)
        if teacher is not None:
            teacher.open_lesson(lesson)


def explain(text: str, widget: QWidget, area: QRect, more: str = "") -> bool:
    """Explain the term that stands in an area of a widget; False if the text is none.

    ``more`` is what else there is to say of it here.
    """
    term = term_of(text)
    if term is None:
        return False
    window = widget.window()
    direct = Qt.FindChildOption.FindDirectChildrenOnly
    card = window.findChild(TermCard, options=direct) or TermCard(window)
    card.explain(term, widget, area, more)
    return True


def term_label(text: str, more: str = "") -> QLabel:
    """A label with a tip; one that says a term of the field explains that too."""
    label = TermLabel(text) if term_of(text) else QLabel(text)
    label.setToolTip(more)
    return label


class TermLabel(QLabel):
    """A term on one line, quietly underlined; a hover or a click explains it."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        term = term_of(text)
        self.setAccessibleDescription(term.meaning if term else "")

    @override
    def event(self, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.ToolTip, QEvent.Type.MouseButtonPress):
            return explain(self.text(), self, self.rect(), self.toolTip())
        return super().event(event)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        with QPainter(self) as painter:
            underline(painter, QRectF(self.contentsRect()), self.text())


class TermBox(QCheckBox):
    """A check box whose label explains itself if it is a term of the field."""

    @override
    def event(self, event: QEvent) -> bool:
        hovered = event.type() == QEvent.Type.ToolTip
        if hovered and explain(self.text(), self, self.rect(), self.toolTip()):
            return True
        return super().event(event)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        option = QStyleOptionButton()
        self.initStyleOption(option)
        element = QStyle.SubElement.SE_CheckBoxContents
        with QPainter(self) as painter:
            underline(
                painter, QRectF(self.style().subElementRect(element, option, self)), option.text
            )


class TermHeader(QHeaderView):
    """The header of a table's columns, which explains those that are terms of the field."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setSectionsClickable(True)

    @override
    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            section = self.logicalIndexAt(event.pos())
            x, width = self.sectionViewportPosition(section), self.sectionSize(section)
            area = QRect(x, 0, width, self.height())
            more = self._says(section, Qt.ItemDataRole.ToolTipRole)
            if explain(self._says(section), self.viewport(), area, more):
                return True
        return super().viewportEvent(event)

    @override
    def paintSection(self, painter: QPainter, rect: QRect, logicalIndex: int) -> None:
        painter.save()
        super().paintSection(painter, rect, logicalIndex)
        painter.restore()
        margin = self.style().pixelMetric(QStyle.PixelMetric.PM_HeaderMargin, None, self)
        role, orientation = Qt.ItemDataRole.TextAlignmentRole, self.orientation()
        align = self.model().headerData(logicalIndex, orientation, role)
        align = self.defaultAlignment() if align is None else Qt.AlignmentFlag(align)
        if not (self.isSortIndicatorShown() and self.sortIndicatorSection() == logicalIndex):
            room = QRectF(rect).adjusted(margin, 0, -margin, 0)
            underline(painter, room, self._says(logicalIndex), align)

    def _says(self, section: int, role: int = Qt.ItemDataRole.DisplayRole) -> str:
        return str(self.model().headerData(section, self.orientation(), role) or "")


class TermDelegate(QStyledItemDelegate):
    """Cells of a table, which explain themselves if they are terms of the field."""

    @override
    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        super().paint(painter, option, index)
        plain = QStyleOptionViewItem(option)
        self.initStyleOption(plain, index)
        style, element = plain.widget.style(), QStyle.SubElement.SE_ItemViewItemText
        margin = style.pixelMetric(QStyle.PixelMetric.PM_FocusFrameHMargin, None, plain.widget) + 1
        room = QRectF(style.subElementRect(element, plain, plain.widget))
        room.adjust(margin, 0, -margin, 0)
        underline(painter, room, plain.text, plain.displayAlignment)

    @override
    def helpEvent(
        self,
        event: QHelpEvent,
        view: QAbstractItemView,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> bool:
        more = index.data(Qt.ItemDataRole.ToolTipRole) or ""
        if explain(index.data() or "", view.viewport(), option.rect, more):
            return True
        return super().helpEvent(event, view, option, index)


def underline(
    painter: QPainter,
    room: QRectF,
    text: str,
    align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
) -> None:
    """Mark the term that is written on one line in a room; any other text stays as it is."""
    if term_of(text) is None:
        return
    metrics, sign = QFontMetricsF(painter.font()), sign_of(text)
    whole, before = metrics.horizontalAdvance(text), metrics.horizontalAdvance(sign)
    left = room.left()
    if align & Qt.AlignmentFlag.AlignRight:
        left = room.right() - whole
    elif align & Qt.AlignmentFlag.AlignHCenter:
        left = room.center().x() - whole / 2
    left = max(left, room.left())
    right = min(left + whole, room.right())
    base = room.center().y() + (metrics.ascent() - metrics.descent()) / 2 + 2.0
    base = min(base, room.bottom() - 1.0)
    painter.save()
    painter.setPen(QPen(QColor(current_theme().muted), 1, Qt.PenStyle.DotLine))
    painter.drawLine(round(left + before), round(base), round(right), round(base))
    painter.restore()


def _teacher(widget: QWidget | None) -> Teacher | None:
    """The window, of those that a widget is in, that has the lessons."""
    while widget is not None and not isinstance(widget, Teacher):
        widget = widget.parentWidget()
    return widget
