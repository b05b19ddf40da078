"""The experiment of the lesson that a module tests, and its view."""

import pytest

from tests.support.lessons import Shown, lesson_of
from vae_explorer.gui.lessons.lesson_view import LessonView, make_view
from vae_explorer.session.lessons.context import LessonContext
from vae_explorer.session.lessons.experiment import AnyExperiment, make_experiment


@pytest.fixture
def experiment(request: pytest.FixtureRequest, context: LessonContext) -> AnyExperiment:
    """Not shown yet."""
    return make_experiment(lesson_of(request), context)


@pytest.fixture
def view(request: pytest.FixtureRequest, shown: Shown, experiment: AnyExperiment) -> LessonView:
    """Shown, and done with all it does by itself."""
    return shown(make_view(lesson_of(request), experiment))
