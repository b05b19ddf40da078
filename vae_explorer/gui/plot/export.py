"""Charts as the bytes of a file: painted as on screen, or the numbers behind them.

What is written depends on the plots and the style alone: there is no date in it and no random
number, and the font is not that of the desktop.
"""

import csv
import io
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from PySide6.QtCore import (
    QBuffer,
    QByteArray,
    QHashSeed,
    QIODevice,
    QMarginsF,
    QRect,
    QRectF,
    QSize,
    QSizeF,
    Qt,
    QUuid,
)
from PySide6.QtGui import (
    QColor,
    QFont,
    QImage,
    QImageWriter,
    QPageLayout,
    QPageSize,
    QPainter,
    QPdfWriter,
)
from PySide6.QtSvg import QSvgGenerator

from vae_explorer.errors import ExportError
from vae_explorer.export.figure import FONT_PIXELS, FigureStyle
from vae_explorer.gui.plot.layout import Layout, Plot
from vae_explorer.gui.plot.marks import Arrow, Band, Box, Columns, Dots, Level, Line, Mark, Ring
from vae_explorer.gui.plot.painting import paint_chart
from vae_explorer.gui.theme import DARK, LIGHT, Theme
from vae_explorer.types import Region

KINDS = ("png", "svg", "pdf", "csv")
"""Extensions of the files that can be made."""

_FAMILIES = ("DejaVu Sans", "Noto Sans", "Segoe UI", "Helvetica Neue", "Arial")
_MARGIN = 6.0
_GAP = 12.0
_LEAST_WIDTH = 270
_ASPECT = 1.7
_PDF_DPI = 1_200
_XMP = b"""<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/">
<rdf:Description rdf:about="" xmp:CreatorTool="VAE Explorer"/>
</rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""  # Qt's own has the time
_FACTOR = 1_000_000  # of a window to its viewport, which are of whole numbers


def render_charts(
    kind: str,
    plots: Sequence[Plot],
    style: FigureStyle | None = None,
    columns: int = 0,
    title: str = "",
) -> bytes:
    """The plots side by side, as large as each other, or their numbers.

    Args:
        kind: one of ``KINDS``.
        plots: one or more.
        style: of all of it.
        columns: how many stand side by side, by default as many as suit the room.
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
        return csv_bytes(_lines(plots))
    style = style or FigureStyle()
    whole = QSizeF(*style.room)
    columns = columns or columns_for(len(plots), *map(int, style.room))
    density = style.pixel * style.dpi / 72
    theme = _theme(style)

    def paint(painter: QPainter, scale: float) -> None:
        painter.setWindow(QRect(0, 0, _FACTOR, _FACTOR))
        painter.setViewport(QRect(0, 0, round(scale * _FACTOR), round(scale * _FACTOR)))
        painter.setFont(figure_font())
        painter.setRenderHint(QPainter.RenderHint.LosslessImageRendering)
        if not style.transparent:
            painter.fillRect(QRectF(0, 0, whole.width(), whole.height()), QColor(theme.canvas))
        for area, plot in zip(_areas(whole, len(plots), columns), plots, strict=True):
            paint_chart(painter, area, plot, theme, figure_font(), density)

    content = QByteArray()
    buffer = QBuffer(content)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    name = f"VAE Explorer: {title or plots[0].title}"
    if kind == "png":
        _png(buffer, style, lambda painter: paint(painter, density), name)
    elif kind == "svg":
        _svg(buffer, whole, lambda painter: paint(painter, 1.0), name)
    else:
        _pdf(buffer, style, lambda painter: paint(painter, style.pixel * _PDF_DPI / 72), name)
    buffer.close()
    written = bytes(content.data())
    if kind == "svg":
        return _sized_svg(written, style)
    return _lasting(written, style) if kind == "pdf" else written


def _theme(style: FigureStyle) -> Theme:
    theme = DARK if style.scheme == "dark" else LIGHT
    if style.transparent:  # halos keep its colour, as they set the alpha
        return replace(theme, canvas=f"#00{theme.canvas[1:]}")
    return theme


def figure_font() -> QFont:
    """That of figures, whatever the desktop writes in."""
    font = QFont()
    font.setFamilies(_FAMILIES)
    font.setStyleHint(QFont.StyleHint.SansSerif)
    font.setPixelSize(FONT_PIXELS)
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    return font


