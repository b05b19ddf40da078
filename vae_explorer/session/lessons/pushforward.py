"""A normal density pushed through a function, and the decoder as such a function."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from psygnal import Signal, SignalInstance

from vae_explorer.lessons import pushforward
from vae_explorer.lessons.course import LessonError
from vae_explorer.lessons.decoded_sheet import (
    COMPONENTS,
    DecodedSheet,
    decoded_sheet,
    sheet_magnification,
)
from vae_explorer.lessons.expression import ExpressionError
from vae_explorer.lessons.pushforward import FORMULAS, Formula, Map
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.session.jobs import Control
from vae_explorer.session.lessons.instrument import Instrument, refuse_unknown
from vae_explorer.session.lessons.pushed import SEEN, Pushed, push
from vae_explorer.session.lessons.workbench import Workbench
from vae_explorer.types import Float32, Float64, Region

OWN, DECODER = "own", "decoder"
FUNCTIONS = (*FORMULAS, OWN, DECODER)
"""What z can be pushed through; "own" is what a person types."""
SAMPLES = (100, 1_000, 10_000, 100_000, 1_000_000)
SIGHT = 3.0
"""Half the side of the lattice that is drawn, latent units."""
NODES = 41
"""Of that lattice, along each axis."""
PATCH = 0.25
"""Half the side of the square around z that is followed, latent units."""

_LINES, _FINE = 13, 241  # lines of the lattice each way, and places on each
_KEYS = {"function", "x1", "x2", "t", "samples", "z", "components"}


class Pushforward(Instrument):
    """Holds a function f, how far t it is on, and a place z that is followed."""

    lattice_changed = Signal()
    """Another function or another t, and so other images of the lattice; at once."""
    place_changed = Signal()
    """Another z alone; at once."""
    pushed = Signal()
    """Other densities; after a while."""
    problem_changed = Signal(str)
    """What is wrong with the formula that was typed; "" if nothing is."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench)
        self.function = "half-moon"
        self.texts = FORMULAS["half-moon"]
        self.t = 1.0
        self.samples = 10_000
        self.z = (0.5, 0.5)
        self.components = (1, 2)
        self.problem = ""
        self.result: Pushed | None = None
        self.sheet: DecodedSheet | None = None
        self.picture: Float32 | None = None
        """(h, w) in [0, 1], decoded at z, while f is the decoder."""
        self._map: Map = Formula.parse(*self.texts)
        self._magnification: Float64 | None = None
        self._known: tuple[Map, float] = (self._map, -1.0)
        self._computed: tuple[Map, float] = self._known
        self._shown = self._busy = self._stale = False
        axis = np.linspace(-SIGHT, SIGHT, NODES)
        self.nodes = np.stack(np.meshgrid(axis, axis), axis=2)
        """(NODES, NODES, 2), z₂ rises from row to row."""
        self._middles = (self.nodes[1:, 1:] + self.nodes[:-1, :-1]) / 2
        self._drawn = pushforward.samples(SEEN)
        bench.model_changed.connect(self._on_model)
        self._tell()

    # What there is to see

    @property
    def ready(self) -> bool:
        """The function can be computed; the decoder's images take a moment."""
        return self.function != DECODER or self.sheet is not None

    @property
    def images(self) -> Float64:
        """Where the nodes are now, (NODES, NODES, 2)."""
        return self._now(self.nodes.reshape(-1, 2)).reshape(self.nodes.shape)

    @property
    def x(self) -> Float64:
        """Where z is now, (2,)."""
        return np.asarray(self._now(np.array([self.z]))[0])

    @property
    def lines(self) -> Float64:
        """Lines of the lattice as they are now, (k, n, 2)."""
        fine, few = np.linspace(-SIGHT, SIGHT, _FINE), np.linspace(-SIGHT, SIGHT, _LINES)
        along = [np.stack([fine, np.full(_FINE, level)], axis=1) for level in few]
        both = np.stack([*along, *(line[:, ::-1] for line in along)])
        return self._now(both.reshape(-1, 2)).reshape(both.shape)

    @property
    def patch(self) -> Float64:
        """What has become of the edge of a small square around z, (n, 2)."""
        return self._now(self.patch_before)

    @property
    def patch_before(self) -> Float64:
        """That edge, (n, 2)."""
        side = np.linspace(-PATCH, PATCH, _FINE // 8)
        low, high = np.full_like(side, -PATCH), np.full_like(side, PATCH)
        edges = [(side, low), (high, side), (side[::-1], high), (low, side[::-1])]
        return np.concatenate([np.stack(edge, axis=1) for edge in edges]) + self.z

    @property
    def region(self) -> Region:
        """What of x is in sight now."""
        return pushforward.window(self._now(self._drawn))

    def cell_densities(self, images: Float64) -> Float64 | None:
        """The mass of each cell of the lattice by the area it has now, (NODES − 1, NODES − 1).

        Of the decoder, by its area in the space of images, None until that is known.
        """
        mass = pushforward.normal_density(self._middles) * (2 * SIGHT / (NODES - 1)) ** 2
        if self.function == DECODER:
            if self._magnification is None:
                return None
            return np.asarray(mass / self._magnification)
        down, across = images[1:, 1:] - images[:-1, :-1], images[1:, :-1] - images[:-1, 1:]
        area = 0.5 * np.abs(down[..., 0] * across[..., 1] - down[..., 1] * across[..., 0])
        with np.errstate(divide="ignore"):
            return np.asarray(mass / area)

    # What a person does

    def set_function(self, function: str) -> None:
        """Take up another of ``FUNCTIONS``."""
        if function in FORMULAS:
            self.texts = FORMULAS[function]
        self.function = function
        self._take_up()

    def set_texts(self, x1: str, x2: str) -> None:
        """Type a function; what cannot be read is told, and the one before stays."""
        try:
            Formula.parse(x1, x2)
        except ExpressionError as error:
            self._set_problem(str(error))
            return
        self.texts, self.function = (x1, x2), OWN
        self._take_up()

    def set_t(self, t: float) -> None:
        """Go some way, 0 to 1, from the identity to f."""
        self.t = min(max(t, 0.0), 1.0)
        self._update()

    def set_samples(self, samples: int) -> None:
        """Draw so many."""
        self.samples = samples
        self._update()

    def set_z(self, z1: float, z2: float) -> None:
        """Follow another place, within what is drawn."""
        self.z = (min(max(z1, -SIGHT), SIGHT), min(max(z2, -SIGHT), SIGHT))
        self._update(self.place_changed)

    def set_components(self, first: int, second: int) -> None:
        """Look at two other components of the images, from 1."""
        self.components = (first, second)
        self._take_up()

    # As every instrument

    def show(self) -> None:
        """Begin to compute."""
        self._shown = True
        self._take_up()

    def hide(self) -> None:
        """Leave off."""
        self._shown = self._busy = self._stale = False
        for key in ("pushforward", "sheet"):
            self.bench.cancel(key)

    def state(self) -> dict[str, Any]:
        """The function, how far, how many samples, and z."""
        state: dict[str, Any] = {
            "function": self.function,
            "t": self.t,
            "samples": self.samples,
            "z": list(self.z),
        }
        if self.function == OWN:
            state |= {"x1": self.texts[0], "x2": self.texts[1]}
        if self.function == DECODER:
            state["components"] = list(self.components)
        return state

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Set ``function``, or ``x1`` and ``x2``; ``t``, ``samples``, ``z``, ``components``."""
        refuse_unknown(state, _KEYS)
        typed = "x1" in state or "x2" in state
        function = OWN if typed else state.get("function", self.function)
        if function not in FUNCTIONS:
            raise LessonError(f"'{function}' is no function; take one of {', '.join(FUNCTIONS)}.")
        texts = str(state.get("x1", self.texts[0])), str(state.get("x2", self.texts[1]))
        try:
            Formula.parse(*texts)
        except ExpressionError as error:
            raise LessonError(f"A formula of the lesson cannot be read: {error}") from error
        t, z = state.get("t", self.t), state.get("z", self.z)
        samples = state.get("samples", self.samples)
        components = state.get("components", self.components)
        if not _numbers([t], 1, 0.0, 1.0):
            raise LessonError(f"t must be a number from 0 to 1, not {t}.")
        if samples not in SAMPLES:
            raise LessonError(f"samples must be one of {', '.join(map(str, SAMPLES))}.")
        if not _numbers(z, 2, -SIGHT, SIGHT):
            raise LessonError(f"z must be two numbers within ±{SIGHT:g}, not {z}.")
        whole = _numbers(components, 2, 1, COMPONENTS) and all(
            isinstance(one, int) for one in components
        )
        if not whole or components[0] == components[1]:
            raise LessonError(f"components must be two different ones from 1 to {COMPONENTS}.")
        self.texts = FORMULAS.get(function, texts)
        self.function, self.t, self.samples = function, float(t), samples
        self.z = (float(z[0]), float(z[1]))
        self.components = (components[0], components[1])
        self._take_up()

    def data(self) -> dict[str, Any]:
        """The region, the two densities and how far they are apart; x, |det J| and p(x) at z."""
        result = self.result
        if result is None:
            return {}
        return {
            "region": result.region,
            "density": result.density,
            "histogram": result.histogram,
            "apart": result.apart,
            "x": self.x,
            "stretch": float(pushforward.stretch(self._now, np.array([self.z]))[0]),
            "density_here": result.density_here,
        }

    def _now(self, z: Float64) -> Float64:
        return pushforward.towards(self._map, self.t)(z)

    def _set_problem(self, problem: str) -> None:
        if problem != self.problem:
            self.problem = problem
            self.problem_changed.emit(problem)

    def _on_model(self, _: TrainedVAE) -> None:
        self.sheet = self._magnification = None
        self.bench.cancel("sheet")
        if self._shown and self.function == DECODER:
            self._take_up()

    def _take_up(self) -> None:
        """Begin with another function; the decoder's images are found first."""
        self._set_problem("")
        if not self.ready:
            if self._shown and self.bench.model is not None:
                self._find_sheet(self.bench.model)
            return
        if self.function == DECODER:
            assert self.sheet is not None
            first, second = self.components
            self._map = self.sheet.onto(first - 1, second - 1)
        else:
            self._map = Formula.parse(*self.texts)
        self._update()

    def _find_sheet(self, model: TrainedVAE) -> None:
        middles = self._middles.reshape(-1, 2)

        def work(control: Control) -> tuple[DecodedSheet, Float64]:
            sheet = decoded_sheet(model, control.check)
            return sheet, sheet_magnification(model, middles, control.check)

        def done(found: tuple[DecodedSheet, Float64]) -> None:
            self.sheet, magnification = found
            self._magnification = magnification.reshape(NODES - 1, NODES - 1)
            self._take_up()

        self.lattice_changed.emit()
        self.bench.compute("sheet", work, done)

    def _update(self, told: SignalInstance | None = None) -> None:
        """Tell of what is known at once, and compute the densities when the last are done."""
        if not self._shown or not self.ready:
            return
        model = self.bench.model
        self.picture = None
        if self.function == DECODER and model is not None:
            self.picture = model.decode(np.array([self.z]))[0]
        self._tell()
        (told or self.lattice_changed).emit()
        self._stale = True
        self._compute()

    def _compute(self) -> None:
        # One after the other, not newest wins: else a slider that moves would starve them.
        if self._busy or not self._stale:
            return
        self._busy, self._stale = True, False
        now, z, n = pushforward.towards(self._map, self.t), np.array([self.z]), self.samples
        known = self.result if self._known == (self._map, self.t) else None
        self._computed = (self._map, self.t)
        middles = self._middles.reshape(-1, 2)
        magnification = self._magnification if self.function == DECODER else None
        closed = self.t if self.function == "ring" else None

        def work(control: Control) -> Pushed:
            stretch = magnification
            if stretch is None:
                stretch = pushforward.stretch(now, middles).reshape(NODES - 1, NODES - 1)
            return push(now, n, z, stretch, closed, known, control)

        self.bench.compute("pushforward", work, self._on_pushed)

    def _on_pushed(self, result: Pushed) -> None:
        self._busy = False
        self.result, self._known = result, self._computed
        self._tell()
        self.pushed.emit()
        self._compute()

    def _tell(self) -> None:
        z = np.array([self.z])
        x1, x2 = self.x.tolist()
        det = float(pushforward.stretch(self._now, z)[0])
        values: dict[str, float | str] = {
            "t": self.t,
            "pz": float(pushforward.normal_density(z)[0]),
            "det": det,
            "x": f"({x1:.2f}, {x2:.2f})".replace("-", "−"),
            "n": f"{self.samples:,}".replace(",", "\N{THIN SPACE}"),
        }
        if self.result is not None:
            values |= {
                "px": self.result.density_here,
                "k": str(len(self.result.preimages)),
                "apart": self.result.apart,
            }
        if self._magnification is not None:
            cell = ((z[0] / SIGHT + 1) / 2 * (NODES - 1)).astype(int).clip(0, NODES - 2)
            values["magnification"] = float(self._magnification[cell[1], cell[0]])
        self.tell(**values)


def _numbers(values: Any, count: int, low: float, high: float) -> bool:
    return (
        isinstance(values, (list, tuple))
        and len(values) == count
        and all(
            isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high
            for value in values
        )
    )
