import shutil
import threading
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.support.models import same_weights
from tests.support.stand_ins import Clock, MainThread
from tests.support.training_runs import Run
from vae_explorer.session.training import control as training_module
from vae_explorer.session.training import worker as worker_module
from vae_explorer.session.training.events import Moved, Phase
from vae_explorer.session.training.worker import OrderDesk, Until
from vae_explorer.training import moments as moments_module
from vae_explorer.training import trainer as trainer_module
from vae_explorer.training.health import Finding
from vae_explorer.training.history import HistoryPoint
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run import train
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.training.trainer import Trainer

InStep = Callable[[int, Callable[[], object]], None]

# A whole run


@pytest.mark.usefixtures("no_moments")
def test_posts_are_at_most_twenty_a_second(
    inline: Run, recipe: Recipe, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer_module, "REPORT_STEPS", 1)
    monkeypatch.setattr(worker_module, "LIVE_SECONDS", float("inf"))
    monkeypatch.setattr(worker_module, "findings", lambda _: ())
    posted: list[float] = []
    post = inline.main.post

    def note(call: Callable[[], None]) -> None:
        posted.append(clock.now)
        post(call)

    monkeypatch.setattr(inline.session._jobs, "_hop", note)
    begun = clock.now
    # Held-out figures would take most of the time.
    inline.start(recipe.replace(epochs=25, validation_images=0))
    seconds = clock.now - begun
    inline.main.run()
    assert len(inline.points) == 300
    # Besides: the folder's name at the start, the last points and the outcome at the end.
    assert 10 * seconds < len(posted) <= 20 * seconds + 3
    gaps = np.diff(posted[1:-2])
    assert gaps.min() >= worker_module.POST_SECONDS


@pytest.mark.usefixtures("no_moments")
def test_the_map_moves_now_and_then_by_snapshots_that_stay(
    inline: Run,
    recipe: Recipe,
    clock: Clock,
) -> None:
    clock.tick = 0.11
    recipe = recipe.replace(epochs=10, validation_images=0)
    inline.train(recipe)
    assert len(inline.moves) >= 3
    for snapshot, posterior in inline.moves:
        assert posterior.mean.shape == (60, 2)
        assert posterior.mean.dtype == np.float32
        expected = snapshot.model.encode(inline.data.images[::10])
        np.testing.assert_array_equal(posterior.mean, expected.mean)
        np.testing.assert_array_equal(posterior.covariance, expected.covariance)
    # The run has long gone on; what was shown is still the model of its own step.
    again = Trainer(recipe, inline.data, "cpu")
    moves = iter(inline.moves)
    snapshot, _ = next(moves)
    for event in again.events(lambda: True):
        if event.step == snapshot.step:
            assert same_weights(snapshot, again.snapshot())
            following = next(moves, None)
            if following is None:
                break
            snapshot, _ = following
    else:
        pytest.fail(f"no event at step {snapshot.step}")


# Pause, resume, stop


@pytest.mark.usefixtures("no_moments")
def test_a_paused_run_ends_at_the_same_weights(
    threaded: Run,
    recipe: Recipe,
    main: MainThread,
) -> None:
    recipe = recipe.replace(epochs=20, validation_images=0)
    whole = Trainer(recipe, threaded.data, "cpu")
    for _ in whole.events():
        pass

    threaded.start(recipe)
    threaded.pause()
    first_pause = threaded.session.status.epoch
    assert first_pause < 20
    threaded.session.resume()
    threaded.wait_for_more_history()
    threaded.pause()
    assert threaded.session.status.epoch > first_pause
    threaded.session.resume()
    assert same_weights(threaded.finish(), whole.snapshot())
    assert threaded.phases == [*[Phase.RUNNING, Phase.PAUSED] * 2, Phase.RUNNING, Phase.IDLE]
    assert len(threaded.ends) == 3
    assert tuple(threaded.points) == threaded.saved.history
    assert main.waiting == 0


