from dataclasses import fields

from vae_explorer.gui.curves.curve_table import NATS, PANELS, overlaid
from vae_explorer.gui.theme import LIGHT
from vae_explorer.training.history import HistoryPoint


def test_every_curve_is_of_a_figure_in_a_colour_of_the_theme() -> None:
    names = {field.name for field in fields(HistoryPoint)}
    for panel in PANELS:
        for curve in panel.curves:
            assert curve.column in names
            assert getattr(LIGHT, curve.color).startswith("#")


def test_every_panel_has_a_unit_and_log_likelihoods_are_in_nats() -> None:
    assert all(panel.unit and panel.tip for panel in PANELS)
    for panel in PANELS:
        if not panel.optional:
            assert panel.unit == NATS
            assert not panel.log_y


def test_every_figure_of_a_report_but_the_times_is_shown_somewhere() -> None:
    shown = {curve.column for panel in PANELS for curve in panel.curves}
    names = {field.name for field in fields(HistoryPoint)}
    assert names - shown == {"epoch", "step", "seconds"}


def test_other_runs_are_a_line_and_a_dashed_one() -> None:
    for panel in PANELS[:3]:
        train, held_out = overlaid(panel)
        assert (train.rows, train.dashed) == ("all", False)
        assert (held_out.rows, held_out.dashed) == ("held_out", True)
    active = next(panel for panel in PANELS if panel.id == "active_units")
    assert [curve.column for curve in overlaid(active)] == ["active_units"]
