"""The bound without pixels."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from vae_explorer.data.bundled import mnist
from vae_explorer.latent.figures import own_draws
from vae_explorer.latent.gap import gap
from vae_explorer.latent.normal import Normal
from vae_explorer.latent.quadrature import exact_posterior
from vae_explorer.lessons.course import LessonError
from vae_explorer.session.lessons.bound import NARROWEST, WIDEST, BoundInstrument
from vae_explorer.session.lessons.workbench import Workbench

if TYPE_CHECKING:
    from tests.support.lessons import Clock


@pytest.fixture
def instrument(workbench: Workbench, settle: Callable[[], None]) -> BoundInstrument:
    """Shown, with all known of the first training digit."""
    shown = BoundInstrument(workbench)
    shown.show()
    settle()
    return shown


def test_it_begins_with_the_encoders_q(instrument: BoundInstrument, workbench: Workbench) -> None:
    model = workbench.model
    assert model is not None
    assert instrument.truth is not None
    image = mnist("train").images[:1]
    posterior = model.encode(image)
    assert instrument.q is not None
    assert instrument.q.mean == pytest.approx(posterior.mean[0].tolist())
    np.testing.assert_allclose(instrument.q.covariance, posterior.covariance[0], rtol=1e-4)
    exact = exact_posterior(model, own_draws(model, image, np.array([0])))
    assert instrument.values["logp"] == pytest.approx(exact.log_marginal[0], abs=1e-4)
    assert instrument.data()["kl_posterior"] == pytest.approx(31.74, abs=0.01)
    assert instrument.decoded is not None
    assert instrument.decoded.shape == (28, 28)


def test_the_values_add_up_as_q_moves(
    instrument: BoundInstrument, settle: Callable[[], None]
) -> None:
    assert instrument.truth is not None
    z1, z2 = instrument.truth.moments.mean
    for step in range(5):
        instrument.set_q(Normal((z1 + 0.01 * step, z2), (0.02, 0.01), 0.2 * step))
        settle()
        assert instrument.bound is not None
        assert instrument.bound.q is instrument.q
        values = {name: float(value or 0) for name, value in instrument.values.items()}
        assert values["logp"] == pytest.approx(values["elbo"] + values["kl_post"], abs=1e-3)
        assert values["elbo"] == values["recon"] - values["kl_prior"]
        assert values["logp"] == pytest.approx(-175.646, abs=1e-3)


def test_it_keeps_q_within_bounds(instrument: BoundInstrument) -> None:
    instrument.set_q(Normal((9.0, -9.0), (0.0, 50.0)))
    assert instrument.q == Normal((6.0, -6.0), (NARROWEST, WIDEST))


def test_while_one_bound_is_computed_only_the_newest_q_waits(
    instrument: BoundInstrument, settle: Callable[[], None]
) -> None:
    told: list[Any] = []
    instrument.bound_changed.connect(told.append)
    for step in range(50):
        instrument.set_q(Normal((-0.7 + 1e-3 * step, 0.03), (0.02, 0.01)))
    settle()
    assert [found.q.mean[0] for found in told] == pytest.approx([-0.7, -0.651])


def test_a_wide_q_gets_more_places_when_it_rests(
    instrument: BoundInstrument, settle: Callable[[], None]
) -> None:
    told: list[Any] = []
    instrument.bound_changed.connect(told.append)
    instrument.set_q(Normal((-0.7, 0.03), (0.12, 0.12)))
    settle()
    assert len(told) == 2
    assert told[1].places > told[0].places
    assert told[1].error < 1e-3


def test_states_come_back(instrument: BoundInstrument, settle: Callable[[], None]) -> None:
    for state in (
        {"q": "moments", "scale": 2.0, "shift": [1.0, -0.5], "refine": False, "log": True},
        {"mean": [0.1, 0.2], "widths": [0.3, 0.04], "angle": 30.0, "log": False},
        {"q": "prior", "scale": 1.0, "shift": [0.0, 0.0], "refine": False, "log": False},
    ):
        instrument.set_state(state)
        found = instrument.state()
        assert found.keys() == state.keys()
        for key, value in state.items():
            assert found[key] == (value if isinstance(value, str) else pytest.approx(value)), key
    instrument.set_state({"q": "moments", "scale": 2.0, "shift": [1.0, 0.0]})
    assert instrument.truth is not None
    assert instrument.q is not None
    moments = instrument.truth.moments
    np.testing.assert_allclose(instrument.q.mean, moments.mean + moments.factor[:, 0], atol=1e-12)
    assert instrument.q.widths == tuple(2 * width for width in moments.widths)
    settle()


@pytest.mark.parametrize(
    "state",
    [
        {"colour": 1},
        {"q": "best"},
        {"scale": 0},
        {"scale": "wide"},
        {"mean": [1.0]},
        {"mean": [1.0, float("nan")]},
        {"widths": [0.1, -0.1]},
    ],
)
def test_bad_states_are_refused(state: dict[str, Any], workbench: Workbench) -> None:
    instrument = BoundInstrument(workbench)
    before = instrument.state()
    with pytest.raises(LessonError, match="bound|q "):
        instrument.set_state(state)
    assert instrument.state() == before


def test_refining_splits_the_gap(instrument: BoundInstrument, settle: Callable[[], None]) -> None:
    assert instrument.gap() == {}
    running: list[bool] = []
    climbed: list[float] = []
    instrument.refining_changed.connect(running.append)
    instrument.bound_changed.connect(lambda found: climbed.append(found.elbo))
    instrument.refine()
    settle()
    assert running == [True, False]
    assert len(climbed) > 20
    assert climbed[-1] > climbed[0] + 10
    truth = instrument.truth
    assert truth is not None
    split = instrument.gap()
    total = truth.log_marginal - truth.encoder_bound.elbo
    assert split["amortisation"] + split["approximation"] == pytest.approx(total)
    np.testing.assert_allclose(instrument.data()["amortisation"], split["amortisation"])
    # From the encoder's q it ends on a lesser hill; from the posterior's moments it does not.
    assert split["approximation"] == pytest.approx(20.96, abs=0.1)
    instrument.set_state({"q": "moments", "refine": True})
    settle()
    assert 0 < instrument.gap()["approximation"] < 0.05
    assert instrument.state()["refine"] is True


def test_refinement_begins_as_the_gap_has_it(
    instrument: BoundInstrument, workbench: Workbench, settle: Callable[[], None]
) -> None:
    """From the encoder's q, after fewer steps, it comes as far as ``latent.gap`` does."""
    model, truth = workbench.model, instrument.truth
    assert model is not None
    assert truth is not None
    instrument.refine()
    settle()
    whole = gap(model, truth.x, np.array([truth.log_marginal]))
    assert instrument.best is not None
    assert instrument.best.elbo == pytest.approx(whole.elbo_refined[0], abs=0.5)


