import numpy as np
import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from vae_explorer.gui.lessons.sketch import Sketch
from vae_explorer.gui.lessons.sketch_marks import (
    Arrow,
    Columns,
    Dots,
    Level,
    Line,
    tick_text,
    ticks,
)
from vae_explorer.gui.theme import LIGHT


@pytest.fixture
def sketch(qtbot: QtBot) -> Sketch:
    made = Sketch("Title", "x")
    qtbot.addWidget(made)
    made.set_theme(LIGHT)
    made.resize(400, 300)
    made.set_range(-1.0, 3.0, 0.0, 2.0)
    made.show()
    return made


def color_at(sketch: Sketch, x: float, y: float) -> str:
    return sketch.grab().toImage().pixelColor(sketch.to_pixel(x, y).toPoint()).name()


def test_ticks_are_round_and_within() -> None:
    np.testing.assert_allclose(ticks(-0.3, 1.04, 5), [0.0, 0.5, 1.0])
    np.testing.assert_allclose(ticks(0.5, 6.5, 20, least=1.0), [1, 2, 3, 4, 5, 6])
    assert ticks(1.0, 1.0, 5) == []


def test_numbers_have_the_decimals_that_tell_them_apart() -> None:
    assert tick_text(0.5, 0.25) == "0.5"
    assert tick_text(-2.0, 1.0) == "−2"
    assert tick_text(0.05, 0.05) == "0.05"


def test_pixels_and_places_are_each_other_s_inverse(sketch: Sketch) -> None:
    place = sketch.to_place(sketch.to_pixel(1.2, 0.7))
    assert place == pytest.approx((1.2, 0.7))
    assert sketch.to_pixel(-1.0, 0.0) == QPointF(sketch.frame.bottomLeft())


def test_a_square_chart_has_one_scale(sketch: Sketch) -> None:
    sketch.set_square(True)
    right = sketch.to_pixel(1.0, 0.0).x() - sketch.to_pixel(0.0, 0.0).x()
    up = sketch.to_pixel(0.0, 0.0).y() - sketch.to_pixel(0.0, 1.0).y()
    assert right == pytest.approx(up)


def test_every_mark_is_where_its_numbers_are(sketch: Sketch) -> None:
    red, flat = "#ff0000", np.array([1.05, 1.05])
    sketch.set_marks([Line(np.array([-1.0, 3.0]), flat, red, "line", width=5)])
    assert color_at(sketch, 0.3, 1.05) == red
    sketch.set_marks([Level(1.23, red, "level", upright=True, dashed=False)])
    assert QColor(color_at(sketch, 1.23, 0.3)).green() < 200
    sketch.set_marks([Dots(np.array([[0.3, 0.3]]), red, "dots", size=9, opacity=1)])
    assert color_at(sketch, 0.3, 0.3) == red
    sketch.set_marks([Columns(np.array([0.2, 0.8]), np.array([1.1]), red, "columns")])
    assert color_at(sketch, 0.3, 0.9) != LIGHT.canvas
    assert color_at(sketch, 0.3, 1.3) == LIGHT.canvas
    sketch.set_marks([Arrow((0.3, 0.3), (2.3, 0.3), red, "arrow")])
    assert QColor(color_at(sketch, 1.3, 0.3)).green() < 100
    sketch.set_marks([])
    assert color_at(sketch, 0.3, 0.3) == LIGHT.canvas
