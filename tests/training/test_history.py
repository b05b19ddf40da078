import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vae_explorer.errors import CheckpointError
from vae_explorer.training.history import HistoryPoint, from_csv, thinned, to_csv

_NUMBERS = st.floats(allow_nan=False)
_POINTS = st.builds(HistoryPoint, *[_NUMBERS] * 5, *[st.none() | _NUMBERS] * 4)
_HEADER = to_csv([])


@given(st.lists(_POINTS))
def test_what_was_written_is_read_to_the_last_bit(points: list[HistoryPoint]) -> None:
    assert from_csv(to_csv(points)) == tuple(points)


def test_a_spreadsheet_can_read_it() -> None:
    points = [
        HistoryPoint(0.5, -200.5, -195.25, 5.25, -200),
        HistoryPoint(1, -3, -2, 1, -2.5, -6, -4, 2, -5),
    ]
    rows = list(csv.DictReader(io.StringIO(to_csv(points))))
    assert rows[0]["elbo"] == "-200.5"
    assert rows[0]["held_out_elbo"] == ""
    assert rows[1] == {
        "epoch": "1",
        "elbo": "-3",
        "log_likelihood": "-2",
        "kl": "1",
        "objective": "-2.5",
        "held_out_elbo": "-6",
        "held_out_log_likelihood": "-4",
        "held_out_kl": "2",
        "held_out_log_marginal": "-5",
    }


def test_no_points_are_a_header_alone() -> None:
    assert _HEADER.count("\n") == 1
    assert from_csv(_HEADER) == ()


@given(st.lists(_POINTS, min_size=2))
def test_thinning_keeps_order_and_every_held_out_figure(points: list[HistoryPoint]) -> None:
    kept = thinned(points)
    assert kept == [p for i, p in enumerate(points) if i % 2 == 1 or p.held_out_elbo is not None]
    held_out = [point for point in points if point.held_out_elbo is not None]
    assert [point for point in kept if point.held_out_elbo is not None] == held_out
    assert len(kept) <= len(points) / 2 + len(held_out)


@pytest.mark.parametrize("text", ["", "\n", "epoch,elbo\n1,2\n", "x" + _HEADER, "\0"])
def test_a_foreign_header_is_refused(text: str) -> None:
    with pytest.raises(CheckpointError, match="header"):
        from_csv(text)


@pytest.mark.parametrize(
    "row",
    [
        "1,2,3,4",
        "1,2,3,4,5,6,7,8,9,10",
        "1,2,three,4,5,,,,",
        ",2,3,4,5,,,,",
        "",
        "9" * 200_000,
        '"1',
        "1\r2,3,4,5,6,,,,",
    ],
)
def test_a_bad_row_is_refused(row: str) -> None:
    with pytest.raises(CheckpointError, match="row"):
        from_csv(f"{_HEADER}{row}\n")
