import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vae_explorer.training.recipe import SCHEDULES, Recipe
from vae_explorer.training.schedule import learning_rate

PEAK = 2e-3


def _rates(schedule: str, total: int, warmup: int = 0) -> list[float]:
    recipe = Recipe(learning_rate=PEAK, schedule=schedule, warmup_steps=warmup)
    return [learning_rate(recipe, step, total) for step in range(total)]


@given(st.sampled_from(SCHEDULES), st.integers(1, 3_000), st.integers(0, 100_000))
def test_every_rate_lies_between_nothing_and_the_peak(
    schedule: str, total: int, warmup: int
) -> None:
    rates = _rates(schedule, total, warmup)
    assert all(0 < rate <= PEAK for rate in rates)


@pytest.mark.parametrize("schedule", ["cosine", "constant"])
def test_warm_up_rises_in_equal_parts(schedule: str) -> None:
    rates = _rates(schedule, 1_000, warmup=50)
    for step in range(50):
        assert rates[step] == pytest.approx(PEAK * (step + 1) / 50)
    assert max(rates) == rates[49] == rates[50] == PEAK


def test_warm_up_takes_a_tenth_of_the_run_at_most() -> None:
    rates = _rates("constant", 100, warmup=100_000)
    assert rates.index(PEAK) == 9


def test_constant_stays() -> None:
    assert _rates("constant", 200) == [PEAK] * 200


def test_cosine_is_pytorchs() -> None:
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], PEAK)
    reference = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=300)
    for rate in _rates("cosine", 300):
        assert rate == pytest.approx(reference.get_last_lr()[0])
        optimizer.step()
        reference.step()


def test_one_cycle_peaks_at_three_tenths() -> None:
    rates = _rates("one-cycle", 1_000, warmup=500)
    assert rates[0] == pytest.approx(0.04 * PEAK)
    assert rates.index(max(rates)) == 300
    assert rates[300] == pytest.approx(PEAK)
    assert rates[:301] == sorted(rates[:301])
    assert rates[300:] == sorted(rates[300:], reverse=True)


@pytest.mark.parametrize("schedule", ["cosine", "one-cycle"])
@pytest.mark.parametrize("total", [1, 7, 10_000])
def test_the_falling_ones_end_at_nothing(schedule: str, total: int) -> None:
    recipe = Recipe(learning_rate=PEAK, schedule=schedule, warmup_steps=100)
    assert learning_rate(recipe, total, total) == pytest.approx(0, abs=1e-15)
    if total == 10_000:
        assert _rates(schedule, total)[-1] < 1e-6 * PEAK
