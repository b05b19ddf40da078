"""The path of a training run through the plane of rate and distortion.

The rate is KL and the distortion −log p(x|z), nats per image, so that ELBO = −(rate + distortion)
and training minimises distortion + β·rate (Alemi et al., "Fixing a Broken ELBO",
arXiv 1711.00464, §2): where it has come to rest, the best that can be reached has slope −β.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from typing_extensions import override

from vae_explorer.gui.curves.curve_table import NATS
from vae_explorer.gui.curves.panel import GROWTH, Panel
from vae_explorer.gui.curves.trace import robust_range, smoothed
from vae_explorer.gui.plot.axis import Axis
from vae_explorer.gui.plot.marks import Entry, Line, Mark, Ring
from vae_explorer.number_format import figure, pair
from vae_explorer.session.training.run_history import RunHistory
from vae_explorer.types import Float64

_REACH = 32  # pixels from the pointer to the position it reads
_COLUMNS: dict[str, tuple[str, str]] = {
    "all": ("kl", "log_likelihood"),
    "held_out": ("held_out_kl", "held_out_log_likelihood"),
}
_LINEAR = Axis()


@dataclass(frozen=True, eq=False)
class RunPath:
    """Rate and distortion of one run at its reports (``all``) or of the held-out images.

    ``overlay`` is the colour of another run. Only the training images' path is smoothed: the
    held-out metrics have no noise of minibatches.
    """

    history: RunHistory
    rows: Literal["all", "held_out"]
    overlay: str = ""
    smoothing: float = 0.0

    @property
    def color(self) -> str:
        """Its own, or that of the images it is of."""
        return self.overlay or ("train" if self.rows == "all" else "held_out")

    @property
    def positions(self) -> tuple[Float64, Float64]:
        """(n,) rates and (n,) distortions."""
        weight = self.smoothing if self.rows == "all" else 0.0
        rate, fit = (
            smoothed(self.history.column(name, self.rows), weight) for name in _COLUMNS[self.rows]
        )
        return rate, -fit

    @property
    def epochs(self) -> Float64:
        """(n,) the moment of each position."""
        return self.history.column("epoch", self.rows)

    def index(self, epoch: float | None) -> int | None:
        """The newest position at a moment, or of all; None if there was none yet."""
        epochs = self.epochs
        end = len(epochs) if epoch is None else int(np.searchsorted(epochs, epoch, side="right"))
        return end - 1 if end else None

    def at(self, epoch: float | None) -> tuple[float, float] | None:
        """The position at a moment; None if there is none, or it is not finite."""
        index = self.index(epoch)
        if index is None:
            return None
        rate, distortion = self.positions
        position = float(rate[index]), float(distortion[index])
        return position if np.isfinite(position).all() else None


class RateDistortionPanel(Panel):
    """Both paths with a dot at the moment read, and through it the line that training follows."""

    timed = False

    def __init__(self) -> None:
        super().__init__("Rate–distortion", f"rate ({NATS})", f"distortion ({NATS})")
        self.setToolTip(
            "KL against −log p(x|z) as training goes on. Along a line of slope −β the objective "
            "stays the same; a run at rest touches it"
        )
        self._paths: list[RunPath] = []
        self._names: list[str] = []

    def set_paths(self, paths: Sequence[RunPath], names: Sequence[str]) -> None:
        """Draw these, the run's own two first and then those of others by their names."""
        self._paths, self._names = list(paths), list(names)

    @override
    def refresh(self) -> None:
        lines = [
            Line(
                *path.positions, path.color, "", 1.0, bool(path.overlay) and path.rows == "held_out"
            )
            for path in self._paths
        ]
        self._own = tuple(lines[: len(self._own_paths)])
        self.set_plot(replace(self.plot, marks=tuple(lines)))
        self.show_marks()

    @override
    def fit(self) -> None:
        limits = self._limits
        if limits:
            self.set_range(*limits[0], *limits[1])
            self.show_marks()

    @override
    def fit_y(self) -> None:
        # The axis of rates is this panel's own, so there is nothing to keep.
        self.fit()

    @override
    def follow(self) -> None:
        limits = self._limits
        if limits is None:
            return
        ends = self.plot.x.ends, self.plot.y.ends
        for (low, high), (left, right) in zip(limits, ends, strict=True):
            if low < left or high > right or right - left > 2 * GROWTH * (high - low):
                self.fit()

    @override
    def time_at(self, x: float, y: float) -> float | None:
        at, best = self.to_pixel(x, y), (float(_REACH), -1.0)
        for path in self._own_paths:
            pixels = self.placed.pixels(*path.positions) - (at.x(), at.y())
            away = np.nan_to_num(np.hypot(*pixels.T), nan=np.inf)
            if len(away):
                nearest = int(away.argmin())
                best = min(best, (float(away[nearest]), float(path.epochs[nearest])))
        return best[1] if best[0] < _REACH else None

    @property
    def _own_paths(self) -> list[RunPath]:
        return [path for path in self._paths if not path.overlay]

    @property
    def _touching(self) -> tuple[tuple[float, float] | None, float | None]:
        """Where the line touches, and β at that moment where it is known."""
        for path in self._own_paths[:1]:
            index = path.index(self._reading)
            beta = np.nan if index is None else path.history.column("beta")[index]
            return path.at(self._reading), None if np.isnan(beta) else float(beta)
        return None, None

    @property
    def _limits(self) -> tuple[tuple[float, float], tuple[float, float]] | None:
        found = [
            robust_range(
                [(path.epochs, path.positions[axis]) for path in self._paths], _LINEAR, _LINEAR
            )
            for axis in (0, 1)
        ]
        return (found[0], found[1]) if found[0] and found[1] else None

    @override
    def show_marks(self) -> None:
        front: list[Mark] = []
        position, beta = self._touching
        if position and beta is not None:
            ends = np.array(self.region[:2])
            front.append(
                Line(ends, position[1] - beta * (ends - position[0]), "muted", "", 1.0, True)
            )
        for path in self._own_paths:
            then = None if self._moment is None else path.at(self._moment)
            if then:
                front.append(Ring(then, "accent"))
            now = path.at(self._reading)
            if now:
                front.append(Ring(now, path.color, 4.5, "."))
        self.show_read(tuple(front), self._entries(), self.plot.x.label)

    def _entries(self) -> list[Entry]:
        entries = []
        for path in self._own_paths:
            position = path.at(self._reading)
            value = pair(position, 2) if position else ""
            name = "train" if path.rows == "all" else "held-out"
            entries.append(Entry(path.color, "━●", name, value))
        beta = self._touching[1]
        if beta is not None:
            entries.append(Entry("muted", "╍╍", "slope −β =", figure(-beta, ".3g")))
        colors = [path.overlay for path in self._paths if path.overlay and path.rows == "all"]
        entries += [Entry(c, "━", name) for c, name in zip(colors, self._names, strict=True)]
        return entries
