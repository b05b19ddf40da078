"""Charts as the bytes of a file: painted as on screen, or the numbers behind them."""

import csv
import io
from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtCore import (
    QBuffer,
    QByteArray,
    QIODevice,
    QMarginsF,
    QPoint,
    QRect,
    QRectF,
    QSize,
    QSizeF,
    Qt,
)
from PySide6.QtGui import QImage, QImageWriter, QPageLayout, QPageSize, QPainter, QPdfWriter
from PySide6.QtSvg import QSvgGenerator

from vae_explorer.errors import ExportError
from vae_explorer.gui.plot.layout import Plot
from vae_explorer.gui.plot.marks import Arrow, Band, Box, Columns, Dots, Level, Line, Mark, Ring
from vae_explorer.gui.plot.painting import paint_chart
from vae_explorer.gui.theme import LIGHT

KINDS = ("png", "svg", "pdf", "csv")
"""Extensions of the files that can be made."""

PNG_SCALE = 2
_LEAST = QSize(360, 260)
_MARGIN = 12
_PDF_SCALE = 10  # finer than a screen, or letters would stand unevenly
_POINTS_A_PIXEL = 72 / 96


def render_charts(
    kind: str, plots: Sequence[Plot], sizes: Sequence[QSize], columns: int = 1, title: str = ""
) -> bytes:
    """The plots on white, side by side in this many columns, or as a table of their marks.

    Args:
        kind: one of ``KINDS``.
        plots: one or more.
        sizes: what each has on screen, pixels; small ones are enlarged.
        columns: how many stand side by side.
        title: of the file, by default of the first plot.

    Raises:
        ExportError: the kind is none of these, or there is nothing to draw.
    """
    if kind not in KINDS:
        raise ExportError(
            f"A chart cannot be written as “{kind}”; choose one of {', '.join(KINDS)}."
        )
    if not plots:
        raise ExportError("There is no chart to write; train or open a model first.")
    if kind == "csv":
        return _csv(plots).encode()
    areas, whole = _areas(sizes, columns)

    def paint(painter: QPainter) -> None:
        for area, plot in zip(areas, plots, strict=True):
            paint_chart(painter, area, plot, LIGHT)

    content = QByteArray()
    buffer = QBuffer(content)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    name = f"VAE Explorer: {title or plots[0].title}"
    {"png": _png, "svg": _svg, "pdf": _pdf}[kind](buffer, whole, paint, name)
    buffer.close()
    return bytes(content.data())


def _areas(sizes: Sequence[QSize], columns: int) -> tuple[list[QRectF], QSize]:
    """Where each plot goes, and how large all of it is, pixels."""
    rows = -(-len(sizes) // columns)
    width = max(_LEAST.width(), *(size.width() for size in sizes))
    heights = [
        max(_LEAST.height(), *(size.height() for size in sizes[row * columns :][:columns]))
        for row in range(rows)
    ]
    areas = []
    for number in range(len(sizes)):
        row, column = divmod(number, columns)
        x = _MARGIN + column * (width + _MARGIN)
        y = _MARGIN + sum(heights[:row]) + row * _MARGIN
        areas.append(QRectF(x, y, width, heights[row]))
    whole = QSize(
        _MARGIN + min(columns, len(sizes)) * (width + _MARGIN),
        _MARGIN + sum(heights) + rows * _MARGIN,
    )
    return areas, whole


Paint = Callable[[QPainter], None]


def _png(buffer: QBuffer, size: QSize, paint: Paint, title: str) -> None:
    image = QImage(size * PNG_SCALE, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.white)
    image.setText("Title", title)
    with QPainter(image) as painter:
        painter.scale(PNG_SCALE, PNG_SCALE)
        paint(painter)
    QImageWriter(buffer, QByteArray(b"png")).write(image)


def _svg(buffer: QBuffer, size: QSize, paint: Paint, title: str) -> None:
    # The other version, SVG Tiny, knows no clipping.
    generator = QSvgGenerator(QSvgGenerator.SvgVersion.Svg11)
    generator.setOutputDevice(buffer)
    generator.setSize(size)
    generator.setViewBox(QRect(QPoint(), size))
    generator.setTitle(title)
    with QPainter(generator) as painter:
        painter.fillRect(QRect(QPoint(), size), Qt.GlobalColor.white)
        paint(painter)


def _pdf(buffer: QBuffer, size: QSize, paint: Paint, title: str) -> None:
    writer = QPdfWriter(buffer)
    writer.setTitle(title)
    writer.setCreator("VAE Explorer")
    writer.setResolution(96 * _PDF_SCALE)
    page = QPageSize(QSizeF(size) * _POINTS_A_PIXEL, QPageSize.Unit.Point)
    writer.setPageLayout(QPageLayout(page, QPageLayout.Orientation.Portrait, QMarginsF()))
    with QPainter(writer) as painter:
        painter.scale(_PDF_SCALE, _PDF_SCALE)
        paint(painter)


def _csv(plots: Sequence[Plot]) -> str:
    """A line a point: the chart, the mark, x and y, and the upper y of bands."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("chart", "mark", "x", "y", "y_upper"))
    for plot in plots:
        for number, mark in enumerate((*plot.marks, *plot.front), 1):
            name = getattr(mark, "name", "") or f"{type(mark).__name__.lower()} {number}"
            for row in _rows(mark):
                writer.writerow((plot.title, name, *map(repr, row)))
    return text.getvalue()


def _rows(mark: Mark) -> list[list[float]]:
    found: Sequence[object]
    match mark:
        case Line():
            found = [mark.x, mark.y]
        case Band():
            found = [mark.x, mark.lower, mark.upper]
        case Columns():
            found = [(mark.edges[1:] + mark.edges[:-1]) / 2, mark.heights]
        case Dots():
            found = list(mark.positions.T)
        case Box():
            left, right, bottom, top = mark.region
            return [[left, bottom], [right, top]]
        case Level():
            return [[mark.value, np.nan] if mark.upright else [np.nan, mark.value]]
        case Arrow():
            return [list(mark.start), list(mark.end)]
        case Ring():
            return [list(mark.position)]
        case _:
            return []
    rows: list[list[float]] = np.column_stack(found).astype(float).tolist()  # type: ignore[arg-type]
    return rows
