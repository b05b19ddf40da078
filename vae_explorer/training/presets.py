"""Recipes by name that come with the program, and what each was measured to take and to reach."""

from dataclasses import dataclass
from functools import cache

from vae_explorer import paths
from vae_explorer.training.recipe import Recipe

NAMES = ("quick", "good", "best")
"""Of those that a person is offered first, from the shortest to the longest."""

_SOON = Recipe(warmup_steps=200, precision="bfloat16", fourier_features=64, fourier_scale=2.0)
"""More and faster waves of z than a recipe has by default: worth a nat or more in few epochs."""
_IN_CODE = {
    "quick": _SOON.replace(epochs=7, learning_rate=3e-3),
    "good": _SOON.replace(epochs=115, learning_rate=2e-3),
}
_BEST = "mnist-elbo"

_MEASURED: dict[str, tuple[str, float, str]] = {
    "quick": ("Quick", 36, "ELBO −134.6"),
    "good": ("Good", 600, ""),
    _BEST: ("Best", 1020, "ELBO −129.9"),
    "mnist-exact": ("mnist-exact", 400, "log p(x) −115.2"),
    "mnist-iwae": ("mnist-iwae", 610, "log p(x) −122.5"),
    "mnist-paper": ("mnist-paper", 270, "log p(x) −124.1"),
}
"""Names on screen, seconds beside the window on two cores without AMX, and held-out figures."""


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
    from vae_explorer.training.device import bfloat16_is_faster

    if not bfloat16_is_faster():
        recipe = recipe.replace(precision="float32")
    if name not in _MEASURED:
        return Preset(name, recipe)
    title, seconds, figure = _MEASURED[name]
    return Preset(title, recipe, seconds=seconds, figure=figure)


def recipe_of(name: str) -> Recipe:
    """That of one of ``NAMES``, as this computer computes it."""
    return as_computed_here(name, _first_recipes()[name]).recipe


def nearest_preset(recipe: Recipe) -> Preset | None:
    """That of ``NAMES`` from which a recipe differs in the seed at most, in its precision."""
    for name, other in _first_recipes().items():
        if recipe == (same := other.replace(precision=recipe.precision)).replace(seed=recipe.seed):
            return Preset(_MEASURED[_BEST if name == "best" else name][0], same)
    return None


@cache
def _first_recipes() -> dict[str, Recipe]:
    return {**_IN_CODE, "best": Recipe.read(paths.checkpoints() / f"{_BEST}.toml")}
