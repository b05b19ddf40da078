import math

import numpy as np
import pytest
from scipy.integrate import quad

from vae_explorer.lessons import entropy
from vae_explorer.lessons.entropy import Problem
from vae_explorer.types import Float64

PROBLEMS = {
    "two bars": entropy.bars(2),
    "seven bars": entropy.bars(7),
    "interval": entropy.on_interval(-1.0, 3.5),
    "variance": entropy.fixed_variance(0.5, 1.2),
    "mean": entropy.fixed_mean(1.5),
    "posterior": entropy.posterior(1.0),
}
# p(x = 1) of z from N(0, 1) and x from N(z², ¼).
EVIDENCE = quad(
    lambda z: math.exp(-0.5 * (z**2 + 4 * (1 - z**2) ** 2)) / math.pi, -math.inf, math.inf
)[0]
problems = pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS.keys())


def start(problem: Problem) -> Float64:
    """Two humps and some roughness, brought to the constraints."""
    x = problem.x
    rough = np.random.default_rng(0).random(len(x))
    heights = np.exp(-(((x - 1.6) / 0.3) ** 2)) + 0.5 * np.exp(-(((x + 0.4) / 0.5) ** 2)) + rough
    return entropy.project(problem, entropy.normalised(heights, problem.cell))


def test_entropy_and_divergence_against_values_worked_out_by_hand() -> None:
    p, q = np.array([0.5, 0.25, 0.25, 0.0]), np.full(4, 0.25)
    assert entropy.entropy(p) == pytest.approx(1.5 * math.log(2))
    assert entropy.divergence(p, q) == pytest.approx(math.log(4) - 1.5 * math.log(2))
    assert entropy.divergence(q, q) == 0


def test_differential_entropy_of_known_densities() -> None:
    """Of N(0, σ²) by its formula; of a narrow uniform one it is negative."""
    x = (np.arange(4_000) + 0.5) / 200 - 10
    gaussian = np.exp(-0.5 * (x / 0.7) ** 2) / (0.7 * math.sqrt(2 * math.pi))
    wanted = 0.5 * math.log(2 * math.pi * math.e * 0.49)
    assert entropy.entropy(gaussian, 1 / 200) == pytest.approx(wanted, abs=1e-9)
    assert entropy.entropy(np.full(10, 20.0), 1 / 200) == pytest.approx(-math.log(20))


@problems
def test_the_ascent_ends_at_the_closed_form(problem: Problem) -> None:
    end = list(entropy.ascent(problem, start(problem)))[-1]
    assert problem.value(end) == pytest.approx(problem.maximum, abs=1e-4)
    np.testing.assert_allclose(end, problem.best, atol=3e-3)


@problems
def test_the_closed_forms_are_those_of_the_books(problem: Problem) -> None:
    known = {
        "two bars": math.log(2),
        "seven bars": math.log(7),
        "interval": math.log(4.5),
        "variance": 0.5 * math.log(2 * math.pi * math.e * 1.44),
        "mean": 1 + math.log(1.5),
        "posterior": math.log(EVIDENCE),
    }
    name = next(name for name, one in PROBLEMS.items() if one is problem)
    assert problem.maximum == pytest.approx(known[name])
    assert problem.value(problem.best) == pytest.approx(known[name], abs=1e-4)


@problems
def test_the_constraints_are_kept_all_the_way(problem: Problem) -> None:
    for p in entropy.ascent(problem, start(problem)):
        assert p.sum() * problem.cell == pytest.approx(1, abs=1e-12)
        np.testing.assert_allclose(
            problem.statistics @ p * problem.cell, problem.moments, atol=1e-9
        )


@problems
def test_the_value_rises_and_the_divergence_falls_by_as_much(problem: Problem) -> None:
    """Under shared constraints KL(p ‖ p*) = H[p*] − H[p]: the maximum is met from below.

    Of the ELBO likewise: log p(x) − ELBO = KL(q ‖ p(z|x)).
    """
    path = list(entropy.ascent(problem, start(problem)))
    kl = np.array([entropy.divergence(p, problem.best, problem.cell) for p in path])
    h = np.array([problem.value(p) for p in path])
    assert (np.diff(kl) < 0).all()
    assert kl[-1] < entropy.TOLERANCE
    np.testing.assert_allclose(kl, problem.maximum - h, atol=1e-4)


