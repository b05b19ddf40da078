"""The numbers of the lessons up to the bound."""

import math
import re

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.statements import LESSONS, Known, digit, near, says, words_of
from vae_explorer.data.bundled import mnist
from vae_explorer.latent.gap import refine_posterior
from vae_explorer.latent.metric import magnification, pullback_metric
from vae_explorer.latent.normal import PRIOR, Normal
from vae_explorer.lessons import (
    entropy,
    pushforward,
    sampling,
)
from vae_explorer.lessons.bound import bound
from vae_explorer.lessons.sampling import Truth
from vae_explorer.types import Float64


def gradients_of(known: Known, truth: Truth, z: NDArray[np.float64]) -> Float64:
    """log p(x|z) (n,) at z (n, 2)."""
    q = [Normal((a, b), (1e-3, 1e-3)) for a, b in z.tolist()]
    return np.array([bound(known.model, truth.x, one, 0.0, 100).log_likelihood for one in q])


@says("1.1", "log 2 = 0.693")
@says("1.2", "log 6 = 1.792")
def _(_: Known) -> None:
    near(entropy.bars(2).maximum, to=0.693, within=5e-4)
    near(entropy.bars(6).maximum, to=1.792, within=5e-4)


@says("1.3", "a share e⁻ᵗ of the way is left")
def _(_: Known) -> None:
    p = entropy.normalised(np.array([0.45, 0.05, 0.2, 0.02, 0.25, 0.03]))
    after = entropy.step(entropy.bars(6), p, rate=0.1)
    np.testing.assert_allclose(np.diff(np.log(after)), 0.9 * np.diff(np.log(p)))


@says("1.5", "Its entropy is ½ log(2πeσ²)")
def _(_: Known) -> None:
    problem = entropy.fixed_variance(0.0, 0.7)
    near(entropy.entropy(problem.best, problem.cell), to=problem.maximum, within=1e-6)


@says("1.7", "log p(x) = 1 − λ₀, which is also the largest ELBO")
def _(_: Known) -> None:
    problem = entropy.posterior(1.0)
    near(1 - float(entropy.multipliers(problem, problem.best)[0]), to=problem.maximum, within=1e-9)
    near(problem.value(problem.best), to=problem.maximum, within=1e-9)
    peaks = problem.x[np.argsort(problem.best)[-2:]]
    assert peaks.prod() == pytest.approx(-1, abs=0.2)


@says("2.2", "goes to the distance 1 + r/10")
def _(_: Known) -> None:
    z = pushforward.samples(100)
    lengths = np.linalg.norm(pushforward.formula("ring")(z), axis=1)
    np.testing.assert_allclose(lengths, 1 + np.linalg.norm(z, axis=1) / 10)


@says("2.3", "a seventh of its area", "|det J| is 1/7 everywhere")
def _(_: Known) -> None:
    stretch = pushforward.stretch(pushforward.formula("spiral"), pushforward.samples(100))
    np.testing.assert_allclose(stretch, 1 / 7, rtol=1e-6)


@says("2.5", "There are 1,000 samples now. With 100 times as many", "about 10 times less")
def _(_: Known) -> None:
    state = LESSONS["2"].steps[4].settings
    f = pushforward.Formula.parse(state["x1"], state["x2"])
    region = pushforward.window(f(pushforward.samples(4_000)))
    means, area = pushforward.cell_means(f, region, (30, 30)), (region[1] - region[0]) ** 2 / 900

    def apart(n: int) -> float:
        sampled = pushforward.histogram(f(pushforward.samples(n)), region, (30, 30))
        return pushforward.total_variation(means, sampled, area)

    near(apart(1_000) / apart(100_000), to=10, within=1.5)


@says("2.6", "It is more than 10 times as large near the origin as two units away")
def _(known: Known) -> None:
    z = known.model.encode(mnist("train").images[:2_000]).mean.astype(np.float64)
    size, r = magnification(pullback_metric(known.model, z)), np.hypot(*z.T)
    assert np.median(size[r < 0.7]) > 10 * np.median(size[r > 2])
    assert (r < 2).mean() > 0.75


@says("3.1", "tens of nats, or hundreds", long=True)
def _(known: Known) -> None:
    off = (
        known.samples("3.1", "prior").estimate(np.array([10]))[0] - known.truth("3.1").log_marginal
    )
    assert off < -20


@says("3.2", "fewer than 50", "More than 99 of 100 samples", long=True)
def _(known: Known) -> None:
    samples = known.samples("3.2", "prior")
    assert samples.effective(np.array([10_000]))[0] < 50
    assert samples.negligible(10_000) > 0.99


@says("3.2", "log p(x|z) is about 100 to 400 nats lower", long=True)
def _(known: Known) -> None:
    truth = known.truth("3.2")
    angle = np.linspace(0, 2 * np.pi, 9)[:-1]
    z = truth.mean + np.stack([np.cos(angle), np.sin(angle)], axis=1)
    values = gradients_of(known, truth, np.vstack([truth.mean[None], z]))
    falls = values[0] - values[1:]
    assert falls.min() > 80
    assert falls.max() < 420


