import pytest

from vae_explorer.gui.lessons.registry import VIEWS
from vae_explorer.lessons.course import LessonError, bundled_lessons
from vae_explorer.session.lessons.registry import INSTRUMENTS, make_instrument
from vae_explorer.session.lessons.workbench import Workbench


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_every_instrument_can_be_made(name: str, workbench: Workbench) -> None:
    instrument = make_instrument(name, workbench)
    instrument.set_state(instrument.state())
    instrument.hide()


def test_an_unknown_one_is_refused_by_name(workbench: Workbench) -> None:
    with pytest.raises(LessonError, match="no instrument 'telescope'"):
        make_instrument("telescope", workbench)


def test_every_instrument_has_a_view_and_a_lesson() -> None:
    assert VIEWS.keys() == INSTRUMENTS.keys()
    assert {lesson.instrument for lesson in bundled_lessons()} - {""} == INSTRUMENTS.keys()
