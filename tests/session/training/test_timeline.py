import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.support.cinema import Cinema
from tests.support.stand_ins import Failures, Later, MainThread
from vae_explorer.data.dataset import ImageSet
from vae_explorer.session.jobs import Jobs
from vae_explorer.session.tasks import Tasks
from vae_explorer.training.history import LONGEST_HISTORY, HistoryPoint
from vae_explorer.training.moments import Moments
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.snapshot import Snapshot


@pytest.fixture
def threaded(
    threaded_jobs: Jobs,
    main: MainThread,
    failures: Failures,
    later: Later,
    own_run: RunFolder,
    trained: Snapshot,
    digits: ImageSet,
) -> Cinema:
    """As ``own``, with jobs on threads."""
    cinema = Cinema(Tasks(threaded_jobs, failures), main, later, digits)
    return cinema.open(own_run, trained)


@pytest.fixture
def slow_reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Semaphore]:
    """Moments are read one by one as the test releases them."""
    allowed = threading.Semaphore(0)
    read = Moments.read

    def wait(moments: Moments, step: int, history: tuple[HistoryPoint, ...] = ()) -> Snapshot:
        assert allowed.acquire(timeout=20)
        return read(moments, step, history)

    monkeypatch.setattr(Moments, "read", wait)
    yield allowed
    allowed.release(1_000)


# The film


def test_the_film_is_made_of_the_moments_on_disk(cinema: Cinema, run_folder: RunFolder) -> None:
    assert cinema.steps == run_folder.moments().steps == list(range(21))
    assert cinema.time.name == run_folder.path.name
    for frame in cinema.time.frames:
        model = run_folder.moments().read(frame.step).model
        expected = model.encode(cinema.probes)
        np.testing.assert_array_equal(frame.posterior.mean, expected.mean)
        assert frame.epoch == frame.step / 10


def test_frames_come_so_that_the_whole_run_is_soon_there(cinema: Cinema) -> None:
    growing = [[frame.step for frame in film] for film in cinema.films if film]
    assert growing[:3] == [[0], [0, 20], [0, 10, 20]]
    for film in growing[3:]:
        assert max(np.diff(film)) <= 10
    assert [len(film) for film in growing] == list(range(1, 22))


def test_what_is_wanted_of_a_film_that_is_being_made_comes_next(
    threaded: Cinema,
    slow_reads: threading.Semaphore,
    own_run: RunFolder,
    trained: Snapshot,
) -> None:
    threaded.begin(own_run, trained)
    threaded.films.clear()
    threaded.time.show_epoch(0.72)
    assert threaded.time.has_moments
    assert threaded.time.shown is None, "there is no frame yet"
    slow_reads.release(1_000)
    threaded.main.run_until(lambda: len(threaded.time.frames) == 21)
    growing = [[frame.step for frame in film] for film in threaded.films if film]
    assert 7 in growing[2], "of 21, at most the two that were begun came before it"
    assert threaded.time.shown is not None
    assert threaded.time.shown.step == 7
    threaded.main.run_until(lambda: 7 in threaded.arrived)


def test_who_goes_elsewhere_is_not_called_back(
    empty: Cinema, run_folder: RunFolder, trained: Snapshot
) -> None:
    empty.begin(run_folder, trained)
    empty.time.show(7)
    empty.main.run_until(lambda: empty.time.shown)
    empty.time.return_live()
    empty.main.run()
    assert empty.time.shown is None


def test_a_model_that_is_no_run_has_no_film(empty: Cinema, checkpoint: Path) -> None:
    for run in (None, RunFolder(checkpoint.parent)):
        empty.begin(run)
        empty.main.run()
        assert empty.time.frames == ()
        for act in (empty.time.play, empty.time.back, empty.time.forward, empty.time.return_live):
            act()
        empty.time.show_epoch(0.5)
        empty.show(3)
        assert not empty.time.has_moments
    assert (empty.arrived, empty.shown, empty.returns, empty.playing) == ([], [], 0, [])


