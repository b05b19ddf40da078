"""What the lessons say of numbers, each computed for the digit that its step shows."""

import re

import pytest

from tests.lessons import statements_1_to_4, statements_5_to_9
from tests.support.statements import LESSONS, STATEMENTS, Check, Known, words_of
from vae_explorer.model.trained import TrainedVAE

_TABLE = statements_1_to_4, statements_5_to_9  # which fill STATEMENTS


@pytest.fixture(scope="module")
def known(model: TrainedVAE) -> Known:
    return Known(model)


@pytest.mark.parametrize(
    ("step", "words", "check"),
    [
        pytest.param(step, words, check, id=f"{step} {words}", marks=[pytest.mark.long] * long)
        for step, words, check, long in STATEMENTS
    ],
)
def test_what_a_step_says_is_so(step: str, words: str, check: Check, known: Known) -> None:
    del words
    check(known)


GIVEN = re.compile(
    r"28 × 28|784|N\(0, 1\)|Lesson \d|lesson \d|step \d|Algorithm 1|equation 10|M = 100|"
    r"β = [\d.]+|−\d\.|60,000|k = 5,000|5,000 (samples|digits)|2,000 (test )?digits|"
    r"1,000 test digits|10,000 (samples|training digits)|20,000 (samples|of the prior)|"
    r"m is 300|Here k = 10|12 epochs|100,000 samples|computed 100 times|first 10 samples|"
    r"the 10 nearest|0\.5 for a random|perplexities of 5 and 50|0\.\d\d to 0\.\d\d|by 3 nats|"
    r"√100 = 10|From 2 to 20 dimensions|log 10 nats|Add 100 to f|about 100,|from 32|"
    r"dimensions of z[^A-Z]*|, 2019|10 to 20|more than 100|K?L, nats \|[^A-Z]*"
)
"""How a step is set, what a question supposes or offers besides, and names."""

NUMBER = re.compile(r"\d[\d,.]*\d|\d (?:nats?|%)")


@pytest.mark.parametrize("key", LESSONS)
def test_every_number_is_computed(key: str) -> None:
    lesson = LESSONS[key]
    for number in range(len(lesson.steps)):
        words, step = words_of(lesson, number), f"{key}.{number + 1}"
        for said in [one for at, one, *_ in STATEMENTS if at == step]:
            assert said in words_of(lesson, number), f"{step} does not say: {said}"
            words = words.replace(said, "…")
        found = NUMBER.findall(GIVEN.sub("…", words))
        assert not found, f"{step} says {found}, which nothing computes"
