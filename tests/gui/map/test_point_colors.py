from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pyqtgraph as pg
import pytest
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from vae_explorer.gui.map.point_colors import ColorKey, point_rgb
from vae_explorer.gui.theme import CLASS_COLORS, DARK, LIGHT, Theme
from vae_explorer.session.map.state import PointColors

LABELS = np.array([0, 3, 3, 11], np.uint8)
NAN = float("nan")
SCALE = PointColors("Width", "How wide", np.array([1, 3, 2, NAN], np.float32), 1.0, 3.0, "units")
GROUPS = PointColors(
    "Group", "Of whom", np.array([1, 0, NAN, 1], np.float32), names=("mine", "theirs")
)


def rgb(name: str) -> list[int]:
    color = QColor(name)
    return [color.red(), color.green(), color.blue()]


def scale(theme: Theme) -> "np.ndarray[tuple[int, int], np.dtype[np.uint8]]":
    """Viridis from its low end, which is the one nearest to the canvas."""
    table = pg.colormap.get("viridis").getLookupTable(nPts=256, alpha=False)
    return table if theme.dark else table[::-1]  # type: ignore[no-any-return]


def test_classes_need_no_colours_of_their_own() -> None:
    assert point_rgb(None, LABELS, None, LIGHT) is None


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_a_scale_goes_from_end_to_end(theme: Theme) -> None:
    table, colors = scale(theme), point_rgb(SCALE, LABELS, None, theme)
    assert colors is not None
    assert colors[0].tolist() == table[0].tolist()
    assert colors[1].tolist() == table[255].tolist()
    assert colors[2].tolist() == table[128].tolist()
    assert colors[3].tolist() == rgb(theme.muted), "nothing is known of it"


def test_values_beyond_an_end_take_its_colour() -> None:
    far = replace(SCALE, values=np.array([-1e9, 1e9, np.inf, -np.inf], np.float32))
    colors = point_rgb(far, LABELS, None, LIGHT)
    assert colors is not None
    assert colors[:2].tolist() == scale(LIGHT)[[0, 255]].tolist()
    assert colors[2:].tolist() == [rgb(LIGHT.muted)] * 2


def test_categories_take_the_colours_of_classes() -> None:
    colors = point_rgb(GROUPS, LABELS, None, LIGHT)
    assert colors is not None
    wanted = [*CLASS_COLORS[[1, 0]].tolist(), rgb(LIGHT.muted), CLASS_COLORS[1].tolist()]
    assert colors.tolist() == wanted


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("colors", [None, SCALE, GROUPS], ids=["classes", "scale", "groups"])
def test_what_is_not_selected_fades_into_the_canvas(
    theme: Theme, colors: PointColors | None
) -> None:
    selected = np.array([True, False, True, False])
    full = point_rgb(colors, LABELS, np.ones(4, np.bool_), theme)
    some = point_rgb(colors, LABELS, selected, theme)
    assert full is not None
    assert some is not None
    assert some[selected].tolist() == full[selected].tolist()
    canvas = np.array(rgb(theme.canvas))
    wanted = full[~selected] + 0.8 * (canvas - full[~selected].astype(float))
    np.testing.assert_allclose(some[~selected], wanted, atol=0.51)


def test_the_classes_own_colours_are_left_alone() -> None:
    before = CLASS_COLORS.copy()
    point_rgb(None, np.arange(10, dtype=np.uint8), np.zeros(10, np.bool_), LIGHT)
    np.testing.assert_array_equal(CLASS_COLORS, before)


@pytest.fixture
def key(qtbot: QtBot) -> ColorKey:
    key = ColorKey()
    qtbot.addWidget(key)
    return key


def shown(key: ColorKey, colors: PointColors) -> "list[list[QColor]]":
    """Its pixels, by rows."""
    key.set_colors(colors)
    key.resize(key.sizeHint())
    image = key.grab().toImage()
    return [[image.pixelColor(x, y) for x in range(image.width())] for y in range(image.height())]


def test_without_colours_there_is_no_key(key: ColorKey) -> None:
    key.set_colors(SCALE)
    assert not key.isHidden()
    key.set_colors(None)
    assert key.isHidden()
    assert key.sizeHint().isEmpty()


def test_it_says_what_the_colours_mean(key: ColorKey) -> None:
    key.set_colors(SCALE)
    assert key.toolTip() == "Width: How wide"
    assert key.accessibleDescription() == "Width, 3.00, 2.00, 1.00"
    key.set_colors(replace(SCALE, low=-131.4, high=-80.0))
    assert key.accessibleDescription() == "Width, −80, −106, −131"
    key.set_colors(replace(SCALE, low=0.03, high=0.05))
    assert key.accessibleDescription() == "Width, 0.050, 0.040, 0.030"
    key.set_colors(GROUPS)
    assert key.accessibleDescription() == "Group, mine, theirs"


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_the_bar_shows_the_very_colours_the_high_end_on_top(
    key: ColorKey, show_theme: Callable[[Theme], None], theme: Theme
) -> None:
    show_theme(theme)
    column = [row[15] for row in shown(key, SCALE)]
    table = {tuple(color): step for step, color in enumerate(scale(theme).tolist())}
    steps = [table.get((c.red(), c.green(), c.blue())) for c in column]
    known = [step for step in steps if step is not None]
    assert len(known) >= 158, "all 160 pixels, but for the edges"
    assert known == sorted(known, reverse=True)
    assert known[0] > 250
    assert known[-1] < 5


def test_categories_have_a_dot_each(key: ColorKey) -> None:
    rows = shown(key, GROUPS)
    half = len(rows) // 2
    dots = [QColor(*CLASS_COLORS[code].tolist()) for code in (0, 1)]
    for dot, part in zip(dots, (rows[:half], rows[half:]), strict=True):
        assert any(dot in row for row in part)
        assert not any(row[-1] != row[0] for row in part), "the names have room"


def test_twenty_classes_have_colours_of_their_own(key: ColorKey) -> None:
    names = tuple(map(str, range(20)))
    many = PointColors("Cluster", "From a table", np.arange(20, dtype=np.float32), names=names)
    rgb = point_rgb(many, np.zeros(20, np.uint8), None, LIGHT)
    assert rgb is not None
    assert len(np.unique(rgb, axis=0)) == 20
    np.testing.assert_array_equal(rgb[:10], CLASS_COLORS)
    rows = shown(key, many)
    key.set_colors(replace(many, names=names[:10]))
    assert len(rows) == key.sizeHint().height(), "no taller than ten"
    seen = {color.rgb() for row in rows for color in row}
    assert {QColor(*color).rgb() for color in rgb.tolist()} <= seen
