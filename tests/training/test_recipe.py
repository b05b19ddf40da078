import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vae_explorer.errors import RecipeError
from vae_explorer.fields import LONGEST_STACK, FieldSpec
from vae_explorer.training.recipe import USUAL_SIZES, WIDEST_LAYER, Recipe

SPECS = Recipe.specs()
NUMBERS = [name for name, spec in SPECS.items() if not (spec.choices or spec.sizes)]
SIZES = [name for name, spec in SPECS.items() if spec.sizes]
CHOICES = [name for name, spec in SPECS.items() if spec.choices]
WHOLE = [name for name in NUMBERS if isinstance(getattr(Recipe(), name), int)]


def values(spec: FieldSpec, name: str) -> st.SearchStrategy[Any]:
    """Everything the specification of a field allows."""
    if spec.choices:
        return st.sampled_from(spec.choices)
    if spec.sizes:
        size = st.integers(int(spec.low), int(spec.high)).map(str)
        return st.lists(size, min_size=1, max_size=LONGEST_STACK).map("-".join)
    if name in WHOLE:
        return st.integers(int(spec.low), int(spec.high))
    return st.floats(spec.low, spec.high)


recipes = st.builds(Recipe, **{name: values(spec, name) for name, spec in SPECS.items()})


@given(recipe=recipes)
def test_toml_and_dict_give_the_same_recipe_back(recipe: Recipe) -> None:
    assert Recipe.parse(recipe.to_toml()) == recipe
    assert Recipe.from_dict(recipe.to_dict()) == recipe


def test_a_file_gives_the_same_recipe_back(tmp_path: Path) -> None:
    recipe = Recipe(epochs=3, beta=0.25, treatment="gray")
    recipe.write(tmp_path / "recipe.toml")
    assert Recipe.read(tmp_path / "recipe.toml") == recipe
    assert tomllib.loads((tmp_path / "recipe.toml").read_text())["beta"] == 0.25


def test_every_field_says_what_a_form_needs() -> None:
    assert list(SPECS) == list(Recipe().to_dict())
    for name, spec in SPECS.items():
        assert spec.group, name
        assert spec.label, name
        assert spec.help.endswith("."), name
        assert spec.choices or spec.low < spec.high, name


@pytest.mark.parametrize("name", NUMBERS)
def test_the_ends_of_a_range_belong_to_it(name: str) -> None:
    kind = type(getattr(Recipe(), name))
    for end in (SPECS[name].low, SPECS[name].high):
        assert getattr(Recipe.from_dict({name: kind(end)}), name) == end


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_out_of_range_is_refused_by_name(name: str) -> None:
    kind = type(getattr(Recipe(), name))
    spec = SPECS[name]
    for value in (kind(spec.low) - 1, kind(spec.high) * 2, -(10**400), 10**400):
        with pytest.raises(RecipeError, match=f"'{name}' is .* must lie between"):
            Recipe.from_dict({name: value})


@pytest.mark.parametrize("name", [name for name in NUMBERS if name not in WHOLE])
def test_what_is_not_finite_is_refused(name: str) -> None:
    for value in (float("nan"), float("inf"), float("-inf")):
        with pytest.raises(RecipeError, match=f"'{name}' is -?(nan|inf)"):
            Recipe.from_dict({name: value})


def test_a_range_is_told_in_full() -> None:
    with pytest.raises(RecipeError) as caught:
        Recipe(seed=2**31)
    assert str(caught.value) == (
        "Recipe field 'seed' is 2,147,483,648; it must lie between 0 and 2,147,483,647."
    )
    with pytest.raises(RecipeError, match=r"between 1 and 10,000 epochs\.$"):
        Recipe(epochs=0)


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", ["3", True, None, [1], {"a": 1}])
def test_what_is_no_number_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(RecipeError, match=f"'{name}' is .* must be a (whole )?number"):
        Recipe.from_dict({name: value})


