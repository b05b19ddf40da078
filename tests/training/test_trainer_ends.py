import math
from dataclasses import asdict, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch

from tests.support.trainers import NewTrainer, equal, reports, train_to, weights
from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import DataError, DivergedError
from vae_explorer.training import trainer as module
from vae_explorer.training.objective import Objective, objective
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.training.trainer import StepMetrics, Trainer


def test_fewer_images_than_a_batch_are_one_smaller_batch(
    recipe: Recipe, mnist_small: ImageSet
) -> None:
    few = mnist_small.subset(slice(0, 7))
    trainer = Trainer(recipe.replace(validation_images=2), few, "cpu")
    events = reports(trainer)
    assert [(event.step, event.images, event.point.epoch) for event in events] == [
        (1, 5, 1),
        (2, 5, 2),
    ]


def test_one_image_will_do(recipe: Recipe, mnist_small: ImageSet) -> None:
    trainer = Trainer(recipe.replace(validation_images=0), mnist_small.subset(slice(3, 4)), "cpu")
    events = reports(trainer)
    assert all(math.isfinite(event.point.elbo) for event in events)
    assert len(events) == 2


@pytest.mark.parametrize("value", [0, 255])
def test_blank_images_give_finite_numbers(recipe: Recipe, value: int) -> None:
    blank = ImageSet(np.full((60, 5, 5), value, np.uint8), None, "blank", "train")
    trainer = Trainer(recipe.replace(validation_images=10), blank, "cpu")
    for event in reports(trainer):
        assert -1 < event.point.elbo < 0


@pytest.mark.parametrize("held_out", [1_000, 1_001, 50_000])
def test_holding_out_everything_is_refused(new: NewTrainer, held_out: int) -> None:
    with pytest.raises(DataError, match=r"MNIST has 1,000 images.*'validation_images'"):
        new(validation_images=held_out)


def test_fixed_pixels_are_black_or_white(recipe: Recipe, mnist_small: ImageSet) -> None:
    fixed = recipe.replace(treatment="fixed")
    with pytest.raises(DataError, match="0 or 1 already, and image 0 has others"):
        Trainer(fixed, mnist_small, "cpu")
    binary = ImageSet(np.where(mnist_small.images > 127, 255, 0).astype(np.uint8))
    Trainer(fixed, binary, "cpu")


def test_a_device_that_is_not_there_is_refused(recipe: Recipe, mnist_small: ImageSet) -> None:
    with pytest.raises(DataError, match="'tpu'"):
        Trainer(recipe, mnist_small, "tpu")


def test_a_run_that_diverges_says_so(recipe: Recipe, mnist_small: ImageSet) -> None:
    wild = recipe.replace(
        epochs=20,
        learning_rate=1.0,
        gradient_clip=0,
        warmup_steps=0,
        schedule="constant",
        encoder_hidden="64-64-64-64-64-64-64-64-64-64-64-64-64-64-64-64",
        decoder_hidden="64-64-64-64-64-64-64-64-64-64-64-64-64-64-64-64",
    )
    trainer = Trainer(wild, mnist_small, "cpu")
    with pytest.raises(DivergedError, match=r"diverged at step \d+.*learning rate"):
        list(trainer.events())
    assert all(math.isfinite(point.elbo) for point in trainer.history)
    assert all(value.isfinite().all() for value in weights(trainer))


def test_a_gradient_that_overflows_is_told_before_its_weights_are_saved(new: NewTrainer) -> None:
    """The loss of the step that would break the weights is still finite."""
    trainer = new(gradient_clip=0, batch_size=800)
    with torch.no_grad():
        for layer in trainer.vae.decoder:
            if isinstance(layer, torch.nn.Linear):
                layer.weight.mul_(1e15)
    before = weights(trainer)
    with pytest.raises(DivergedError, match=r"at step 1 \(epoch 0\.00\): the gradient is not"):
        next(trainer.events())
    assert trainer.step == 0
    assert trainer.history == []
    assert equal(weights(trainer), before)


