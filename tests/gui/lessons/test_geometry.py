from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.support.lessons import choose, drag, named
from vae_explorer.gui.lessons.geometry import GeometryView
from vae_explorer.gui.lessons.step_strip import DIM, StepStrip
from vae_explorer.gui.plot.chart import Chart
from vae_explorer.gui.plot.marks import Box, Line, Picture
from vae_explorer.gui.theme import LIGHT
from vae_explorer.session.lessons.geometry import Geometry
from vae_explorer.types import Region

LEFT = Qt.MouseButton.LeftButton


def bars(strip: StepStrip) -> list[QRectF]:
    """Where the bars are, in pixels."""
    return [on(strip, mark.region) for mark in strip.plot.marks if isinstance(mark, Box)]


def pictures(strip: StepStrip) -> list[QRectF]:
    return [on(strip, mark.region) for mark in strip.plot.marks if isinstance(mark, Picture)]


def on(chart: Chart, region: Region) -> QRectF:
    left, right, bottom, top = region
    return QRectF(chart.to_pixel(left, top), chart.to_pixel(right, bottom))


def test_ends_are_dragged_and_nothing_else(view: GeometryView, experiment: Geometry) -> None:
    plane = named(view, Chart, "Latent plane")
    start = experiment.settings.start
    drag(plane, experiment.settings.end, (2.0, -3.0))
    assert experiment.settings.end == pytest.approx((2, -3), abs=0.03)
    x, y = experiment.settings.end
    QTest.mouseClick(plane, LEFT, pos=(plane.to_pixel(x, y) + QPointF(8.0, 0.0)).toPoint())
    assert experiment.settings.end == pytest.approx((x, y))
    drag(plane, (-3.0, 3.0), (0.0, 0.0))
    assert experiment.settings.start == start
    assert experiment.settings.end == pytest.approx((2, -3), abs=0.03)


def test_keys_move_the_chosen_end(view: GeometryView, experiment: Geometry) -> None:
    plane = named(view, Chart, "Latent plane")
    plane.setFocus()
    QTest.keyClick(plane, Qt.Key.Key_Up)
    assert experiment.settings.start == pytest.approx((-1, -1.4))
    drag(plane, experiment.settings.end, (2.0, -3.0))
    z1, z2 = experiment.settings.end
    QTest.keyClick(plane, Qt.Key.Key_Left)
    assert experiment.settings.end == pytest.approx((z1 - 0.1, z2))


def test_bars_are_alike_at_equal_steps_of_the_picture(
    view: GeometryView, settle: Callable[[], None]
) -> None:
    line = named(view, StepStrip, "Straight line")
    heights = [bar.height() for bar in bars(line)]
    assert max(heights) > 3 * min(heights)
    choose(view.form.editor("steps"), "image")
    settle()
    heights = [bar.height() for bar in bars(line)]
    assert max(heights) == pytest.approx(min(heights))
    assert max(heights) > bars(named(view, StepStrip, "Geodesic"))[0].height() > 0


def test_a_path_that_is_looked_for_is_not_that_of_before(
    view: GeometryView, experiment: Geometry, settle: Callable[[], None]
) -> None:
    plane, strip = named(view, Chart, "Latent plane"), named(view, StepStrip, "Geodesic")

    def opacities() -> set[float]:
        return {mark.opacity for mark in strip.plot.marks if isinstance(mark, Picture)}

    def path() -> Line:
        return next(m for m in plane.plot.front if isinstance(m, Line) and m.name == "geodesic")

    assert opacities() == {path().opacity} == {1.0}
    experiment.move(end=(2.0, -3.0))
    assert opacities() == {path().opacity} == {DIM}
    assert "looking" in strip.accessibleDescription()
    settle()
    assert opacities() == {path().opacity} == {1.0}
    experiment.set(metric="fisher")
    assert not strip.plot.marks
    settle()
    assert opacities() == {1.0}


def test_pictures_and_bars_are_drawn(view: GeometryView, experiment: Geometry) -> None:
    QApplication.processEvents()
    line = named(view, StepStrip, "Straight line")
    shown = line.grab().toImage()
    assert experiment.result.straight is not None
    for number in (0, 5, 10):
        box = pictures(line)[number].toRect()
        pixels = [
            shown.pixelColor(x, y).lightness()
            for x in range(box.left() + 1, box.right() - 1)
            for y in range(box.top() + 1, box.bottom() - 1)
        ]
        mean = 255 * float(np.mean(experiment.result.straight.images[number]))
        assert np.mean(pixels) == pytest.approx(mean, rel=0.2)
    tallest = int(np.argmax(experiment.result.straight.frames.steps))
    at = bars(line)[tallest].center().toPoint()
    assert shown.pixelColor(at) == QColor(LIGHT.held_out)
    assert line.height() == line.sizeHint().height()
    assert max(bar.bottom() for bar in bars(line)) <= line.height()
    assert line.export("svg").count(b"<image") == 11


def test_the_metric_is_chosen(
    view: GeometryView, experiment: Geometry, settle: Callable[[], None]
) -> None:
    choose(view.form.editor("metric"), "fisher")
    settle()
    assert experiment.settings.metric == "fisher"
    assert "Fisher units" in named(view, StepStrip, "Geodesic").accessibleDescription()


def test_the_ellipse_follows_the_pointer(
    view: GeometryView, experiment: Geometry, settle: Callable[[], None]
) -> None:
    plane = named(view, Chart, "Latent plane")
    at, none = plane.to_pixel(-2.0, 2.0), Qt.MouseButton.NoButton
    kind, held = QEvent.Type.MouseMove, Qt.KeyboardModifier.NoModifier
    move = QMouseEvent(kind, at, QPointF(plane.mapToGlobal(at)), none, none, held)
    QApplication.sendEvent(plane, move)
    settle()
    assert experiment.result.ellipse is not None
    assert experiment.result.ellipse.point == pytest.approx((-2, 2))
    QApplication.sendEvent(plane, QEvent(QEvent.Type.Leave))
    assert experiment.result.ellipse is None


def test_a_hidden_geodesic_is_not_on_the_plane(view: GeometryView) -> None:
    plane = named(view, Chart, "Latent plane")
    view.set_hidden(("geodesic",))
    QApplication.processEvents()
    without = plane.grab().toImage()
    view.set_hidden(())
    view.resize(630, 720)
    QApplication.processEvents()
    assert not named(view, StepStrip, "Geodesic").isHidden()
    assert plane.grab().toImage() != without
    view.set_hidden(view.controls)
    assert not any(control.isVisible() for control in view.controls.values())
