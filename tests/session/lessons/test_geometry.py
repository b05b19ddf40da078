from collections.abc import Callable

import numpy as np
import pytest

from vae_explorer.latent.metric import magnification, pullback_metric
from vae_explorer.lessons.geometry import KINDS
from vae_explorer.session.lessons.context import LessonContext
from vae_explorer.session.lessons.geometry import PICTURES, SIGHT, UNIT, Geometry


def test_both_paths_have_lengths_and_pictures(experiment: Geometry, context: LessonContext) -> None:
    line, short = experiment.result.straight, experiment.result.geodesic
    assert line is not None
    assert short is not None
    assert context.model is not None
    assert experiment.values["straight"] == line.route.length
    assert experiment.values["geodesic"] == short.route.length <= line.route.length
    assert experiment.values["distance"] == pytest.approx(np.hypot(2.5, 2.5))
    for strip in (line, short):
        np.testing.assert_allclose(
            strip.frames.positions[[0, -1]], [(-1, -1.5), (1.5, 1)], atol=1e-6
        )
        np.testing.assert_array_equal(strip.images, context.model.decode(strip.frames.positions))
        assert len(strip.images) == PICTURES


def test_steps_can_be_equal_in_the_picture(experiment: Geometry) -> None:
    experiment.set(steps="image")
    assert experiment.result.straight is not None
    assert experiment.result.geodesic is not None
    for strip in (experiment.result.straight, experiment.result.geodesic):
        np.testing.assert_allclose(strip.frames.steps, strip.route.length / (PICTURES - 1))
    assert experiment.values["longest"] == pytest.approx(experiment.values["shortest"])


def test_the_line_follows_an_end_at_once_and_the_geodesic_later(
    experiment: Geometry, settle: Callable[[], None]
) -> None:
    for z1 in (0.0, 0.5, 9.0):
        experiment.move(end=(z1, 0.0))
    assert experiment.settings.end == (4, 0)
    assert experiment.result.straight is not None
    np.testing.assert_allclose(experiment.result.straight.route.path[-1], [4, 0])
    before = experiment.result.geodesic
    settle()
    assert experiment.result.geodesic is not None
    assert experiment.result.geodesic is not before
    np.testing.assert_allclose(experiment.result.geodesic.route.path[-1], [4, 0], atol=1e-6)


def test_the_ends_may_meet(experiment: Geometry, settle: Callable[[], None]) -> None:
    experiment.move(end=experiment.settings.start)
    settle()
    assert experiment.values["straight"] == 0
    assert experiment.values["geodesic"] == 0


def test_the_field_and_the_ellipse_are_of_the_metric(
    experiment: Geometry, context: LessonContext, settle: Callable[[], None]
) -> None:
    assert context.model is not None
    assert experiment.result.field is not None
    side = len(experiment.result.field)
    cell = 2 * SIGHT / side
    position = np.array([[-SIGHT + 2.5 * cell, -SIGHT + 6.5 * cell]])
    for metric in KINDS:
        experiment.set(metric=metric)
        settle()
        g = pullback_metric(context.model, position, metric)
        np.testing.assert_allclose(experiment.result.field[6, 2], magnification(g)[0], rtol=1e-3)
        experiment.point((0.5, -0.2))
        settle()
        ellipse = experiment.result.ellipse
        assert ellipse is not None
        here = pullback_metric(context.model, np.array([[0.5, -0.2]]), metric)[0]
        steps = ellipse.edge - (0.5, -0.2)
        lengths = np.sqrt(np.einsum("na,ab,nb->n", steps, here, steps))
        np.testing.assert_allclose(lengths, UNIT, rtol=1e-4)
        assert experiment.values["magnification"] == ellipse.magnification
    experiment.point(None)
    assert experiment.result.ellipse is None


def test_another_model_is_measured_anew(
    experiment: Geometry, rotate: Callable[[list[list[float]]], None], settle: Callable[[], None]
) -> None:
    before = experiment.values["straight"]
    rotate([[-1.0, 0.0], [0.0, -1.0]])
    settle()
    assert experiment.values["straight"] != pytest.approx(before, rel=1e-3)
    experiment.set_state({"start": [1.0, 1.5], "end": [-1.5, -1.0]})
    settle()
    assert experiment.values["straight"] == pytest.approx(before, rel=1e-4)