def test_another_run_leaves_the_film_of_the_one_before(
    cinema: Cinema, own_run: RunFolder, trained: Snapshot
) -> None:
    cinema.time.show(7)
    cinema.time.begin(own_run)
    assert cinema.time.shown is None
    assert cinema.time.frames == ()
    cinema.main.run()
    assert cinema.arrived == []  # it was still on its way
    assert cinema.returns == 0
    cinema.open(own_run, trained)
    assert cinema.time.name == "own"


def test_a_film_that_is_not_ready_is_dropped(empty: Cinema, run_folder: RunFolder) -> None:
    empty.begin(run_folder)
    empty.main.step()
    empty.main.step()
    empty.time.begin(None)
    empty.main.run()
    assert empty.time.frames == ()


def test_of_other_images_the_film_is_made_anew(cinema: Cinema, digits: ImageSet) -> None:
    cinema.time.develop(digits.images[50:57])
    assert cinema.time.frames == ()  # those of other images must not be shown for these
    cinema.main.run()
    assert len(cinema.films[-1]) == 21
    for frame in cinema.films[-1]:
        assert frame.posterior.mean.shape == (7, 2)


def test_moments_that_a_run_drops_while_the_film_is_made_are_none_of_it(
    empty: Cinema, run_folder: RunFolder
) -> None:
    empty.begin(run_folder)  # done, but not told
    even = tuple(range(0, 21, 2))
    empty.keep(run_folder.moments().read(20), even)
    empty.main.run()
    assert empty.steps == list(even)


