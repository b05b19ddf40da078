import numpy as np
import pytest

from vae_explorer.gui.training.history_table import GrowingColumns, HistoryTable
from vae_explorer.session.state import HistoryPoint


def test_rows_survive_growth_in_any_portions() -> None:
    rng = np.random.default_rng(0)
    columns, parts = GrowingColumns(3), []
    for size in (0, 1, 255, 1, 1_000, 7, 5_000):
        parts.append(rng.normal(size=(size, 3)))
        columns.extend(parts[-1])
    np.testing.assert_array_equal(columns.values, np.concatenate(parts).T)


def test_a_view_does_not_change_when_rows_are_added() -> None:
    columns = GrowingColumns(2)
    columns.extend(np.ones((10, 2)))
    view = columns.values
    columns.extend(np.zeros((1_000, 2)))
    np.testing.assert_array_equal(view, np.ones((2, 10)))


def test_growth_copies_seldom() -> None:
    columns = GrowingColumns(1)
    buffers = set()
    for _ in range(5_000):
        columns.extend(np.zeros((1, 1)))
        buffers.add(columns.values.__array_interface__["data"][0])
    assert len(buffers) <= 6  # 256, 512, … 8,192


def test_only_measured_moments_have_a_held_out_row() -> None:
    table = HistoryTable()
    nan = float("nan")
    table.append([HistoryPoint(0.5, -150.0, -144.0, 6.0, -149.0)])
    table.append(
        [
            HistoryPoint(1.0, -140.0, -133.5, 6.5, -139.0, -141.0, -134.4, 6.6, -140.5),
            HistoryPoint(1.5, -138.0, -131.0, 7.0, -137.0),
            HistoryPoint(2.0, -136.0, -129.0, 7.0, -135.0, nan, nan, nan),
            HistoryPoint(2.5, -135.0, -128.0, 7.0, -134.0, -136.0, -129.0, 7.0),
        ]
    )
    np.testing.assert_array_equal(
        table.train.T,
        [
            [0.5, -150, -144, 6, -149],
            [1, -140, -133.5, 6.5, -139],
            [1.5, -138, -131, 7, -137],
            [2, -136, -129, 7, -135],
            [2.5, -135, -128, 7, -134],
        ],
    )
    np.testing.assert_array_equal(
        table.held_out.T, [[1.0, -141.0, -134.4, 6.6, -140.5], [2.5, -136.0, -129.0, 7.0, nan]]
    )


def test_the_elbo_is_no_objective_of_its_own() -> None:
    nan = float("nan")
    table = HistoryTable()
    table.append([HistoryPoint(0.5, -150.0, -144.0, 6.0, -150.0)])
    table.append([HistoryPoint(1.0, -140.0, -134.0, 6.0, -140.00001)])  # rounding
    table.append([HistoryPoint(1.5, nan, nan, nan, nan)])
    assert not table.own_objective
    table.append([HistoryPoint(2.0, -140.0, -134.0, 6.0, -139.5)])
    table.append([HistoryPoint(2.5, -140.0, -134.0, 6.0, -140.0)])
    assert table.own_objective


@pytest.mark.parametrize("points", [[], ()])
def test_no_points_add_nothing(points: list[HistoryPoint]) -> None:
    table = HistoryTable()
    table.append(points)
    assert table.train.shape == (5, 0)
    assert table.held_out.shape == (5, 0)
