import shutil
import threading
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import numpy as np
import pytest
import torch

from vae_explorer.errors import CheckpointError, DivergedError
from vae_explorer.session.training import control as training_module
from vae_explorer.session.training import worker as worker_module
from vae_explorer.session.training.events import Begun, Moved, Phase
from vae_explorer.session.training.worker import OrderDesk, Until
from vae_explorer.training import moments as moments_module
from vae_explorer.training import trainer as trainer_module
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.training.health import Finding
from vae_explorer.training.history import HistoryPoint
from vae_explorer.training.moments import Moments
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run import train
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.training.stopping import StopRule
from vae_explorer.training.trainer import StepMetrics, Trainer

if TYPE_CHECKING:
    from tests.support.stand_ins import Clock, MainThread
    from tests.support.training_runs import Run

Same = Callable[[Snapshot, Snapshot], bool]

DIVERGING = Recipe(
    epochs=100,
    batch_size=50,
    learning_rate=1.0,
    warmup_steps=0,
    gradient_clip=0.0,
    encoder_hidden="-".join(["32"] * 8),
    validation_images=100,
)
"""The largest step through many layers overflows within a few steps."""


@pytest.fixture
def no_moments(monkeypatch: pytest.MonkeyPatch) -> None:
    """None is kept, and the map moves by the clock alone."""
    monkeypatch.setattr(Moments, "due", lambda *_: False)


# A whole run


@pytest.mark.usefixtures("no_moments")
def test_posts_are_at_most_twenty_a_second(
    inline_run: "Run", recipe: Recipe, clock: "Clock", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer_module, "REPORT_STEPS", 1)
    monkeypatch.setattr(worker_module, "LIVE_SECONDS", float("inf"))
    monkeypatch.setattr(worker_module, "findings", lambda _: ())
    posted: list[float] = []
    post = inline_run.main.post

    def note(call: Callable[[], None]) -> None:
        posted.append(clock.now)
        post(call)

    monkeypatch.setattr(inline_run.session._jobs, "_hop", note)
    begun = clock.now
    # Held-out figures would take most of the time.
    inline_run.start(recipe.replace(epochs=25, validation_images=0))
    seconds = clock.now - begun
    inline_run.main.run()
    assert len(inline_run.points) == 300
    # Besides: the folder's name at the start, the last points and the outcome at the end.
    assert 10 * seconds < len(posted) <= 20 * seconds + 3
    gaps = np.diff(posted[1:-2])
    assert gaps.min() >= worker_module.POST_SECONDS


@pytest.mark.usefixtures("no_moments")
def test_the_map_moves_now_and_then_by_snapshots_that_stay(
    inline_run: "Run",
    recipe: Recipe,
    clock: "Clock",
    same_weights: Same,
) -> None:
    clock.tick = 0.11
    recipe = recipe.replace(epochs=10, validation_images=0)
    inline_run.start(recipe)
    inline_run.main.run()
    assert len(inline_run.moves) >= 3
    for snapshot, posterior in inline_run.moves:
        assert posterior.mean.shape == (60, 2)
        assert posterior.mean.dtype == np.float32
        expected = snapshot.model.encode(inline_run.data.images[::10])
        np.testing.assert_array_equal(posterior.mean, expected.mean)
        np.testing.assert_array_equal(posterior.covariance, expected.covariance)
    # The run has long gone on; what was shown is still the model of its own step.
    again = Trainer(recipe, inline_run.data, "cpu")
    moves = iter(inline_run.moves)
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
    threaded_run: "Run",
    recipe: Recipe,
    main: "MainThread",
    same_weights: Same,
) -> None:
    recipe = recipe.replace(epochs=20, validation_images=0)
    whole = Trainer(recipe, threaded_run.data, "cpu")
    for _ in whole.events():
        pass

    threaded_run.start(recipe)
    threaded_run.session.pause()
    threaded_run.wait_for(Phase.PAUSED)
    first_pause = threaded_run.session.status.epoch
    assert first_pause < 20
    threaded_run.session.resume()
    threaded_run.wait_for_more_history()
    threaded_run.session.pause()
    threaded_run.wait_for(Phase.PAUSED)
    assert threaded_run.session.status.epoch > first_pause
    threaded_run.session.resume()
    threaded_run.wait_for(Phase.IDLE)

    assert threaded_run.phases == [
        Phase.RUNNING, Phase.PAUSED, Phase.RUNNING, Phase.PAUSED, Phase.RUNNING, Phase.IDLE
    ]  # fmt: skip
    snapshot, path = threaded_run.ends[-1]
    assert len(threaded_run.ends) == 3
    assert same_weights(snapshot, whole.snapshot())
    assert path is not None
    assert tuple(threaded_run.points) == read_checkpoint(path).history
    assert main.waiting == 0


