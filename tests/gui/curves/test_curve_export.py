import re
import xml.etree.ElementTree as ET
import zlib

import numpy as np
import pytest
from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

from vae_explorer.errors import ExportError
from vae_explorer.gui.curves.curve_export import PNG_SCALE, render_curves
from vae_explorer.gui.curves.decimation import Vertices
from vae_explorer.gui.curves.history_table import HistoryTable
from vae_explorer.gui.curves.legend import Entry
from vae_explorer.gui.curves.sheet import Axis, Sheet, Stroke
from vae_explorer.gui.theme import LIGHT
from vae_explorer.training.history import HistoryPoint, from_csv

POINTS = [
    HistoryPoint(0.5, -150.25, -144.0, 6.25, -150.25),
    HistoryPoint(
        1.0,
        -140.0,
        -133.5,
        6.5,
        -139.0,
        -141.0,
        -134.4,
        6.6,
        -140.5,
        2,
        15,
        1e-3,
        12.5,
        1.0,
        1,
        3.2,
    ),
]
SIZES = [QSize(400, 300), QSize(400, 300), QSize(340, 100)]


def sheet(title: str, color: str) -> Sheet:
    curve = Vertices(np.linspace(0, 10, 50), np.linspace(-140, -120, 50))
    return Sheet(
        title,
        Axis("epochs", 0, 10),
        Axis("nats / image", -140, -120),
        (Stroke(curve, color),),
        entries=(Entry(color, "━", "train", "−120.00"),),
    )


SHEETS = [sheet("ELBO", LIGHT.train), sheet("log p(x|z)", "#6b2c99"), sheet("KL", LIGHT.kl)]


def made(kind: str, columns: int = 2) -> bytes:
    return render_curves(kind, SHEETS, SIZES, columns, HistoryTable(POINTS))


@pytest.fixture(autouse=True)
def _application(qapp: object) -> None:
    """Letters need one."""


def count(image: QImage, color: str) -> int:
    rgb = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(rgb.constBits(), np.uint8).reshape(rgb.height(), rgb.bytesPerLine())
    cells = rows[:, : 3 * rgb.width()].reshape(rgb.height(), rgb.width(), 3).astype(int)
    wanted = QColor(color)
    near = np.abs(cells - (wanted.red(), wanted.green(), wanted.blue())) < 30
    return int(near.all(axis=2).sum())


def test_a_png_has_twice_the_pixels_and_all_the_curves_on_white() -> None:
    image = QImage.fromData(made("png"))
    assert image.width() == PNG_SCALE * (2 * 400 + 3 * 12)
    assert image.height() == PNG_SCALE * (300 + 260 + 3 * 12)
    assert image.pixelColor(2, 2) == QColor("white")
    for color in (LIGHT.train, "#6b2c99", LIGHT.kl):
        assert count(image, color) > 300


def test_columns_are_as_on_screen() -> None:
    stack = QImage.fromData(made("png", columns=1))
    assert stack.width() == PNG_SCALE * (400 + 2 * 12)
    assert stack.height() > stack.width()


def test_an_svg_has_titles_axes_legend_and_units_as_text_and_curves_as_paths() -> None:
    content = made("svg")
    root = ET.fromstring(content)
    assert root.get("viewBox") == "0 0 836 596"
    space = "{http://www.w3.org/2000/svg}"
    said = [element.text.strip() for element in root.iter(f"{space}text") if element.text]
    for text in ("ELBO", "log p(x|z)", "KL", "epochs", "nats / image", "train −120.00", "−130"):
        assert text in said
    lines = [line.get("points", "") for line in root.iter(f"{space}polyline")]
    assert sum(len(points.split()) == 50 for points in lines) == 3
    assert b"clip" in content
    image = QImage(836, 596, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    QSvgRenderer(content).render(painter, QRectF(0, 0, 836, 596))
    painter.end()
    assert count(image, LIGHT.kl) > 100


def test_a_pdf_is_one_page_of_that_size_with_the_colours_in_it() -> None:
    content = made("pdf")
    assert content.startswith(b"%PDF-")
    assert content.rstrip().endswith(b"%%EOF")
    assert content.count(b"/Type /Page\n") == 1
    box = re.search(rb"/MediaBox \[([^\]]+)\]", content)
    assert box is not None
    width, height = map(float, box[1].split()[2:])
    assert width == pytest.approx(836 * 0.75, abs=1)
    assert height == pytest.approx(596 * 0.75, abs=1)
    streams = re.findall(rb"stream\r?\n(.*?)endstream", content, re.DOTALL)
    drawn = b"".join(zlib.decompress(s) for s in streams if s[:1] == b"\x78")
    color = QColor(LIGHT.kl)
    wanted = (color.redF(), color.greenF(), color.blueF())
    numbers = re.findall(rb"([\d.]+) ([\d.]+) ([\d.]+) (?:SCN|RG|scn|rg)", drawn)
    assert any(np.allclose([float(n) for n in rgb], wanted, atol=2e-3) for rgb in numbers)


def test_a_csv_is_the_history() -> None:
    text = made("csv").decode()
    assert text.splitlines()[0].startswith("epoch,elbo,log_likelihood,kl,objective,held_out_elbo")
    assert len(text.splitlines()) == 1 + len(POINTS)
    again = from_csv(text)
    assert again == tuple(POINTS)
    assert again[1].seconds == 3.2


def test_other_kinds_are_refused_in_words() -> None:
    with pytest.raises(ExportError, match="“bmp”; choose one of png, svg, pdf, csv"):
        made("bmp")


def test_nothing_to_draw_is_told() -> None:
    with pytest.raises(ExportError, match="no curves"):
        render_curves("png", [], [], 1, HistoryTable())
