"""Outside data as frozen dataclasses: TOML and JSON, held against the type hints of their fields.

A hint may carry bounds and words for them: ``Annotated[float, Meta(ge=0, le=1)]``, ``one_of("a",
"b")`` or ``Meta(pattern=..., description="a word")``. What hints cannot say, a ``__post_init__``
says by a ValueError that goes on from the name of the value, as in "is no layer". Whatever is
wrong with a file, the error names the file, the path of the value, and what it should be.
"""

import dataclasses
import json
import os
import re
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from msgspec import Meta, inspect

from vae_explorer.errors import UserError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")

_PLACE = re.compile(r"(.*?)(?: - at (`key` in )?`\$(.*)`)?", re.DOTALL)
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+)\]|\[\.\.\.\]")


def one_of(*choices: str) -> Meta:
    """Allows only these texts."""
    pattern = "|".join(map(re.escape, choices))
    return Meta(pattern=rf"^(?:{pattern})\Z", description=f"one of {', '.join(choices)}")


def parse_toml(text: str, source: str, error: type[UserError] = UserError) -> dict[str, object]:
    """The values in a TOML text; ``source`` is named in the error."""
    try:
        values = tomllib.loads(text)
        _check_whole_numbers(values)
        return values
    except (ValueError, RecursionError) as wrong:  # endless digits and brackets too
        raise error(f"{source} is not TOML: {wrong}.") from wrong


def parse_json(text: str | bytes, source: str, error: type[UserError] = UserError) -> object:
    """The value in a JSON text; ``source`` is named in the error. A name may be there once."""
    try:
        value: object = json.loads(text, object_pairs_hook=_object)
    except (ValueError, RecursionError) as wrong:
        raise error(f"{source} is not JSON: {wrong}.") from wrong
    return value


def storable(value: "DataclassInstance") -> dict[str, Any]:
    """A dataclass as TOML and JSON can hold it: paths as texts, and nothing of what is None."""

    def known(items: list[tuple[str, Any]]) -> dict[str, Any]:
        return {
            name: str(item) if isinstance(item, Path) else item
            for name, item in items
            if item is not None
        }

    return dataclasses.asdict(value, dict_factory=known)


def build(
    kind: type[T],
    values: object,
    source: str,
    error: type[UserError] = UserError,
    *,
    others: bool = False,
) -> T:
    """The values as an object of ``kind``; ``others`` lets names pass that no field has.

    Raises:
        UserError: ``error``, at the first value that is missing, unknown or not as it should be.
    """
    info = inspect.type_info(kind)
    if others and isinstance(values, dict) and isinstance(info, inspect.DataclassType):
        values = {field.name: values[field.name] for field in info.fields if field.name in values}
    problem = _unknown(values, info, "")
    if problem is None:
        try:
            return msgspec.convert(values, kind, dec_hook=_custom)
        except msgspec.ValidationError as wrong:
            problem = _words(str(wrong), values, info)
    raise error(f"{source}: {problem}.")


def build_leniently(
    kind: type[T], values: Mapping[str, object], source: str
) -> tuple[T, tuple[str, ...]]:
    """As ``build``, but bad entries are left out, and what is said of each. All have defaults."""
    good: dict[str, object] = {}
    problems: list[str] = []
    for key, value in values.items():
        try:
            build(kind, {key: value}, source)
            good[key] = value
        except UserError as wrong:
            problems.append(str(wrong).removeprefix(f"{source}: "))
    return build(kind, good, source), tuple(problems)


def check_version(
    version: object, newest: int, source: str, error: type[UserError] = UserError
) -> None:
    """Refuse a file whose format version is none, or larger than ``newest``.

    Raises:
        UserError: ``error``.
    """
    if type(version) is not int or version < 1:
        raise error(f"{source}: “version” is {shown(version)}; it should be {newest} or less.")
    if version > newest:
        raise error(
            f"{source} has format version {shown(version)}; this program reads up to {newest}. "
            "Update VAE Explorer to open it."
        )


def shown(value: object) -> str:
    """A value as JSON has it, cut short."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, RecursionError):  # more digits or brackets than Python writes
        text = "too long to be shown"
    # What no file can be named, such as half a surrogate pair, cannot be shown either.
    text = text.encode(errors="replace").decode()
    return text if len(text) <= 60 else f"{text[:57]}…"


def _check_whole_numbers(value: object) -> None:
    """Refuse what TOML has no room for: endless hexadecimal digits cannot even be written."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            _check_whole_numbers(inner)
    elif isinstance(value, int) and value.bit_length() > 64:
        raise ValueError("a whole number has more than 64 bits")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{shown(twice)} is there twice")
    return values


