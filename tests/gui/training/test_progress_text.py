import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vae_explorer.gui.training.progress_text import describe, format_duration
from vae_explorer.session.state import Phase, TrainingStatus


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (-3, "0 s"),
        (0.4, "0 s"),
        (45.2, "45 s"),
        (59.6, "1 min"),
        (80, "1 min 20 s"),
        (3_600, "1 h"),
        (3_605, "1 h"),
        (3_665, "1 h 1 min"),
        (100_000, "1 d 3 h"),
        (math.inf, "unknown"),
        (math.nan, "unknown"),
    ],
)
def test_format_duration(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@given(st.floats(0, 1e9))
def test_a_duration_reads_back_to_its_smaller_unit(seconds: float) -> None:
    lengths = {"d": 86_400, "h": 3_600, "min": 60, "s": 1}
    words = format_duration(seconds).split()
    units = words[1::2]
    read = sum(int(n) * lengths[unit] for n, unit in zip(words[::2], units, strict=True))
    smaller = {"d": 3_600, "h": 60, "min": 1, "s": 1}[units[0]]
    assert 0 <= round(seconds) - read < smaller


def test_a_running_line_says_it_all() -> None:
    status = TrainingStatus(Phase.RUNNING, 3.41, 20, 9_100.4, 80.0, "cpu")
    assert describe(status) == "epoch 3.4 of 20 · 9,100 images/s · 1 min 20 s left · cpu"


def test_a_running_line_leaves_out_what_is_not_known() -> None:
    assert describe(TrainingStatus(Phase.RUNNING, 0.0, 20)) == "epoch 0 of 20"


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (TrainingStatus(Phase.IDLE), "Ready"),
        (TrainingStatus(Phase.IDLE, 20.0, 20), "Finished: epoch 20 of 20"),
        (TrainingStatus(Phase.IDLE, 3.4, 20), "Stopped at epoch 3.4 of 20"),
        (TrainingStatus(Phase.PAUSED, 3.4, 20, 9_100, 80), "Paused at epoch 3.4 of 20"),
        (TrainingStatus(Phase.STOPPING, 3.4, 20, 9_100, 80), "Stopping at epoch 3.4 of 20"),
    ],
)
def test_the_other_phases(status: TrainingStatus, text: str) -> None:
    assert describe(status) == text
