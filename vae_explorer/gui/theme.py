"""Colours of the light and the dark scheme, and the ten class colours."""

from dataclasses import dataclass
from enum import Enum

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QWidget
from typing_extensions import override

from vae_explorer.types import UInt8

_PETROFF10 = (
    "3f90da", "ffa90e", "bd1f01", "94a4a2", "832db6",
    "a96b59", "e76300", "b9ac70", "717581", "92dadd",
)  # fmt: skip
CLASS_COLORS: UInt8 = np.array(
    [[int(code[i : i + 2], 16) for i in (0, 2, 4)] for code in _PETROFF10], dtype=np.uint8
)
"""(10, 3) RGB, Petroff's accessible ten (arXiv 2107.02270); of the first ten classes."""
_LIGHT = CLASS_COLORS @ (0.299, 0.587, 0.114) > 128
NAMED_COLORS: UInt8 = np.concatenate(
    [CLASS_COLORS, np.where(_LIGHT[:, None], CLASS_COLORS * 0.55, CLASS_COLORS * 0.45 + 140)]
).astype(np.uint8)
"""(20, 3) RGB for the classes of a table: the ten, and a darker or lighter one of each."""
CLASS_PALETTE: UInt8 = np.concatenate([NAMED_COLORS, [[128, 128, 128]]]).astype(np.uint8)
"""(21, 3) RGB of classes; the last is for all that are beyond twenty."""


@dataclass(frozen=True)
class Theme:
    """Colours of everything we draw ourselves, as #rrggbb; widgets follow Qt's own palette."""

    dark: bool
    window: str
    raised: str
    canvas: str
    text: str
    muted: str
    grid: str
    accent: str
    train: str
    held_out: str
    log_likelihood: str
    kl: str
    right: str
    wrong: str


LIGHT = Theme(
    dark=False,
    window="#f3f4f6",
    raised="#ffffff",
    canvas="#ffffff",
    text="#1d1f23",
    muted="#5f6670",
    grid="#d8dce2",
    accent="#0b57d0",
    train="#1f6fb8",
    held_out="#b45309",
    log_likelihood="#6b2c99",
    kl="#0f766e",
    right="#1a7f37",
    wrong="#b3261e",
)
DARK = Theme(
    dark=True,
    window="#22252a",
    raised="#2e3239",
    canvas="#17191d",
    text="#e6e8eb",
    muted="#a0a7b2",
    grid="#343a43",
    accent="#8ab4f8",
    train="#6cb6ff",
    held_out="#f5b041",
    log_likelihood="#c39bd3",
    kl="#5cd1c3",
    right="#7bd88f",
    wrong="#f28b82",
)


SPACE = 4
"""Logical pixels: what is apart or framed on screen is so by this, or by two or more of it."""
MARGIN = 2 * SPACE
"""From what is in a panel to its edges."""
TITLE, DISPLAY = 1.25, 1.6
"""The two sizes of type besides that of text, as shares of it."""


def enlarge(widget: QWidget, size: float) -> None:
    """Write a widget in bold type of one of the sizes."""
    font = QApplication.font()
    font.setBold(True)
    font.setPointSizeF(size * font.pointSizeF())
    widget.setFont(font)


def class_rows(labels: NDArray[np.integer]) -> NDArray[np.intp]:
    """The row of ``CLASS_PALETTE`` of each class."""
    rows: NDArray[np.intp] = np.minimum(labels, len(CLASS_PALETTE) - 1).astype(np.intp)
    return rows


def class_color(label: int) -> QColor:
    """The colour of a class."""
    return QColor(*CLASS_PALETTE[class_rows(np.array(label))].tolist())


class Themed(QWidget):
    """A widget that keeps something in the theme's colours, and takes those of the next by itself.

    What a widget paints needs no more than ``current_theme``: Qt repaints all at another palette.
    """

    def set_theme(self, theme: Theme) -> None:
        """Take another theme's colours."""
        raise NotImplementedError

    @override
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.set_theme(current_theme())


class SchemeChoice(Enum):
    """What a person chose in the View menu."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


_SCHEMES = {
    SchemeChoice.SYSTEM: Qt.ColorScheme.Unknown,
    SchemeChoice.LIGHT: Qt.ColorScheme.Light,
    SchemeChoice.DARK: Qt.ColorScheme.Dark,
}


def apply_scheme(choice: SchemeChoice) -> None:
    """Show the light, the dark or the system's scheme; Qt then tells every widget by an event."""
    QApplication.styleHints().setColorScheme(_SCHEMES[choice])
    # Not every platform obeys: on plain X11 the request changes nothing, so bring our own palette.
    themes = {SchemeChoice.LIGHT: LIGHT, SchemeChoice.DARK: DARK}
    palette = _palette(themes[choice]) if choice in themes else QPalette()
    QApplication.setPalette(palette)


def current_theme() -> Theme:
    """The theme that goes with the palette Qt shows now."""
    return DARK if QApplication.palette().window().color().lightness() < 128 else LIGHT


def _palette(theme: Theme) -> QPalette:
    role, group = QPalette.ColorRole, QPalette.ColorGroup
    palette = QPalette(QColor(theme.raised), QColor(theme.window))
    colors = {
        role.WindowText: theme.text,
        role.Text: theme.text,
        role.ButtonText: theme.text,
        role.Base: theme.canvas,
        role.AlternateBase: theme.window,
        role.ToolTipBase: theme.raised,
        role.ToolTipText: theme.text,
        role.PlaceholderText: theme.muted,
        role.Highlight: theme.accent,
        role.HighlightedText: theme.canvas,
        role.Accent: theme.accent,
        role.Link: theme.accent,
    }
    for name, color in colors.items():
        palette.setColor(name, QColor(color))
    for name in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(group.Disabled, name, QColor(theme.muted))
    return palette


def style_plot(plot: pg.PlotItem, theme: Theme) -> None:
    """Give a plot's axes and title the theme's colours."""
    for name in ("left", "bottom", "right", "top"):
        axis = plot.getAxis(name)
        axis.setPen(pg.mkPen(theme.grid))
        axis.setTextPen(pg.mkPen(theme.text))
