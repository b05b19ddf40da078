"""The bound without pixels."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.support.lessons import Clock, aim, no_model
from vae_explorer.data.bundled import mnist
from vae_explorer.latent.figures import own_draws
from vae_explorer.latent.gap import gap
from vae_explorer.latent.normal import Normal
from vae_explorer.latent.quadrature import exact_posterior
from vae_explorer.lessons.course import LessonError
from vae_explorer.session.lessons.bound import NARROWEST, WIDEST, BoundExperiment, BoundResult
from vae_explorer.session.lessons.context import LessonContext


def seen(experiment: BoundExperiment, name: str) -> list[Any]:
    """Every other value of a field of the result from now on."""
    found: list[Any] = []
    last = [getattr(experiment.result, name)]

    def note(result: BoundResult) -> None:
        value = getattr(result, name)
        if value is not last[0]:
            last[0] = value
            found.append(value)

    experiment.changed.connect(note)
    return found


def test_it_begins_with_the_encoders_q(experiment: BoundExperiment, context: LessonContext) -> None:
    model = context.model
    assert model is not None
    assert experiment.result.truth is not None
    image = mnist("train").images[:1]
    posterior = model.encode(image)
    assert experiment.result.q is not None
    assert experiment.result.q.mean == pytest.approx(posterior.mean[0].tolist())
    np.testing.assert_allclose(experiment.result.q.covariance, posterior.covariance[0], rtol=1e-4)
    exact = exact_posterior(model, own_draws(model, image, np.array([0])))
    assert experiment.values["logp"] == pytest.approx(exact.log_marginal[0], abs=1e-4)
    assert experiment.data()["kl_posterior"] == pytest.approx(31.74, abs=0.01)
    assert experiment.result.decoded is not None
    assert experiment.result.decoded.shape == (28, 28)


def test_the_values_add_up_as_q_moves(
    experiment: BoundExperiment, settle: Callable[[], None]
) -> None:
    assert experiment.result.truth is not None
    z1, z2 = experiment.result.truth.moments.mean
    for step in range(5):
        experiment.set_q(Normal((z1 + 0.01 * step, z2), (0.02, 0.01), 0.2 * step))
        settle()
        assert experiment.result.bound is not None
        assert experiment.result.bound.q is experiment.result.q
        values = {name: float(value or 0) for name, value in experiment.values.items()}
        assert values["logp"] == pytest.approx(values["elbo"] + values["kl_post"], abs=1e-3)
        assert values["elbo"] == values["recon"] - values["kl_prior"]
        assert values["logp"] == pytest.approx(-175.646, abs=1e-3)


def test_it_keeps_q_within_bounds(experiment: BoundExperiment) -> None:
    experiment.set_q(Normal((9.0, -9.0), (0.0, 50.0)))
    assert experiment.result.q == Normal((6.0, -6.0), (NARROWEST, WIDEST))


def test_while_one_bound_is_computed_only_the_newest_q_waits(
    experiment: BoundExperiment, settle: Callable[[], None]
) -> None:
    told = seen(experiment, "bound")
    for step in range(50):
        experiment.set_q(Normal((-0.7 + 1e-3 * step, 0.03), (0.02, 0.01)))
    settle()
    assert [found.q.mean[0] for found in told] == pytest.approx([-0.7, -0.651])


def test_a_wide_q_gets_more_places_when_it_rests(
    experiment: BoundExperiment, settle: Callable[[], None]
) -> None:
    told = seen(experiment, "bound")
    experiment.set_q(Normal((-0.7, 0.03), (0.12, 0.12)))
    settle()
    assert len(told) == 2
    assert told[1].positions > told[0].positions
    assert told[1].error < 1e-3


def test_states_come_back(experiment: BoundExperiment, settle: Callable[[], None]) -> None:
    for state in (
        {
            "q": "moments",
            "scale": 2.0,
            "shift": [1.0, -0.5],
            "refine": False,
            "log": True,
            "image": 3,
        },
        {
            "q": "own",
            "refine": False,
            "mean": [0.1, 0.2],
            "widths": [0.3, 0.04],
            "angle": 30.0,
            "log": False,
            "image": 3,
        },
        {
            "q": "prior",
            "scale": 1.0,
            "shift": [0.0, 0.0],
            "refine": False,
            "log": False,
            "image": 3,
        },
    ):
        experiment.set_state(state)
        found = experiment.state()
        assert found.keys() == state.keys()
        for key, value in state.items():
            assert found[key] == (value if isinstance(value, str) else pytest.approx(value)), key
    experiment.set_state({"q": "moments", "scale": 2.0, "shift": [1.0, 0.0]})
    settle()
    assert experiment.result.truth is not None
    assert experiment.result.q is not None
    moments = experiment.result.truth.moments
    np.testing.assert_allclose(
        experiment.result.q.mean, moments.mean + moments.factor[:, 0], atol=1e-12
    )
    assert experiment.result.q.widths == tuple(2 * width for width in moments.widths)
    settle()


def test_refining_splits_the_gap(experiment: BoundExperiment, settle: Callable[[], None]) -> None:
    assert experiment.result.gap == {}
    running, climbed = seen(experiment, "refining"), seen(experiment, "bound")
    experiment.refine()
    settle()
    assert running == [True, False]
    assert len(climbed) > 20
    assert climbed[-1].elbo > climbed[0].elbo + 10
    truth = experiment.result.truth
    assert truth is not None
    split = experiment.result.gap
    total = truth.log_marginal - truth.encoder_bound.elbo
    assert split["amortisation"] + split["approximation"] == pytest.approx(total)
    np.testing.assert_allclose(experiment.data()["amortisation"], split["amortisation"])
    # From the encoder's q it ends on a lesser hill; from the posterior's moments it does not.
    assert split["approximation"] == pytest.approx(20.96, abs=0.1)
    experiment.set_state({"q": "moments", "refine": True})
    settle()
    assert 0 < experiment.result.gap["approximation"] < 0.05
    assert experiment.state()["refine"] is True


def test_a_climb_from_where_a_hand_put_q_is_made_again(
    experiment: BoundExperiment, settle: Callable[[], None]
) -> None:
    experiment.set_q(Normal((-0.6, 0.1), (0.1, 0.05)))
    experiment.refine()
    settle()
    state, summit = experiment.state(), experiment.result.q
    experiment.set_state({"q": "own", "image": 3, "mean": [0.1, 0.2]})
    settle()
    assert experiment.result.q is not None
    assert experiment.result.q.mean == (0.1, 0.2), "it is of the image that was set with it"
    experiment.set_state({"image": 5})
    assert experiment.settings.q == "encoder"
    experiment.set_state(state)
    settle()
    assert experiment.result.q == summit


def test_refinement_begins_as_the_gap_has_it(
    experiment: BoundExperiment, context: LessonContext, settle: Callable[[], None]
) -> None:
    """From the encoder's q, after fewer steps, it comes as far as ``latent.gap`` does."""
    model, truth = context.model, experiment.result.truth
    assert model is not None
    assert truth is not None
    experiment.refine()
    settle()
    whole = gap(model, truth.x, np.array([truth.log_marginal]))
    assert experiment.result.best is not None
    assert experiment.result.best.elbo == pytest.approx(whole.elbo_refined[0], abs=0.5)


