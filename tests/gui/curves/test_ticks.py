import math

import pytest

from vae_explorer.gui.curves.ticks import NumberAxis, ticks


@pytest.mark.parametrize(
    ("low", "high", "numbers"),
    [
        (0.0, 10.0, ["0", "2", "4", "6", "8", "10"]),
        (-140.0, -120.0, ["−140", "−135", "−130", "−125", "−120"]),
        (-0.02, 0.02, ["−0.02", "−0.01", "0.00", "0.01", "0.02"]),
        (7.13, 7.34, ["7.15", "7.20", "7.25", "7.30"]),
        (0.0, 1e6, ["0", "200,000", "400,000", "600,000", "800,000", "1,000,000"]),
        (1.0, 1.0, []),
    ],
)
def test_steps_are_round(low: float, high: float, numbers: list[str]) -> None:
    found = ticks(low, high, 5, log=False)
    assert [number for _, number in found] == numbers
    for place, number in found:
        assert float(number.replace("−", "-").replace(",", "")) == pytest.approx(place)


@pytest.mark.parametrize("most", [2, 3, 7, 20])
@pytest.mark.parametrize("span", [(-6.0, -2.0), (0.3, 2.4), (-20.0, 20.0)])
def test_logarithmic_ones_are_few_and_stand_where_they_say(
    span: tuple[float, float], most: int
) -> None:
    found = ticks(*span, most, log=True)
    assert 1 <= len(found) <= most
    for place, number in found:
        assert span[0] <= place <= span[1]
        value = float(number.replace("−", "-").replace(",", ""))
        assert math.log10(value) == pytest.approx(place, abs=1e-9)


def test_an_axis_numbers_a_short_logarithmic_range_sparsely(qapp: object) -> None:
    axis = NumberAxis("bottom")
    axis.setLogMode(x=True)
    ((_, places),) = axis.tickValues(0.0, 2.4, 250.0)
    assert axis.tickStrings(places, 1.0, 1.0) == ["1", "10", "100"]
    linear = NumberAxis("left")
    assert linear.tickStrings([-5.0], 1.0, 1.0) == ["−5"]
