import re

import pytest

from vae_explorer.lessons.course import (
    Code,
    FormulaPart,
    LessonError,
    Question,
    bundled_lessons,
    parse_lesson,
    with_state,
)

TEXT = r"""+++
title = "Entropy"
instrument = "functionals"
image = 7
references = ["[arXiv 1906.02691](https://arxiv.org/abs/1906.02691)"]
[symbols]
H = "the entropy of p, in nats"
+++
## First
Some *text*.

```state
bars = 6
hide = ["ascend"]
hide_until_answered = ["H"]
after_answer = {rate = 2}
```

```formula
H[p] :: H
= -\sum_i p_i \log p_i
```

More text.

```question
Which is largest?
- [ ] this
- [x] that
---
Because.
```

And so on.
## Second
```python
data = {"H": 1.0}
```
```
not ours
```
"""


def test_a_lesson_is_read_whole() -> None:
    lesson = parse_lesson(TEXT, "entropy")
    assert (lesson.id, lesson.title, lesson.instrument) == ("entropy", "Entropy", "functionals")
    assert lesson.symbols == {"H": "the entropy of p, in nats"}
    assert len(lesson.references) == 1
    first, second = lesson.steps
    assert first.title == "First"
    assert "Some *text*." in first.text
    assert "More text." in first.text
    assert "```" not in first.text
    assert first.settings == {"bars": 6}
    assert first.hidden == {"ascend"}
    assert first.concealed == {"H"}
    assert first.settings_after == {"rate": 2}
    assert lesson.settings(0) == {"bars": 6, "image": 7}
    (formula,) = first.formulas
    assert formula == (FormulaPart("H[p]", "H"), FormulaPart(r"= -\sum_i p_i \log p_i"))
    assert first.question is not None
    assert first.question.text == "Which is largest?"
    assert first.question.choices == ("this", "that")
    assert first.question.right == (False, True)
    assert first.question.reveal == "Because."
    assert second.code == 'data = {"H": 1.0}\n'
    assert "not ours" in second.text
    assert second.question is None
    assert second.hidden == frozenset()
    assert parse_lesson(TEXT.replace("bars = 6", "image = 2"), "e").settings(0) == {"image": 2}
    assert parse_lesson(TEXT.replace("image = 7", ""), "e").settings(1) == {}


def test_a_step_keeps_the_order_of_its_file() -> None:
    first, second = parse_lesson(TEXT, "entropy").steps
    kinds = [block if isinstance(block, str) else type(block) for block in first.blocks]
    assert kinds == ["Some *text*.", tuple, "More text.", Question, "And so on."]
    assert second.blocks == (Code('data = {"H": 1.0}\n'), "```\nnot ours\n```")


def test_a_state_set_by_hand_is_read_again() -> None:
    lesson = parse_lesson(TEXT, "entropy")
    again = parse_lesson(with_state(lesson, 0, {"bars": 9, "rate": 0.5}), "entropy")
    assert again.steps[0].settings == {"bars": 9, "rate": 0.5}
    for kept in ("hide", "hide_until_answered", "after_answer"):
        assert again.steps[0].state[kept] == lesson.steps[0].state[kept]
    assert again.steps[0].formulas == lesson.steps[0].formulas
    assert again.steps[0].question == lesson.steps[0].question
    assert again.steps[1] == lesson.steps[1]
    fresh = parse_lesson(with_state(lesson, 1, {"bars": 2}), "entropy")
    assert fresh.steps[1].state == {"bars": 2}
    assert fresh.steps[0] == lesson.steps[0]


def test_a_comment_in_code_begins_no_step() -> None:
    code = "## A section\ndata = {}\n"
    text = TEXT.replace('data = {"H": 1.0}\n', code)
    lesson = parse_lesson(text, "entropy")
    assert [step.title for step in lesson.steps] == [
        step.title for step in parse_lesson(TEXT, "entropy").steps
    ]
    assert lesson.steps[1].code == code
    again = parse_lesson(with_state(lesson, 1, {"bars": 2}), "entropy")
    assert (again.steps[1].state, again.steps[1].code) == ({"bars": 2}, code)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("+++\n", "", "no head"),
        ('title = "Entropy"', "title = Entropy", "not TOML"),
        ("## ", "# ", "no step"),
        ("bars = 6", "bars = six", "line 9: a state is not TOML"),
        ('hide = ["ascend"]', 'hide = "ascend"', "a state: “hide”"),
        ("rate = 2", "rate", "a state is not TOML"),
        ("image = 7", "image = true", "its head: “image”"),
        ("\nAnd so on.", "\n```question\nAgain?\n- [x] a\n- [ ] b\n---\na\n```", "one question"),
        ("- [x] that", "- [ ] that", "one of them right"),
        ("---\nBecause.", "", "what is read after"),
        ("- [ ] this\n", "", "two choices"),
        ("H[p] :: H", "H[p] :: entropy", "symbols entropy"),
        ('data = {"H": 1.0}\n```\n', 'data = {"H": 1.0}\n', "fenced block has no end"),
    ],
)
def test_a_bad_lesson_says_what_is_wrong_and_where(old: str, new: str, message: str) -> None:
    assert old in TEXT
    with pytest.raises(LessonError, match=message) as caught:
        parse_lesson(TEXT.replace(old, new), "entropy", "mine.md")
    assert "mine.md" in str(caught.value)


def test_every_bundled_lesson_has_what_a_lesson_needs() -> None:
    lessons = bundled_lessons()
    assert lessons
    for lesson in lessons:
        assert lesson.references, lesson.id
        assert 3 <= len(lesson.steps) <= 7, lesson.id
        assert any(step.question for step in lesson.steps), lesson.id
        assert any(step.formulas for step in lesson.steps), lesson.id
        # "85. So …" would be shown as item 85 of a list.
        assert not re.search(r"^\d+[.)] ", lesson.source, re.MULTILINE), lesson.id
