"""A section that folds to one line."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QToolButton, QVBoxLayout, QWidget
from typing_extensions import override

from vae_explorer.gui.theme import SPACE
from vae_explorer.gui.widgets.rows import row

_SPACE = 2


class Fold(QWidget):
    """A line with an arrow, and below it a content that may be folded away.

    Args:
        title: stands beside the arrow.
        content: what may be folded away.
        beside: has the rest of the line, folded or not.
        name: of the arrow, for who cannot see it; by default the title.

    Signals:
        toggled(bool): a person opened or folded it.
    """

    toggled = Signal(bool)

    def __init__(self, title: str, content: QWidget, beside: QWidget, name: str = "") -> None:
        super().__init__()
        self._content, self._beside = content, beside
        self._is_open = self._is_theirs = False
        self._arrow = QToolButton()
        self._arrow.setText(title)
        self._arrow.setAutoRaise(True)
        self._arrow.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._arrow.setAccessibleName(name or title)
        icon_only, with_text = (
            Qt.ToolButtonStyle.ToolButtonIconOnly,
            Qt.ToolButtonStyle.ToolButtonTextBesideIcon,
        )
        self._arrow.setToolButtonStyle(with_text if title else icon_only)
        self._arrow.clicked.connect(self._on_clicked)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(_SPACE)
        column.addLayout(row(self._arrow, beside, wide=beside, spacing=SPACE))
        column.addWidget(content)
        self._show(True)

    @property
    def is_open(self) -> bool:
        """Whether the content shows."""
        return self._is_open

    def suggest(self, is_open: bool) -> None:
        """Open or fold it, unless a person chose."""
        if not self._is_theirs:
            self._show(is_open)

    def heights(self) -> tuple[int, int]:
        """What it takes folded and open, whether it is or not, in pixels."""
        folded = max(part.sizeHint().height() for part in (self._arrow, self._beside))
        return folded, folded + _SPACE + self._content.sizeHint().height()

    @override
    def minimumSizeHint(self) -> QSize:
        """As wide as it is when open, or opening it would cut what it holds."""
        width = self._content.minimumSizeHint().width()
        return super().minimumSizeHint().expandedTo(QSize(width, 0))

    def _show(self, is_open: bool) -> None:
        self._is_open = is_open
        arrow = Qt.ArrowType.DownArrow if is_open else Qt.ArrowType.RightArrow
        self._arrow.setArrowType(arrow)
        self._arrow.setToolTip("Fold" if is_open else "Show more")
        self._content.setVisible(is_open)

    def _on_clicked(self) -> None:
        self._is_theirs = True
        self._show(not self._is_open)
        self.toggled.emit(self._is_open)
