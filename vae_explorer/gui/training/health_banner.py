"""What is wrong with a run, above everything else in the dock, until it is dismissed."""

from collections.abc import Sequence
from html import escape

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget
from typing_extensions import override

from vae_explorer.gui.theme import Theme, Themed, current_theme
from vae_explorer.gui.training.icons import SIDE, icon
from vae_explorer.training.health import Finding

_STRIPE = 4  # logical pixels


class HealthBanner(Themed):
    """Findings, or the reason why a run ended early; takes no room while there is nothing."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = QLabel(textFormat=Qt.TextFormat.RichText)
        self._text.setWordWrap(True)
        self._text.setAccessibleName("Health of the run")
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._close = QToolButton()
        self._close.setAutoRaise(True)
        self._close.setIconSize(QSize(SIDE - 4, SIDE - 4))
        self._close.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._close.setAccessibleName("Dismiss")
        self._close.setToolTip("Dismiss until there is another message")
        self._close.clicked.connect(self.hide)
        row = QHBoxLayout(self)
        row.setContentsMargins(6 + _STRIPE + 4, 4, 4, 4)
        row.addWidget(self._text, 1)
        row.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTop)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Maximum)
        self.set_theme(current_theme())
        self.hide()

    def set_findings(self, findings: Sequence[Finding]) -> None:
        """Show what was found, or nothing."""
        self._show(
            "<br>".join(
                f"<b>{escape(found.title)}.</b> {escape(found.text)} <i>{escape(found.advice)}</i>"
                for found in findings
            )
        )

    def set_failure(self, reason: str) -> None:
        """Say why the run ended early; whatever was found before matters less."""
        self._show(f"<b>Training ended early.</b> {escape(reason)}")

    def clear(self) -> None:
        """Nothing is wrong."""
        self._show("")

    @override
    def set_theme(self, theme: Theme) -> None:
        self._close.setIcon(icon("close", theme))

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), current_theme().raised)
            painter.fillRect(6, 2, _STRIPE, self.height() - 4, current_theme().held_out)

    def _show(self, text: str) -> None:
        self._text.setText(text)
        self.setVisible(bool(text))
