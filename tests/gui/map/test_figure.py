"""The map as a file: what is on it, in lines where these are few."""

import csv
import io
import shutil
import subprocess
import xml.etree.ElementTree as ET
from base64 import b64decode
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtGui import QImage

from tests.support.charts import count
from tests.support.map_views import PointsOf
from vae_explorer.data.dataset import Dataset, ImageSet
from vae_explorer.errors import ExportError
from vae_explorer.export.figure import MOST_VECTOR_POINTS, FigureStyle
from vae_explorer.gui.map.map_menu import MapMenu
from vae_explorer.gui.map.map_view import MapView
from vae_explorer.gui.theme import DARK, LIGHT, Theme, class_color
from vae_explorer.session.map.layers import LAYERS, default_state
from vae_explorer.session.map.marks import Curve, Ellipses, Field, LayerContent
from vae_explorer.session.map.state import PointColors

SVG = "{http://www.w3.org/2000/svg}"
CIRCLE = np.stack([np.cos(np.arange(0, 7, 0.1)), np.sin(np.arange(0, 7, 0.1))], 1)
CONTENTS = {
    "prior": LayerContent(
        (Ellipses(np.zeros((1, 2), np.float32), np.eye(2, dtype=np.float32)[None], named=True),)
    ),
    "density": LayerContent((Curve((CIRCLE.astype(np.float32),), "50 %"),)),
    "likelihood": LayerContent(
        (Field((-1, 1, -1, 1), np.zeros((4, 4), np.float32), -120.0, -20.0, "nats"),)
    ),
}


@pytest.fixture
def menu(view: MapView) -> MapMenu:
    """Of a map with some layers on, and others that are off."""
    states = tuple(replace(default_state(spec), on=spec.id in CONTENTS) for spec in LAYERS)
    points = next(state for state in states if state.id == "points")
    view.layers.set_states(tuple(replace(s, on=s.on or s is points) for s in states))
    for layer, content in CONTENTS.items():
        view.layers.set_content(layer, content)
    view.canvas.show_exactly(-2.0, 2.0, -2.0, 2.0)
    return MapMenu(view, lambda: "a model")


def words(content: bytes) -> str:
    root = ET.fromstring(content)
    return " | ".join((text.text or "").strip() for text in root.iter(f"{SVG}text"))


def crowd(points_of: PointsOf, view: MapView, n: int) -> None:
    places = np.random.default_rng(0).normal(0.0, 0.5, (n, 2)).tolist()
    view.set_points(points_of([(x, y) for x, y in places], [1] * n))


def test_title_axes_layers_and_scale_are_text(menu: MapMenu, view: MapView) -> None:
    content = menu.export("svg")
    said = words(content)
    for text in (
        "a model", "z₁", "z₂", "Prior", "Density", "Likelihood", "50 %", "1σ",
        "colour: Likelihood, nats", "−100", "−2", "train · encoder mean",
    ):  # fmt: skip
        assert text in said, text
    assert "Metric" not in said
    assert content.count(b"<image") == 2  # the field and the colours of its bar
    view.layers.set_states(tuple(replace(default_state(spec), on=False) for spec in LAYERS))
    assert "Prior" not in words(menu.export("svg"))


def test_no_text_of_a_layer_is_on_the_name_of_a_class(
    menu: MapMenu, view: MapView, points_of: PointsOf
) -> None:
    def at(z2: float) -> tuple[str | None, str | None]:
        view.set_points(points_of([(0.0, z2)] * 9, [2] * 9))
        texts = ET.fromstring(menu.export("svg")).iter(f"{SVG}text")
        return next((text.get("x"), text.get("y")) for text in texts if text.text == "1σ")

    assert at(-1.8) != at(1.0)
    assert at(-1.8) == at(-0.5)


def test_many_points_become_a_picture_of_the_dpi_asked_for(
    menu: MapMenu, view: MapView, points_of: PointsOf
) -> None:
    view.layers.set_states(tuple(default_state(spec) for spec in LAYERS if spec.id == "points"))
    crowd(points_of, view, MOST_VECTOR_POINTS)
    few = menu.export("svg")
    assert b"<image" not in few
    crowd(points_of, view, MOST_VECTOR_POINTS + 1)
    many = {dpi: menu.export("svg", FigureStyle(dpi=dpi)) for dpi in (100, 300)}
    widths = {}
    for dpi, content in many.items():
        (image,) = ET.fromstring(content).iter(f"{SVG}image")
        data = image.get("{http://www.w3.org/1999/xlink}href", "").split(",")[1]
        widths[dpi] = QImage.fromData(b64decode(data)).width()
    assert widths[300] == pytest.approx(3 * widths[100], rel=0.1)
    assert count(QImage.fromData(menu.export("png")), class_color(1).name()) > 500


