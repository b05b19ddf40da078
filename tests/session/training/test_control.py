import random
import re
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from unittest.mock import Mock

import pytest

from tests.support.models import same_weights
from tests.support.stand_ins import Clock, MainThread
from tests.support.training_runs import UNENDING, Run
from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import CheckpointError, DataError
from vae_explorer.session.jobs import BusyError, Jobs
from vae_explorer.session.training.control import reseeded
from vae_explorer.session.training.events import Phase, TrainingStatus
from vae_explorer.session.training.worker import Worker
from vae_explorer.training import device
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.snapshot import Snapshot

# A whole run


def test_a_run_computes_what_training_without_a_session_does(
    inline: Run, recipe: Recipe, trained: Snapshot
) -> None:
    inline.start(recipe)
    assert inline.session.active
    inline.main.run()
    assert not inline.session.active
    ((snapshot, path),) = inline.ends
    assert same_weights(snapshot, trained)
    assert same_weights(inline.saved, trained)
    assert inline.saved.epoch == recipe.epochs
    assert path == inline.folder.model_path
    assert inline.failures == inline.refusals == []
    assert inline.said(str(path))


def test_the_status_tells_the_progress(inline: Run, recipe: Recipe, clock: Clock) -> None:
    clock.tick = 0.1
    inline.start(recipe)
    assert inline.session.status == TrainingStatus(Phase.RUNNING, 0.0, recipe.epochs)
    inline.main.run()
    assert inline.phases == [Phase.RUNNING, Phase.IDLE]
    assert inline.statuses[-1] is inline.session.status
    epochs = [status.epoch for status in inline.statuses]
    assert epochs == sorted(epochs)
    assert epochs[-1] == recipe.epochs
    told = [status for status in inline.statuses if status.images_per_second]
    assert told
    for status in told:
        assert status.device == "cpu"
        assert status.eta_seconds is None or status.eta_seconds >= 0
    known = [status.eta_seconds is not None for status in told]
    assert known == sorted(known), "unknown at first, and then known"
    assert not known[0]
    assert told[-1].eta_seconds == 0
    assert told[-1].images_per_second < 1_000 / clock.tick


def test_a_slow_start_is_forgotten(
    inline: Run, recipe: Recipe, clock: Clock, in_step: Callable[[int, Callable[[], object]], None]
) -> None:
    speeds: list[float] = []
    for tick in (10.0, 0.1):
        clock.tick = tick
        in_step(10, lambda: setattr(clock, "tick", 0.1))
        inline.start(recipe.replace(epochs=20))
        inline.main.run()
        speeds.append(
            next(s.images_per_second for s in inline.statuses[::-1] if s.images_per_second)
        )
    assert speeds[0] == pytest.approx(speeds[1], rel=0.05)


