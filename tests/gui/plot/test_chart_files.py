"""Charts as files."""

import re
import xml.etree.ElementTree as ET
import zlib
from collections.abc import Sequence

import numpy as np
import pytest
from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QColor, QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QMainWindow
from pytestqt.qtbot import QtBot

from tests.support.charts import count, pixels, shown
from vae_explorer.errors import ExportError
from vae_explorer.gui.plot.axis import Axis
from vae_explorer.gui.plot.chart import Chart
from vae_explorer.gui.plot.export import KINDS, PNG_SCALE, render_charts
from vae_explorer.gui.plot.layout import Plot
from vae_explorer.gui.plot.marks import (
    Entry,
    Line,
)
from vae_explorer.gui.plot.menu import Export, chart_menu
from vae_explorer.gui.theme import LIGHT

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
SIZES = [QSize(400, 300), QSize(400, 300), QSize(340, 100)]


def made(kind: str, columns: int = 2) -> bytes:
    return render_charts(kind, PLOTS, SIZES, columns)


@pytest.fixture
def _letters(qapp: object) -> None:
    """They need an application."""


@pytest.mark.usefixtures("_letters")
def test_a_png_has_twice_the_pixels_and_all_the_curves_on_white() -> None:
    image = QImage.fromData(made("png"))
    assert image.width() == PNG_SCALE * (2 * 400 + 3 * 12)
    assert image.height() == PNG_SCALE * (300 + 260 + 3 * 12)
    assert image.pixelColor(2, 2) == QColor("white")
    for color in (LIGHT.train, "#6b2c99", LIGHT.kl):
        assert count(image, color) > 300
    stack = QImage.fromData(made("png", columns=1))
    assert stack.width() == PNG_SCALE * (400 + 2 * 12)


@pytest.mark.usefixtures("_letters")
def test_an_svg_has_words_as_text_and_curves_as_lines() -> None:
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
    with QPainter(image) as painter:
        QSvgRenderer(content).render(painter, QRectF(0, 0, 836, 596))
    assert count(image, LIGHT.kl) > 100


@pytest.mark.usefixtures("_letters")
def test_a_pdf_is_one_page_of_that_size_with_the_colours_in_it() -> None:
    content = made("pdf")
    assert content.startswith(b"%PDF-")
    assert content.count(b"/Type /Page\n") == 1
    box = re.search(rb"/MediaBox \[([^\]]+)\]", content)
    assert box is not None
    width, height = map(float, box[1].split()[2:])
    assert (width, height) == pytest.approx((836 * 0.75, 596 * 0.75), abs=1)
    streams = re.findall(rb"stream\r?\n(.*?)endstream", content, re.DOTALL)
    drawn = b"".join(zlib.decompress(s) for s in streams if s[:1] == b"\x78")
    color = QColor(LIGHT.kl)
    wanted = (color.redF(), color.greenF(), color.blueF())
    numbers = re.findall(rb"([\d.]+) ([\d.]+) ([\d.]+) (?:SCN|RG|scn|rg)", drawn)
    assert any(np.allclose([float(n) for n in rgb], wanted, atol=2e-3) for rgb in numbers)


@pytest.mark.usefixtures("_letters")
def test_what_cannot_be_written_is_told() -> None:
    with pytest.raises(ExportError, match="“bmp”; choose one of png, svg, pdf, csv"):
        made("bmp")
    with pytest.raises(ExportError, match="no chart"):
        render_charts("png", [], [])


def test_an_export_is_the_screen(qtbot: QtBot) -> None:
    chart = shown(qtbot, Chart("A chart", "x"))
    chart.resize(400, 300)
    chart.set_marks([Line(np.linspace(0, 1, 50), np.linspace(0, 1, 50) ** 2, "train", "a line")])
    file = QImage.fromData(chart.export("png"))
    onscreen = chart.grab().toImage().scaled(800, 600)
    inside = file.copy(24, 24, 800, 600)
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
    """Knows where a chart's file goes."""

    def __init__(self) -> None:
        super().__init__()
        self.exported: list[object] = []

    def export_chart(self, export: Export, kinds: Sequence[str], name: str) -> None:
        self.exported += [export, tuple(kinds), name]


def test_the_menu_exports_copies_and_resets(qtbot: QtBot) -> None:
    window, chart = Window(), Chart("A chart", zoomable=True)
    qtbot.addWidget(window)
    window.setCentralWidget(chart)
    menu = chart_menu(chart, chart.export, chart.reset_view)
    actions = {action.text(): action for action in menu.actions()}
    assert list(actions) == ["Export Chart…", "Copy Picture", "Copy Data", "Reset View"]
    actions["Export Chart…"].trigger()
    assert window.exported == [chart.export, KINDS, "chart"]
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
