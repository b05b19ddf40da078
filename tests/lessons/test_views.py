"""Principal components, t-SNE and trustworthiness, against other ways to the same numbers."""

import numpy as np
import pytest

from vae_explorer.data.bundled import mnist
from vae_explorer.lessons import views
from vae_explorer.paths import bundled_checkpoint
from vae_explorer.training.checkpoint import read_checkpoint

_IMAGES = mnist("train").images[:400]
_DISTANCES = views.squared_distances(views.flat(_IMAGES))


@pytest.fixture(scope="module")
def fitted() -> views.Pca:
    return views.pca(_IMAGES)


@pytest.fixture(scope="module")
def random() -> np.random.Generator:
    return np.random.default_rng(0)


def test_components_are_the_singular_vectors(fitted: views.Pca) -> None:
    rows = views.flat(_IMAGES)
    _, values, vectors = np.linalg.svd(rows - rows.mean(0), full_matrices=False)
    np.testing.assert_allclose(fitted.variances[:100], values[:100] ** 2 / len(rows), rtol=1e-8)
    overlap = np.abs((fitted.components[:20] * vectors[:20]).sum(1))
    np.testing.assert_allclose(overlap, 1, rtol=1e-6)
    np.testing.assert_allclose(fitted.components @ fitted.components.T, np.eye(784), atol=1e-9)


def test_the_largest_weight_is_positive(fitted: views.Pca) -> None:
    weights = fitted.components
    largest = np.take_along_axis(weights, np.abs(weights).argmax(1)[:, None], axis=1)
    assert (largest > 0).all()


def test_shares_of_the_variance_fall_and_sum_to_one(fitted: views.Pca) -> None:
    assert fitted.explained.sum() == pytest.approx(1)
    assert (np.diff(fitted.explained) <= 1e-12).all()
    total = views.flat(_IMAGES).var(0).sum()
    assert fitted.variances.sum() == pytest.approx(total)


def test_all_components_bring_a_digit_back(fitted: views.Pca) -> None:
    made = fitted.decode(fitted.encode(_IMAGES[:5], 784))
    np.testing.assert_allclose(made, _IMAGES[:5] / 255, atol=1e-6)


def test_errors_are_those_of_the_pictures_and_of_the_variance_left(fitted: views.Pca) -> None:
    errors = fitted.errors(_IMAGES, 30)
    rows = views.flat(_IMAGES)
    for count in (0, 2, 30):
        scores = fitted.encode(_IMAGES, count)
        made = fitted.mean + scores @ fitted.components[:count]
        np.testing.assert_allclose(errors[:, count], np.square(rows - made).sum(1), rtol=1e-9)
        assert errors[:, count].mean() == pytest.approx(fitted.variances[count:].sum())


def test_squared_errors_take_bytes_and_intensities_alike() -> None:
    others = (_IMAGES[1:3] / 255).astype(np.float64)
    expected = np.square(_IMAGES[:2] / 255 - others).sum((1, 2))
    np.testing.assert_allclose(views.squared_errors(_IMAGES[:2], others), expected)


def test_squared_distances(random: np.random.Generator) -> None:
    positions = random.normal(size=(30, 3))
    expected = np.square(positions[:, None] - positions).sum(2)
    np.testing.assert_allclose(views.squared_distances(positions), expected, atol=1e-12)


def test_a_map_without_strangers_has_trust_one(random: np.random.Generator) -> None:
    positions = random.normal(size=(200, 2))
    distances = views.squared_distances(positions)
    assert views.trustworthiness(distances, positions) == 1
    assert views.trustworthiness(distances, 3 * positions + 1) == 1


def test_a_map_at_random_has_trust_a_half(random: np.random.Generator) -> None:
    trust = [
        views.trustworthiness(_DISTANCES, random.normal(size=(len(_DISTANCES), 2)))
        for _ in range(4)
    ]
    assert np.mean(trust) == pytest.approx(0.5, abs=0.02)