def test_a_run_says_that_a_device_was_passed_over(
    inline_jobs: Jobs,
    main: MainThread,
    tmp_path: Path,
    digits: ImageSet,
    recipe: Recipe,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inline = Run(inline_jobs, main, tmp_path, digits, "auto")
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    monkeypatch.setattr(device, "trouble", lambda name: "" if name == "cpu" else "no kernel")
    inline.train(recipe)
    assert inline.said("cuda but cannot compute on it (no kernel)")
    assert inline.saved.epoch == recipe.epochs


def test_every_point_told_is_in_the_saved_history_in_order(
    inline: Run, recipe: Recipe, clock: Clock
) -> None:
    clock.tick = 0.02
    inline.train(recipe.replace(epochs=7))
    ((snapshot, _),) = inline.ends
    assert len(inline.batches) > 3
    assert all(inline.batches)
    assert tuple(inline.points) == snapshot.history == inline.saved.history
    epochs = [point.epoch for point in inline.points]
    assert epochs == sorted(set(epochs))
    held_out = [point.epoch for point in inline.points if point.held_out_elbo is not None]
    assert held_out == list(range(1, 8))


def test_history_starts_anew_with_every_run(inline: Run, recipe: Recipe) -> None:
    for seed in range(2):
        inline.train(recipe.replace(seed=seed))
        assert inline.starts == seed + 1
        assert tuple(inline.points) == inline.ends[-1][0].history
    paths = [path for _, path in inline.ends]
    assert len(set(paths)) == 2


# Pause, resume, stop


def test_stop_ends_the_run_early_and_saves_it(running: Run) -> None:
    running.session.stop()
    assert running.session.status.phase is Phase.STOPPING
    running.wait_for(Phase.IDLE)
    assert running.phases == [Phase.RUNNING, Phase.STOPPING, Phase.IDLE]
    ((snapshot, _),) = running.ends
    assert 0 < snapshot.epoch < UNENDING
    assert running.session.status.epoch == snapshot.epoch
    assert same_weights(running.saved, snapshot)


def test_pause_and_stop_before_the_first_step(threaded: Run, unending: Recipe) -> None:
    threaded.start(unending)
    threaded.session.pause()
    threaded.session.stop()
    threaded.wait_for(Phase.IDLE)
    assert threaded.phases == [Phase.RUNNING, Phase.STOPPING, Phase.IDLE]
    assert len(threaded.ends) == 1
    assert threaded.ends[0][0].step <= 1


@pytest.mark.parametrize("order", ["pause", "stop"])
def test_an_order_that_came_too_late_does_not_reach_the_next_run(
    inline: Run, recipe: Recipe, order: str
) -> None:
    inline.start(recipe)  # already done, but not yet told
    getattr(inline.session, order)()
    inline.main.run()
    inline.train(recipe)
    assert [snapshot.epoch for snapshot, _ in inline.ends] == [recipe.epochs] * 2
    if order == "pause":
        assert inline.phases == [Phase.RUNNING, Phase.IDLE] * 2


@pytest.mark.parametrize("order", ["pause", "resume", "stop"])
def test_orders_to_no_run_do_nothing(inline: Run, order: str) -> None:
    getattr(inline.session, order)()
    inline.main.run()
    assert inline.session.status == TrainingStatus(Phase.IDLE)
    assert inline.statuses == []
    assert not inline.runs.exists()


def test_orders_that_do_not_fit_the_phase_do_nothing(threaded: Run, unending: Recipe) -> None:
    session = threaded.session
    threaded.start(unending)
    session.resume()
    assert threaded.phases == [Phase.RUNNING]
    threaded.wait_for_more_history()
    with pytest.raises(BusyError, match="Training"):
        threaded.start(unending)
    session.pause()
    session.pause()
    threaded.wait_for(Phase.PAUSED)
    session.pause()
    with pytest.raises(BusyError):
        threaded.start(unending)
    assert threaded.phases == [Phase.RUNNING, Phase.PAUSED]
    session.stop()
    for order in (session.pause, session.resume, session.stop):
        order()
        assert threaded.phases[2:] == [Phase.STOPPING]
    with pytest.raises(BusyError):
        threaded.start(unending)
    threaded.wait_for(Phase.IDLE)
    assert threaded.phases == [Phase.RUNNING, Phase.PAUSED, Phase.STOPPING, Phase.IDLE]
    assert threaded.starts == 1
    assert len(list(threaded.runs.iterdir())) == 1


def test_a_run_that_runs_pauses_before_it_goes_on_so_far(running: Run) -> None:
    session = running.session
    session.advance("epoch")
    running.main.run_until(lambda: len(running.ends) == 2)
    (first, _), (second, _) = running.ends
    assert second.epoch == int(first.epoch) + 1
    assert running.phases == [Phase.RUNNING, Phase.PAUSED] * 2
    session.advance("epoch")
    running.wait_for(Phase.PAUSED)
    assert running.ends[-1][0].epoch == second.epoch + 1
    session.resume()
    session.advance("step")
    session.pause()  # and stay there
    running.wait_for(Phase.PAUSED)
    running.main.run()
    assert session.status.phase is Phase.PAUSED
    session.stop()
    session.advance("step")
    running.finish()


def test_what_comes_after_a_run_waits_for_its_end(
    threaded: Run, recipe: Recipe, unending: Recipe
) -> None:
    session, told = threaded.session, list[int]()
    session.end_then(lambda: told.append(0))
    assert told == [0], "there is no run"
    threaded.start(unending)
    session.end_then(lambda: told.append(1))
    session.end_then(lambda: threaded.start(recipe))
    threaded.main.run_until(lambda: len(threaded.ends) == 2)
    assert told == [0], "the newest wish counts"
    assert threaded.starts == 2
    assert threaded.finish().epoch == recipe.epochs
    assert not session.active


def test_a_run_that_makes_way_is_said_to_be_kept_or_not(
    threaded: Run, recipe: Recipe, unending: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, said = threaded.session, list[str]()
    session.made_way.connect(said.append)
    session.end_then(lambda: None)
    threaded.start(recipe)
    threaded.finish()
    assert said == [], "nothing was stopped"
    threaded.start(unending)
    threaded.main.run_until(lambda: session.status.epoch > 0)
    assert session.checkpoint
    name = session.checkpoint.parent.name
    session.end_then(lambda: threaded.start(recipe))
    threaded.main.run_until(lambda: said)
    assert re.fullmatch(rf"The run {name} was stopped at epoch [0-9.]+ and kept", said[0])
    threaded.finish()
    threaded.start(unending)
    threaded.main.run_until(lambda: session.status.epoch > 0)
    monkeypatch.setattr(RunFolder, "save", Mock(side_effect=CheckpointError("The disk is full.")))
    session.end_then(lambda: None)
    threaded.main.run_until(lambda: len(said) == 2)
    assert said[1].endswith("and not kept, for the disk refused it")


def test_a_pause_is_toggled(threaded: Run, unending: Recipe) -> None:
    threaded.session.toggle_pause()  # of no run
    threaded.start(unending)
    for phase in (Phase.PAUSED, Phase.RUNNING):
        threaded.session.toggle_pause()
        threaded.wait_for(phase)
    threaded.stop()


def test_another_seed_is_another_seed_alone(recipe: Recipe) -> None:
    for _ in range(20):
        after = reseeded(recipe)
        assert after.seed != recipe.seed
        assert after == recipe.replace(seed=after.seed)


def test_start_and_stop_pressed_200_times(
    threaded: Run, unending: Recipe, monkeypatch: pytest.MonkeyPatch
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
        with suppress(BusyError):
            threaded.start(unending)
            started += 1
        for _ in range(3):
            session = threaded.session
            dice.choice([session.pause, session.resume, threaded.main.run, lambda: None])()
        threaded.session.stop()
        threaded.main.run()
    threaded.wait_for(Phase.IDLE)
    threaded.main.run()
    assert threaded.session.status.phase is Phase.IDLE
    assert threaded.failures == []
    assert 0 < started == threaded.starts == len(at_work)
    assert len([status for status in threaded.statuses if status.phase is Phase.IDLE]) == started
    threaded.train(unending.replace(epochs=1))
    assert threaded.ends[-1][0].epoch == 1


# Refusals and failures


def test_a_run_without_a_folder_fails_and_the_next_works(inline: Run, recipe: Recipe) -> None:
    inline.runs.write_text("a file where the folder should be")
    inline.train(recipe)
    (error,) = inline.failures
    assert isinstance(error, CheckpointError)
    assert inline.phases == [Phase.RUNNING, Phase.IDLE]
    assert inline.ends == []
    inline.runs.unlink()
    inline.train(recipe)
    assert len(inline.ends) == 1
    inline.train(recipe.replace(validation_images=600))  # which are all
    assert isinstance(inline.failures[1], DataError)
    assert not inline.session.active


# Closing


@pytest.mark.parametrize("when", ["at once", "running", "paused"])
def test_shutdown_saves_the_run_so_that_it_can_go_on(
    closing: Run, unending: Recipe, when: str
) -> None:
    closing.start(unending)
    if when != "at once":
        closing.wait_for_more_history()
    if when == "paused":
        closing.pause()
    said = len(closing.lines), len(closing.batches), len(closing.ends)
    assert closing.session._jobs.shutdown(5)
    closing.main.run()
    assert (len(closing.lines), len(closing.batches), len(closing.ends)) == said
    for folder in closing.runs.glob("*"):
        saved = read_checkpoint(folder / "model.safetensors")
        trainer = RunFolder(folder).resume(closing.data, "cpu")
        assert trainer.step == saved.step
        assert next(trainer.events(lambda: True)).step == saved.step + 1
    assert closing.runs.exists() or when == "at once"
