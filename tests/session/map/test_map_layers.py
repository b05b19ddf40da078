"""Which layers are drawn, when, and of what."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import NoReturn, cast

import numpy as np
import pytest

from tests.support.parts import show
from tests.support.stand_ins import Failures, MainThread
from vae_explorer.data.dataset import ImageSet
from vae_explorer.model.trained import Check, Posterior
from vae_explorer.session.explore.pins import Pins
from vae_explorer.session.explore.sketch import Sketch
from vae_explorer.session.jobs import Jobs
from vae_explorer.session.map.latent_map import LatentMap
from vae_explorer.session.map.layer_contents import LAYER_CONTENTS, Scene, View
from vae_explorer.session.map.layers import LAYERS, LayerState, default_state
from vae_explorer.session.map.map_layers import MapLayers
from vae_explorer.session.map.marks import Ellipses, LayerContent, Sheet
from vae_explorer.session.map.state import MapPoints
from vae_explorer.session.tasks import Tasks
from vae_explorer.training.snapshot import Snapshot


class Easel:
    """Layers of the map and what they tell."""

    def __init__(self, tasks: Tasks, latent_map: LatentMap) -> None:
        self.map = latent_map
        self.pins, self.sketch = Pins(latent_map), Sketch(tasks, latent_map)
        self.layers = MapLayers(tasks, latent_map, self.pins, self.sketch)
        self.drawn: list[tuple[str, LayerContent]] = []
        self.busy: list[tuple[str, bool]] = []
        self.layers.drawn.connect(lambda *told: self.drawn.append(told))
        self.layers.busy_changed.connect(lambda *told: self.busy.append(told))

    def names(self) -> list[str]:
        return [name for name, _ in self.drawn]


@pytest.fixture
def empty(jobs: Jobs, failures: Failures, empty_map: LatentMap) -> Easel:
    """Nothing to draw yet; on threads too."""
    return Easel(Tasks(jobs, failures), empty_map)


@pytest.fixture
def easel(tasks: Tasks, latent_map: LatentMap) -> Easel:
    """A model and its points are there; what is drawn waits for the main thread."""
    easel = Easel(tasks, latent_map)
    easel.layers.restore(easel.layers.states)
    easel.drawn.clear()
    return easel


@pytest.fixture
def scenes(monkeypatch: pytest.MonkeyPatch) -> list[Scene]:
    """What the manifold was asked to draw; it only tells the left edge of the view."""
    seen: list[Scene] = []

    def draw(scene: Scene, _chosen: Mapping[str, str], _check: Check) -> LayerContent:
        seen.append(scene)
        return LayerContent(note=str(scene.view.region[0]))

    monkeypatch.setitem(LAYER_CONTENTS, "manifold", (draw, LAYER_CONTENTS["manifold"][1]))
    return seen


def view(left: float) -> View:
    return View((left, left + 1, 0.0, 1.0), (100, 100))


# What is drawn when


def test_of_ten_views_the_last_is_drawn(
    empty: Easel, main: MainThread, trained: Snapshot, points: MapPoints, posterior: Posterior
) -> None:
    empty.layers.set_on("manifold", on=True)
    empty.layers.set_view(view(-3.0))
    show(empty.map, trained, points, posterior)
    for left in range(10):
        empty.layers.set_view(view(left / 10))
    main.run_until(lambda: not empty.layers.busy)
    main.run()
    (drawing,) = [drawing for name, drawing in empty.drawn if name == "manifold"]
    (sheet,) = drawing.marks
    assert isinstance(sheet, Sheet)
    left, right = sheet.cells[:, 0].min(), sheet.cells[:, 1].max()
    # The view from 0.9 to 1.9 and a quarter of it on either side, in whole cells.
    assert 0.25 < left <= 0.65
    assert 2.15 <= right < 2.55
    assert empty.busy == [("manifold", True), ("manifold", False)]


def test_a_layer_that_is_off_is_drawn_once_it_is_on(
    easel: Easel, main: MainThread, scenes: list[Scene]
) -> None:
    layers = easel.layers
    layers.set_view(view(0.0))
    main.run()
    assert scenes == []
    layers.toggle("manifold")
    main.run()
    assert [drawing.note for _, drawing in easel.drawn] == ["0.0"]
    layers.toggle("manifold")
    layers.toggle("manifold")
    layers.set_opacity("manifold", 0.3)
    main.run()
    assert len(scenes) == 1, "nothing has changed since"
    layers.toggle("manifold")
    layers.set_view(view(1.0))
    main.run()
    assert len(scenes) == 1
    layers.toggle("manifold")
    layers.set_view(view(1.0))
    main.run()
    assert [drawing.note for _, drawing in easel.drawn] == ["0.0", "1.0"]


def test_another_choice_draws_anew(easel: Easel, main: MainThread) -> None:
    easel.layers.set_on("metric", on=True)
    easel.layers.choose("metric", "show", "ellipses")
    main.run()
    ((name, drawing),) = easel.drawn
    assert name == "metric"
    assert [type(mark) for mark in drawing.marks] == [Ellipses]


def test_a_layer_is_drawn_anew_for_what_it_depends_on_alone(easel: Easel, main: MainThread) -> None:
    for spec in LAYERS:
        easel.layers.set_on(spec.id, on=True)
    main.run()
    assert sorted(easel.names()) == sorted(LAYER_CONTENTS.keys() - {"ellipses"}), (
        "those were on before"
    )
    easel.drawn.clear()
    easel.layers.set_view(view(0.0))
    main.run()
    assert sorted(easel.names()) == ["likelihood", "manifold", "metric"]
    easel.drawn.clear()
    easel.layers.set_hovered(3)
    main.run()
    assert sorted(easel.names()) == ["ellipses", "posterior"]


def test_a_layer_that_fails_tells_and_leaves_the_others_alone(
    easel: Easel, main: MainThread, failures: Failures, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> NoReturn:
        raise RuntimeError("no memory")

    monkeypatch.setitem(LAYER_CONTENTS, "metric", (breaks, LAYER_CONTENTS["metric"][1]))
    for name in ("metric", "manifold", "density"):
        easel.layers.set_on(name, on=True)
    main.run()
    ((title, error),) = failures
    assert "metric" in title
    assert str(error) == "no memory"
    assert sorted(easel.names()) == ["density", "manifold"]
    assert not easel.layers.busy
    failures.clear()


def test_while_the_model_moves_on_a_drawing_is_finished_and_the_newest_follows(
    easel: Easel,
    main: MainThread,
    scenes: list[Scene],
    trained: Snapshot,
    points: MapPoints,
    posterior: Posterior,
) -> None:
    easel.layers.set_on("manifold", on=True)
    models = [dataclasses.replace(trained, model=trained.model.turned(np.eye(2))) for _ in range(5)]
    for moved in models:
        show(easel.map, moved, points)
    main.run()
    assert [scene.model for scene in scenes] == [trained.model, models[-1].model]
    assert easel.names().count("manifold") == 2
    assert not easel.layers.busy


def test_a_layer_knows_whether_it_is_of_the_model_on_the_map(
    easel: Easel, main: MainThread, trained: Snapshot, other: Snapshot, points: MapPoints
) -> None:
    told: dict[str, list[bool]] = {}
    easel.layers.current_changed.connect(lambda layer, now: told.setdefault(layer, []).append(now))
    easel.pins.pin("test", 5)
    for layer in LAYER_CONTENTS:
        easel.layers.set_on(layer, on=True)
    main.run()
    assert all(map(easel.layers.is_current, LAYER_CONTENTS))
    told.clear()
    waiting = set(LAYER_CONTENTS) - {"ellipses", "prior", "flow"}
    for _ in range(3):  # the last while those of the first are under way
        show(easel.map, other, points)
        assert {layer for layer in LAYER_CONTENTS if not easel.layers.is_current(layer)} == waiting
    main.run()
    assert all(map(easel.layers.is_current, LAYER_CONTENTS))
    assert {layer: now for layer, now in told.items() if layer in waiting} == {
        layer: [False, True] for layer in waiting
    }
    easel.layers.set_on("manifold", on=False)
    show(easel.map, trained, points)
    main.run()
    easel.layers.set_on("manifold", on=True)
    assert not easel.layers.is_current("manifold"), "what it showed when it was hidden is old"
    main.run()
    easel.layers.set_view(view(0.0))
    assert easel.layers.is_current("manifold"), "it is right, for another part of the plane"
    main.run()


def test_another_model_clears_the_memory_and_other_points_do_not(
    easel: Easel,
    main: MainThread,
    scenes: list[Scene],
    trained: Snapshot,
    other: Snapshot,
    points: MapPoints,
    posterior: Posterior,
) -> None:
    easel.layers.set_on("manifold", on=True)
    main.run()
    show(easel.map, trained, points)
    easel.layers.set_view(view(0.0))
    main.run()
    show(easel.map, other, points)
    main.run()
    first, *same, last = scenes
    assert same
    assert all(scene.memory is first.memory for scene in same)
    assert last.model is other.model
    assert last.memory is not first.memory


# Images


def test_ellipses_follow_pins_pointer_and_sketch_at_once(
    easel: Easel, posterior: Posterior, digits: ImageSet
) -> None:
    def centres() -> list[list[float]]:
        (mark,) = easel.drawn[-1][1].marks
        assert isinstance(mark, Ellipses)
        found: list[list[float]] = mark.centres.tolist()
        return found

    pins = easel.pins
    pins.pin("train", 5)
    np.testing.assert_allclose(centres(), posterior.mean[[5]], atol=1e-5)
    easel.layers.set_hovered(9)
    np.testing.assert_allclose(centres(), posterior.mean[[5, 9]], atol=1e-5)
    easel.layers.set_hovered(-1)
    np.testing.assert_allclose(centres(), posterior.mean[[5]], atol=1e-5)
    said = len(easel.drawn)
    easel.layers.set_hovered(-1)
    assert len(easel.drawn) == said
    easel.sketch.draw(digits.images[9])
    np.testing.assert_allclose(centres(), posterior.mean[[5, 9]], atol=1e-5)
    easel.sketch.clear()
    pins.clear()
    assert easel.drawn[-1][1].marks == ()


def test_the_hovered_image_is_kept_while_the_points_move(
    easel: Easel, trained: Snapshot, other: Snapshot, points: MapPoints, posterior: Posterior
) -> None:
    def centres() -> list[list[float]]:
        marks = easel.drawn[-1][1].marks
        found: list[list[float]] = cast(Ellipses, marks[0]).centres.tolist() if marks else []
        return found

    easel.layers.set_hovered(9)
    moved = Posterior(posterior.mean + np.float32(1), posterior.covariance)
    show(easel.map, other, points, moved, moving=True)
    np.testing.assert_allclose(centres(), moved.mean[[9]])
    others = dataclasses.replace(points, indices=points.indices.copy())
    show(easel.map, trained, others, posterior)
    assert centres() == []


def test_what_is_drawn_of_pins_is_of_the_model_on_the_map(
    easel: Easel, main: MainThread, scenes: list[Scene], other: Snapshot, points: MapPoints
) -> None:
    easel.layers.set_on("manifold", on=True)
    easel.pins.pin("test", 5)
    show(easel.map, other, points)
    main.run()
    (encoded,) = scenes[-1].pinned
    assert scenes[-1].current is not None
    assert scenes[-1].current.seed == encoded.seed == 600 + 5
    assert encoded.title == "test 5"
    assert easel.pins.current is not None
    np.testing.assert_array_equal(encoded.mean, easel.pins.current.mean)


# States


def test_remembered_layers_keep_their_order_and_new_ones_start_by_themselves(
    tasks: Tasks, latent_map: LatentMap, pins: Pins, sketch: Sketch
) -> None:
    states = (LayerState("prior", True, 0.5), LayerState("points", False, 1.0, {"size": "small"}))
    layers = MapLayers(tasks, latent_map, pins, sketch, states)
    new = [spec for spec in LAYERS if spec.id not in ("prior", "points")]
    assert layers.states == (*map(default_state, new), *states), "new ones where they are seen"


@pytest.mark.parametrize(
    "change",
    [
        lambda layers: layers.toggle("flow"),
        lambda layers: layers.set_opacity("flow", 0.25),
        lambda layers: layers.choose("flow", "since", "start"),
        lambda layers: layers.choose("points", "size", "large"),
        lambda layers: layers.move("flow", 9),
    ],
)
def test_every_change_is_told_with_all_states(
    easel: Easel, change: Callable[[MapLayers], None]
) -> None:
    before = easel.layers.states
    told: list[tuple[LayerState, ...]] = []
    easel.layers.changed.connect(told.append)
    change(easel.layers)
    assert told == [easel.layers.states]
    assert easel.layers.states != before
    assert {state.id for state in easel.layers.states} == {state.id for state in before}


def test_opacity_is_a_share_and_a_place_counts_from_the_top(easel: Easel) -> None:
    easel.layers.set_opacity("flow", 7.0)
    assert easel.layers.state("flow").opacity == 1
    easel.layers.set_opacity("flow", -1.0)
    assert easel.layers.state("flow").opacity == 0
    easel.layers.set_opacity("flow", 1)
    assert isinstance(easel.layers.state("flow").opacity, float), "settings know no other"
    others = [state.id for state in easel.layers.states if state.id != "flow"]
    easel.layers.move("flow", 0)
    assert [state.id for state in easel.layers.states] == ["flow", *others]
    easel.layers.move("flow", len(others))
    assert [state.id for state in easel.layers.states] == [*others, "flow"]
