"""Recipes by name that come with the program, and what each was measured to take and to reach."""

from dataclasses import dataclass

from vae_explorer import paths
from vae_explorer.training.recipe import Recipe

NAMES = ("quick", "good", "best")
"""Of those that a person is offered first, from the shortest to the longest."""

_IN_CODE = {
    "quick": Recipe(
        epochs=6,
        learning_rate=3e-3,
        warmup_steps=200,
        precision="bfloat16",
    ),
    "good": Recipe(epochs=80, learning_rate=2e-3, precision="bfloat16"),
}
_BEST = "mnist-elbo"


@dataclass(frozen=True)
class _Measured:
    """``seconds`` beside the window on two cores; ``slower`` where they lack bfloat16."""

    title: str
    seconds: float
    slower: float
    figure: str


_MEASURED = {
    "quick": _Measured("Quick", 30, 60, "ELBO −136.1"),
    "good": _Measured("Good", 600, 1_200, "ELBO −131"),
    _BEST: _Measured("Best", 1_380, 2_700, "ELBO −128.8"),
    "mnist-exact": _Measured("mnist-exact", 3_000, 6_000, "log p(x) −115.3"),
    "mnist-iwae": _Measured("mnist-iwae", 1_500, 3_000, "log p(x) −122.6"),
    "mnist-paper": _Measured("mnist-paper", 1_800, 3_600, "log p(x) −124.1"),
}


@dataclass(frozen=True)
class Preset:
    """A recipe and its name; ``own`` if a person saved it and may delete it.

    ``seconds`` is what it took and ``figure`` what it reached, nats per image, where measured.
    """

    name: str
    recipe: Recipe
    own: bool = False
    seconds: float | None = None
    figure: str = ""


def first_presets() -> tuple[Preset, ...]:
    """Those of the program for which no file need be read; the first is offered first."""
    return tuple(as_computed_here(name, recipe) for name, recipe in _IN_CODE.items())


def as_computed_here(name: str, recipe: Recipe) -> Preset:
    """A recipe of the program: in bfloat16 only where that is the faster."""
    from vae_explorer.training.device import has_bfloat16

    low = recipe.precision == "bfloat16" and has_bfloat16()
    if not low:
        recipe = recipe.replace(precision="float32")
    if (known := _MEASURED.get(name)) is None:
        return Preset(name, recipe)
    seconds = known.seconds if low else known.slower
    return Preset(known.title, recipe, seconds=seconds, figure=known.figure)


def recipe_of(name: str) -> Recipe:
    """That of one of ``NAMES``, as this computer computes it."""
    recipe = _IN_CODE.get(name) or Recipe.read(paths.checkpoints() / f"{_BEST}.toml")
    return as_computed_here(name, recipe).recipe
