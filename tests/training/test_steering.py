import math

import pytest
from torch import Tensor

from tests.support.trainers import NewTrainer, equal, reports, train_to, weights
from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import CheckpointError, RecipeError
from vae_explorer.training import trainer as module
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.schedule import learning_rate
from vae_explorer.training.snapshot import Change, Snapshot
from vae_explorer.training.trainer import Trainer


def test_steering_takes_effect_at_the_next_step(new: NewTrainer, recipe: Recipe) -> None:
    """As if the recipe had always said so from there: the step is that of one restored with it."""
    steered = train_to(new(), 5)
    snapshot, state = steered.snapshot(), steered.state()
    other = new(learning_rate=3e-3, beta=4.0, samples=3)
    other.restore(snapshot, state)
    steered.steer(learning_rate=3e-3, beta=4.0, samples=3)
    assert equal(weights(steered), weights(other))
    for trainer in (steered, other):
        trainer.take_step()
    assert equal(weights(steered), weights(other))
    assert not equal(weights(steered), list(snapshot.model.state_dict().values()))
    plain = train_to(new(), 6)
    assert not equal(weights(steered), weights(plain))


def test_what_was_steered_is_written_down(
    recipe: Recipe, mnist_small: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REPORT_STEPS", 1)
    recipe = recipe.replace(warmup_steps=0, schedule="constant")
    trainer = train_to(Trainer(recipe, mnist_small, "cpu"), 3)
    trainer.steer(beta=2.0, learning_rate=1e-4)
    train_to(trainer, 6)
    trainer.steer(samples=3, beta=2)  # which it is already
    reports(trainer)
    assert [point.beta for point in trainer.history] == [1.0] * 3 + [2.0] * 13
    assert [point.learning_rate for point in trainer.history] == [1.5e-3] * 3 + [1e-4] * 13
    assert [point.samples for point in trainer.history] == [1] * 6 + [3] * 10
    assert trainer.changes == [
        Change(3, "learning_rate", 1e-4),
        Change(3, "beta", 2.0),
        Change(6, "samples", 3),
    ]
    assert trainer.recipe == recipe.replace(beta=2.0, learning_rate=1e-4, samples=3)
    snapshot = trainer.snapshot()
    assert snapshot.changes == tuple(trainer.changes)
    assert snapshot.recipe == trainer.recipe


def test_of_many_values_at_one_step_the_last_one_counts(trainer: Trainer) -> None:
    for value in (2.0, 3.0, 4.0):
        trainer.steer(beta=value)
    assert trainer.changes == [Change(0, "beta", 4.0)]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"batch_size": 10}, "'batch_size' cannot change.*learning_rate, beta, samples"),
        ({"seed": 1}, "'seed' cannot change"),
        ({"beta": 2.0, "epochs": 9}, "'epochs' cannot change"),
        ({"speed": 1}, "'speed' cannot change"),
        ({"beta": -1.0}, "'beta' is -1.0; it must lie between 0.0 and 100.0"),
        ({"beta": 2.0, "learning_rate": 2.0}, "'learning_rate' is 2.0; it must lie"),
        ({"learning_rate": math.nan}, "'learning_rate' is nan"),
        ({"samples": 1.5}, "'samples' is 1.5; it must be a whole number"),
        ({"samples": 0}, "'samples' is 0; it must lie"),
    ],
    ids=str,
)
def test_what_cannot_be_steered_is_refused_and_changes_nothing(
    trainer: Trainer, changes: dict[str, float], reason: str
) -> None:
    before = trainer.recipe
    with pytest.raises(RecipeError, match=reason):
        trainer.steer(**changes)
    assert trainer.recipe is before
    assert trainer.changes == []


# Branching


