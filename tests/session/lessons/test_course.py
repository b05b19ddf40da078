from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.support.lessons import Aim
from tests.support.stand_ins import Failures, MainThread
from vae_explorer.lessons.course import Lesson, LessonError, Step, parse_lesson
from vae_explorer.session.files.settings import Settings as Kept
from vae_explorer.session.files.settings_file import SettingsFile
from vae_explorer.session.lessons import course as module
from vae_explorer.session.lessons.context import LessonContext
from vae_explorer.session.lessons.course import Learning
from vae_explorer.session.lessons.experiment import (
    AnyExperiment,
    Experiment,
    Result,
    Settings,
    setting,
)
from vae_explorer.session.map.latent_map import LatentMap
from vae_explorer.session.tasks import Tasks

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
hide_until_answered = ["n"]
after_answer = {{n = 5}}
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


@dataclass(frozen=True)
class Count(Settings):
    n: int = setting(0, "n", "A number", high=9)


class Counter(Experiment[Count, Result]):
    """Shows the number it is set to."""

    def __init__(self, context: LessonContext) -> None:
        super().__init__(context, Count(), Result())

    def symbols(self) -> dict[str, float | str]:
        return {"n": float(self.settings.n)}


class Pupil:
    """Somebody who works through lessons, and all that is said."""

    def __init__(self, learning: Learning, settings: SettingsFile) -> None:
        self.learning, self.settings = learning, settings
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
        assert isinstance(self.learning.experiment, Counter)
        return self.learning.experiment


@pytest.fixture
def again(tasks: Tasks, empty_map: LatentMap, pupil: Pupil) -> Callable[[], Pupil]:
    """``again()``: the same person after a restart."""
    return lambda: _pupil(tasks, empty_map, pupil.settings.now)


@pytest.fixture
def pupil(
    tasks: Tasks, empty_map: LatentMap, failures: Failures, monkeypatch: pytest.MonkeyPatch
) -> Pupil:
    lessons = (lesson("first"), lesson("second"), lesson("map", ""))
    monkeypatch.setattr(module, "bundled_lessons", lambda: lessons)
    monkeypatch.setattr(module, "make_experiment", lambda _, context: Counter(context))
    return _pupil(tasks, empty_map, Kept())


def _pupil(tasks: Tasks, latent_map: LatentMap, kept: Kept) -> Pupil:
    context = LessonContext(tasks, latent_map, Aim(tasks, latent_map), lambda *_: None)
    settings = SettingsFile(tasks, kept)
    return Pupil(Learning(context, tasks, settings), settings)


def test_showing_begins_the_first_lesson_and_sets_its_first_step_up(pupil: Pupil) -> None:
    pupil.learning.show()
    assert pupil.opened == ["first"]
    assert pupil.steps == ["One"]
    assert pupil.counter.settings.n == 1
    assert pupil.counter.shown
    assert pupil.values[-1] == {"n": "?"}


def test_steps_go_both_ways_and_no_further_than_there_are(pupil: Pupil) -> None:
    pupil.learning.show()
    pupil.learning.go(1)
    assert pupil.counter.settings.n == 2
    pupil.learning.go(5)
    pupil.learning.go(-3)
    assert pupil.steps == ["One", "Two", "Two", "One"]
    assert pupil.counter.settings.n == 1


def test_an_answer_is_told_again_when_one_comes_back(pupil: Pupil) -> None:
    pupil.learning.show()
    pupil.learning.answer((False, True))
    pupil.learning.go(1)
    pupil.learning.go(0)
    assert pupil.answers == [(False, True)] * 2
    assert pupil.counter.settings.n == 5


def test_what_answers_the_question_is_told_after_the_answer(pupil: Pupil) -> None:
    pupil.learning.show()
    assert pupil.learning.concealed == {"n"}
    assert pupil.learning.values == {"n": "?"}
    pupil.counter.set(n=3)
    assert pupil.values[-1] == {"n": "?"}
    pupil.learning.answer((True, False))  # a wrong one too
    assert pupil.learning.concealed == frozenset()
    assert pupil.counter.settings.n == 5
    assert pupil.values[-1] == {"n": 5.0}
    pupil.learning.answer(())  # to try again
    assert pupil.answers[-1] == ()
    assert pupil.counter.settings.n == 1
    assert pupil.values[-1] == {"n": "?"}


