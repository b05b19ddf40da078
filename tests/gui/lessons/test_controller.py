"""Lessons in the real window."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import QFileDialog, QLabel, QMenu, QPushButton

from tests.support.person import Person
from vae_explorer.gui.lessons.formula import FormulaView
from vae_explorer.gui.lessons.lesson_view import LessonView
from vae_explorer.gui.lessons.prose import Prose, unbroken
from vae_explorer.gui.plot.chart import Chart
from vae_explorer.gui.window.docks import reveal
from vae_explorer.lessons.course import bundled_lessons


@pytest.fixture
def pupil(person: Person) -> Person:
    """Somebody who has opened Learn."""
    person.trigger("layout_learn")
    person.wait(lambda: person.window.learn.isVisible())
    return person


def _experiment(pupil: Person) -> LessonView | None:
    shown = [view for view in pupil.window.findChildren(LessonView) if view.isVisible()]
    return shown[0] if shown else None


def _title(pupil: Person) -> str:
    learning = pupil.window.app.learning
    assert learning.step is not None
    labels = pupil.window.learn.findChildren(QLabel)
    assert any(label.text() == unbroken(learning.step.title) for label in labels)
    return learning.step.title


def test_learn_opens_the_first_lesson_in_the_place_of_the_map(pupil: Person) -> None:
    window = pupil.window
    lessons = window.app.learning.lessons
    assert window.app.learning.lesson is lessons[0]
    assert _title(pupil) == lessons[0].steps[0].title
    assert _experiment(pupil) is not None
    assert not window.map.isVisible()
    assert window.learn.isAncestorOf(window.focusWidget())  # no number of the figure has the keys
    pupil.trigger("layout_explore")
    assert window.map.isVisible()
    assert _experiment(pupil) is None
    pupil.trigger("layout_learn")
    assert _experiment(pupil) is not None


def test_lessons_are_there_after_a_restart_in_that_layout(
    pupil: Person, open_person: Callable[..., Person]
) -> None:
    pupil.close()
    again = open_person()
    again.wait(lambda: again.window.learn.isVisible())
    assert again.window.app.learning.lesson is again.window.app.learning.lessons[0]
    title = _title(again)
    assert _experiment(again) is not None
    next_one = next(b for b in again.window.learn.findChildren(QPushButton) if b.text() == "Next")
    next_one.click()
    assert _title(again) != title


def test_after_a_restart_one_is_where_one_was(
    pupil: Person, open_person: Callable[..., Person]
) -> None:
    learning = pupil.window.app.learning
    learning.open("4-bound", 1)
    learning.answer((True, False, False))
    pupil.close()
    again = open_person()
    again.wait(lambda: again.window.app.learning.lesson is not None)
    learning = again.window.app.learning
    assert (learning.lesson.id, learning.number) == ("4-bound", 1)
    assert _title(again)
    assert any("Not quite" in said.text() for said in again.window.learn.findChildren(QLabel))


def test_the_course_menu_lists_the_lessons_and_ticks_those_done(pupil: Person) -> None:
    learning = pupil.window.app.learning
    menu = next(
        action.menu()
        for action in pupil.window.actions_.menus["Course"].actions()
        if action.text() == "Lessons"
    )
    assert isinstance(menu, QMenu)
    names = [action.text() for action in menu.actions()]
    assert names == [f"{n}  {one.title}" for n, one in enumerate(learning.lessons, 1)]
    assert not any(action.isChecked() for action in menu.actions())
    first = learning.lessons[0]
    for number, step in enumerate(first.steps):
        learning.go(number)
        if step.question:
            learning.answer(step.question.right)
    learning.next()
    assert learning.lesson is learning.lessons[1]
    assert [action.isChecked() for action in menu.actions()] == [True] + [False] * 8
    menu.actions()[3].trigger()
    assert learning.lesson.id == "4-bound"
    assert [action.isChecked() for action in menu.actions()] == [True] + [False] * 8


def test_what_gives_the_answer_away_is_not_shown_before_it(pupil: Person) -> None:
    learning = pupil.window.app.learning
    for lesson in learning.lessons:
        learning.open(lesson.id)
        view = _experiment(pupil)
        assert view is not None
        for number, step in enumerate(lesson.steps):
            known = {"digit", *lesson.symbols, *view.controls, *view.readouts}
            assert step.hidden | step.concealed <= known, (lesson.id, number)
            learning.go(number)
            assert view.concealed == step.hidden | step.concealed
            if step.question:
                learning.answer(step.question.right)
                assert view.concealed == step.hidden


def test_the_map_is_there_whenever_the_lessons_are_not(person: Person) -> None:
    reveal(person.window.learn)
    person.wait(lambda: _experiment(person) is not None)
    assert _title(person)
    reveal(person.window.training)
    person.wait(person.window.map.isVisible)
    assert _experiment(person) is None


def test_one_walks_by_keys(pupil: Person) -> None:
    window = pupil.window
    learning = window.app.learning
    pupil.press("Ctrl+PgDown", window.learn)
    assert learning.number == 1
    pupil.press("Ctrl+PgUp")
    assert learning.number == 0


@pytest.mark.parametrize("lesson_id", [lesson.id for lesson in bundled_lessons()])
def test_every_lesson_opens_and_sets_its_steps_up(pupil: Person, lesson_id: str) -> None:
    learning = pupil.window.app.learning
    pupil.window.learn.lesson_chosen.emit(lesson_id)
    view = _experiment(pupil)
    assert view is not None
    for number, step in enumerate(learning.lesson.steps):
        learning.go(number)
        assert _title(pupil) == step.title
        for name in step.hidden & view.controls.keys():
            assert not view.controls[name].isVisible()
    assert not pupil.errors


def test_values_of_the_experiment_stand_in_the_formulas(pupil: Person) -> None:
    """Of the first step with a symbol whose value is a number from the start."""
    learning = pupil.window.app.learning
    number = next(n for n, step in enumerate(learning.lesson.steps) if step.formulas)
    learning.go(number)
    pupil.wait(lambda: learning.experiment.values)
    views = pupil.window.learn.findChildren(FormulaView)
    told = [view for view in views if set(view._values) & {p.symbol for p in view._parts}]
    assert told


def test_an_answer_is_kept_while_one_walks(pupil: Person) -> None:
    learning, window = pupil.window.app.learning, pupil.window
    number = next(n for n, step in enumerate(learning.lesson.steps) if step.question)
    learning.go(number)
    question = learning.step.question
    window.learn.question.answered.emit(question.right)
    learning.go(number + 1)
    learning.go(number)
    assert any(
        question.reveal.split()[0] in prose.toPlainText()
        for prose in window.learn.question.findChildren(Prose)
    )


def test_a_lesson_is_saved_and_opened_again(
    pupil: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine.md"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    learning = pupil.window.app.learning
    title = learning.lesson.title
    pupil.trigger("save_lesson")
    pupil.wait(path.exists)
    pupil.trigger("open_lesson")
    pupil.wait(lambda: learning.lesson.id == "mine")
    assert learning.lesson.title == title
    assert not pupil.errors


def test_large_type_is_for_a_room(pupil: Person) -> None:
    before = pupil.window.learn.font().pointSizeF()
    pupil.trigger("large")
    large = pupil.window.learn.font().pointSizeF()
    assert large > before
    for lesson in pupil.window.app.learning.lessons[:2]:
        pupil.window.learn.lesson_chosen.emit(lesson.id)
        view = _experiment(pupil)
        assert view is not None
        assert min(chart.font().pointSizeF() for chart in view.findChildren(Chart)) > before
    pupil.trigger("large")
    assert view.font().pointSizeF() == before
    assert pupil.window.learn.font().pointSizeF() == before
