"""What the numbers of a model mean: of what likelihood they are, and of whose data."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vae_explorer.errors import RecipeError
from vae_explorer.training.cost import warning
from vae_explorer.training.recipe import Recipe
from vae_explorer.types import ImageShape

if TYPE_CHECKING:
    from vae_explorer.training.snapshot import DataReference, Snapshot  # which brings PyTorch


MARK = "‡"
"""Stands behind the name of a figure that is no likelihood; a tip or a note says why."""


@dataclass(frozen=True)
class Remark:
    """Something to know beside a figure: ``mark`` in a few words, ``text`` in a sentence or two."""

    mark: str
    text: str


def measure(recipe: Recipe) -> str:
    """What a recipe's log p(x|z), and with it ELBO and log p(x), are of the pixels."""
    gray = recipe.treatment == "gray"
    if recipe.likelihood == "bernoulli":
        return "cross-entropy" if gray else "likelihood"
    return "density" if gray else "density of binary pixels"


_NO_LIKELIHOODS = {
    "cross-entropy": Remark(
        "cross-entropy, no likelihood",
        "Gray pixels under a Bernoulli give a cross-entropy, no likelihood: what is called "
        "log p(x) or ELBO is no probability of the data. Choose binarized pixels, or the "
        "continuous-bernoulli.",
    ),
    "density of binary pixels": Remark(
        "density of binary pixels, no likelihood",
        "A density of pixels that are 0 or 1 grows without bound: what is called log p(x) or ELBO "
        "is no probability of the data. Choose gray pixels, or the bernoulli.",
    ),
}


def no_likelihood(recipe: Recipe | str) -> Remark | None:
    """Why a recipe's figures are no likelihood of the data, if they are not.

    Of its ``measure`` too, where only that is known.
    """
    return _NO_LIKELIHOODS.get(recipe if isinstance(recipe, str) else measure(recipe))


def named(figure: str, remark: Remark | None) -> str:
    """The name of a figure such as "ELBO", marked if ``no_likelihood`` has something to say."""
    return f"{figure} {MARK}" if remark else figure


def explained(tip: str, remark: Remark | None) -> str:
    """What is told of a figure, and why its name is marked."""
    return "\n".join(filter(None, (tip, f"{MARK} {remark.text}" if remark else "")))


def ignored(recipe: Recipe, fields: Iterable[str] | None = None) -> tuple[str, ...]:
    """Those of ``fields`` that have not their default value, but make no difference."""
    specs, usual = Recipe.specs(), Recipe()
    return tuple(
        name
        for name in (specs if fields is None else fields)
        if getattr(recipe, name) != getattr(usual, name) and not specs[name].applies(recipe)
    )


def cautions(recipe: Recipe, shape: ImageShape) -> tuple[str, ...]:
    """What its figures are not, and what a step of it takes, if either is worth a sentence."""
    remark = no_likelihood(recipe)
    return tuple(filter(None, (remark.text if remark else "", warning(recipe, shape))))


def judge(recipe: Recipe, shape: ImageShape) -> tuple[str, ...]:
    """What somebody should know before a recipe is trained, in sentences; none of a sound one."""
    return (*cautions(recipe, shape), *(_idle(recipe, name) for name in ignored(recipe)))


def check_heeded(recipe: Recipe, fields: Iterable[str]) -> None:
    """Refuse changes that make no difference.

    Raises:
        RecipeError: one of ``fields`` is of another value than by default, and ignored.
    """
    for name in ignored(recipe, fields):
        raise RecipeError(_idle(recipe, name))


def foreign(trained_on: "DataReference", shown: "DataReference") -> Remark | None:
    """That a model of other data is shown, if it is.

    Args:
        trained_on: as the checkpoint has it.
        shown: all training images of the data that is shown; a model of some of them is of it too.
    """
    known = trained_on.name == shown.name and trained_on.images != shown.images
    if known or trained_on.fingerprint == shown.fingerprint:
        return None
    name = trained_on.name if trained_on.name != shown.name else f"other images called {shown.name}"
    return Remark(
        f"trained on {name}",
        f"Trained on {name} ({trained_on.images:,} images, SHA-256 "
        f"{trained_on.fingerprint[:12]}…), shown on {shown.name}: every figure of images "
        f"is of {shown.name}.",
    )


def of_model(snapshot: "Snapshot", shown: "DataReference") -> tuple[Remark, ...]:
    """What is to be said beside a model's figures; ``shown`` as for ``foreign``."""
    found = (foreign(snapshot.data, shown), no_likelihood(snapshot.recipe), _elsewhere(snapshot))
    return tuple(remark for remark in found if remark)


def no_figures(snapshot: "Snapshot") -> Remark | None:
    """Why figures of a model are no likelihood, or not known at all, if that is so."""
    reason = snapshot.model.no_marginal
    return Remark("no log p(x)", reason) if reason else no_likelihood(snapshot.recipe)


def _elsewhere(snapshot: "Snapshot") -> Remark | None:
    vae = snapshot.model.vae
    if vae.architecture.network != "outside":
        return None
    text = "From another program: of its networks and its training nothing is known here."
    return Remark("from another program", f"{text} {vae.no_marginal}".strip())


def marks(snapshot: "Snapshot", shown: "DataReference") -> str:
    """The same in a few words, for a column of a table or a text in a picture; "" if nothing is."""
    return "; ".join(remark.mark for remark in of_model(snapshot, shown))


def origin(snapshot: "Snapshot") -> dict[str, str]:
    """What a picture of a model says of it, by the keywords of PNG."""
    data, remark = snapshot.data, no_likelihood(snapshot.recipe)
    source = f"a model trained on {data.name}, {data.images:,} images, SHA-256 {data.fingerprint}"
    return {"Source": source} | ({"Warning": remark.text} if remark else {})


def _idle(recipe: Recipe, name: str) -> str:
    spec = Recipe.specs()[name]
    assert spec.needs is not None
    other = spec.needs[0]
    return (
        f"'{name}' is {getattr(recipe, name)} and makes no difference: {other} is "
        f"{getattr(recipe, other)}."
    )
