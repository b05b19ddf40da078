from dataclasses import replace

import numpy as np
import pytest

from vae_explorer.gui.curves.history_table import HistoryTable
from vae_explorer.training.history import HistoryPoint

NAN = float("nan")
FULL = HistoryPoint(
    1.0, -140.0, -133.5, 6.5, -139.0, -141.0, -134.4, 6.6, -140.5, 2, 15, 1e-3, 12.5, 1.0, 1, 3.25
)


def test_only_measured_moments_have_a_held_out_row() -> None:
    table = HistoryTable()
    table.append([HistoryPoint(0.5, -150.0, -144.0, 6.0, -149.0)])
    table.append(
        [
            FULL,
            HistoryPoint(1.5, -138.0, -131.0, 7.0, -137.0),
            HistoryPoint(2.0, -136.0, -129.0, 7.0, -135.0, NAN, NAN, NAN),
            HistoryPoint(2.5, -135.0, -128.0, 7.0, -134.0, -136.0, -129.0, 7.0),
        ]
    )
    assert len(table) == 5
    assert table.column("epoch").tolist() == [0.5, 1, 1.5, 2, 2.5]
    assert table.column("objective").tolist() == [-149, -139, -137, -135, -134]
    assert table.column("epoch", "held_out").tolist() == [1, 2.5]
    assert table.column("held_out_kl", "held_out").tolist() == [6.6, 7]
    assert table.column("epoch", "exact").tolist() == [1]
    assert table.column("held_out_log_marginal", "exact").tolist() == [-140.5]
    np.testing.assert_array_equal(table.column("gradient_norm"), [NAN, 12.5, NAN, NAN, NAN])


def test_the_elbo_is_no_objective_of_its_own() -> None:
    table = HistoryTable()
    table.append([HistoryPoint(0.5, -150.0, -144.0, 6.0, -150.0)])
    table.append([HistoryPoint(1.0, -140.0, -134.0, 6.0, -140.00001)])  # rounding
    table.append([HistoryPoint(1.5, NAN, NAN, NAN, NAN)])
    assert not table.own_objective
    table.append([HistoryPoint(2.0, -140.0, -134.0, 6.0, -139.5)])
    table.append([HistoryPoint(2.5, -140.0, -134.0, 6.0, -140.0)])
    assert table.own_objective


@pytest.mark.parametrize("points", [[], ()])
def test_no_points_add_nothing(points: list[HistoryPoint]) -> None:
    table = HistoryTable(points)
    assert len(table) == 0
    assert table.column("elbo").shape == table.column("kl", "exact").shape == (0,)
    assert table.points() == []


def test_a_figure_is_known_once_it_was_reported() -> None:
    table = HistoryTable([HistoryPoint(0.5, -150.0, -144.0, 6.0, -150.0)])
    assert table.knows("elbo")
    assert not table.knows("active_units")
    table.append([FULL])
    assert table.knows("active_units")


def test_time_is_had_only_where_every_report_tells_it_and_it_never_turns() -> None:
    later = [replace(FULL, epoch=2.0, step=30, seconds=6.5), replace(FULL, epoch=3.0, step=45)]
    assert HistoryTable([FULL, later[0]]).has_time("seconds")
    turned = HistoryTable([FULL, *later])
    assert [turned.has_time(unit) for unit in ("epoch", "step", "seconds")] == [True, True, False]
    table = HistoryTable([FULL])
    table.append(later[:1])
    assert table.has_time("step")
    table.append([HistoryPoint(4.0, -140.0, -134.0, 6.0, -140.0)])
    assert table.has_time("epoch")
    assert not table.has_time("step")


def test_beta_and_samples_are_unusual_when_they_are_not_one() -> None:
    table = HistoryTable([FULL])
    assert not table.unusual("beta")
    table.append([replace(FULL, epoch=2.0, beta=0.5, samples=8)])
    assert table.unusual("beta")
    assert table.unusual("samples")
    assert not HistoryTable([HistoryPoint(1.0, -1.0, -1.0, 0.0, -1.0)]).unusual("beta")


def test_reports_come_back_as_they_went_in() -> None:
    points = [HistoryPoint(0.1, NAN, -144.1, 6.0, -149.0), FULL]
    again = HistoryTable(points).points()
    assert again[1] == FULL
    assert again[1].seconds == 3.25
    assert isinstance(again[1].step, int)
    assert repr(again[0]) == repr(points[0])
