import random
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from vae_explorer.errors import CheckpointError, DataError
from vae_explorer.session.jobs import BusyError
from vae_explorer.session.training.control import reseeded
from vae_explorer.session.training.events import Phase, TrainingStatus
from vae_explorer.session.training.worker import Worker
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.snapshot import Snapshot

if TYPE_CHECKING:
    from tests.support.stand_ins import Clock
    from tests.support.training_runs import Run

Same = Callable[[Snapshot, Snapshot], bool]

# A whole run


def test_a_run_computes_what_training_without_a_session_does(
    inline_run: "Run",
    recipe: Recipe,
    trained: Snapshot,
    same_weights: Same,
) -> None:
    inline_run.start(recipe)
    assert inline_run.session.active
    inline_run.main.run()
    assert not inline_run.session.active
    ((snapshot, path),) = inline_run.ends
    assert same_weights(snapshot, trained)
    assert path is not None
    assert path.is_relative_to(inline_run.runs)
    saved = read_checkpoint(path)
    assert same_weights(saved, trained)
    assert saved.epoch == recipe.epochs
    assert inline_run.failures == inline_run.refusals == []
    assert any(str(path) in line for line in inline_run.lines)


def test_the_status_tells_the_progress(inline_run: "Run", recipe: Recipe, clock: "Clock") -> None:
    inline_run.start(recipe)
    assert inline_run.session.status == TrainingStatus(Phase.RUNNING, 0.0, recipe.epochs)
    inline_run.main.run()
    assert inline_run.phases == [Phase.RUNNING, Phase.IDLE]
    assert inline_run.statuses[-1] is inline_run.session.status
    epochs = [status.epoch for status in inline_run.statuses]
    assert epochs == sorted(epochs)
    assert epochs[-1] == recipe.epochs
    told = [status for status in inline_run.statuses if status.images_per_second]
    assert told
    for status in told:
        assert status.device == "cpu"
        assert status.eta_seconds is not None
        assert status.eta_seconds >= 0
    assert told[-1].eta_seconds == 0
    assert told[-1].images_per_second < 1_000 / clock.tick


def test_every_point_told_is_in_the_saved_history_in_order(
    inline_run: "Run", recipe: Recipe, clock: "Clock"
) -> None:
    clock.tick = 0.02
    inline_run.start(recipe.replace(epochs=7))
    inline_run.main.run()
    ((snapshot, path),) = inline_run.ends
    assert path is not None
    assert len(inline_run.batches) > 3
    assert all(inline_run.batches)
    assert tuple(inline_run.points) == snapshot.history == read_checkpoint(path).history
    epochs = [point.epoch for point in inline_run.points]
    assert epochs == sorted(set(epochs))
    held_out = [point.epoch for point in inline_run.points if point.held_out_elbo is not None]
    assert held_out == list(range(1, 8))


def test_history_starts_anew_with_every_run(inline_run: "Run", recipe: Recipe) -> None:
    for seed in range(2):
        inline_run.start(recipe.replace(seed=seed))
        inline_run.main.run()
        assert inline_run.starts == seed + 1
        assert tuple(inline_run.points) == inline_run.ends[-1][0].history
    paths = [path for _, path in inline_run.ends]
    assert len(set(paths)) == 2


# Pause, resume, stop


def test_stop_ends_the_run_early_and_saves_it(
    threaded_run: "Run", unending: Recipe, same_weights: Same
) -> None:
    threaded_run.start(unending)
    threaded_run.wait_for_more_history()
    threaded_run.session.stop()
    assert threaded_run.session.status.phase is Phase.STOPPING
    threaded_run.wait_for(Phase.IDLE)
    assert threaded_run.phases == [Phase.RUNNING, Phase.STOPPING, Phase.IDLE]
    ((snapshot, path),) = threaded_run.ends
    assert path is not None
    assert 0 < snapshot.epoch < unending.epochs
    assert same_weights(read_checkpoint(path), snapshot)


