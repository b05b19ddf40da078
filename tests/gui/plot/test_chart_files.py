"""Charts as files."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QFontMetricsF, QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QMainWindow, QWidget
from pytestqt.qtbot import QtBot

from tests.support.charts import count, pixels, shown
from vae_explorer.errors import ExportError
from vae_explorer.export.figure import FigureStyle
from vae_explorer.export.figure_requests import Curves
from vae_explorer.export.requests import Request
from vae_explorer.gui.plot.axis import Axis
from vae_explorer.gui.plot.captions import Outlined
from vae_explorer.gui.plot.chart import Chart
from vae_explorer.gui.plot.export import KINDS, figure_font, render_charts
from vae_explorer.gui.plot.layout import Aspect, Plot
from vae_explorer.gui.plot.marks import (
    Entry,
    Line,
)
from vae_explorer.gui.plot.menu import chart_menu, style_on_screen
from vae_explorer.gui.theme import DARK, LIGHT

PLOTS = [
    Plot(
        title,
        Axis(0, 10, "epochs"),
        Axis(-140, -120, "nats / image"),
        (Line(np.linspace(0, 10, 50), np.linspace(-140, -120, 50), color),),
        entries=(Entry(color, "━", "train", "−120.00"),),
    )
    for title, color in (("ELBO", "train"), ("log p(x|z)", "#6b2c99"), ("KL", "kl"))
]
STYLE = FigureStyle(width=170.0, height=100.0)


def made(kind: str, columns: int = 2, style: FigureStyle = STYLE) -> bytes:
    return render_charts(kind, PLOTS, style, columns)


@pytest.fixture
def _letters(qapp: object) -> None:
    """They need an application."""


@pytest.mark.usefixtures("_letters")
@pytest.mark.parametrize("columns", [1, 2])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_png_has_the_size_and_the_resolution_asked_for(columns: int, scheme: str) -> None:
    content = made("png", columns, STYLE.replace(scheme=scheme))
    with Image.open(BytesIO(content)) as file:
        assert file.size == STYLE.pixels == (2008, 1181)
        assert file.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        assert file.mode == "RGB"
    image, theme = QImage.fromData(content), DARK if scheme == "dark" else LIGHT
    assert image.pixelColor(2, 2) == QColor(theme.canvas)
    for color in (theme.train, "#6b2c99", theme.kl):
        assert count(image, color) > 300


@pytest.mark.usefixtures("_letters")
def test_a_transparent_figure_has_no_ground_at_all() -> None:
    style = STYLE.replace(transparent=True)
    with Image.open(BytesIO(made("png", style=style))) as file:
        alpha = np.asarray(file.getchannel("A"))
    assert (alpha == 0).mean() > 0.8
    assert (alpha == 255).any()
    assert b'fill="#ffffff" fill-opacity="1"' not in made("svg", style=style)


@pytest.mark.usefixtures("_letters")
@pytest.mark.parametrize("text", [4.0, 8.0, 14.0])
def test_text_grows_and_nothing_of_it_is_cut_off(text: float) -> None:
    style = FigureStyle(width=85.0, height=60.0, text=text)
    content = render_charts("svg", PLOTS[:1], style)
    root = ET.fromstring(content)
    assert root.get("width") == "85mm"
    *_, wide, high = map(float, root.get("viewBox", "").split())
    assert wide == pytest.approx(85 / 25.4 * 72 / text * 12, abs=0.01)
    metrics = QFontMetricsF(figure_font())
    for element in root.iter("{http://www.w3.org/2000/svg}text"):
        x, y = float(element.get("x", 0)), float(element.get("y", 0))
        if "matrix(1,0" in next(g for g in parents(root, element) if "matrix" in g):
            assert x >= 0
            assert x + metrics.horizontalAdvance((element.text or "").strip()) <= wide + 1
            assert metrics.ascent() / 2 < y < high


def parents(root: ET.Element, element: ET.Element) -> list[str]:
    """What transforms an element, the nearest last."""
    above = {child: parent for parent in root.iter() for child in parent}
    found = []
    while element in above:
        element = above[element]
        found.append(element.get("transform", ""))
    return found


@pytest.mark.usefixtures("_letters")
@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_the_same_bytes_are_made_in_another_process(kind: str) -> None:
    program = (
        "import sys, hashlib; from PySide6.QtWidgets import QApplication; a = QApplication([]);"
        "a.setFont('Serif');"
        "from tests.gui.plot.test_chart_files import made;"
        f"print(hashlib.sha256(made({kind!r})).hexdigest())"
    )
    environment = {**os.environ, "TZ": "Asia/Kolkata", "QT_HASH_SEED": "", "PYTHONHASHSEED": "7"}
    del environment["QT_HASH_SEED"]
    there = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True
    )
    assert there.stdout.strip() == hashlib.sha256(made(kind)).hexdigest()
    assert made(kind) == made(kind)


@pytest.mark.usefixtures("_letters")
@pytest.mark.usefixtures("qapp")
def test_letters_lie_the_same_whatever_was_painted_before() -> None:
    """Qt paints letters at quarters of a pixel, and takes outlines where the last one began."""
    outlines, image = [], QImage(200, 50, QImage.Format.Format_ARGB32_Premultiplied)
    for quarter in range(4):
        with QPainter(image) as painter:
            font = figure_font()
            font.setPixelSize(30 + quarter)  # of which no letter was painted yet
            painter.setFont(font)
            painter.drawText(QPointF(10 + quarter / 4, 40), "1σ 234")
        outlined = Outlined("1σ", figure_font())
        outlines.append((outlined.glyphs, outlined._start))
    assert outlines[1:] == outlines[:-1]


def test_an_svg_has_words_as_text_and_curves_as_lines() -> None:
    content = made("svg")
    root = ET.fromstring(content)
    assert (root.get("width"), root.get("height")) == ("170mm", "100mm")
    space = "{http://www.w3.org/2000/svg}"
    said = [element.text.strip() for element in root.iter(f"{space}text") if element.text]
    for text in ("ELBO", "log p(x|z)", "KL", "epochs", "nats / image", "train −120.00", "−130"):
        assert text in said
    lines = [line.get("points", "") for line in root.iter(f"{space}polyline")]
    assert sum(len(points.split()) == 50 for points in lines) == 3
    assert b"clip" in content
    image = QImage(850, 500, QImage.Format.Format_RGB32)
    with QPainter(image) as painter:
        QSvgRenderer(content).render(painter, QRectF(0, 0, 850, 500))
    assert count(image, LIGHT.kl) > 100


@pytest.mark.usefixtures("_letters")
def test_a_pdf_is_one_page_of_that_size_with_the_colours_in_it() -> None:
    content = made("pdf")
    assert content.startswith(b"%PDF-")
    assert content.count(b"/Type /Page\n") == 1
    box = re.search(rb"/MediaBox \[([^\]]+)\]", content)
    assert box is not None
    left, bottom, right, top = map(float, box[1].split())
    assert (left, right) == pytest.approx((0, 170 / 25.4 * 72), abs=1e-3)
    assert top - bottom == pytest.approx(100 / 25.4 * 72, abs=1e-3)
    assert top == 283  # where Qt hangs what it paints: its page is of whole points
    assert b"Date" not in content
    streams = re.findall(rb"stream\r?\n(.*?)endstream", content, re.DOTALL)
    drawn = b"".join(zlib.decompress(s) for s in streams if s[:1] == b"\x78")
    color = QColor(LIGHT.kl)
    wanted = (color.redF(), color.greenF(), color.blueF())
    numbers = re.findall(rb"([\d.]+) ([\d.]+) ([\d.]+) (?:SCN|RG|scn|rg)", drawn)
    assert any(np.allclose([float(n) for n in rgb], wanted, atol=2e-3) for rgb in numbers)


@pytest.mark.usefixtures("_letters")
@pytest.mark.skipif(not shutil.which("pdftoppm"), reason="needs poppler-utils")
def test_another_program_reads_the_pdf(tmp_path: Path) -> None:
    path = tmp_path / "made.pdf"
    path.write_bytes(made("pdf"))
    read = ["pdftoppm", "-r", "100", "-png", "-singlefile", str(path), str(tmp_path / "page")]
    said = subprocess.run(read, capture_output=True, text=True, check=True)
    assert not said.stderr  # of a table of objects that is not right
    with Image.open(tmp_path / "page.png") as page:
        assert page.size == pytest.approx((669, 394), abs=1)
    words = subprocess.run(["pdftotext", path, "-"], capture_output=True, text=True, check=True)
    assert all(word in words.stdout for word in ("ELBO", "KL", "epochs", "nats / image"))


@pytest.mark.usefixtures("_letters")
def test_what_cannot_be_written_is_told() -> None:
    with pytest.raises(ExportError, match="“bmp”; choose one of png, svg, pdf, csv"):
        made("bmp")
    with pytest.raises(ExportError, match="no chart"):
        render_charts("png", [])


@pytest.mark.usefixtures("_letters")
@pytest.mark.parametrize("end", [0.0, 0.25, -1e300, float("inf"), float("nan")])
@pytest.mark.parametrize("aspect", ["free", "equal", "exact"])
def test_axes_without_extent_are_written_too(aspect: Aspect, end: float) -> None:
    axis = Axis(end, end)
    plot = Plot("Nowhere", axis, axis, PLOTS[0].marks, aspect=aspect)
    assert render_charts("png", [plot], STYLE).startswith(b"\x89PNG")


def test_an_export_is_the_screen(qtbot: QtBot) -> None:
    chart = shown(qtbot, Chart("A chart", "x"))
    chart.resize(400, 300)
    chart.set_marks([Line(np.linspace(0, 1, 50), np.linspace(0, 1, 50) ** 2, "train", "a line")])
    style = style_on_screen(chart).replace(width=824.0, height=624.0)  # with a margin
    file = QImage.fromData(chart.export("png", style))
    onscreen = chart.grab().toImage().scaled(800, 600)
    inside = file.copy(12, 12, 800, 600)
    # The ground around the frame is the window's, and a screen has half the pixels.
    frame = chart.frame.toRect()
    box = (
        slice(2 * frame.top() + 4, 2 * frame.bottom() - 4),
        slice(2 * frame.left() + 4, 2 * frame.right() - 4),
    )
    difference = np.abs(pixels(inside)[box] - pixels(onscreen)[box]).mean()
    assert difference < 4
    assert set(KINDS) == {"png", "svg", "pdf", "csv"}
    assert chart.export("csv").decode().splitlines()[1].split(",")[:2] == ["A chart", "a line"]


class Window(QMainWindow):
    """Has the dialog by which files leave."""

    def __init__(self) -> None:
        super().__init__()
        self.exported: list[Request] = []
        self.export = self.exported.append

    def request_of(self, widget: QWidget) -> Request | None:
        return Curves(panel=widget.accessibleName())


def test_the_menu_exports_copies_and_resets(qtbot: QtBot) -> None:
    window, chart = Window(), Chart("A chart", zoomable=True)
    qtbot.addWidget(window)
    window.setCentralWidget(chart)
    menu = chart_menu(chart, chart.export, chart.reset_view)
    actions = {action.text(): action for action in menu.actions()}
    assert list(actions) == ["Export…", "Copy Picture", "Copy Data", "Reset View"]
    actions["Export…"].trigger()
    assert window.exported == [Curves(panel="A chart")]
    clipboard = QGuiApplication.clipboard()
    actions["Copy Picture"].trigger()
    assert clipboard.image().width() > 0
    actions["Copy Data"].trigger()
    assert clipboard.text().encode() == chart.export("csv")
    with qtbot.waitSignal(chart.reset_requested):
        actions["Reset View"].trigger()
    menu.deleteLater()
    alone = shown(qtbot, Chart("A chart"))
    menu = chart_menu(alone, alone.export, None)
    offered = {action.text(): action.isEnabled() for action in menu.actions()}
    assert offered == {"Copy Picture": True, "Copy Data": True, "Reset View": False}
    menu.deleteLater()
