"""The moments of a run, one after the other."""

import pytest

from tests.support.cinema import Cinema
from vae_explorer.training.run_folder import RunFolder


def test_a_run_is_played_to_its_end_which_stays(cinema: Cinema) -> None:
    cinema.time.play()
    cinema.time.play()
    cinema.play_out()
    assert cinema.arrived == list(range(21))
    assert cinema.playing == [True, False]
    assert (cinema.shown[-1], cinema.returns) == (20, 0)
    cinema.time.play()  # from the first again
    cinema.play_out()
    assert cinema.arrived[21:] == list(range(21))


def test_playing_goes_on_from_the_moment_shown(cinema: Cinema) -> None:
    cinema.show(17)
    cinema.time.play()
    cinema.play_out()
    assert cinema.arrived == [17, 18, 19, 20]


def test_what_is_kept_meanwhile_is_played_too(empty: Cinema, run_folder: RunFolder) -> None:
    empty.time.begin(run_folder)

    def keep(step: int) -> None:
        empty.keep(run_folder.moments().read(step), tuple(range(step + 1)))

    keep(0)
    empty.time.play()
    assert empty.playing == []  # one moment is no film
    keep(1)
    empty.time.play()
    empty.main.run()
    for step in (2, 3):
        keep(step)
        empty.pass_time()
    empty.play_out()
    assert empty.arrived == [0, 1, 2, 3]


@pytest.mark.parametrize("act", ["pause", "return_live", "back", "forward"])
def test_playing_can_be_stopped(cinema: Cinema, act: str) -> None:
    cinema.time.play()
    cinema.main.run()
    cinema.pass_time()
    getattr(cinema.time, act)()
    assert cinema.playing == [True, False]
    cinema.play_out()
    shown = {"pause": 1, "return_live": None, "back": 0, "forward": 2}[act]
    assert cinema.shown[-1] == shown


def test_pause_and_play_again_does_not_play_faster(cinema: Cinema) -> None:
    for _ in range(5):
        cinema.time.play()
        cinema.main.run()
        cinema.time.pause()
    cinema.time.play()
    cinema.main.run()
    assert cinema.arrived == list(range(6))
    for step in range(6, 10):
        cinema.pass_time()  # whatever waits, one moment comes of it
        assert cinema.arrived[-1] == step
        assert len(cinema.arrived) == step + 1


def test_a_slider_moved_while_playing_goes_on_from_there(cinema: Cinema) -> None:
    cinema.time.play()
    cinema.main.run()
    cinema.show(15)
    cinema.pass_time()
    cinema.pass_time()
    assert cinema.arrived == [0, 15, 16, 17]


def test_what_is_dropped_while_playing_is_left_out(own: Cinema, own_run: RunFolder) -> None:
    for step in range(1, 20, 2):
        own_run.moments().path(step).unlink()
    own.time.play()
    own.play_out()
    assert sorted(set(own.arrived)) == list(range(0, 21, 2))
    assert own.playing == [True, False]
