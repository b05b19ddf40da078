"""The table of all runs: its rows are sorted, checked and edited in place."""

from PySide6.QtCore import (
    QAbstractItemModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    Qt,
    Slot,
)
from PySide6.QtGui import (
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPalette,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
)
from typing_extensions import override

from vae_explorer.gui.runs.run_text import Column
from vae_explorer.gui.runs.runs_model import RunsModel, RunsOrder
from vae_explorer.gui.widgets.terms import TermHeader
from vae_explorer.session.runs.run_info import RunInfo

_AIR = 6  # pixels a row is higher than its text
_LETTERS = {
    Column.NAME: 21,
    Column.RECIPE: 15,
    Column.ELBO: 9,
    Column.LOG_MARGINAL: 9,
    Column.EPOCHS: 9,
    Column.SECONDS: 8,
    Column.DATE: 19,
}
"""Digits that a column has room for, in a narrow table."""

_NOTE_LETTERS = 30
_MOST_LETTERS = {Column.NAME: 30, Column.RECIPE: 120}
"""Those that grow with the table, and how far."""

_BOX = 12  # the side of a check box


class CurveBox(QStyledItemDelegate):
    """A check box that has the colour of the curve; a click anywhere in the cell toggles it."""

    @override
    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        plain = QStyleOptionViewItem(option)
        self.initStyleOption(plain, index)
        plain.features &= ~QStyleOptionViewItem.ViewItemFeature.HasCheckIndicator
        style = plain.widget.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, plain, painter, plain.widget)
        if index.data(Qt.ItemDataRole.CheckStateRole) is None:
            return
        color = index.data(Qt.ItemDataRole.UserRole)
        selected = plain.state & QStyle.StateFlag.State_Selected
        role = QPalette.ColorRole.HighlightedText if selected else QPalette.ColorRole.Text
        box = QRect(0, 0, _BOX, _BOX)
        box.moveCenter(plain.rect.center())
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(plain.palette.color(role))
        painter.setBrush(color or Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box, 2, 2)
        painter.restore()

    @override
    def editorEvent(
        self,
        event: QEvent,
        model: QAbstractItemModel,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> bool:
        state = index.data(Qt.ItemDataRole.CheckStateRole)
        if state is None or not isinstance(event, QMouseEvent):
            return False
        released = event.type() == QEvent.Type.MouseButtonRelease
        if not released or event.button() != Qt.MouseButton.LeftButton:
            return False
        checked = Qt.CheckState(state) == Qt.CheckState.Checked
        other = Qt.CheckState.Unchecked if checked else Qt.CheckState.Checked
        return model.setData(index, other, Qt.ItemDataRole.CheckStateRole)


class RunsTable(QTableView):
    """The rows. Space toggles the curves of those selected; the other keys are actions."""

    def __init__(self, rows: RunsModel, order: RunsOrder) -> None:
        super().__init__()
        self.rows = rows
        self._order = order
        self.setAccessibleName("Runs")
        self.setHorizontalHeader(TermHeader(self))
        self.setModel(order)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setAlternatingRowColors(True)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + _AIR)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setStretchLastSection(True)
        header.setSectionsMovable(True)
        header.setSectionResizeMode(Column.CURVE, QHeaderView.ResizeMode.ResizeToContents)
        header.sectionResized.connect(self._on_section_resized)
        header.setResizeContentsPrecision(0)  # names in sight; to measure all takes long
        self._fitting = self._widths_are_theirs = False
        for change in (order.rowsInserted, order.modelReset):
            change.connect(self._fit)
        self._curve_box = CurveBox(self)
        self.setItemDelegateForColumn(Column.CURVE, self._curve_box)
        self.setSortingEnabled(True)
        self.sortByColumn(Column.DATE, Qt.SortOrder.DescendingOrder)

    def chosen(self) -> tuple[RunInfo, ...]:
        """The runs of the selected rows, from above."""
        indices = self.selectionModel().selectedRows()
        return tuple(self._order.run(index) for index in sorted(indices, key=QModelIndex.row))

    def edit_current(self) -> None:
        """Edit the note if the current cell is one, or else the name."""
        current = self.currentIndex()
        column = Column.NOTE if current.column() == Column.NOTE else Column.NAME
        cell = current.siblingAtColumn(column)
        if cell.isValid():
            self.setCurrentIndex(cell)
            self.edit(cell)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    @Slot()
    def _fit(self) -> None:
        """Show names whole, and give recipes the room there is, until a person sets a width."""
        if self._widths_are_theirs:
            return
        digit = self.fontMetrics().horizontalAdvance("0")
        header = self.horizontalHeader()
        taken = digit * (sum(_LETTERS.values()) + _NOTE_LETTERS)
        spare = max(self.viewport().width() - header.sectionSize(Column.CURVE) - taken, 0)
        self._fitting = True
        for column, letters in _LETTERS.items():
            width = letters * digit
            if column in _MOST_LETTERS:
                more = spare
                if column is Column.NAME:
                    more = max(self.sizeHintForColumn(column) - width, 0)
                grown = min(width + more, _MOST_LETTERS[column] * digit)
                spare = max(spare - (grown - width), 0)
                width = grown
            header.resizeSection(column, width)
        self._fitting = False

    def _on_section_resized(self, section: int) -> None:
        if not self._fitting and section in _LETTERS:
            self._widths_are_theirs = True

    @override
    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            plain = event.modifiers() == Qt.KeyboardModifier.NoModifier
            own = plain and event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Home)
            if own or event.matches(QKeySequence.StandardKey.SelectAll):
                event.accept()
                return True
        return super().event(event)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.modifiers():
            rows = self.selectionModel().selectedRows()
            self.rows.toggle_curves([self._order.mapToSource(index).row() for index in rows])
        else:
            super().keyPressEvent(event)
