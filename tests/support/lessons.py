"""A context on the bundled model and a real digit, whose work is done as soon as it is asked."""

import dataclasses
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Protocol, TypeVar, cast

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from tests.support.stand_ins import MainThread
from vae_explorer.data.bundled import mnist, mnist_dataset
from vae_explorer.gui.lessons.lesson_view import LessonView
from vae_explorer.gui.plot.chart import Chart
from vae_explorer.latent import geodesic
from vae_explorer.lessons import algorithm, trade, views
from vae_explorer.model.trained import Posterior, TrainedVAE
from vae_explorer.session.explore.pins import Pins
from vae_explorer.session.explore.sketch import Sketch
from vae_explorer.session.explore.target import Target
from vae_explorer.session.lessons import geometry
from vae_explorer.session.lessons.context import LessonContext
from vae_explorer.session.map.latent_map import LatentMap
from vae_explorer.session.map.layer_contents import EncodedImage
from vae_explorer.session.map.state import MapPoints, MapState
from vae_explorer.session.tasks import Tasks
from vae_explorer.training.snapshot import Snapshot

CODES = 2_000
"""Training images on the map."""


V = TypeVar("V", bound=LessonView)
W = TypeVar("W", bound=QWidget)


class Shown(Protocol):
    """``shown(view)``: the view light in a window of its own, its experiment shown and done."""

    def __call__(self, view: V) -> V: ...


class Clock:
    """What is to run after some seconds waits until the test lets it."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def after(self, _: float, call: Callable[[], None]) -> None:
        self.waiting.append(call)

    def tick(self) -> None:
        """Let all run that waits now."""
        calls, self.waiting = self.waiting, []
        for call in calls:
            call()


def lesson_of(request: pytest.FixtureRequest) -> str:
    """The experiment that a module of tests is named after."""
    return request.path.stem.removeprefix("test_")


def drag(chart: Chart, *positions: tuple[float, float]) -> None:
    """Press at the first of these and let go at the last."""
    pixels = [chart.to_pixel(*position).toPoint() for position in positions]
    QTest.mousePress(chart, Qt.MouseButton.LeftButton, pos=pixels[0])
    for pixel in pixels[1:]:
        QTest.mouseMove(chart, pixel)
    QTest.mouseRelease(chart, Qt.MouseButton.LeftButton, pos=pixels[-1])


def choose(box: QWidget | None, which: int | str) -> None:
    """Choose from a list, by the number or the value."""
    assert isinstance(box, QComboBox)
    index = which if isinstance(which, int) else box.findData(which)
    box.setCurrentIndex(index)
    box.activated.emit(index)


def named(view: QWidget, kind: type[W], name: str) -> W:
    """The widget of this kind that says that it is this, or begins so."""
    return next(w for w in view.findChildren(kind) if w.accessibleName().startswith(name))


def button(view: QWidget, word: str) -> QPushButton:
    """The button that says this."""
    return next(one for one in view.findChildren(QPushButton) if word in one.text())


@pytest.fixture(scope="session")
def model(bundled: Snapshot) -> TrainedVAE:
    """The bundled model."""
    return bundled.model


@pytest.fixture
def rotate(context: LessonContext) -> Callable[[list[list[float]]], None]:
    """``rotate(matrix)``: let the plane of the model be rotated."""

    def turn(matrix: list[list[float]]) -> None:
        state = context.map.state
        assert state is not None
        model = state.model.turned(np.array(matrix))
        context.map.publish(dataclasses.replace(state, model=model))

    return turn


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Aim(Target):
    """What a test says is the digit of the person."""

    def __init__(self, tasks: Tasks, latent_map: LatentMap) -> None:
        super().__init__(Pins(latent_map), Sketch(tasks, latent_map))
        self.aimed: EncodedImage | None = None

    @property
    def image(self) -> EncodedImage | None:
        return self.aimed


def aim(context: LessonContext, target: EncodedImage | None) -> None:
    """Let lessons be about a digit of the person's, in a context with an ``Aim``, or their own."""
    assert isinstance(context.target, Aim)
    context.target.aimed = target
    context.use_mine(target is not None)
    context.target.changed.emit()


def no_model(context: LessonContext) -> None:
    """Let a context be as it is before the first model is open."""
    context.map = cast(LatentMap, SimpleNamespace(state=None, shown_data=context.map.shown_data))
    context.changed.emit()


@pytest.fixture
def _little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Experiments do little of what takes long: it is as true of few digits as of many."""
    monkeypatch.setattr(trade, "train", partial(trade.train, digits=300, epochs=7))
    monkeypatch.setattr(trade, "mnist", lambda split: mnist(split).subset(slice(0, CODES)))
    monkeypatch.setattr(algorithm, "STEPS", 20)
    monkeypatch.setattr(views, "DIGITS", 200)
    monkeypatch.setattr(views, "FITTED", 1_000)
    monkeypatch.setattr(geometry, "_FINE", 20)
    monkeypatch.setattr(geodesic, "_SIDE", 48)


@pytest.fixture(scope="session")
def codes(model: TrainedVAE) -> tuple[MapPoints, Posterior]:
    """Of the first training images, by the bundled model."""
    data = mnist("train").subset(slice(0, CODES))
    posterior = model.encode(data.images)
    assert data.labels is not None
    points = MapPoints(
        posterior.mean, data.labels, np.arange(CODES), 60_000, "train", mnist_dataset()
    )
    return points, posterior


@pytest.fixture
def context(
    _little: None,
    tasks: Tasks,
    empty_map: LatentMap,
    clock: Clock,
    bundled: Snapshot,
    codes: tuple[MapPoints, Posterior],
) -> LessonContext:
    """With the model, some codes, and nothing drawn or pinned."""
    points, posterior = codes
    empty_map.publish(
        MapState(bundled, "model", None, bundled.model, points.data, points, posterior)
    )
    return LessonContext(tasks, empty_map, Aim(tasks, empty_map), clock.after)


@pytest.fixture
def settle(main: MainThread, clock: Clock) -> Callable[[], None]:
    """``settle()``: let all work and all animation come to its end."""

    def run() -> None:
        for _ in range(20_000):
            main.run()
            if not clock.waiting:
                return
            clock.tick()
        pytest.fail("the animation does not end")

    return run


@pytest.fixture
def shown(qtbot: QtBot, settle: Callable[[], None]) -> Shown:
    def show(view: V) -> V:
        qtbot.addWidget(view)
        view.resize(630, 720)
        with qtbot.waitActive(view):
            view.show()
            view.activateWindow()
        view.experiment.show()
        settle()
        return view

    return show