def columns_for(count: int, width: int, height: int) -> int:
    """How many columns make ``count`` panels the best shaped, none of them too narrow."""

    def misshapen(columns: int) -> float:
        rows = -(-count // columns)
        empty = math.log(columns * rows / count)
        return abs(math.log(width / columns / max(height / rows, 1) / _ASPECT)) + empty

    most = max(min(count, width // _LEAST_WIDTH), 1)
    return min(range(1, most + 1), key=misshapen)


def _areas(whole: QSizeF, count: int, columns: int) -> list[QRectF]:
    """Where each plot goes."""
    columns = max(min(columns, count), 1)
    rows = -(-count // columns)
    width = (whole.width() - 2 * _MARGIN - (columns - 1) * _GAP) / columns
    height = (whole.height() - 2 * _MARGIN - (rows - 1) * _GAP) / rows
    return [
        QRectF(
            _MARGIN + number % columns * (width + _GAP),
            _MARGIN + number // columns * (height + _GAP),
            width,
            height,
        )
        for number in range(count)
    ]


def region_shown(plot: Plot, style: FigureStyle) -> Region:
    """What of the plane a plot shows in a figure that it fills, with one scale on both axes."""
    area = _areas(QSizeF(*style.room), 1, 1)[0]
    whole = replace(plot, aspect="equal")
    return Layout.of(whole, area, figure_font(), style.pixel * style.dpi / 72).region


Paint = Callable[[QPainter], None]


def _png(buffer: QBuffer, style: FigureStyle, paint: Paint, title: str) -> None:
    image = QImage(*style.pixels, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    image.setDotsPerMeterX(round(style.dpi / 0.0254))
    image.setDotsPerMeterY(round(style.dpi / 0.0254))
    image.setText("Title", title)
    with QPainter(image) as painter:
        paint(painter)
    if not style.transparent:
        image = image.convertToFormat(QImage.Format.Format_RGB32)
    QImageWriter(buffer, QByteArray(b"png")).write(image)


def _svg(buffer: QBuffer, size: QSizeF, paint: Paint, title: str) -> None:
    # The other version, SVG Tiny, knows no clipping.
    generator = QSvgGenerator(QSvgGenerator.SvgVersion.Svg11)
    generator.setOutputDevice(buffer)
    generator.setSize(size.toSize().expandedTo(QSize(1, 1)))
    generator.setViewBox(QRectF(0, 0, size.width(), size.height()))
    generator.setTitle(title)
    with QPainter(generator) as painter:
        paint(painter)


def _sized_svg(content: bytes, style: FigureStyle) -> bytes:
    """With the size that was asked for: Qt's is of whole pixels."""
    sides = f'width="{style.width:g}{style.unit}" height="{style.height:g}{style.unit}"'
    return re.sub(rb'width="[^"]*" height="[^"]*"', sides.encode(), content, count=1)


def _pdf(buffer: QBuffer, style: FigureStyle, paint: Paint, title: str) -> None:
    writer = QPdfWriter(buffer)
    writer.setTitle(title)
    writer.setCreator("VAE Explorer")
    writer.setDocumentId(QUuid())
    writer.setDocumentXmpMetadata(QByteArray(_XMP))
    writer.setResolution(_PDF_DPI)
    page = QPageSize(QSizeF(*style.points), QPageSize.Unit.Point)
    writer.setPageLayout(QPageLayout(page, QPageLayout.Orientation.Portrait, QMarginsF()))
    QHashSeed.setDeterministicGlobalSeed()  # fonts are written in the order of a hash
    try:
        with QPainter(writer) as painter:
            paint(painter)
    finally:
        QHashSeed.resetRandomGlobalSeed()


def _lasting(content: bytes, style: FigureStyle) -> bytes:
    """A PDF of just that size, without its date; the table of its objects follows.

    Qt's page is of whole points, and what is painted hangs from its upper edge.
    """
    width, height = style.points
    top = round(height)
    for old, new in (
        (rb"/MediaBox \[[^\]]*\]", b"/MediaBox [0 %.4f %.4f %d]" % (top - height, width, top)),
        (rb"/(?:Creation|Mod)Date ?\([^)]*\)\n?", b""),
    ):
        while (found := re.search(old, content)) and found[0] != new:
            grown = len(new) - (found.end() - found.start())
            at = found.start()
            content = content[:at] + new + content[found.end() :]
            content = _moved(content, at, grown)
    return content


def _moved(content: bytes, at: int, by: int) -> bytes:
    """A PDF in which all after a byte is elsewhere, with the offsets that say so."""

    def entry(found: re.Match[bytes]) -> bytes:
        offset = int(found[1])
        return b"%010d%s" % (offset + by * (offset > at), found[2])

    head, table = content[: content.rindex(b"\nxref")], content[content.rindex(b"\nxref") :]
    table = re.sub(rb"(\d{10})( \d{5} n)", entry, table)
    start = re.search(rb"startxref\s+(\d+)", table)
    assert start is not None
    return head + table.replace(start[0], b"startxref\n%d" % (len(head) + 1))


def csv_bytes(rows: Iterable[Iterable[object]]) -> bytes:
    """Rows as CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _lines(plots: Sequence[Plot]) -> Iterator[tuple[object, ...]]:
    """A line a point: the chart, the mark, x and y, and the upper y of bands."""
    yield "chart", "mark", "x", "y", "y_upper"
    for plot in plots:
        for number, mark in enumerate((*plot.marks, *plot.front), 1):
            name = getattr(mark, "name", "") or f"{type(mark).__name__.lower()} {number}"
            for row in _rows(mark):
                yield plot.title, name, *map(repr, row)


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
