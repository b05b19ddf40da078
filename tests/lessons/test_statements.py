"""What the lessons say of numbers, each computed for the digit that its step shows."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from vae_explorer.data.bundled import mnist
from vae_explorer.latent.figures import image_figures
from vae_explorer.latent.gap import refine_posterior
from vae_explorer.latent.geodesic import geodesic_graph
from vae_explorer.latent.metric import magnification, pullback_metric
from vae_explorer.latent.normal import PRIOR, Normal
from vae_explorer.lessons import (
    algorithm,
    entropy,
    geometry,
    gradients,
    pushforward,
    sampling,
    tighter,
    trade,
    views,
)
from vae_explorer.lessons.bound import bound
from vae_explorer.lessons.course import Lesson, Question, bundled_lessons
from vae_explorer.lessons.sampling import Samples, Truth
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.types import Float64

LESSONS = {lesson.id[0]: lesson for lesson in bundled_lessons()}


@dataclass(eq=False)
class Known:
    """What several statements are about, each found once."""

    model: TrainedVAE
    _kept: dict[object, object] = field(default_factory=dict)

    def once(self, key: object, find: Callable[[], object]) -> object:
        """What ``find`` finds, under a key."""
        if key not in self._kept:
            self._kept[key] = find()
        return self._kept[key]

    def truth(self, step: str) -> Truth:
        """Of the digit of a step."""
        image = digit(step)
        images = mnist("train").images[image : image + 1]
        found = self.once(image, lambda: sampling.truth(self.model, images, image))
        assert isinstance(found, Truth)
        return found

    def samples(self, step: str, q: str) -> Samples:
        """As many as a step has, by the seeds of its figure."""
        known, state = self.truth(step), LESSONS[step[0]].settings(int(step[2]) - 1)
        seed = int(step[0] == "3" and q != "prior")
        count = state["samples"]

        def find() -> Samples:
            return sampling.draw(self.model, known.x, known.proposal(q), count, seed)

        found = self.once((digit(step), q, count, seed), find)
        assert isinstance(found, Samples)
        return found

    def kl(self, step: str, q: Normal) -> float:
        """KL(q ‖ p(z|x)) of the digit of a step, nats."""
        truth = self.truth(step)
        return bound(self.model, truth.x, q, truth.log_marginal, 40_000).kl_posterior


def digit(step: str) -> int:
    """The number of the training digit that a step is about."""
    number = LESSONS[step[0]].settings(int(step[2]) - 1)["image"]
    assert isinstance(number, int)
    return number


def words_of(lesson: Lesson, number: int) -> str:
    """All that one reads in a step, but formulas, code and wrong answers."""
    parts: list[str] = []
    for block in lesson.steps[number].blocks:
        if isinstance(block, str):
            parts.append(block)
        elif isinstance(block, Question):
            answers = zip(block.choices, block.right, strict=True)
            right = [choice for choice, is_right in answers if is_right]
            parts += [block.text, *right, block.reveal]
    return " ".join(" ".join(parts).split())


@pytest.fixture(scope="module")
def known(model: TrainedVAE) -> Known:
    return Known(model)


Check = Callable[[Known], None]
STATEMENTS: list[tuple[str, str, Check, bool]] = []


def says(step: str, *words: str, long: bool = False) -> Callable[[Check], Check]:
    """A step says so, and this is how it is computed."""

    def note(check: Check) -> Check:
        STATEMENTS.extend((step, one, check, long) for one in words)
        return check

    return note


def near(value: float, *, to: float, within: float) -> None:
    assert value == pytest.approx(to, abs=within)


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


@says("1.7", "1 − λ₀ = log p(x), and this is also the largest ELBO")
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


@says("3.4", "16 billion against 1,400", "370,000 | 280 million", "ten-millionfold", "threefold")
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


@says("5.2", "a tenth of the gap", "From about k = 10 on", long=True)
def _(known: Known) -> None:
    truth, weights = known.truth("5.2"), known.samples("5.2", "wide").log_weights
    found = tighter.bound(weights, (10, 100))
    variance = float(np.exp(weights - truth.log_marginal).var())
    for k, mean, error in zip((10, 100), found.mean, found.error, strict=True):
        assert abs(truth.log_marginal - mean - variance / (2 * k)) < 0.01 + 3 * error


@says("5.3", "26 nats too low", long=True)
def _(known: Known) -> None:
    found = tighter.bound(known.samples("5.3", "encoder").log_weights, (5_000,))
    near(known.truth("5.3").log_marginal - float(found.mean[0]), to=26, within=0.5)


@cache
def powers(known: Known) -> dict[str, float]:
    truth = known.truth("5.4")
    streams = {
        name: list(tighter.gradients(known.model, truth.x, truth.wide, name))[-1]
        for name in tighter.ESTIMATORS
    }
    return {
        name: tighter.slope(one.ks, tighter.signal_to_noise(streams["dreg"], one), least=10)
        for name, one in streams.items()
    }


@says("5.4", "noisier, like 1/√k", long=True)
def _(known: Known) -> None:
    near(powers(known)["iwae"], to=-0.5, within=0.1)


@says("5.5", "rises, like √k", long=True)
def _(known: Known) -> None:
    near(powers(known)["dreg"], to=0.5, within=0.15)


@says("6.2", "μ⁴/σ² + 14μ² + 15σ²", "from 23 to 299")
def _(_: Known) -> None:
    for mean, variance in ((1.0, 23), (3.0, 299)):
        score, _path = gradients.exact_variances(gradients.FUNCTIONS["square"], mean, 0.7)
        near(float(score[0]), to=mean**4 / 0.49 + 14 * mean**2 + 15 * 0.49, within=1e-6)
        near(float(score[0]), to=variance, within=0.6)


@says("6.3", "The path-wise variance is 4σ²")
def _(_: Known) -> None:
    _score, path = gradients.exact_variances(gradients.FUNCTIONS["square"], 1.5, 0.5)
    near(float(path[0]), to=4 * 0.25, within=1e-6)


def draws_of(known: Known, step: str) -> gradients.Draws:
    state, image = LESSONS["6"].settings(int(step[2]) - 1), digit(step)
    images = mnist("train").images[image : image + 1]
    q = known.model.encode(images)
    mean = q.mean[0] + np.array(state["shift"])

    def find() -> gradients.Draws:
        x = known.model.treated(images)
        return gradients.elbo_draws(known.model, x, mean, q.covariance[0], 2_048)

    found = known.once(("draws", image), find)
    assert isinstance(found, gradients.Draws)
    return found


@says("6.5", "about 100,000", "here 111,000", "about −200 at every sample", "a gradient of 331")
@says("6.5", "noise of 20,000 nats per latent unit", "about 1/σ, a hundred")
def _(known: Known) -> None:
    drawn = draws_of(known, "6.5")
    score, path = drawn.score_function()[:, 1], drawn.path_wise()[:, 1]
    near(float(score.var() / path.var()), to=111_000, within=1_000)
    assert abs(drawn.values + 200).max() < 30
    near(float(drawn.scores[:, 1].std()), to=100, within=15)
    near(float(score.std()), to=20_000, within=1_000)
    near(abs(float(drawn.exact[1])), to=331, within=1)


@says("6.6", "a factor of more than 1,000 in variance", "A factor of 60", "the −200 is gone")
def _(known: Known) -> None:
    drawn = draws_of(known, "6.6")
    near(float(drawn.values.mean()), to=-200, within=10)
    plain, helped = (drawn.score_function(4, base)[:, 1].var() for base in (False, True))
    assert plain > 1_000 * helped
    near(float(helped / drawn.path_wise(4)[:, 1].var()), to=60, within=5)


@says("6.7", "the ELBO ends below −400 nats", "By the path it ends above −180", long=True)
def _(_: Known) -> None:
    path, score = (np.array(list(algorithm.train(name))) for name in algorithm.ESTIMATORS)
    assert path[-20:].mean() > -180
    assert score[-20:].mean() < -400
    rolling = np.convolve(score, np.ones(20) / 20, "valid")
    assert rolling.max() > -200


@cache
def studies(known: Known) -> dict[float, trade.Study]:
    reference = trade.codes(known.model)
    made = {beta: trade.study(beta, trade.train(beta), reference) for beta in trade.BETAS}
    return made | {math.inf: trade.study(1.0, known.model)}


@says("7.2", "from 16 nats to 0", long=True)
def _(known: Known) -> None:
    rates = [studies(known)[beta].aggregate.rate for beta in trade.BETAS]
    near(rates[0], to=16, within=0.6)
    assert rates[-1] < 0.1
    assert (np.diff(rates) < 0.05).all()


@says("7.3", "it is about −5.5", "no other small model is below it. Only the diamond is", long=True)
def _(known: Known) -> None:
    some = studies(known)
    near(float(trade.slopes([some[3.0], some[8.0]])[0]), to=-5.5, within=0.5)
    losses = {beta: one.aggregate.distortion + 3 * one.aggregate.rate for beta, one in some.items()}
    assert losses.pop(math.inf) < min(losses.values())
    assert min(losses, key=lambda beta: losses[beta]) == 3.0


@says("7.4", "log 10 ≈ 2.3", "Around that rate, at β = 8 and β = 3", long=True)
def _(known: Known) -> None:
    low, high = (studies(known)[beta].aggregate.rate for beta in (8.0, 3.0))
    assert low < math.log(10) + 0.3 < high + 0.6


@says("7.5", "from about 0.5 to above 8 nats", "from about 4.3 to 7.3", long=True)
@says("7.5", "grows threefold", "exceed log 2,000 ≈ 7.6", long=True)
def _(known: Known) -> None:
    before, after = (studies(known)[beta].aggregate for beta in (1.0, 0.01))
    near(before.marginal_kl, to=0.5, within=0.15)
    assert after.marginal_kl > 8
    near(before.mutual_information, to=4.3, within=0.2)
    near(after.mutual_information, to=7.3, within=0.15)
    near(after.rate / before.rate, to=3.2, within=0.4)
    near(math.log(trade.IMAGES), to=7.6, within=0.01)


@says("7.6", "about 3 nats more on rate and saves 37 of distortion", long=True)
def _(known: Known) -> None:
    small, large = (studies(known)[beta].aggregate for beta in (1.0, math.inf))
    near(large.rate - small.rate, to=3, within=0.6)
    near(small.distortion - large.distortion, to=37, within=1.5)


def ends(step: str) -> tuple[tuple[float, float], tuple[float, float]]:
    state = LESSONS["8"].steps[int(step[2]) - 1].settings
    (a, b), (c, d) = state["start"], state["end"]
    return (a, b), (c, d)


@says("8.1", "The tallest bar is more than 5 times as high as the lowest")
def _(known: Known) -> None:
    f = geometry.immersion(known.model, "euclidean")
    bars = geometry.frames(geometry.straight_route(f, *ends("8.1")), 11, "latent").steps
    assert bars.max() > 5 * bars.min()


@says("8.3", "A lies among the 1s, B among the 7s")
def _(known: Known) -> None:
    data = mnist("train")
    assert data.labels is not None
    codes = known.model.encode(data.images[:2_000]).mean
    for end, label in zip(ends("8.3"), (1, 7), strict=True):
        close = np.argsort(((codes - end) ** 2).sum(1))[:20]
        assert (data.labels[:2_000][close] == label).sum() > 10


@says("8.3", "a third more on the plane and a fifth less in the space of images")
@says("8.4", "where the decoder changes fastest along the path")
def _(known: Known) -> None:
    f, (start, end) = geometry.immersion(known.model, "euclidean"), ends("8.3")
    assert ends("8.4") == (start, end)
    line = geometry.straight_route(f, start, end)
    short = geometry.geodesic_route(geodesic_graph(f), start, end)
    gone = np.linalg.norm(np.diff(short.path, axis=0), axis=1).sum()
    near(float(gone / np.hypot(*np.subtract(start, end))), to=4 / 3, within=0.05)
    near(short.length / line.length, to=0.8, within=0.025)
    # The dots of the figure are not closest together where √det G is largest.
    dots = geometry.frames(short, 11, "image").positions
    size = magnification(pullback_metric(known.model, (dots[1:] + dots[:-1]) / 2))
    assert np.linalg.norm(np.diff(dots, axis=0), axis=1).argmin() != size.argmax()


@says("8.5", "From 0.00 to 0.01 it is 0.20, from 0.50 to 0.51 only 0.02")
def _(_: Known) -> None:
    length = 2 * np.arcsin(np.sqrt([0.0, 0.01, 0.5, 0.51]))
    near(length[1] - length[0], to=0.20, within=0.005)
    near(length[3] - length[2], to=0.02, within=0.005)


@cache
def plain() -> views.Plain:
    return views.plain()


@says("9.1", "85. Neighbouring", "only 17 %", "fewer than 100", long=True)
def _(_: Known) -> None:
    shares = plain().pca.explained.cumsum()
    assert int(np.argmax(shares >= 0.9)) + 1 == 85
    near(float(shares[1]), to=0.17, within=0.005)


@says("9.2", "13 for the bundled model", "1.8 times that of the VAE", long=True)
def _(known: Known) -> None:
    seen = views.encoded(known.model, plain())
    assert seen.match == 13
    near(float(plain().errors[2]) / seen.error, to=1.8, within=0.05)


@says("9.4", "0.93, against 0.96 for t-SNE and 0.74 for PCA", long=True)
def _(known: Known) -> None:
    run = views.Tsne(views.affinities(plain().distances, 30), plain().codes)
    for _step in range(500):
        run.step()
    found = views.trustworthiness(plain().distances, run.positions)
    near(views.encoded(known.model, plain()).trust, to=0.93, within=0.006)
    near(found, to=0.96, within=0.006)
    near(plain().trust, to=0.74, within=0.006)


@says("9.5", "of the 1s among the test digits is −45 nats, that of the 0s −135", long=True)
@says("9.5", "stranger than 19 of 20 other 1s", "A 1 with −80 nats", long=True)
@says("9.5", "a higher value than nearly every 0", long=True)
def _(known: Known) -> None:
    test = mnist("test")
    assert test.labels is not None
    elbo = image_figures(known.model, test.images[:1_000], np.arange(1_000)).elbo
    ones, noughts = (elbo[test.labels[:1_000] == label] for label in (1, 0))
    near(float(np.median(ones)), to=-45, within=2)
    near(float(np.median(noughts)), to=-135, within=2)
    assert (ones > -80).mean() >= 0.95
    assert (noughts < -80).mean() > 0.95


def gradients_of(known: Known, truth: Truth, z: NDArray[np.float64]) -> Float64:
    """log p(x|z) (n,) at z (n, 2)."""
    q = [Normal((a, b), (1e-3, 1e-3)) for a, b in z.tolist()]
    return np.array([bound(known.model, truth.x, one, 0.0, 100).log_likelihood for one in q])


@pytest.mark.parametrize(
    ("step", "words", "check"),
    [
        pytest.param(step, words, check, id=f"{step} {words}", marks=[pytest.mark.long] * long)
        for step, words, check, long in STATEMENTS
    ],
)
def test_what_a_step_says_is_so(step: str, words: str, check: Check, known: Known) -> None:
    del words
    check(known)


GIVEN = re.compile(
    r"28 × 28|784|N\(0, 1\)|Lesson \d|lesson \d|step \d|Algorithm 1|equation 10|M = 100|"
    r"β = [\d.]+|−\d\.|60,000|k = 5,000|5,000 (samples|digits)|2,000 (test )?digits|"
    r"1,000 test digits|10,000 (samples|training digits)|20,000 (samples|of the prior)|"
    r"m is 300|12 epochs|100,000 samples|computed 100 times|first 10 samples|"
    r"the 10 nearest|0\.5 for a random|perplexities of 5 and 50|0\.\d\d to 0\.\d\d|by 3 nats|"
    r"√100 = 10|From 2 to 20 dimensions|log 10 nats|Add 100 to f|about 100,|from 32|"
    r"dimensions of z[^A-Z]*|, 2019|10 to 20|more than 100|K?L, nats \|[^A-Z]*"
)
"""How a step is set, what a question supposes or offers besides, and names."""

NUMBER = re.compile(r"\d[\d,.]*\d|\d (?:nats?|%)")


@pytest.mark.parametrize("key", LESSONS)
def test_every_number_is_computed(key: str) -> None:
    lesson = LESSONS[key]
    for number in range(len(lesson.steps)):
        words, step = words_of(lesson, number), f"{key}.{number + 1}"
        for said in [one for at, one, *_ in STATEMENTS if at == step]:
            assert said in words_of(lesson, number), f"{step} does not say: {said}"
            words = words.replace(said, "…")
        found = NUMBER.findall(GIVEN.sub("…", words))
        assert not found, f"{step} says {found}, which nothing computes"
