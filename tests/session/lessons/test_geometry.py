from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from vae_explorer.latent.metric import magnification, pullback_metric
from vae_explorer.lessons.course import LessonError
from vae_explorer.session.lessons import geometry
from vae_explorer.session.lessons.geometry import PICTURES, UNIT, Geometry
from vae_explorer.session.lessons.workbench import Workbench


@pytest.fixture
def instrument(
    workbench: Workbench, settle: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> Geometry:
    monkeypatch.setattr(geometry, "_FINE", 20)
    instrument = Geometry(workbench)
    instrument.show()
    settle()
    return instrument


def test_both_paths_have_lengths_and_pictures(instrument: Geometry, workbench: Workbench) -> None:
    line, short = instrument.straight, instrument.geodesic
    assert line is not None
    assert short is not None
    assert workbench.model is not None
    assert instrument.values["straight"] == line.route.length
    assert instrument.values["geodesic"] == short.route.length <= line.route.length
    assert instrument.values["distance"] == pytest.approx(np.hypot(2.5, 2.5))
    for strip in (line, short):
        np.testing.assert_allclose(strip.frames.places[[0, -1]], [(-1, -1.5), (1.5, 1)], atol=1e-6)
        np.testing.assert_array_equal(strip.images, workbench.model.decode(strip.frames.places))
        assert len(strip.images) == PICTURES


def test_steps_can_be_equal_in_the_picture(instrument: Geometry) -> None:
    instrument.set_steps("image")
    assert instrument.straight is not None
    assert instrument.geodesic is not None
    for strip in (instrument.straight, instrument.geodesic):
        np.testing.assert_allclose(strip.frames.steps, strip.route.length / (PICTURES - 1))
    assert instrument.values["longest"] == pytest.approx(instrument.values["shortest"])


def test_the_line_follows_an_end_at_once_and_the_geodesic_later(
    instrument: Geometry, settle: Callable[[], None]
) -> None:
    for z1 in (0.0, 0.5, 9.0):
        instrument.set_end(z1, 0.0)
    assert instrument.end == (4, 0)
    assert instrument.straight is not None
    np.testing.assert_allclose(instrument.straight.route.path[-1], [4, 0])
    assert not instrument.settled
    settle()
    assert instrument.settled
    assert instrument.geodesic is not None
    np.testing.assert_allclose(instrument.geodesic.route.path[-1], [4, 0], atol=1e-6)


def test_the_ends_may_meet(instrument: Geometry, settle: Callable[[], None]) -> None:
    instrument.set_end(*instrument.start)
    settle()
    assert instrument.values["straight"] == 0
    assert instrument.values["geodesic"] == 0


def test_the_field_and_the_ellipse_are_of_the_metric(
    instrument: Geometry, workbench: Workbench, settle: Callable[[], None]
) -> None:
    assert workbench.model is not None
    assert instrument.field is not None
    side = len(instrument.field)
    cell = 2 * geometry.SIGHT / side
    place = np.array([[-geometry.SIGHT + 2.5 * cell, -geometry.SIGHT + 6.5 * cell]])
    for metric in geometry.METRICS:
        instrument.set_metric(metric)
        settle()
        g = pullback_metric(workbench.model, place, metric)
        np.testing.assert_allclose(instrument.field[6, 2], magnification(g)[0], rtol=1e-3)
        instrument.point((0.5, -0.2))
        settle()
        ellipse = instrument.ellipse
        assert ellipse is not None
        here = pullback_metric(workbench.model, np.array([[0.5, -0.2]]), metric)[0]
        steps = ellipse.edge - (0.5, -0.2)
        lengths = np.sqrt(np.einsum("na,ab,nb->n", steps, here, steps))
        np.testing.assert_allclose(lengths, UNIT, rtol=1e-4)
        assert instrument.values["magnification"] == ellipse.magnification
    instrument.point(None)
    assert instrument.ellipse is None


def test_another_model_is_measured_anew(
    instrument: Geometry, rotate: Callable[[list[list[float]]], None], settle: Callable[[], None]
) -> None:
    before = instrument.values["straight"]
    rotate([[-1.0, 0.0], [0.0, -1.0]])
    settle()
    assert instrument.values["straight"] != pytest.approx(before, rel=1e-3)
    instrument.set_state({"start": [1.0, 1.5], "end": [-1.5, -1.0]})
    settle()
    assert instrument.values["straight"] == pytest.approx(before, rel=1e-4)


def test_while_hidden_nothing_is_computed(workbench: Workbench, settle: Callable[[], None]) -> None:
    instrument = Geometry(workbench)
    instrument.set_end(0.0, 0.0)
    instrument.point((0.0, 0.0))
    settle()
    assert instrument.straight is None
    assert instrument.data() == {}
    assert instrument.ellipse is None


def test_its_state_is_set_again(workbench: Workbench) -> None:
    instrument, other = Geometry(workbench), Geometry(workbench)
    state = {"start": [0.5, 1.0], "end": [-2.0, 3.0], "metric": "fisher", "steps": "image"}
    instrument.set_state(state)
    assert instrument.state() == state
    other.set_state(instrument.state())
    assert other.state() == state


@pytest.mark.parametrize(
    "state",
    [
        {"speed": 1},
        {"start": [0.0]},
        {"end": [0.0, 9.0]},
        {"end": "here"},
        {"metric": "taxicab"},
        {"steps": "time"},
    ],
)
def test_a_state_that_cannot_be_is_refused(workbench: Workbench, state: dict[str, Any]) -> None:
    instrument = Geometry(workbench)
    before = instrument.state()
    with pytest.raises(LessonError):
        instrument.set_state(state)
    assert instrument.state() == before
