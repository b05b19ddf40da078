"""A normal density pushed through a function, and the decoder as such a function."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

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
from vae_explorer.number_format import pair
from vae_explorer.session.jobs import Control
from vae_explorer.session.lessons.context import LessonContext
from vae_explorer.session.lessons.experiment import Experiment, Result, Settings, setting
from vae_explorer.session.lessons.pushed import SEEN, Pushed, push
from vae_explorer.types import Float32, Float64, Region

OWN, DECODER = "own", "decoder"
SIGHT = 3.0
"""Half the side of the lattice that is drawn, latent units."""
NODES = 41
"""Of that lattice, along each axis."""
PATCH = 0.25
"""Half the side of the square around z that is followed, latent units."""

_LINES, _FINE = 13, 241  # lines of the lattice each way, and points on each
_SAMPLES = (100, 1_000, 10_000, 100_000, 1_000_000)
_TYPED = ("function", (*FORMULAS, OWN))
_ALPHABET = "Numbers, z1, z2, + − * / **, sin cos tanh exp log sqrt abs hypot …"


@dataclass(frozen=True)
class PushforwardSettings(Settings):
    """The function f, how far ``t`` it is on, the samples, and the point ``z`` that is followed."""

    function: str = setting(
        "half-moon",
        "&f",
        "The function that z is pushed through",
        choices=(*FORMULAS, OWN, DECODER),
        titles=(*FORMULAS, "your own", "the decoder"),
    )
    x1: str = setting(FORMULAS["half-moon"][0], "x&₁ =", _ALPHABET, needs=_TYPED)
    x2: str = setting(FORMULAS["half-moon"][1], "x&₂ =", _ALPHABET, needs=_TYPED)
    t: float = setting(1.0, "&t", "How far from z itself, 0, to f(z), 1", high=1, step=0.01)
    components: tuple[int, int] = setting(
        (1, 2),
        "&components",
        "Which principal components of the decoded images are the axes",
        low=1,
        high=COMPONENTS,
        needs=("function", (DECODER,)),
    )
    samples: int = setting(
        10_000,
        "&samples",
        "How many z are sampled for the histogram",
        choices=_SAMPLES,
        titles=tuple(f"{n:,}" for n in _SAMPLES),
    )
    z: tuple[float, float] = setting(
        (0.5, 0.5), "", "The point that is followed", low=-SIGHT, high=SIGHT
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        try:
            Formula.parse(self.x1, self.x2)
        except ExpressionError as error:
            raise LessonError(f"A formula cannot be read: {error}") from error
        if self.components[0] == self.components[1]:
            raise LessonError("Setting 'components' must be two different ones.")

    def after(self, changes: Mapping[str, Any]) -> Self:
        """A known function has its own formulas, and others make it one's own."""
        changes = dict(changes)
        typed = "x1" in changes or "x2" in changes
        function = changes.get("function", OWN if typed else self.function)
        formulas = FORMULAS.get(str(function))
        if formulas is not None:
            changes = {"x1": formulas[0], "x2": formulas[1]} | changes
            if (changes["x1"], changes["x2"]) != formulas:
                function = OWN
        return self.replace(**(changes | {"function": function}))


def _lattice(side: float, nodes: int) -> Float64:
    axis = np.linspace(-side, side, nodes)
    return np.stack(np.meshgrid(axis, axis), axis=2)


