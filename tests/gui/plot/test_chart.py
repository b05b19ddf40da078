"""One suite over the kit's marks and its widget: whatever data, both themes, keys and files."""

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Literal

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF
from PySide6.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot

from tests.support.charts import shown
from tests.support.person import ShowTheme
from vae_explorer.gui.plot.axis import Axis
from vae_explorer.gui.plot.chart import Chart
from vae_explorer.gui.plot.color_maps import sequential
from vae_explorer.gui.plot.export import KINDS, render_charts
from vae_explorer.gui.plot.layout import Bar, Layout, Plot
from vae_explorer.gui.plot.marks import (
    Arrow,
    Band,
    Box,
    Columns,
    Dots,
    Entry,
    Level,
    Line,
    Mark,
    Painted,
    Picture,
    Ring,
)
from vae_explorer.gui.theme import DARK, LIGHT, Theme
from vae_explorer.session.map.marks import Ellipses, Field
from vae_explorer.types import Float32, Float64

INF, NAN = float("inf"), float("nan")
VALUES = {
    "plain": [0.0, 4.0, 2.0, 8.0, 6.0],
    "empty": [],
    "one": [3.0],
    "nan": [1.0, NAN, 2.0, NAN, NAN],
    "all nan": [NAN, NAN],
    "infinite": [INF, 1.0, -INF, 2.0],
    "denormal": [5e-324, 1e-310, 0.0],
    "huge": [1e308, -1e308, 1e308],
}


def single(values: object) -> Float32:
    with np.errstate(over="ignore"):
        return np.array(values, dtype=np.float32)


def squares(count: int) -> Float32:
    return single([np.eye(2)] * count).reshape(-1, 2, 2)


WIDE = np.linspace(0, 10, 900)
MARKS: dict[str, Callable[[Float64], Mark]] = {
    "line": lambda y: Line(np.arange(float(len(y))), y, "train", "a line", symbol="o"),
    "filled": lambda y: Line(np.arange(float(len(y))), y, "train", filled=True, dashed=True),
    "halo": lambda y: Line(np.arange(float(len(y))), y, "train", halo=True),
    "long": lambda y: Line(WIDE, np.resize(np.append(y, 1), 900), "kl"),
    "path": lambda y: Line(y[::-1], y, "#123456", symbol="d", width=0.0),
    "band": lambda y: Band(np.arange(float(len(y))), y - 1, y + 1, "kl", "a band"),
    "long band": lambda y: Band(WIDE, np.resize(np.append(y, 1), 900), 0 * WIDE, "kl"),
    "columns": lambda y: Columns(np.arange(len(y) + 1.0), y, "muted", "columns", gap=0.2),
    "box": lambda y: Box((0.0, float(y.sum()), 1.0, 2.0), "kl", "a box"),
    "dots": lambda y: Dots(np.column_stack([y, y]), "accent", "dots"),
    "level": lambda y: Level(float(y.sum()), "text", "level"),
    "upright": lambda y: Level(float(y.sum()), "text", upright=True, dashed=False),
    "arrow": lambda y: Arrow((0.0, 0.0), (float(y.sum()), 1.0), "kl", "arrow"),
    "ring": lambda y: Ring((float(y.sum()), 1.0), "kl", text="here"),
    "disc": lambda y: Ring((1.0, float(y.sum())), "kl", shape=".", text="there"),
    "tip": lambda y: Ring((1.0, float(y.sum())), "kl", shape="<"),
    "field": lambda y: Field((0, 5, 0, 5), single(np.resize(np.append(y, 1), (4, 4))), 0, 9, ""),
    "ellipses": lambda y: Ellipses(single([y, y]).T, squares(len(y))),
}  # fmt: skip


