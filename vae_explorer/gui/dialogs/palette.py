"""The command palette: every action of the window, found by a few letters of its name."""

from collections.abc import Sequence

import shiboken6
from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QSize,
    Qt,
    Slot,
)
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence, QPainter, QPalette
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QFrame,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QMenuBar,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

Commands = Sequence[tuple[str, QAction]]
"""Actions, each after the menus that lead to it, as in "File › Open Recent"."""

_SEPARATOR = " › "
_WIDTH = 560  # logical pixels, in a window that is wide enough
_MARGIN = 8
_MOST_ROWS = 12
_GAP = 8  # between the texts of a row
_START_POINTS, _RUN_POINTS = 3, 2

_PATH, _KEYS = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1
_MOVES = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


def match(query: str, text: str) -> int | None:
    """How well ``query`` fits ``text``, more is better; None if its letters are not all there.

    Its letters must come in ``text`` in their order, whatever their case; spaces in it do not
    count. Of all ways to find them there the best counts: 3 points for each letter that begins a
    word and 2 for each that follows the one found before, as does the first letter of ``text``.
    """
    letters = [letter.casefold() for letter in text]
    # After each letter of the query: the most points with that letter found at a position.
    best = {-1: 0}
    for wanted in "".join(query.split()):
        found: dict[int, int] = {}
        for at, letter in enumerate(letters):
            ways = [
                points + _RUN_POINTS * (before == at - 1)
                for before, points in best.items()
                if before < at
            ]
            if letter == wanted.casefold() and ways:
                starts = letter.isalnum() and (at == 0 or not letters[at - 1].isalnum())
                found[at] = max(ways) + _START_POINTS * starts
        best = found
    return max(best.values(), default=None)


def menu_commands(bar: QMenuBar) -> list[tuple[str, QAction]]:
    """Every action that shows in the menus of a window, in their order."""
    return [
        command
        for action in bar.actions()
        if isinstance(menu := action.menu(), QMenu)
        for command in _in_menu(_plain(action.text()), menu)
    ]


def _in_menu(path: str, menu: QMenu) -> list[tuple[str, QAction]]:
    commands: list[tuple[str, QAction]] = []
    for action in menu.actions():
        if isinstance(inner := action.menu(), QMenu):
            commands += _in_menu(path + _SEPARATOR + _plain(action.text()), inner)
        elif action.isVisible() and not action.isSeparator():
            commands.append((path, action))
    return commands