def test_pause_and_stop_before_the_first_step(threaded_run: "Run", unending: Recipe) -> None:
    threaded_run.start(unending)
    threaded_run.session.pause()
    threaded_run.session.stop()
    threaded_run.wait_for(Phase.IDLE)
    assert threaded_run.phases == [Phase.RUNNING, Phase.STOPPING, Phase.IDLE]
    assert len(threaded_run.ends) == 1
    assert threaded_run.ends[0][0].step <= 1


def test_a_stop_that_came_too_late_does_not_end_the_next_run(
    inline_run: "Run", recipe: Recipe
) -> None:
    inline_run.start(recipe)  # already done, but not yet told
    inline_run.session.stop()
    inline_run.main.run()
    inline_run.start(recipe)
    inline_run.main.run()
    assert [snapshot.epoch for snapshot, _ in inline_run.ends] == [recipe.epochs] * 2


def test_a_pause_that_came_too_late_does_not_hold_the_next_run(
    inline_run: "Run", recipe: Recipe
) -> None:
    inline_run.start(recipe)
    inline_run.session.pause()
    inline_run.main.run()
    inline_run.start(recipe)
    inline_run.main.run()
    assert inline_run.phases == [Phase.RUNNING, Phase.IDLE, Phase.RUNNING, Phase.IDLE]


@pytest.mark.parametrize("order", ["pause", "resume", "stop"])
def test_orders_to_no_run_do_nothing(inline_run: "Run", order: str) -> None:
    getattr(inline_run.session, order)()
    inline_run.main.run()
    assert inline_run.session.status == TrainingStatus(Phase.IDLE)
    assert inline_run.statuses == []
    assert not inline_run.runs.exists()


def test_orders_that_do_not_fit_the_phase_do_nothing(threaded_run: "Run", unending: Recipe) -> None:
    session = threaded_run.session
    threaded_run.start(unending)
    session.resume()
    assert threaded_run.phases == [Phase.RUNNING]
    threaded_run.wait_for_more_history()
    with pytest.raises(BusyError, match="Training"):
        threaded_run.start(unending)
    session.pause()
    session.pause()
    threaded_run.wait_for(Phase.PAUSED)
    session.pause()
    with pytest.raises(BusyError):
        threaded_run.start(unending)
    assert threaded_run.phases == [Phase.RUNNING, Phase.PAUSED]
    session.stop()
    for order in (session.pause, session.resume, session.stop):
        order()
        assert threaded_run.phases[2:] == [Phase.STOPPING]
    with pytest.raises(BusyError):
        threaded_run.start(unending)
    threaded_run.wait_for(Phase.IDLE)
    assert threaded_run.phases == [Phase.RUNNING, Phase.PAUSED, Phase.STOPPING, Phase.IDLE]
    assert threaded_run.starts == 1
    assert len(list(threaded_run.runs.iterdir())) == 1


def test_a_run_that_runs_pauses_before_it_goes_on_so_far(
    threaded_run: "Run", unending: Recipe
) -> None:
    session = threaded_run.session
    threaded_run.start(unending)
    threaded_run.wait_for_more_history()
    session.advance("epoch")
    threaded_run.main.run_until(lambda: len(threaded_run.ends) == 2)
    (first, _), (second, _) = threaded_run.ends
    assert second.epoch == int(first.epoch) + 1
    assert threaded_run.phases == [Phase.RUNNING, Phase.PAUSED] * 2
    session.advance("epoch")
    threaded_run.wait_for(Phase.PAUSED)
    assert threaded_run.ends[-1][0].epoch == second.epoch + 1
    session.resume()
    session.advance("step")
    session.pause()  # and stay there
    threaded_run.wait_for(Phase.PAUSED)
    threaded_run.main.run()
    assert session.status.phase is Phase.PAUSED
    session.stop()
    session.advance("step")
    threaded_run.finish()


def test_what_comes_after_a_run_waits_for_its_end(
    threaded_run: "Run", recipe: Recipe, unending: Recipe
) -> None:
    session, told = threaded_run.session, list[int]()
    session.end_then(lambda: told.append(0))
    assert told == [0], "there is no run"
    threaded_run.start(unending)
    session.end_then(lambda: told.append(1))
    session.end_then(lambda: threaded_run.start(recipe))
    threaded_run.main.run_until(lambda: len(threaded_run.ends) == 2)
    assert told == [0], "the newest wish counts"
    assert threaded_run.starts == 2
    assert threaded_run.finish().epoch == recipe.epochs
    assert not session.active


