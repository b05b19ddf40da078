"""What holds of the view of every experiment."""

import dataclasses
from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QProgressBar,
    QSlider,
    QWidget,
)

from tests.support.lessons import Shown, aim, button
from tests.support.person import ShowTheme
from vae_explorer.gui.lessons.lesson_view import LessonView, make_view
from vae_explorer.gui.theme import DARK, LIGHT
from vae_explorer.gui.widgets.number_box import NumberBox
from vae_explorer.lessons.course import bundled_lessons
from vae_explorer.session.explore.sketch import NO_LABEL
from vae_explorer.session.lessons.context import LessonContext
from vae_explorer.session.lessons.experiment import (
    AnyExperiment,
    DigitExperiment,
    experiments,
    make_experiment,
)

Settle = Callable[[], None]

EDITORS = (QComboBox, NumberBox, QSlider, QLineEdit, NumberBox)


@pytest.fixture(params=experiments())
def name(request: pytest.FixtureRequest) -> str:
    assert isinstance(request.param, str)
    return request.param


@pytest.fixture
def experiment(name: str, context: LessonContext) -> AnyExperiment:
    return make_experiment(name, context)


@pytest.fixture
def view(shown: Shown, name: str, experiment: AnyExperiment) -> LessonView:
    return shown(make_view(name, experiment))


def editors(view: LessonView) -> list[QWidget]:
    """Those of the form, and all buttons but pyqtgraph's."""
    found: list[QWidget] = [
        one for one in view.findChildren(QAbstractButton) if one.text() and not one.objectName()
    ]
    found += [
        one
        for row in view.form.rows.values()
        for kind in EDITORS
        for one in ([row] if isinstance(row, kind) else row.findChildren(kind))
        if not isinstance(one.parent(), EDITORS)
    ]
    return found


def test_every_control_is_named_explained_and_reached_by_keys(view: LessonView) -> None:
    assert editors(view)
    for editor in editors(view):
        text = editor.text() if isinstance(editor, QAbstractButton) else ""
        assert editor.accessibleName() or text, editor
        assert editor.toolTip(), editor
        assert editor.focusPolicy() & Qt.FocusPolicy.TabFocus, editor
    assert all(bar.accessibleName() for bar in view.findChildren(QProgressBar))


def test_lessons_hide_controls_that_there_are(view: LessonView, name: str) -> None:
    hidden = [
        control
        for lesson in bundled_lessons()
        for step in lesson.steps
        for control in step.hidden
        if lesson.instrument == name
    ]
    for control in {*hidden, *view.controls}:
        view.set_hidden({control})
        if control in view.controls:
            assert view.controls[control].isHidden()
    view.set_hidden(())
    assert not any(control.isHidden() for control in view.controls.values())


def test_a_wheel_that_passes_changes_nothing(view: LessonView, experiment: AnyExperiment) -> None:
    before = experiment.settings
    at, none = QPointF(5, 5), Qt.KeyboardModifier.NoModifier
    for row in view.form.rows.values():
        for editor in [one for kind in EDITORS for one in row.findChildren(kind)]:
            editor.clearFocus()
            event = QWheelEvent(
                at,
                at,
                QPoint(),
                QPoint(0, -120),
                Qt.MouseButton.NoButton,
                none,
                Qt.ScrollPhase.NoScrollPhase,
                False,
            )
            QApplication.sendEvent(editor, event)
    assert experiment.settings == before


def test_it_is_shown_dark_and_light(view: LessonView, show_theme: ShowTheme) -> None:
    for theme in (LIGHT, DARK):
        show_theme(theme)
        image = view.grab().toImage()
        colors = {
            image.pixelColor(x, y).name()
            for x in range(4, image.width(), 5)
            for y in range(4, image.height(), 5)
        }
        assert theme.canvas in colors


def test_what_is_set_elsewhere_is_shown(view: LessonView, experiment: AnyExperiment) -> None:
    for field, spec in experiment.settings.specs().items():
        if field not in view.form.rows or not spec.applies(experiment.settings):
            continue
        editor = view.form.editor(field)
        if isinstance(editor, NumberBox):
            experiment.move(**{field: editor.value() + 1})
            assert editor.value() == getattr(experiment.settings, field)
        elif isinstance(editor, QComboBox) and spec.choices:
            choices = experiment.settings.spec(field).choices
            experiment.set(**{field: choices[1]})
            assert editor.currentData() == choices[1]


def test_the_digit_is_named_and_a_person_may_have_their_own(
    view: LessonView, experiment: AnyExperiment, context: LessonContext, settle: Settle
) -> None:
    if not isinstance(experiment, DigitExperiment):
        assert "image" not in view.form.rows
        return
    settings = experiment.settings
    needs = settings.spec("image").needs
    if needs:
        assert not any(said.startswith("x: ") for said in labels(view))
        experiment.set(**{needs[0]: next(iter(needs[1]))})
        settle()
    experiment.set(image=7)
    settle()
    switch = button(view, "My Digit")
    assert "x: training digit 7, a 3" in labels(view)
    assert not switch.isEnabled()  # there is none
    aim(context, context.digit(17))
    context.use_mine(False)
    assert "x: training digit 7, a 3" in labels(view)
    switch.click()
    settle()
    about = "Numbers in the text are of the lesson’s digit."
    assert f"x: your digit, training digit 17, an 8. {about}" in labels(view)
    pinned = context.digit(17)
    assert pinned is not None
    aim(context, dataclasses.replace(pinned, title="train 17"))
    assert f"x: your digit, train 17, an 8. {about}" in labels(view)
    aim(context, dataclasses.replace(pinned, title="sketch", label=NO_LABEL))
    assert f"x: your digit, sketch. {about}" in labels(view)
    settle()
    assert not view.form.rows["image"].isVisible()
    switch.click()
    settle()
    assert "x: training digit 7, a 3" in labels(view)
    view.set_hidden({"image"})
    assert not view.form.rows["image"].isVisible()
    view.set_hidden({"digit"})
    assert not any(said.startswith("x: ") for said in labels(view))


def labels(view: LessonView) -> list[str]:
    return [label.text() for label in view.findChildren(QLabel) if label.isVisible()]


def test_what_is_set_while_it_rests_is_drawn_as_it_comes_back(
    name: str, view: LessonView, experiment: AnyExperiment
) -> None:
    experiment.hide()
    for lesson in bundled_lessons():
        if lesson.instrument == name:
            for number in reversed(range(len(lesson.steps))):
                experiment.set_state(lesson.settings(number))
                view.set_hidden(("seed",))
                view.set_hidden(())
    experiment.show()  # which raises what a drawing raises
    experiment.hide()
