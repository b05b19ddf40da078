from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from vae_explorer.lessons.course import Lesson, LessonError, Step, parse_lesson
from vae_explorer.session.explore.cursor import Cursor
from vae_explorer.session.explore.decoding import Decoding
from vae_explorer.session.jobs import Tasks
from vae_explorer.session.lessons import course as module
from vae_explorer.session.lessons.course import Learning
from vae_explorer.session.lessons.instrument import Instrument
from vae_explorer.session.lessons.workbench import Workbench
from vae_explorer.session.map.latent_map import LatentMap

if TYPE_CHECKING:
    from tests.support.stand_ins import Failures, MainThread

_TEXT = """+++
title = "{title}"
instrument = "{instrument}"
[symbols]
n = "a number"
+++
## One
```state
n = 1
hide = ["button"]
```
```question
Which?
- [ ] a
- [x] b
---
b.
```
## Two
```state
n = 2
```
"""


def lesson(lesson_id: str, instrument: str = "counter") -> Lesson:
    return parse_lesson(_TEXT.format(title=lesson_id, instrument=instrument), lesson_id)


class Counter(Instrument):
    """Tells the number it is set to, while it is shown."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench)
        self.n = 0
        self.shown = False

    def show(self) -> None:
        self.shown = True

    def hide(self) -> None:
        self.shown = False

    def state(self) -> dict[str, Any]:
        return {"n": self.n}

    def set_state(self, state: Mapping[str, Any]) -> None:
        if state.get("n", 0) > 9:
            raise LessonError("n is at most 9.")
        self.n = state.get("n", self.n)
        self.tell(n=float(self.n))


class Pupil:
    """Somebody who works through lessons, and all that is said."""

    def __init__(self, learning: Learning) -> None:
        self.learning = learning
        self.opened: list[str] = []
        self.steps: list[str] = []
        self.answers: list[tuple[bool, ...]] = []
        self.values: list[Mapping[str, float | str]] = []
        learning.opened.connect(lambda lesson: self.opened.append(lesson.id))
        learning.step_changed.connect(self._on_step)
        learning.answered.connect(self.answers.append)
        learning.values_changed.connect(self.values.append)

    def _on_step(self, step: Step) -> None:
        self.steps.append(step.title)

    @property
    def counter(self) -> Counter:
        assert isinstance(self.learning.instrument, Counter)
        return self.learning.instrument


@pytest.fixture
def pupil(
    tasks: Tasks, latent_map: LatentMap, failures: "Failures", monkeypatch: pytest.MonkeyPatch
) -> Pupil:
    lessons = (lesson("first"), lesson("second"), lesson("map", ""))
    monkeypatch.setattr(module, "bundled_lessons", lambda: lessons)
    monkeypatch.setattr(module, "make_instrument", lambda _, bench: Counter(bench))
    cursor = Cursor(Decoding(lambda call: call()))
    bench = Workbench(tasks, latent_map, lambda *_: None, cursor)
    return Pupil(Learning(bench, tasks))


def test_showing_begins_the_first_lesson_and_sets_its_first_step_up(pupil: Pupil) -> None:
    pupil.learning.show()
    assert pupil.opened == ["first"]
    assert pupil.steps == ["One"]
    assert pupil.counter.n == 1
    assert pupil.counter.shown
    assert pupil.values[-1] == {"n": 1.0}


def test_steps_go_both_ways_and_no_further_than_there_are(pupil: Pupil) -> None:
    pupil.learning.show()
    pupil.learning.go(1)
    assert pupil.counter.n == 2
    pupil.learning.go(5)
    pupil.learning.go(-3)
    assert pupil.steps == ["One", "Two", "Two", "One"]
    assert pupil.counter.n == 1


def test_an_answer_is_told_again_when_one_comes_back(pupil: Pupil) -> None:
    pupil.learning.show()
    pupil.learning.answer((False, True))
    pupil.learning.go(1)
    pupil.learning.go(0)
    assert pupil.answers == [(False, True)] * 2


def test_an_instrument_rests_while_it_is_not_seen(pupil: Pupil) -> None:
    pupil.learning.show()
    counter = pupil.counter
    pupil.learning.hide()
    assert not counter.shown
    pupil.learning.show()
    assert counter.shown
    pupil.learning.open("map")
    assert not counter.shown
    assert pupil.learning.instrument is None
    counter.tell(n=7.0)  # a late answer of an instrument that is not shown
    assert pupil.values[-1] == {"n": 1.0}


def test_lessons_that_share_an_instrument_share_it(pupil: Pupil) -> None:
    pupil.learning.show()
    counter = pupil.counter
    pupil.learning.open("second", 1)
    assert pupil.counter is counter
    assert (pupil.steps[-1], counter.n) == ("Two", 2)


def test_a_lesson_is_saved_as_it_was_set_up_by_hand(
    pupil: Pupil, main: "MainThread", tmp_path: Path
) -> None:
    pupil.learning.show()
    pupil.counter.set_state({"n": 7})
    (tmp_path / "mine.md").write_text(pupil.learning.as_file())
    pupil.learning.open_file(tmp_path / "mine.md")
    main.run()
    assert pupil.opened == ["first", "mine"]
    assert pupil.counter.n == 7
    assert pupil.learning.step is not None
    assert pupil.learning.step.hidden == {"button"}
    assert [one.id for one in pupil.learning.lessons] == ["first", "second", "map", "mine"]


def test_a_bad_lesson_is_told_and_changes_nothing(
    pupil: Pupil, main: "MainThread", tmp_path: Path, failures: "Failures"
) -> None:
    pupil.learning.show()
    (tmp_path / "bad.md").write_text("no head")
    pupil.learning.open_file(tmp_path / "bad.md")
    main.run()
    assert [title for title, _ in failures] == ["The lesson was not opened"]
    failures.clear()
    assert pupil.opened == ["first"]
    text = pupil.learning.as_file().replace("n = 2", "n = 20")
    (tmp_path / "state.md").write_text(text)
    pupil.learning.open_file(tmp_path / "state.md")
    main.run()
    pupil.learning.go(1)
    ((title, error),) = failures
    assert title == "The step cannot be set up"
    assert "at most 9" in str(error)
    failures.clear()
    assert pupil.steps[-1] == "Two"  # its text can be read all the same


def test_an_instrument_that_does_not_exist_is_told(
    pupil: Pupil, monkeypatch: pytest.MonkeyPatch, failures: "Failures"
) -> None:
    def missing(name: str, _: Workbench) -> Instrument:
        raise LessonError(f"There is no instrument '{name}'.")

    monkeypatch.setattr(module, "make_instrument", missing)
    pupil.learning.show()
    assert pupil.learning.lesson is None
    assert [title for title, _ in failures] == ["The lesson was not opened"]
    failures.clear()
