"""The code of every step runs as it is, and makes the numbers that the figure shows."""

from collections.abc import Callable

import numpy as np
import pytest

from vae_explorer.lessons.course import Lesson, Step, bundled_lessons
from vae_explorer.session.lessons.registry import make_instrument
from vae_explorer.session.lessons.workbench import Workbench

_WITH_CODE = [
    pytest.param(lesson, step, id=f"{lesson.id} {number}")
    for lesson in bundled_lessons()
    for number, step in enumerate(lesson.steps, 1)
    if step.code
]


@pytest.mark.slow
@pytest.mark.parametrize(("lesson", "step"), _WITH_CODE)
def test_the_code_reproduces_the_figure(
    lesson: Lesson, step: Step, workbench: Workbench, settle: Callable[[], None]
) -> None:
    instrument = make_instrument(lesson.instrument, workbench)
    instrument.show()
    instrument.set_state({key: value for key, value in step.state.items() if key != "hide"})
    settle()
    shown = instrument.data()
    made: dict[str, object] = {}
    exec(compile(step.code, f"<{lesson.id}>", "exec"), made)
    data = made["data"]
    assert isinstance(data, dict)
    assert data, "the code makes nothing"
    for name, value in data.items():
        np.testing.assert_allclose(shown[name], value, rtol=1e-3, atol=1e-5, err_msg=name)
    instrument.hide()


def test_every_lesson_has_code() -> None:
    for lesson in bundled_lessons():
        assert not lesson.instrument or any(step.code for step in lesson.steps), lesson.id
