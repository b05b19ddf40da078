"""The layers of the map as data: their names, what they say, their keys and choices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated

from msgspec import Meta


@dataclass(frozen=True)
class Choice:
    """Something to choose in a layer: ``options`` are (value, text), the first the default."""

    id: str
    name: str
    options: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class LayerSpec:
    """A layer: ``about`` is its one line of explanation, ``key`` the key that shows or hides it."""

    id: str
    name: str
    about: str
    key: str
    choices: tuple[Choice, ...] = ()
    on: bool = False
    opacity: float = 1.0


@dataclass(frozen=True)
class LayerState:
    """How a layer is shown: ``opacity`` from 0 to 1, ``chosen`` the values of its choices.

    Raises:
        ValueError: there is no such layer, or not with these choices.
    """

    id: str
    on: bool
    opacity: Annotated[float, Meta(ge=0, le=1)]
    chosen: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        spec = next((spec for spec in LAYERS if spec.id == self.id), None)
        if spec is None:
            raise ValueError(f"is no layer of the map: “{self.id[:30]}”")
        for choice in spec.choices:
            options = dict(choice.options)
            if self.chosen.get(choice.id) not in options:
                raise ValueError(f"should have a “{choice.id}” in “chosen”: {', '.join(options)}")
        if len(self.chosen) > len(spec.choices):
            raise ValueError("has choices in “chosen” that the layer has not")


LAYERS: tuple[LayerSpec, ...] = (
    LayerSpec(
        "path",
        "Path",
        "The latent path chosen in the Paths panel; crosses are its waypoints.",
        "W",
        on=True,
    ),
    LayerSpec(
        "refined",
        "Refined posterior",
        "The Gaussian on its way from the encoder's q to the best of its family.",
        "F",
        on=True,
    ),
    LayerSpec(
        "ellipses",
        "Encoder's posterior",
        "q(z|x) of the hovered and pinned images at 1, 2 and 3 standard deviations, to scale.",
        "E",
        on=True,
    ),
    LayerSpec(
        "flow",
        "Training flow",
        "How each image's code moved between two snapshots.",
        "T",
        (
            Choice(
                "since",
                "Since",
                (("before", "The previous snapshot"), ("start", "The start of the run")),
            ),
        ),
        opacity=0.8,
    ),
    LayerSpec(
        "prior",
        "Prior",
        "The circles of N(0, I) at 1, 2 and 3 standard deviations: 39, 86 and 99 % lie within.",
        "N",
    ),
    LayerSpec(
        "posterior",
        "Exact posterior",
        "p(z|x) of the hovered or else the pinned image by quadrature; crosses mark its modes.",
        "X",
        opacity=0.9,
    ),
    LayerSpec(
        "likelihood",
        "Likelihood",
        "log p(x|z) of the pinned image at every z: where the decoder could have generated it.",
        "L",
        opacity=0.9,
    ),
    LayerSpec(
        "density",
        "Density",
        "Where the codes lie; a line holds the given share of them.",
        "D",
        (
            Choice(
                "of",
                "Of",
                (("posterior", "Aggregate posterior q(z)"), ("points", "Points")),
            ),
            Choice(
                "show",
                "As",
                (("lines", "Lines"), ("shade", "Shade"), ("both", "Shade and lines")),
            ),
        ),
        opacity=0.8,
    ),
    LayerSpec(
        "points",
        "Points",
        "One dot per image; where dots are dense, the shade shows how many.",
        "P",
        (
            Choice(
                "size",
                "Dots",
                (("adaptive", "Size by the view"), ("small", "Small"), ("large", "Large")),
            ),
        ),
        on=True,
    ),
    LayerSpec(
        "metric",
        "Metric",
        "How much the picture changes with a step in z; an ellipse is a step of equal change.",
        "M",
        (
            Choice(
                "metric",
                "Change of",
                (("euclidean", "Pixels (JᵀJ)"), ("fisher", "Distribution (Fisher)")),
            ),
            Choice(
                "show",
                "As",
                (("both", "Shade and ellipses"), ("shade", "Shade"), ("ellipses", "Ellipses")),
            ),
        ),
        opacity=0.8,
    ),
    LayerSpec(
        "classes",
        "Class regions",
        "The most probable class at z, from q(z) of each class; paler where uncertain.",
        "C",
        (
            Choice(
                "show",
                "As",
                (("class", "Most probable class"), ("entropy", "Entropy of p(y|z)")),
            ),
        ),
        opacity=0.5,
    ),
    LayerSpec(
        "manifold",
        "Manifold",
        "What the decoder generates at each z; zoom in for more.",
        "G",
        (
            Choice(
                "places",
                "Positions",
                (("even", "Evenly spaced"), ("quantiles", "Equal shares of the prior")),
            ),
        ),
        opacity=0.7,
    ),
)
"""The topmost first, which is the order they start in."""


def default_state(spec: LayerSpec) -> LayerState:
    """As a layer starts."""
    chosen = {choice.id: choice.options[0][0] for choice in spec.choices}
    return LayerState(spec.id, spec.on, spec.opacity, chosen)


def check_once(states: Sequence[LayerState]) -> None:
    """Refuse a layer that is there twice.

    Raises:
        ValueError: it is.
    """
    if len({state.id for state in states}) < len(states):
        raise ValueError("“layers” should have each layer once")