def _custom(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, str):
        try:
            if value and b"\0" not in os.fsencode(value):
                return Path(value)
        except UnicodeEncodeError:
            pass
    raise ValueError(f"is {shown(value)}; it should be the path of a file")


def _plain(info: inspect.Type) -> inspect.Type:
    return info.type if isinstance(info, inspect.Metadata) else info


def _unknown(values: object, info: inspect.Type, at: str) -> str | None:
    """What is said of the first name that no field has, if there is one."""
    match _plain(info), values:
        case inspect.DataclassType(fields=fields), dict():
            kinds = {field.name: field.type for field in fields}
            for name, value in values.items():
                path = f"{at}.{name}".lstrip(".")
                if name not in kinds:
                    near = get_close_matches(str(name), kinds, 1)
                    hint = f"did you mean “{near[0]}”?" if near else f"known: {', '.join(kinds)}"
                    return f"“{_short(path)}” is unknown; {hint}"
                if problem := _unknown(value, kinds[name], path):
                    return problem
        case inspect.VarTupleType(item_type=item), list():
            for row, value in enumerate(values):
                if problem := _unknown(value, item, f"{at}[{row}]"):
                    return problem
    return None


def _words(message: str, values: object, info: inspect.Type) -> str:
    """The library's message in ours."""
    match = _PLACE.fullmatch(message)
    assert match is not None
    said, of_key, path = match[1], match[2], match[3] or ""
    value: Any = values
    known = True
    for step in _STEP.finditer(path):
        key = step[1] or (int(step[2]) if step[2] else None)
        info = _inner(_plain(info), key)
        known = known and key is not None
        value = value[key] if known else None
    name = f"“{_short(path.removeprefix('.').replace('[...]', '[…]'))}”" if path else "the whole"
    if of_key and isinstance(plain := _plain(info), inspect.DictType):
        return f"a name in {name} should be {_wanted(plain.key_type)}"
    if missing := re.fullmatch("Object missing required field `(.*)`", said):
        return f"{name} lacks “{missing[1]}”" if path else f"it lacks “{missing[1]}”"
    if not re.match("Expected |Invalid |Number out of range", said):
        return f"{name} {said}" if path else said
    found = f"is {shown(value)}; it " if known else ""
    return f"{name} {found}should be {_wanted(info)}"


def _inner(info: inspect.Type, key: str | int | None) -> inspect.Type:
    """The type of what is in a value, under a name or in a row."""
    match info:
        case inspect.DataclassType(fields=fields):
            return next(field.type for field in fields if field.name == key)
        case inspect.TupleType(item_types=items) if isinstance(key, int):
            return items[key]
        case inspect.VarTupleType(item_type=item) | inspect.ListType(item_type=item):
            return item
        case inspect.DictType(value_type=item):
            return item
        case inspect.UnionType(types=types):
            return _inner(next(kind for kind in types if _wanted(kind) != "null"), key)
    return info


def _wanted(info: inspect.Type) -> str:
    """What a value should be, in words."""
    match info:
        case inspect.Metadata(type=inner, extra_json_schema=extra):
            return str((extra or {}).get("description", "")) or _wanted(inner)
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType() | inspect.FloatType():
            words = "a whole number" if isinstance(info, inspect.IntType) else "a number"
            bounds = (("from", info.ge), ("above", info.gt), ("to", info.le), ("below", info.lt))
            limits = [f" {word} {end:,g}" for word, end in bounds if end is not None]
            return words + "".join(limits)
        case inspect.StrType():
            return "a text"
        case inspect.LiteralType(values=choices):
            return f"one of {', '.join(map(str, choices))}"
        case inspect.TupleType(item_types=items):
            return f"a list of {len(items)}: {', '.join(map(_wanted, items))}"
        case inspect.VarTupleType(max_length=most):
            return f"a list of at most {most}" if most else "a list"
        case inspect.UnionType(types=types):
            return " or ".join(map(_wanted, types))
        case inspect.DataclassType(fields=fields):
            return f"a table of {', '.join(field.name for field in fields)}"
        case inspect.NoneType():
            return "null"
    return "names and what they stand for"


def _short(text: str) -> str:
    return shown(text)[1:-1]
