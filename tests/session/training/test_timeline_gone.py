"""Moments of a run that are gone or damaged."""

import shutil

from tests.support.cinema import Cinema
from tests.support.stand_ins import Failures
from vae_explorer.errors import CheckpointError
from vae_explorer.training.run_folder import RunFolder


def test_of_a_moment_that_was_dropped_the_nearest_is_shown(own: Cinema, own_run: RunFolder) -> None:
    for step in range(1, 20, 2):
        own_run.moments().path(step).unlink()
    own.show(7)  # of which the film does not know yet
    assert own.arrived[-1] in (6, 8)
    assert own.time.shown is not None
    assert own.time.shown.step == own.arrived[-1]
    assert own.steps == list(range(0, 21, 2))
    assert own.returns == 0


def test_a_run_that_was_deleted_is_told_and_live_is_shown(
    own: Cinema, own_run: RunFolder, failures: Failures
) -> None:
    shutil.rmtree(own_run.path)
    own.show(7)
    ((title, error),) = failures
    assert title == "The snapshot cannot be shown"
    assert isinstance(error, CheckpointError)
    assert (own.returns, own.time.shown, own.arrived) == (1, None, [])
    failures.clear()


def test_a_damaged_moment_that_is_passed_over_does_not_stop_the_way(
    own: Cinema, own_run: RunFolder, failures: Failures
) -> None:
    own_run.moments().path(7).write_bytes(b"not a checkpoint")
    own.show(7, 8)
    assert (own.arrived, own.returns) == ([8], 0)
    own.time.show(7)
    own.time.return_live()
    own.main.run()  # nobody waits for it any more
    assert failures == []
    own.show(7)
    assert (own.returns, len(failures)) == (2, 1)
    failures.clear()