def test_trust_is_the_sum_of_venna_and_kaski(random: np.random.Generator) -> None:
    positions, true, k = random.normal(size=(40, 2)), random.normal(size=(40, 5)), 4
    cost = 0
    for i in range(40):
        near = np.argsort(np.linalg.norm(positions - positions[i], axis=1))[1 : k + 1]
        order = np.argsort(np.linalg.norm(true - true[i], axis=1)).tolist()
        cost += sum(max(order.index(j) - k, 0) for j in near)
    expected = 1 - 2 * cost / (40 * k * (80 - 3 * k - 1))
    assert views.trustworthiness(views.squared_distances(true), positions, k) == pytest.approx(
        expected
    )


@pytest.mark.parametrize("perplexity", [5, 30, 50])
def test_every_point_has_the_perplexity(perplexity: float) -> None:
    rows = views.conditionals(_DISTANCES, perplexity)
    np.testing.assert_allclose(rows.sum(1), 1)
    assert (rows.diagonal() == 0).all()
    logs = np.log(rows, out=np.zeros_like(rows), where=rows > 0)
    np.testing.assert_allclose(np.exp(-(rows * logs).sum(1)), perplexity, rtol=1e-4)


def test_affinities_are_joint_probabilities() -> None:
    p = views.affinities(_DISTANCES, 20)
    assert p.sum() == pytest.approx(1)
    np.testing.assert_array_equal(p, p.T)
    # Of equal neighbours, equal shares.
    corners = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    few = views.affinities(views.squared_distances(corners), 2.0)
    assert few[0, 1] == pytest.approx(few[0, 2])
    assert few[0, 3] < few[0, 1]


def test_the_gradient_is_that_of_the_divergence(random: np.random.Generator) -> None:
    p = views.affinities(views.squared_distances(random.normal(size=(12, 4))), 4)
    positions = random.normal(size=(12, 2))
    found = views.gradient(p, positions)
    step = 1e-5
    for row in range(12):
        for column in range(2):
            moved = np.zeros_like(positions)
            moved[row, column] = step
            up, down = (views.divergence(p, positions + sign * moved) for sign in (1, -1))
            assert found[row, column] == pytest.approx((up - down) / (2 * step), abs=1e-7)


def test_the_divergence_is_a_sum_over_pairs(random: np.random.Generator) -> None:
    p = views.affinities(_DISTANCES[:50, :50], 10)
    positions = random.normal(size=(50, 2))
    weights = 1 / (1 + np.square(positions[:, None] - positions).sum(2))
    np.fill_diagonal(weights, 0)
    q, pairs = weights / weights.sum(), ~np.eye(50, dtype=bool)
    expected = (p[pairs] * np.log(p[pairs] / q[pairs])).sum()
    assert views.divergence(p, positions) == pytest.approx(expected)


def test_tsne_lowers_the_divergence_and_keeps_neighbours(fitted: views.Pca) -> None:
    start = fitted.encode(_IMAGES, 2)
    run = views.Tsne(views.affinities(_DISTANCES, 15), start)
    divergences = []
    for _ in range(6):
        divergences.append(run.divergence)
        for _ in range(50):
            run.step()
    assert run.steps == 300
    assert divergences == sorted(divergences, reverse=True)
    assert run.divergence < 0.4 * divergences[0]
    before = views.trustworthiness(_DISTANCES, start)
    assert views.trustworthiness(_DISTANCES, run.positions) > before + 0.15
    np.testing.assert_allclose(run.positions.mean(0), 0, atol=1e-3)


def test_tsne_is_the_same_every_time(fitted: views.Pca) -> None:
    runs = [views.Tsne(views.affinities(_DISTANCES, 15), fitted.encode(_IMAGES, 2)) for _ in "12"]
    for run in runs:
        for _ in range(60):
            run.step()
    np.testing.assert_array_equal(runs[0].positions, runs[1].positions)


def test_the_vae_needs_fewer_numbers_than_the_components() -> None:
    plain = views.plain()
    model = read_checkpoint(bundled_checkpoint()).model
    seen = views.encoded(model, plain)
    assert plain.trust < seen.trust < 1
    assert plain.errors[2] > 1.5 * seen.error
    assert plain.errors[seen.match] <= seen.error < plain.errors[seen.match - 1]
    assert seen.codes.shape == (views.DIGITS, 2)
