from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QLineEdit, QSlider

from tests.support.lessons import choose, drag, named, no_model
from vae_explorer.gui.lessons.pushforward import PushforwardView
from vae_explorer.gui.plot.chart import Chart
from vae_explorer.gui.plot.export import KINDS
from vae_explorer.gui.theme import LIGHT
from vae_explorer.session.lessons.context import LessonContext
from vae_explorer.session.lessons.pushforward import Pushforward

LEFT = Qt.MouseButton.LeftButton


def lightness(chart: Chart, x: float, y: float) -> int:
    QApplication.processEvents()
    at = chart.to_pixel(x, y).toPoint() + QPoint(0, 0)
    return chart.grab().toImage().pixelColor(at).lightness()


def test_dragging_follows_another_place(view: PushforwardView, experiment: Pushforward) -> None:
    before = named(view, Chart, "z")
    drag(before, (0.5, 0.5), (-1.0, 2.0))
    assert experiment.settings.z == pytest.approx((-1, 2), abs=0.03)
    before.setFocus()
    QTest.keyClick(before, Qt.Key.Key_Right)
    assert experiment.settings.z == pytest.approx((-0.9, 2), abs=0.03)


def test_what_z_becomes_is_marked_and_every_figure_can_be_exported(
    view: PushforwardView, experiment: Pushforward
) -> None:
    position = ",".join(repr(part) for part in experiment.x.tolist())
    for title in ("x = f(z)", "p(x), by the formula"):
        chart = named(view, Chart, title)
        at = chart.to_pixel(*experiment.x.tolist()).toPoint()
        assert chart.grab().toImage().pixelColor(at) == QColor(LIGHT.held_out)
        assert all(chart.export(kind) for kind in KINDS)
        assert position in chart.export("csv").decode()


def test_the_formula_is_not_told_in_a_legend_before_it_is_asked_for(view: PushforwardView) -> None:
    chart = named(view, Chart, "x = f(z)")
    said = []
    for hidden in ({"px"}, set[str]()):
        view.set_hidden(hidden)
        said.append(chart.plot.legend[-1].name)
    assert said == ["colour: density", "colour: p(z) / |det J|"]


def test_the_decoded_picture_is_in_the_corner_where_x_is_not(
    view: PushforwardView, experiment: Pushforward
) -> None:
    chart = named(view, Chart, "x = f(z)")
    for z, hides in (((0.5, 0.5), False), ((-1.2, 3.0), True)):
        experiment.move(z=z)
        experiment.publish(picture=np.zeros((28, 28), np.float32))
        corners = chart.frame.topLeft() + QPointF(20, 20), chart.frame.topRight() + QPointF(-20, 20)
        shown = chart.grab().toImage()
        dark = [shown.pixelColor(at.toPoint()).lightness() == 0 for at in corners]
        assert dark == [not hides, hides]


def test_the_ring_has_a_hole_in_both_densities(
    view: PushforwardView, experiment: Pushforward, settle: Callable[[], None]
) -> None:
    choose(view.form.editor("function"), "ring")
    settle()
    assert experiment.settings.function == "ring"
    for title in ("p(x), by the formula", "p(x), by samples"):
        shown = named(view, Chart, title)
        assert lightness(shown, 0.1, 0.1) > 240
        assert lightness(shown, 0, 1.08) < 170
    line = view.form.editor("x1")
    assert isinstance(line, QLineEdit)
    assert line.text() == "z1/10 + z1/hypot(z1, z2)"


def test_along_a_line_the_ring_has_two_peaks_and_a_closed_form(
    view: PushforwardView, experiment: Pushforward, settle: Callable[[], None]
) -> None:
    chart = named(view, Chart, "p(x) along")

    def seen(color: str, low: float, high: float) -> int:
        """Pixels of a colour between two shares of the frame's width, above its floor."""
        shown, wanted, frame = chart.grab().toImage(), QColor(color), chart.frame
        left, right = (round(frame.left() + share * frame.width()) for share in (low, high))
        rows = range(round(frame.top()), round(frame.bottom() - 0.1 * frame.height()))
        return sum(shown.pixelColor(x, y) == wanted for x in range(left, right) for y in rows)

    experiment.move(z=(1.2, 0.0))
    for state, color in (
        ({"function": "ring"}, "held_out"),
        ({"x2": "z2/9 + z2/hypot(z1, z2)"}, "accent"),
    ):
        experiment.set(**state)
        settle()
        shade = getattr(LIGHT, color)
        assert seen(shade, 0.05, 0.25) > 10
        assert seen(shade, 0.75, 0.95) > 10
        assert seen(shade, 0.35, 0.65) == 0
        assert (seen(LIGHT.held_out, 0, 1) > 0) == (color == "held_out")
    across, up = (
        [tick.value for tick in one] for one in (chart.placed.x_ticks, chart.placed.y_ticks)
    )
    assert {-1.0, 0.0, 1.0} <= set(across)  # the radius is 1
    assert up[0] == 0.0 < up[-1]
    assert all(chart.export(kind) for kind in KINDS)