def test_a_pause_saves_and_publishes_the_model_and_nothing_moves_meanwhile(
    threaded: Run,
    unending: Recipe,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker_module, "POST_SECONDS", float("inf"))
    threaded.start(unending)
    threaded.pause()
    ((snapshot, _),) = threaded.ends
    assert same_weights(threaded.saved, snapshot)
    assert threaded.saved.step == snapshot.step
    assert tuple(threaded.points) == snapshot.history
    assert threaded.main.waiting == 0
    copy = RunFolder(Path(shutil.copytree(threaded.folder.path, threaded.folder.path.parent / "b")))
    (copy.path / RunFolder.LOCK).unlink()
    assert copy.resume(threaded.data, "cpu").step == snapshot.step
    assert threaded.stop().step == snapshot.step


def test_a_pause_in_the_last_step_does_not_hold_a_finished_run(
    threaded: Run, recipe: Recipe, in_step: InStep
) -> None:
    last, pressed = threading.Event(), threading.Event()

    def wait() -> None:
        last.set()
        assert pressed.wait(10)

    in_step(19, wait)
    threaded.start(recipe)
    assert last.wait(10)
    threaded.session.pause()
    pressed.set()
    threaded.wait_for(Phase.IDLE)
    assert threaded.phases == [Phase.RUNNING, Phase.IDLE]
    assert threaded.ends[-1][0].epoch == recipe.epochs


