from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QFont, QImage
from pytestqt.qtbot import QtBot

from vae_explorer.data.dataset import ImageSet
from vae_explorer.gui.map.layer_item import LayerItem
from vae_explorer.gui.map.layers.layer_key import ColorBar
from vae_explorer.gui.map.plot import LatentPlot
from vae_explorer.gui.plot import latent_marks
from vae_explorer.gui.plot.captions import name_boxes
from vae_explorer.gui.theme import CLASS_COLORS, DARK, LIGHT, Theme
from vae_explorer.session.map.marks import (
    ClassField,
    Curve,
    Ellipses,
    Field,
    LayerContent,
    Mark,
    Sheet,
    Spots,
    Trails,
)
from vae_explorer.types import Float64, Int64

SIZES = [(700, 560), (300, 700), (901, 333)]
THEMES = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
CENTER = np.array([[0.4, -0.3]], np.float32)
COVARIANCE = np.array([[[0.5, 0.3], [0.3, 0.4]]], np.float32)
ELLIPSE = Ellipses(CENTER, COVARIANCE, radii=(2.0,))


class Picture:
    """A layer on a plot, and what a screen would show of it."""

    def __init__(self, plot: LatentPlot) -> None:
        self.plot = plot
        self.layer = LayerItem(plot.view_box)
        plot.add_item(self.layer)
        self.shown()  # the layout of the axes settles with the first picture

    def shown(self, *marks: Mark, ratio: float = 1.0) -> QImage:
        self.layer.set_content(LayerContent(marks))
        image = QImage(self.plot.size() * ratio, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(ratio)
        self.plot.render(image)
        return image

    def drawn(self, *marks: Mark, ratio: float = 1.0) -> Float64:
        """(n, 2) latent points of the pixels that the marks changed clearly."""
        before, after = (rgb(self.shown(*some, ratio=ratio)) for some in ((), marks))
        rows, columns = np.nonzero(np.abs(after - before).max(axis=2) > 100)
        pixels = (np.stack([columns, rows], axis=1) + 0.5) / ratio
        positions = [self.plot.to_latent(QPointF(*pixel)) for pixel in pixels.tolist()]
        return np.array(positions).reshape(-1, 2)

    def color(self, image: QImage, z1: float, z2: float) -> Int64:
        at = self.plot.to_pixel(z1, z2) * image.devicePixelRatio()
        color = image.pixelColor(int(at.x()), int(at.y()))
        return np.array([color.red(), color.green(), color.blue()])


def rgb(image: QImage) -> Int64:
    pixels = np.frombuffer(image.constBits(), np.uint8)
    return pixels.reshape(image.height(), -1, 4)[:, :, 2::-1].astype(np.int64)


def named(color: str) -> Int64:
    parts = QColor(color)
    return np.array([parts.red(), parts.green(), parts.blue()])


@pytest.fixture(params=[SIZES[0]])
def picture(qtbot: QtBot, request: pytest.FixtureRequest) -> Picture:
    plot = LatentPlot()
    qtbot.addWidget(plot)
    plot.resize(*request.param)
    plot.show()
    return Picture(plot)


@pytest.mark.parametrize("picture", SIZES, indirect=True)
@pytest.mark.parametrize("ratio", [1.0, 2.0])
def test_an_ellipse_is_to_scale(picture: Picture, ratio: float) -> None:
    positions = picture.drawn(ELLIPSE, ratio=ratio) - CENTER
    unit = 1 / picture.plot.pixels_per_unit()[0]
    assert len(positions) > 100
    half = np.abs(positions).max(axis=0)
    np.testing.assert_allclose(half, 2 * np.sqrt([0.5, 0.4]), atol=1.5 * unit)
    distance = np.sqrt(np.einsum("ni,ij,nj->n", positions, np.linalg.inv(COVARIANCE[0]), positions))
    thinnest = np.sqrt(np.linalg.eigvalsh(COVARIANCE[0])[0])
    assert np.abs(distance - 2).max() * thinnest < 1.5 * unit


def test_the_ellipses_of_a_crowd_are_to_scale(picture: Picture) -> None:
    crowd = Ellipses(CENTER.repeat(300, 0), COVARIANCE.repeat(300, 0), radii=(2.0,))
    unit = 1 / picture.plot.pixels_per_unit()[0]
    half = np.abs(picture.drawn(crowd) - CENTER).max(axis=0)
    np.testing.assert_allclose(half, 2 * np.sqrt([0.5, 0.4]), atol=2.5 * unit)


def test_ellipses_take_the_accent_or_the_classes_colours(picture: Picture) -> None:
    top = CENTER[0] + [0.0, 0.4]  # of the circle below
    circle = np.eye(2, dtype=np.float32)[None] * np.float32(0.16)
    for labels, color in ((None, named(LIGHT.accent)), (np.array([2], np.uint8), CLASS_COLORS[2])):
        image = picture.shown(Ellipses(CENTER, circle, (1.0,), labels))
        assert np.abs(picture.color(image, *top) - color).max() < 50


def test_radii_are_written_where_asked(picture: Picture) -> None:
    without, with_names = (
        rgb(picture.shown(Ellipses(CENTER, COVARIANCE, (1.0, 2.0), named=name)))
        for name in (False, True)
    )
    rows, columns = np.nonzero((without != with_names).any(axis=2))
    for radius in (1, 2):  # at the highest position of each
        highest = CENTER[0] + radius * COVARIANCE[0, 1] / np.sqrt(COVARIANCE[0, 1, 1])
        at = picture.plot.to_pixel(*highest.tolist())
        near = (abs(rows - at.y()) < 12) & (abs(columns - at.x()) < 20)
        assert 50 < near.sum() < 400
        rows, columns = rows[~near], columns[~near]
    assert rows.size == 0


def test_no_radius_is_written_on_the_name_of_a_class(picture: Picture) -> None:
    """Where "1σ" would be read as "2σ" beside the name of the 2s."""
    round_one = np.eye(2, dtype=np.float32)[None]
    marks = [Ellipses(CENTER, round_one, (1.0,), named=name) for name in (False, True)]
    for taken, free in (((0.0, -9.0), (0.0, 1.0)), ((0.0, 1.0), (1.0, 0.0))):
        names = {"2": (CENTER[0, 0] + taken[0], CENTER[0, 1] + taken[1])}
        picture.layer.set_names(name_boxes(names, QFont()))
        without, written = (rgb(picture.shown(mark)) for mark in marks)
        rows, columns = np.nonzero((without != written).any(axis=2))
        at = picture.plot.to_pixel(*(CENTER[0] + free).tolist())
        assert abs(rows.mean() - at.y()) < 3
        assert abs(columns.mean() - at.x()) < 3


def test_a_text_stays_in_view(picture: Picture) -> None:
    angle = np.linspace(0, 2 * np.pi, 400)
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    picture.plot.show_region(-0.5, 0.5, -1.2, 0.6)  # its top is out of view
    before, after = (rgb(picture.shown(Curve((ring,), text))) for text in ("", "50 %"))
    rows, columns = np.nonzero((before != after).any(axis=2))
    rect = picture.plot.plot_rect()
    assert rows.size > 50
    assert rect.contains(QPointF(columns.min(), rows.min()))
    assert rect.contains(QPointF(columns.max(), rows.max()))


def test_what_is_not_finite_is_left_out(picture: Picture) -> None:
    bad = np.array([[np.nan, 0.0], [0.0, np.inf]], np.float32)
    both = np.concatenate([bad, CENTER])
    covariances = np.concatenate([COVARIANCE, COVARIANCE, COVARIANCE])
    labels = np.zeros(3, np.uint8)
    assert len(picture.drawn(Ellipses(both, covariances))) > 100
    assert len(picture.drawn(Ellipses(CENTER, COVARIANCE * np.float32(np.nan)))) == 0
    assert len(picture.drawn(Spots(both))) > 10
    assert len(picture.drawn(Trails(both, both + 1, labels))) > 3
    assert len(picture.drawn(Trails(bad, bad, labels[:2]))) == 0


@pytest.mark.parametrize("fading", [False, True])
@THEMES
def test_a_cell_has_the_colour_of_the_key(
    qtbot: QtBot, picture: Picture, show_theme: Callable[[Theme], None], theme: Theme, fading: bool
) -> None:
    values = np.array([[0.0, 1.0, 2.0], [3.0, 4.0, np.nan]], np.float32)
    show_theme(theme)
    field = Field((-1.5, 1.5, -1.0, 1.0), values, -1.0, 4.0, "nats", fading)
    bar = ColorBar()
    qtbot.addWidget(bar)
    bar.resize(512, 40)
    bar.set_field(field)
    key = rgb(bar.grab().toImage().convertToFormat(QImage.Format.Format_RGB32))[4]
    image = picture.shown(field)
    for row, column in np.ndindex(values.shape):  # row 0 is the bottom one
        color = picture.color(image, -1.0 + column, -0.5 + row)
        if np.isnan(values[row, column]):
            wanted = named(theme.canvas)
        else:
            wanted = key[round(float(values[row, column] + 1) / 5 * 511)]
        np.testing.assert_allclose(color, wanted, atol=6)
    outside = picture.color(image, -1.6, 0.0)
    np.testing.assert_array_equal(outside, named(theme.canvas))


def test_doubt_shows_the_canvas_through_a_class(picture: Picture) -> None:
    labels, strength = np.array([[2], [4]], np.uint8), np.array([[1.0], [0.25]], np.float32)
    image = picture.shown(ClassField((-1.0, 1.0, -1.0, 1.0), labels, strength))
    faint = 0.25 * CLASS_COLORS[4] + 0.75 * named(LIGHT.canvas)
    np.testing.assert_allclose(picture.color(image, 0.0, -0.5), CLASS_COLORS[2], atol=2)
    np.testing.assert_allclose(picture.color(image, 0.0, 0.5), faint, atol=3)


@THEMES
def test_a_digit_is_upright_in_its_cell(
    picture: Picture, mnist_small: ImageSet, show_theme: Callable[[Theme], None], theme: Theme
) -> None:
    digits = mnist_small.images[:2].astype(np.float32) / np.float32(255)
    cells = np.array([(-2.8, 0.0, -2.0, 2.0), (1.0, 2.6, -0.8, 0.8)])  # one too tall, one square
    show_theme(theme)
    image = picture.shown(Sheet(cells, digits))
    canvas, ink = named(theme.canvas), named(theme.text)
    for (left, _, _, _), width, digit in zip(cells, (2.8, 1.6), digits, strict=True):
        for row, column in np.ndindex(28, 28):
            z1, z2 = left + (column + 0.5) * width / 28, width / 2 - (row + 0.5) * width / 28
            wanted = canvas + digit[row, column] * (ink - canvas)
            np.testing.assert_allclose(picture.color(image, z1, z2), wanted, atol=3)


def test_a_shrunk_picture_is_smooth(picture: Picture) -> None:
    stripes = np.zeros((1, 28, 28), np.float32)
    stripes[:, :, ::2] = 1.0
    image = rgb(picture.shown(Sheet(np.array([[-0.1, 0.1, -0.1, 0.1]]), stripes)))
    middle = picture.plot.to_pixel(0.0, 0.0)
    row = image[int(middle.y()), int(middle.x()) - 6 : int(middle.x()) + 6, 0]
    grey = (row > 40) & (row < 250)
    assert grey.mean() > 0.5


def test_a_sheet_in_colour_hides_what_is_below(picture: Picture) -> None:
    images = np.zeros((1, 4, 4, 3), np.float32)
    images[0, :2, :, 0], images[0, 2:, :, 2] = 1.0, 1.0  # red above, blue below
    image = rgb(picture.shown(Sheet(np.array([[-0.5, 0.5, -0.5, 0.5]]), images)))
    red, blue = ((image == color).all(2).nonzero() for color in ((255, 0, 0), (0, 0, 255)))
    assert len(red[0]) == len(blue[0]) > 0
    assert red[0].max() < blue[0].min()


def test_a_line_keeps_its_width(picture: Picture) -> None:
    post = Curve((np.array([[0.0, -50.0], [0.0, 50.0]], np.float32),))
    ink = []
    for _ in range(3):
        section = rgb(picture.shown(post))[250, 60:650, 0]
        ink.append(float((255 - section).sum()))
        picture.plot.zoom(4.0)
    assert max(ink) - min(ink) < 0.25 * max(ink)
    two = (255 - rgb(picture.shown(post, ratio=2.0))[500, 120:1300, 0]).sum() / 2
    assert two == pytest.approx(min(ink), rel=0.25)


def test_a_lesser_share_and_opacity_make_fainter_lines(picture: Picture) -> None:
    def darkness(share: float) -> float:
        post = Curve((np.array([[0.0, -2.0], [0.0, 2.0]], np.float32),), share=share)
        return float(255 - rgb(picture.shown(post))[250, 60:650, 0].min())

    full = darkness(1.0)
    assert darkness(0.0) == pytest.approx(0.4 * full, rel=0.3)
    picture.layer.setOpacity(0.5)
    assert darkness(1.0) == pytest.approx(0.5 * full, rel=0.3)


def test_the_first_cross_is_larger(picture: Picture) -> None:
    positions = np.array([[-1.0, 0.0], [1.0, 0.0]], np.float32)
    drawn = picture.drawn(Spots(positions))
    first, second = drawn[drawn[:, 0] < 0], drawn[drawn[:, 0] > 0]
    np.testing.assert_allclose(first.mean(axis=0), positions[0], atol=0.01)
    np.testing.assert_allclose(second.mean(axis=0), positions[1], atol=0.01)
    assert np.ptp(first[:, 0]) > 1.3 * np.ptp(second[:, 0])


def test_a_trail_grows_to_its_end(picture: Picture) -> None:
    start, end = np.array([[-1.0, 0.0]], np.float32), np.array([[1.0, 0.0]], np.float32)
    image = rgb(picture.shown(Trails(start, end, np.array([5], np.uint8))))
    y = int(picture.plot.to_pixel(0.0, 0.0).y())
    strength = [
        float((255 - image[y - 3 : y + 4, int(picture.plot.to_pixel(z1, 0.0).x())]).sum())
        for z1 in (-1.2, -0.8, 0.1, 0.8, 1.0)
    ]
    assert strength[0] == 0
    assert strength == sorted(strength)
    assert strength[4] > 1.5 * strength[3]


def test_a_trail_that_stayed_is_a_dot(picture: Picture) -> None:
    positions = np.array([[0.5, 0.5]], np.float32)
    drawn = picture.drawn(Trails(positions, positions, np.array([2], np.uint8)))
    np.testing.assert_allclose(drawn.mean(axis=0), positions[0], atol=0.01)


def test_later_marks_lie_above(picture: Picture) -> None:
    region = (-1.0, 1.0, -1.0, 1.0)
    sheets = [
        ClassField(region, np.array([[label]], np.uint8), np.ones((1, 1), np.float32))
        for label in (2, 4)
    ]
    np.testing.assert_array_equal(picture.color(picture.shown(*sheets), 0.0, 0.0), CLASS_COLORS[4])


def test_a_move_of_the_view_prepares_nothing(
    picture: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    field = Field((-1.0, 1.0, -1.0, 1.0), np.ones((4, 4), np.float32), 0.0, 1.0, "")
    picture.shown(field)
    monkeypatch.delattr(latent_marks, "field_image")
    picture.plot.pan_by(40, 25)
    image = picture.plot.grab().toImage()
    assert picture.color(image, 0.0, 0.0).tolist() != named(LIGHT.canvas).tolist()


def test_empty_marks_are_no_error(picture: Picture) -> None:
    none, labels = np.empty((0, 2), np.float32), np.empty(0, np.uint8)
    marks = (
        Sheet(np.empty((0, 4)), np.empty((0, 28, 28), np.float32)),
        Curve((), "50 %"),
        Ellipses(none, np.empty((0, 2, 2), np.float32), labels=labels, named=True),
        Spots(none),
        Trails(none, none, labels),
    )
    assert len(picture.drawn(*marks)) == 0
