"""The table of faults tells the truth."""

import re
from pathlib import Path

import pytest

from tests.support.faults import FAULTS

ROOT = Path(__file__).parents[2]


def test_there_are_fifty() -> None:
    assert list(FAULTS) == list(range(1, 51))
    assert all(bool(fault.tests) != bool(fault.why_none) for fault in FAULTS.values())


@pytest.mark.parametrize("number", FAULTS)
def test_the_tests_named_exist(number: int) -> None:
    for test in FAULTS[number].tests:
        file, _, name = test.partition("::")
        assert re.search(rf"^def {name}\(", (ROOT / file).read_text(encoding="utf-8"), re.M), test
