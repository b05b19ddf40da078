from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, qAlpha

from vae_explorer.gui.map.map_view import MapView
from vae_explorer.gui.map.selection_marks import SelectionMarks, box_cursor, lasso_cursor
from vae_explorer.gui.theme import DARK, Theme

TRIANGLE = np.array([(1.0, -1.0), (1.0, 1.0), (-1.0, -1.0)])


@pytest.fixture
def marks(view: MapView) -> SelectionMarks:
    marks = SelectionMarks(view.canvas)
    marks.show()
    view.grab()
    return marks


def picture(marks: SelectionMarks) -> QImage:
    image = QImage(marks.size(), QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(0)
    marks.render(image, QPoint(), renderFlags=SelectionMarks.RenderFlag.DrawChildren)
    return image


def opaque(image: QImage, start: QPointF, end: QPointF) -> float:
    """The share of the way between two pixels that is fully drawn."""
    shares = np.linspace(0.05, 0.95, 200).tolist()
    spots = [start + share * (end - start) for share in shares]
    alphas = [qAlpha(image.pixel(int(spot.x()), int(spot.y()))) for spot in spots]
    return float(np.mean([alpha > 230 for alpha in alphas]))


def test_nothing_is_drawn_without_an_outline(marks: SelectionMarks) -> None:
    blank = QImage(marks.size(), QImage.Format.Format_ARGB32_Premultiplied)
    blank.fill(0)
    assert picture(marks) == blank
    marks.set_outline(TRIANGLE)
    assert picture(marks) != blank
    marks.set_outline(None)
    assert picture(marks) == blank


def test_the_line_that_would_close_is_dashed(view: MapView, marks: SelectionMarks) -> None:
    marks.set_outline(TRIANGLE)
    a, b, c = (view.canvas.to_pixel(*corner) for corner in TRIANGLE.tolist())
    image = picture(marks)
    assert opaque(image, a, b) > 0.95
    assert 0.2 < opaque(image, c, a) < 0.9
    marks.set_outline(np.vstack([TRIANGLE, TRIANGLE[:1]]))
    assert opaque(picture(marks), c, a) > 0.95


def test_what_it_encloses_is_tinted_by_the_even_odd_rule(
    view: MapView, marks: SelectionMarks
) -> None:
    twice = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)]
    inner = [(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)]
    marks.set_outline(np.array([*twice, twice[0], *inner, inner[0]]))
    image = picture(marks)
    tinted = [
        image.pixelColor(view.canvas.to_pixel(*position).toPoint()).alpha() > 0
        for position in ((0.75, 0.1), (0.1, 0.1), (1.5, 0.1))
    ]
    assert tinted == [True, False, False]


def test_the_outline_follows_the_view_and_leaves_the_axes_free(
    view: MapView, marks: SelectionMarks
) -> None:
    marks.set_outline(100 * TRIANGLE)
    a, b = (view.canvas.to_pixel(*corner) for corner in TRIANGLE[:2].tolist())
    assert picture(marks).pixelColor(5, marks.height() // 2).alpha() == 0
    marks.set_outline(TRIANGLE)
    view.canvas.pan_by(60, 0)
    image = picture(marks)
    assert opaque(image, a, b) < 0.05  # only where the slope crosses it
    assert opaque(image, a + QPointF(60, 0), b + QPointF(60, 0)) > 0.95


def test_the_theme_colours_it(marks: SelectionMarks, show_theme: Callable[[Theme], None]) -> None:
    marks.set_outline(TRIANGLE)
    light = picture(marks)
    show_theme(DARK)
    assert picture(marks) != light


def test_each_pointer_hits_where_its_cross_is() -> None:
    for cursor in (box_cursor(), lasso_cursor()):
        assert cursor.shape() == Qt.CursorShape.BitmapCursor
        image = cursor.pixmap().toImage()
        assert image.pixelColor(cursor.hotSpot()) == QColor("black")
        assert image.pixelColor(image.width() - 1, 0).alpha() == 0
