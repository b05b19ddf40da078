"""The inspector of a pinned image, against closed forms and sums over a grid."""

import numpy as np
import pytest

from tests.support.parts import show
from tests.support.stand_ins import Failures, MainThread
from vae_explorer.data.bundled import in_both
from vae_explorer.data.dataset import ImageSet
from vae_explorer.latent.figures import own_draws
from vae_explorer.session.explore.image_truth import image_truth
from vae_explorer.session.explore.inspector import Inspection, Inspector, error_image
from vae_explorer.session.explore.pins import DataPoint, Pins
from vae_explorer.session.map.latent_map import LatentMap
from vae_explorer.session.map.state import MapPoints
from vae_explorer.session.tasks import Tasks
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run import train
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.types import Float64, OneSplit


class Story(list[Inspection | None]):
    """What an ``Inspector`` gave."""

    @property
    def last(self) -> Inspection:
        last = self[-1]
        assert last is not None
        return last


@pytest.fixture
def inspector(tasks: Tasks, latent_map: LatentMap, pins: Pins) -> Inspector:
    return Inspector(tasks, latent_map, pins)


@pytest.fixture
def story(inspector: Inspector) -> Story:
    story = Story()
    inspector.inspected.connect(story.append)
    return story


def pinned(pins: Pins, split: OneSplit, index: int) -> DataPoint:
    pins.pin(split, index)
    assert pins.current is not None
    return pins.current


def draw(snapshot: Snapshot, point: DataPoint) -> Float64:
    """What the figures of a point are of, (h, w) of 0 and 1."""
    seeds = in_both(point.split, np.array([point.index]))
    x: Float64 = own_draws(snapshot.model, point.original[None], seeds)[0].astype(float)
    return x


def test_each_reconstruction_is_decoded_from_its_code(
    story: Story, pins: Pins, main: MainThread, trained: Snapshot
) -> None:
    point = pinned(pins, "test", 7)
    assert story == [None]
    main.run()
    shown, x = story.last, draw(trained, point)
    assert (shown.split, shown.index) == ("test", 7)
    np.testing.assert_array_equal(shown.reconstructions["mean"].z, point.mean)
    for one in shown.reconstructions.values():
        p = trained.model.decode(one.z[None])[0].astype(np.float64)
        np.testing.assert_allclose(one.image, p, atol=1e-6)
        np.testing.assert_allclose(one.error, p - point.original / 255, atol=1e-6)
        # A Bernoulli pixel.
        pixels = np.log(np.where(x == 1, p, 1 - p))
        np.testing.assert_allclose(one.log_likelihood, pixels, atol=1e-4)


def test_it_is_busy_from_a_pin_to_the_inspection(
    inspector: Inspector, pins: Pins, main: MainThread
) -> None:
    busy: list[bool] = []
    inspector.busy_changed.connect(busy.append)
    pins.pin("test", 7)
    assert busy[-1]
    main.run()
    assert not busy[-1]