@pytest.mark.parametrize("mark", MARKS.values(), ids=list(MARKS))
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_whatever_the_data_it_is_painted(
    qtbot: QtBot, mark: Callable[[Float64], Mark], show_theme: ShowTheme
) -> None:
    charts: dict[str, Chart] = {}
    for (name, values), log in product(VALUES.items(), (False, True)):
        chart = charts[f"{name}{', log' * log}"] = Chart("A chart", "x", "y")
        qtbot.addWidget(chart)
        chart.resize(200, 140)
        x, y = (Axis(0.1 if log else 0.0, 10, label, log) for label in "xy")
        chart.set_plot(Plot("A chart", x, y, (mark(np.array(values)),)))
    for theme in (LIGHT, DARK):
        show_theme(theme)
        for name, chart in charts.items():
            assert chart.grab().toImage().pixelColor(60, 60).alpha() == 255, name
    for name, chart in charts.items():
        chart.resize(12, 9)
        chart.grab()
        assert chart.export("csv").startswith(b"chart,mark,x,y"), name


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_colours_are_the_theme_s(qtbot: QtBot, theme: Theme, show_theme: ShowTheme) -> None:
    chart = shown(qtbot, Chart())
    chart.set_marks([Columns(np.array([0.0, 1.0]), np.array([1.0]), "train")])
    show_theme(theme)
    color = chart.grab().toImage().pixelColor(chart.frame.center().toPoint())
    ground, ink = QColor(theme.canvas), QColor(theme.train)
    assert color.red() == pytest.approx(0.4 * ground.red() + 0.6 * ink.red(), abs=3)


def test_marks_are_where_the_axes_say(qtbot: QtBot) -> None:
    chart = shown(qtbot, Chart("A chart", "x", "y"))
    chart.set_range(-2, 2, 0, 4)
    for position in ((-1.5, 1.0), (1.0, 3.5)):
        chart.set_marks([Ring(position, "#ff0000", 6.0, ".")])
        at = chart.to_pixel(*position)
        assert chart.to_data(at) == pytest.approx(position)
        assert chart.grab().toImage().pixelColor(at.toPoint()) == QColor("#ff0000")


def test_the_front_is_over_the_marks_and_both_are_within_the_frame(qtbot: QtBot) -> None:
    chart = shown(qtbot, Chart("A chart"))
    outside = chart.frame.topLeft().toPoint() + QPoint(40, -4)
    ground = chart.grab().toImage().pixelColor(outside)
    for show, color in ((chart.set_marks, "#ff0000"), (chart.set_front, "#0000ff")):
        show([Ring((0.5, 0.5), color, 400.0, ".")])
        grabbed = chart.grab().toImage()
        assert grabbed.pixelColor(chart.frame.center().toPoint()) == QColor(color)
        assert grabbed.pixelColor(outside) == ground


def test_another_label_is_painted_over_the_same_marks(qtbot: QtBot) -> None:
    chart = shown(qtbot, Chart("A chart", "x"))
    before = chart.grab().toImage()
    chart.set_title("A chart", "y")
    assert chart.grab().toImage() != before


def test_a_picture_s_first_row_is_the_lowest(qtbot: QtBot) -> None:
    chart = shown(qtbot, Chart())
    image = QImage(1, 2, QImage.Format.Format_RGB32)
    image.setPixelColor(0, 0, QColor("#ff0000"))
    image.setPixelColor(0, 1, QColor("#00ff00"))
    chart.set_marks([Picture(image, (0, 1, 0, 1))])
    grabbed = chart.grab().toImage()
    assert grabbed.pixelColor(chart.to_pixel(0.5, 0.05).toPoint()) == QColor("#ff0000")
    assert grabbed.pixelColor(chart.to_pixel(0.5, 0.95).toPoint()) == QColor("#00ff00")


@pytest.mark.parametrize("size", [(320, 220), (500, 200), (200, 500)])
def test_one_scale_for_both_axes(qtbot: QtBot, size: tuple[int, int]) -> None:
    for aspect in ("equal", "exact"):
        chart = shown(qtbot, Chart("A plane", aspect=aspect))
        chart.resize(*size)
        chart.set_range(-3, 3, -2, 2)
        left, right, bottom, top = chart.region
        frame = chart.frame
        scale = frame.width() / (right - left)
        assert scale == pytest.approx(frame.height() / (top - bottom))
        assert left <= -3 + 1e-9
        assert right >= 3 - 1e-9
        if aspect == "exact":
            assert (left, right, bottom, top) == (-3, 3, -2, 2)
        across, up = chart.placed.x_ticks, chart.placed.y_ticks
        assert len(across) > 1
        assert 20 * len(up) < frame.height() + 20
        axis = Axis(-3, 3, numbers=False)
        chart.set_plot(Plot("A plane", axis, axis, aspect=aspect))
        assert not (*chart.placed.x_ticks, *chart.placed.y_ticks)


def test_the_legend_wraps_and_keeps_room_for_its_values(qtbot: QtBot) -> None:
    chart = shown(qtbot, Chart("A chart"))
    entries = tuple(Entry("train", "━", f"entry {k}", "1") for k in range(6))
    chart.set_plot(replace(chart.plot, entries=entries))
    before = chart.frame.top()
    assert before > 2 * chart.fontMetrics().height()
    filed = Layout.of(chart.plot, chart.placed.rect, chart.font(), density=1.0)  # nothing changes
    assert filed.frame.top() < before
    entries = tuple(replace(entry, value="−123.45") for entry in entries)
    chart.set_plot(replace(chart.plot, entries=entries))
    assert chart.frame.top() == before