def test_the_multipliers_end_at_the_closed_forms() -> None:
    gaussian, exponential = PROBLEMS["variance"], PROBLEMS["mean"]
    for problem, slopes in ((gaussian, (0.0, -0.5 / 1.44)), (exponential, (-1 / 1.5,))):
        np.testing.assert_allclose(problem.multipliers, slopes)
        end = list(entropy.ascent(problem, start(problem)))[-1]
        np.testing.assert_allclose(entropy.multipliers(problem, end)[1:], slopes, atol=1e-3)
    # log q = log p(x, z) + λ₀ − 1: the multiplier is what normalises, 1 − log p(x).
    problem = PROBLEMS["posterior"]
    end = list(entropy.ascent(problem, start(problem)))[-1]
    assert entropy.multipliers(problem, end) == pytest.approx(1 - problem.maximum, abs=1e-4)
    # log p = λ₀ − 1 where nothing but the sum is fixed.
    end = list(entropy.ascent(PROBLEMS["interval"], start(PROBLEMS["interval"])))[-1]
    assert entropy.multipliers(PROBLEMS["interval"], end) == pytest.approx(
        1 - math.log(4.5), abs=1e-5
    )


@pytest.mark.parametrize("name", ["variance", "mean"])
def test_the_multipliers_keep_the_constraints_of_the_gradient(name: str) -> None:
    """To first order, p (−log p + λ·T + constant) changes neither the sum nor E[T]."""
    problem = PROBLEMS[name]
    p = start(problem)
    first, *slopes = entropy.multipliers(problem, p)
    change = p * (first - 1 - np.log(p) + np.array(slopes) @ problem.statistics)
    assert change.sum() * problem.cell == pytest.approx(0, abs=1e-10)
    np.testing.assert_allclose(problem.statistics @ change * problem.cell, 0, atol=1e-9)


def test_projection_is_onto_the_nearest_density() -> None:
    """Pythagoras: KL(r ‖ p) = KL(r ‖ projection) + KL(projection ‖ p) for all that keep E[T]."""
    problem = PROBLEMS["variance"]
    heights = np.exp(-np.abs(problem.x - 2)) + 0.1
    p = entropy.normalised(heights, problem.cell)
    near = entropy.project(problem, p)
    r, cell = start(problem), problem.cell
    split = entropy.divergence(r, near, cell) + entropy.divergence(near, p, cell)
    assert entropy.divergence(r, p, cell) == pytest.approx(split, abs=1e-9)


@pytest.mark.parametrize("middle", [-7.0, 0.0, 7.5])
def test_whatever_is_drawn_can_be_brought_to_the_constraints(middle: float) -> None:
    problem = entropy.fixed_variance(0.0, 0.4)
    spike = entropy.normalised(np.exp(-(((problem.x - middle) / 0.05) ** 2)), problem.cell)
    p = entropy.project(problem, spike)
    np.testing.assert_allclose(problem.statistics @ p * problem.cell, problem.moments, atol=1e-8)


def test_what_is_held_stays_and_the_rest_makes_room() -> None:
    p = np.array([0.4, 0.3, 0.2, 0.1])
    held = np.array([True, False, False, False])
    moved = entropy.with_heights(p, held, np.full(4, 0.7), 1.0)
    np.testing.assert_allclose(moved, [0.7, 0.15, 0.1, 0.05])
    crowded = entropy.with_heights(p, held, np.full(4, 3.0), 1.0)
    assert crowded.sum() == pytest.approx(1)
    assert crowded.argmax() == 0
    assert crowded.min() > 0


def test_nothing_drawn_is_even() -> None:
    np.testing.assert_allclose(entropy.normalised(np.zeros(5), 0.2), 1.0)
