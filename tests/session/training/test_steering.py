"""What is wanted of a run on its way, and rules by which it ends."""

import threading

import pytest

from tests.support.models import same_weights
from tests.support.training_runs import UNENDING, Run
from vae_explorer.session.training.events import Begun, Phase
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.training.stopping import StopRule
from vae_explorer.training.trainer import Trainer


def test_a_run_is_steered_from_the_next_step_on(threaded: Run, recipe: Recipe) -> None:
    session = threaded.session
    threaded.start_paused(recipe.replace(warmup_steps=0, schedule="constant"), "step")
    session.steer("learning_rate", 0.5e-3)
    session.steer("beta", 2.0)
    threaded.go("dissected")
    (anatomy,) = threaded.anatomies
    assert (anatomy.step, anatomy.learning_rate) == (2, 0.5e-3)
    session.resume()
    final = threaded.finish()
    assert {(change.step, change.field, change.value) for change in final.changes} == {
        (1, "learning_rate", 0.5e-3),
        (1, "beta", 2.0),
    }
    assert (final.recipe.learning_rate, final.recipe.beta) == (0.5e-3, 2.0)
    assert threaded.saved.changes == final.changes
    assert {(point.learning_rate, point.beta) for point in final.history} == {(0.5e-3, 2.0)}
    assert threaded.said("From step 2 on: learning_rate 0.0005")


def test_a_run_begins_by_what_was_steered_before_it_was_there(
    threaded: Run, recipe: Recipe
) -> None:
    begun: list[Recipe] = []
    ready = threading.Event()

    def note(event: object) -> None:
        if isinstance(event, Begun):
            begun.append(event.recipe)

    def begin(device: str, _: object) -> tuple[Trainer, RunFolder]:
        assert ready.wait(10)
        trainer = Trainer(recipe, threaded.data, device)
        return trainer, RunFolder.create(threaded.runs, recipe)

    threaded.session.events.connect(note)
    threaded.session.start_by(begin, recipe.epochs, threaded.data.images[:1])
    threaded.session.steer("beta", 3.0)
    ready.set()
    final = threaded.finish()
    assert begun == [recipe.replace(beta=3.0)] == [final.recipe]
    assert [(change.step, change.field) for change in final.changes] == [(0, "beta")]


def test_a_running_run_hears_of_steering(running: Run) -> None:
    running.session.steer("beta", 3.0)
    running.main.run_until(lambda: running.said("beta 3"))
    running.wait_for_more_history()
    final = running.stop()
    (change,) = final.changes
    assert 0 < change.step < final.step
    assert final.history[-1].beta == 3.0


def test_values_that_cannot_be_are_refused_and_the_run_goes_on(
    threaded: Run, recipe: Recipe, trained: Snapshot
) -> None:
    session = threaded.session
    threaded.start_paused(recipe)
    bad = {"learning_rate": -1.0, "beta": float("nan"), "batch_size": 7.0, "samples": 1.5}
    for name, value in bad.items():
        session.steer(name, value)
    session.resume()
    final = threaded.finish()
    assert same_weights(final, trained)
    assert final.changes == ()
    for name in bad:
        assert threaded.said(name)


@pytest.mark.parametrize("good_first", [True, False])
def test_a_bad_value_does_not_take_a_good_one_with_it(
    threaded: Run, recipe: Recipe, good_first: bool
) -> None:
    threaded.start_paused(recipe)
    orders = [("beta", 2.0), ("learning_rate", -1.0)]
    for name, value in orders if good_first else reversed(orders):
        threaded.session.steer(name, value)
    threaded.session.resume()
    assert [(change.field, change.value) for change in threaded.finish().changes] == [("beta", 2.0)]


def test_nobody_is_steered_while_nothing_runs(
    inline: Run, recipe: Recipe, trained: Snapshot
) -> None:
    inline.session.steer("beta", 3.0)
    inline.train(recipe)
    assert same_weights(inline.finish(), trained)


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
def test_a_run_ends_by_its_rule(inline: Run, recipe: Recipe, rule: StopRule, epoch: float) -> None:
    inline.session.set_rule(rule)
    for _ in range(2):  # the rule holds for the next run too
        inline.train(recipe.replace(epochs=5))
        final = inline.finish()
        assert final.epoch == epoch
        assert tuple(inline.points) == final.history
        assert inline.phases[-2:] == [Phase.RUNNING, Phase.IDLE]
    assert inline.said("Stopping:") == 2


def test_a_rule_may_come_while_the_run_runs(running: Run) -> None:
    running.session.set_rule(StopRule(epoch=0.5))
    assert running.finish().epoch < UNENDING