@pytest.mark.skipif(not shutil.which("pdftoppm"), reason="needs poppler-utils")
def test_a_pdf_has_many_points_on_the_pixels_of_the_png(
    menu: MapMenu, view: MapView, points_of: PointsOf, tmp_path: Path
) -> None:
    view.layers.set_states(tuple(default_state(spec) for spec in LAYERS if spec.id == "points"))
    crowd(points_of, view, MOST_VECTOR_POINTS + 1)
    style, path, page = FigureStyle(dpi=100), tmp_path / "map.pdf", tmp_path / "page.png"
    path.write_bytes(menu.export("pdf", style))
    read = ["pdftoppm", "-r", "100", "-png", "-singlefile", f"{path}", f"{tmp_path}/page"]
    subprocess.run(read, check=True)
    png = Image.open(io.BytesIO(menu.export("png", style))).convert("RGB")
    inside = (80, 80, png.width - 80, png.height - 80)  # without text, which each paints its way
    wanted, found = (
        np.asarray(one.crop(inside), int) for one in (png, Image.open(page).convert("RGB"))
    )
    assert np.abs(found - wanted).mean() < 0.5


@pytest.mark.parametrize(("scheme", "theme"), [("light", LIGHT), ("dark", DARK)])
def test_colours_are_those_of_the_scheme_asked_for(
    menu: MapMenu, view: MapView, scheme: str, theme: Theme
) -> None:
    values = np.array([0.0, 1.0, 2.0, np.nan], np.float32)
    view.set_colors(PointColors("log p(x)", "", values, 0.0, 2.0, "nats"))
    style = FigureStyle(scheme=scheme)
    said = menu.export("svg", style)
    assert theme.muted.encode() in said
    assert "colour: log p(x), nats" in words(said)


def test_the_table_has_each_point_and_what_colours_it(menu: MapMenu, view: MapView) -> None:
    view.set_colors(
        PointColors("hand", "", np.array([0, 1, 1, np.nan], np.float32), names=("left", "right"))
    )
    rows = list(csv.DictReader(io.StringIO(menu.export("csv").decode())))
    assert list(rows[0]) == ["split", "index", "z1", "z2", "label", "hand"]
    assert [row["hand"] for row in rows] == ["left", "right", "right", ""]
    positions = [[float(row["z1"]), float(row["z2"])] for row in rows]
    assert view.points is not None
    np.testing.assert_array_equal(np.array(positions, np.float32), view.points.positions)


def test_names_of_classes_stand_clear_of_each_other(
    menu: MapMenu, view: MapView, points_of: PointsOf
) -> None:
    points = points_of([(0.0, 0.0)] * 38, [0] * 8 + [1] * 9 + [2] * 10 + [3] * 11)
    classes = tuple(f"{name} of many letters" for name in ("Boots", "Coats", "Bags", "Dress"))
    images = ImageSet(
        np.zeros((4, 28, 28), np.uint8), np.arange(4, dtype=np.uint8), classes=classes
    )
    view.set_points(replace(points, data=Dataset("clothes", images, images)))
    texts = list(ET.fromstring(menu.export("svg")).iter(f"{SVG}text"))
    heights = {
        (text.text or "").strip(): float(text.get("y", 0))
        for text in texts
        if "…" in str(text.text)
    }
    assert [*heights] == ["Dress of ma…", "Bags of man…", "Coats of ma…"]
    dress, bags, coats = heights.values()
    assert bags + 15 < dress < coats - 15


def test_what_is_written_does_not_depend_on_the_window(menu: MapMenu, view: MapView) -> None:
    def made(kind: str) -> bytes:
        return menu.export(kind, region=(-1.0, 2.0, -1.0, 1.0))

    before = {kind: made(kind) for kind in ("png", "svg", "pdf")}
    view.resize(view.width() + 100, view.height() + 30)
    view.canvas.zoom(2.0)
    assert {kind: made(kind) for kind in before} == before
    assert menu.export("svg") != before["svg"]


def test_without_a_map_there_is_nothing_to_write(qapp: object) -> None:
    view = MapView()
    with pytest.raises(ExportError, match="no map"):
        MapMenu(view, str).export("png")
    view.deleteLater()
