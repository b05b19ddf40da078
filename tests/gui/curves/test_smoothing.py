import numpy as np
import pytest

from vae_explorer.gui.curves.smoothing import Smoothed, exponential_sums

Y = np.random.default_rng(0).normal(size=2_000)


def by_hand(values: np.ndarray, weight: float) -> np.ndarray:
    total, averages = 0.0, []
    for count, value in enumerate(values, 1):
        total = weight * total + (1 - weight) * value
        averages.append(total / (1 - weight**count))
    return np.array(averages)


@pytest.mark.parametrize("weight", [0.0, 0.3, 0.9, 0.99])
def test_sums_are_the_recursion(weight: float) -> None:
    expected, total = [], 0.0
    for value in Y:
        total = weight * total + value
        expected.append(total)
    np.testing.assert_allclose(exponential_sums(Y, weight), expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize("weight", [0.3, 0.9, 0.99])
def test_the_average_is_that_of_adam_in_any_portions(weight: float) -> None:
    smoothed = Smoothed(weight)
    for end in (0, 1, 2, 20, 21, 1_500, 2_000):
        averages = smoothed.update(Y[:end])
    np.testing.assert_allclose(averages, by_hand(Y, weight), rtol=0, atol=1e-12)


def test_the_start_is_not_drawn_towards_zero() -> None:
    averages = Smoothed(0.99).update(np.full(50_000, -130.0))
    np.testing.assert_allclose(averages, -130.0, rtol=1e-12)


def test_what_is_not_finite_has_no_weight() -> None:
    y = Y[:50].copy()
    y[10], y[11] = np.nan, np.inf
    averages = Smoothed(0.9).update(y)
    assert np.isnan(averages[10:12]).all()
    np.testing.assert_allclose(
        np.delete(averages, [10, 11]), by_hand(np.delete(y, [10, 11]), 0.9), atol=1e-12
    )
