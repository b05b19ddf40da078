import numpy as np
import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QGraphicsRectItem, QStyleOptionGraphicsItem, QWidget
from pytestqt.qtbot import QtBot

from vae_explorer.data.bundled import mnist_dataset
from vae_explorer.gui.map.map_view import MapView
from vae_explorer.gui.map.points_item import PointsItem, dot_diameter
from vae_explorer.gui.theme import CLASS_COLORS, LIGHT
from vae_explorer.session.map.point_index import PointIndex
from vae_explorer.session.map.state import MapPoints


def painted(view: MapView, ratio: float = 1.0) -> QImage:
    """The canvas as its device would show it, at ``ratio`` device pixels per pixel."""
    size = view.canvas.size()
    image = QImage(size * ratio, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(ratio)
    image.fill(0)
    view.canvas.render(image)
    return image


def color_at(image: QImage, at: QPointF) -> QColor:
    ratio = image.devicePixelRatio()
    return image.pixelColor(int(at.x() * ratio), int(at.y() * ratio))


def class_color(label: int) -> QColor:
    return QColor(*(int(part) for part in CLASS_COLORS[label]))


def points_item(view: MapView) -> PointsItem:
    children = view.canvas.view_box.childGroup.childItems()
    return next(child for child in children if isinstance(child, PointsItem))


@pytest.mark.parametrize("size", [(700, 560), (300, 700), (901, 333)])
@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0])
def test_a_point_shows_where_the_view_says_it_is(
    qtbot: QtBot, view: MapView, size: tuple[int, int], ratio: float
) -> None:
    view.resize(*size)
    qtbot.waitUntil(lambda: view.size().width() == size[0])
    painted(view)  # the layout of the axes settles with the first picture
    image = painted(view, ratio)
    for place, label in (((-2, -2), 0), ((2, 2), 1), ((0, 0), 7)):
        assert color_at(image, view.canvas.to_pixel(*place)) == class_color(label)
    assert color_at(image, view.canvas.to_pixel(1, -1)) == QColor(LIGHT.canvas)


def test_one_rasterisation_for_each_change_and_none_without(view: MapView) -> None:
    item = points_item(view)
    painted(view)
    count = item.rasterisations
    painted(view)
    view.set_cursor(1.0, 1.0)
    painted(view)
    assert item.rasterisations == count
    view.canvas.pan_by(30, 10)
    painted(view)
    painted(view)
    assert item.rasterisations == count + 1
    view.set_positions(np.zeros((4, 2), np.float32))
    painted(view)
    assert item.rasterisations == count + 2


class PaintCounter(QGraphicsRectItem):
    paints = 0

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        self.paints += 1
        super().paint(painter, option, widget)


def test_a_pan_is_painted_once(qtbot: QtBot, view: MapView) -> None:
    counter = PaintCounter(-1.0, -1.0, 2.0, 2.0)
    view.canvas.add_item(counter)
    qtbot.waitUntil(lambda: counter.paints > 0)
    qtbot.wait(50)
    for step in range(3):
        counter.paints = 0
        view.canvas.pan_by(5 + step, 5)
        qtbot.waitUntil(lambda: counter.paints > 0)
        qtbot.wait(50)
        assert counter.paints == 1


def test_a_dot_half_in_view_shows_its_half(view: MapView) -> None:
    painted(view)
    rect = view.canvas.plot_rect()
    z1, z2 = view.canvas.to_latent(QPointF(rect.left() - 1.5, rect.center().y()))
    view.set_positions(np.array([(z1, z2)] * 4, np.float32))
    image = painted(view)
    assert color_at(image, QPointF(rect.left() + 1.5, rect.center().y())) != QColor(LIGHT.canvas)


def test_dots_are_large_for_few_and_small_for_many() -> None:
    widths = [dot_diameter(n, 500_000, 0.0) for n in (0, 1, 500, 5_000, 50_000, 200_000, 500_000)]
    assert widths == sorted(widths, reverse=True)
    assert widths[0] == 8.0
    assert widths[-1] >= 1.5
    widths = [dot_diameter(100_000, 500_000, crowd) for crowd in (0.0, 0.1, 1.0, 10.0, 1_000.0)]
    assert widths == sorted(widths, reverse=True)
    assert 1.0 < widths[-1] < 1.1


def dot_width(view: MapView) -> int:
    """Pixels across the dot in the middle of the view, faint edges included."""
    image = painted(view)
    at = view.canvas.to_pixel(0.0, 0.0)
    row = (image.pixelColor(int(at.x()) + dx, int(at.y())) for dx in range(-15, 16))
    return sum(color != QColor(LIGHT.canvas) for color in row)


def test_a_chosen_size_holds_in_any_view(view: MapView) -> None:
    item = points_item(view)
    widths = {}
    for size in ("adaptive", "small", "large"):
        item.set_style(size)
        widths[size] = dot_width(view)
    assert widths["small"] < widths["large"]
    assert widths["adaptive"] == widths["large"]  # of a view of four points
    for size in ("small", "large"):
        item.set_style(size)
        for factor in (0.3, 10.0):
            view.canvas.zoom(factor)
            assert dot_width(view) == widths[size]
        view.canvas.zoom(1 / 3)
    with pytest.raises(KeyError):
        item.set_style("huge")


def test_the_items_own_opacity_fades_the_dots(view: MapView) -> None:
    points_item(view).setOpacity(0.5)
    drawn = color_at(painted(view), view.canvas.to_pixel(0.0, 0.0))
    ink, paper = class_color(7), QColor(LIGHT.canvas)
    for part in (QColor.red, QColor.green, QColor.blue):
        assert part(drawn) == pytest.approx((part(ink) + part(paper)) / 2, abs=2)


def test_a_layer_needs_at_most_three_times_the_bytes_of_its_points(view: MapView) -> None:
    n = 1_000_000
    rng = np.random.default_rng(0)
    points = MapPoints(
        rng.normal(size=(n, 2)).astype(np.float32),
        rng.integers(0, 10, n).astype(np.uint8),
        np.arange(n),
        n,
        "train",
        mnist_dataset(),
    )
    view.resize(900, 700)
    view.set_points(points)
    view.set_visible_labels(frozenset(range(9)))
    painted(view)
    item = points_item(view)
    cloud = item._cloud
    cloud.set_colors(np.zeros((n, 3), np.uint8))
    shared = {id(points.positions), id(points.labels)}
    held = sum(
        part.nbytes
        for owner in (cloud, item._points._raster)
        for part in vars(owner).values()
        if isinstance(part, np.ndarray) and id(part) not in shared
    )
    held += sum(picture.sizeInBytes() for picture in item._points._splatter._pictures)
    held += PointIndex(points.positions).nbytes
    assert item.rasterisations > 0
    assert held <= 3 * (points.positions.nbytes + points.labels.nbytes + points.indices.nbytes)