def test_one_walks_from_lesson_to_lesson(pupil: Pupil) -> None:
    pupil.learning.show()
    pupil.learning.back()
    for _ in range(9):
        pupil.learning.next()
    assert pupil.learning.lesson is not None
    assert (pupil.learning.lesson.id, pupil.learning.number) == ("map", 1)
    pupil.learning.back()
    pupil.learning.back()
    assert (pupil.learning.lesson.id, pupil.learning.number) == ("second", 1)


def test_where_one_was_and_what_one_answered_is_remembered(
    pupil: Pupil, again: Callable[[], Pupil]
) -> None:
    pupil.learning.show()
    assert not pupil.learning.progress.done(pupil.learning.lessons[0])
    pupil.learning.next()
    pupil.learning.answer((True, False))  # there is no question here
    pupil.learning.back()
    pupil.learning.answer((False, True))
    assert pupil.learning.progress.done(pupil.learning.lessons[0])
    pupil.learning.open("second", 1)
    later = again()
    assert later.opened == []
    later.learning.show()
    assert (later.opened, later.steps) == (["second"], ["Two"])
    later.learning.open("first")
    assert later.answers == [(False, True)]
    assert [later.learning.progress.done(one) for one in later.learning.lessons] == [
        True,
        False,
        False,
    ]


def test_progress_in_a_lesson_that_is_gone_or_another_is_no_progress(
    pupil: Pupil, again: Callable[[], Pupil]
) -> None:
    pupil.learning.show()
    pupil.learning.answer((False, True))
    kept = pupil.settings.now.course
    answers = {"first": {"1 One": (True, False, True), "9 Nine": ()}, "gone": {}}
    course = replace(kept, lesson="gone", step=70, answers=answers)
    pupil.settings.change(replace(pupil.settings.now, course=course))
    later = again()
    later.learning.show()
    assert (later.opened, later.steps, later.answers) == (["first"], ["One"], [])


def test_lessons_are_listed_once_they_are_read(pupil: Pupil, main: MainThread) -> None:
    listed: list[int] = []
    pupil.learning.listed.connect(lambda: listed.append(len(pupil.learning.known)))
    pupil.learning.read()
    assert listed == []
    main.run()
    assert listed == [3]


def test_an_experiment_rests_while_it_is_not_seen(pupil: Pupil) -> None:
    pupil.learning.show()
    counter = pupil.counter
    pupil.learning.hide()
    assert not counter.shown
    pupil.learning.show()
    assert counter.shown
    pupil.learning.open("map")
    assert not counter.shown
    assert pupil.learning.experiment is None
    counter.publish()  # a late answer of an experiment that is not shown
    assert pupil.values[-1] == {"n": "?"}


def test_lessons_that_share_an_experiment_share_it(pupil: Pupil) -> None:
    pupil.learning.show()
    counter = pupil.counter
    pupil.learning.open("second", 1)
    assert pupil.counter is counter
    assert (pupil.steps[-1], counter.settings.n) == ("Two", 2)


def test_a_lesson_is_saved_as_it_was_set_up_by_hand(
    pupil: Pupil, main: MainThread, tmp_path: Path
) -> None:
    pupil.learning.show()
    pupil.counter.set_state({"n": 7})
    (tmp_path / "mine.md").write_text(pupil.learning.as_file())
    pupil.learning.open_file(tmp_path / "mine.md")
    main.run()
    assert pupil.opened == ["first", "mine"]
    assert pupil.counter.settings.n == 7
    assert pupil.learning.step is not None
    assert pupil.learning.step.hidden == {"button"}
    assert [one.id for one in pupil.learning.lessons] == ["first", "second", "map", "mine"]


def test_a_bad_lesson_is_told_and_changes_nothing(
    pupil: Pupil, main: MainThread, tmp_path: Path, failures: Failures
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
    assert "between 0 and 9" in str(error)
    failures.clear()
    assert pupil.steps[-1] == "Two"  # its text can be read all the same


def test_an_experiment_that_does_not_exist_is_told(
    pupil: Pupil, monkeypatch: pytest.MonkeyPatch, failures: Failures
) -> None:
    def missing(name: str, _: LessonContext) -> AnyExperiment:
        raise LessonError(f"There is no experiment '{name}'.")

    monkeypatch.setattr(module, "make_experiment", missing)
    pupil.learning.show()
    assert pupil.learning.lesson is None
    assert [title for title, _ in failures] == ["The lesson was not opened"]
    failures.clear()
