"""Names for figures, by which they can be asked for again."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import partial

from PySide6.QtWidgets import QWidget

from vae_explorer.export.figure import FigureStyle
from vae_explorer.gui.plot.export import render_charts
from vae_explorer.gui.plot.menu import Export
from vae_explorer.gui.plot.plot_view import PlotView


def figures_of(
    rooms: Mapping[str, QWidget | None], whole: Mapping[str, Export]
) -> dict[str, Export]:
    """What makes each figure: all charts of a room by its name, one as ``room.title``.

    Of a chart that a person moved or zoomed it is the whole view, as no workspace has another.

    Args:
        rooms: widgets with charts.
        whole: what makes a figure by its name, where it is not just the charts of a room.
    """
    found = dict(whole)
    for room, widget in rooms.items():
        if widget is None:
            continue
        shown = charts_of(widget)
        if shown:
            found.setdefault(room, partial(_together, [*shown.values()]))
        for name, chart in shown.items():
            found[f"{room}.{name}"] = partial(_together, [chart])
    return found


def charts_of(widget: QWidget) -> dict[str, PlotView]:
    """The charts on a widget, by names made of their titles."""
    found: dict[str, PlotView] = {}
    shown = [chart for chart in widget.findChildren(PlotView) if chart.isVisibleTo(widget)]
    for number, chart in enumerate(shown, 1):
        name = _slug(chart.plot.title) or f"{number}"
        found[name if name not in found else f"{name}-{number}"] = chart
    return found


def room_of(widget: QWidget | None) -> QWidget | None:
    """The widget around another that says by its property "export" of which kind it is."""
    while widget is not None and not widget.property("export"):
        widget = widget.parentWidget()
    return widget


def _together(charts: Sequence[PlotView], kind: str, style: FigureStyle | None = None, /) -> bytes:
    return render_charts(kind, [chart.whole for chart in charts], style)


def _slug(title: str) -> str:
    """A title in small letters, digits and hyphens: "log p(x|z)" is "log-p-x-z"."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")
