"""Work whose failures are shown, and its two policies."""

from typing import Any

import pytest
import torch

from tests.support.stand_ins import Failures, MainThread
from vae_explorer.session.tasks import Tasks


@pytest.fixture(params=["newest", "patient"])
def policy(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def requests(policy: str, tasks: Tasks) -> Any:
    """``Newest`` and ``Patient``; their work is done at once, and told when ``main`` runs."""
    return getattr(tasks, policy)("key", "It failed")


def ask(requests: Any, answered: list[Any], *numbers: int) -> None:
    for number in numbers:
        requests.run(lambda _, number=number: number, answered.append)


def test_the_newest_replaces_the_others_and_the_patient_finishes_the_first(
    policy: str, requests: Any, main: MainThread
) -> None:
    answered: list[int] = []
    ask(requests, answered, 1, 2, 3)
    main.run()
    assert not requests.busy
    assert answered == {"newest": [3], "patient": [1, 3]}[policy]


def test_a_failure_is_shown_once_and_the_next_request_is_answered(
    requests: Any, main: MainThread, failures: Failures
) -> None:
    answered: list[object] = []
    requests.run(lambda _: torch.zeros(2) @ torch.zeros(3), answered.append, failed=answered.append)
    main.run()
    ask(requests, answered, 2)
    main.run()
    ((title, error),) = failures
    assert title == "It failed"
    assert answered == [error, 2]
    failures.clear()


def test_what_was_cancelled_is_not_answered_nor_what_waited(
    requests: Any, main: MainThread
) -> None:
    answered: list[int] = []
    ask(requests, answered, 1, 2)
    requests.cancel()
    ask(requests, answered, 3)
    main.run()
    assert answered == [3]


def test_owners_under_a_prefix_do_not_replace_each_other(tasks: Tasks, main: MainThread) -> None:
    answered: list[int] = []
    for owner, number in ((tasks, 1), (tasks.prefixed("B "), 2)):
        ask(owner.newest("key", "It failed"), answered, number)
    main.run()
    assert answered == [1, 2]
