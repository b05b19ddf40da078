r"""Lesson files: Markdown with a TOML head, some fenced blocks with a meaning of their own.

    +++
    title = "What a functional is"
    instrument = "functionals"
    references = ["[arXiv 1906.02691](https://arxiv.org/abs/1906.02691)"]
    [symbols]
    H = "the entropy of p, in nats"
    +++
    ## A function takes a number
    Text in Markdown.

    ```state
    size = 6
    hide = ["shape"]
    hide_until_answered = ["H", "best"]
    after_answer = {ascend = true}
    ```

    ```formula
    H :: H
    = -\sum_i p_i \log p_i
    ```

    ```question
    Which p has the largest entropy?
    - [ ] all on one bar
    - [x] all bars alike
    ---
    What is read after an answer.
    ```

    What is read after the answer too.

    ```python
    data = ...  # reproduces the figure by the public API
    ```

Each ``##`` begins a step, which shows its text, formulas, question and code in the order of the
file; what stands after the question waits for the answer. A formula has a part a line: LaTeX, then
``::`` and a symbol if the part is tied to a live value. ``image = 7`` in the head
lets the lesson be about that training digit, unless a step has another or readers want their own.

A state sets the experiment as the step begins, and may stand anywhere in it. Of its keys ``hide``
names controls, symbols and readouts that the figure does not show; ``hide_until_answered`` those
that would give the answer away; ``after_answer`` has settings that the answer brings.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import tomli_w

from vae_explorer import paths, schema
from vae_explorer.errors import UserError
from vae_explorer.files import read_text


class LessonError(UserError):
    """A lesson file cannot be read."""


@dataclass(frozen=True)
class FormulaPart:
    """A piece of a formula in LaTeX; ``symbol`` is "" or the name of a live value."""

    tex: str
    symbol: str = ""


@dataclass(frozen=True)
class Question:
    """Asked before the reveal: ``right`` (k,) tells which of ``choices`` (k,) are."""

    text: str
    choices: tuple[str, ...]
    right: tuple[bool, ...]
    reveal: str


@dataclass(frozen=True)
class Code:
    """Python that reproduces the figure."""

    text: str


Formula = tuple[FormulaPart, ...]
Block = str | Formula | Question | Code
"""A part of a step; a text is Markdown."""


@dataclass(frozen=True)
class Step:
    """A page of a lesson: its ``blocks`` from top to bottom, and how the experiment is set."""

    title: str
    blocks: tuple[Block, ...] = ()
    state: dict[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """All its Markdown."""
        return "\n\n".join(block for block in self.blocks if isinstance(block, str))

    @property
    def formulas(self) -> tuple[Formula, ...]:
        """Its formulas, each in parts."""
        return tuple(block for block in self.blocks if isinstance(block, tuple))

    @property
    def question(self) -> Question | None:
        """Its question, if it asks one."""
        return next((block for block in self.blocks if isinstance(block, Question)), None)

    @property
    def code(self) -> str:
        """All its code, which is one program."""
        return "\n".join(block.text for block in self.blocks if isinstance(block, Code))

    @property
    def settings(self) -> dict[str, Any]:
        """What is set as it begins."""
        return {key: value for key, value in self.state.items() if key not in _ABOUT_STEP}

    @property
    def hidden(self) -> frozenset[str]:
        """Controls, symbols and readouts that the figure does not show."""
        return frozenset(self.state.get("hide", ()))

    @property
    def concealed(self) -> frozenset[str]:
        """Those that are not shown before the question is answered."""
        return frozenset(self.state.get("hide_until_answered", ()))

    @property
    def settings_after(self) -> dict[str, Any]:
        """What is set when the question has been answered."""
        return dict(self.state.get("after_answer", {}))


@dataclass(frozen=True)
class Lesson:
    """A lesson: ``id`` is its file's name, ``symbols`` say what each live value is."""

    id: str
    title: str
    instrument: str
    steps: tuple[Step, ...]
    symbols: dict[str, str] = field(default_factory=dict)
    references: tuple[str, ...] = ()
    image: int | None = None
    source: str = ""
    """The text of its file."""

    def settings(self, number: int) -> dict[str, Any]:
        """What a step sets as it begins: the lesson's digit, if it names none of its own."""
        usual = {} if self.image is None else {"image": self.image}
        return usual | self.steps[number].settings


@dataclass(frozen=True)
class _Head:
    title: str
    instrument: str = ""
    symbols: dict[str, str] = field(default_factory=dict)
    references: tuple[str, ...] = ()
    image: int | None = None


@dataclass(frozen=True)
class _State:
    hide: tuple[str, ...] = ()
    hide_until_answered: tuple[str, ...] = ()
    after_answer: dict[str, Any] = field(default_factory=dict)


_ABOUT_STEP = frozenset(item.name for item in fields(_State))


def bundled_lessons() -> tuple[Lesson, ...]:
    """The lessons that ship with the program, in the order of their files' names.

    Raises:
        LessonError: as ``read_lesson``.
    """
    return tuple(map(read_lesson, sorted((paths.resources() / "lessons").glob("*.md"))))