def test_a_stop_overtakes_the_news_of_a_pause(
    threaded: Run, unending: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    paused = threading.Event()

    class Turn(threading.Condition):
        def wait(self, timeout: float | None = None) -> bool:
            paused.set()
            return super().wait(timeout)

    monkeypatch.setattr(training_module, "OrderDesk", partial(OrderDesk, changed=Turn()))
    threaded.start(unending)
    threaded.session.pause()
    assert paused.wait(10)
    threaded.stop()
    assert threaded.phases == [Phase.RUNNING, Phase.STOPPING, Phase.IDLE]
    assert len(threaded.ends) == 1


def test_a_pause_at_once_after_going_on_is_a_pause(threaded: Run, unending: Recipe) -> None:
    session = threaded.session
    threaded.start_paused(unending)
    for _ in range(20):
        session.resume()
        session.pause()  # before the run had a chance to look
        threaded.wait_for(Phase.PAUSED)
    session.resume()
    threaded.wait_for_more_history()
    assert threaded.stop().step > 0


# Steps, epochs, the anatomy of a step


def test_a_run_can_be_started_paused(threaded: Run, recipe: Recipe) -> None:
    threaded.start_paused(recipe)
    ((snapshot, _),) = threaded.ends
    assert (snapshot.step, snapshot.history) == (0, ())
    assert threaded.saved.step == 0
    assert [steps for _, steps in threaded.kept] == [(0,)]
    threaded.session.resume()
    assert threaded.finish().epoch == recipe.epochs


def test_step_by_step_epoch_by_epoch_and_to_the_end(
    threaded: Run, recipe: Recipe, trained: Snapshot
) -> None:
    """Ten steps are an epoch; however they are taken the numbers are the same."""
    threaded.start_paused(recipe, "step")
    orders: list[Until] = ["step", "dissected", "epoch", "step", "dissected"]
    for order in orders:
        threaded.go(order)
    threaded.main.run_until(lambda: threaded.moves[-1][0].step == 12)
    reached = sorted({snapshot.step for snapshot, _ in threaded.moves})
    assert {1, 2, 3, 10, 11, 12} <= set(reached)
    # Of these only the epoch was saved: single steps must follow one another quickly.
    assert [snapshot.step for snapshot, _ in threaded.ends] == [10]
    assert [anatomy.step for anatomy in threaded.anatomies] == [3, 12]
    threaded.session.resume("epoch")  # the last one, which ends the run
    final = threaded.finish()
    assert same_weights(final, trained)
    assert final.history == trained.history == tuple(threaded.points)


@pytest.mark.usefixtures("no_moments")
def test_after_a_single_step_its_model_is_on_the_map_and_stays(
    threaded: Run, recipe: Recipe
) -> None:
    phases: list[Phase] = []

    def note(event: object) -> None:
        if isinstance(event, Moved):
            phases.append(threaded.session.status.phase)

    threaded.session.events.connect(note)
    threaded.start(recipe, until="step")
    threaded.main.run_until(lambda: threaded.moves)
    assert threaded.moves[-1][0].step == 1
    assert phases == [Phase.PAUSED]  # so that what is made of the points is made
    assert threaded.stop().step == 1


def test_a_pause_on_the_way_to_the_end_of_an_epoch(threaded: Run, recipe: Recipe) -> None:
    threaded.start(recipe.replace(batch_size=1), until="epoch")  # 500 steps
    threaded.wait_for_more_history()
    threaded.pause()
    assert threaded.ends[-1][0].step < 500
    threaded.go("epoch")
    assert threaded.ends[-1][0].step == 500
    threaded.stop()


# Moments, and what is found


def test_the_film_is_what_is_on_disk_however_it_is_thinned(
    inline: Run, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moments_module, "MOST", 4)
    monkeypatch.setattr(moments_module, "_LONGEST_FIRST_STRIDE", 1)
    inline.train(recipe)
    moments = inline.folder.moments()
    assert inline.kept[-1][1] == tuple(moments.steps)
    thinnings = pairwise(set(steps) for _, steps in inline.kept)
    assert not all(before <= after for before, after in thinnings)
    live = inline.data.images[::10]
    for frame, steps in inline.kept:
        assert frame.step == steps[-1]
        if frame.step in moments.steps:
            model = moments.read(frame.step).model
            np.testing.assert_allclose(frame.posterior.mean, model.encode(live).mean, atol=0.01)


def test_the_same_bits_with_and_without_a_session(
    threaded: Run,
    recipe: Recipe,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever is moved, kept, paused and dissected; weights, history and moments."""
    recipe = recipe.replace(epochs=4)
    alone = train(recipe, threaded.data, runs=tmp_path / "alone", device="cpu")
    monkeypatch.setattr(worker_module, "LIVE_SECONDS", 0.0)
    monkeypatch.setattr(worker_module, "LIVE_SHARE", float("inf"))
    session = threaded.session
    threaded.start_paused(recipe)
    orders: list[Until] = ["step", "dissected", "epoch", "dissected", "step"]
    for order in orders:
        threaded.go(order)
    session.resume()
    threaded.wait_for_more_history()
    session.pause()
    threaded.main.run_until(lambda: session.status.phase in (Phase.PAUSED, Phase.IDLE))
    session.resume()
    final = threaded.finish()
    assert len(threaded.moves) > 30
    assert same_weights(final, alone)
    assert final.history == alone.history
    (theirs,) = (tmp_path / "alone").iterdir()
    moments, expected = threaded.folder.moments(), RunFolder(theirs).moments()
    assert moments.steps == expected.steps
    for step in moments.steps:
        assert same_weights(moments.read(step), expected.read(step))


def test_what_is_wrong_is_noted_once_and_told_when_it_changes(
    inline: Run, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A finding's figures change at every epoch; that is no other finding."""

    def found(history: Sequence[HistoryPoint]) -> tuple[Finding, ...]:
        epoch = history[-1].epoch
        first = Finding("A dead unit", f"Seen at epoch {epoch:g}.", "Lower β.")
        second = Finding("Over-fitting", "Fallen.", "Go back.")
        return {1.0: (), 2.0: (first,), 3.0: (first, second), 4.0: (second,)}[epoch]

    monkeypatch.setattr(worker_module, "findings", found)
    for _ in range(2):
        inline.lines.clear()
        inline.findings.clear()
        inline.train(recipe.replace(epochs=4))
        for title in ("A dead unit", "Over-fitting"):
            assert inline.said(title) == 1
        titles = [[finding.title for finding in found] for found in inline.findings]
        assert titles == [["A dead unit"], ["A dead unit", "Over-fitting"], ["Over-fitting"]]
