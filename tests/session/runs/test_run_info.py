from pathlib import Path

import pytest

from vae_explorer.session.runs.run_info import RunFigures, differences, read_run
from vae_explorer.training.history import HistoryPoint, to_csv
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run_folder import RunFolder


def test_differences_are_short() -> None:
    recipe = Recipe(beta=4, seed=2, learning_rate=1e-4, encoder_hidden="64-32", treatment="gray")
    assert differences(recipe) == (
        "β 4",
        "data treatment gray",
        "seed 2",
        "encoder layers 64-32",
        "learning rate 0.0001",
    )
    assert differences(Recipe(kl_warmup=2)) == ("KL warm-up 2",)
    assert differences(Recipe()) == ()
    assert differences(recipe, recipe.replace(beta=1.0)) == ("β 4",)


def test_every_field_has_its_place() -> None:
    usual = Recipe().to_dict()
    others: dict[str, object] = {
        name: spec.choices[spec.choices[0] == usual[name]] if spec.choices else 7
        for name, spec in Recipe.specs().items()
    }
    others |= {"elbo_share": 0.7, "learning_rate": 0.7, "weight_decay": 0.7, "lattice_points": 70}
    assert len(differences(Recipe.from_dict(others))) == len(Recipe.specs())


def points(count: int, every: int) -> list[HistoryPoint]:
    """So many points, of which one in ``every`` has held-out figures."""
    found = []
    for number in range(1, count + 1):
        elbo = -100.0 - (number - count / 2) ** 2
        held_out = (elbo, elbo + 6.0, 6.0, elbo + 1, 2) if number % every == 0 else (None,) * 5
        found.append(HistoryPoint(number / 10, elbo, elbo + 5, 5.0, elbo, *held_out))
    return found


@pytest.mark.parametrize(("count", "every"), [(0, 1), (1, 1), (1, 2), (40, 10), (43, 10)])
def test_figures_of_a_long_history_are_those_of_all_its_points(
    tmp_path: Path, count: int, every: int
) -> None:
    told = points(count, every)
    (tmp_path / "history.csv").write_text(to_csv(told))
    assert read_run(RunFolder(tmp_path)).figures == RunFigures().extended(told)
    assert RunFolder(tmp_path).history() == tuple(told)


def test_figures_grow() -> None:
    told = points(40, 10)
    figures = RunFigures().extended(told[:20]).extended(told[20:])
    assert figures == RunFigures().extended(told)
    assert figures.best_elbo == -100.0
    assert figures.log_marginal == told[-1].held_out_log_marginal
    assert RunFigures().extended([]) == RunFigures()
