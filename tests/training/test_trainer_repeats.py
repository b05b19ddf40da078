from functools import partial

import pytest
import torch

from tests.support.trainers import NewTrainer, equal, finish, reports, train_to, weights
from vae_explorer.data.dataset import ImageSet
from vae_explorer.training.recipe import OBJECTIVES, PRECISIONS, Recipe
from vae_explorer.training.trainer import StepMetrics, Trainer


def test_another_seed_gives_others(train: NewTrainer) -> None:
    first, other = train(seed=5), train(seed=6)
    for ours, theirs in zip(weights(first), weights(other), strict=True):
        assert not torch.equal(ours, theirs)


@pytest.mark.parametrize(
    "changes",
    [
        {"treatment": "gray"},
        {"beta": 2.0},
        {"weight_decay": 0.1},
        {"gradient_clip": 1.0},
        {"learning_rate": 2e-3},
        {"batch_size": 50},
        {"schedule": "one-cycle"},
        {"warmup_steps": 1},
        {"precision": "bfloat16"},
        {"samples": 2},
        {"kl_warmup": 1.0},
        {"objective": "iwae"},
        {"objective": "exact"},
        {"activation": "tanh"},
        {"likelihood": "continuous-bernoulli"},
    ],
    ids=str,
)
def test_every_choice_of_the_recipe_counts(train: NewTrainer, changes: dict[str, object]) -> None:
    base = {"warmup_steps": 0, "learning_rate": 1e-3}
    assert not equal(weights(train(**base)), weights(train(**(base | changes))))


def test_names_and_labels_do_not_count(train: NewTrainer, mnist_small: ImageSet) -> None:
    bare = ImageSet(mnist_small.images, None, "another name", "test")
    assert equal(weights(train(bare)), weights(train()))


def test_the_global_random_stream_is_neither_used_nor_moved(
    new: NewTrainer, mnist_small: ImageSet, train: NewTrainer
) -> None:
    expected = weights(train())
    torch.manual_seed(123)
    before = torch.get_rng_state()
    undisturbed = train()
    assert torch.equal(torch.get_rng_state(), before)
    assert equal(weights(undisturbed), expected)

    trainer = new()
    for _ in trainer.events(interrupted=lambda: True):
        torch.randn(7)
        trainer.snapshot().model.elbo(mnist_small.images[:3])
    assert equal(weights(trainer), expected)


def test_asking_often_changes_neither_weights_nor_reports(new: NewTrainer) -> None:
    asked, trainers = [], []
    for answer in (True, False):
        trainer = new(batch_size=15)
        asked.append(list(trainer.events(interrupted=partial(bool, answer))))
        trainers.append(trainer)
    assert [event.step for event in asked[0]] == list(range(1, 109))
    assert [event for event in asked[0] if isinstance(event, StepMetrics)] == asked[1]
    assert len(asked[1]) == 7
    assert equal(*map(weights, trainers))
    assert trainers[0].history == trainers[1].history


def test_an_abandoned_run_goes_on_where_it_stood(new: NewTrainer, train: NewTrainer) -> None:
    trainer = new()
    pauses = 0
    while not trainer.finished:
        for event in trainer.events(interrupted=lambda: True):
            if event.step % 3 == 0:
                pauses += 1
                break
    assert pauses == 5
    assert list(trainer.events()) == []
    whole = train()
    assert equal(weights(trainer), weights(whole))
    assert trainer.history == whole.history


@pytest.fixture(scope="module")
def whole(train: NewTrainer) -> Trainer:
    """Never stopped, 54 steps an epoch."""
    return train(batch_size=15)


@pytest.mark.parametrize(
    "stop",
    [0, 21, 54, 107, *(pytest.param(n, marks=pytest.mark.long) for n in (1, 19, 20, 53, 55, 108))],
)
def test_a_restored_trainer_gives_the_same_numbers(
    recipe: Recipe, mnist_small: ImageSet, whole: Trainer, stop: int
) -> None:
    """Before, at and after reports and the ends of epochs; weights, random stream and history."""
    recipe = recipe.replace(batch_size=15)
    first = train_to(Trainer(recipe, mnist_small, "cpu"), stop)
    snapshot = first.snapshot()
    state = {name: value.clone() for name, value in first.state().items()}
    reports(first)  # must not reach what was saved
    second = Trainer(recipe, mnist_small, "cpu")
    second.restore(snapshot, state)
    assert second.step == stop
    assert second.epoch == stop / 54
    assert second.seconds == state["seconds"]
    rest = reports(second)
    ours, theirs = second.state(), whole.state()
    del ours["seconds"], theirs["seconds"]
    assert ours.keys() == theirs.keys()
    assert equal(list(ours.values()), list(theirs.values()))
    assert [event.point for event in rest] == whole.history[len(snapshot.history) :]
    assert second.history == whole.history


def test_a_state_of_an_earlier_version_is_restored_too(new: NewTrainer, train: NewTrainer) -> None:
    """They were saved at reports, without sums and seconds."""
    first = train_to(new(), 8)
    state = first.state()
    del state["sums"], state["seconds"]
    second = new()
    second.restore(first.snapshot(), state)
    reports(second)
    assert second.history == train().history


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_objective_is_resumed_to_the_last_bit(
    new: NewTrainer, train: NewTrainer, name: str, precision: str
) -> None:
    changes: dict[str, object] = {"objective": name, "precision": precision, "kl_warmup": 1.5}
    changes |= {"samples": 3, "lattice_points": 50}
    first = train_to(new(**changes), 5)
    second = new(**changes)
    second.restore(first.snapshot(), first.state())
    finish(second)
    whole = train(**changes)
    assert equal(weights(second), weights(whole))
    assert second.history == whole.history
