from collections.abc import Sequence
from dataclasses import replace

import pytest

from vae_explorer.data.dataset import ImageSet
from vae_explorer.training.health import findings
from vae_explorer.training.history import HistoryPoint
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.trainer import Trainer

_SOUND = [
    HistoryPoint(
        epoch,
        elbo=-200 + epoch,
        log_likelihood=-194 + epoch,
        kl=6,
        objective=-200 + epoch,
        held_out_elbo=-201 + epoch,
        held_out_log_likelihood=-195 + epoch,
        held_out_kl=6,
        active_units=2,
    )
    for epoch in range(1, 11)
]


def _titles(history: Sequence[HistoryPoint]) -> list[str]:
    found = findings(history)
    assert all(finding.text and finding.advice for finding in found)
    return [finding.title for finding in found]


def _with(**figures: float) -> list[HistoryPoint]:
    """The sound run with another last epoch."""
    return [*_SOUND[:-1], replace(_SOUND[-1], **figures)]  # type: ignore[arg-type]


def test_a_sound_run_is_not_talked_about() -> None:
    assert findings([]) == ()
    assert findings(_SOUND) == ()
    assert findings([replace(point, active_units=None) for point in _SOUND]) == ()


def test_one_epoch_is_too_few_to_judge() -> None:
    ill = replace(_SOUND[0], held_out_kl=0.0, active_units=0)
    report = HistoryPoint(1.5, -200, -194, 6, -200)
    assert findings([ill, report]) == ()
    assert _titles([ill, report, replace(ill, epoch=2)]) == ["Posterior collapse"]


@pytest.mark.parametrize(("kl", "found"), [(0.11, []), (0.1, ["Posterior collapse"])])
def test_collapse_is_a_kl_of_nothing(kl: float, found: list[str]) -> None:
    assert _titles(_with(held_out_kl=kl)) == found


def test_collapse_says_what_dead_units_would() -> None:
    assert _titles(_with(held_out_kl=0.02, active_units=0)) == ["Posterior collapse"]


@pytest.mark.parametrize("units", [0, 1])
def test_a_dead_unit(units: int) -> None:
    (found,) = findings(_with(active_units=units))
    assert found.title == "A dead unit"
    assert found.text.startswith(f"{units} of the 2 latent dimensions")


def _over_fitted(best: int, fallen: float, rising: bool = True) -> list[HistoryPoint]:
    """Ten epochs whose held-out ELBO rises up to ``best``, then falls by so much to the end."""
    history = []
    for point in _SOUND:
        past = max(0.0, point.epoch - best)
        held_out = -210.0 + min(point.epoch, best) - fallen * past / (len(_SOUND) - best)
        elbo = point.elbo if rising else point.elbo - 2 * past
        history.append(replace(point, elbo=elbo, held_out_elbo=held_out))
    return history


@pytest.mark.parametrize(
    ("history", "found"),
    [
        (_over_fitted(5, 3.0), ["Over-fitting"]),
        (_over_fitted(5, 0.9), []),  # within the noise
        (_over_fitted(6, 3.0), []),  # not long ago
        (_over_fitted(5, 3.0, rising=False), []),  # both fall: it diverges, but does not over-fit
    ],
)
def test_over_fitting_is_one_curve_falling_while_the_other_rises(
    history: list[HistoryPoint], found: list[str]
) -> None:
    assert _titles(history) == found


def test_over_fitting_says_where_it_was_best() -> None:
    (found,) = findings(_over_fitted(4, 3.25))
    assert "best at epoch 4 and has fallen by 3.2 nats" in found.text
    assert found.advice.startswith("Go back to epoch 4;")


def test_the_gravest_comes_first() -> None:
    history = _over_fitted(5, 3.0)
    history[-1] = replace(history[-1], active_units=1)
    assert _titles(history) == ["A dead unit", "Over-fitting"]


@pytest.mark.parametrize(
    ("changes", "found"), [({"beta": 100.0}, "Posterior collapse"), ({"beta": 1.0}, None)]
)
def test_real_runs(
    recipe: Recipe, mnist_small: ImageSet, changes: dict[str, float], found: str | None
) -> None:
    """A heavy KL term pulls the posterior onto the prior, an ordinary one does not."""
    quick = recipe.replace(batch_size=20, learning_rate=5e-3, warmup_steps=0, treatment="gray")
    trainer = Trainer(quick.replace(**changes), mnist_small, "cpu")
    for _ in trainer.events():
        pass
    titles = _titles(trainer.history)
    assert titles[:1] == [found] if found else "Posterior collapse" not in titles