def test_a_branch_begins_with_the_weights_and_the_past_of_its_moment(
    new: NewTrainer, recipe: Recipe
) -> None:
    first = train_to(new(), 8)
    first.steer(beta=2.0)
    moment = train_to(first, 11).snapshot()
    reports(first)  # must not reach it
    branch = new(learning_rate=1e-4, epochs=3)
    branch.branch(moment)
    assert equal(weights(branch), list(moment.model.state_dict().values()))
    assert (branch.step, branch.epoch) == (11, moment.epoch)
    assert tuple(branch.history) == moment.history
    assert branch.seconds == moment.history[-1].seconds
    assert branch.recipe.learning_rate == 1e-4
    # Back to β = 1, as its own recipe says.
    assert branch.changes == [
        Change(8, "beta", 2.0),
        Change(11, "learning_rate", 1e-4),
        Change(11, "beta", 1.0),
    ]
    reports(branch)
    assert branch.step == 24
    assert [point.epoch for point in branch.history] == [1, 2, 2.5, 3]  # 2.5 is step 20
    assert not equal(weights(branch), weights(first))


def test_a_branch_goes_on_with_order_and_schedule(
    recipe: Recipe, mnist_small: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It sees the batches, and takes the steps, that its run would have taken next."""
    recipe = recipe.replace(treatment="gray", schedule="one-cycle")
    shown: list[Tensor] = []

    def watch(intensities: Tensor, *_: object) -> Tensor:
        shown.append(intensities)
        return intensities

    monkeypatch.setattr(module, "treat", watch)
    monkeypatch.setattr(module, "REPORT_STEPS", 1)
    first = train_to(Trainer(recipe, mnist_small, "cpu"), 11)
    branch = Trainer(recipe, mnist_small, "cpu")
    branch.branch(first.snapshot())
    shown.clear()
    reports(first)
    reports(branch)
    assert len(shown) == 2 * 5
    assert equal(shown[:5], shown[5:])
    rates = [point.learning_rate for point in first.history]
    assert rates == [point.learning_rate for point in branch.history]
    assert rates == [learning_rate(recipe, step, 16) for step in range(16)]


def test_a_branch_may_have_batches_of_another_size(new: NewTrainer) -> None:
    first = train_to(new(), 4)
    first.steer(beta=2.0)
    moment = train_to(first, 10).snapshot()  # epoch 1.25
    branch = new(batch_size=20, beta=2.0)
    branch.branch(moment)
    assert (branch.step, branch.epoch) == (50, 1.25)
    assert branch.changes == [Change(20, "beta", 2.0)]  # half an epoch in, as before
    epochs = [point.epoch for point in [*moment.history, *(e.point for e in reports(branch))]]
    assert epochs == [1.0, 1.5, 2.0]
    assert branch.finished


@pytest.mark.parametrize(
    "changes",
    [
        {"encoder_hidden": "17"},
        {"decoder_hidden": "16-16"},
        {"network": "residual"},
        {"activation": "tanh"},
        {"likelihood": "continuous-bernoulli"},
        {"posterior": "diagonal"},
        {"fourier_features": 5},
    ],
    ids=str,
)
def test_a_branch_into_other_networks_is_refused(
    new: NewTrainer, snapshot: Snapshot, changes: dict[str, object]
) -> None:
    trainer = new(epochs=3, **changes)
    before = weights(trainer)
    with pytest.raises(CheckpointError, match="keeps the networks of its run"):
        trainer.branch(snapshot)
    assert equal(weights(trainer), before)
    assert (trainer.step, trainer.history) == (0, [])


@pytest.mark.parametrize(
    ("epochs", "batch_size"),
    [(1, 100), (2, 800)],
    ids=["later than its end", "less than half a step before it"],
)
def test_a_branch_with_nothing_left_to_do_is_refused(
    new: NewTrainer, epochs: int, batch_size: int
) -> None:
    moment = train_to(new(), 15).snapshot()
    trainer = new(epochs=epochs, batch_size=batch_size)
    with pytest.raises(CheckpointError, match=rf"epoch 1\.88, .* at {epochs}; raise 'epochs'"):
        trainer.branch(moment)
    assert trainer.step == 0
