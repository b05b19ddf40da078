import numpy as np
import pytest

from vae_explorer.gui.plot.axis import Axis, Tick, tick_text


def texts(axis: Axis, most: int) -> list[str]:
    return [tick.text for tick in axis.ticks(most)]


@pytest.mark.parametrize(
    ("low", "high", "most", "expected"),
    [
        (0, 10, 5, ["0", "2", "4", "6", "8", "10"]),
        (-0.3, 0.3, 6, ["−0.3", "−0.2", "−0.1", "0.0", "0.1", "0.2", "0.3"]),
        (-1_500, 1_500, 3, ["−1,000", "0", "1,000"]),
        (0, 4e6, 4, ["0", "1·10⁶", "2·10⁶", "3·10⁶", "4·10⁶"]),
        (0, 2e-5, 2, ["0", "1·10⁻⁵", "2·10⁻⁵"]),
        (0.1, 0.4, 3, ["0.1", "0.2", "0.3", "0.4"]),
        (0, 10, 0, []),
    ],
)
def test_ticks_are_round_numbers(low: float, high: float, most: int, expected: list[str]) -> None:
    found = texts(Axis(low, high), most)
    assert [text.replace("0.0", "0") if low else text for text in found] == [
        text.replace("0.0", "0") if low else text for text in expected
    ]


@pytest.mark.parametrize(
    ("low", "high", "most", "expected"),
    [
        (1, 1_000, 4, ["1", "10", "100", "1,000"]),
        (1, 20, 10, ["1", "2", "5", "10", "20"]),
        (3.1, 4.4, 3, ["3.5", "4.0"]),
        (1e-5, 1e-2, 4, ["10⁻⁵", "10⁻⁴", "0.001", "0.010"]),
        (1e4, 1e8, 5, ["10,000", "10⁵", "10⁶", "10⁷", "10⁸"]),
        (1e-100, 1e100, 4, None),
    ],
)
def test_ticks_of_a_logarithmic_axis(
    low: float, high: float, most: int, expected: list[str] | None
) -> None:
    found = texts(Axis(low, high, log=True), most)
    assert len(found) <= most + 1
    if expected is not None:
        assert [text.rstrip("0") for text in found] == [text.rstrip("0") for text in expected]


def test_whole_numbers_and_given_ticks_only_where_asked() -> None:
    assert texts(Axis(0.4, 3.6, least_step=1.0), 20) == ["1", "2", "3"]
    assert texts(Axis(given=(Tick(0.3, "a row"),)), 0) == ["a row"]
    assert tick_text(-0.0, 0.5) == "0.0"


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize(
    ("low", "high"),
    [
        (0.0, 0.0), (5.0, 5.0), (3.0, 1.0), (0.0, 5e-324), (-1e308, 1e308), (1e16, 1e16 + 2),
        (1e308, 1.1e308), (-1.7e308, -1e308),
        (float("nan"), 1.0), (0.0, float("inf")), (float("-inf"), float("inf")), (-1.0, 0.0),
        (1.0, 1.0 + 1e-16), (1e-300, 1e300),
    ],
)  # fmt: skip
def test_no_range_is_an_accident(low: float, high: float, log: bool) -> None:
    axis = Axis(low, high, log=log)
    shares = axis.to_share(np.array([low, high, 0.0, 1.0, np.nan, np.inf, 5e-324]))
    assert shares.shape == (7,)
    assert np.isfinite(axis.at_share(0.5))
    assert len(axis.ticks(6)) < 300
    for moved in (axis.zoomed(1e9), axis.zoomed(1e-9), axis.panned(2.0)):
        assert np.isfinite(moved.ends).all()


@pytest.mark.parametrize("axis", [Axis(-2.0, 6.0), Axis(0.01, 100.0, log=True)])
def test_shares_and_values_are_inverse(axis: Axis) -> None:
    for share in (0.0, 0.3, 1.0, 1.5):
        assert axis.share(axis.at_share(share)) == pytest.approx(share)
        assert axis.to_share(axis.at_share(share)) == pytest.approx(share)
    zoomed = axis.zoomed(4.0, 0.3)
    assert zoomed.at_share(0.3) == pytest.approx(axis.at_share(0.3))
    assert axis.panned(0.25).low == pytest.approx(axis.at_share(0.25))
