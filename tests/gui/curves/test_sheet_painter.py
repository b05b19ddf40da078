import numpy as np
import pytest
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter

from vae_explorer.gui.curves.decimation import Vertices
from vae_explorer.gui.curves.legend import Entry
from vae_explorer.gui.curves.sheet import Axis, Band, Mark, Sheet, Stroke
from vae_explorer.gui.curves.sheet_painter import draw_sheet
from vae_explorer.gui.theme import LIGHT

RED, GREEN, BLUE = "#ff0000", "#00ff00", "#0000ff"
X, Y = Axis("epochs", 0.0, 10.0), Axis("nats / image", -10.0, 0.0)


def pixels(sheet: Sheet) -> np.ndarray:
    """(300, 400, 3) RGB."""
    image = QImage(400, 300, QImage.Format.Format_RGB888)
    image.fill(Qt.GlobalColor.white)
    painter = QPainter(image)
    draw_sheet(painter, QRectF(0, 0, 400, 300), sheet, LIGHT)
    painter.end()
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(300, image.bytesPerLine())
    return rows[:, : 3 * 400].reshape(300, 400, 3).astype(int)


def where(picture: np.ndarray, color: str) -> np.ndarray:
    """(n, 2) rows and columns of this colour."""
    wanted = QColor(color)
    rgb = (wanted.red(), wanted.green(), wanted.blue())
    return np.argwhere((np.abs(picture - rgb) < 40).all(axis=2))


def line(y0: float, y1: float) -> Vertices:
    return Vertices(np.array([0.0, 10.0]), np.array([y0, y1]))


@pytest.fixture(autouse=True)
def _application(qapp: object) -> None:
    """Letters need one."""


def test_a_curve_goes_from_corner_to_corner() -> None:
    found = where(pixels(Sheet("T", X, Y, (Stroke(line(-10, 0), RED),))), RED)
    (bottom, left), (top, right) = found[found[:, 1].argmin()], found[found[:, 1].argmax()]
    assert left < 80 < 370 < right
    assert top < 60 < 240 < bottom


def test_what_is_beyond_the_axes_is_cut() -> None:
    sheet = Sheet("T", X, Y, (Stroke(line(-1e9, 1e9), RED), Stroke(line(50, 60), BLUE)))
    picture = pixels(sheet)
    found = where(picture, RED)
    assert len(found) > 100
    assert found[:, 0].max() < 265
    assert found[:, 1].min() > 60
    assert len(where(picture, BLUE)) == 0


def test_a_gap_is_left_where_nothing_is_known() -> None:
    y = np.array([-5.0, -5.0, np.nan, -5.0, -5.0])
    found = where(pixels(Sheet("T", X, Y, (Stroke(Vertices(np.linspace(0, 10, 5), y), RED),))), RED)
    columns = np.unique(found[:, 1])
    assert np.diff(columns).max() > 100


def test_a_single_place_shows_its_symbol() -> None:
    dot = Stroke(Vertices(np.array([5.0]), np.array([-5.0])), RED, symbol="d")
    found = where(pixels(Sheet("T", X, Y, (dot,))), RED)
    assert 10 < len(found) < 80


def test_bands_are_tinted_and_marks_cross_the_panel() -> None:
    sheet = Sheet(
        "T",
        X,
        Y,
        bands=(Band(line(-8, -8), line(-2, -2), RED),),
        marks=(Mark(5.0, BLUE, Qt.PenStyle.SolidLine),),
    )
    picture = pixels(sheet)
    assert picture[150, 150, 0] > 240
    assert 180 < picture[150, 150, 1] < 250
    marks = where(picture, BLUE)
    assert np.ptp(marks[:, 0]) > 200


def test_the_legend_is_in_the_colours_of_the_curves() -> None:
    entries = (Entry(GREEN, "━", "train", "−1.00"), Entry(BLUE, "━", "held-out"))
    picture = pixels(Sheet("T", X, Y, entries=entries))
    greens, blues = where(picture, GREEN), where(picture, BLUE)
    assert len(greens) > 5
    assert len(blues) > 5
    assert greens[:, 1].max() < blues[:, 1].min()


def test_a_note_stands_in_an_empty_panel() -> None:
    dark = [
        (pixels(Sheet("T", X, Y, note=note))[120:180, 150:300] < 150).all(axis=2).sum()
        for note in ("", "Not measured so far")
    ]
    assert dark[1] > dark[0] + 50


def test_a_logarithmic_axis_has_its_numbers(qapp: object) -> None:
    plain = pixels(Sheet("T", Axis("steps", 1.0, 4.0), Y))
    powers = pixels(Sheet("T", Axis("steps", 1.0, 4.0, log=True), Y))
    assert (plain[265:282] != powers[265:282]).any()