def test_a_hand_on_q_ends_the_climb(
    instrument: BoundInstrument, clock: "Clock", settle: Callable[[], None]
) -> None:
    instrument.refine()
    instrument.set_q(Normal((-0.7, 0.0), (0.02, 0.02)))
    settle()
    assert not instrument.refining
    assert instrument.best is None
    assert instrument.q == Normal((-0.7, 0.0), (0.02, 0.02))
    assert clock.waiting == []


def test_the_picture_follows_the_view(
    instrument: BoundInstrument, settle: Callable[[], None]
) -> None:
    seen: list[Any] = []
    instrument.picture_changed.connect(seen.append)
    region = (-0.85, -0.6, -0.05, 0.1)
    instrument.look_at(region, (40, 60))
    settle()
    instrument.set_log(True)
    settle()
    density, logarithm = seen
    assert density.values.shape == logarithm.values.shape == (40, 60)
    assert density.region == region
    assert density.values.max() == pytest.approx(density.high, rel=0.1)
    cell = 0.25 / 60 * 0.15 / 40
    assert density.values.sum() * cell == pytest.approx(1, abs=0.02)
    np.testing.assert_allclose(
        np.exp(logarithm.values) * density.high, density.values, rtol=1e-3, atol=1e-3
    )


def test_another_digit_and_rest(
    instrument: BoundInstrument, workbench: Workbench, settle: Callable[[], None]
) -> None:
    old = instrument.truth
    workbench.set_subject(None)
    settle()
    assert instrument.truth is None
    assert instrument.q is None
    assert instrument.data() == {}
    assert instrument.values["elbo"] == ""
    assert instrument.region == (-3, 3, -3, 3)
    assert old is not None
    workbench.set_subject(old.subject)
    settle()
    assert instrument.bound is not None
    instrument.hide()
    workbench.set_subject(None)
    settle()
    assert instrument.truth is not None, "it does nothing while hidden"
    instrument.show()
    settle()
    assert instrument.truth is None
