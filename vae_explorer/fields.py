"""Fields: the values of a frozen dataclass, each declared once for files, forms and validation."""

import dataclasses
import re
from collections.abc import Container
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, ClassVar, Self

from vae_explorer.errors import UserError

Scalar = bool | int | float | str
Value = Scalar | tuple[Scalar, ...] | None

LONGEST_STACK = 16
"""Sizes that a field of sizes may have."""
_LONGEST_TOLD = 60


@dataclass(frozen=True)
class FieldSpec:
    """What a form, a command line and a validator need to know of one field.

    The type of a field is that of its default value: true or false, a whole number, a number, text,
    or a tuple of as many numbers as the default has. A default of None stands for a value that may
    be left out: one of ``choices``, or a list of numbers. A tuple with ``choices`` has any of them.

    A field without a ``label`` has no control of its own on a form. ``unit`` is a plain word.
    ``low`` and ``high`` are inclusive and hold for each number of a tuple; ``choices`` is empty for
    numbers. Where ``sizes`` is true the value is a list of whole numbers
    such as ``512-256``. ``about`` has a line on each of ``choices``, or nothing. ``titles`` are
    their names on screen if those are others, and ``lowest`` that of ``low`` or of no text.
    ``step`` is that of a form's arrows, 0 for the usual one. ``needs`` is another field and those
    of its values with which this one matters; if None it always does.
    """

    group: str
    label: str
    help: str
    unit: str = ""
    low: float = 0.0
    high: float = 0.0
    choices: tuple[Scalar, ...] = ()
    sizes: bool = False
    about: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    lowest: str = ""
    step: float = 0.0
    needs: tuple[str, Container[Scalar]] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """What the choices are called on screen."""
        return self.titles or tuple(map(str, self.choices))

    def applies(self, values: object) -> bool:
        """Whether the field matters beside the other fields of ``values``."""
        return self.needs is None or getattr(values, self.needs[0]) in self.needs[1]


def field(default: Value, spec: FieldSpec) -> Any:
    """A field of a dataclass, with its specification."""
    return dataclasses.field(default=default, metadata={"spec": spec, "default": default})


@dataclass(frozen=True)
class Fields:
    """Base of frozen dataclasses whose fields are all made by ``field``.

    A value of the wrong type or out of range raises ``error``; the message names the field.
    """

    kind: ClassVar[str] = "Field"
    """What one of them is called in messages."""
    error: ClassVar[type[UserError]] = UserError

    def __post_init__(self) -> None:
        for item in dataclasses.fields(self):
            value = getattr(self, item.name)
            good, reason = _checked(value, item.metadata["default"], self.spec(item.name))
            if reason:
                told = _shown(value, "," if reason.startswith("it must lie") else "")
                raise self.error(f"{self.kind} '{item.name}' is {told}; {reason}.")
            object.__setattr__(self, item.name, good)

    def spec(self, name: str) -> FieldSpec:
        """The specification of a field; where it depends on earlier fields, as these stand."""
        return self.specs()[name]

    @classmethod
    def specs(cls) -> dict[str, FieldSpec]:
        """The specification of every field, in order."""
        return {item.name: item.metadata["spec"] for item in dataclasses.fields(cls)}

    def nearest(self, name: str, value: Any) -> Value:
        """The value closest to numbers ``value`` that a field may have."""
        spec = self.spec(name)
        if spec.choices:
            numbers = [one for one in spec.choices if isinstance(one, int | float)]
            return min(numbers, key=lambda one: abs(one - value))
        if isinstance(value, list | tuple):
            return tuple(min(max(one, spec.low), spec.high) for one in value)
        whole = isinstance(getattr(self, name), int)
        near = min(max(value, spec.low), spec.high)
        return round(near) if whole else float(near)

    @classmethod
    def from_dict(cls, values: dict[str, Any], source: str = "") -> Self:
        """Build one from plain values; errors begin with ``source``.

        Raises:
            UserError: ``error``; a field is unknown, of the wrong type or out of range.
        """
        prefix = f"{source}: " if source else ""
        known = list(cls.specs())
        for key in values:
            if key not in known:
                near = get_close_matches(key, known, 1)
                hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(known)}."
                told = _shown(key)
                raise cls.error(f"{prefix}Unknown {cls.kind.lower()} {told}; {hint}")
        try:
            return cls(**values)
        except cls.error as error:
            raise cls.error(f"{prefix}{error}") from None

    def to_dict(self) -> dict[str, Any]:
        """All fields as plain values, in order."""
        return {name: getattr(self, name) for name in self.specs()}

    def replace(self, /, **changes: Any) -> Self:
        """A copy with some fields changed, validated; raises as ``from_dict``."""
        return self.from_dict(self.to_dict() | changes)


