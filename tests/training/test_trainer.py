import math
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from itertools import count, pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import CheckpointError, DataError, DivergedError, RecipeError
from vae_explorer.model.architecture import LIKELIHOODS, NETWORKS
from vae_explorer.training import trainer as module
from vae_explorer.training.history import HistoryPoint
from vae_explorer.training.objective import Objective, objective
from vae_explorer.training.recipe import OBJECTIVES, PRECISIONS, Recipe
from vae_explorer.training.schedule import learning_rate
from vae_explorer.training.snapshot import Change, Snapshot
from vae_explorer.training.trainer import EpochMetrics, StepMetrics, Trainer, warm_up

Train = Callable[..., Trainer]


@pytest.fixture
def train(recipe: Recipe, mnist_small: ImageSet) -> Train:
    """``train(data, **changes)``: a trainer at the end of its recipe."""

    def run(data: ImageSet = mnist_small, **changes: object) -> Trainer:
        trainer = Trainer(recipe.replace(**changes), data, "cpu")
        for _ in trainer.events():
            pass
        return trainer

    return run


def _weights(trainer: Trainer) -> list[Tensor]:
    return [value.clone() for value in trainer.vae.state_dict().values()]


def _reports(trainer: Trainer) -> list[StepMetrics]:
    """Train to the end."""
    return [event for event in trainer.events() if isinstance(event, StepMetrics)]


def _train_to(trainer: Trainer, step: int) -> Trainer:
    while trainer.step < step:
        trainer.take_step()
    return trainer


