import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot

from vae_explorer.gui.curves.legend import Entry, Legend, elided, flow


@given(st.lists(st.integers(1, 200), max_size=12), st.integers(0, 500))
def test_lines_are_filled_in_order_and_none_is_too_long(widths: list[int], room: int) -> None:
    counts = flow(widths, room)
    assert sum(counts) == len(widths)
    start = 0
    for count in counts:
        assert count == 1 or sum(widths[start : start + count]) <= room
        start += count


@pytest.fixture
def legend(qtbot: QtBot) -> Legend:
    legend = Legend()
    qtbot.addWidget(legend)
    legend.resize(600, 20)
    with qtbot.waitExposed(legend):
        legend.show()
    return legend


def test_it_names_and_reads_curves_in_their_colours(legend: Legend) -> None:
    legend.set_entries([Entry("#123456", "━", "train", "−1.00"), Entry("#654321", "╍╍", "a & <b>")])
    text = legend.text()
    assert '<span style="color:#123456">━</span>&nbsp;train&nbsp;−1.00' in text
    assert "a&nbsp;&amp;&nbsp;&lt;b>" in text


def test_it_takes_more_lines_in_less_room_and_no_more_for_longer_values(legend: Legend) -> None:
    entries = [Entry("#123456", "━", name) for name in ("train", "held-out", "log p(x)", "gap")]
    legend.set_entries(entries)
    one = legend.sizeHint().height()
    legend.resize(330, 60)
    two = legend.sizeHint().height()
    assert two > one
    legend.set_entries([entry._replace(value="−123.45") for entry in entries])
    assert legend.sizeHint().height() == two
    assert legend.text().count("<br>") == 1


def test_long_names_are_cut() -> None:
    assert elided("short") == "short"
    assert elided("a" * 40) == "a" * 17 + "…"