def test_a_pause_saves_and_publishes_the_model_and_nothing_moves_meanwhile(
    threaded_run: "Run",
    unending: Recipe,
    monkeypatch: pytest.MonkeyPatch,
    same_weights: Same,
) -> None:
    monkeypatch.setattr(worker_module, "POST_SECONDS", float("inf"))
    threaded_run.start(unending)
    threaded_run.session.pause()
    threaded_run.wait_for(Phase.PAUSED)
    ((snapshot, path),) = threaded_run.ends
    assert path is not None
    saved = read_checkpoint(path)
    assert same_weights(saved, snapshot)
    assert saved.step == snapshot.step
    assert tuple(threaded_run.points) == snapshot.history
    assert threaded_run.main.waiting == 0

    copy = Path(shutil.copytree(path.parent, path.parent.parent / "copy"))
    (copy / RunFolder.LOCK).unlink()
    resumed = RunFolder(copy).resume(threaded_run.data, "cpu")
    assert resumed.step == snapshot.step
    threaded_run.session.stop()
    threaded_run.wait_for(Phase.IDLE)
    assert threaded_run.ends[-1][0].step == snapshot.step


def test_a_pause_in_the_last_step_does_not_hold_a_finished_run(
    threaded_run: "Run", recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    last, pressed = threading.Event(), threading.Event()
    step = Trainer.take_step

    def wait_in_the_last(trainer: Trainer) -> StepMetrics | None:
        if trainer.step == trainer.total_steps - 1:
            last.set()
            assert pressed.wait(10)
        return step(trainer)

    monkeypatch.setattr(Trainer, "take_step", wait_in_the_last)
    threaded_run.start(recipe)
    assert last.wait(10)
    threaded_run.session.pause()
    pressed.set()
    threaded_run.wait_for(Phase.IDLE)
    assert threaded_run.phases == [Phase.RUNNING, Phase.IDLE]
    assert threaded_run.ends[-1][0].epoch == recipe.epochs


def test_a_stop_overtakes_the_news_of_a_pause(
    threaded_run: "Run", unending: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    paused = threading.Event()

    class Turn(threading.Condition):
        def wait(self, timeout: float | None = None) -> bool:
            paused.set()
            return super().wait(timeout)

    monkeypatch.setattr(training_module, "OrderDesk", partial(OrderDesk, changed=Turn()))
    threaded_run.start(unending)
    threaded_run.session.pause()
    assert paused.wait(10)
    threaded_run.session.stop()
    threaded_run.wait_for(Phase.IDLE)
    assert threaded_run.phases == [Phase.RUNNING, Phase.STOPPING, Phase.IDLE]
    assert len(threaded_run.ends) == 1


def test_a_pause_at_once_after_going_on_is_a_pause(threaded_run: "Run", unending: Recipe) -> None:
    session = threaded_run.session
    threaded_run.start(unending, paused=True)
    threaded_run.wait_for(Phase.PAUSED)
    for _ in range(20):
        session.resume()
        session.pause()  # before the run had a chance to look
        threaded_run.wait_for(Phase.PAUSED)
    session.resume()
    threaded_run.wait_for_more_history()
    session.stop()
    assert threaded_run.finish().step > 0


# Steps, epochs, the anatomy of a step


def test_a_run_can_be_started_paused(threaded_run: "Run", recipe: Recipe) -> None:
    threaded_run.start(recipe, paused=True)
    threaded_run.wait_for(Phase.PAUSED)
    ((snapshot, path),) = threaded_run.ends
    assert (snapshot.step, snapshot.history) == (0, ())
    assert path is not None
    assert read_checkpoint(path).step == 0
    assert [steps for _, steps in threaded_run.kept] == [(0,)]
    threaded_run.session.resume()
    assert threaded_run.finish().epoch == recipe.epochs


def test_step_by_step_epoch_by_epoch_and_to_the_end(
    threaded_run: "Run", recipe: Recipe, trained: Snapshot, same_weights: Same
) -> None:
    """Ten steps are an epoch; however they are taken the numbers are the same."""
    session = threaded_run.session
    threaded_run.start(recipe, until="step")
    orders: list[Until] = ["step", "dissected", "epoch", "step", "dissected"]
    reached = []
    for order in orders:
        threaded_run.wait_for(Phase.PAUSED)
        session.resume(order)
    threaded_run.wait_for(Phase.PAUSED)
    threaded_run.main.run_until(lambda: threaded_run.moves[-1][0].step == 12)
    reached = sorted({snapshot.step for snapshot, _ in threaded_run.moves})
    assert {1, 2, 3, 10, 11, 12} <= set(reached)
    # Of these only the epoch was saved: single steps must follow one another quickly.
    assert [snapshot.step for snapshot, _ in threaded_run.ends] == [10]
    assert [anatomy.step for anatomy in threaded_run.anatomies] == [3, 12]
    session.resume("epoch")  # the last one, which ends the run
    final = threaded_run.finish()
    assert same_weights(final, trained)
    assert final.history == trained.history == tuple(threaded_run.points)


def test_after_a_single_step_its_model_is_on_the_map_and_stays(
    threaded_run: "Run", recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    phases: list[Phase] = []

    def note(event: object) -> None:
        if isinstance(event, Moved):
            phases.append(threaded_run.session.status.phase)

    threaded_run.session.events.connect(note)
    monkeypatch.setattr(Moments, "due", lambda *_: False)
    threaded_run.start(recipe, until="step")
    threaded_run.main.run_until(lambda: threaded_run.moves)
    assert threaded_run.moves[-1][0].step == 1
    assert phases == [Phase.PAUSED]  # so that what is made of the points is made
    threaded_run.session.stop()
    assert threaded_run.finish().step == 1


def test_a_pause_on_the_way_to_the_end_of_an_epoch(threaded_run: "Run", recipe: Recipe) -> None:
    threaded_run.start(recipe.replace(batch_size=1), until="epoch")  # 500 steps
    threaded_run.wait_for_more_history()
    threaded_run.session.pause()
    threaded_run.wait_for(Phase.PAUSED)
    assert threaded_run.ends[-1][0].step < 500
    threaded_run.session.resume("epoch")
    threaded_run.wait_for(Phase.PAUSED)
    assert threaded_run.ends[-1][0].step == 500
    threaded_run.session.stop()
    threaded_run.finish()


# Steering, and rules by which a run ends


def test_a_run_is_steered_from_the_next_step_on(threaded_run: "Run", recipe: Recipe) -> None:
    session = threaded_run.session
    threaded_run.start(recipe.replace(warmup_steps=0, schedule="constant"), until="step")
    threaded_run.wait_for(Phase.PAUSED)
    session.steer("learning_rate", 0.5e-3)
    session.steer("beta", 2.0)
    session.resume("dissected")
    threaded_run.wait_for(Phase.PAUSED)
    (anatomy,) = threaded_run.anatomies
    assert (anatomy.step, anatomy.learning_rate) == (2, 0.5e-3)
    session.resume()
    final = threaded_run.finish()
    assert {(change.step, change.field, change.value) for change in final.changes} == {
        (1, "learning_rate", 0.5e-3),
        (1, "beta", 2.0),
    }
    assert (final.recipe.learning_rate, final.recipe.beta) == (0.5e-3, 2.0)
    path = threaded_run.ends[-1][1]
    assert path is not None
    assert read_checkpoint(path).changes == final.changes
    assert {(point.learning_rate, point.beta) for point in final.history} == {(0.5e-3, 2.0)}
    assert any("From step 2 on: learning_rate 0.0005" in line for line in threaded_run.lines)


def test_a_run_begins_by_what_was_steered_before_it_was_there(
    threaded_run: "Run", recipe: Recipe
) -> None:
    begun: list[Recipe] = []
    ready = threading.Event()

    def note(event: object) -> None:
        if isinstance(event, Begun):
            begun.append(event.recipe)

    def begin(device: str, _: object) -> tuple[Trainer, RunFolder]:
        assert ready.wait(10)
        trainer = Trainer(recipe, threaded_run.data, device)
        return trainer, RunFolder.create(threaded_run.runs, recipe)

    threaded_run.session.events.connect(note)
    threaded_run.session.start_by(begin, recipe.epochs, threaded_run.data.images[:1])
    threaded_run.session.steer("beta", 3.0)
    ready.set()
    final = threaded_run.finish()
    assert begun == [recipe.replace(beta=3.0)] == [final.recipe]
    assert [(change.step, change.field) for change in final.changes] == [(0, "beta")]


def test_a_running_run_hears_of_steering(threaded_run: "Run", unending: Recipe) -> None:
    threaded_run.start(unending)
    threaded_run.wait_for_more_history()
    threaded_run.session.steer("beta", 3.0)
    threaded_run.main.run_until(lambda: any("beta 3" in line for line in threaded_run.lines))
    threaded_run.wait_for_more_history()
    threaded_run.session.stop()
    final = threaded_run.finish()
    (change,) = final.changes
    assert 0 < change.step < final.step
    assert final.history[-1].beta == 3.0


def test_values_that_cannot_be_are_refused_and_the_run_goes_on(
    threaded_run: "Run", recipe: Recipe, trained: Snapshot, same_weights: Same
) -> None:
    session = threaded_run.session
    threaded_run.start(recipe, paused=True)
    threaded_run.wait_for(Phase.PAUSED)
    bad = {"learning_rate": -1.0, "beta": float("nan"), "batch_size": 7.0, "samples": 1.5}
    for name, value in bad.items():
        session.steer(name, value)
    session.resume()
    final = threaded_run.finish()
    assert same_weights(final, trained)
    assert final.changes == ()
    for name in bad:
        assert any(name in line for line in threaded_run.lines)


@pytest.mark.parametrize("good_first", [True, False])
def test_a_bad_value_does_not_take_a_good_one_with_it(
    threaded_run: "Run", recipe: Recipe, good_first: bool
) -> None:
    threaded_run.start(recipe, paused=True)
    threaded_run.wait_for(Phase.PAUSED)
    orders = [("beta", 2.0), ("learning_rate", -1.0)]
    for name, value in orders if good_first else reversed(orders):
        threaded_run.session.steer(name, value)
    threaded_run.session.resume()
    assert [(change.field, change.value) for change in threaded_run.finish().changes] == [
        ("beta", 2.0)
    ]


def test_nobody_is_steered_while_nothing_runs(
    inline_run: "Run", recipe: Recipe, trained: Snapshot, same_weights: Same
) -> None:
    inline_run.session.steer("beta", 3.0)
    inline_run.start(recipe)
    inline_run.main.run()
    assert same_weights(inline_run.finish(), trained)


@pytest.mark.parametrize(
    ("rule", "epoch"),
    [
        (StopRule(epoch=3.0), 3.0),
        (StopRule(elbo=-1e6), 1.0),
        (StopRule(plateau=2, least_gain=1e6), 3.0),
        (StopRule(seconds=0.0), 1.0),
    ],
    ids=["epoch", "elbo", "plateau", "seconds"],
)
def test_a_run_ends_by_its_rule(
    inline_run: "Run", recipe: Recipe, rule: StopRule, epoch: float
) -> None:
    inline_run.session.set_rule(rule)
    for _ in range(2):  # the rule holds for the next run too
        inline_run.start(recipe.replace(epochs=5))
        inline_run.main.run()
        final = inline_run.finish()
        assert final.epoch == epoch
        assert tuple(inline_run.points) == final.history
        assert inline_run.phases[-2:] == [Phase.RUNNING, Phase.IDLE]
    assert sum("Stopping:" in line for line in inline_run.lines) == 2


def test_a_rule_may_come_while_the_run_runs(threaded_run: "Run", unending: Recipe) -> None:
    threaded_run.start(unending)
    threaded_run.wait_for_more_history()
    threaded_run.session.set_rule(StopRule(epoch=0.5))
    assert threaded_run.finish().epoch < unending.epochs


# Moments, and what is found


def test_the_film_is_what_is_on_disk_however_it_is_thinned(
    inline_run: "Run", recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moments_module, "MOST", 4)
    monkeypatch.setattr(moments_module, "_LONGEST_FIRST_STRIDE", 1)
    inline_run.start(recipe)
    inline_run.main.run()
    folder = RunFolder(inline_run.runs / next(inline_run.runs.iterdir()).name)
    assert inline_run.kept[-1][1] == tuple(folder.moments().steps)
    dropped = [
        (before, after)
        for (_, before), (_, after) in pairwise(inline_run.kept)
        if not set(before) <= set(after)
    ]
    assert dropped
    live = inline_run.data.images[::10]
    for frame, steps in inline_run.kept:
        assert frame.step == steps[-1]
        if frame.step in folder.moments().steps:
            model = folder.moments().read(frame.step).model
            np.testing.assert_array_equal(frame.posterior.mean, model.encode(live).mean)


def test_the_same_bits_with_and_without_a_session(
    threaded_run: "Run",
    recipe: Recipe,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    same_weights: Same,
) -> None:
    """Whatever is moved, kept, paused and dissected; weights, history and moments."""
    recipe = recipe.replace(epochs=4)
    alone = train(recipe, threaded_run.data, runs=tmp_path / "alone", device="cpu")
    monkeypatch.setattr(worker_module, "LIVE_SECONDS", 0.0)
    monkeypatch.setattr(worker_module, "LIVE_SHARE", float("inf"))
    session = threaded_run.session
    threaded_run.start(recipe, paused=True)
    orders: list[Until] = ["step", "dissected", "epoch", "dissected", "step"]
    for order in orders:
        threaded_run.wait_for(Phase.PAUSED)
        session.resume(order)
    threaded_run.wait_for(Phase.PAUSED)
    session.resume()
    threaded_run.wait_for_more_history()
    session.pause()
    threaded_run.main.run_until(lambda: session.status.phase in (Phase.PAUSED, Phase.IDLE))
    session.resume()
    final = threaded_run.finish()
    assert len(threaded_run.moves) > 30
    assert same_weights(final, alone)
    assert final.history == alone.history
    (ours,), (theirs,) = threaded_run.runs.iterdir(), (tmp_path / "alone").iterdir()
    moments, expected = RunFolder(ours).moments(), RunFolder(theirs).moments()
    assert moments.steps == expected.steps
    for step in moments.steps:
        assert same_weights(moments.read(step), expected.read(step))


def test_what_is_wrong_is_noted_once_and_told_when_it_changes(
    inline_run: "Run", recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A finding's figures change at every epoch; that is no other finding."""

    def found(history: Sequence[HistoryPoint]) -> tuple[Finding, ...]:
        epoch = history[-1].epoch
        first = Finding("A dead unit", f"Seen at epoch {epoch:g}.", "Lower β.")
        second = Finding("Over-fitting", "Fallen.", "Go back.")
        return {1.0: (), 2.0: (first,), 3.0: (first, second), 4.0: (second,)}[epoch]

    monkeypatch.setattr(worker_module, "findings", found)
    for _ in range(2):
        inline_run.lines.clear()
        inline_run.findings.clear()
        inline_run.start(recipe.replace(epochs=4))
        inline_run.main.run()
        for title in ("A dead unit", "Over-fitting"):
            assert sum(title in line for line in inline_run.lines) == 1
        titles = [[finding.title for finding in found] for found in inline_run.findings]
        assert titles == [["A dead unit"], ["A dead unit", "Over-fitting"], ["Over-fitting"]]


# Refusals and failures


def test_training_goes_on_when_the_disk_refuses(
    inline_run: "Run",
    recipe: Recipe,
    trained: Snapshot,
    monkeypatch: pytest.MonkeyPatch,
    same_weights: Same,
) -> None:
    create = RunFolder.create

    def create_and_lose(parent: Path, recipe: Recipe) -> RunFolder:
        folder = create(parent, recipe)
        shutil.rmtree(folder.path)
        folder.path.write_text("a file where the folder was")
        return folder

    monkeypatch.setattr(RunFolder, "create", create_and_lose)
    inline_run.start(recipe)
    inline_run.main.run()
    (refusal,) = inline_run.refusals  # once, not at every epoch
    assert isinstance(refusal, CheckpointError)
    # At the start, at the end of every epoch and at the end; not of every moment.
    assert sum("Not saved" in line for line in inline_run.lines) == recipe.epochs + 2
    ((snapshot, path),) = inline_run.ends
    assert same_weights(snapshot, trained)
    assert path is None
    assert "not saved" in inline_run.lines[-1]
    assert inline_run.failures == []


def test_a_disk_that_takes_saves_again_is_told_of_anew(
    inline_run: "Run", recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = RunFolder.save
    refused = {0, 1, 3}
    tries = iter(range(100))

    def moody(folder: RunFolder, trainer: Trainer) -> Snapshot:
        if next(tries) in refused:
            raise CheckpointError("The disk is full.")
        return save(folder, trainer)

    monkeypatch.setattr(RunFolder, "save", moody)
    inline_run.start(recipe.replace(epochs=6))
    inline_run.main.run()
    assert len(inline_run.refusals) == 2
    ((_, path),) = inline_run.ends
    assert path is not None
    assert read_checkpoint(path).epoch == 6


def test_a_removed_run_folder_is_made_again(
    threaded_run: "Run", unending: Recipe, same_weights: Same
) -> None:
    threaded_run.start(unending)
    threaded_run.wait_for_more_history()
    threaded_run.session.pause()
    threaded_run.wait_for(Phase.PAUSED)
    shutil.rmtree(threaded_run.runs)
    threaded_run.session.resume()
    threaded_run.session.stop()
    threaded_run.wait_for(Phase.IDLE)
    snapshot, path = threaded_run.ends[-1]
    assert path is not None
    assert same_weights(read_checkpoint(path), snapshot)
    assert threaded_run.refusals == []


def test_a_diverged_run_fails_and_the_next_works(inline_run: "Run", recipe: Recipe) -> None:
    inline_run.start(DIVERGING)
    inline_run.main.run()
    (error,) = inline_run.failures
    assert isinstance(error, DivergedError)
    assert inline_run.phases == [Phase.RUNNING, Phase.IDLE]
    assert "diverged" in inline_run.lines[-1]
    inline_run.start(recipe)
    inline_run.main.run()
    assert len(inline_run.ends) == 1


def test_weights_that_are_no_numbers_are_neither_shown_nor_saved(
    inline_run: "Run", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "LIVE_SECONDS", 0.0)
    inline_run.start(DIVERGING.replace(batch_size=500))  # one step an epoch
    inline_run.main.run()
    assert isinstance(inline_run.failures[0], DivergedError)
    assert inline_run.moves
    for snapshot, _ in inline_run.moves:
        assert all(weights.isfinite().all() for weights in snapshot.model.state_dict().values())
    (folder,) = inline_run.runs.iterdir()
    assert read_checkpoint(folder / "model.safetensors").step == inline_run.moves[-1][0].step


def torch_shape_error() -> NoReturn:
    torch.zeros(2, 3) @ torch.zeros(2, 3)
    raise AssertionError("torch multiplied the unmultipliable")


def raiser(error: BaseException) -> Callable[[], NoReturn]:
    def raise_it() -> NoReturn:
        raise error

    return raise_it


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(
    ("break_down", "kind"),
    [
        (torch_shape_error, RuntimeError),
        (raiser(torch.OutOfMemoryError("CUDA out of memory")), RuntimeError),
        (raiser(MemoryError()), MemoryError),
        (raiser(KeyboardInterrupt()), KeyboardInterrupt),
        (raiser(SystemExit(1)), SystemExit),
    ],
    ids=["shape", "device memory", "memory", "interrupt", "exit"],
)
def test_a_run_that_breaks_in_a_step_is_told_and_the_next_works(
    threaded_run: "Run",
    recipe: Recipe,
    monkeypatch: pytest.MonkeyPatch,
    break_down: Callable[[], NoReturn],
    kind: type[BaseException],
) -> None:
    step = Trainer.take_step

    def breaks(trainer: Trainer) -> StepMetrics | None:
        if trainer.step == 15:
            break_down()
        return step(trainer)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "take_step", breaks)
        threaded_run.start(recipe)
        threaded_run.wait_for(Phase.IDLE)
    assert len(threaded_run.failures) == 1
    assert isinstance(threaded_run.failures[0], kind)
    assert threaded_run.ends == []
    (folder,) = threaded_run.runs.iterdir()
    assert read_checkpoint(folder / "model.safetensors").epoch == 1

    threaded_run.start(recipe)
    threaded_run.wait_for(Phase.IDLE)
    assert len(threaded_run.ends) == 1


def test_a_run_whose_moments_are_refused_is_saved_and_that_is_said_once(
    inline_run: "Run", recipe: Recipe, trained: Snapshot, same_weights: Same
) -> None:
    with pytest.MonkeyPatch.context() as patch:

        def refuse(_: Moments, snapshot: Snapshot) -> NoReturn:
            raise CheckpointError(f"No room for step {snapshot.step}.")

        patch.setattr(Moments, "keep", refuse)
        inline_run.start(recipe)
        inline_run.main.run()
    assert same_weights(inline_run.finish(), trained)
    assert len(inline_run.refusals) == 1
    assert sum("Not saved" in line for line in inline_run.lines) == 1
    assert inline_run.kept == []
    assert inline_run.session.checkpoint is not None
    assert same_weights(read_checkpoint(inline_run.session.checkpoint), trained)


def test_a_diverged_run_keeps_the_last_good_model_and_all_its_figures(inline_run: "Run") -> None:
    recipe = DIVERGING
    inline_run.start(recipe)
    inline_run.main.run()
    (error,) = inline_run.failures
    assert f"diverged at step {inline_run.moves[-1][0].step + 1}" in str(error)
    (folder,) = inline_run.runs.iterdir()
    saved = read_checkpoint(folder / RunFolder.MODEL)
    assert saved.history == tuple(inline_run.points)
    again = Trainer(recipe, inline_run.data, "cpu")
    while again.step < saved.step:
        again.take_step()
    for name, weights in again.snapshot().model.state_dict().items():
        assert torch.equal(weights, saved.model.state_dict()[name])
    with pytest.raises(DivergedError):
        RunFolder(folder).resume(inline_run.data, "cpu").take_step()


def test_figures_gathered_before_an_error_are_told(
    inline_run: "Run", recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "POST_SECONDS", float("inf"))
    step = Trainer.take_step

    def breaks(trainer: Trainer) -> StepMetrics | None:
        if trainer.step == 15:
            raise MemoryError
        return step(trainer)

    monkeypatch.setattr(Trainer, "take_step", breaks)
    inline_run.start(recipe)
    inline_run.main.run()
    assert [point.epoch for point in inline_run.points] == [1.0]