def _equal(first: list[Tensor], second: list[Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


# What it computes


@pytest.mark.slow
def test_it_learns(recipe: Recipe, mnist_small: ImageSet) -> None:
    """From independent pixels at their means to digits, on images seen and unseen."""
    trainer = Trainer(
        recipe.replace(
            epochs=30,
            batch_size=50,
            learning_rate=5e-3,
            warmup_steps=0,
            encoder_hidden="64-64",
            decoder_hidden="64-64",
        ),
        mnist_small,
        "cpu",
    )
    before = trainer.snapshot().model
    for _ in trainer.events():
        pass
    after = trainer.snapshot().model
    seen, unseen = mnist_small.images[:800], mnist_small.images[800:]
    assert after.elbo(seen).mean() - before.elbo(seen).mean() > 50
    assert after.elbo(unseen).mean() - before.elbo(unseen).mean() > 25


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_objective_rises_as_it_is_trained(
    recipe: Recipe,
    mnist_small: ImageSet,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    precision: str,
) -> None:
    """From a first step to the last of two epochs; weights and figures stay float32."""
    small = recipe.replace(
        batch_size=20,
        learning_rate=5e-3,
        warmup_steps=0,
        objective=name,
        samples=3,
        lattice_points=100,
        precision=precision,
    )
    trainer = Trainer(small, mnist_small, "cpu")
    with monkeypatch.context() as patch:
        patch.setattr(module, "REPORT_STEPS", 1)
        trainer.take_step()
    _reports(trainer)
    points = trainer.history
    assert [point.step for point in points] == [1, 20, 40, 60, 80]
    assert all(math.isfinite(point.objective) for point in points)
    assert points[-1].objective > points[0].objective + 5
    assert points[-1].elbo > points[0].elbo + 5
    assert all(value.dtype == torch.float32 for value in _weights(trainer))


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("network", NETWORKS)
def test_every_network_learns_by_every_likelihood(
    recipe: Recipe, mnist_small: ImageSet, network: str, likelihood: str
) -> None:
    changes = {"network": network, "likelihood": likelihood, "treatment": "gray"}
    small = recipe.replace(
        batch_size=25,
        encoder_hidden="4-8",
        decoder_hidden="8-4",
        learning_rate=5e-3,
        warmup_steps=0,
        **changes,
    )
    trainer = Trainer(small, mnist_small, "cpu")
    points = [event.point for event in _reports(trainer)]
    assert points[-1].objective > points[0].objective


def test_the_objective_of_a_report_is_what_is_maximised(train: Train) -> None:
    """The ELBO itself, before β; a tighter bound lies above it; a lattice sum knows no encoder."""
    plain = train(beta=3.0).history[-1]
    assert plain.objective == pytest.approx(plain.elbo, rel=1e-5)
    tighter = train(objective="iwae", samples=20).history[-1]
    assert tighter.objective > tighter.elbo


def test_it_starts_at_the_mean_image(trainer: Trainer, mnist_small: ImageSet) -> None:
    """An untrained decoder barely heeds z, so the ELBO is that of independent pixels."""
    x = mnist_small.images[:800].reshape(800, -1) / 255
    mean = x.mean(0).clip(1e-3, 1 - 1e-3)
    independent = (x * np.log(mean) + (1 - x) * np.log(1 - mean)).sum(1).mean()
    started = trainer.snapshot().model.elbo(mnist_small.images[:800]).mean()
    assert started == pytest.approx(independent, rel=0.03)


@pytest.mark.parametrize("clip", [0.0, 1.0])
def test_a_step_is_adamw_on_the_clipped_gradient_of_the_loss(
    recipe: Recipe, mnist_small: ImageSet, clip: float
) -> None:
    """Against a loop written out, on one image 64 times over, so that order plays no part."""
    data = mnist_small.subset(np.zeros(64, np.intp))
    recipe = recipe.replace(
        epochs=6,
        batch_size=32,
        validation_images=0,
        treatment="gray",
        beta=2.0,
        gradient_clip=clip,
        weight_decay=0.1,
        schedule="one-cycle",
        seed=3,
    )
    trainer = Trainer(recipe, data, "cpu")
    reference = Trainer(recipe, data, "cpu").vae
    optimizer = torch.optim.AdamW(reference.parameters(), weight_decay=0.1, foreach=False)
    noise = torch.Generator().manual_seed(3)
    x = torch.from_numpy(mnist_small.images[:1].reshape(1, -1) / 255).float().expand(32, -1)
    norms = []
    for step in range(12):
        terms = reference.elbo_terms(x, noise)
        loss = -(terms.log_likelihood - 2.0 * terms.kl).mean()
        parameters = list(reference.parameters())
        gradients = torch.autograd.grad(loss, parameters)
        norm = math.sqrt(sum(gradient.square().sum().item() for gradient in gradients))
        norms.append(norm)
        shrink = min(1.0, clip / norm) if clip else 1.0
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient * shrink
        optimizer.param_groups[0]["lr"] = learning_rate(recipe, step, 12)
        optimizer.step()
    events = _reports(trainer)
    for name, value in trainer.vae.state_dict().items():
        torch.testing.assert_close(value, reference.state_dict()[name], atol=1e-5, rtol=1e-4)
    assert max(norms) > 1  # so that the clip did something
    reported = [event.point.gradient_norm for event in events]
    assert reported == pytest.approx([sum(norms[i : i + 2]) / 2 for i in range(0, 12, 2)], rel=1e-3)


def test_an_epoch_shows_each_training_image_once_in_a_new_order(
    recipe: Recipe, mnist_small: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[Tensor] = []

    def watch(intensities: Tensor, treatment: str, generator: torch.Generator) -> Tensor:
        shown.append(intensities)
        assert treatment == "gray"
        assert isinstance(generator, torch.Generator)
        return intensities

    monkeypatch.setattr(module, "treat", watch)
    trainer = Trainer(recipe.replace(batch_size=300, treatment="gray"), mnist_small, "cpu")
    for _ in trainer.events():
        pass
    assert [len(batch) for batch in shown] == [300, 300, 200] * 2
    pixels = torch.from_numpy(mnist_small.images.reshape(1_000, -1) / 255).float()
    first, second = torch.cat(shown[:3]), torch.cat(shown[3:])
    for order in (first, second):
        assert sorted(map(bytes, order.numpy())) == sorted(map(bytes, pixels[:800].numpy()))
    assert not torch.equal(first, second)
    assert not torch.equal(first, pixels[:800])


def test_events_add_up(recipe: Recipe, mnist_small: ImageSet) -> None:
    recipe = recipe.replace(batch_size=15)  # 54 steps an epoch, the last with 5 images
    trainer = Trainer(recipe, mnist_small, "cpu")
    events = _reports(trainer)
    assert [event.step for event in events] == [20, 40, 54, 60, 80, 100, 108]
    assert [event.step for event in events if isinstance(event, EpochMetrics)] == [54, 108]
    assert [event.images for event in events] == [300, 300, 200, 90, 300, 300, 110]
    assert trainer.history == [event.point for event in events]
    assert trainer.finished
    assert trainer.epoch == 2
    for event in events:
        point = event.point
        assert point.step == event.step
        assert point.learning_rate == learning_rate(recipe, event.step - 1, 108)
        assert point.gradient_norm is not None
        assert point.gradient_norm > 0
        assert (point.beta, point.samples) == (1, 1)
        assert point.epoch == pytest.approx(event.step / 54)
        assert point.elbo == pytest.approx(point.log_likelihood - point.kl)
        held_out = (point.held_out_elbo, point.held_out_log_likelihood, point.held_out_kl)
        if isinstance(event, EpochMetrics):
            elbo, log_likelihood, kl = (figure or math.nan for figure in held_out)
            assert elbo == pytest.approx(log_likelihood - kl)
            assert point.active_units in (0, 1, 2)
        else:
            assert held_out == (None, None, None)
            assert point.active_units is None


def test_seconds_are_those_of_steps_and_held_out_figures_and_only_grow(
    recipe: Recipe, mnist_small: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a clock that moves on by a second whenever somebody looks."""
    ticks = count()
    monkeypatch.setattr("time.perf_counter", lambda: float(next(ticks)))
    trainer = Trainer(recipe, mnist_small, "cpu")
    points = [event.point for event in _reports(trainer)]
    assert [point.seconds for point in points] == [8, 16]
    assert trainer.seconds == 16


def test_a_report_is_the_mean_over_its_images(
    recipe: Recipe, mnist_small: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reported after every step, the same run tells the parts of which its reports are means."""
    recipe = recipe.replace(batch_size=15, epochs=1)
    with monkeypatch.context() as patch:
        patch.setattr(module, "REPORT_STEPS", 1)
        parts = _reports(Trainer(recipe, mnist_small, "cpu"))
    assert [part.images for part in parts] == [15] * 53 + [5]
    start = 0
    for event in _reports(Trainer(recipe, mnist_small, "cpu")):
        window, start = parts[start : event.step], event.step
        images = np.array([part.images for part in window])
        for figure in ("elbo", "log_likelihood", "kl", "objective"):
            values = [getattr(part.point, figure) for part in window]
            mean = np.average(values, weights=images)
            assert getattr(event.point, figure) == pytest.approx(mean, rel=1e-5)
        norms = [part.point.gradient_norm or math.nan for part in window]
        assert event.point.gradient_norm == pytest.approx(np.mean(norms), rel=1e-5)


def test_the_first_report_is_the_elbo_of_the_untrained_model(
    recipe: Recipe, mnist_small: ImageSet
) -> None:
    trainer = Trainer(recipe.replace(batch_size=800), mnist_small, "cpu")
    untrained = trainer.snapshot().model.elbo_terms(mnist_small.images[:800])
    (first, *_) = _reports(trainer)
    point = first.point
    assert point.log_likelihood == pytest.approx(untrained.log_likelihood.mean(), abs=2)
    assert point.kl == pytest.approx(untrained.kl.mean(), abs=1e-4)


def test_figures_are_the_elbo_whatever_the_loss_weighs(train: Train) -> None:
    point = train(beta=50.0).history[-1]
    assert point.elbo == pytest.approx(point.log_likelihood - point.kl)


def test_held_out_figures_are_those_of_the_last_images(train: Train, mnist_small: ImageSet) -> None:
    trainer = train(validation_images=500)
    point = trainer.history[-1]
    # Another draw of the same 500 images: within five standard errors.
    terms = trainer.snapshot().model.elbo_terms(mnist_small.images[500:])
    assert point.held_out_elbo == pytest.approx(terms.elbo.mean(), abs=1.0)
    assert point.held_out_kl == pytest.approx(terms.kl.mean(), abs=1e-3)
    assert trainer.snapshot().held_out_elbo == point.held_out_elbo


def test_active_units_are_those_whose_means_vary(train: Train, mnist_small: ImageSet) -> None:
    """As Burda et al. count them, on the images held out."""
    quick = {"treatment": "gray", "batch_size": 20, "learning_rate": 1e-2, "warmup_steps": 0}
    counts = set()
    for beta in (0.0, 1.0, 100.0):
        trainer = train(beta=beta, **quick)
        means = trainer.snapshot().model.encode(mnist_small.images[800:]).mean
        assert trainer.history[-1].active_units == (means.var(0) > 0.01).sum()
        counts.add(trainer.history[-1].active_units)
    assert {0, 2} <= counts


def test_without_held_out_images_there_are_no_held_out_figures(train: Train) -> None:
    trainer = train(validation_images=0)
    assert trainer.steps_per_epoch == 10
    assert all(point.held_out_elbo is None for point in trainer.history)
    assert trainer.snapshot().held_out_elbo is None


def test_held_out_pixels_never_reach_the_weights(train: Train, mnist_small: ImageSet) -> None:
    poisoned = mnist_small.images.copy()
    poisoned[800:] = np.random.default_rng(0).permuted(poisoned[800:], axis=0)[:, ::-1]
    other = train(ImageSet(poisoned, mnist_small.labels, "poisoned", "train"))
    clean = train()
    assert _equal(_weights(other), _weights(clean))
    assert other.history[-1].held_out_elbo != clean.history[-1].held_out_elbo
    assert other.history[-1].elbo == clean.history[-1].elbo


# What decides it


def test_the_same_seed_gives_the_same_numbers(train: Train) -> None:
    first, again = train(seed=5), train(seed=5)
    assert _equal(_weights(first), _weights(again))
    assert first.history == again.history


def test_another_seed_gives_others(train: Train) -> None:
    first, other = train(seed=5), train(seed=6)
    for ours, theirs in zip(_weights(first), _weights(other), strict=True):
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
def test_every_choice_of_the_recipe_counts(train: Train, changes: dict[str, object]) -> None:
    base = {"warmup_steps": 0, "learning_rate": 1e-3}
    assert not _equal(_weights(train(**base)), _weights(train(**(base | changes))))


def test_names_and_labels_do_not_count(train: Train, mnist_small: ImageSet) -> None:
    bare = ImageSet(mnist_small.images, None, "another name", "test")
    assert _equal(_weights(train(bare)), _weights(train()))


def test_the_global_random_stream_is_neither_used_nor_moved(
    recipe: Recipe, mnist_small: ImageSet, train: Train
) -> None:
    expected = _weights(train())
    torch.manual_seed(123)
    before = torch.get_rng_state()
    undisturbed = train()
    assert torch.equal(torch.get_rng_state(), before)
    assert _equal(_weights(undisturbed), expected)

    trainer = Trainer(recipe, mnist_small, "cpu")
    for _ in trainer.events(interrupted=lambda: True):
        torch.randn(7)
        trainer.snapshot().model.elbo(mnist_small.images[:3])
    assert _equal(_weights(trainer), expected)


def test_asking_often_changes_neither_weights_nor_reports(
    recipe: Recipe, mnist_small: ImageSet
) -> None:
    asked, trainers = [], []
    for answer in (True, False):
        trainer = Trainer(recipe.replace(batch_size=15), mnist_small, "cpu")
        asked.append(list(trainer.events(interrupted=partial(bool, answer))))
        trainers.append(trainer)
    assert [event.step for event in asked[0]] == list(range(1, 109))
    assert [event for event in asked[0] if isinstance(event, StepMetrics)] == asked[1]
    assert len(asked[1]) == 7
    assert _equal(*map(_weights, trainers))
    assert trainers[0].history == trainers[1].history


def test_an_abandoned_run_goes_on_where_it_stood(
    train: Train, recipe: Recipe, mnist_small: ImageSet
) -> None:
    trainer = Trainer(recipe, mnist_small, "cpu")
    pauses = 0
    while not trainer.finished:
        for event in trainer.events(interrupted=lambda: True):
            if event.step % 3 == 0:
                pauses += 1
                break
    assert pauses == 5
    assert list(trainer.events()) == []
    whole = train()
    assert _equal(_weights(trainer), _weights(whole))
    assert trainer.history == whole.history


@pytest.mark.parametrize("stop", [0, 1, 19, 20, 21, 53, 54, 55, 107, 108])
def test_a_restored_trainer_gives_the_same_numbers(
    recipe: Recipe, mnist_small: ImageSet, train: Train, stop: int
) -> None:
    """Before, at and after reports and the ends of epochs; weights, random stream and history."""
    recipe = recipe.replace(batch_size=15)  # 54 steps an epoch
    first = _train_to(Trainer(recipe, mnist_small, "cpu"), stop)
    snapshot = first.snapshot()
    state = {name: value.clone() for name, value in first.state().items()}
    _reports(first)  # must not reach what was saved
    second = Trainer(recipe, mnist_small, "cpu")
    second.restore(snapshot, state)
    assert second.step == stop
    assert second.epoch == stop / 54
    assert second.seconds == state["seconds"]
    rest = _reports(second)
    whole = train(batch_size=15)
    ours, theirs = second.state(), whole.state()
    del ours["seconds"], theirs["seconds"]
    assert ours.keys() == theirs.keys()
    assert _equal(list(ours.values()), list(theirs.values()))
    assert (
        second.optimizer.state_dict()["state"].keys()
        == whole.optimizer.state_dict()["state"].keys()
    )
    assert [event.point for event in rest] == whole.history[len(snapshot.history) :]
    assert second.history == whole.history


def test_a_state_of_an_earlier_version_is_restored_too(
    recipe: Recipe, mnist_small: ImageSet, train: Train
) -> None:
    """They were saved at reports, without sums and seconds."""
    first = _train_to(Trainer(recipe, mnist_small, "cpu"), 8)
    state = first.state()
    del state["sums"], state["seconds"]
    second = Trainer(recipe, mnist_small, "cpu")
    second.restore(first.snapshot(), state)
    _reports(second)
    assert second.history == train().history


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_objective_is_resumed_to_the_last_bit(
    recipe: Recipe, mnist_small: ImageSet, train: Train, name: str, precision: str
) -> None:
    changes: dict[str, object] = {"objective": name, "precision": precision, "kl_warmup": 1.5}
    changes |= {"samples": 3, "lattice_points": 50}
    first = _train_to(Trainer(recipe.replace(**changes), mnist_small, "cpu"), 5)
    second = Trainer(recipe.replace(**changes), mnist_small, "cpu")
    second.restore(first.snapshot(), first.state())
    for _ in second.events():
        pass
    whole = train(**changes)
    assert _equal(_weights(second), _weights(whole))
    assert second.history == whole.history


# What it refuses, and where it ends


def test_fewer_images_than_a_batch_are_one_smaller_batch(
    recipe: Recipe, mnist_small: ImageSet
) -> None:
    few = mnist_small.subset(slice(0, 7))
    trainer = Trainer(recipe.replace(validation_images=2), few, "cpu")
    events = _reports(trainer)
    assert [(event.step, event.images, event.point.epoch) for event in events] == [
        (1, 5, 1),
        (2, 5, 2),
    ]


def test_one_image_will_do(recipe: Recipe, mnist_small: ImageSet) -> None:
    trainer = Trainer(recipe.replace(validation_images=0), mnist_small.subset(slice(3, 4)), "cpu")
    events = _reports(trainer)
    assert all(math.isfinite(event.point.elbo) for event in events)
    assert len(events) == 2


@pytest.mark.parametrize("value", [0, 255])
def test_blank_images_give_finite_numbers(recipe: Recipe, value: int) -> None:
    blank = ImageSet(np.full((60, 5, 5), value, np.uint8), None, "blank", "train")
    trainer = Trainer(recipe.replace(validation_images=10), blank, "cpu")
    for event in _reports(trainer):
        assert -1 < event.point.elbo < 0


@pytest.mark.parametrize("held_out", [1_000, 1_001, 50_000])
def test_holding_out_everything_is_refused(
    recipe: Recipe, mnist_small: ImageSet, held_out: int
) -> None:
    with pytest.raises(DataError, match=r"MNIST has 1,000 images.*'validation_images'"):
        Trainer(recipe.replace(validation_images=held_out), mnist_small, "cpu")


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
    assert all(value.isfinite().all() for value in _weights(trainer))


def test_a_gradient_that_overflows_is_told_before_its_weights_are_saved(
    recipe: Recipe, mnist_small: ImageSet
) -> None:
    """The loss of the step that would break the weights is still finite."""
    trainer = Trainer(recipe.replace(gradient_clip=0, batch_size=800), mnist_small, "cpu")
    with torch.no_grad():
        for layer in trainer.vae.decoder:
            if isinstance(layer, torch.nn.Linear):
                layer.weight.mul_(1e15)
    before = _weights(trainer)
    with pytest.raises(DivergedError, match=r"at step 1 \(epoch 0\.00\): the gradient is not"):
        next(trainer.events())
    assert trainer.step == 0
    assert trainer.history == []
    assert _equal(_weights(trainer), before)


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
    recipe: Recipe, mnist_small: ImageSet, train: Train, monkeypatch: pytest.MonkeyPatch, term: str
) -> None:
    """So that the run, once the poison is gone, is the one that never diverged."""
    trainer = _train_to(Trainer(recipe, mnist_small, "cpu"), 11)
    state = {name: value.clone() for name, value in trainer.state().items()}
    with monkeypatch.context() as patch:
        _poison(trainer, term, patch)
        with pytest.raises(DivergedError, match=rf"at step 12 \(epoch 1\.38\): {term} is not"):
            trainer.take_step()
    after = trainer.state()
    del after["seconds"], state["seconds"]
    assert _equal(list(after.values()), list(state.values()))
    assert trainer.step == 11
    assert all(parameter.grad is None for parameter in trainer.vae.parameters())
    _reports(trainer)
    assert _equal(_weights(trainer), _weights(train()))
    assert trainer.history == train().history


def test_weights_that_are_not_numbers_are_no_step(recipe: Recipe, mnist_small: ImageSet) -> None:
    trainer = _train_to(Trainer(recipe, mnist_small, "cpu"), 5)
    with torch.no_grad():
        next(trainer.vae.encoder.parameters())[0, 300] = torch.nan
    with pytest.raises(DivergedError, match=r"at step 6 .*the log-likelihood is not finite"):
        trainer.take_step()
    assert trainer.step == 5


def test_a_published_snapshot_never_changes(
    recipe: Recipe, mnist_small: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REPORT_STEPS", 4)
    trainer = Trainer(recipe, mnist_small, "cpu")
    places = np.array([[0.0, 0.0], [1.0, -1.0]])
    published: list[tuple[Snapshot, np.ndarray, int]] = []
    for _ in trainer.events():
        snapshot = trainer.snapshot()
        published.append((snapshot, snapshot.model.decode(places), len(snapshot.history)))
    for number, (snapshot, decoded, points) in enumerate(published, 1):
        np.testing.assert_array_equal(snapshot.model.decode(places), decoded)
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
    }
    assert snapshot.recipe == trainer.recipe
    assert snapshot.model.treatment == trainer.recipe.treatment
    assert (snapshot.epoch, snapshot.step, snapshot.history) == (0, 0, ())


def test_a_long_history_is_thinned_but_keeps_its_held_out_figures(
    recipe: Recipe, mnist_small: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONGEST_HISTORY", 10)
    monkeypatch.setattr(module, "REPORT_STEPS", 1)
    trainer = Trainer(recipe.replace(epochs=4), mnist_small, "cpu")
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


def test_warming_up_changes_nothing() -> None:
    before = torch.get_rng_state()
    warm_up()
    assert torch.equal(torch.get_rng_state(), before)


def test_metrics_are_frozen_values(trainer: Trainer) -> None:
    (event, *_) = _reports(trainer)
    assert replace(event) == event
    assert isinstance(event.point, HistoryPoint)
    figures = [value for value in asdict(event.point).values() if value is not None]
    assert all(type(value) in (int, float) for value in figures)


# Steering


def test_steering_takes_effect_at_the_next_step(recipe: Recipe, mnist_small: ImageSet) -> None:
    """As if the recipe had always said so from there: the step is that of one restored with it."""
    steered = _train_to(Trainer(recipe, mnist_small, "cpu"), 5)
    snapshot, state = steered.snapshot(), steered.state()
    other = Trainer(recipe.replace(learning_rate=3e-3, beta=4.0, samples=3), mnist_small, "cpu")
    other.restore(snapshot, state)
    steered.steer(learning_rate=3e-3, beta=4.0, samples=3)
    assert _equal(_weights(steered), _weights(other))
    for trainer in (steered, other):
        trainer.take_step()
    assert _equal(_weights(steered), _weights(other))
    assert not _equal(_weights(steered), list(snapshot.model.state_dict().values()))
    plain = _train_to(Trainer(recipe, mnist_small, "cpu"), 6)
    assert not _equal(_weights(steered), _weights(plain))


def test_what_was_steered_is_written_down(
    recipe: Recipe, mnist_small: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REPORT_STEPS", 1)
    recipe = recipe.replace(warmup_steps=0, schedule="constant")
    trainer = _train_to(Trainer(recipe, mnist_small, "cpu"), 3)
    trainer.steer(beta=2.0, learning_rate=1e-4)
    _train_to(trainer, 6)
    trainer.steer(samples=3, beta=2)  # which it is already
    _reports(trainer)
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
    recipe: Recipe, mnist_small: ImageSet
) -> None:
    first = _train_to(Trainer(recipe, mnist_small, "cpu"), 8)
    first.steer(beta=2.0)
    moment = _train_to(first, 11).snapshot()
    _reports(first)  # must not reach it
    branch = Trainer(recipe.replace(learning_rate=1e-4, epochs=3), mnist_small, "cpu")
    branch.branch(moment)
    assert _equal(_weights(branch), list(moment.model.state_dict().values()))
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
    _reports(branch)
    assert branch.step == 24
    assert [point.epoch for point in branch.history] == [1, 2, 2.5, 3]  # 2.5 is step 20
    assert not _equal(_weights(branch), _weights(first))


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
    first = _train_to(Trainer(recipe, mnist_small, "cpu"), 11)
    branch = Trainer(recipe, mnist_small, "cpu")
    branch.branch(first.snapshot())
    shown.clear()
    _reports(first)
    _reports(branch)
    assert len(shown) == 2 * 5
    assert _equal(shown[:5], shown[5:])
    rates = [point.learning_rate for point in first.history]
    assert rates == [point.learning_rate for point in branch.history]
    assert rates == [learning_rate(recipe, step, 16) for step in range(16)]


def test_a_branch_may_have_batches_of_another_size(recipe: Recipe, mnist_small: ImageSet) -> None:
    first = _train_to(Trainer(recipe, mnist_small, "cpu"), 4)
    first.steer(beta=2.0)
    moment = _train_to(first, 10).snapshot()  # epoch 1.25
    branch = Trainer(recipe.replace(batch_size=20, beta=2.0), mnist_small, "cpu")
    branch.branch(moment)
    assert (branch.step, branch.epoch) == (50, 1.25)
    assert branch.changes == [Change(20, "beta", 2.0)]  # half an epoch in, as before
    epochs = [point.epoch for point in [*moment.history, *(e.point for e in _reports(branch))]]
    assert epochs == [1.0, 1.5, 2.0]
    assert branch.finished


def test_a_branch_can_be_saved_before_its_first_step(recipe: Recipe, mnist_small: ImageSet) -> None:
    branch = Trainer(recipe, mnist_small, "cpu")
    branch.branch(_train_to(Trainer(recipe, mnist_small, "cpu"), 5).snapshot())
    again = Trainer(recipe, mnist_small, "cpu")
    again.restore(branch.snapshot(), {k: v.clone() for k, v in branch.state().items()})
    for trainer in (branch, again):
        _reports(trainer)
    assert _equal(_weights(branch), _weights(again))
    assert branch.history == again.history


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
    recipe: Recipe, mnist_small: ImageSet, snapshot: Snapshot, changes: dict[str, object]
) -> None:
    trainer = Trainer(recipe.replace(epochs=3, **changes), mnist_small, "cpu")
    before = _weights(trainer)
    with pytest.raises(CheckpointError, match="keeps the networks of its run"):
        trainer.branch(snapshot)
    assert _equal(_weights(trainer), before)
    assert (trainer.step, trainer.history) == (0, [])


@pytest.mark.parametrize(
    ("epochs", "batch_size"),
    [(1, 100), (2, 800)],
    ids=["later than its end", "less than half a step before it"],
)
def test_a_branch_with_nothing_left_to_do_is_refused(
    recipe: Recipe, mnist_small: ImageSet, epochs: int, batch_size: int
) -> None:
    moment = _train_to(Trainer(recipe, mnist_small, "cpu"), 15).snapshot()
    trainer = Trainer(recipe.replace(epochs=epochs, batch_size=batch_size), mnist_small, "cpu")
    with pytest.raises(CheckpointError, match=rf"epoch 1\.88, .* at {epochs}; raise 'epochs'"):
        trainer.branch(moment)
    assert trainer.step == 0