def test_nothing_of_the_last_function_stands_beside_another(
    view: PushforwardView, experiment: Pushforward, settle: Callable[[], None]
) -> None:
    charts = [named(view, Chart, title) for title in ("p(x), by the formula", "p(x), by samples")]
    assert all(chart.plot.marks and not chart.plot.note for chart in charts)
    experiment.set(function="fold")
    assert not any(chart.plot.marks or chart.plot.front for chart in charts)
    assert {chart.plot.note for chart in charts} == {"computing …"}
    assert not any(one.placed.x_ticks or one.placed.y_ticks or one.plot.bar for one in charts)
    settle()
    assert all(chart.plot.marks and not chart.plot.note for chart in charts)
    before = charts[0].plot.marks
    experiment.set(t=0.5)  # may be moving
    assert charts[0].plot.marks == before


def test_the_slider_sets_t_and_shows_it(
    view: PushforwardView, experiment: Pushforward, settle: Callable[[], None]
) -> None:
    slider = view.findChildren(QSlider)[0]
    slider.setFocus()
    QTest.keyClick(slider, Qt.Key.Key_Home)
    settle()
    assert experiment.settings.t == 0
    experiment.set(t=0.5)
    assert slider.value() == 50


def test_a_formula_is_typed_and_a_wrong_one_told(
    view: PushforwardView, experiment: Pushforward, settle: Callable[[], None]
) -> None:
    edit, function = view.form.editor("x1"), view.form.editor("function")
    assert isinstance(edit, QLineEdit)
    assert isinstance(function, QComboBox)
    told = named(view, QLabel, "What is wrong with the formula")
    edit.setFocus()
    edit.selectAll()
    QTest.keyClicks(edit, "z1 + z7")
    QTest.keyClick(edit, Qt.Key.Key_Return)
    settle()
    assert told.isVisible()
    assert "no 'z7'" in told.text()
    assert edit.text() == "z1 + z7"
    edit.selectAll()
    QTest.keyClicks(edit, "2*z1")
    QTest.keyClick(edit, Qt.Key.Key_Return)
    settle()
    assert told.isHidden()
    assert experiment.settings.x1 == "2*z1"
    assert function.currentText() == "your own"


def test_in_a_wide_window_the_profile_leaves_its_height_to_the_planes(
    view: PushforwardView,
) -> None:
    formula, profile = (named(view, Chart, title) for title in ("p(x), by the", "p(x) along"))
    for size, beside in (((630, 720), False), ((1000, 720), True), ((630, 720), False)):
        view.resize(*size)
        QApplication.processEvents()
        QApplication.processEvents()
        assert (profile.x() > formula.x() + formula.width()) == beside
        assert (profile.height() > formula.height()) == beside


def test_nothing_of_the_last_function_is_shown_while_the_decoder_works(
    view: PushforwardView, experiment: Pushforward, context: LessonContext
) -> None:
    charts = [named(view, Chart, title) for title in ("z", "x = f(z)")]
    assert all(chart.plot.front and chart.plot.marks for chart in charts)
    no_model(context)  # so that it never ends
    choose(view.controls["function"].findChild(QComboBox), "decoder")
    assert experiment.result.lattice is None
    assert not any(chart.plot.front or chart.plot.bar for chart in charts)
    assert not charts[1].plot.marks
    assert charts[1].plot.note == "computing …"
    choose(view.controls["function"].findChild(QComboBox), "ring")
    assert charts[1].plot.front
    assert charts[1].plot.bar
    assert not charts[1].plot.note