class CommandPalette(QDialog):
    """A line to type in, and the commands that fit, the best first.

    It opens at the top of its window, stops nothing, and closes as soon as something else has the
    focus. While nothing is typed, the commands that were run last come first.

    Args:
        window: what it opens in.
    """

    def __init__(self, window: QWidget) -> None:
        super().__init__(window, Qt.WindowType.Dialog | Qt.WindowType.FramelessWindowHint)
        self.setWindowTitle("Command Palette")
        self._window = window
        self._commands: Commands = ()
        self._shown: Commands = ()  # by row
        self._recent: list[QAction] = []  # the last run first
        self._line = QLineEdit()
        self._line.setAccessibleName("Command")
        self._line.setPlaceholderText("Type a command")
        self._line.installEventFilter(self)
        self._list = QListWidget()
        self._list.setAccessibleName("Commands")
        self._list.setFrameShape(QFrame.Shape.NoFrame)
        self._list.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the line keeps it
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.setUniformItemSizes(True)
        self._list.setItemDelegate(_RowDelegate(self._list))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        layout.addWidget(self._line)
        layout.addWidget(self._list)
        self._line.textChanged.connect(self._fill)
        self._line.returnPressed.connect(self._run_current)
        self._list.itemClicked.connect(self._run)
        self._list.currentItemChanged.connect(self._on_current)

    def set_commands(self, commands: Commands) -> None:
        """Offer these commands from the next time it opens."""
        self._commands = commands

    def open(self) -> None:
        """Show it with nothing typed."""
        self._line.clear()
        self._fill("")
        window = self._window
        width = min(_WIDTH, window.width() - 2 * _MARGIN)
        rows = min(_MOST_ROWS, self._list.count())
        height = self._line.sizeHint().height() + 3 * _MARGIN
        height += rows * self._list.sizeHintForRow(0)
        self.setFixedSize(width, min(height, window.height() - 2 * _MARGIN))
        self.move(window.mapToGlobal(QPoint((window.width() - width) // 2, _MARGIN)))
        self.show()
        self.activateWindow()
        self._line.setFocus()

    # Qt's events

    @override
    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.WindowDeactivate:
            self.close()
        return super().event(event)

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.KeyPress
            and isinstance(event, QKeyEvent)
            and event.key() in _MOVES
        ):
            QApplication.sendEvent(self._list, event)
            return True
        return super().eventFilter(watched, event)

    # The list

    @Slot(str)
    def _fill(self, query: str) -> None:
        self._list.clear()
        self._shown = self._ranked(query)
        for path, action in self._shown:
            item = QListWidgetItem(_plain(action.text()))
            keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            item.setData(_PATH, path)
            item.setData(_KEYS, keys)
            item.setToolTip(action.statusTip())
            spoken = ", ".join(part for part in (item.text(), path, keys) if part)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, spoken)
            if not action.isEnabled():
                item.setFlags(Qt.ItemFlag.NoItemFlags)
            self._list.addItem(item)
        if not self._list.count():
            item = QListWidgetItem("No command fits")
            item.setFlags(Qt.ItemFlag.NoItemFlags)
            self._list.addItem(item)
        items = map(self._list.item, range(self._list.count()))
        first = next((item for item in items if item.flags() & Qt.ItemFlag.ItemIsEnabled), None)
        if first is not None:
            self._list.setCurrentItem(first)
        self._list.scrollToTop()

    def _ranked(self, query: str) -> Commands:
        # The menu may have been rebuilt since, whose old actions Qt has deleted.
        commands = [(path, action) for path, action in self._commands if shiboken6.isValid(action)]
        if not query.strip():
            order = {action: position for position, action in enumerate(self._recent)}
            return sorted(commands, key=lambda command: order.get(command[1], len(order)))
        scored: list[tuple[tuple[int, int, int], tuple[str, QAction]]] = []
        for path, action in commands:
            text = _plain(action.text())
            # A command's own name counts before the menus that lead to it.
            if (points := match(query, text)) is not None:
                scored.append(((1, points, -len(text)), (path, action)))
            elif (points := match(query, f"{path} {text}")) is not None:
                scored.append(((0, points, 0), (path, action)))
        scored.sort(key=lambda entry: entry[0], reverse=True)
        return [command for _, command in scored]

    def _on_current(self, item: QListWidgetItem | None) -> None:
        # A screen reader follows the focus, which stays in the line.
        spoken = item.data(Qt.ItemDataRole.AccessibleTextRole) if item else ""
        self._line.setAccessibleDescription(spoken or "")

    @Slot()
    def _run_current(self) -> None:
        item = self._list.currentItem()
        if item is not None:
            self._run(item)

    @Slot(QListWidgetItem)
    def _run(self, item: QListWidgetItem) -> None:
        if not self._shown:
            return
        _, action = self._shown[self._list.row(item)]
        if not shiboken6.isValid(action) or not action.isEnabled():
            return
        self._recent = [action, *(other for other in self._recent if other is not action)]
        self.close()  # first, as the command may open a dialog of its own
        action.trigger()


class _RowDelegate(QStyledItemDelegate):
    """A command's name, its menus in gray and its keys at the right."""

    @override
    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Draw the row; where it is narrow, the menus give way first, then the name."""
        style, palette = option.widget.style(), option.palette
        option.state |= QStyle.StateFlag.State_Active  # though the focus is in the line
        style.drawPrimitive(
            QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget
        )
        enabled = bool(option.state & QStyle.StateFlag.State_Enabled)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        group = QPalette.ColorGroup.Normal if enabled else QPalette.ColorGroup.Disabled
        role = QPalette.ColorRole.HighlightedText if selected else QPalette.ColorRole.Text
        muted = role if selected else QPalette.ColorRole.PlaceholderText
        texts = (
            (index.data(_KEYS) or "", muted, Qt.AlignmentFlag.AlignRight),
            (index.data(), role, Qt.AlignmentFlag.AlignLeft),
            (index.data(_PATH) or "", muted, Qt.AlignmentFlag.AlignLeft),
        )
        room = option.rect.adjusted(_GAP // 2, 0, -_GAP // 2, 0)
        painter.save()
        painter.setFont(option.font)
        for text, color, side in texts:
            shown = option.fontMetrics.elidedText(text, Qt.TextElideMode.ElideRight, room.width())
            painter.setPen(palette.color(group, color))
            painter.drawText(room, side | Qt.AlignmentFlag.AlignVCenter, shown)
            width = option.fontMetrics.horizontalAdvance(shown) + _GAP if shown else 0
            if side == Qt.AlignmentFlag.AlignRight:
                room.setRight(room.right() - width)
            else:
                room.setLeft(room.left() + width)
        painter.restore()

    @override
    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return QSize(1, option.fontMetrics.height() + _GAP)


def _plain(text: str) -> str:
    """An action's text without the marks of its keys, & for && and nothing for &."""
    return "&".join(part.replace("&", "") for part in text.split("&&"))
