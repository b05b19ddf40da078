import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vae_explorer.gui.training.progress_text import (
    counter,
    describe,
    format_bytes,
    format_duration,
    progress,
)
from vae_explorer.session.training.events import Phase, TrainingStatus


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


RUNNING = TrainingStatus(Phase.RUNNING, 3.419, 20, 9_100.4, 80.0, "cpu")


def test_a_running_run_says_it_all() -> None:
    assert counter(RUNNING) == "3.41 / 20"
    assert progress(RUNNING) == "17 % · 1 min 20 s left"
    assert describe(RUNNING) == "9,100 images/s · cpu"


def test_what_is_not_known_is_left_out_or_awaited() -> None:
    status = TrainingStatus(Phase.RUNNING, 0.0, 20)
    assert counter(status) == "0.00 / 20"
    assert progress(status) == "0 % · …"
    assert describe(status) == "Running"


@pytest.mark.parametrize(
    ("epoch", "text"),
    [(0.999, "0.99 / 2"), (1.0, "1.00 / 2"), (0.29, "0.29 / 2"), (2.0, "2 / 2")],
)
def test_the_counter_never_runs_ahead(epoch: float, text: str) -> None:
    assert counter(TrainingStatus(Phase.RUNNING, epoch, 2)) == text


@pytest.mark.parametrize(
    ("status", "count", "share", "text"),
    [
        (TrainingStatus(Phase.IDLE), "0", "", "Ready"),
        (TrainingStatus(Phase.IDLE, 20.0, 20), "20 / 20", "100 %", "Finished"),
        (TrainingStatus(Phase.IDLE, 3.4, 20), "3.40 / 20", "17 %", "Stopped"),
        (
            TrainingStatus(Phase.IDLE, 20.0, 20, opened=True),
            "20 / 20",
            "100 %",
            "Opened model",
        ),
        (TrainingStatus(Phase.PAUSED, 3.4, 20, 9_100, 80), "3.40 / 20", "17 %", "Paused"),
        (TrainingStatus(Phase.STOPPING, 3.4, 20, 9_100, 80), "3.40 / 20", "17 %", "Stopping"),
    ],
)
def test_the_other_phases(status: TrainingStatus, count: str, share: str, text: str) -> None:
    assert (counter(status), progress(status), describe(status)) == (count, share, text)


@pytest.mark.parametrize(
    ("count", "text"),
    [(12, "12 B"), (3_400, "3.4 kB"), (212_000_000, "212 MB"), (1_530_000_000, "1.5 GB")],
)
def test_bytes_have_decimal_units(count: int, text: str) -> None:
    assert format_bytes(count) == text
