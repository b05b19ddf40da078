"""The card of a pinned image, against closed forms and sums over a grid."""

from typing import TYPE_CHECKING

import numpy as np
import pytest

from vae_explorer.data.dataset import ImageSet
from vae_explorer.latent.figures import own_draws
from vae_explorer.session.explore.inspector import Card, CardSession
from vae_explorer.session.explore.pins import Pins
from vae_explorer.session.jobs import Jobs
from vae_explorer.session.state import DataPoint, draw_seeds
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run import train
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.types import Float64

if TYPE_CHECKING:
    from tests.support.stand_ins import Failures, MainThread


class Told(list[Card | None]):
    """What a ``CardSession`` told."""

    @property
    def card(self) -> Card:
        last = self[-1]
        assert last is not None
        return last


@pytest.fixture
def session(inline_jobs: Jobs, failures: "Failures") -> CardSession:
    return CardSession(inline_jobs, failures)


@pytest.fixture
def told(session: CardSession) -> Told:
    told = Told()
    session.computed.connect(told.append)
    return told


@pytest.fixture
def pins(trained: Snapshot, small_mnist: dict[str, ImageSet]) -> Pins:
    pins = Pins()
    pins.set_model(trained.model)
    return pins


def pinned(pins: Pins, split: str, index: int) -> DataPoint:
    pins.pin(split, index)
    assert pins.current is not None
    return pins.current


def draw(snapshot: Snapshot, point: DataPoint) -> Float64:
    """What the figures of a point are of, (h, w) of 0 and 1."""
    seeds = draw_seeds(point.split, np.array([point.index]))
    x: Float64 = own_draws(snapshot.model, point.original[None], seeds)[0].astype(float)
    return x


def test_each_reconstruction_is_decoded_from_its_code(
    session: CardSession, told: Told, pins: Pins, main: "MainThread", trained: Snapshot
) -> None:
    point = pinned(pins, "test", 7)
    session.set_point(trained.model, point)
    assert told == [None]
    main.run()
    card, x = told.card, draw(trained, point)
    assert (card.split, card.index) == ("test", 7)
    np.testing.assert_array_equal(card.reconstructions["mean"].z, point.mean)
    for shown in card.reconstructions.values():
        p = trained.model.decode(shown.z[None])[0].astype(np.float64)
        np.testing.assert_allclose(shown.image, p, atol=1e-6)
        np.testing.assert_allclose(shown.error, p - point.original / 255, atol=1e-6)
        # A Bernoulli pixel.
        pixels = np.log(np.where(x == 1, p, 1 - p))
        np.testing.assert_allclose(shown.log_likelihood, pixels, atol=1e-4)


def test_its_figures_are_those_of_the_point_and_of_a_sum_over_a_grid(
    session: CardSession, told: Told, pins: Pins, main: "MainThread", trained: Snapshot
) -> None:
    point = pinned(pins, "train", 5)
    session.set_point(trained.model, point)
    main.run()
    card, x = told.card, draw(trained, point)
    assert (card.elbo, card.log_likelihood, card.kl) == (
        point.elbo,
        point.log_likelihood,
        point.kl,
    )
    along = np.linspace(-6, 6, 241)
    z = np.stack(np.meshgrid(along, along), axis=-1).reshape(-1, 2)
    p = trained.model.decode(z).astype(np.float64).clip(1e-12, 1 - 1e-7)
    log_joint = np.log(p).reshape(len(z), -1) @ x.ravel()
    log_joint += np.log1p(-p).reshape(len(z), -1) @ (1 - x).ravel()
    log_joint -= (z**2).sum(1) / 2 + np.log(2 * np.pi)
    weights = np.exp(log_joint - log_joint.max())
    total = np.log(weights.sum()) + log_joint.max() + 2 * np.log(along[1] - along[0])
    assert card.log_marginal == pytest.approx(total, abs=0.01)
    assert card.gap == pytest.approx(total - point.elbo, abs=0.01)
    assert card.gap > -0.001
    assert 0 <= card.error < 0.01
    mean = weights @ z / weights.sum()
    np.testing.assert_allclose(card.reconstructions["exact"].z, mean, atol=0.01)


