"""Training curves as the bytes of a file: pictures drawn by Qt, or a table."""

from collections.abc import Callable, Sequence

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
from vae_explorer.gui.curves.history_table import HistoryTable
from vae_explorer.gui.curves.sheet import Sheet
from vae_explorer.gui.curves.sheet_painter import draw_sheet
from vae_explorer.gui.theme import LIGHT
from vae_explorer.training.history import to_csv

KINDS = ("png", "svg", "pdf", "csv")
"""Extensions of the files that can be made."""

PNG_SCALE = 2
_LEAST = QSize(360, 260)
_MARGIN = 12
_TITLE = "VAE Explorer: training curves"
_PDF_SCALE = 10  # finer than a screen, or letters would stand unevenly
_POINTS_A_PIXEL = 72 / 96


def render_curves(
    kind: str, sheets: Sequence[Sheet], sizes: Sequence[QSize], columns: int, table: HistoryTable
) -> bytes:
    """The sheets on white, side by side in so many columns, or all figures of a history.

    Args:
        kind: one of ``KINDS``.
        sheets: one a panel.
        sizes: what each has on screen, pixels; small ones are enlarged.
        columns: how many stand side by side.
        table: the history, of which a table has one row a report.

    Raises:
        ExportError: the kind is none of these, or there is nothing to draw.
    """
    if kind == "csv":
        return to_csv(table.points()).encode()
    if kind not in KINDS:
        raise ExportError(
            f"Curves cannot be written as “{kind}”; choose one of {', '.join(KINDS)}."
        )
    if not sheets:
        raise ExportError("There are no curves to write; train or open a model first.")
    places, whole = _places(sizes, columns)

    def draw(painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for place, sheet in zip(places, sheets, strict=True):
            draw_sheet(painter, place, sheet, LIGHT)

    content = QByteArray()
    buffer = QBuffer(content)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    {"png": _png, "svg": _svg, "pdf": _pdf}[kind](buffer, whole, draw)
    buffer.close()
    return bytes(content.data())


def _places(sizes: Sequence[QSize], columns: int) -> tuple[list[QRectF], QSize]:
    """Where each sheet goes, and how large all of it is, pixels."""
    rows = -(-len(sizes) // columns)
    width = max(_LEAST.width(), *(size.width() for size in sizes))
    heights = [
        max(_LEAST.height(), *(size.height() for size in sizes[row * columns :][:columns]))
        for row in range(rows)
    ]
    places = []
    for number in range(len(sizes)):
        row, column = divmod(number, columns)
        x = _MARGIN + column * (width + _MARGIN)
        y = _MARGIN + sum(heights[:row]) + row * _MARGIN
        places.append(QRectF(x, y, width, heights[row]))
    whole = QSize(
        _MARGIN + min(columns, len(sizes)) * (width + _MARGIN),
        _MARGIN + sum(heights) + rows * _MARGIN,
    )
    return places, whole


def _png(buffer: QBuffer, size: QSize, draw: Callable[[QPainter], None]) -> None:
    image = QImage(size * PNG_SCALE, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.white)
    image.setText("Title", _TITLE)
    painter = QPainter(image)
    painter.scale(PNG_SCALE, PNG_SCALE)
    draw(painter)
    painter.end()
    QImageWriter(buffer, QByteArray(b"png")).write(image)


def _svg(buffer: QBuffer, size: QSize, draw: Callable[[QPainter], None]) -> None:
    # The other version, SVG Tiny, knows no clipping.
    generator = QSvgGenerator(QSvgGenerator.SvgVersion.Svg11)
    generator.setOutputDevice(buffer)
    generator.setSize(size)
    generator.setViewBox(QRect(QPoint(), size))
    generator.setTitle(_TITLE)
    painter = QPainter(generator)
    painter.fillRect(QRect(QPoint(), size), Qt.GlobalColor.white)
    draw(painter)
    painter.end()


def _pdf(buffer: QBuffer, size: QSize, draw: Callable[[QPainter], None]) -> None:
    writer = QPdfWriter(buffer)
    writer.setTitle(_TITLE)
    writer.setCreator("VAE Explorer")
    writer.setResolution(96 * _PDF_SCALE)
    page = QPageSize(QSizeF(size) * _POINTS_A_PIXEL, QPageSize.Unit.Point)
    writer.setPageLayout(QPageLayout(page, QPageLayout.Orientation.Portrait, QMarginsF()))
    painter = QPainter(writer)
    painter.scale(_PDF_SCALE, _PDF_SCALE)
    draw(painter)
    painter.end()
