"""The numbers of the lessons from the tighter bounds on."""

import math
from functools import cache

import numpy as np

from tests.support.statements import LESSONS, Known, digit, near, says
from vae_explorer.data.bundled import mnist
from vae_explorer.latent.figures import image_figures
from vae_explorer.latent.geodesic import geodesic_graph
from vae_explorer.latent.metric import magnification, pullback_metric
from vae_explorer.lessons import (
    algorithm,
    geometry,
    gradients,
    tighter,
    trade,
    views,
)


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


@says("7.3", "it is about −5.5", "no other small model is below it. The diamond", long=True)
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


@says("9.1", "It takes 85", "only 17 %", "fewer than 100", long=True)
def _(_: Known) -> None:
    shares = plain().pca.explained.cumsum()
    assert int(np.argmax(shares >= 0.9)) + 1 == 85
    near(float(shares[1]), to=0.17, within=0.005)


@says("9.2", "13 for the bundled model", "1.8 times that of the VAE", long=True)
def _(known: Known) -> None:
    seen = views.encoded(known.model, plain())
    assert seen.match == 13
    near(float(plain().errors[2]) / seen.error, to=1.8, within=0.05)


@says("9.4", "0.935, against 0.958 for t-SNE and 0.740 for PCA", long=True)
def _(known: Known) -> None:
    run = views.Tsne(views.affinities(plain().distances, 30), plain().codes)
    for _step in range(500):
        run.step()
    found = views.trustworthiness(plain().distances, run.positions)
    near(views.encoded(known.model, plain()).trust, to=0.935, within=0.002)
    near(found, to=0.958, within=0.002)
    near(plain().trust, to=0.740, within=0.0006)


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