def test_a_pause_is_toggled(threaded_run: "Run", unending: Recipe) -> None:
    threaded_run.session.toggle_pause()
    threaded_run.start(unending)
    for phase in (Phase.PAUSED, Phase.RUNNING):
        threaded_run.session.toggle_pause()
        threaded_run.wait_for(phase)
    threaded_run.session.stop()
    threaded_run.finish()


def test_another_seed_is_another_seed_alone(recipe: Recipe) -> None:
    for _ in range(20):
        after = reseeded(recipe)
        assert after.seed != recipe.seed
        assert after == recipe.replace(seed=after.seed)


def test_start_and_stop_pressed_200_times(
    threaded_run: "Run", unending: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work: list[int] = []
    busy = threading.Lock()
    work: Callable[..., object] = Worker.run

    def only_one(*arguments: object) -> object:
        assert busy.acquire(blocking=False)
        try:
            at_work.append(1)
            return work(*arguments)
        finally:
            busy.release()

    monkeypatch.setattr(Worker, "run", only_one)
    dice = random.Random(0)
    started = 0
    for _ in range(200):
        try:
            threaded_run.start(unending)
            started += 1
        except BusyError:
            pass
        for _ in range(3):
            dice.choice(
                [
                    threaded_run.session.pause,
                    threaded_run.session.resume,
                    threaded_run.main.run,
                    lambda: None,
                ]
            )()
        threaded_run.session.stop()
        threaded_run.main.run()
    threaded_run.wait_for(Phase.IDLE)
    threaded_run.main.run()
    assert threaded_run.session.status.phase is Phase.IDLE
    assert threaded_run.failures == []
    assert 0 < started == threaded_run.starts == len(at_work)
    assert (
        len([status for status in threaded_run.statuses if status.phase is Phase.IDLE]) == started
    )
    threaded_run.start(unending.replace(epochs=1))
    threaded_run.wait_for(Phase.IDLE)
    assert threaded_run.ends[-1][0].epoch == 1


# Refusals and failures


def test_a_run_without_a_folder_fails_and_the_next_works(inline_run: "Run", recipe: Recipe) -> None:
    inline_run.runs.write_text("a file where the folder should be")
    inline_run.start(recipe)
    inline_run.main.run()
    (error,) = inline_run.failures
    assert isinstance(error, CheckpointError)
    assert inline_run.phases == [Phase.RUNNING, Phase.IDLE]
    assert inline_run.ends == []
    inline_run.runs.unlink()
    inline_run.start(recipe)
    inline_run.main.run()
    assert len(inline_run.ends) == 1


def test_no_images_left_to_train_on_fails(inline_run: "Run", recipe: Recipe) -> None:
    inline_run.start(recipe.replace(validation_images=600))
    inline_run.main.run()
    assert isinstance(inline_run.failures[0], DataError)
    assert not inline_run.session.active


# Closing


@pytest.mark.parametrize("when", ["at once", "running", "paused"])
def test_shutdown_saves_the_run_so_that_it_can_go_on(
    closing_run: "Run", unending: Recipe, when: str
) -> None:
    closing_run.start(unending)
    if when != "at once":
        closing_run.wait_for_more_history()
    if when == "paused":
        closing_run.session.pause()
        closing_run.wait_for(Phase.PAUSED)
    said = len(closing_run.lines), len(closing_run.batches), len(closing_run.ends)
    assert closing_run.session._jobs.shutdown(5)
    closing_run.main.run()
    assert (len(closing_run.lines), len(closing_run.batches), len(closing_run.ends)) == said
    for folder in closing_run.runs.glob("*"):
        saved = read_checkpoint(folder / "model.safetensors")
        trainer = RunFolder(folder).resume(closing_run.data, "cpu")
        assert trainer.step == saved.step
        assert next(trainer.events(lambda: True)).step == saved.step + 1
    assert closing_run.runs.exists() or when == "at once"
