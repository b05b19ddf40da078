"""The widget that paints a plot: its ground once, its front each time."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QHelpEvent, QPainter, QPaintEvent, QPen, QPixmap, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget
from typing_extensions import override

from vae_explorer.export.figure import FigureStyle
from vae_explorer.gui.plot.axis import Axis
from vae_explorer.gui.plot.export import render_charts
from vae_explorer.gui.plot.layout import Aspect, Bar, Layout, Plot, words
from vae_explorer.gui.plot.mark_painting import paint_marks, paint_ring
from vae_explorer.gui.plot.marks import Entry, Mark, Ring
from vae_explorer.gui.plot.painting import paint_front, paint_ground
from vae_explorer.gui.theme import current_theme
from vae_explorer.gui.widgets.terms import explain, underline
from vae_explorer.session.terms import term_of
from vae_explorer.types import Region

_HANDLE = 7.0  # pixels, its radius


class PlotView(QWidget):
    """Shows one ``Plot``; it knows where its positions are, and nothing of pointer and keys."""

    def __init__(
        self,
        title: str = "",
        x_label: str = "",
        y_label: str = "",
        *,
        aspect: Aspect = "free",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._plot = Plot(title, Axis(label=x_label), Axis(label=y_label), aspect=aspect)
        self._home = (self._plot.x, self._plot.y)
        self._layout: Layout | None = None
        self._term_places: list[tuple[QRectF, str]] = []
        self._ground: QPixmap | None = None
        self._ground_of: object = None
        self._handles: Sequence[Ring] = ()
        self._pointer: tuple[Mark, ...] = ()
        self.setAccessibleName(title)
        self.setMinimumSize(150, 110)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    # What it shows

    @property
    def plot(self) -> Plot:
        """What is shown."""
        return self._plot

    def set_plot(self, plot: Plot) -> None:
        """Show something else."""
        before, self._plot = self._plot, plot
        if plot.layout_of != before.layout_of:
            self._layout = None
        if plot.marks is not before.marks or plot.bar != before.bar:
            self._ground = None
        if plot.title != before.title:
            self.setAccessibleName(plot.title)
        self.update()

    def set_title(self, title: str, x_label: str | None = None, y_label: str | None = None) -> None:
        """Call it, and its axes, otherwise."""
        x, y = (
            axis if label is None else replace(axis, label=label)
            for axis, label in ((self._plot.x, x_label), (self._plot.y, y_label))
        )
        self.set_plot(replace(self._plot, title=title, x=x, y=y))

    def set_subtitle(self, text: str) -> None:
        """Write this after the title."""
        self.set_plot(replace(self._plot, subtitle=text))
        self.setAccessibleDescription(text)

    def set_entries(self, entries: Iterable[Entry]) -> None:
        """Let these be the legend."""
        self.set_plot(replace(self._plot, entries=tuple(entries)))

    def set_bar(self, bar: Bar | None) -> None:
        """Say what the colours are worth."""
        self.set_plot(replace(self._plot, bar=bar))

    def set_range(self, left: float, right: float, bottom: float, top: float) -> None:
        """Show this part of the plane."""
        x = replace(self._plot.x, low=left, high=right)
        y = replace(self._plot.y, low=bottom, high=top)
        self._home = (x, y)
        self.set_plot(replace(self._plot, x=x, y=y))

    def set_look(self, aspect: Aspect, least_step: float = 0.0) -> None:
        """Give both axes one scale or each its own; numbers of x are so far apart, or further."""
        x = replace(self._plot.x, least_step=least_step)
        self.set_plot(replace(self._plot, aspect=aspect, x=x))

    def set_marks(self, marks: Iterable[Mark]) -> None:
        """Show these marks, later ones on top."""
        self.set_plot(replace(self._plot, marks=tuple(marks)))

    def set_front(self, marks: Iterable[Mark]) -> None:
        """Show these over all others; they may change many times a second."""
        self.set_plot(replace(self._plot, front=tuple(marks)))

    def set_pointer(self, marks: Iterable[Mark]) -> None:
        """Show what follows the pointer over all others, on screen alone and in no figure."""
        self._pointer = tuple(marks)
        self.update()

    @property
    def whole(self) -> Plot:
        """What is shown, in the view before a person moved it."""
        x, y = (
            replace(now, low=home.low, high=home.high)
            for now, home in zip((self._plot.x, self._plot.y), self._home, strict=True)
        )
        return replace(self._plot, x=x, y=y)

    @property
    def handles(self) -> list[tuple[float, float]]:
        """Where there are handles, (x, y) each."""
        return [handle.position for handle in self._handles]

    def set_handles(self, positions: Sequence[tuple[float, float]], shapes: str = "") -> None:
        """Let there be handles at these (x, y): discs, or for each a shape of ``Ring``."""
        shapes = shapes or "." * len(positions)
        self._handles = [
            Ring(position, "canvas", _HANDLE, shape, edge="text")
            for position, shape in zip(positions, shapes, strict=True)
        ]
        if not positions:
            self.unsetCursor()
        self.update()

    # Where things are

    @property
    def placed(self) -> Layout:
        """Where the parts are now, in pixels."""
        if self._layout is None:
            self._layout = Layout.of(self._plot, QRectF(self.rect()), self.font())
            self._term_places = [
                found for found in words(self._plot, self._layout) if term_of(found[1])
            ]
        return self._layout

    @property
    def frame(self) -> QRectF:
        """Where the marks are, in pixels."""
        return self.placed.frame

    @property
    def region(self) -> Region:
        """What is in sight."""
        return self.placed.region

    def to_pixel(self, x: float, y: float) -> QPointF:
        """Where a position is."""
        return self.placed.to_pixel(x, y)

    def to_data(self, pixel: QPointF) -> tuple[float, float]:
        """Which position is there, (x, y)."""
        return self.placed.to_data(pixel)

    def export(self, kind: str, style: FigureStyle | None = None, /) -> bytes:
        """What is shown as a "png", "svg" or "pdf", or its numbers as a "csv".

        Raises:
            ExportError: the kind is none of these.
        """
        return render_charts(kind, [self._plot], style)

    # Qt's events

    @override
    def event(self, event: QEvent) -> bool:
        """Explain a term of the field that is in the title or in the legend."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            for area, term in self._term_places:
                if area.contains(event.pos()):
                    return explain(term, self, area.toAlignedRect(), self.toolTip())
        return super().event(event)

    @override
    def sizeHint(self) -> QSize:
        return QSize(260, 200)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        layout, theme, ratio = self.placed, current_theme(), self.devicePixelRatioF()
        key = (layout.rect, layout.frame, layout.x, layout.y, ratio, theme)
        if self._ground is None or key != self._ground_of:
            self._ground_of = key
            self._ground = QPixmap(self.size() * ratio)
            self._ground.setDevicePixelRatio(ratio)
            self._ground.fill(Qt.GlobalColor.transparent)
            with QPainter(self._ground) as painter:
                paint_ground(painter, self._plot, layout, theme)
        with QPainter(self) as painter:
            painter.drawPixmap(0, 0, self._ground)
            paint_front(painter, self._plot, layout, theme)
            painter.setFont(layout.font)
            for area, term in self._term_places:  # on screen alone: a picture has no tips
                underline(painter, area, term)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            if self.hasFocus():
                painter.setPen(QPen(QColor(theme.accent), 1.5))
                painter.drawRect(layout.frame)
            paint_marks(painter, self._pointer, layout, theme)
            for handle in self._handles:
                paint_ring(painter, handle, layout, theme)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._layout = None

    @override
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._layout = self._ground = None
            self.update()