_NODES = _lattice(SIGHT, NODES)
_MIDDLES = (_NODES[1:, 1:] + _NODES[:-1, :-1]) / 2
_LINES_BEFORE = _lattice(SIGHT, _FINE)[:: (_FINE - 1) // (_LINES - 1)]
_LINES_BEFORE = np.concatenate([_LINES_BEFORE, _LINES_BEFORE[..., ::-1]])


@dataclass(frozen=True, eq=False)
class Lattice:
    """What ``function`` makes of the lattice: at once.

    ``images`` (NODES, NODES, 2) of the nodes, z₂ rises from row to row; ``lines`` (k, n, 2);
    ``region`` is what of x is in sight; ``densities`` (NODES − 1, NODES − 1) the mass of each cell
    by its area, of the decoder by that in the space of images.
    """

    function: Map
    images: Float64
    lines: Float64
    region: Region
    densities: Float64

    @classmethod
    def of(cls, function: Map, magnification: Float64 | None) -> "Lattice":
        """All of it; ``magnification`` (NODES − 1, NODES − 1) is the decoder's, if it is that."""

        def now(z: Float64) -> Float64:
            return function(z.reshape(-1, 2)).reshape(z.shape)

        images = now(_NODES)
        mass = pushforward.normal_density(_MIDDLES) * (2 * SIGHT / (NODES - 1)) ** 2
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # where f has no value
            area = magnification
            if area is None:
                down, across = images[1:, 1:] - images[:-1, :-1], images[1:, :-1] - images[:-1, 1:]
                area = 0.5 * np.abs(down[..., 0] * across[..., 1] - down[..., 1] * across[..., 0])
            densities = np.asarray(mass / area)
        region = pushforward.window(function(pushforward.samples(SEEN)))
        return cls(function, images, now(_LINES_BEFORE), region, densities)


@dataclass(frozen=True, eq=False)
class PushforwardResult(Result):
    """What is seen.

    ``lattice`` is None while the decoder's images are found; ``pushed`` follows after a while.
    ``picture`` (h, w) in [0, 1] is decoded at z, while f is the decoder.
    """

    lattice: Lattice | None = None
    pushed: Pushed | None = None
    picture: Float32 | None = None


@dataclass(frozen=True, eq=False)
class _Decoder:
    model: TrainedVAE
    sheet: DecodedSheet
    magnification: Float64


class Pushforward(Experiment[PushforwardSettings, PushforwardResult]):
    """Pushes the plane forward, and follows one point of it."""

    subject = "shown"

    def __init__(self, context: LessonContext) -> None:
        super().__init__(context, PushforwardSettings(), PushforwardResult())
        self._push, self._decode = self.patient("pushforward"), self.newest("sheet")
        self._decoder: _Decoder | None = None
        self._of: tuple[object, float] | None = None
        self._of_pushed: Lattice | None = None

    @property
    def x(self) -> Float64:
        """Where z is now, (2,)."""
        return np.asarray(self.image_of(np.array([self.settings.z]))[0])

    def image_of(self, z: Float64) -> Float64:
        """Where z (n, 2) are now, (n, 2)."""
        lattice = self.result.lattice
        return z if lattice is None else np.asarray(lattice.function(z))

    @property
    def patch(self) -> Float64:
        """The edge of a small square around z, (n, 2)."""
        side = np.linspace(-PATCH, PATCH, _FINE // 8)
        low, high = np.full_like(side, -PATCH), np.full_like(side, PATCH)
        edges = [(side, low), (high, side), (side[::-1], high), (low, side[::-1])]
        return np.concatenate([np.stack(edge, axis=1) for edge in edges]) + self.settings.z

    def update(self) -> None:
        """Show what is known at once, and compute the densities when the last are done."""
        now, model = self.settings, self.context.model
        decodes = now.function == DECODER
        decoder = self._decoder if self._decoder and self._decoder.model is model else None
        if not decodes:
            self._decode.cancel()
        elif decoder is None:
            self._of = None
            self.result = replace(self.result, lattice=None, pushed=None, picture=None)
            if model is not None:
                self._find_sheet(model)
            return
        of = (now.function, now.x1, now.x2) + ((decoder, now.components) * decodes), now.t
        if of != self._of:
            if self._of is None or of[0] != self._of[0]:
                self.result = replace(self.result, pushed=None)
            self._of = of
            if decodes and decoder is not None:
                first, second = now.components
                function: Map = decoder.sheet.onto(first - 1, second - 1)
            else:
                function = Formula.parse(now.x1, now.x2)
            magnification = decoder.magnification if decodes and decoder else None
            lattice = Lattice.of(pushforward.towards(function, now.t), magnification)
            self.result = replace(self.result, lattice=lattice)
        picture = model.decode(np.array([now.z]))[0] if decodes and model is not None else None
        self.result = replace(self.result, picture=picture)
        self._compute()

    def symbols(self) -> dict[str, float | str]:
        """z and where it goes, the densities there, and how far the two densities are apart."""
        now, pushed = self.settings, self.result.pushed
        z = np.array([now.z])
        values: dict[str, float | str] = {
            "t": now.t,
            "pz": float(pushforward.normal_density(z)[0]),
            "det": float(pushforward.stretch(self.image_of, z)[0]),
            "x": pair(self.x.tolist(), 2),
            "n": f"{now.samples:,}",
        }
        if pushed is not None:
            values |= {
                "px": pushed.density_here,
                "k": str(len(pushed.preimages)),
                "apart": pushed.apart,
            }
        if self._decoder is not None:
            cell = ((z[0] / SIGHT + 1) / 2 * (NODES - 1)).astype(int).clip(0, NODES - 2)
            values["magnification"] = float(self._decoder.magnification[cell[1], cell[0]])
        return values

    def data(self) -> dict[str, Any]:
        """The region, the two densities and how far they are apart; x, |det J| and p(x) at z."""
        pushed = self.result.pushed
        if pushed is None:
            return {}
        return {
            "region": pushed.region,
            "density": pushed.density,
            "histogram": pushed.histogram,
            "apart": pushed.apart,
            "x": self.x,
            "stretch": float(pushforward.stretch(self.image_of, np.array([self.settings.z]))[0]),
            "density_here": pushed.density_here,
        }

    def _find_sheet(self, model: TrainedVAE) -> None:
        def work(control: Control) -> _Decoder:
            sheet = decoded_sheet(model, control.check)
            found = sheet_magnification(model, _MIDDLES.reshape(-1, 2), control.check)
            return _Decoder(model, sheet, found.reshape(NODES - 1, NODES - 1))

        def done(found: _Decoder) -> None:
            self._decoder = found
            self.update()
            self.publish()

        self._decode.ask(model, work, done)

    def _compute(self) -> None:
        now, lattice, of = self.settings, self.result.lattice, self._of
        assert lattice is not None
        assert of is not None
        known = self.result.pushed if self._of_pushed is lattice else None
        decodes = now.function == DECODER
        magnification = self._decoder.magnification if decodes and self._decoder else None
        closed = now.t if now.function == "ring" else None
        function, z, n = lattice.function, np.array([now.z]), now.samples

        def work(control: Control) -> Pushed:
            stretch = magnification
            if stretch is None:
                middles = _MIDDLES.reshape(-1, 2)
                stretch = pushforward.stretch(function, middles).reshape(NODES - 1, NODES - 1)
            return push(function, n, z, stretch, closed, known, control)

        def done(pushed: Pushed) -> None:
            if self._of is None or self._of[0] != of[0]:
                return  # of another function, but not of another t: that may be moving
            self._of_pushed = lattice
            self.publish(pushed=pushed)

        self._push.run(work, done)
