"""Numbers as a person reads and writes them."""

import math
import re
import unicodedata

NONE = "—"
"""Stands where there is no figure."""


def figure(value: float | None, form: int | str, unit: str = "", none: str = NONE) -> str:
    """``value`` with a true minus sign, no negative zero and its unit; ``none`` for None, nan.

    ``form`` is how many decimals it has, or a format of Python such as ".3g".
    """
    if value is None or math.isnan(value):
        return none
    text = format(value, f"z.{form}f" if isinstance(form, int) else f"z{form}")
    return f"{text} {unit}".rstrip().replace("-", "−")


def pair(z: tuple[float, float], digits: int = 3) -> str:
    """A position in the plane, as in "(0.123, −1.250)"."""
    return f"({figure(z[0], digits)}, {figure(z[1], digits)})"


_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_LEVEL = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")


def coordinate(index: int) -> str:
    """What a latent coordinate, counted from 0, is called."""
    return f"z{str(index + 1).translate(_SUBSCRIPTS)}"


AXES = coordinate(0), coordinate(1)
"""What the axes of the map are called where it shows all of the latent space."""


def located(z: tuple[float, float], axes: tuple[str, str] = AXES, digits: int = 3) -> str:
    """A position and what it is of, as in "z = (0.123, −1.250)"."""
    return f"{'z' if axes == AXES else ', '.join(axes)} = {pair(z, digits)}"


def plain(name: str) -> str:
    """The name of a coordinate for other programs, as in "z1"."""
    return name.translate(_LEVEL)


_SUPERSCRIPTS = str.maketrans("-−0123456789.", "⁻⁻⁰¹²³⁴⁵⁶⁷⁸⁹·")


def superscript(number: str) -> str:
    """A number as an exponent."""
    return number.translate(_SUPERSCRIPTS)


def scientific(value: float, form: str = ".1e") -> str:
    """A number by its power of ten, as in "2.5·10⁻⁷"."""
    digits, _, power = figure(value, form).partition("e")
    return f"{digits}·10{superscript(power.lstrip('+0').replace('−0', '−'))}" if power else digits


_SIGNS = str.maketrans(dict.fromkeys("−‐‑‒–—", "-") | {"\N{RIGHT SINGLE QUOTATION MARK}": "'"})
_NUMBER = re.compile(r"([+-]?)([0-9][0-9., ']*|[.,][0-9]+)(e[+-]?[0-9]+)?", re.IGNORECASE)
_GROUPS = re.compile(r"[1-9][0-9]{0,2}(?:([., '])[0-9]{3})(?:\1[0-9]{3})*")


def parse_number(text: str, whole: bool = False, decimal: str = "") -> float:
    """The number that a person of any country typed or pasted, the inverse of ``figure``.

    The decimal sign is a point or a comma, the minus any dash, and thousands may be in groups. Of
    a ``whole`` number "1,500" is 1500; else it might be either, and is refused, unless the
    ``decimal`` sign is known.

    Raises:
        ValueError: it is not understood; the message says why.
    """
    plain = unicodedata.normalize("NFKC", text).translate(_SIGNS).strip()
    found = _NUMBER.fullmatch(plain)
    if not found:
        raise ValueError(f"“{text.strip()}” is not a number")
    sign, digits, exponent = found[1], found[2].strip(), found[3] or ""
    body, point, rest = digits, "", ""
    last = max(digits.rfind("."), digits.rfind(","))
    groups = _GROUPS.fullmatch(digits)
    sep = groups[1] if groups else ""
    in_groups = sep in " '" or digits.count(sep) > 1 or (whole and sep == ",")
    if groups and (sep != decimal if decimal else in_groups):
        pass  # all of it is a whole number in groups of three
    elif groups and not decimal and (whole or sep == ","):
        either = digits.replace(sep, ""), digits.replace(sep, ".")
        raise ValueError(f"“{digits}” may be {either[0]} or {either[1]}; write one of them")
    elif last >= 0:
        body, point, rest = digits[:last], ".", digits[last + 1 :]
    if (
        not (body.isdigit() or not body or _GROUPS.fullmatch(body))
        or not (rest or "0").isdigit()
        or (decimal and point and (digits[last] != decimal or decimal in body))
    ):
        raise ValueError(f"“{text.strip()}” is not a number")
    body = re.sub(r"[^0-9]", "", body)
    value = float(f"{sign}{body or '0'}{point}{rest}{exponent}")
    if not math.isfinite(value):
        raise ValueError(f"“{text.strip()}” is too large")
    if whole and value != int(value):
        raise ValueError(f"“{text.strip()}” is not a whole number")
    return value


def field_value(text: str) -> int | float | str:
    """What a person wrote for a field: a number where it reads as one."""
    try:
        if re.fullmatch(r"\s*[+-]?[0-9]+\s*", text):
            return int(text)  # of any length, such as a seed
        return parse_number(text)
    except ValueError:
        return text.strip()
