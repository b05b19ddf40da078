import math

import pytest

from vae_explorer.errors import RecipeError
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.sweep import MOST_RUNS, Axis, Sweep

BETAS = Axis("beta", (0.5, 1, 2))
SEEDS = Axis("seed", (3, 1))


@pytest.mark.parametrize(
    ("text", "axis"),
    [
        ("beta=0.5,1,2e0", Axis("beta", (0.5, 1, 2.0))),
        ("beta=0,5; 1; 2,25", Axis("beta", (0.5, 1, 2.25))),
        (" beta = 4 ", Axis("beta", (4,))),
        ("seed=0:4", Axis("seed", (0, 1, 2, 3))),
        ("seed=7:8", Axis("seed", (7,))),
        ("encoder_hidden=64,128-64", Axis("encoder_hidden", (64, "128-64"))),
        ("objective=elbo, iwae", Axis("objective", ("elbo", "iwae"))),
    ],
)
def test_an_axis_is_read_as_it_is_written(text: str, axis: Axis) -> None:
    found = Axis.parse(text)
    assert found == axis
    assert [type(value) for value in found.values] == [type(value) for value in axis.values]


@pytest.mark.parametrize(
    "text", ["beta", "beta=", "=1,2", "", "seed=4:4", "seed=4:2", "seed=0:1001"]
)
def test_what_is_no_axis_is_refused_in_its_own_words(text: str) -> None:
    with pytest.raises(RecipeError) as caught:
        Axis.parse(text)
    assert repr(text) in str(caught.value)


def test_the_grid_is_in_order_and_changes_nothing_else(recipe: Recipe) -> None:
    cells = Sweep(recipe, (BETAS, SEEDS)).cells
    assert [cell.number for cell in cells] == [1, 2, 3, 4, 5, 6]
    positions = [(0.5, 3), (0.5, 1), (1.0, 3), (1.0, 1), (2.0, 3), (2.0, 1)]
    for cell, (beta, seed) in zip(cells, positions, strict=True):
        assert cell.values == (("beta", beta), ("seed", seed))
        assert cell.recipe == recipe.replace(beta=beta, seed=seed)
    assert cells[0].name == "beta=0.5, seed=3"


def test_one_axis_is_enough(recipe: Recipe) -> None:
    assert [cell.name for cell in Sweep(recipe, (SEEDS,)).cells] == ["seed=3", "seed=1"]


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        ((), "varies one or two fields, not none"),
        ((BETAS, SEEDS, Axis("epochs", (1,))), "one or two fields, not beta, seed, epochs"),
        ((BETAS, BETAS), "one or two fields, not beta, beta"),
        ((Axis("betta", (1, 2)),), "Unknown recipe field 'betta'; did you mean 'beta'?"),
        ((BETAS, Axis("epochs", (1, 0))), "'epochs' is 0; it must lie between 1 and 10,000"),
        ((Axis("beta", (1, "x")),), "'beta' is 'x'; it must be a number"),
        ((Axis("beta", (1, math.nan)),), "'beta' is nan"),
        ((Axis("beta", (1, 2, 1.0)),), "has the run beta=1.0 twice"),
        ((Axis("beta", ()),), "has 0 runs"),
        ((Axis("seed", tuple(range(40))), Axis("beta", tuple(range(30)))), "has 1,200 runs"),
        ((Axis("lattice_points", (100, 200)),), "'lattice_points' makes no difference here"),
    ],
)
def test_a_sweep_that_cannot_be_run_is_refused_as_a_whole(
    recipe: Recipe, axes: tuple[Axis, ...], message: str
) -> None:
    with pytest.raises(RecipeError) as caught:
        Sweep(recipe, axes)
    assert message in str(caught.value)


def test_a_field_that_some_runs_heed_may_vary(recipe: Recipe) -> None:
    points, objectives = Axis("lattice_points", (100, 200)), Axis("objective", ("elbo", "exact"))
    assert len(Sweep(recipe, (points, objectives)).cells) == 4
    assert len(Sweep(recipe, (Axis("seed", tuple(range(MOST_RUNS))),)).cells) == MOST_RUNS


def test_a_sweep_is_read_back_from_its_file(recipe: Recipe) -> None:
    sweep = Sweep(recipe, (Axis("decoder_hidden", ("16", "8-8")), BETAS))
    assert Sweep.parse(sweep.to_toml()) == sweep
    assert Sweep.parse(sweep.to_toml()).cells == sweep.cells
