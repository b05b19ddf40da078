from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QColor, QImage

from vae_explorer.gui.map.map_view import MapView
from vae_explorer.gui.map.markers import Markers
from vae_explorer.gui.theme import DARK, LIGHT, Theme


@pytest.fixture
def markers(view: MapView) -> Markers:
    view.grab()
    found = view.canvas.findChild(Markers)
    assert found is not None
    return found


def picture(markers: Markers) -> QImage:
    image = QImage(markers.size(), QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(0)
    markers.render(image, QPoint(), renderFlags=Markers.RenderFlag.DrawChildren)
    return image


def test_nothing_is_drawn_at_first(markers: Markers) -> None:
    blank = QImage(markers.size(), QImage.Format.Format_ARGB32_Premultiplied)
    blank.fill(0)
    assert picture(markers) == blank


def test_the_crosshair_spans_the_plane_and_leaves_a_gap(view: MapView, markers: Markers) -> None:
    markers.set_cursor_place((1.0, 0.5))
    at = view.canvas.to_pixel(1.0, 0.5).toPoint()
    at = QPoint(int(view.canvas.to_pixel(1.0, 0.5).x()), int(view.canvas.to_pixel(1.0, 0.5).y()))
    image, rect = picture(markers), view.canvas.plot_rect().toRect()
    hair = QColor(LIGHT.muted)
    assert image.pixelColor(rect.left() + 5, at.y()) == hair
    assert image.pixelColor(rect.right() - 5, at.y()) == hair
    assert image.pixelColor(at.x(), rect.top() + 5) == hair
    assert image.pixelColor(at.x(), rect.bottom() - 5) == hair
    assert image.pixelColor(at.x() + 6, at.y()).alpha() == 0
    assert image.pixelColor(at.x(), at.y() - 6).alpha() == 0
    assert image.pixelColor(5, at.y()).alpha() == 0  # the axes stay free


def test_rings_leave_their_point_free(view: MapView, markers: Markers) -> None:
    markers.set_pin_place((0.0, 0.0))
    at = view.canvas.to_pixel(0.0, 0.0).toPoint()
    image = picture(markers)
    assert image.pixelColor(at).alpha() == 0
    assert image.pixelColor(at.x() + 8, at.y()).alpha() > 200
    markers.set_pin_place(None)
    assert picture(markers).pixelColor(at.x() + 8, at.y()).alpha() == 0


def test_all_pins_have_a_ring_and_the_one_looked_at_a_bolder_one(
    view: MapView, markers: Markers
) -> None:
    def ink(position: tuple[float, float]) -> int:
        """How dark it is along a radius; the halo is white."""
        at, image = view.canvas.to_pixel(*position), picture(markers)
        row = [image.pixelColor(int(at.x()) + dx, int(at.y())) for dx in range(13)]
        return sum(255 - color.lightness() for color in row if color.alpha() > 0)

    first, second = (-1.0, 0.0), (1.0, 0.0)
    markers.set_tray_places([first])
    markers.set_pin_place(second)
    assert picture(markers).pixelColor(view.canvas.to_pixel(*first).toPoint()).alpha() == 0
    assert 0 < ink(first) < ink(second)
    markers.set_tray_places([])
    assert ink(first) == 0 < ink(second)


def test_markers_follow_the_view(view: MapView, markers: Markers) -> None:
    markers.set_hover_place((0.0, 0.0))
    before = view.canvas.to_pixel(0.0, 0.0).toPoint()
    view.canvas.pan_by(60, 0)
    after = view.canvas.to_pixel(0.0, 0.0).toPoint()
    image = picture(markers)
    assert image.pixelColor(before.x() + 7, before.y()).alpha() == 0
    assert image.pixelColor(after.x() + 7, after.y()).alpha() > 100


@pytest.mark.parametrize("position", [(1e6, 1e6), (-1e6, 0.0), (3.0, -50.0)])
def test_places_far_outside_are_silent(
    view: MapView, markers: Markers, position: tuple[float, float]
) -> None:
    for _ in range(10):
        view.canvas.zoom(4.0)
    markers.set_cursor_place(position)
    markers.set_pin_place(position)
    markers.set_hover_place(position)
    assert picture(markers).pixelColor(200, 200).alpha() == 0


def test_a_name_that_would_stand_on_a_larger_class_moves_aside_or_is_left_out(
    view: MapView, markers: Markers
) -> None:
    def rows(*names: str) -> int:
        """How many lines of pixels have some of the names, all of which belong in the middle."""
        markers.set_glyphs(dict.fromkeys(names, (0.0, 0.0)))
        image = picture(markers)
        at = view.canvas.to_pixel(0.0, 0.0).toPoint()
        columns = range(at.x() - 30, at.x() + 30)
        return sum(
            any(image.pixelColor(x, y).alpha() for x in columns) for y in range(image.height())
        )

    one = rows("Ankle boot")
    assert rows("Ankle boot", "Sneaker") > 1.6 * one
    three = rows("Ankle boot", "Sneaker", "Sandal")
    assert three > 2.3 * one
    before = picture(markers)
    assert rows("Ankle boot", "Sneaker", "Sandal", "Bag") == three
    assert picture(markers) == before


def test_a_name_at_the_edge_is_whole(view: MapView, markers: Markers) -> None:
    def inked(z1: float) -> int:
        markers.set_glyphs({"Ankle boot": (z1, 0.0)})
        image = picture(markers)
        pixels = np.frombuffer(image.constBits(), np.uint32)  # which have no bytes between rows
        return int((pixels != 0).sum())

    view.canvas.show_exactly(-2.0, 2.0, -2.0, 2.0)
    left, right, *_ = view.region()
    whole = inked((left + right) / 2)
    assert inked(left + 1e-3) == pytest.approx(whole, rel=0.02)
    assert inked(right - 1e-3) == pytest.approx(whole, rel=0.02)
    assert inked(left - 1.0) == 0


def test_the_theme_colours_them(markers: Markers, show_theme: Callable[[Theme], None]) -> None:
    markers.set_cursor_place((0.0, 0.0))
    light = picture(markers)
    show_theme(DARK)
    assert picture(markers) != light
