"""The instrument of the trade on the bundled model and very small trainings."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from vae_explorer.data.bundled import mnist
from vae_explorer.lessons import trade
from vae_explorer.lessons.course import LessonError
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.session.lessons.trade import BETAS, CODES, DRAWS, Trade
from vae_explorer.session.lessons.workbench import Workbench

if TYPE_CHECKING:
    from tests.support.stand_ins import MainThread


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trade, "train", partial(trade.train, digits=300, epochs=7))


@pytest.fixture
def instrument(workbench: Workbench, settle: Callable[[], None]) -> Trade:
    """Shown, and done with the model on the map."""
    made = Trade(workbench)
    made.show()
    settle()
    return made


def test_it_measures_the_model_on_the_map(instrument: Trade, model: TrainedVAE) -> None:
    assert instrument.own is not None
    figures = instrument.own.aggregate
    assert instrument.values["R"] == figures.rate
    assert instrument.values["ELBO"] == pytest.approx(-figures.rate - figures.distortion)
    assert instrument.values["loss"] == pytest.approx(figures.rate + figures.distortion)
    codes = model.encode(mnist("test").images[:CODES]).mean
    np.testing.assert_array_equal(instrument.codes, codes)
    assert instrument.reach > 3
    assert instrument.draws is not None
    assert instrument.draws.images.shape == (DRAWS, 28, 28)
    assert (instrument.draws.hole == (instrument.draws.ratio < 0.1)).all()


def test_another_model_on_the_map_is_measured(
    instrument: Trade,
    workbench: Workbench,
    rotate: Callable[[list[list[float]]], None],
    settle: Callable[[], None],
) -> None:
    assert instrument.own is not None
    before = instrument.own
    assert workbench.model is not None
    rotate([[0.0, -1.0], [1.0, 0.0]])
    settle()
    assert instrument.own is not before
    assert instrument.own.aggregate.rate == pytest.approx(before.aggregate.rate, rel=1e-4)


def test_small_models_are_trained_one_after_the_other_and_kept(
    instrument: Trade, settle: Callable[[], None]
) -> None:
    seen: list[tuple[float, float, int]] = []
    trails: list[int] = []

    def note() -> None:
        if instrument.progress:
            progress = instrument.progress
            seen.append((progress.beta, progress.share, progress.wait))
            trails.append(len(instrument.trail))

    instrument.training_changed.connect(note)
    instrument.train((1.0, 16.0))
    settle()
    assert sorted(instrument.studies) == [1.0, 16.0]
    assert seen[0] == (1.0, 0.0, 1)
    assert {(beta, wait) for beta, _, wait in seen} == {(1.0, 1), (16.0, 0)}
    assert seen[-1][1] == pytest.approx(1.0, abs=0.1)
    assert max(trails) > 0
    assert instrument.progress is None
    assert not instrument.trail
    shown = instrument.data()
    assert shown["betas"] == [1.0, 16.0]
    assert shown["rates"][0] > shown["rates"][1]
    kept = instrument.studies[1.0]
    instrument.train((1.0, 16.0))
    settle()
    assert instrument.studies[1.0] is kept


def test_between_two_models_the_codes_are_on_their_way(
    instrument: Trade, settle: Callable[[], None]
) -> None:
    instrument.train((1.0, 8.0))
    settle()
    low, high = (BETAS.index(beta) for beta in (1.0, 8.0))
    first, last = (instrument.studies[beta].posterior.mean[:CODES] for beta in (1.0, 8.0))
    instrument.set_place(low)
    np.testing.assert_allclose(instrument.codes, first)
    assert instrument.at_rest
    instrument.set_place((low + high) / 2 + 0.01)
    assert not instrument.at_rest
    assert instrument.study is instrument.studies[8.0]
    share = ((low + high) / 2 + 0.01 - low) / (high - low)
    np.testing.assert_allclose(
        instrument.codes, (1 - share) * first + share * last, rtol=1e-4, atol=1e-5
    )
    instrument.set_place(len(BETAS) - 1)
    assert instrument.at_rest
    np.testing.assert_allclose(instrument.codes, last)


def test_a_chosen_beta_is_flown_to(
    instrument: Trade, settle: Callable[[], None], clock: Any
) -> None:
    instrument.train((1.0, 8.0))
    settle()
    instrument.set_place(BETAS.index(1.0))
    places: list[float] = []
    instrument.moved.connect(lambda: places.append(instrument.place))
    instrument.show_beta(8.0)
    assert len(clock.waiting) == 1
    settle()
    assert places == sorted(places)
    assert len(places) > 5
    assert instrument.place == BETAS.index(8.0)
    assert instrument.values["beta"] == "8"
    assert instrument.values["slope"] == -8.0
    instrument.show_model()
    assert instrument.study is instrument.own


def test_hiding_ends_a_flight(instrument: Trade, settle: Callable[[], None]) -> None:
    instrument.train((1.0, 8.0))
    settle()
    instrument.set_place(BETAS.index(1.0))
    instrument.show_beta(8.0)
    instrument.hide()
    place = instrument.place
    settle()
    assert instrument.place == place


def test_a_training_can_be_stopped_and_what_is_ready_stays(
    instrument: Trade,
    settle: Callable[[], None],
    main: "MainThread",
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = trade.train

    def train(beta: float, **arguments: Any) -> TrainedVAE:
        if beta == 8.0:
            main.run()
            assert instrument.progress is not None
            instrument.stop()
        return whole(beta, **arguments)

    monkeypatch.setattr(trade, "train", train)
    instrument.train((1.0, 8.0, 16.0))
    settle()
    assert list(instrument.studies) == [1.0]
    assert instrument.progress is None


def test_draws_are_the_same_until_others_are_asked_for(instrument: Trade) -> None:
    assert instrument.draws is not None
    before = instrument.draws.places
    instrument.draw()
    assert instrument.draws is not None
    assert not np.array_equal(instrument.draws.places, before)
    instrument.set_state({"draws": 0})
    assert instrument.draws is not None
    np.testing.assert_array_equal(instrument.draws.places, before)


def test_a_place_is_decoded_and_weighed(instrument: Trade, model: TrainedVAE) -> None:
    found = instrument.decode((0.3, -0.2))
    assert found is not None
    np.testing.assert_array_equal(found[0], model.decode(np.array([[0.3, -0.2]]))[0])
    far = instrument.decode((25.0, 25.0))
    assert far is not None
    assert found[1] > 0


def test_a_state_comes_back(
    workbench: Workbench, instrument: Trade, settle: Callable[[], None]
) -> None:
    instrument.set_state({"train": [0.3], "beta": 0.3, "draws": 4})
    settle()
    state = instrument.state()
    assert state == {"beta": 0.3, "train": [0.3], "draws": 4}
    other = Trade(workbench)
    other.show()
    other.set_state(state)
    settle()
    assert other.state() == state
    np.testing.assert_array_equal(other.codes, instrument.codes)
    other.set_state({"model": True})
    assert other.state()["model"] is True


@pytest.mark.parametrize(
    "state", [{"gamma": 1}, {"beta": 5.0}, {"train": [1.0, 7]}, {"draws": -1}, {"draws": "x"}]
)
def test_what_cannot_be_is_refused(instrument: Trade, state: dict[str, Any]) -> None:
    with pytest.raises(LessonError):
        instrument.set_state(state)
    assert instrument.whole