@says(
    "3.3",
    "lift the estimate to several times p(x), which is only one or two nats",
    "a factor of e to the power of 10, 20 or 30",
    long=True,
)
def _(known: Known) -> None:
    curve = sampling.curve(known.samples("3.3", "prior"), known.truth("3.3").log_marginal)
    at = int(np.argmin(np.abs(curve.m - 300)))
    off = curve.repeats[:, at] - known.truth("3.3").log_marginal
    assert (off < 0).sum() > 4
    assert 1 < off.max() < 3
    assert -40 < off.min() < -25


@says(
    "3.4",
    "There the error has come down to a few nats",
    "as many samples to about 1 nat",
    long=True,
)
def _(known: Known) -> None:
    truth = known.truth("3.4")
    needed = math.exp(truth.kl(PRIOR))
    curve = sampling.curve(known.samples("3.4", "prior"), truth.log_marginal)
    near(float(np.interp(needed, curve.m, curve.error)), to=3, within=1.5)
    near(float(np.interp(3 * needed, curve.m, curve.error)), to=1, within=0.4)


@says("3.4", "16 billion against 1,400", "370,000", "280 million", "ten-millionfold", "threefold")
def _(_: Known) -> None:
    kls = [float(one) for one in re.findall(r"\d+\.\d\d", words_of(LESSONS["3"], 3))[:4]]
    assert kls == [7.24, 12.82, 19.44, 23.50]
    np.testing.assert_allclose(np.exp(kls), [1_400, 370_000, 280e6, 16e9], rtol=0.02)
    near(kls[3] / kls[0], to=3, within=0.4)


@says("3.5", "between ten and twenty", "effective size of 7", "14 of them", long=True)
def _(known: Known) -> None:
    m = np.array([20_000])
    prior, q = (float(known.samples("3.5", name).effective(m)[0]) for name in ("prior", "encoder"))
    near(prior, to=7, within=0.5)
    near(q / 20_000, to=0.5, within=0.05)
    near(prior / (q / 20_000), to=14, within=0.5)


@says("3.5", "differ by a factor of more than a hundred", long=True)
def _(known: Known) -> None:
    exact = known.truth("3.5").log_marginal
    for m in (10, 100, 1_000):
        prior, q = (
            sampling.block_error(known.samples("3.5", name).log_weights, m, exact)
            for name in ("prior", "encoder")
        )
        assert prior > 100 * q


@says("3.6", "off by 0.2 nats", "off by 22 nats", "effective sample size of about one", long=True)
def _(known: Known) -> None:
    m, exact = np.array([20_000]), known.truth("3.6").log_marginal
    prior, q = (known.samples("3.6", name) for name in ("prior", "encoder"))
    near(abs(float(prior.estimate(m)[0]) - exact), to=0.2, within=0.05)
    near(exact - float(q.estimate(m)[0]), to=22, within=0.5)
    near(float(q.effective(m)[0]), to=1, within=0.1)


@says("3.6", "only 0.1 nats off", long=True)
def _(known: Known) -> None:
    exact, weights = known.truth("3.6").log_marginal, known.samples("3.6", "matched").log_weights
    near(sampling.block_error(weights, 1, exact), to=0.1, within=0.03)


@says("4.1", "its posterior is among the 3s", long=True)
def _(known: Known) -> None:
    data = mnist("train")
    assert data.labels is not None
    assert data.labels[digit("4.1")] == 5
    codes = known.model.encode(data.images[:2_000]).mean
    close = np.argsort(((codes - known.truth("4.1").mean) ** 2).sum(1))[:20]
    assert (data.labels[:2_000][close] == 3).sum() > 10


@says("4.2", "leaves less than 0.01 nats", long=True)
@says("4.7", "the approximation gap is less than 0.01 nats", long=True)
def _(known: Known) -> None:
    assert known.kl("4.2", known.truth("4.2").matched) < 0.01


@says("4.3", "the reconstruction falls, and so does the KL", long=True)
def _(known: Known) -> None:
    truth = known.truth("4.3")
    terms = [
        bound(known.model, truth.x, Normal.of(truth.mean, w**2 * truth.covariance), 0.0, 40_000)
        for w in (0.3, 0.6, 1.0, 2.0)
    ]
    assert (np.diff([one.log_likelihood for one in terms]) < 0).all()
    assert (np.diff([one.kl_prior for one in terms]) < 0).all()
    assert int(np.argmax([one.elbo for one in terms])) == 2


@says("4.4", "224 nats", "the ELBO of this q is −400 nats", long=True)
def _(known: Known) -> None:
    truth = known.truth("4.4")
    found = bound(known.model, truth.x, PRIOR, truth.log_marginal, 40_000)
    near(found.kl_posterior, to=224, within=0.6)
    near(found.elbo, to=-400, within=0.6)


@says("4.5", "the encoder loses 32 nats", long=True)
def _(known: Known) -> None:
    near(known.kl("4.5", known.truth("4.5").q), to=32, within=0.5)


@says("4.6", "21 nats are left for this digit", long=True)
def _(known: Known) -> None:
    truth = known.truth("4.6")
    start = np.array([truth.q.mean]), truth.q.covariance[None]
    *_, end = refine_posterior(known.model, truth.x, 150, start=start)
    near(known.kl("4.6", Normal.of(end.mean[0], end.covariance[0])), to=21, within=0.5)
