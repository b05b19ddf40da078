"""What happened during training, line by line."""

from datetime import datetime

from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QPlainTextEdit, QWidget

MAX_LINES = 2_000


class LogView(QPlainTextEdit):
    """A read-only log; the oldest lines go once there are more than ``MAX_LINES``."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setReadOnly(True)
        self.setUndoRedoEnabled(False)
        self.setMaximumBlockCount(MAX_LINES)
        self.setTabChangesFocus(True)
        self.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.setPlaceholderText("Messages of a training run appear here.")
        self.setAccessibleName("Training log")

    def append(self, text: str) -> None:
        """Add plain text under the time of day; further lines of it are indented."""
        stamp = f"{datetime.now():%H:%M:%S}  "
        lines = text.splitlines() or [""]
        self.appendPlainText(stamp + ("\n" + " " * len(stamp)).join(lines))
