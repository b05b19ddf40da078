import csv
import dataclasses
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vae_explorer.errors import CheckpointError
from vae_explorer.paths import checkpoints
from vae_explorer.training.history import HistoryPoint, from_csv, thinned, to_csv, until
from vae_explorer.training.tensors import read_tensors

_NUMBERS = st.floats(allow_nan=False)
_WHOLE = st.integers(0, 2**53)
_POINTS = st.builds(
    HistoryPoint,
    st.floats(0, 2**62),
    *[_NUMBERS] * 4,
    *[st.none() | _NUMBERS] * 4,
    active_units=st.none() | _WHOLE,
    step=st.none() | _WHOLE,
    learning_rate=st.none() | _NUMBERS,
    gradient_norm=st.none() | _NUMBERS,
    beta=st.none() | _NUMBERS,
    samples=st.none() | _WHOLE,
    seconds=st.none() | _NUMBERS,
)
_HEADER = to_csv([])


@given(st.lists(_POINTS))
def test_what_was_written_is_read_to_the_last_bit(points: list[HistoryPoint]) -> None:
    again = from_csv(to_csv(points))
    assert [dataclasses.astuple(point) for point in again] == [
        dataclasses.astuple(point) for point in points
    ]


@pytest.mark.parametrize("columns", range(5, 17))
def test_what_knew_only_the_first_columns_is_read_too(columns: int) -> None:
    names = _HEADER.strip().split(",")
    cells = ["1.5", "-3.0", "-2.0", "1.0", "-2.5", "-6.0", "-4.0", "2.0", "-5.0", "2"]
    cells += ["160", "0.001", "12.5", "1.0", "3", "60.5"]
    (point,) = from_csv(f"{','.join(names[:columns])}\n{','.join(cells[:columns])}\n")
    values = dataclasses.astuple(point)
    assert [repr(value) for value in values[:columns]] == cells[:columns]
    assert values[columns:] == (None,) * (16 - columns)


@pytest.mark.parametrize("path", sorted(checkpoints().glob("*.safetensors")), ids=lambda p: p.stem)
def test_the_bundled_models_are_of_an_earlier_version(path: Path) -> None:
    text = read_tensors(path)[1]["history"]
    header = text.partition("\n")[0].split(",")
    assert header == _HEADER.strip().split(",")[: len(header)]
    points = from_csv(text)
    assert len(points) == text.count("\n") - 1 > 10
    assert points[-1].held_out_elbo is not None
    assert (points[-1].step, points[-1].seconds) == (None, None)


def test_points_are_equal_whatever_the_seconds() -> None:
    point = HistoryPoint(1, -3, -2, 1, -2.5, seconds=3.0)
    assert point == dataclasses.replace(point, seconds=4.0)
    assert point != dataclasses.replace(point, step=4)


def test_until_is_the_past_of_a_moment() -> None:
    points = [HistoryPoint(epoch, -3, -2, 1, -2.5) for epoch in (0.5, 1.0, 1.5)]
    assert until(points, 1.0) == tuple(points[:2])
    assert until(points, 0.4) == ()


@given(st.lists(_POINTS, max_size=4))
def test_a_remark_is_a_last_column_and_passed_over(points: list[HistoryPoint]) -> None:
    text = to_csv(points, "cross-entropy, no likelihood")
    assert from_csv(text) == tuple(points)
    header, *rows = csv.reader(text.splitlines())
    plain = list(csv.reader(to_csv(points).splitlines()))
    assert [header[:-1], *(row[:-1] for row in rows)] == plain, "other readers find what they know"
    assert [header[-1], *(row[-1] for row in rows)] == [
        "remark",
        *["cross-entropy, no likelihood"] * len(points),
    ]


def test_a_spreadsheet_can_read_it() -> None:
    points = [
        HistoryPoint(0.5, -200.5, -195.25, 5.25, -200),
        HistoryPoint(1, -3, -2, 1, -2.5, -6, -4, 2, -5, 2, 8, 0.5, 7, 1.5, 3, 60),
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
        "active_units": "2",
        "step": "8",
        "learning_rate": "0.5",
        "gradient_norm": "7",
        "beta": "1.5",
        "samples": "3",
        "seconds": "60",
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


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "epoch,elbo\n1,2\n",
        "x" + _HEADER,
        "\0",
        "epoch,elbo,log_likelihood,kl\n",
        _HEADER.replace("elbo,log_likelihood", "log_likelihood,elbo"),
        _HEADER.strip() + ",more\n",
    ],
)
def test_a_foreign_header_is_refused(text: str) -> None:
    with pytest.raises(CheckpointError, match="header"):
        from_csv(text)


@pytest.mark.parametrize(
    "row",
    [
        "1,2,3,4",
        "1,2,3,4,5,6,7,8,9,10",
        "1,2,three,4,5" + "," * 11,
        ",2,3,4,5" + "," * 11,
        "1,2,3,4,5,,,,,1.5,,,,,,",
        "1,2,3,4,5,,,,,,,,,,two,",
        "1,2,3,4,5" + "," * 12,
        "",
        "9" * 200_000,
        *(f"{epoch},2,3,4,5" + "," * 11 for epoch in ("inf", "nan", "-1", "1e300")),
        *(f"1,2,3,4,5,,,,,{whole},,,,,," for whole in ("-1", "9" * 400)),
        '"1',
        "1\r2,3,4,5,6" + "," * 10,
    ],
)
def test_a_bad_row_is_refused(row: str) -> None:
    with pytest.raises(CheckpointError, match="row"):
        from_csv(f"{_HEADER}{row}\n")