def test_it_says_how_far_it_is_where_that_takes_long(
    inspector: Inspector, pins: Pins, main: MainThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vae_explorer.session.jobs._SELDOM_S", -1)
    shares: list[float] = []
    inspector.progress.connect(shares.append)
    pins.pin("test", 42)  # of which nothing is known yet
    main.run()
    assert 0 < shares[0] < 1
    assert shares[-1] == 1
    told = len(shares)
    monkeypatch.setattr("vae_explorer.session.jobs._SELDOM_S", 60)
    pins.pin("test", 43)
    main.run()
    assert len(shares) == told, "nobody could read it"


def test_its_scores_are_those_of_the_point_and_of_a_sum_over_a_grid(
    story: Story, pins: Pins, main: MainThread, trained: Snapshot
) -> None:
    point = pinned(pins, "train", 5)
    main.run()
    truth, x = story.last.truth, draw(trained, point)
    bound = truth.bound
    assert (bound.elbo, bound.log_likelihood, bound.kl) == (
        point.elbo,
        point.log_likelihood,
        point.kl,
    )
    along = np.linspace(-6, 6, 121)
    z = np.stack(np.meshgrid(along, along), axis=-1).reshape(-1, 2)
    p = trained.model.decode(z).astype(np.float64).clip(1e-12, 1 - 1e-7)
    log_joint = np.log(p).reshape(len(z), -1) @ x.ravel()
    log_joint += np.log1p(-p).reshape(len(z), -1) @ (1 - x).ravel()
    log_joint -= (z**2).sum(1) / 2 + np.log(2 * np.pi)
    weights = np.exp(log_joint - log_joint.max())
    total = np.log(weights.sum()) + log_joint.max() + 2 * np.log(along[1] - along[0])
    assert truth.log_marginal == pytest.approx(total, abs=0.01)
    assert truth.gap == pytest.approx(total - point.elbo, abs=0.01)
    assert truth.gap > -0.001
    assert 0 <= truth.error < 0.01
    mean = weights @ z / weights.sum()
    np.testing.assert_allclose(story.last.reconstructions["exact"].z, mean, atol=0.01)


@pytest.mark.parametrize("likelihood", ["continuous-bernoulli", "gaussian"])
def test_the_map_of_any_likelihood_sums_to_that_of_the_image(
    story: Story,
    latent_map: LatentMap,
    points: MapPoints,
    pins: Pins,
    main: MainThread,
    recipe: Recipe,
    digits: ImageSet,
    likelihood: str,
) -> None:
    snapshot = train(
        recipe.replace(epochs=1, likelihood=likelihood, treatment="gray"), digits, device="cpu"
    )
    show(latent_map, snapshot, points)
    pins.pin("train", 3)
    main.run()
    model, x = snapshot.model, snapshot.model.tensor(digits.images[3:4])
    for one in story.last.reconstructions.values():
        outputs = x.new_tensor(model.decode_outputs(one.z[None]).reshape(1, -1))
        whole = float(model.vae.likelihood(x, outputs))
        assert one.log_likelihood.shape == (28, 28)
        assert one.log_likelihood.sum() == pytest.approx(whole, rel=1e-4, abs=1e-2)


def test_samples_are_from_q_and_come_again_with_their_seed(
    tasks: Tasks,
    latent_map: LatentMap,
    inspector: Inspector,
    story: Story,
    pins: Pins,
    main: MainThread,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    point = pinned(pins, "train", 5)
    main.run()
    truth = story.last.truth  # takes its time, and the same each
    monkeypatch.setattr("vae_explorer.session.explore.inspector.image_truth", lambda *_: truth)
    for _ in range(40):
        main.run()
        inspector.resample()
    main.run()
    shown = [one for one in story if one]
    assert [one.seed for one in shown] == list(range(41))
    z = np.stack([one.reconstructions["sample"].z for one in shown]).astype(np.float64)
    factor = np.linalg.cholesky(point.covariance.astype(np.float64))
    noise = np.linalg.solve(factor, (z - point.mean).T)
    # Of forty standard normal pairs: four to five standard errors.
    assert np.abs(noise.mean(1)).max() < 0.8
    np.testing.assert_allclose(np.cov(noise), np.eye(2), atol=0.9)
    assert len(np.unique(z, axis=0)) == 41
    assert len({one.reconstructions["mean"].z.tobytes() for one in shown}) == 1

    again = Inspector(tasks, latent_map, pins)
    again.inspected.connect(story.append)
    again.resample()
    pins.pin("train", 6)
    pins.pin("train", 5)
    main.run()
    np.testing.assert_array_equal(story.last.reconstructions["sample"].z, z[1])


def test_of_another_image_it_goes_and_a_late_one_never_comes(
    inspector: Inspector, story: Story, pins: Pins, main: MainThread
) -> None:
    pins.pin("train", 5)
    pins.pin("test", 5)
    main.run()
    assert [one and (one.split, one.index) for one in story] == [None, None, ("test", 5)]
    pins.look_at("test", 5)
    main.run()
    assert len(story) == 3, "nothing has changed"
    inspector.resample()
    pins.clear()
    main.run()
    assert len(story) == 4
    assert story[-1] is None


def test_another_models_inspection_follows_the_one_under_way_and_is_of_one_model(
    story: Story,
    latent_map: LatentMap,
    pins: Pins,
    main: MainThread,
    trained: Snapshot,
    other: Snapshot,
    points: MapPoints,
) -> None:
    """The ELBO of one model is never beside log p(x) of another, or the gap would be negative."""
    first = pinned(pins, "train", 5)
    for snapshot in (other, trained, other):  # as while training
        show(latent_map, snapshot, points)
    main.run()
    assert pins.current is not None
    shown = [one.truth for one in story if one]
    assert [truth.bound.elbo for truth in shown] == [first.elbo, pins.current.elbo]
    image = pins.current.original
    for truth, snapshot in zip(shown, (trained, other), strict=True):
        alone = image_truth(snapshot.model.turned(np.eye(2)), image, 5)
        assert truth.log_marginal == pytest.approx(alone.log_marginal, abs=1e-3)
        assert truth.gap == pytest.approx(alone.gap, abs=1e-3)
        assert truth.gap > 0
    np.testing.assert_array_equal(story.last.reconstructions["mean"].z, pins.current.mean)


def test_one_that_fails_leaves_no_older_one_and_the_next_is_computed(
    story: Story,
    latent_map: LatentMap,
    pins: Pins,
    main: MainThread,
    failures: Failures,
    other: Snapshot,
    points: MapPoints,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pins.pin("train", 3)
    main.run()
    assert story.last.index == 3

    def broken(*_: object) -> None:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with monkeypatch.context() as patch:
        patch.setattr("vae_explorer.session.explore.inspector.image_truth", broken)
        show(latent_map, other, points)
        main.run()
    assert story[-1] is None
    assert [title for title, _ in failures] == ["The pinned image could not be inspected"]
    failures.clear()
    pins.pin("train", 4)
    main.run()
    assert story.last.index == 4


def test_in_colour_an_error_is_the_mean_of_three() -> None:
    original = np.full((2, 3, 3), (0, 51, 255), np.uint8)
    image = np.full((2, 3, 3), (0.3, 0.2, 1.0), np.float32)
    np.testing.assert_allclose(error_image(image, original), np.full((2, 3), 0.1), atol=1e-6)
    np.testing.assert_allclose(error_image(image[..., 0], original[..., 0]), 0.3, atol=1e-6)
