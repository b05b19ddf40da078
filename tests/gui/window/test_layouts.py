"""Every layout at every size: the map has the most room, and nothing is cut."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtWidgets import QApplication, QDockWidget

from tests.support.clipping import clipped
from tests.support.person import Person
from vae_explorer.gui.window.records import LAYOUTS

SIZES = [(1024, 700), (1280, 800), (1366, 768), (1920, 1080)]


@pytest.fixture(params=[9, 18])
def reader(
    request: pytest.FixtureRequest, open_person: "Callable[..., Person]"
) -> Iterator[Person]:
    """Somebody who wants type of so many points."""
    before = QApplication.font()
    font = QApplication.font()
    font.setPointSizeF(request.param)
    QApplication.setFont(font)
    person = open_person()
    person.window.app.cursor.move(-5.555, -5.555)
    for row in (0, 1):
        person.window.app.pinning.pin(row, add=True)
    person.window.app.playback.choose("straight", 24, False)
    person.wait(lambda: person.window.app.playback.path is not None)
    yield person
    QApplication.setFont(before)


def settle() -> None:
    for _ in range(4):
        QApplication.processEvents()


def shares(person: Person) -> tuple[float, float]:
    """Of the window's width and height that what is in the middle has."""
    window = person.window
    center = window.centralWidget()
    return center.width() / window.width(), center.height() / window.height()


@pytest.mark.parametrize("sizes", [SIZES[:2], pytest.param(SIZES[2:], marks=pytest.mark.long)])
def test_nothing_is_cut_and_the_middle_has_the_most_room(
    reader: Person, sizes: list[tuple[int, int]]
) -> None:
    window, large = reader.window, QApplication.font().pointSizeF() > 9
    for size in sizes:
        for layout in LAYOUTS:
            window.resize(*size)
            reader.trigger(f"layout_{layout}")
            settle()
            where = layout, size
            assert window.size().toTuple() == size, where
            parts = window.findChildren(QDockWidget) if layout == "learn" else [window]
            assert [cut for part in parts for cut in clipped(part)] == [], where
            across, up = shares(reader)
            docks = [
                dock
                for dock in window.findChildren(QDockWidget)
                if not dock.visibleRegion().isEmpty()
            ]
            assert across * window.width() >= max(
                (dock.width() for dock in docks if dock.width() < window.width()), default=0
            ), where
            assert up >= 0.4, where
            if size != SIZES[0] and not large:
                assert across >= 0.43, where
                assert up >= 0.55, where
                assert across * up >= 0.3, where


def test_lessons_and_docks_leave_no_least_size_behind(reader: Person) -> None:
    window, learning = reader.window, reader.window.app.learning
    window.resize(*SIZES[-1])
    reader.trigger("layout_learn")
    for lesson in learning.lessons:
        learning.open(lesson.id)
        settle()
    for name in ("curves", "slow", "log", "runs", "sweep", "paths", "refine", "worst", "draw"):
        window.docks.show(name)
        settle()
    for layout in LAYOUTS:
        reader.trigger(f"layout_{layout}")
        for _ in range(2):  # by steps, as a hand does it: what has no room goes on the way
            window.resize(*SIZES[0])
            settle()
        assert window.size().toTuple() == SIZES[0], layout
        least = window.minimumSizeHint()
        assert least.width() <= SIZES[0][0], layout
        assert least.height() <= SIZES[0][1], layout


def test_smaller_type_gives_back_what_larger_took(open_person: "Callable[..., Person]") -> None:
    def sizes() -> dict[str, tuple[int, int]]:
        docks = person.window.findChildren(QDockWidget)
        return {
            dock.objectName(): (dock.width(), dock.height())
            for dock in docks
            if not dock.visibleRegion().isEmpty()
        }

    person, before = open_person(), QApplication.font()
    person.window.resize(*SIZES[1])
    settle()
    usual, large = sizes(), QApplication.font()
    large.setPointSizeF(2 * before.pointSizeF())
    QApplication.setFont(large)
    person.wait(lambda: sizes()["decode"][0] > 1.4 * usual["decode"][0])
    QApplication.setFont(before)
    person.wait(lambda: sizes() == usual)


def test_all_tabs_of_a_narrow_side_are_whole(reader: Person) -> None:
    reader.window.resize(*SIZES[0])
    reader.trigger("layout_explore")
    for name in ("refine", "worst"):
        reader.window.docks.show(name)
    reader.wait(lambda: not clipped(reader.window))
    assert reader.window.size().toTuple() == SIZES[0]


@pytest.mark.long
@pytest.mark.parametrize("scale", [1.5, 2])
def test_so_it_is_on_screens_of_other_scales(scale: float) -> None:
    """Qt takes the scale when a program starts."""
    others = ("-p", "no:xdist", "-m", "long or not long", "-k", "not scales")
    command = [sys.executable, "-m", "pytest", "-q", *others, __file__]
    env = os.environ | {"QT_SCALE_FACTOR": str(scale)}
    run = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-3_000:]