def test_files_that_vanish_while_the_film_is_made_are_no_failure(
    empty: Cinema, own_run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Moments.read

    def drop(moments: Moments, step: int) -> Snapshot:
        moments.path(10).unlink(missing_ok=True)
        return read(moments, step)

    monkeypatch.setattr(Moments, "read", drop)
    empty.begin(own_run)
    empty.main.run()
    assert empty.steps == [step for step in range(21) if step != 10]


def test_a_damaged_moment_is_told_and_the_others_are_shown(
    empty: Cinema, own_run: RunFolder, failures: Failures
) -> None:
    own_run.moments().path(10).write_bytes(b"not a checkpoint")
    empty.begin(own_run)
    empty.main.run()
    assert empty.steps == [step for step in range(21) if step != 10]
    ((title, error),) = failures
    assert title == "Some snapshots of the run cannot be shown"
    assert "step-000000010" in str(error)
    failures.clear()


def test_kept_moments_are_added_and_dropped_ones_go(cinema: Cinema, trained: Snapshot) -> None:
    frame = cinema.keep(trained, (0, 10, 20))
    assert cinema.steps == [0, 10, 20]
    assert cinema.time.frames[-1] is frame


# Showing


@pytest.mark.parametrize(
    ("step", "nearest"), [(-5, 0), (0, 0), (6.4, 6), (6.6, 7), (20, 20), (1e9, 20)]
)
def test_the_nearest_moment_is_shown(cinema: Cinema, step: float, nearest: int) -> None:
    cinema.time.show(step)
    assert cinema.shown == [nearest]
    cinema.main.run()
    assert cinema.arrived == [nearest]
    cinema.show(nearest + 0.1)  # it is there already
    assert cinema.arrived == [nearest]


@pytest.mark.parametrize(("epoch", "step"), [(-1.0, 0), (0.0, 0), (1.02, 10), (1.28, 13), (9, 20)])
def test_the_moment_nearest_to_an_epoch_is_shown(cinema: Cinema, epoch: float, step: int) -> None:
    cinema.time.show_epoch(epoch)
    cinema.main.run()
    assert cinema.arrived == [step]


def test_a_moment_has_the_figures_up_to_it(cinema: Cinema, trained: Snapshot) -> None:
    for step, points in ((9, 0), (10, 1), (19, 1), (20, 2)):
        cinema.show(step)
        assert cinema.snapshots[-1].history == trained.history[:points]


def test_a_slider_that_is_dragged_shows_something_all_the_way_and_its_end_always(
    threaded: Cinema, slow_reads: threading.Semaphore
) -> None:
    for round_ in range(4):
        for step in range(5 * round_, 5 * round_ + 6):
            threaded.time.show(step)
        slow_reads.release()
        threaded.wait_arrived(round_ + 1)
    slow_reads.release(10)
    threaded.main.run_until(lambda: threaded.arrived[-1] == 20)
    # The one being read and the newest wanted, of all those passed over.
    assert threaded.arrived == [0, 5, 10, 15, 20]
    assert threaded.main.waiting == 0


def test_many_moments_in_a_row_end_on_the_last(threaded: Cinema) -> None:
    dice = np.random.default_rng(0)
    for steps in dice.integers(0, 21, (5, 60)).tolist():
        for step in steps:
            threaded.time.show(step)
            threaded.main.run()
        threaded.main.run_until(lambda: threaded.arrived[-1:] == threaded.shown[-1:])
        assert threaded.arrived[-1] == steps[-1]


def test_back_and_forward_through_the_moments(cinema: Cinema) -> None:
    cinema.time.forward()
    assert cinema.shown == []
    for move in (cinema.time.back, cinema.time.back, cinema.time.forward):
        move()
        cinema.main.run()
    assert cinema.arrived == [20, 19, 20]
    cinema.time.forward()
    assert cinema.time.shown is None
    assert cinema.returns == 1
    cinema.time.show(0)
    cinema.time.back()
    cinema.main.run()
    assert cinema.arrived[3:] == [0]


# Returning


def test_returning_live_is_told_once(cinema: Cinema) -> None:
    cinema.time.return_live()
    assert cinema.returns == 0
    cinema.show(4)
    for _ in range(2):
        cinema.time.return_live()
    assert cinema.returns == 1
    assert cinema.shown == [4, None]


def test_a_moment_that_comes_after_the_return_is_not_shown(cinema: Cinema) -> None:
    cinema.time.show(4)
    cinema.time.return_live()
    cinema.main.run()
    assert cinema.arrived == []
    cinema.show(5)
    assert cinema.arrived == [5]


def test_a_moment_of_images_that_are_no_longer_shown_does_not_come(
    threaded: Cinema, digits: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, allowed = Moments.read, threading.Event()

    def wait(moments: Moments, step: int, *history: tuple[HistoryPoint, ...]) -> Snapshot:
        if history and step == 4:  # as is to be shown, not for the film
            assert allowed.wait(20)
        return read(moments, step, *history)

    monkeypatch.setattr(Moments, "read", wait)
    threaded.time.show(4)
    threaded.time.return_live()
    threaded.time.develop(digits.images[:7])
    threaded.main.run_until(lambda: len(threaded.time.frames) == 21)
    threaded.time.show(0)
    allowed.set()
    threaded.main.run_until(lambda: threaded.arrived)
    assert threaded.arrived == [0]


# Memory


def test_the_figures_of_an_endless_run_stay_few(
    empty: Cinema, run_folder: RunFolder, trained: Snapshot
) -> None:
    """As many as the trainer itself keeps: a branch from a moment must be able to save them."""
    (first, last) = trained.history
    thousand = [HistoryPoint(i * 1e-6, -1.0, -1.0, 0.0, -1.0) for i in range(1_000)]
    empty.time.begin(run_folder, (first,))
    for _ in range(45):
        empty.time.extend(thousand)
    empty.time.extend([last])
    empty.time.develop(empty.probes)
    empty.main.run()
    empty.show(20)
    history = empty.snapshots[-1].history
    assert LONGEST_HISTORY // 3 < len(history) <= LONGEST_HISTORY
    assert {first, last} <= set(history)  # held-out figures are never dropped
