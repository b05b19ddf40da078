"""The experiment of the trade on the bundled model and very small trainings."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.support.stand_ins import MainThread
from vae_explorer.data.bundled import mnist
from vae_explorer.lessons import trade
from vae_explorer.lessons.trade import BETAS
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.session.lessons.trade import CODES, DRAWS, Trade


def test_it_measures_the_model_on_the_map(experiment: Trade, model: TrainedVAE) -> None:
    assert experiment.result.own is not None
    figures = experiment.result.own.aggregate
    assert experiment.values["R"] == figures.rate
    assert experiment.values["ELBO"] == pytest.approx(-figures.rate - figures.distortion)
    assert experiment.values["loss"] == pytest.approx(figures.rate + figures.distortion)
    codes = model.encode(mnist("test").images[:CODES]).mean
    np.testing.assert_array_equal(experiment.result.codes, codes)
    assert experiment.result.reach > 3
    assert experiment.result.draws is not None
    assert experiment.result.draws.images.shape == (DRAWS, 28, 28)
    assert (experiment.result.draws.hole == (experiment.result.draws.ratio < 0.1)).all()


def test_another_model_on_the_map_is_measured(
    experiment: Trade, rotate: Callable[[list[list[float]]], None], settle: Callable[[], None]
) -> None:
    assert experiment.result.own is not None
    before = experiment.result.own
    rotate([[0.0, -1.0], [1.0, 0.0]])
    settle()
    assert experiment.result.own is not before
    assert experiment.result.own.aggregate.rate == pytest.approx(before.aggregate.rate, rel=1e-4)


def test_small_models_are_trained_one_after_the_other_and_kept(
    experiment: Trade, settle: Callable[[], None]
) -> None:
    seen: list[tuple[float, float, int]] = []
    trails: list[int] = []

    def note() -> None:
        if experiment.result.progress:
            progress = experiment.result.progress
            seen.append((progress.beta, progress.share, progress.wait))
            trails.append(len(experiment.result.trail))

    experiment.changed.connect(note)
    experiment.set(train=(1.0, 16.0))
    settle()
    assert sorted(experiment.result.studies) == [1.0, 16.0]
    assert seen[0] == (1.0, 0.0, 1)
    assert {(beta, wait) for beta, _, wait in seen} == {(1.0, 1), (16.0, 0)}
    assert seen[-1][1] == pytest.approx(1.0, abs=0.1)
    assert max(trails) > 0
    assert experiment.result.progress is None
    assert not experiment.result.trail
    shown = experiment.data()
    assert shown["betas"] == [1.0, 16.0]
    assert shown["rates"][0] > shown["rates"][1]
    kept = experiment.result.studies[1.0]
    experiment.set(train=(1.0, 16.0))
    settle()
    assert experiment.result.studies[1.0] is kept
    experiment.set(train=(3.0, 8.0), beta=8.0)
    assert experiment.result.progress
    assert experiment.result.progress.beta == 8.0  # what is shown comes first
    experiment.stop()


def test_between_two_models_the_codes_are_on_their_way(
    experiment: Trade, settle: Callable[[], None]
) -> None:
    experiment.set(train=(1.0, 8.0))
    settle()
    low, high = (BETAS.index(beta) for beta in (1.0, 8.0))
    first, last = (experiment.result.studies[beta].posterior.mean[:CODES] for beta in (1.0, 8.0))
    experiment.set_place(low)
    np.testing.assert_allclose(experiment.result.codes, first)
    assert experiment.result.at_rest
    experiment.set_place((low + high) / 2 + 0.01)
    assert not experiment.result.at_rest
    assert experiment.result.study is experiment.result.studies[8.0]
    share = ((low + high) / 2 + 0.01 - low) / (high - low)
    np.testing.assert_allclose(
        experiment.result.codes, (1 - share) * first + share * last, rtol=1e-4, atol=1e-5
    )
    experiment.set_place(len(BETAS) - 1)
    assert experiment.result.at_rest
    study, draws = experiment.result.study, experiment.result.draws
    assert study
    assert draws
    np.testing.assert_array_equal(draws.images, study.model.decode(draws.points))
    np.testing.assert_allclose(experiment.result.codes, last)


def test_a_chosen_beta_is_flown_to(
    experiment: Trade, settle: Callable[[], None], clock: Any
) -> None:
    experiment.set(train=(1.0, 8.0))
    settle()
    experiment.set_place(BETAS.index(1.0))
    positions: list[float] = []
    experiment.changed.connect(lambda found: positions.append(found.position))
    experiment.set(beta=8.0)
    assert len(clock.waiting) == 1
    settle()
    assert positions == sorted(positions)
    assert len(positions) > 5
    assert experiment.result.position == BETAS.index(8.0)
    assert experiment.values["beta"] == "8"
    assert experiment.values["slope"] == -8.0
    experiment.set(model=True)
    assert experiment.result.study is experiment.result.own


def test_hiding_ends_a_flight(experiment: Trade, settle: Callable[[], None]) -> None:
    experiment.set(train=(1.0, 8.0))
    settle()
    experiment.set_place(BETAS.index(1.0))
    experiment.set(beta=8.0)
    experiment.hide()
    position = experiment.result.position
    settle()
    assert experiment.result.position == position


def test_a_training_can_be_stopped_and_what_is_ready_stays(
    experiment: Trade, settle: Callable[[], None], main: MainThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = trade.train

    def train(beta: float, **arguments: Any) -> TrainedVAE:
        if beta == 8.0:
            main.run()
            assert experiment.result.progress is not None
            experiment.stop()
        return whole(beta, **arguments)

    monkeypatch.setattr(trade, "train", train)
    experiment.set(train=(1.0, 8.0, 16.0))
    settle()
    assert list(experiment.result.studies) == [1.0]
    assert experiment.result.progress is None


def test_draws_are_the_same_until_others_are_asked_for(
    experiment: Trade, settle: Callable[[], None]
) -> None:
    assert experiment.result.draws is not None
    before = experiment.result.draws.points
    experiment.set(draws=1)
    settle()
    assert experiment.result.draws is not None
    assert not np.array_equal(experiment.result.draws.points, before)
    experiment.set_state({"draws": 0})
    settle()
    assert experiment.result.draws is not None
    np.testing.assert_array_equal(experiment.result.draws.points, before)


def test_a_place_is_decoded_and_weighed(experiment: Trade, model: TrainedVAE) -> None:
    found = experiment.decode((0.3, -0.2))
    assert found is not None
    np.testing.assert_array_equal(found[0], model.decode(np.array([[0.3, -0.2]]))[0])
    far = experiment.decode((25.0, 25.0))
    assert far is not None
    assert found[1] > 0
