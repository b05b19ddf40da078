"""Samples against the quadrature, and the closed forms that go with them."""

import math

import numpy as np
import pytest

from vae_explorer.data.bundled import mnist
from vae_explorer.latent.normal import PRIOR, Normal
from vae_explorer.lessons import sampling
from vae_explorer.lessons.sampling import Samples, Truth
from vae_explorer.model.trained import TrainedVAE

EASY = 7  # its encoder's q fits
COUNT = 40_000


@pytest.fixture(scope="module")
def truth(model: TrainedVAE) -> Truth:
    return sampling.truth(model, mnist("train").images[EASY : EASY + 1], EASY)


@pytest.fixture(scope="module")
def prior(model: TrainedVAE, truth: Truth) -> Samples:
    return sampling.draw(model, truth.x, PRIOR, COUNT)


@pytest.fixture(scope="module")
def q(model: TrainedVAE, truth: Truth) -> Samples:
    return sampling.draw(model, truth.x, truth.q, 10_000, seed=1)


@pytest.mark.parametrize("name", ["prior", "q", "matched"])
def test_the_mean_weight_is_unbiased(model: TrainedVAE, truth: Truth, name: str) -> None:
    proposal = {"prior": PRIOR, "q": truth.q, "matched": truth.matched}[name]
    count = COUNT if name == "prior" else 10_000
    samples = sampling.draw(model, truth.x, proposal, count, seed=5)
    weights = np.exp(samples.log_weights - truth.log_marginal)
    standard_error = weights.std() / math.sqrt(count)
    assert abs(weights.mean() - 1) < 4 * standard_error + 2e-3
    assert standard_error < {"prior": 0.5, "q": 0.03, "matched": 0.01}[name]


def test_the_sums_are_those_of_every_m(prior: Samples) -> None:
    m = np.array([1, 17, 5_000, COUNT])
    for row, count in enumerate(m.tolist()):
        weights = np.exp(prior.log_weights[:count] - prior.log_weights[:count].max())
        estimate = math.log(weights.mean()) + prior.log_weights[:count].max()
        assert prior.estimate(m)[row] == pytest.approx(estimate)
        assert prior.effective(m)[row] == pytest.approx(weights.sum() ** 2 / (weights**2).sum())
        assert prior.negligible(count) == (weights < 1e-6).mean()


def test_what_is_lit_are_the_heaviest(prior: Samples) -> None:
    for m in (1, 300, COUNT):
        rows, shares = prior.lit(m, most=50)
        order = np.argsort(prior.log_weights[:m])[::-1][: len(rows)]
        np.testing.assert_array_equal(prior.log_weights[rows], prior.log_weights[order])
        assert shares.sum() == pytest.approx(1, abs=0.3 if m == COUNT else 1e-3)
        assert (np.diff(shares) <= 0).all()


def test_nearly_all_samples_of_the_prior_are_wasted(prior: Samples, q: Samples) -> None:
    assert prior.negligible(COUNT) > 0.99
    assert q.negligible(10_000) < 0.01
    m = np.array([10_000])
    assert q.effective(m)[0] > 100 * prior.effective(m)[0]


def test_the_curve_gathers_estimates_repeats_and_errors(truth: Truth, q: Samples) -> None:
    curve = sampling.curve(q, truth.log_marginal)
    assert curve.m[0] == 1
    assert curve.m[-1] == len(q)
    part = len(q) // sampling.REPEATS
    second = Samples.of(q.positions[part : 2 * part], q.log_weights[part : 2 * part])
    known = np.isfinite(curve.repeats[1])
    np.testing.assert_array_equal(known, curve.m <= part)
    np.testing.assert_allclose(curve.repeats[1][known], second.estimate(curve.m[known]))
    hundred = int(np.argmin(np.abs(curve.m - 100)))
    size = int(curve.m[hundred])
    blocks = q.log_weights[: len(q) // size * size].reshape(-1, size)
    values = np.log(np.exp(blocks - truth.log_marginal).mean(1))
    assert curve.error[hundred] == pytest.approx(math.sqrt((values**2).mean()))
    assert np.isnan(curve.error[-1])


def test_the_error_falls_with_the_root_of_m(truth: Truth, q: Samples) -> None:
    errors = [sampling.block_error(q.log_weights, m, truth.log_marginal) for m in (20, 320)]
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.35)


def test_the_kl_is_that_of_the_posterior(model: TrainedVAE, truth: Truth) -> None:
    # E_p[log p/r] over the grid of the exact posterior, by definition.
    axis, density = truth.grid.axis, truth.grid.density
    area = (axis[1] - axis[0]) ** 2
    z = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1)
    mass = density > 0
    for proposal in (PRIOR, truth.q, truth.matched):
        offset = z[mass] - proposal.mean
        square = np.einsum("ni,ij,nj->n", offset, np.linalg.inv(proposal.covariance), offset)
        log_r = -math.log(2 * math.pi) - 0.5 * (
            square + np.linalg.slogdet(proposal.covariance).logabsdet
        )
        kl = float((density[mass] * (np.log(density[mass]) - log_r)).sum() * area)
        assert truth.kl(proposal) == pytest.approx(kl, abs=0.02)
    assert truth.kl(truth.matched) < truth.kl(truth.q)
    assert truth.elbo < truth.log_marginal


def test_the_kl_of_two_gaussians_in_closed_form(truth: Truth) -> None:
    # The entropy of N(mean, covariance) is what makes KL to itself zero.
    matched = truth.matched
    entropy = math.log(2 * math.pi * math.e) + 0.5 * math.log(np.linalg.det(matched.covariance))
    lacking = entropy - truth.entropy
    assert truth.kl(matched) == pytest.approx(lacking, abs=1e-9)
    moved = Normal.of(np.add(matched.mean, 1), matched.covariance)
    shift = np.ones(2) @ np.linalg.solve(matched.covariance, np.ones(2)) / 2
    assert truth.kl(moved) == pytest.approx(lacking + shift)


def test_a_seed_goes_on_where_it_left(model: TrainedVAE, truth: Truth, prior: Samples) -> None:
    positions, weights = next(sampling.chunks(model, truth.x, PRIOR, start=2))
    part = slice(2 * sampling.CHUNK, 3 * sampling.CHUNK)
    np.testing.assert_array_equal(positions, prior.positions[part])
    np.testing.assert_array_equal(weights, prior.log_weights[part])


def test_a_check_ends_the_work(model: TrainedVAE, truth: Truth) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sampling.draw(model, truth.x, PRIOR, 10, check=stop)
