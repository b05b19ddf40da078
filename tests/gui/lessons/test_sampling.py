"""The view on a real experiment: what it shows, and what hand and keys do."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QProgressBar, QPushButton, QSlider

from tests.support.lessons import choose
from vae_explorer.gui.lessons.sampling import SamplingView
from vae_explorer.gui.widgets.number_box import NumberBox
from vae_explorer.session.lessons.sampling import Sampling

Settle = Callable[[], None]


def bluish(view: SamplingView, position: tuple[float, float]) -> bool:
    QApplication.processEvents()
    at = view.map.to_pixel(*position).toPoint()
    color = view.map.grab().toImage().pixelColor(at)
    return color.blue() > color.red() + 40


def test_the_samples_that_matter_are_lit(view: SamplingView, experiment: Sampling) -> None:
    heaviest = experiment.result.lit[0].points[0]
    assert bluish(view, (float(heaviest[0]), float(heaviest[1])))
    assert not bluish(view, (3.2, 3.2))
    assert "10,000" in view.scores.text()
    assert "ELBO = −207.38 · exact = −175.65" in view.estimates.legend()
    view.set_hidden({"elbo"})
    assert "ELBO" not in view.estimates.legend()
    view.set_hidden(())


def test_m_is_dragged_in_the_plot(view: SamplingView, experiment: Sampling) -> None:
    at = view.estimates.to_pixel(100, -190).toPoint()
    QTest.mousePress(view.estimates, Qt.MouseButton.LeftButton, pos=at)
    assert experiment.settings.m == pytest.approx(100, rel=0.05)
    QTest.mouseMove(view.estimates, at + QPoint(60, 0))
    assert experiment.settings.m > 150
    assert f"{experiment.settings.m:,}" in view.scores.text()


def test_m_is_moved_by_keys(view: SamplingView, experiment: Sampling) -> None:
    slider = view.controls["m"].findChild(QSlider)
    assert slider is not None
    QTest.keyClick(slider, Qt.Key.Key_PageDown)
    assert experiment.settings.m == pytest.approx(10_000 / 10**0.25, rel=0.02)
    QTest.keyClick(slider, Qt.Key.Key_Home)
    assert experiment.settings.m == 1
    assert experiment.result.lit[0].effective == 1


def test_more_samples_are_drawn(view: SamplingView, experiment: Sampling, settle: Settle) -> None:
    box = view.controls["samples"].findChild(QComboBox)
    stop = view.controls["samples"].findChild(QPushButton)
    choose(box, 1)
    assert stop.isVisible()
    settle()
    assert experiment.result.drawn == 20_000
    assert not stop.isVisible()  # nor the bar, which is full
    bar = view.controls["samples"].findChild(QProgressBar)
    assert bar.text() == "20,000 taken"
    assert not bar.isVisible()


def test_q_and_another_digit(view: SamplingView, experiment: Sampling, settle: Settle) -> None:
    box = view.controls["q"].findChild(QComboBox)
    choose(box, 1)
    view.controls["image"].findChild(NumberBox).setValue(7)
    settle()
    assert experiment.settings.q == "encoder"
    assert len(experiment.result.lit) == 2
    assert "from q" in view.estimates.legend()
    text = view.scores.text()
    assert text.count("effective") == 2
    view.controls["seed"].click()  # type: ignore[attr-defined]
    settle()
    assert experiment.settings.seed == 1


def test_it_zooms_in_on_the_posterior(view: SamplingView, experiment: Sampling) -> None:
    assert experiment.result.near is not None
    left, right, bottom, top = experiment.result.near
    whole = view.map.region
    view.controls["near"].click()  # type: ignore[attr-defined]
    assert experiment.settings.near
    shown = view.map.region
    assert shown[1] - shown[0] < (whole[1] - whole[0]) / 5
    room = view.map.frame.adjusted(-1, -1, 1, 1)
    assert all(room.contains(view.map.to_pixel(*at)) for at in ((left, bottom), (right, top)))
    middle = view.map.frame.center()
    before = view.map.to_data(middle)
    QTest.mousePress(view.map, Qt.MouseButton.LeftButton, pos=middle.toPoint())
    QTest.mouseMove(view.map, (middle + QPointF(40, 0)).toPoint())
    assert view.map.to_data(middle)[0] < before[0]
    QTest.mouseRelease(view.map, Qt.MouseButton.LeftButton)
    QTest.keyClick(view.map, Qt.Key.Key_Home)
    assert view.map.region == shown


def test_what_is_concealed_is_not_told(view: SamplingView) -> None:
    view.set_hidden({"estimate", "logp", "ess"})
    assert view.estimates.legend() == "ELBO = −207.38"
    assert "prior" not in view.errors.legend()  # nor eᴷᴸ, which would tell it too
    assert "= ?" in view.scores.text()
    assert "effective" not in view.scores.text()
    assert view.estimates.plot.y.numbers  # of the ELBO
    assert not view.errors.plot.y.numbers  # of nothing
    view.set_hidden({"elbo"})
    assert view.errors.plot.y.numbers
    assert "exact = −175.65" in view.estimates.legend()
    assert "ELBO" not in view.estimates.legend()
    assert "?" not in view.scores.text()
