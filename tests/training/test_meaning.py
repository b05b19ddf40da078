import dataclasses

import pytest

from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import RecipeError
from vae_explorer.training.meaning import (
    check_heeded,
    explained,
    foreign,
    ignored,
    judge,
    marks,
    measure,
    named,
    no_likelihood,
    origin,
)
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.snapshot import BUNDLED, DataReference, Snapshot
from vae_explorer.types import BUNDLED_SHAPE


@pytest.mark.parametrize(
    ("likelihood", "treatment", "name", "sound"),
    [
        ("bernoulli", "binarized", "likelihood", True),
        ("bernoulli", "threshold", "likelihood", True),
        ("bernoulli", "gray", "cross-entropy", False),
        ("continuous-bernoulli", "gray", "density", True),
        ("gaussian", "gray", "density", True),
        ("gaussian", "binarized", "density of binary pixels", False),
        ("continuous-bernoulli", "threshold", "density of binary pixels", False),
    ],
)
def test_figures_are_called_what_they_are(
    likelihood: str, treatment: str, name: str, sound: bool
) -> None:
    recipe = Recipe(likelihood=likelihood, treatment=treatment)
    assert measure(recipe) == name
    assert [name in text or "density" in text for text in judge(recipe, BUNDLED_SHAPE)] == [
        True
    ] * (not sound)


def test_names_are_marked_where_a_tip_says_why() -> None:
    remark = no_likelihood(Recipe(treatment="gray"))
    assert remark is not None
    assert no_likelihood("cross-entropy") == remark
    assert (named("ELBO", remark), named("ELBO", None)) == ("ELBO ‡", "ELBO")
    assert explained("A bound", None) == "A bound"
    assert explained("A bound", remark) == f"A bound\n‡ {remark.text}"
    assert no_likelihood(Recipe()) is no_likelihood("likelihood") is no_likelihood("") is None


def test_what_leaves_says_of_which_data_and_what_it_is_not(trained: Snapshot) -> None:
    assert marks(trained, BUNDLED) == ""
    assert origin(trained).keys() == {"Source"}
    data = DataReference("Fashion-MNIST", "f" * 64, 60_000)
    gray = trained.recipe.replace(treatment="gray")
    other = dataclasses.replace(trained, data=data, recipe=gray)
    assert marks(other, BUNDLED) == "trained on Fashion-MNIST; cross-entropy, no likelihood"
    told = origin(other)
    assert told["Source"].startswith(
        "a model trained on Fashion-MNIST, 60,000 images, SHA-256 ffff"
    )
    assert told["Warning"].startswith("Gray pixels under a Bernoulli")


@pytest.mark.parametrize(
    ("changes", "idle"),
    [
        ({"objective": "exact", "beta": 4.0, "samples": 3}, ("beta",)),
        ({"objective": "iwae", "kl_warmup": 2.0, "lattice_points": 50}, None),
        ({"fourier_features": 0, "fourier_scale": 2.0}, ("fourier_scale",)),
        ({"objective": "elbo", "beta": 4.0, "kl_warmup": 2.0}, ()),
    ],
)
def test_a_field_that_does_nothing_is_told(
    changes: dict[str, float | str], idle: tuple[str, ...] | None
) -> None:
    recipe = Recipe().replace(**changes)
    found = ("lattice_points", "kl_warmup") if idle is None else idle
    assert ignored(recipe) == found
    for name, text in zip(found, judge(recipe, BUNDLED_SHAPE), strict=True):
        assert text.startswith(f"'{name}' is {changes[name]} and makes no difference")
        with pytest.raises(RecipeError, match="makes no difference"):
            check_heeded(recipe, [name])
    check_heeded(recipe, ["epochs"])


def test_a_model_of_other_data_is_told(digits: ImageSet, trained: Snapshot) -> None:
    shown = DataReference(digits.name, digits.fingerprint, len(digits))
    assert foreign(trained.data, shown) is None
    few = dataclasses.replace(trained.data, fingerprint="0" * 64, images=50)
    assert foreign(few, shown) is None, "of some of the images"
    assert foreign(dataclasses.replace(trained.data, name="a file"), shown) is None, "the same"
    fashion = foreign(DataReference("Fashion-MNIST", "f" * 64, 60_000), shown)
    assert fashion is not None
    assert fashion.mark == "trained on Fashion-MNIST"
    for part in ("60,000 images", "ffffffffffff…", "shown on MNIST"):
        assert part in fashion.text
    other = foreign(DataReference("MNIST", "f" * 64, len(digits)), shown)
    assert other is not None
    assert other.mark == "trained on other images called MNIST"
