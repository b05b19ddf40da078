"""What holds of every experiment: settings, states, hiding, and the code of the steps."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.support.lessons import Clock, no_model
from vae_explorer.lessons import algorithm, views
from vae_explorer.lessons.course import Lesson, LessonError, bundled_lessons
from vae_explorer.lessons.pushforward import FORMULAS
from vae_explorer.session.lessons.context import LessonContext
from vae_explorer.session.lessons.experiment import AnyExperiment, experiments, make_experiment

Settle = Callable[[], None]

STATES: dict[str, list[dict[str, Any]]] = {
    "bound": [{"q": "moments", "scale": 2.0, "shift": [1.0, -0.5], "refine": False, "log": True,
         "image": 4},
        {"q": "own", "mean": [0.1, 0.2], "widths": [0.3, 0.04], "angle": 30.0, "refine": False,
         "log": False, "image": 0},
        {"q": "prior", "scale": 1.0, "shift": [0.0, 0.0], "refine": False, "log": False,
         "image": 59_999}],
    "functionals": [{"constraint": "mean", "size": 0.7, "shape": "comb", "ascend": False},
        {"constraint": "interval", "size": 2, "shape": "ramp", "heights": [0, 2.0],
         "ascend": True},
        {"constraint": "posterior", "size": 2, "shape": "humps", "ascend": False}],
    "geometry": [
        {"start": [0.5, 1], "end": [-2.0, 3.0], "metric": "fisher", "steps": "image",
         "keys": "end"}],
    "pushforward": [
        {"function": "own", "x1": "z1 + z2", "x2": "z2**2", "t": 0.25, "samples": 100, "z": [1, 2]},
        {"function": "decoder", "t": 1.0, "samples": 1000, "z": [0.3, 0.0], "components": [2, 1]}],
    "reparameterisation": [
        {"function": "elbo", "shift": [0.01, 0.02], "parameter": 3, "samples": 8,
         "baseline": True, "same_scale": False, "seed": 5, "image": 7},
        {"function": "training", "parameter": 0, "samples": 1, "baseline": False,
         "same_scale": True, "seed": 1},
        {"function": "sine", "mean": 0.5, "sigma": 0.7, "parameter": 1, "samples": 1,
         "baseline": False, "same_scale": True, "seed": 0}],
    "sampling": [{"samples": 50_000, "m": 7, "q": "matched", "image": 4, "seed": 2, "near": True}],
    "tighter": [
        {"k": 50, "samples": 50_000, "q": "matched", "image": 4, "gradient": True, "repeats": 200,
         "seed": 2}],
    "trade": [{"beta": 0.3, "train": [], "draws": 4}, {"model": True, "train": [], "draws": 0}],
    "views": [{"components": 7, "perplexity": 12, "embed": False, "image": 2}],
}  # fmt: skip
"""Whole states, by the experiment."""

BAD: dict[str, list[dict[str, Any]]] = {
    "bound": [{"q": "best"}, {"scale": 0}, {"scale": "wide"}, {"mean": [1.0]},
        {"mean": [1.0, math.nan]}, {"widths": [0.1, -0.1]}],
    "functionals": [{"constraint": "circle"}, {"size": 900}, {"size": "large"}, {"shape": "cat"},
        {"heights": [1.0]}, {"heights": [1.0, -2.0]}],
    "geometry": [{"start": [0.0]}, {"end": [0.0, 9.0]}, {"end": "here"}, {"metric": "taxicab"}],
    "pushforward": [{"function": "torus"}, {"x1": "import os"}, {"t": 2.0}, {"t": True},
        {"samples": 7}, {"z": [9.0, 0.0]}, {"components": [1, 1]}, {"components": [1, 9]},
        {"components": [1.5, 2]}],
    "reparameterisation": [{"function": "cube"}, {"mean": 9}, {"sigma": "wide"},
        {"function": "square", "parameter": 2}, {"samples": 2.5}, {"baseline": 1}, {"shift": [1.0]},
        {"shift": [1.0, 0.0]}],
    "sampling": [{"samples": 12345}, {"samples": 10_000_000}, {"samples": 1.5}, {"m": 0},
        {"q": "r"}, {"image": 60_000}, {"image": "7"}, {"seed": "x"}],
    "tighter": [{"k": 3}, {"k": "1"}, {"samples": 12345}, {"repeats": 1}, {"q": "prior"},
        {"image": -2}, {"seed": None}],
    "trade": [{"beta": 5.0}, {"train": [1.0, 7]}, {"draws": -1}, {"draws": "x"}],
    "views": [{"components": 0}, {"components": 2.5}, {"perplexity": 100}],
}  # fmt: skip
"""What cannot be set, by the experiment."""


def pairs(states: dict[str, list[dict[str, Any]]]) -> list[Any]:
    return [
        pytest.param(name, state, id=f"{name} {number}")
        for name, some in states.items()
        for number, state in enumerate(some)
    ]


def name_of(experiment: AnyExperiment) -> str:
    return next(name for name, one in experiments().items() if isinstance(experiment, one))


@pytest.fixture(params=experiments())
def experiment(request: pytest.FixtureRequest, context: LessonContext) -> AnyExperiment:
    return make_experiment(request.param, context)


def test_every_experiment_has_a_lesson_and_is_tried_here() -> None:
    assert {lesson.instrument for lesson in bundled_lessons()} - {""} == experiments().keys()
    assert STATES.keys() == BAD.keys() == experiments().keys()


def test_an_unknown_one_is_refused_by_name(context: LessonContext) -> None:
    for name in ("telescope", "experiment", "samples", "../views"):
        with pytest.raises(LessonError, match=f"no experiment '{name}'.*bound, functionals"):
            make_experiment(name, context)


@pytest.mark.parametrize(("name", "state"), pairs(STATES))
def test_a_state_comes_back(name: str, state: dict[str, Any], context: LessonContext) -> None:
    first, second = (make_experiment(name, context) for _ in range(2))
    first.set_state(state)
    found = first.state()
    assert found == state
    second.set_state(found)
    assert second.state() == state
    assert second.settings == first.settings
    second.set_state({})
    assert second.state() == state


@pytest.mark.parametrize(
    ("name", "state", "found"),
    [
        (
            "bound",
            {"mean": [0, 0.2], "widths": [1, 0.04], "angle": 400.0, "log": False},
            {"q": "own"},
        ),
        ("functionals", {"constraint": "bars", "heights": [0.8, 0.2], "size": 2}, {"size": 2.0}),
        ("pushforward", {"x1": "z1 + z2", "x2": "z2", "t": 1}, {"function": "own"}),
        ("pushforward", {"function": "spiral", "samples": 100}, {"x1": FORMULAS["spiral"][0]}),
        ("sampling", {"samples": 10_000, "m": 50_000}, {"m": 10_000}),
        ("tighter", {"image": -1, "k": 5}, {"image": 0}),
        ("trade", {"train": 1.0, "beta": 3.0, "model": True}, {"beta": 3.0}),
    ],
)
def test_a_state_of_older_files_is_read(
    name: str, state: dict[str, Any], found: dict[str, Any], context: LessonContext
) -> None:
    experiment = make_experiment(name, context)
    experiment.set_state(state)
    assert experiment.state() | found == experiment.state()


@pytest.mark.parametrize(("name", "state"), [*pairs(BAD), *((name, {"zz": 1}) for name in BAD)])
def test_a_bad_state_is_refused_whole(
    name: str, state: dict[str, Any], context: LessonContext
) -> None:
    experiment = make_experiment(name, context)
    before = experiment.settings
    with pytest.raises(LessonError, match=r"[Ss]etting|formula"):
        experiment.set_state(state)
    assert experiment.settings is before


def test_a_change_is_published_once_with_its_values(experiment: AnyExperiment) -> None:
    results: list[object] = []
    values: list[object] = []
    experiment.changed.connect(results.append)
    experiment.values_changed.connect(values.append)
    experiment.set()
    assert results == []
    experiment.set_state(experiment.state())
    assert results[-1] is experiment.result
    assert values[-1] is experiment.values


def test_hidden_it_computes_nothing(
    experiment: AnyExperiment, settle: Settle, clock: Clock, context: LessonContext
) -> None:
    for state in STATES[name_of(experiment)]:
        experiment.set_state(state)
    before = experiment.result
    no_model(context)
    settle()
    assert experiment.result is before
    other = make_experiment(name_of(experiment), context)
    other.show()
    other.hide()
    shown: list[object] = []
    other.changed.connect(shown.append)
    settle()
    assert shown == []
    assert not clock.waiting


def test_what_hiding_interrupted_is_done_as_it_is_shown_again(
    experiment: AnyExperiment, settle: Settle, context: LessonContext
) -> None:
    other = make_experiment(name_of(experiment), context)
    other.show()
    settle()
    experiment.show()
    experiment.hide()
    settle()
    experiment.show()
    settle()
    names = [field.name for field in dataclasses.fields(experiment.result)]
    unknown = {name for name in names if getattr(experiment.result, name) is None}
    assert unknown == {name for name in names if getattr(other.result, name) is None}
    assert experiment.data().keys() == other.data().keys()


_WITH_CODE = [
    pytest.param(lesson, number, id=f"{lesson.id} {number + 1}")
    for lesson in bundled_lessons()
    for number, step in enumerate(lesson.steps)
    if step.code
]


@pytest.mark.slow
@pytest.mark.parametrize(("lesson", "number"), _WITH_CODE)
def test_the_code_reproduces_the_figure(
    lesson: Lesson,
    number: int,
    context: LessonContext,
    settle: Settle,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(views, "FITTED", 10_000)  # as the code has it
    monkeypatch.setattr(algorithm, "STEPS", 240)
    step = lesson.steps[number]
    experiment = make_experiment(lesson.instrument, context)
    experiment.show()
    experiment.set_state(lesson.settings(number) | step.settings_after)
    settle()
    shown = experiment.data()
    made: dict[str, object] = {}
    exec(compile(step.code, f"<{lesson.id}>", "exec"), made)
    data = made["data"]
    assert isinstance(data, dict)
    assert data, "the code makes nothing"
    for name, value in data.items():
        np.testing.assert_allclose(shown[name], value, rtol=1e-3, atol=1e-5, err_msg=name)
    experiment.hide()


def test_every_lesson_has_code() -> None:
    for lesson in bundled_lessons():
        assert not lesson.instrument or any(step.code for step in lesson.steps), lesson.id