def _shown(value: object, form: str = "") -> str:
    try:
        text = format(value, form) if form else repr(value)
    except (ValueError, RecursionError):  # more digits or brackets than Python writes
        text = "too long"
    return text if len(text) <= _LONGEST_TOLD else f"{text[:_LONGEST_TOLD]}…"


def _checked(value: Any, default: Value, spec: FieldSpec) -> tuple[Value, str]:
    """The value in the field's own type, and "" or what it must be instead."""
    if value is None and default is None:
        return None, ""
    if spec.choices:
        some = value if isinstance(default, tuple) and isinstance(value, list | tuple) else [value]
        chosen = [choice for one in some for choice in spec.choices if _same(one, choice)]
        if len(chosen) < len(some):
            return None, f"choose one of {', '.join(map(str, spec.choices))}"
        return (tuple(chosen) if isinstance(default, tuple) else chosen[0]), ""
    if isinstance(default, bool):
        return value, "" if isinstance(value, bool) else "it must be true or false"
    if spec.sizes:
        text = str(value) if type(value) is int else value  # a single layer needs no quotes
        return text, "" if are_sizes(text, spec) else (
            f"it must be 1 to {LONGEST_STACK} sizes from {spec.low:,} to {spec.high:,} "
            f'{spec.unit}, such as "512-256"'
        )
    if isinstance(default, str):
        return value, "" if isinstance(value, str) else "it must be a text"
    if isinstance(default, tuple) or default is None:
        return _tuple(value, default, spec)
    return _number(value, default, spec)


def _same(value: object, choice: Scalar) -> bool:
    return value == choice and isinstance(value, bool) == isinstance(choice, bool)


def _number(value: Any, default: Scalar, spec: FieldSpec) -> tuple[Value, str]:
    whole = type(value) is int  # True and False are no numbers here
    if not (whole or (isinstance(default, float) and type(value) is float)):
        return None, f"it must be {'a number' if isinstance(default, float) else 'a whole number'}"
    if not spec.low <= value <= spec.high:  # false for NaN too
        kind = type(default)
        limits = f"it must lie between {kind(spec.low):,} and {kind(spec.high):,} {spec.unit}"
        return None, limits.rstrip()
    return (float(value) if isinstance(default, float) else value), ""


def _tuple(value: Any, default: tuple[Scalar, ...] | None, spec: FieldSpec) -> tuple[Value, str]:
    first = default[0] if default else 0.0
    listed = isinstance(value, list | tuple) and len(value) == len(default or value) > 1
    if listed and not any(_number(one, first, spec)[1] for one in value):
        return tuple(type(first)(one) for one in value), ""
    kind = "numbers" if isinstance(first, float) else "whole numbers"
    count = len(default) if default else "two or more"
    return None, f"it must be a list of {count} {kind} from {spec.low:,} to {spec.high:,}"


def sizes(text: str) -> tuple[int, ...]:
    """The numbers of a value such as ``512-256``."""
    return tuple(int(size) for size in text.split("-"))


def are_sizes(value: object, spec: FieldSpec) -> bool:
    """Whether a value is what a field of sizes may have."""
    if not (isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}(-[0-9]{1,9})*", value)):
        return False
    numbers = sizes(value)
    inside = all(spec.low <= size <= spec.high for size in numbers)
    return len(numbers) <= LONGEST_STACK and inside