@pytest.mark.parametrize("likelihood", ["continuous-bernoulli", "gaussian"])
def test_the_map_of_any_likelihood_sums_to_that_of_the_image(
    session: CardSession,
    told: Told,
    pins: Pins,
    main: "MainThread",
    recipe: Recipe,
    digits: ImageSet,
    likelihood: str,
) -> None:
    snapshot = train(
        recipe.replace(epochs=1, likelihood=likelihood, treatment="gray"), digits, device="cpu"
    )
    pins.set_model(snapshot.model)
    session.set_point(snapshot.model, pinned(pins, "train", 3))
    main.run()
    model, x = snapshot.model, snapshot.model.tensor(digits.images[3:4])
    for shown in told.card.reconstructions.values():
        outputs = x.new_tensor(model.decode_outputs(shown.z[None]).reshape(1, -1))
        whole = float(model.vae.likelihood(x, outputs))
        assert shown.log_likelihood.shape == (28, 28)
        assert shown.log_likelihood.sum() == pytest.approx(whole, rel=1e-4, abs=1e-2)


def test_samples_are_drawn_from_q_and_come_again_with_their_seed(
    session: CardSession, told: Told, pins: Pins, main: "MainThread", trained: Snapshot
) -> None:
    point = pinned(pins, "train", 5)
    session.resample()
    session.set_point(trained.model, point)
    for _ in range(40):
        session.resample()
        main.run()
    cards = [card for card in told if card]
    assert [card.seed for card in cards] == list(range(2, 42))
    z = np.stack([card.reconstructions["sample"].z for card in cards]).astype(np.float64)
    factor = np.linalg.cholesky(point.covariance.astype(np.float64))
    noise = np.linalg.solve(factor, (z - point.mean).T)
    # Of forty standard normal pairs: four to five standard errors.
    assert np.abs(noise.mean(1)).max() < 0.8
    np.testing.assert_allclose(np.cov(noise), np.eye(2), atol=0.9)
    assert len(np.unique(z, axis=0)) == 40
    means = {card.reconstructions["mean"].z.tobytes() for card in cards}
    assert len(means) == 1

    other = Told()
    again = CardSession(session._jobs, session._fail)
    again.computed.connect(other.append)
    again.resample()
    again.resample()
    again.set_point(trained.model, point)
    main.run()
    assert other.card.seed == 2
    np.testing.assert_array_equal(other.card.reconstructions["sample"].z, z[0])


def test_of_another_image_the_card_goes_and_a_late_one_is_never_told(
    session: CardSession, told: Told, pins: Pins, main: "MainThread", trained: Snapshot
) -> None:
    session.set_point(trained.model, pinned(pins, "train", 5))
    session.set_point(trained.model, pinned(pins, "test", 5))
    main.run()
    assert [card and (card.split, card.index) for card in told] == [None, None, ("test", 5)]
    session.set_point(trained.model, pins.current)
    main.run()
    assert len(told) == 3, "nothing has changed"
    session.resample()
    session.set_point(trained.model, None)
    main.run()
    assert len(told) == 4
    assert told[-1] is None


def test_another_models_card_follows_the_one_under_way(
    session: CardSession,
    told: Told,
    pins: Pins,
    main: "MainThread",
    trained: Snapshot,
    other: Snapshot,
) -> None:
    first = pinned(pins, "train", 5)
    session.set_point(trained.model, first)
    for snapshot in (other, trained, other):  # as while training
        pins.set_model(snapshot.model)
        session.set_point(snapshot.model, pins.current)
    main.run()
    assert pins.current is not None
    assert [card and card.elbo for card in told] == [None, first.elbo, pins.current.elbo]
    np.testing.assert_array_equal(told.card.reconstructions["mean"].z, pins.current.mean)


def test_what_goes_wrong_is_told_and_the_next_image_is_computed(
    session: CardSession,
    told: Told,
    pins: Pins,
    main: "MainThread",
    failures: "Failures",
    trained: Snapshot,
) -> None:
    point = pinned(pins, "train", 5)
    broken = DataPoint(**{**vars(point), "mean": np.full(2, np.nan, np.float32)})
    session.set_point(trained.model, broken)
    main.run()
    ((title, _),) = failures
    assert title == "The figures of the pinned digit could not be computed"
    failures.clear()
    session.set_point(trained.model, point)
    main.run()
    assert told.card.elbo == point.elbo


def test_a_card_that_fails_leaves_no_older_one(
    session: CardSession,
    told: Told,
    pins: Pins,
    main: "MainThread",
    failures: "Failures",
    trained: Snapshot,
    other: Snapshot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session.set_point(trained.model, pinned(pins, "train", 3))
    main.run()
    assert told.card.index == 3

    def broken(*_: object) -> None:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr("vae_explorer.session.explore.inspector.exact_posterior", broken)
    pins.set_model(other.model)
    session.set_point(other.model, pins.current)
    main.run()
    assert told[-1] is None
    assert len(failures) == 1
    failures.clear()
