"""Where a density may live, what may be kept of it, and what of it climbs."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from vae_explorer.lessons import entropy

MOST_BARS = 12


@dataclass(frozen=True)
class Words:
    """What a problem calls its density ``p`` of ``x``, the ``value`` that climbs, and its ``best``.

    ``curve`` is the title of a chart of the value.
    """

    p: str = "p"
    x: str = "x"
    value: str = "H"
    curve: str = "Entropy"
    best: str = "largest entropy"


@dataclass(frozen=True)
class Constraint:
    """A kind of problem: its ``title``, and of its one ``size`` the name, the range and the usual.

    A shape to start from is ``spread`` between these multiples of the size; ``sight`` are the x of
    a density that are shown.
    """

    title: str
    size: str
    range: tuple[float, float]
    usual: float
    spread: tuple[float, float]
    sight: tuple[float, float]
    make: Callable[[float], entropy.Problem]
    words: Words = Words()


def _bars(size: float) -> entropy.Problem:
    return entropy.bars(round(size))


_interval, _variance = partial(entropy.on_interval, 0.0), partial(entropy.fixed_variance, 0.0)
_mean = entropy.fixed_mean
_HALF_LINE = (-0.25, 8.25)

_LATENT_WORDS = Words("q", "z", "ELBO", "ELBO", "p(z|x)")

CONSTRAINTS: dict[str, Constraint] = {
    "bars": Constraint("bars", "bars", (2, MOST_BARS), 6, (0, 1), (0, 1), _bars),
    "interval": Constraint("an interval", "b − a", (0.5, 8), 4, (0, 1), _HALF_LINE, _interval),
    "variance": Constraint(
        "the line, variance σ²", "σ", (0.4, 1.5), 1, (-5, 5), (-5, 5), _variance
    ),
    "mean": Constraint("x ≥ 0, mean μ", "μ", (0.4, 2), 1, (0, 4), _HALF_LINE, _mean),
    "posterior": Constraint(
        "z, given x", "x", (0.5, 4), 1, (-2, 2), (-3, 3), entropy.posterior, _LATENT_WORDS
    ),
}
