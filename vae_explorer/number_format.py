"""Figures as a person reads them."""

NONE = "—"
"""Stands where there is no figure."""


def figure(value: float | None, form: int | str, unit: str = "", none: str = NONE) -> str:
    """``value`` with a true minus sign, no negative zero and its unit, or ``none`` for None.

    ``form`` is how many decimals it has, or a format of Python such as ".3g".
    """
    if value is None:
        return none
    text = format(value, f"z.{form}f" if isinstance(form, int) else f"z{form}")
    return f"{text} {unit}".rstrip().replace("-", "−")


def pair(z: tuple[float, float], digits: int = 3) -> str:
    """A place in the plane, as in "(0.123, −1.250)"."""
    return f"({figure(z[0], digits)}, {figure(z[1], digits)})"