@pytest.mark.parametrize("name", SIZES)
def test_sizes_are_numbers_and_how_many_there_are_is_limited(name: str) -> None:
    for value in ("1", f"{WIDEST_LAYER}", "-".join(["512"] * LONGEST_STACK)):
        assert getattr(Recipe.from_dict({name: value}), name) == value
    assert getattr(Recipe.from_dict({name: 64}), name) == "64"
    bad: list[Any] = ["", "0", "-1", "512-", "512--512", "512,512", " 512", "512\n", "\u0663"]
    bad += ["1.5", "9" * 5_000, f"{WIDEST_LAYER + 1}", "-".join(["1"] * (LONGEST_STACK + 1))]
    for value in [*bad, 0, -3, 10**400, 2.0, True, None, [1], {"a": 1}]:
        with pytest.raises(RecipeError, match=f"'{name}' is"):
            Recipe.from_dict({name: value})


@pytest.mark.parametrize("name", CHOICES)
@pytest.mark.parametrize("value", ["nonsense", 1, None, ["mlp"]])
def test_an_unknown_choice_is_refused_with_the_known_ones(name: str, value: Any) -> None:
    with pytest.raises(RecipeError) as caught:
        Recipe.from_dict({name: value})
    assert f"'{name}' is {value!r}" in str(caught.value)
    assert all(choice in str(caught.value) for choice in SPECS[name].names)


def test_a_whole_number_will_do_for_a_real_one() -> None:
    beta = Recipe.parse("beta = 2").beta
    assert (beta, type(beta)) == (2.0, float)
    with pytest.raises(RecipeError, match="'epochs' is 2.0; it must be a whole number"):
        Recipe.parse("epochs = 2.0")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("epoch = 3", "Unknown recipe field 'epoch'; did you mean 'epochs'?"),
        ("zzz = 3", "Unknown recipe field 'zzz'; known: epochs, batch_size"),
        ("epochs = 0", "'epochs' is 0"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(RecipeError) as caught:
        Recipe.read(path)
    assert str(caught.value).startswith(str(path))
    assert says in str(caught.value)


def test_replace_checks_what_it_changes() -> None:
    assert Recipe().replace(epochs=7) == Recipe(epochs=7)
    with pytest.raises(RecipeError, match="^Recipe field 'epochs' is 0"):
        Recipe().replace(epochs=0)
    with pytest.raises(RecipeError, match="^Unknown recipe field 'epoch'"):
        Recipe().replace(epoch=1)


def test_the_architecture_takes_its_sizes_from_the_recipe() -> None:
    recipe = Recipe(encoder_hidden="32", decoder_hidden="32-32-32-32", posterior="diagonal")
    architecture = recipe.architecture((28, 20))
    assert architecture.image_shape == (28, 20)
    assert architecture.encoder_hidden == (32,)
    assert architecture.decoder_hidden == (32, 32, 32, 32)
    for name in ("network", "posterior", "activation", "likelihood"):
        assert getattr(architecture, name) == getattr(recipe, name)
    for name in ("fourier_features", "fourier_scale"):
        assert getattr(architecture, name) == getattr(recipe, name)


# Sizes of another network


def test_a_file_that_leaves_sizes_out_has_those_of_its_network() -> None:
    recipe = Recipe.parse('network = "conv"')
    assert (recipe.encoder_hidden, recipe.decoder_hidden) == ("32-64", "64-32")
    assert Recipe.parse('network = "conv"\ndecoder_hidden = "512-512"').decoder_hidden == "512-512"
    assert Recipe.parse("") == Recipe.parse('network = "residual"').replace(network="mlp")


def test_another_network_gets_sizes_of_its_own_where_these_do_not_fit() -> None:
    conv = Recipe().replace(network="conv")
    assert (conv.encoder_hidden, conv.decoder_hidden) == ("32-64", "64-32")
    assert conv.replace(network="mlp") == Recipe()
    own = Recipe(encoder_hidden="400-400", decoder_hidden="48-16").replace(network="conv")
    assert (own.encoder_hidden, own.decoder_hidden) == ("32-64", "48-16")
    given = Recipe().replace(network="conv", decoder_hidden="512-512")
    assert given.decoder_hidden == "512-512"
    assert given.replace(beta=2.0).decoder_hidden == "512-512"


def test_every_network_has_usual_sizes() -> None:
    assert USUAL_SIZES.keys() == set(SPECS["network"].choices)
    usual = Recipe().to_dict()
    assert USUAL_SIZES[Recipe().network].items() <= usual.items()
