from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox

from tests.support.lessons import button, choose, drag
from tests.support.person import ShowTheme
from vae_explorer.gui.lessons.density import Density
from vae_explorer.gui.lessons.functionals import FunctionalsView
from vae_explorer.gui.theme import DARK, LIGHT
from vae_explorer.gui.widgets.number_box import NumberBox
from vae_explorer.gui.widgets.readout import Readout

_LEFT = Qt.MouseButton.LeftButton


def density(view: FunctionalsView) -> Density:
    found = view.findChild(Density)
    assert found is not None
    return found


def at(view: FunctionalsView, x: float, y: float) -> QPoint:
    return density(view).to_pixel(x, y).toPoint()


def test_a_bar_is_dragged(view: FunctionalsView) -> None:
    drag(density(view), (3.1, 0.2), (3.4, 0.6), (5.0, 0.5))
    p = view.experiment.result.p
    assert p[2] == pytest.approx(0.5, abs=0.01)
    assert p.sum() == pytest.approx(1)
    image = density(view).grab().toImage()
    inside, above = image.pixelColor(at(view, 3.2, 0.45)), image.pixelColor(at(view, 3.2, 0.55))
    assert inside != QColor(LIGHT.canvas)
    assert above == QColor(LIGHT.canvas)


def test_a_density_is_drawn(view: FunctionalsView) -> None:
    experiment = view.experiment
    experiment.set(constraint="interval")
    drag(density(view), (0.5, 0.1), (1.5, 0.3), (2.5, 0.3))
    x = experiment.result.problem.x
    flat = experiment.result.p[(x > 1.6) & (x < 2.4)]
    np.testing.assert_allclose(flat, 0.3, atol=0.02)
    assert not experiment.result.held.any()


def test_keys_move_a_bar_and_a_density(view: FunctionalsView) -> None:
    experiment, chart = view.experiment, density(view)
    before = experiment.result.p
    for _ in range(8):
        QTest.keyClick(chart, Qt.Key.Key_Left)
    QTest.keyClick(chart, Qt.Key.Key_Right)
    assert chart.caret == 2
    QTest.keyClick(chart, Qt.Key.Key_Up)
    assert experiment.result.p[1] == pytest.approx(before[1] + 0.02)
    QTest.keyClick(chart, Qt.Key.Key_Down, Qt.KeyboardModifier.ControlModifier)
    assert experiment.result.p[1] == pytest.approx(before[1] + 0.018)
    experiment.set(constraint="mean")
    before = experiment.result.p
    QTest.keyClick(chart, Qt.Key.Key_Up)
    assert not np.allclose(before, experiment.result.p)


def test_ascend_climbs_to_the_end(view: FunctionalsView, settle: Callable[[], None]) -> None:
    experiment = view.experiment
    ascend = button(view, "Ascend")
    ascend.click()
    assert experiment.settings.ascend
    assert ascend.isChecked()
    settle()
    assert not ascend.isChecked()
    assert experiment.result.divergences[-1] < 1e-6
    count = len(experiment.result.divergences)
    button(view, "Step").click()
    assert len(experiment.result.divergences) == count + 1


def test_the_problem_is_chosen(view: FunctionalsView) -> None:
    experiment = view.experiment
    where, start = view.findChildren(QComboBox)
    choose(where, 2)
    assert experiment.settings.constraint == "variance"
    size = view.findChild(NumberBox)
    size.setValue(0.5)
    assert experiment.settings.size == 0.5
    choose(start, 1)
    assert experiment.settings.shape == "ramp"
    assert "variance 0.250" in view._details.text()


def test_every_problem_is_drawn_in_both_themes(
    view: FunctionalsView, show_theme: ShowTheme
) -> None:
    for theme in (LIGHT, DARK):
        show_theme(theme)
        for constraint in ("bars", "interval", "variance", "mean"):
            view.experiment.set(constraint=constraint)
            image = density(view).grab().toImage()
            colors = {
                image.pixelColor(x, y).name() for x in range(90, 600, 5) for y in range(40, 360, 8)
            }
            assert theme.canvas in colors
            assert len(colors) > 2, constraint
    view.experiment.set_state({"constraint": "bars", "size": 2})
    assert not view._left.isVisible()


def test_the_best_p_is_not_shown_before_it_is_guessed(view: FunctionalsView) -> None:
    for constraint, name in (("bars", "1/n"), ("variance", "largest entropy")):
        view.experiment.set(constraint=constraint)
        assert name in legend(view)
        view.set_hidden({"best"})
        assert name not in legend(view)
        assert not any("at most" in one.text() for one in view.findChildren(Readout))
        view.set_hidden(())
        assert any("at most" in one.text() for one in view.findChildren(Readout))
    view.set_hidden({"lambda2"})
    assert any("λ₂ = ?" in one.text() for one in view.findChildren(Readout))


def legend(view: FunctionalsView) -> str:
    return " ".join(entry.name for entry in density(view).plot.legend)
