"""Entropy as a functional, alone or in the ELBO, and what maximises it.

The maxima are in Cover & Thomas, *Elements of Information Theory*, 2nd edition, §12.1; that of the
ELBO = E_q[log p(x, z)] + H[q] is the posterior (Kingma & Welling, arXiv 1906.02691, §2.2).

A density is an array p (m,) over m cells of the same width ``cell``: Σ p · cell = 1. With a cell of
1 it is a discrete distribution. Entropies and divergences are in nats.

H is climbed by its natural gradient, that of the Fisher metric (Amari, *Natural Gradient Works
Efficiently in Learning*, 1998). Under E[T] = c, where T are some statistics of x, it moves p by
∂ log p/∂t = −log p + λ·T + a constant, λ such that E[T] stays. Under a potential U, which makes it
H + E[U], U is added.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from vae_explorer.types import Bools, Float64

RATE = 0.06
"""Of one step of the ascent: the share of log p that is given up."""
TOLERANCE = 1e-6
"""Nats from the maximum at which the ascent ends."""
MOST_STEPS = 400
"""After which it ends in any case."""
SHAPES = ("humps", "ramp", "comb")
LOWEST = 1e-4
"""Of the even density, the least that a density is anywhere: at 0 it could never rise again."""

_CELLS = 800
_WIDE, _LONG = 8.0, 20.0  # where the line and the half-line are cut off
_LATENT, _NOISE = 4.0, 0.5  # where the line of z is cut off, and the spread of x around z²
_NEWTON = 60


@dataclass(frozen=True)
class Problem:
    """Maximise H + E[U] of a density on cells with the middles ``x`` (m,), given E[T] = c.

    ``statistics`` (k, m) are T(x), ``moments`` (k,) are c, ``potential`` (m,) is U(x), 0 for the
    entropy alone. The closed forms of the continuous problem: ``maximum`` in nats, ``multipliers``
    (k,) and the maximiser ``best`` (m,), brought to a sum of 1 on the cells.
    """

    x: Float64
    cell: float
    statistics: Float64
    moments: Float64
    maximum: float
    multipliers: Float64
    best: Float64
    potential: Float64

    def value(self, p: Float64) -> float:
        """H[p] + E[U], nats: what is maximised."""
        return entropy(p, self.cell) + float(self.potential @ p) * self.cell


def bars(count: int) -> Problem:
    """A distribution over ``count`` outcomes: the uniform one has H = log n."""
    x, cell = _cells(0.0, count, count)
    return _problem(x, cell, (), (), math.log(count), ())


def on_interval(low: float, high: float) -> Problem:
    """A density on [low, high]: the uniform one has H = log(high − low)."""
    x, cell = _cells(low, high)
    return _problem(x, cell, (), (), math.log(high - low), ())


def fixed_variance(mean: float, sigma: float) -> Problem:
    """On the line with a mean and a variance σ²: N(mean, σ²) has H = ½ log(2πeσ²).

    T is x − mean and (x − mean)², with the multipliers 0 and −1/(2σ²). The line is cut off 8 units
    from the mean.
    """
    x, cell = _cells(mean - _WIDE, mean + _WIDE)
    offset = x - mean
    maximum = 0.5 * math.log(2 * math.pi * math.e * sigma**2)
    moments, multipliers = (0.0, sigma**2), (0.0, -0.5 / sigma**2)
    return _problem(x, cell, (offset, offset**2), moments, maximum, multipliers)


def fixed_mean(mean: float) -> Problem:
    """On the half-line x ≥ 0 with a mean: the exponential density has H = 1 + log(mean).

    T is x, with the multiplier −1/mean. The half-line is cut off at 20 units.
    """
    x, cell = _cells(0.0, _LONG)
    return _problem(x, cell, (x,), (mean,), 1 + math.log(mean), (-1 / mean,))


def posterior(x: float) -> Problem:
    """The ELBO of a small model: z from N(0, 1), and x = z² with noise of a standard deviation ½.

    U is log p(x, z) at the x that was observed. The maximiser is p(z|x), with a peak on either
    side, and the maximum log p(x). The line is cut off 4 units from 0.
    """
    z, cell = _cells(-_LATENT, _LATENT)
    misfit = (x - z**2) / _NOISE
    potential = -0.5 * (z**2 + misfit**2) - math.log(2 * math.pi * _NOISE)
    peak = float(potential.max())
    evidence = peak + math.log(float(np.exp(potential - peak).sum()) * cell)
    return _problem(z, cell, (), (), evidence, (), potential)


def entropy(p: Float64, cell: float = 1.0) -> float:
    """H[p] = −∫ p log p; a p of 0 adds nothing."""
    return -float(np.sum(_x_log_y(p, p))) * cell


def divergence(p: Float64, q: Float64, cell: float = 1.0) -> float:
    """KL(p ‖ q) = ∫ p log(p/q)."""
    return float(np.sum(_x_log_y(p, p) - _x_log_y(p, q))) * cell


def normalised(heights: Float64, cell: float = 1.0) -> Float64:
    """The density in proportion to ``heights`` (m,), none of them lower than ``LOWEST``."""
    heights = np.maximum(heights, 0.0)
    total = float(heights.sum()) * cell
    p = heights / total if total > 0 else np.ones_like(heights)
    p = np.maximum(p, LOWEST / (len(p) * cell))
    return np.asarray(p / (p.sum() * cell))


def shape(name: str, problem: Problem, low: float, high: float) -> Float64:
    """A density (m,) to start from, of the ``SHAPES`` one, spread from low to high."""
    u = (problem.x - low) / (high - low)
    inside = (u >= 0) & (u <= 1)
    if name == "ramp":
        heights = np.where(inside, 0.05 + u, 0.0)
    elif name == "comb":
        heights = np.where(inside, 1.0 + 0.95 * np.sin(8 * np.pi * u), 0.0)
    else:
        left, right = (np.exp(-0.5 * ((u - position) / 0.07) ** 2) for position in (0.3, 0.65))
        heights = 0.02 * inside + left + 0.5 * right
    return normalised(heights, problem.cell)


def with_heights(p: Float64, held: Bools, heights: Float64, cell: float) -> Float64:
    """The density that has ``heights`` (m,) where ``held`` (m,), the rest of p in proportion.

    If what is held would weigh more than all, it is lowered.
    """
    share = float(heights[held].sum()) * cell
    rest = float(p[~held].sum()) * cell
    room = max(1 - share, LOWEST)
    return normalised(np.where(held, heights, p * (room / rest if rest > 0 else 1.0)), cell)


def project(problem: Problem, p: Float64) -> Float64:
    """The density with E[T] = c that is nearest to p: it minimises KL( · ‖ p).

    It is p times exp(λ·T), brought to a sum of 1 (Csiszár, *I-divergence geometry of probability
    distributions and minimization problems*, 1975).
    """
    return _tilted(problem, np.log(p))


def step(problem: Problem, p: Float64, rate: float = RATE) -> Float64:
    """Climb by a finite step that keeps E[T] = c.

    It gives the density in proportion to p^(1 − rate) exp(rate · U + λ·T), which maximises
    rate · (H + E[U]) − (1 − rate) · KL( · ‖ p) under the constraints, so that H + E[U] never falls.
    """
    return _tilted(problem, (1 - rate) * np.log(p) + rate * problem.potential)


def ascent(
    problem: Problem, p: Float64, rate: float = RATE, tolerance: float = TOLERANCE
) -> Iterator[Float64]:
    """From p, which keeps the constraints, step by step until KL to the maximiser is small."""
    yield p
    for _ in range(MOST_STEPS):
        if divergence(p, problem.best, problem.cell) < tolerance:
            return
        p = step(problem, p, rate)
        yield p


def multipliers(problem: Problem, p: Float64) -> Float64:
    """The Lagrange multipliers λ₀, λ₁ … (1 + k,) at p.

    They stand in H[p] + E[U] + λ₀ (∫p − 1) + Σ λ_k (E[T_k] − c_k). Of the λ for which the natural
    gradient keeps the constraints, λ₁ … are Cov[T]⁻¹ Cov[T, log p − U], the regression of
    log p − U on T, and λ₀ − 1 is its constant. Where that gradient ends, log p = U + λ₀ − 1 + λ·T.
    """
    mass, log_p = p * problem.cell, np.log(p) - problem.potential
    means = problem.statistics @ mass
    centred = problem.statistics - means[:, None]
    slopes = np.linalg.solve((centred * mass) @ centred.T, centred @ (mass * log_p))
    return np.concatenate([[1 + mass @ log_p - slopes @ means], slopes])


def _cells(low: float, high: float, count: int = _CELLS) -> tuple[Float64, float]:
    cell = (high - low) / count
    return low + cell * (np.arange(count, dtype=np.float64) + 0.5), cell


def _problem(
    x: Float64,
    cell: float,
    statistics: tuple[Float64, ...],
    moments: tuple[float, ...],
    maximum: float,
    slopes: tuple[float, ...],
    potential: Float64 | None = None,
) -> Problem:
    table = np.array(statistics, np.float64).reshape(len(moments), len(x))
    potential = np.zeros(len(x)) if potential is None else potential
    exponent = np.array(slopes, np.float64) @ table + potential
    weights = np.exp(exponent - exponent.max())
    best = weights / (weights.sum() * cell)
    return Problem(x, cell, table, np.array(moments), maximum, np.array(slopes), best, potential)


def _tilted(problem: Problem, log_base: Float64) -> Float64:
    """exp(log_base + λ·T), normalised, with E[T] = c: by Newton's method on the convex dual."""
    # In units of their spread: x² and x differ by a hundred times.
    scale = np.maximum(np.abs(problem.statistics).max(1, initial=0.0), 1e-12)
    table = problem.statistics / scale[:, None]
    table = table - (problem.moments / scale)[:, None]
    slopes = np.zeros(len(table))
    value, mass = _dual(log_base, slopes, table)
    for _ in range(_NEWTON):
        gradient = table @ mass
        if np.abs(gradient).max(initial=0.0) < 1e-13:
            break
        curvature = (table * mass) @ table.T - np.outer(gradient, gradient)
        direction = -np.linalg.solve(curvature + 1e-14 * np.eye(len(table)), gradient)
        length = 1.0
        while length > 1e-6:
            tried, tried_mass = _dual(log_base, slopes + length * direction, table)
            if tried <= value + 1e-4 * length * (gradient @ direction) + 1e-14:
                break
            length /= 2
        slopes, value, mass = slopes + length * direction, tried, tried_mass
    return mass / problem.cell


def _dual(log_base: Float64, slopes: Float64, table: Float64) -> tuple[float, Float64]:
    """log Σ exp(log_base + λ·T), and the masses (m,) whose gradient it has."""
    exponent = log_base + slopes @ table
    highest = float(exponent.max())
    weights = np.exp(exponent - highest)
    total = float(weights.sum())
    return highest + math.log(total), weights / total


def _x_log_y(x: Float64, y: Float64) -> Float64:
    return np.where(x > 0, x * np.log(np.where(x > 0, y, 1.0)), 0.0)
