from typing import TYPE_CHECKING

import numpy as np
import pytest

from vae_explorer.data.dataset import ImageSet
from vae_explorer.model.trained import Posterior
from vae_explorer.session.explore.cursor import Cursor
from vae_explorer.session.explore.decoding import Decoding
from vae_explorer.session.explore.exploration import Exploration
from vae_explorer.session.explore.pins import Pins
from vae_explorer.session.explore.refinement import RefinementStep
from vae_explorer.session.jobs import Jobs
from vae_explorer.session.map.map_layers import MapLayers
from vae_explorer.session.map.marks import Curve, Drawing, Ellipses, Spots
from vae_explorer.session.state import MapPoints
from vae_explorer.training.snapshot import Snapshot

if TYPE_CHECKING:
    from tests.support.stand_ins import Failures, MainThread


class Tour:
    """An exploration of the trained model, and what it has drawn."""

    def __init__(self, jobs: Jobs, failures: "Failures") -> None:
        self.cursor, self.pins = Cursor(Decoding(lambda _: None)), Pins()
        self.layers = MapLayers(jobs, failures)
        self.exploration = Exploration(
            jobs, failures, lambda _, call: call(), self.cursor, self.pins, self.layers
        )
        self.drawn: dict[str, Drawing] = {}
        self.layers.drawn.connect(self._draw)

    def _draw(self, layer: str, drawing: Drawing) -> None:
        self.drawn[layer] = drawing


@pytest.fixture
def tour(
    inline_jobs: Jobs,
    main: "MainThread",
    failures: "Failures",
    trained: Snapshot,
    points: MapPoints,
    posterior: Posterior,
    small_mnist: dict[str, ImageSet],
) -> Tour:
    tour = Tour(inline_jobs, failures)
    tour.pins.set_model(trained.model)
    tour.exploration.set_model(trained.model)
    tour.layers.set_scene(trained.model, points, posterior, None, None)
    tour.exploration.set_points(points, posterior, moving=False)
    main.run()
    return tour


def test_a_path_is_drawn_and_its_frames_lead_the_cursor(tour: Tour, main: "MainThread") -> None:
    tour.pins.pin("train", 3)
    tour.pins.toggle("train", 8)
    tour.exploration.travel.choose("straight", 5, False)
    main.run()
    curve, spots = tour.drawn["path"].marks
    assert isinstance(curve, Curve)
    assert isinstance(spots, Spots)
    stops = np.array([pin.mean for pin in tour.pins.tray])
    np.testing.assert_allclose(spots.places, stops, atol=1e-6)
    tour.exploration.travel.set_frame(2)
    np.testing.assert_allclose(tour.cursor.place, stops.mean(0), atol=1e-5)


def test_a_refinement_moves_an_ellipse_and_another_pin_ends_it(
    tour: Tour, main: "MainThread"
) -> None:
    told: list[bool] = []
    steps: list[RefinementStep] = []
    tour.exploration.refinable_changed.connect(told.append)
    tour.exploration.refining.stepped.connect(steps.append)
    tour.exploration.refine()
    main.run()
    assert steps == [], "nothing is pinned"
    tour.pins.pin("train", 3)
    tour.exploration.refine()
    main.run()
    (ellipse,) = tour.drawn["refined"].marks
    assert isinstance(ellipse, Ellipses)
    np.testing.assert_array_equal(ellipse.centres[0], steps[-1].mean)
    assert steps[-1].elbo >= steps[0].elbo
    tour.pins.pin("train", 4)
    assert tour.drawn["refined"].marks == ()
    tour.pins.clear()
    assert told == [True, True, False]


def test_log_p_of_the_pin_before_is_not_told_of_the_next(tour: Tour, main: "MainThread") -> None:
    ceilings: list[float] = []
    tour.exploration.refining.ceiling_known.connect(ceilings.append)
    tour.pins.pin("train", 3)
    tour.exploration.refine()
    tour.pins.pin("train", 4)
    main.run()
    assert not ceilings


def test_another_model_forgets_what_was_refined(
    tour: Tour, main: "MainThread", trained: Snapshot, other: Snapshot
) -> None:
    tour.pins.pin("train", 3)
    tour.exploration.refine()
    main.run()
    told: list[bool] = []
    tour.exploration.refinable_changed.connect(told.append)
    tour.exploration.set_model(trained.model)
    assert told == []
    assert tour.drawn["refined"].marks
    tour.pins.set_model(other.model)
    tour.exploration.set_model(other.model)
    assert told == [True]
    assert tour.drawn["refined"].marks == ()


def test_a_drawing_is_drawn_among_the_ellipses(
    tour: Tour, main: "MainThread", trained: Snapshot
) -> None:
    ink = np.zeros((28, 28), np.uint8)
    ink[5:23, 12:16] = 255
    seen: list[np.ndarray] = []
    tour.exploration.drawn.seen_changed.connect(lambda image, _: seen.append(image))
    tour.exploration.drawn.draw(ink)
    main.run()
    (ellipse,) = tour.drawn["ellipses"].marks
    assert isinstance(ellipse, Ellipses)
    wanted = trained.model.encode(seen[-1][None]).mean
    np.testing.assert_allclose(ellipse.centres, wanted, atol=1e-6)
    tour.exploration.drawn.clear()
    main.run()
    assert tour.drawn["ellipses"].marks == ()
