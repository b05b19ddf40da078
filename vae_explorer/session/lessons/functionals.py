"""Bars and densities to pull about, whose entropy is seen, and climbed."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from psygnal import Signal

from vae_explorer.lessons import entropy
from vae_explorer.lessons.course import LessonError
from vae_explorer.session.lessons.constraints import CONSTRAINTS, Constraint
from vae_explorer.session.lessons.instrument import Instrument, refuse_unknown
from vae_explorer.session.lessons.workbench import Workbench
from vae_explorer.types import Bools, Float64

FRAME = 0.03
"""Seconds from one step of the ascent to the next."""
SHAPES = entropy.SHAPES
"""Where a density may start."""


class Functionals(Instrument):
    """A density p on bars, an interval, the line or the half-line, and the ascent of its entropy.

    A hand may hold p where it likes; when it lets go, the constraints take hold again.
    """

    changed = Signal()
    """Another p, or another problem."""
    running_changed = Signal(bool)
    """The ascent began or ended."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench)
        self.constraint = "bars"
        self.size = 6.0
        self.shape = "humps"
        self.running = False
        self._shown = False
        self._run: object = None
        self._drawn: Float64 | None = None
        self._p: Float64 = np.empty(0)
        self._restart()

    # What there is to see

    @property
    def problem(self) -> entropy.Problem:
        """What is maximised under which constraints."""
        return self._problem

    @property
    def p(self) -> Float64:
        """The density at ``problem.x``, (m,)."""
        return self._p

    @property
    def kind(self) -> Constraint:
        """What is said of the constraint."""
        return CONSTRAINTS[self.constraint]

    @property
    def start(self) -> Float64:
        """The density that the ascent started from, (m,)."""
        return self._start

    @property
    def sight(self) -> tuple[float, float]:
        """The x that are shown."""
        if self.constraint == "bars":
            return 0.0, float(len(self._problem.x))
        return self.kind.sight

    @property
    def held(self) -> bool:
        """A hand holds p, and the constraints rest."""
        return bool(self._held.any())

    @property
    def entropies(self) -> Float64:
        """H at each step so far, (steps + 1,) nats."""
        return np.array(self._entropies)

    @property
    def divergences(self) -> Float64:
        """KL to the maximiser at each step so far, (steps + 1,) nats."""
        return np.array(self._divergences)

    @property
    def multipliers(self) -> Float64:
        """λ₀, λ₁ … at each step so far, (steps + 1, 1 + k)."""
        return np.array(self._multipliers)

    @property
    def final_multipliers(self) -> Float64:
        """What they come to in closed form, (1 + k,)."""
        slopes = self._problem.multipliers
        constant = 1 - self._problem.maximum - slopes @ self._problem.moments
        return np.concatenate([[constant], slopes])

    # What a person does

    def set_constraint(self, constraint: str) -> None:
        """Take up another kind of problem, of its usual size."""
        self.constraint, self.size = constraint, CONSTRAINTS[constraint].usual
        self._drawn = None
        self._restart()

    def set_size(self, size: float) -> None:
        """Take another n, b − a, σ or μ, within its range; start from the shape."""
        low, high = self.kind.range
        self.size = min(max(size, low), high)
        self._drawn = None
        self._restart()

    def set_shape(self, shape: str) -> None:
        """Start from another shape."""
        self.shape = shape
        self._drawn = None
        self._restart()

    def reset(self) -> None:
        """Go back to where the ascent started."""
        self._restart()

    def hold(self, index: int, height: float) -> None:
        """Hold one bar at this height while the others make room."""
        held = np.arange(len(self._p)) == index
        heights = np.clip(np.full(len(self._p), height), 0.0, 1 / self._problem.cell)
        self._take(held, heights)

    def draw(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Hold the density along a stroke from (x, height) to another; so until ``let_go``."""
        (x0, y0), (x1, y1) = sorted((start, end))
        half = self._problem.cell / 2
        x = self._problem.x
        struck = (x >= x0 - half) & (x <= x1 + half)
        heights = np.interp(x, [x0, max(x1, x0 + 1e-9)], [y0, y1])
        self._take(self._held | struck, np.where(struck, np.maximum(heights, 0.0), self._p))

    def raise_at(self, x: float, amount: float) -> None:
        """Raise or lower the density around a place, in a smooth hump; ``amount`` is its height."""
        low, high = self.sight
        hump = amount * np.exp(-0.5 * ((self._problem.x - x) / (0.03 * (high - low))) ** 2)
        self._take(np.abs(hump) > 0.01 * abs(amount), np.maximum(self._p + hump, 0.0))
        self.let_go()

    def let_go(self) -> None:
        """Let the constraints take hold of what was drawn; the ascent starts here."""
        self._drawn = self._p
        self._restart()

    def ascend(self) -> None:
        """Let the entropy climb until it is at its maximum."""
        if not self.running and self._shown:
            self._set_running(True)
            self._tick(self._run)

    def pause(self) -> None:
        """Leave the ascent where it is."""
        self._set_running(False)

    def step(self) -> None:
        """Climb one step."""
        self._p = entropy.step(self._problem, self._p)
        self._record()
        self.changed.emit()

    # As every instrument

    def show(self) -> None:
        """Be ready to climb."""
        self._shown = True
        self._tell()

    def hide(self) -> None:
        """Leave off climbing."""
        self._shown = False
        self._set_running(False)

    def state(self) -> dict[str, Any]:
        """The problem, where p started, and whether it climbs."""
        state: dict[str, Any] = {"constraint": self.constraint, "size": self.size}
        if self._drawn is None:
            state["shape"] = self.shape
        else:
            state["heights"] = [float(f"{height:.4g}") for height in self._start]
        return state | {"ascend": self.running}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Set ``constraint``, ``size``, ``shape`` or ``heights`` (m,), and let it ``ascend``.

        ``heights`` may be fewer than the cells; they are then joined by lines.
        """
        refuse_unknown(state, {"constraint", "size", "shape", "heights", "ascend"})
        constraint = state.get("constraint", self.constraint)
        if constraint not in CONSTRAINTS:
            raise LessonError(
                f"'{constraint}' is no constraint; take one of {', '.join(CONSTRAINTS)}."
            )
        low, high = CONSTRAINTS[constraint].range
        usual = self.size if constraint == self.constraint else CONSTRAINTS[constraint].usual
        size = state.get("size", usual)
        if not isinstance(size, (int, float)) or not low <= size <= high:
            raise LessonError(f"size must be a number from {low:g} to {high:g}, not {size}.")
        shape = state.get("shape", self.shape)
        if shape not in SHAPES:
            raise LessonError(f"'{shape}' is no shape; take one of {', '.join(SHAPES)}.")
        heights = state.get("heights")
        if heights is not None:
            heights = _heights(heights)
        self._set_running(False)
        self.constraint, self.size, self.shape = constraint, float(size), shape
        self._drawn = heights
        self._restart()
        if state.get("ascend"):
            self.ascend()

    def data(self) -> dict[str, Any]:
        """p, H, its maximum, KL at each step, and the multipliers now."""
        return {
            "p": self._p,
            "entropy": self._entropies[-1],
            "maximum": self._problem.maximum,
            "divergence": self.divergences,
            "multipliers": self._multipliers[-1],
        }

    def _restart(self) -> None:
        self._set_running(False)
        problem = self._problem = self.kind.make(self.size)
        m = len(problem.x)
        if self._drawn is None:
            low, high = (share * self.size for share in self.kind.spread)
            heights = entropy.shape(self.shape, problem, low, high)
        else:
            drawn = self._drawn
            heights = np.interp(np.linspace(0, 1, m), np.linspace(0, 1, len(drawn)), drawn)
        self._start = entropy.project(problem, entropy.normalised(heights, problem.cell))
        self._p = self._start
        self._held = np.zeros(m, bool)
        self._forget()
        self.changed.emit()

    def _take(self, held: Bools, heights: Float64) -> None:
        self._set_running(False)
        self._held = held
        self._p = entropy.with_heights(self._p, held, heights, self._problem.cell)
        self._forget()
        self.changed.emit()

    def _forget(self) -> None:
        self._entropies: list[float] = []
        self._divergences: list[float] = []
        self._multipliers: list[Float64] = []
        self._record()

    def _record(self) -> None:
        problem, p = self._problem, self._p
        self._entropies.append(entropy.entropy(p, problem.cell))
        self._divergences.append(entropy.divergence(p, problem.best, problem.cell))
        self._multipliers.append(entropy.multipliers(problem, p))
        self._tell()

    def _tell(self) -> None:
        problem, mass = self._problem, self._p * self._problem.cell
        mean = float(problem.x @ mass)
        slopes = [*self._multipliers[-1].tolist(), 0.0, 0.0]
        self.tell(
            H=self._entropies[-1],
            Hmax=problem.maximum,
            KL=self._divergences[-1],
            size=self.size,
            p=float(self._p.max()),
            mean=round(mean, 9),  # no rounding errors
            variance=float((problem.x - mean) ** 2 @ mass),
            lambda0=slopes[0],
            lambda1=slopes[1],
            lambda2=slopes[2],
        )

    def _set_running(self, running: bool) -> None:
        if running != self.running:
            self.running = running
            # What still waits for its time belongs to an ascent that is over.
            self._run = object()
            self.running_changed.emit(running)

    def _tick(self, run: object) -> None:
        if run is not self._run or not self.running:
            return
        if self._divergences[-1] < entropy.TOLERANCE or len(self._entropies) > entropy.MOST_STEPS:
            self._set_running(False)
            return
        self.step()
        self.bench.after(FRAME, partial(self._tick, run))


def _heights(heights: Any) -> Float64:
    known = isinstance(heights, list) and len(heights) >= 2
    if known and all(isinstance(height, int | float) and height >= 0 for height in heights):
        return np.array(heights, np.float64)
    raise LessonError("heights must be a list of two numbers or more, none below 0.")
