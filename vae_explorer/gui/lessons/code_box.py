"""The code of a step, shown on demand and copied by a click."""

import keyword
import re

from PySide6.QtCore import QEvent
from PySide6.QtGui import (
    QColor,
    QFontDatabase,
    QGuiApplication,
    QSyntaxHighlighter,
    QTextCharFormat,
)
from PySide6.QtWidgets import QPlainTextEdit, QToolButton, QVBoxLayout, QWidget
from typing_extensions import override

from vae_explorer.gui.theme import current_theme
from vae_explorer.gui.widgets.rows import button, fill, row

_LINES = 30
"""Of code in sight; what is longer scrolls."""


class CodeBox(QWidget):
    """Python in a fixed pitch, as high as it is long; what is too wide scrolls.

    Args:
        code: its text.
        shown: it is shown at first.
    """

    def __init__(self, code: str, shown: bool) -> None:
        super().__init__()
        self._code = QPlainTextEdit(code.rstrip())
        self._code.setReadOnly(True)
        self._code.setAccessibleName("Code that reproduces the figure")
        self._code.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._colors = _Colors(self._code.document())
        self.toggle = QToolButton()
        self.toggle.setCheckable(True)
        self.toggle.setAutoRaise(True)
        self.toggle.toggled.connect(self._show)
        copy = button("Copy Code", "Copy the code, which runs as it is", self._copy)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        fill(layout, row(self.toggle, None, copy), self._code)
        self.toggle.setChecked(shown)
        self._show(shown)
        self._set_font()

    @override
    def changeEvent(self, event: QEvent) -> None:
        """Follow the size of the type, and the scheme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._set_font()
        elif event.type() == QEvent.Type.PaletteChange:
            self._colors.rehighlight()

    def _set_font(self) -> None:
        font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        font.setPointSizeF(self.font().pointSizeF())
        self._code.setFont(font)
        lines = min(self._code.blockCount(), _LINES) + 2
        self._code.setFixedHeight(lines * self._code.fontMetrics().lineSpacing())

    def _show(self, shown: bool) -> None:
        self.toggle.setText("Hide Code" if shown else "Show Code")
        self._code.setVisible(shown)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._code.toPlainText())


class _Colors(QSyntaxHighlighter):
    """Colours comments, texts, keywords and numbers."""

    _WORDS = re.compile(
        r"(?P<muted>#.*)|(?P<kl>\"[^\"]*\"|'[^']*')"
        rf"|(?P<accent>\b(?:{'|'.join(keyword.kwlist)})\b)|(?P<held_out>\b\d[\d_.e]*)"
    )

    @override
    def highlightBlock(self, text: str) -> None:
        theme = current_theme()
        for match in self._WORDS.finditer(text):
            look = QTextCharFormat()
            look.setForeground(QColor(getattr(theme, str(match.lastgroup))))
            self.setFormat(match.start(), len(match[0]), look)
