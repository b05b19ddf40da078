from dataclasses import replace

import numpy as np
import pytest

from vae_explorer.session.training import run_history
from vae_explorer.session.training.run_history import RunHistory
from vae_explorer.training.history import HistoryPoint

NAN = float("nan")
FULL = HistoryPoint(
    1.0, -140.0, -133.5, 6.5, -139.0, -141.0, -134.4, 6.6, -140.5, 2, 15, 1e-3, 12.5, 1.0, 1, 3.25
)


def test_only_measured_moments_have_a_held_out_row() -> None:
    history = RunHistory()
    history.extend([HistoryPoint(0.5, -150.0, -144.0, 6.0, -149.0)])
    history.extend(
        [
            FULL,
            HistoryPoint(1.5, -138.0, -131.0, 7.0, -137.0),
            HistoryPoint(2.0, -136.0, -129.0, 7.0, -135.0, NAN, NAN, NAN),
            HistoryPoint(2.5, -135.0, -128.0, 7.0, -134.0, -136.0, -129.0, 7.0),
        ]
    )
    assert len(history) == 5
    assert history.column("epoch").tolist() == [0.5, 1, 1.5, 2, 2.5]
    assert history.column("objective").tolist() == [-149, -139, -137, -135, -134]
    assert history.column("epoch", "held_out").tolist() == [1, 2.5]
    assert history.column("held_out_kl", "held_out").tolist() == [6.6, 7]
    assert history.column("epoch", "exact").tolist() == [1]
    assert history.column("held_out_log_marginal", "exact").tolist() == [-140.5]
    np.testing.assert_array_equal(history.column("gradient_norm"), [NAN, 12.5, NAN, NAN, NAN])


def test_the_elbo_is_no_objective_of_its_own() -> None:
    history = RunHistory()
    history.extend([HistoryPoint(0.5, -150.0, -144.0, 6.0, -150.0)])
    history.extend([HistoryPoint(1.0, -140.0, -134.0, 6.0, -140.00001)])  # rounding
    history.extend([HistoryPoint(1.5, NAN, NAN, NAN, NAN)])
    assert not history.own_objective
    history.extend([HistoryPoint(2.0, -140.0, -134.0, 6.0, -139.5)])
    history.extend([HistoryPoint(2.5, -140.0, -134.0, 6.0, -140.0)])
    assert history.own_objective


@pytest.mark.parametrize("points", [[], ()])
def test_no_points_add_nothing(points: list[HistoryPoint]) -> None:
    history = RunHistory(points)
    assert len(history) == 0
    assert history.column("elbo").shape == history.column("kl", "exact").shape == (0,)
    assert history.points == ()


def test_a_figure_is_known_once_it_was_reported() -> None:
    history = RunHistory([HistoryPoint(0.5, -150.0, -144.0, 6.0, -150.0)])
    assert history.knows("elbo")
    assert not history.knows("active_units")
    history.extend([FULL])
    assert history.knows("active_units")


def test_time_is_had_only_where_every_report_tells_it_and_it_never_turns() -> None:
    later = [replace(FULL, epoch=2.0, step=30, seconds=6.5), replace(FULL, epoch=3.0, step=45)]
    assert RunHistory([FULL, later[0]]).has_time("seconds")
    turned = RunHistory([FULL, *later])
    assert [turned.has_time(unit) for unit in ("epoch", "step", "seconds")] == [True, True, False]
    history = RunHistory([FULL])
    history.extend(later[:1])
    assert history.has_time("step")
    history.extend([HistoryPoint(4.0, -140.0, -134.0, 6.0, -140.0)])
    assert history.has_time("epoch")
    assert not history.has_time("step")


def test_beta_and_samples_are_unusual_when_they_are_not_one() -> None:
    history = RunHistory([FULL])
    assert not history.unusual("beta")
    history.extend([replace(FULL, epoch=2.0, beta=0.5, samples=8)])
    assert history.unusual("beta")
    assert history.unusual("samples")
    assert not RunHistory([HistoryPoint(1.0, -1.0, -1.0, 0.0, -1.0)]).unusual("beta")


def test_reports_are_kept_as_they_came_and_cannot_be_written() -> None:
    points = (HistoryPoint(0.1, NAN, -144.1, 6.0, -149.0), FULL)
    history = RunHistory(points)
    assert all(kept is point for kept, point in zip(history.points, points, strict=True))
    with pytest.raises(ValueError, match="read-only"):
        history.column("elbo")[0] = 0.0


def test_a_long_history_is_thinned_but_for_held_out_figures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run_history, "LONGEST_HISTORY", 8)
    history = RunHistory([FULL])
    history.extend([replace(FULL, epoch=float(e), held_out_elbo=None) for e in range(2, 10)])
    assert [point.epoch for point in history.points] == [1, 2, 4, 6, 8]
    assert history.column("epoch").tolist() == [1, 2, 4, 6, 8]
    assert history.column("epoch", "held_out").tolist() == [1]