def read_lesson(path: Path) -> Lesson:
    """Read a lesson file.

    Raises:
        LessonError: it is missing, has no head, or a block is not as it should be; the message
            names the file and the line.
    """
    text = read_text(path, "a lesson (.md)", LessonError)
    return parse_lesson(text, path.stem, str(path))


def parse_lesson(text: str, lesson_id: str, source: str = "the lesson") -> Lesson:
    """Read a lesson from its text; ``source`` is named in errors, which are ``read_lesson``'s."""
    match = re.match(r"\+\+\+\n(.*?)\n\+\+\+\n", text, re.DOTALL)
    if not match:
        raise LessonError(f"{source} has no head; begin it with +++, TOML and +++.")
    values = schema.parse_toml(match[1], f"{source}: its head", LessonError)
    head = schema.build(_Head, values, f"{source}: its head", LessonError, others=True)
    first = text[: match.end()].count("\n") + 1
    steps = tuple(_steps(text[match.end() :], first, source))
    if len(re.findall(r"^```", text, re.MULTILINE)) % 2:
        raise LessonError(f"{source}: a fenced block has no end; close it with ```.")
    if not steps:
        raise LessonError(f"{source} has no step; begin each with '## ' and its title.")
    about = head.title, head.instrument, steps, head.symbols, head.references, head.image
    lesson = Lesson(lesson_id, *about, text)
    unknown = sorted(_symbols(lesson) - lesson.symbols.keys())
    if unknown:
        raise LessonError(
            f"{source}: its formulas have the symbols {', '.join(unknown)}, "
            "of which its head says nothing."
        )
    return lesson


def with_state(lesson: Lesson, number: int, state: dict[str, Any]) -> str:
    """The lesson's text with the settings of a step replaced; what the step hides it still does."""
    before = lesson.steps[number].state
    whole = state | {key: before[key] for key in before if key in _ABOUT_STEP}
    block = f"```state\n{tomli_w.dumps(whole)}```\n"
    head, *parts = _parts(lesson.source)
    plain = re.sub(_STATE, "", parts[number])
    title, _, rest = plain.partition("\n")
    parts[number] = f"{title}\n{block}{rest}"
    return head + "".join(parts)


def _symbols(lesson: Lesson) -> set[str]:
    formulas = [formula for step in lesson.steps for formula in step.formulas]
    return {part.symbol for formula in formulas for part in formula if part.symbol}


def _steps(body: str, first_line: int, source: str) -> Iterator[Step]:
    head, *parts = _parts(body)
    line = first_line + head.count("\n")
    for part in parts:
        title, _, rest = part.removeprefix("## ").partition("\n")
        yield _step(title.strip(), rest, f"{source}, line {line}")
        line += part.count("\n")


def _parts(text: str) -> list[str]:
    """What is before the first step, and the steps; a ``## `` in a fenced block begins none."""
    parts, fenced = [""], False
    for line in text.splitlines(keepends=True):
        fenced ^= line.startswith("```")
        if line.startswith("## ") and not fenced:
            parts.append("")
        parts[-1] += line
    return parts


_STATE = re.compile(r"^```state\n.*?^```\n?", re.DOTALL | re.MULTILINE)
_BLOCK = re.compile(r"^```(state|formula|question|python)\n(.*?)^```\n?", re.DOTALL | re.MULTILINE)


def _step(title: str, text: str, where: str) -> Step:
    blocks: list[Block] = []
    state: dict[str, Any] = {}
    end = 0
    for match in _BLOCK.finditer(text):
        blocks.append(text[end : match.start()].strip())
        end, (kind, content) = match.end(), match.groups()
        if kind == "formula":
            blocks.append(_formula(content))
        elif kind == "question":
            blocks.append(_question(content, where))
        elif kind == "python":
            blocks.append(Code(content))
        else:
            state = schema.parse_toml(content, f"{where}: a state", LessonError)
            schema.build(_State, state, f"{where}: a state", LessonError, others=True)
    blocks.append(text[end:].strip())
    if sum(isinstance(block, Question) for block in blocks) > 1:
        raise LessonError(f"{where}: a step asks one question; begin another with '## '.")
    return Step(title, tuple(block for block in blocks if block), state)


def _formula(content: str) -> tuple[FormulaPart, ...]:
    parts = []
    for line in content.splitlines():
        tex, _, symbol = line.partition("::")
        if tex.strip():
            parts.append(FormulaPart(tex.strip(), symbol.strip()))
    return tuple(parts)


_CHOICE = re.compile(r"- \[([ x])\] (.*)")


def _question(content: str, where: str) -> Question:
    asked, _, reveal = content.partition("\n---\n")
    lines = asked.splitlines()
    choices = [match for line in lines if (match := _CHOICE.fullmatch(line.strip()))]
    words = [line for line in lines if not _CHOICE.fullmatch(line.strip())]
    right = tuple(match[1] == "x" for match in choices)
    if len(choices) < 2 or not any(right) or not reveal.strip():
        raise LessonError(
            f"{where}: a question needs two choices or more, written '- [ ] …', one of them right, "
            "'- [x] …', and after a line --- what is read after the answer."
        )
    return Question(
        "\n".join(words).strip(), tuple(match[2] for match in choices), right, reveal.strip()
    )
