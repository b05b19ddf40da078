"""Figures as a person reads them."""

NONE = "—"
"""Stands where there is no figure."""


def figure(value: float, digits: int) -> str:
    """``value`` with this many decimals, a true minus sign and no negative zero."""
    return f"{value:z.{digits}f}".replace("-", "−")


def pair(z: tuple[float, float]) -> str:
    """A place in latent space, as in "(0.123, −1.250)"."""
    return f"({figure(z[0], 3)}, {figure(z[1], 3)})"