def test_a_hand_on_q_ends_the_climb(
    experiment: BoundExperiment, clock: Clock, settle: Callable[[], None]
) -> None:
    experiment.refine()
    experiment.set_q(Normal((-0.7, 0.0), (0.02, 0.02)))
    settle()
    assert not experiment.result.refining
    assert experiment.result.best is None
    assert experiment.result.q == Normal((-0.7, 0.0), (0.02, 0.02))
    assert clock.waiting == []


def test_what_is_seen_stays_under_a_hand_and_is_in_the_state(experiment: BoundExperiment) -> None:
    before = experiment.sight
    assert "view" not in experiment.state()
    experiment.set_q(Normal((2.0, 2.0), (0.5, 0.5)))
    assert experiment.sight == before
    assert experiment.state()["view"] == list(before)
    with pytest.raises(LessonError, match="left < right"):
        experiment.set(view=(1.0, 0.0, 0.0, 1.0))
    experiment.fit()
    assert "view" not in experiment.state()
    assert experiment.sight[1] > 2.0
    experiment.set(view=before)
    experiment.put("moments")
    assert "view" not in experiment.state()


def test_the_picture_follows_the_view(
    experiment: BoundExperiment, settle: Callable[[], None]
) -> None:
    pictures = seen(experiment, "picture")
    region = (-0.85, -0.6, -0.05, 0.1)
    experiment.set(view=region)
    settle()
    experiment.set(log=True)
    settle()
    density, logarithm = pictures
    assert density.values.shape == logarithm.values.shape == (144, 144)
    side = 1.5 * 0.25
    assert density.region[1] - density.region[0] == pytest.approx(side)
    assert density.region[0] < region[0]
    assert density.values.max() == pytest.approx(density.high, rel=0.1)
    assert density.values.sum() * (side / 144) ** 2 == pytest.approx(1, abs=0.02)
    np.testing.assert_allclose(
        np.exp(logarithm.values) * density.high, density.values, rtol=1e-3, atol=1e-3
    )


def test_another_digit_and_rest(
    experiment: BoundExperiment, context: LessonContext, settle: Callable[[], None]
) -> None:
    old = experiment.result.truth
    assert old is not None
    assert old.target_image.title == "training digit 0, a 5"
    experiment.set(image=7)
    settle()
    third = experiment.result.truth
    assert third is not None
    assert third.target_image.title == "training digit 7, a 3"
    aim(context, old.target_image)
    settle()
    assert experiment.values["logp"] == old.log_marginal
    experiment.hide()
    aim(context, None)
    settle()
    assert experiment.values["logp"] == old.log_marginal, "it does nothing while hidden"
    experiment.show()
    settle()
    assert experiment.values["logp"] == third.log_marginal
    no_model(context)
    settle()
    assert experiment.result.truth is None
    assert experiment.result.q is None
    assert experiment.data() == {}
    assert experiment.values["elbo"] == ""
    assert experiment.result.region == (-3, 3, -3, 3)
