"""States of lesson files that a stranger wrote: what is set is taken whole or refused whole."""

from contextlib import suppress

import pytest
import tomli_w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.strategies import plain_values, texts
from vae_explorer.lessons.course import LessonError, parse_lesson
from vae_explorer.session.lessons.context import LessonContext
from vae_explorer.session.lessons.experiment import AnyExperiment, experiments, make_experiment

_OF_STEP = ("hide", "hide_until_answered", "after_answer")

HOSTILE = (
    "true", "-1", "0", "3", "1.5", "1e308", "5e-324", "inf", "-inf", "nan", "0x" + "f" * 5_000,
    '""', '"x"', '"1 + 1"', "'''" + "(" * 5_000 + "'''", "'" + "9" * 5_000 + "'", "'z1**z2**z1'",
    '"9**9**9**9"', '"\\u0000"', "1979-05-27", "07:32:00", "1979-05-27T07:32:00Z",
    "[]", "[1]", "[1, 2]", "[nan, inf]", "[1e308, -1e308]", "[true, false]", '["a", "b"]',
    "[0x" + "f" * 5_000 + ", 1]", "[[1, 2], [3, 4]]", "[" * 300 + "]" * 300, "{}", "{a = 1}",
    "[{a = 1}, 2]", "[1979-05-27, 1979-05-27]", str(list(range(5_000))),
)  # fmt: skip
"""Values as TOML has them."""

LESSON = """+++
title = "A lesson"
instrument = "{}"
+++
## One
```state
{}
```
"""


@pytest.fixture(params=experiments())
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def set_as_file(experiment: AnyExperiment, name: str, state: str) -> None:
    """Set what a lesson file says, or see it refused by a message of some lines at most."""
    before, message = experiment.settings, ""
    try:
        lesson = parse_lesson(LESSON.format(name, state), "one")
        experiment.set_state(lesson.settings(0) | lesson.steps[0].settings_after)
    except LessonError as error:
        message = str(error)
    assert len(message) < 500
    assert not message or experiment.settings is before
    message.encode()


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: f"{value:.20}")
def test_any_value_of_any_setting(name: str, value: str, context: LessonContext) -> None:
    experiment = make_experiment(name, context)
    for field in (*experiment.settings.specs(), "self", "changes", *_OF_STEP, "__class__"):
        set_as_file(experiment, name, f"{field} = {value}")


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_any_values_of_several_settings(
    name: str, data: st.DataObject, context: LessonContext
) -> None:
    experiment = make_experiment(name, context)
    fields = st.sampled_from(sorted(experiment.settings.specs())) | texts
    state = data.draw(st.dictionaries(fields, plain_values, max_size=3))
    set_as_file(experiment, name, tomli_w.dumps(state))


@given(
    head=st.fixed_dictionaries({"title": texts, "instrument": texts}) | plain_values,
    blocks=st.lists(st.tuples(st.sampled_from(["state", "formula", "question", "python"]), texts)),
)
def test_any_head_and_any_blocks_are_read_or_refused(
    head: object, blocks: list[tuple[str, str]]
) -> None:
    top = tomli_w.dumps(head if isinstance(head, dict) else {"title": "One", "symbols": head})
    body = "".join(f"```{kind}\n{text}\n```\n" for kind, text in blocks)
    with suppress(LessonError):
        parse_lesson(f"+++\n{top}\n+++\n## One\n{body}", "one")
