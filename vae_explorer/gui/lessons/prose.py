"""Markdown that is as tall as its text."""

import re

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QSizePolicy, QTextBrowser, QWidget
from typing_extensions import override

_GIVEN = re.compile(
    r"(?<=\w)\|(?=\w)|(?<=\w)\|(?=[ ,.;:)]|$)|(?<!\w)\|(?=\w)|/(?=[(μσ√])|(?<=\bt)-(?=SNE)",
    re.MULTILINE,
)
"""The bars of p(x|z) and |det J|, strokes as in 1/σ and t-SNE, at which no line is broken."""
_TOGETHER = re.compile(
    r"(?<=\blog) (?=[\dp])|(?<=\bdet) (?=J)| (?=‖ )|(?<= ‖) |(?<=I\(x;) "
    r"|(?<=\b[βkmxLM\d]) (?== )|(?<=\b[βkmxLM\d] =) "
)
"""The spaces of log p, det J, q ‖ p and k = 5, likewise."""
_OVER_TABLE = 6.0  # pixels


def unbroken(text: str) -> str:
    """A text whose formulas are not broken at the end of a line."""
    text = _GIVEN.sub("\u2060\\g<0>\u2060", text)
    return _TOGETHER.sub("\N{NO-BREAK SPACE}", text)


class Prose(QTextBrowser):
    """Text without scroll bars, for a page that scrolls as a whole. Its links open outside.

    Args:
        name: what it is, for those who hear it.
        parent: the usual one.
    """

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setOpenExternalLinks(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.viewport().setAutoFillBackground(False)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.document().setDocumentMargin(2)
        self._markdown = ""

    def set_text(self, markdown: str) -> None:
        """Show another text; an empty one takes no room."""
        self._markdown = markdown = unbroken(markdown)
        self._read()
        self.setVisible(bool(markdown))
        self.updateGeometry()

    @override
    def changeEvent(self, event: QEvent) -> None:
        """Give links the colour of another scheme, which Qt takes as it reads the text."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._read()

    def _read(self) -> None:
        """Set the text, with air over its tables, which Qt gives none."""
        self.setMarkdown(self._markdown)
        for table in self.document().rootFrame().childFrames():
            look = table.frameFormat()
            look.setTopMargin(_OVER_TABLE)
            table.setFrameFormat(look)

    @override
    def sizeHint(self) -> QSize:
        return QSize(200, round(self.document().size().height()) + 2)

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(60, self.sizeHint().height())

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.oldSize().width() != event.size().width():
            self.updateGeometry()
