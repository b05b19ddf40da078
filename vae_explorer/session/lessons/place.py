"""Where one is in a lesson."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from msgspec import Meta

_Setting = bool | int | float | str


@dataclass(frozen=True)
class LessonPlace:
    """Where one is in a lesson: its ``id``, the ``step`` from 0, and the ``answer`` given there.

    ``settings`` are those of its experiment, as in lesson files; ``mine`` says that it is about the
    digit of the reader.
    """

    id: str
    step: Annotated[int, Meta(ge=0)] = 0
    answer: tuple[bool, ...] = ()
    settings: Mapping[str, _Setting | tuple[_Setting, ...]] = field(default_factory=dict)
    mine: bool = False
