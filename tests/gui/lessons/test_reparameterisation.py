from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QComboBox

from tests.support.lessons import button, choose, drag, no_model
from tests.support.person import ShowTheme
from vae_explorer.gui.lessons.reparameterisation import ReparameterisationView
from vae_explorer.gui.theme import DARK, LIGHT
from vae_explorer.gui.widgets.number_box import NumberBox
from vae_explorer.session.lessons.context import LessonContext

Settle = Callable[[], None]
_LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def digit(view: ReparameterisationView, settle: Settle) -> ReparameterisationView:
    view.experiment.set_state({"function": "elbo", "shift": [0.03, -0.02]})
    settle()
    return view


def test_both_handles_of_q_are_dragged(view: ReparameterisationView) -> None:
    experiment = view.experiment
    middle, side = view._place.handles
    drag(view._place, middle, (-1.0, 2.0))
    QTest.mouseMove(view._place, view._place.to_pixel(2.0, 2.0).toPoint())  # no longer held
    assert experiment.settings.mean == pytest.approx(-1.0, abs=0.02)
    middle, side = view._place.handles
    drag(view._place, side, (-0.5, 1.0))
    assert experiment.settings.sigma == pytest.approx(0.5, abs=0.02)
    assert experiment.settings.mean == pytest.approx(-1.0, abs=0.02)


def test_keys_move_and_widen_q(view: ReparameterisationView) -> None:
    experiment = view.experiment
    QTest.keyClick(view._place, Qt.Key.Key_Right)
    QTest.keyClick(view._place, Qt.Key.Key_Down)
    assert experiment.settings.mean == pytest.approx(1.1)
    assert experiment.settings.sigma == pytest.approx(0.95)


def test_the_mean_of_the_digit_s_q_is_dragged(
    digit: ReparameterisationView, settle: Settle
) -> None:
    experiment = digit.experiment
    (x, y) = digit._place.handles[0]
    drag(digit._place, (x, y), (x - 0.02, y + 0.03))
    settle()
    assert experiment.settings.shift == pytest.approx((0.01, 0.01), abs=2e-3)
    QTest.keyClick(digit._place, Qt.Key.Key_Up)
    settle()
    assert experiment.settings.shift[1] == pytest.approx(0.015, abs=2e-3)


def test_the_plane_shows_the_path_s_cloud_around_the_exact_arrow(
    digit: ReparameterisationView,
) -> None:
    experiment = digit.experiment
    found = experiment.result
    assert found.mean is not None
    assert found.covariance is not None
    assert found.estimates is not None
    end = found.mean + found.covariance @ found.estimates.exact[:2]
    image = digit._place.grab().toImage()
    position = digit._place.to_pixel(*end.tolist()).toPoint()
    near = {
        image.pixelColor(position + QPoint(dx, dy)).name()
        for dx in range(-15, 16)
        for dy in range(-15, 16)
    }
    assert LIGHT.log_likelihood in near
    assert len(near) > 10


def test_every_control_reaches_the_experiment(view: ReparameterisationView) -> None:
    experiment = view.experiment
    baseline, scale = view.findChildren(QCheckBox)
    baseline.click()
    scale.click()
    assert experiment.settings.baseline
    assert not experiment.settings.same_scale
    samples = view.form.editor("samples")
    assert isinstance(samples, NumberBox)
    samples.setValue(8)
    assert experiment.settings.samples == 8
    function, parameter = view.findChildren(QComboBox)
    choose(parameter, 1)
    assert experiment.settings.parameter == 1
    choose(function, 1)
    assert experiment.settings.function == "sine"
    button(view, "New Samples").click()
    assert experiment.settings.seed == 1


def test_parameters_are_those_of_q(
    view: ReparameterisationView, settle: Settle, context: LessonContext
) -> None:
    _, parameter = view.findChildren(QComboBox)
    assert parameter.count() == 2
    view.experiment.set(function="elbo")
    settle()
    assert parameter.count() == 4
    assert "exact" in view._readout.text()
    no_model(context)
    assert "no digit" in view._readout.text()


def test_an_elbo_is_that_of_the_formula(view: ReparameterisationView) -> None:
    """The mean of some minibatches, for one of them is as it happens."""
    view.experiment.publish(curves={"path": np.arange(40.0)})
    assert view.experiment.symbols()["path_elbo"] == 29.5
    assert "step 40, ELBO 29.5 over the last 20" in view._readout.text()


def test_at_one_scale_or_each_at_its_own(digit: ReparameterisationView) -> None:
    assert digit._charts.score.region[:2] == digit._charts.path.region[:2]
    digit.experiment.set(same_scale=False)
    left, right, _, _ = digit._charts.path.region
    wide_left, wide_right, _, _ = digit._charts.score.region
    assert right - left < 0.05 * (wide_right - wide_left)


def test_all_is_drawn_in_both_themes(view: ReparameterisationView, show_theme: ShowTheme) -> None:
    charts = view._charts
    for theme in (LIGHT, DARK):
        show_theme(theme)
        for name in ("square", "sine", "step"):
            view.experiment.set(function=name)
            for chart in (view._place, charts.score, charts.path, charts.running):
                image = chart.grab().toImage()
                row = round(chart.frame.bottom()) - 12
                colors = {image.pixelColor(x, row).name() for x in range(0, image.width(), 2)}
                assert theme.canvas in colors, name
