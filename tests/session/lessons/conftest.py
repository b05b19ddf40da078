"""The experiment of the lesson that a module tests."""

from collections.abc import Callable

import pytest

from tests.support.lessons import lesson_of
from vae_explorer.session.lessons.context import LessonContext
from vae_explorer.session.lessons.experiment import AnyExperiment, make_experiment


@pytest.fixture
def experiment(
    request: pytest.FixtureRequest, context: LessonContext, settle: Callable[[], None]
) -> AnyExperiment:
    """Shown, and done with all it does by itself."""
    made = make_experiment(lesson_of(request), context)
    made.show()
    settle()
    return made
