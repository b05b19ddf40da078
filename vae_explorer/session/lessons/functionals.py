"""Bars and densities to pull about, whose entropy or ELBO is shown, and climbed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from vae_explorer.fields import FieldSpec
from vae_explorer.lessons import entropy
from vae_explorer.session.lessons.constraints import CONSTRAINTS, Constraint
from vae_explorer.session.lessons.context import LessonContext
from vae_explorer.session.lessons.experiment import Experiment, Result, Settings, setting
from vae_explorer.types import Bools, Float64

FRAME = 0.03
"""Seconds from one step of the ascent to the next."""


@dataclass(frozen=True)
class FunctionalsSettings(Settings):
    """The problem, the density that the ascent starts from, and whether it climbs.

    ``heights`` may be fewer than the cells; they are then joined by lines.
    """

    constraint: str = setting(
        "bars",
        "p is on",
        "Where p lives, and what is kept of it",
        choices=tuple(CONSTRAINTS),
        titles=tuple(kind.title for kind in CONSTRAINTS.values()),
    )
    size: float = setting(6.0, "size", "The size of the problem", high=12)
    shape: str = setting("humps", "start", "The shape that p starts from", choices=entropy.SHAPES)
    heights: tuple[float, ...] | None = setting(
        None, "", "The density that p starts from", high=1e9
    )
    ascend: bool = setting(False, "&Ascend", "Climb by the natural gradient to the maximum")

    def spec(self, name: str) -> FieldSpec:
        """The specification of a field; of the size, that of the constraint."""
        spec = super().spec(name)
        if name != "size":
            return spec
        kind, whole = CONSTRAINTS[self.constraint], self.constraint == "bars"
        low, high = kind.range
        about = "How many bars" if whole else f"{kind.size} of the problem"
        step = 1.0 if whole else 0.1
        return replace(spec, label=kind.size, help=about, low=low, high=high, step=step)

    def state(self) -> dict[str, Any]:
        """The settings, the heights with four digits."""
        state = super().state()
        if self.heights is not None:
            state["heights"] = [float(f"{height:.4g}") for height in self.heights]
        return state

    def after(self, changes: Mapping[str, Any]) -> Self:
        """Another constraint has its usual size, and another problem starts from the shape."""
        changes = dict(changes)
        if changes.keys() - {"ascend"}:
            constraint = str(changes.get("constraint", self.constraint))
            if constraint != self.constraint and constraint in CONSTRAINTS:
                changes.setdefault("size", CONSTRAINTS[constraint].usual)
            changes = {"heights": None, "ascend": False} | changes
        return self.replace(**changes)


@dataclass(frozen=True, eq=False)
class FunctionalsResult(Result):
    """The density ``p`` (m,) at ``problem.x``, its ``start`` (m,), and the ascent so far.

    ``held`` (m,) are the cells that a hand holds while the constraints rest. By steps, from the
    first: ``entropies`` (steps + 1,), the entropy or the ELBO in nats, ``divergences`` (steps + 1,)
    from the maximiser in nats, ``multipliers`` λ₀, λ₁ … (steps + 1, 1 + k).
    """

    problem: entropy.Problem
    start: Float64
    p: Float64
    held: Bools
    entropies: Float64
    divergences: Float64
    multipliers: Float64

    @classmethod
    def of(
        cls, problem: entropy.Problem, start: Float64, p: Float64, held: Bools
    ) -> "FunctionalsResult":
        """Before any step."""
        return cls(problem, start, p, held, *_measures(problem, p))

    def stepped(self) -> "FunctionalsResult":
        """After one more step of the ascent."""
        p = entropy.step(self.problem, self.p)
        measures = _measures(self.problem, p)
        before = (self.entropies, self.divergences, self.multipliers)
        together = map(np.concatenate, zip(before, measures, strict=True))
        return FunctionalsResult(self.problem, self.start, p, self.held, *together)

    @property
    def final_multipliers(self) -> Float64:
        """What they come to in closed form, (1 + k,)."""
        slopes = self.problem.multipliers
        constant = 1 - self.problem.maximum - slopes @ self.problem.moments
        return np.concatenate([[constant], slopes])


def _measures(problem: entropy.Problem, p: Float64) -> tuple[Float64, Float64, Float64]:
    return (
        np.array([problem.value(p)]),
        np.array([entropy.divergence(p, problem.best, problem.cell)]),
        entropy.multipliers(problem, p)[None],
    )


def _begin(settings: FunctionalsSettings) -> FunctionalsResult:
    kind = CONSTRAINTS[settings.constraint]
    problem = kind.make(settings.size)
    m = len(problem.x)
    if settings.heights is None:
        low, high = (share * settings.size for share in kind.spread)
        heights = entropy.shape(settings.shape, problem, low, high)
    else:
        drawn = np.array(settings.heights)
        heights = np.interp(np.linspace(0, 1, m), np.linspace(0, 1, len(drawn)), drawn)
    start = entropy.project(problem, entropy.normalised(heights, problem.cell))
    return FunctionalsResult.of(problem, start, start, np.zeros(m, bool))


class Functionals(Experiment[FunctionalsSettings, FunctionalsResult]):
    """A density p on bars, an interval, the line or the half-line, and the ascent of its entropy.

    Or a density q of z, and the ascent of its ELBO. A hand may hold p where it likes; when it lets
    go, the constraints take hold again.
    """

    def __init__(self, context: LessonContext) -> None:
        settings = FunctionalsSettings()
        super().__init__(context, settings, _begin(settings))
        self._begun = settings

    @property
    def kind(self) -> Constraint:
        """What is said of the constraint."""
        return CONSTRAINTS[self.settings.constraint]

    @property
    def sight(self) -> tuple[float, float]:
        """The x that are shown."""
        if self.settings.constraint == "bars":
            return 0.0, float(len(self.result.problem.x))
        return self.kind.sight

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Set what is named, and begin there again."""
        settings = self.settings.after(state)
        self.settings = replace(settings, ascend=False)
        self.reset()
        self.take(settings)

    def reset(self) -> None:
        """Go back to where the ascent started."""
        self.settings = replace(self.settings, ascend=False)
        self._begun = self.settings
        self.result = _begin(self.settings)
        self.publish()

    def hold(self, index: int, height: float) -> None:
        """Hold one bar at this height while the others make room."""
        held = np.arange(len(self.result.p)) == index
        heights = np.clip(np.full(len(held), height), 0.0, 1 / self.result.problem.cell)
        self._put(held, heights)

    def draw(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Hold the density along a stroke from (x, height) to another; so until ``let_go``."""
        (x0, y0), (x1, y1) = sorted((start, end))
        problem = self.result.problem
        half, x = problem.cell / 2, problem.x
        struck = (x >= x0 - half) & (x <= x1 + half)
        heights = np.interp(x, [x0, max(x1, x0 + 1e-9)], [y0, y1])
        heights = np.where(struck, np.maximum(heights, 0.0), self.result.p)
        self._put(self.result.held | struck, heights)

    def raise_at(self, x: float, amount: float) -> None:
        """Raise or lower the density around x, in a smooth hump; ``amount`` is its height."""
        low, high = self.sight
        hump = amount * np.exp(-0.5 * ((self.result.problem.x - x) / (0.03 * (high - low))) ** 2)
        self._put(np.abs(hump) > 0.01 * abs(amount), np.maximum(self.result.p + hump, 0.0))
        self.let_go()

    def let_go(self) -> None:
        """Let the constraints take hold of what was drawn; the ascent starts here."""
        heights = tuple(self.result.p.tolist())
        self.settings = replace(self.settings, heights=heights, ascend=False)
        self.reset()

    def step(self) -> None:
        """Climb one step."""
        self.set(ascend=False)
        self._climb()

    def hide(self) -> None:
        """Stop climbing."""
        self.settings = replace(self.settings, ascend=False)
        super().hide()

    def update(self) -> None:
        """Begin with another problem; climb if that is wanted."""
        if replace(self.settings, ascend=False) != replace(self._begun, ascend=False):
            self.result = _begin(self.settings)
            self._begun = self.settings
        if self.settings.ascend:
            self._tick()

    def symbols(self) -> dict[str, float | str]:
        """H and the ELBO, the maximum, the KL divergence, the moments and the multipliers."""
        problem, p = self.result.problem, self.result.p
        mass = p * problem.cell
        mean = float(problem.x @ mass)
        slopes = [*self.result.multipliers[-1].tolist(), 0.0, 0.0]
        value, h = float(self.result.entropies[-1]), entropy.entropy(p, problem.cell)
        return {
            "H": h,
            "Hmax": problem.maximum,
            "ELBO": value,
            "joint": value - h,
            "logp": problem.maximum,
            "KL": float(self.result.divergences[-1]),
            "size": self.settings.size,
            "p": float(p.max()),
            "mean": round(mean, 9),  # no rounding errors
            "variance": float((problem.x - mean) ** 2 @ mass),
        } | {f"lambda{which}": slopes[which] for which in range(3)}

    def data(self) -> dict[str, Any]:
        """p, H or the ELBO, its maximum, KL at each step, and the multipliers now."""
        return {
            "p": self.result.p,
            "entropy": self.result.entropies[-1],
            "maximum": self.result.problem.maximum,
            "divergence": self.result.divergences,
            "multipliers": self.result.multipliers[-1],
        }

    def _put(self, held: Bools, heights: Float64) -> None:
        self.settings = replace(self.settings, ascend=False)
        problem = self.result.problem
        p = entropy.with_heights(self.result.p, held, heights, problem.cell)
        self.result = FunctionalsResult.of(problem, self.result.start, p, held)
        self.publish()

    def _climb(self) -> None:
        self.result = self.result.stepped()
        self.publish()

    def _tick(self) -> None:
        if not self.settings.ascend:
            return
        found = self.result
        if found.divergences[-1] < entropy.TOLERANCE or len(found.entropies) > entropy.MOST_STEPS:
            self.settings = replace(self.settings, ascend=False)
            self.publish()
            return
        self._climb()
        self.later(FRAME, self._tick)