def _poison(trainer: Trainer, term: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one term of the next step be what is no number."""

    def poisoned(*arguments: Any) -> Objective:
        result = objective(*arguments)
        if term == "the objective":
            return replace(result, value=result.value * math.nan)
        if term == "the gradient":
            return replace(result, loss=result.loss * math.inf)
        name = {"the KL term": "kl", "the log-likelihood": "log_likelihood"}[term]
        poison = getattr(result.terms, name).clone()
        poison[3] = math.inf
        return replace(result, terms=replace(result.terms, **{name: poison}))

    monkeypatch.setattr("vae_explorer.training.distributed.objective", poisoned)


@pytest.mark.parametrize(
    "term", ["the log-likelihood", "the KL term", "the objective", "the gradient"]
)
def test_divergence_names_the_term_and_leaves_the_trainer_as_it_was(
    new: NewTrainer, train: NewTrainer, monkeypatch: pytest.MonkeyPatch, term: str
) -> None:
    """So that the run, once the poison is gone, is the one that never diverged."""
    trainer = train_to(new(), 11)
    state = {name: value.clone() for name, value in trainer.state().items()}
    with monkeypatch.context() as patch:
        _poison(trainer, term, patch)
        with pytest.raises(DivergedError, match=rf"at step 12 \(epoch 1\.38\): {term} is not"):
            trainer.take_step()
    after = trainer.state()
    del after["seconds"], state["seconds"]
    assert equal(list(after.values()), list(state.values()))
    assert trainer.step == 11
    assert all(parameter.grad is None for parameter in trainer.vae.parameters())
    reports(trainer)
    assert equal(weights(trainer), weights(train()))
    assert trainer.history == train().history


def test_weights_that_are_not_numbers_are_no_step(new: NewTrainer) -> None:
    trainer = train_to(new(), 5)
    with torch.no_grad():
        next(trainer.vae.encoder.parameters())[0, 300] = torch.nan
    with pytest.raises(DivergedError, match=r"at step 6 .*the log-likelihood is not finite"):
        trainer.take_step()
    assert trainer.step == 5


def test_a_published_snapshot_never_changes(
    new: NewTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REPORT_STEPS", 4)
    trainer = new()
    positions = np.array([[0.0, 0.0], [1.0, -1.0]])
    published: list[tuple[Snapshot, np.ndarray, int]] = []
    for _ in trainer.events():
        snapshot = trainer.snapshot()
        published.append((snapshot, snapshot.model.decode(positions), len(snapshot.history)))
    for number, (snapshot, decoded, points) in enumerate(published, 1):
        np.testing.assert_array_equal(snapshot.model.decode(positions), decoded)
        assert len(snapshot.history) == points == number
        assert snapshot.step == 4 * number
        assert snapshot.epoch == number / 2
    for (_, earlier, _), (_, later, _) in pairwise(published):
        assert not np.array_equal(earlier, later)


def test_a_snapshot_says_what_it_was_trained_on(trainer: Trainer, mnist_small: ImageSet) -> None:
    snapshot = trainer.snapshot()
    assert asdict(snapshot.data) == {
        "name": "MNIST",
        "fingerprint": mnist_small.fingerprint,
        "images": 1_000,
        "source": None,
    }
    assert snapshot.recipe == trainer.recipe
    assert snapshot.model.treatment == trainer.recipe.treatment
    assert (snapshot.epoch, snapshot.step, snapshot.history) == (0, 0, ())


def test_a_long_history_is_thinned_but_keeps_its_held_out_figures(
    new: NewTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONGEST_HISTORY", 10)
    monkeypatch.setattr(module, "REPORT_STEPS", 1)
    trainer = new(epochs=4)
    events: list[StepMetrics] = []
    for event in trainer.events():
        assert isinstance(event, StepMetrics)
        events.append(event)
        assert trainer.history[-1] == event.point
    assert len(events) == 32
    assert len(trainer.history) <= 10
    told = [event.point for event in events]
    assert all(point in told for point in trainer.history)
    epochs = [point.epoch for point in trainer.history if point.held_out_elbo is not None]
    assert epochs == [1, 2, 3, 4]
    assert trainer.history[-1] == told[-1]
