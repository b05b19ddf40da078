"""What a table or a list shows, as text for other programs."""

import re

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import QAbstractItemView, QTableView

_NEGATIVE = re.compile(r"−(?=\d)")


def cells(view: QAbstractItemView) -> str:
    """The selected cells, or all below their headings: tabs between, numbers with a plain minus."""
    model, root, shown = view.model(), view.rootIndex(), [0]
    if isinstance(view, QTableView):  # a list's model hides how many columns it has
        shown = [at for at in range(model.columnCount()) if not view.isColumnHidden(at)]
    chosen = {(index.row(), index.column()) for index in view.selectedIndexes()}
    some = chosen or {(row, at) for row in range(model.rowCount(root)) for at in shown}
    columns = [at for at in shown if any(at == column for _, column in some)]
    lines = [
        [_plain(model.index(row, at, root)) if (row, at) in some else "" for at in columns]
        for row in sorted({row for row, _ in some})
    ]
    if isinstance(view, QTableView) and not chosen:
        across = Qt.Orientation.Horizontal
        lines.insert(0, [f"{model.headerData(at, across) or ''}" for at in shown])
    return "\n".join("\t".join(line) for line in lines)


def _plain(index: QModelIndex) -> str:
    text = index.data()
    return "" if text is None else _NEGATIVE.sub("-", f"{text}")
