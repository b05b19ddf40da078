"""The names of some curves and their values, in as many lines as it takes."""

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtGui import QFontMetrics, QResizeEvent
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from vae_explorer.gui.widgets.readout import Readout

_ROOM = "−000.00"
_GAP = 10
_LONGEST = 18


class Entry(NamedTuple):
    """A curve: its stroke in a colour "#rrggbb", its name and, if it has one now, its value."""

    color: str
    stroke: str
    name: str
    value: str = ""


def flow(widths: Sequence[int], room: int) -> list[int]:
    """How many things of these widths go into each line of so many pixels, one at least."""
    lines: list[int] = []
    left = 0
    for width in widths:
        if lines and width <= left:
            lines[-1] += 1
        else:
            lines.append(1)
            left = room
        left -= width
    return lines


class Legend(Readout):
    """Keeps room for the values, so that no entry moves while they change."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self._entries: Sequence[Entry] = ()
        self._widths: tuple[int, ...] = ()

    def set_entries(self, entries: Sequence[Entry]) -> None:
        """Show these curves."""
        self._entries = entries
        widths = tuple(entry_width(entry, self.fontMetrics()) for entry in entries)
        if widths != self._widths:
            self._widths = widths
            self._suit_lines()
        self._write()

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._suit_lines()
        self._write()

    def _suit_lines(self) -> None:
        lines = len(flow(self._widths, self.width()))
        if max(lines, 1) != self._lines:
            self.set_lines(max(lines, 1))

    def _write(self) -> None:
        words = iter([_html(entry) for entry in self._entries])
        lines = [
            "&nbsp; ".join(next(words) for _ in range(count))
            for count in flow(self._widths, self.width())
        ]
        self.set_text("<br>".join(lines))


def entry_width(entry: Entry, metrics: QFontMetrics) -> int:
    """Pixels to keep for an entry, whatever its value is going to be."""
    value = max(metrics.horizontalAdvance(text) for text in (_ROOM, entry.value))
    text = f"{entry.stroke} {elided(entry.name)} "
    return metrics.horizontalAdvance(text) + value + _GAP


def elided(name: str) -> str:
    """A name of the usual length."""
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def _html(entry: Entry) -> str:
    words = f"{elided(entry.name)} {entry.value}".strip()
    for plain, safe in (("&", "&amp;"), ("<", "&lt;"), (" ", "&nbsp;")):
        words = words.replace(plain, safe)
    return f'<span style="color:{entry.color}">{entry.stroke}</span>&nbsp;{words}'