def test_a_value_is_whole_where_a_name_is_cut(qtbot: QtBot) -> None:
    chart = shown(qtbot, Chart("A chart"))
    entry = Entry("train", "━", "20261130-0305-seed0", "−157.27 / −155.61")
    chart.set_plot(replace(chart.plot, entries=(entry,)))
    chart.resize(210, 140)
    assert "… −157.27 / −155.61" in chart.export("svg").decode()


def test_a_painter_is_closed_whatever_is_raised(qtbot: QtBot) -> None:
    chart = Chart("A chart")
    qtbot.addWidget(chart)
    chart.resize(200, 140)

    def fail(*_: object) -> None:
        raise ValueError("no")

    for kind in ("png", "svg", "pdf"):
        with pytest.raises(ValueError, match="no"):
            render_charts(kind, [replace(chart.plot, marks=(Painted(fail),))])


@pytest.mark.parametrize("aspect", ["free", "exact"])
def test_a_colour_bar_is_beside_the_frame_with_the_smallest_value_at_the_bottom(
    qtbot: QtBot, aspect: Literal["free", "exact"]
) -> None:
    chart = shown(qtbot, Chart("A field", aspect=aspect))
    axis = Axis(1.0, 1_000.0, "√det G", log=True)
    chart.set_plot(replace(chart.plot, bar=Bar(axis), subtitle="of a model"))
    bar, ticks = chart.placed.bar, chart.placed.bar_ticks
    assert chart.frame.right() < bar.left() < bar.right() < chart.width() - 20
    assert (bar.top(), bar.bottom()) == (chart.frame.top(), chart.frame.bottom())
    assert [tick.text for tick in ticks] == ["1", "10", "100", "1,000"]
    drawn = chart.grab().toImage()
    top, bottom = (
        drawn.pixelColor(QPointF(bar.center().x(), y).toPoint())
        for y in (bar.top() + 2, bar.bottom() - 2)
    )
    low, high = (QColor.fromRgb(int(color)) for color in sequential(LIGHT)[[0, -1]])
    for found, wanted in ((bottom, low), (top, high)):
        assert abs(found.red() - wanted.red()) < 12
        assert abs(found.green() - wanted.green()) < 12
    said = [entry.name for entry in chart.plot.legend]
    assert said == ["of a model", "colour: √det G"]
    chart.set_bar(Bar(axis, "accent"))
    drawn = chart.grab().toImage()
    weak = drawn.pixelColor(QPointF(bar.center().x(), bar.bottom() - 2).toPoint())
    strong = drawn.pixelColor(QPointF(bar.center().x(), bar.top() + 2).toPoint())
    assert strong.red() < weak.red()
    assert all(chart.export(kind) for kind in KINDS)


def test_large_type_enlarges_marks_and_numbers(qtbot: QtBot) -> None:
    chart = shown(qtbot, Chart("A chart", "x", "y"))
    chart.resize(700, 300)
    chart.set_marks([Ring((0.5, 0.5), "#ff0000", 8.0, ".")])

    def red() -> int:
        drawn = chart.grab().toImage()
        y = chart.to_pixel(0.5, 0.5).toPoint().y()
        return sum(drawn.pixelColor(x, y) == QColor("#ff0000") for x in range(drawn.width()))

    usual, ticks = red(), chart.placed.x_ticks
    font = chart.font()
    font.setPointSizeF(2 * font.pointSizeF())
    chart.setFont(font)
    assert red() == pytest.approx(2 * usual, abs=3)
    assert len(chart.placed.x_ticks) < len(ticks)


def test_a_legend_that_has_no_room_after_the_title_has_a_line_of_its_own(qtbot: QtBot) -> None:
    chart = shown(qtbot, Chart("A chart"))
    chart.resize(330, 200)
    chart.set_plot(
        replace(chart.plot, entries=tuple(Entry("train", "●", str(k)) for k in range(8)))
    )
    assert len({start.y() for start in chart.placed.starts}) == 1
    chart.set_subtitle("trust = 0.740 of a thousand")
    subtitle, *digits = chart.placed.starts
    assert len({start.y() for start in digits}) == 1
    assert digits[0].y() > subtitle.y()
