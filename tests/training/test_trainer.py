import math
from itertools import count

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.support.trainers import NewTrainer, equal, finish, reports, weights
from vae_explorer.data.dataset import ImageSet
from vae_explorer.model.architecture import LIKELIHOODS, NETWORKS
from vae_explorer.training import held_out
from vae_explorer.training import trainer as module
from vae_explorer.training.recipe import OBJECTIVES, PRECISIONS, Recipe
from vae_explorer.training.schedule import learning_rate
from vae_explorer.training.trainer import EpochMetrics, Trainer


@pytest.mark.slow
def test_it_learns(new: NewTrainer, mnist_small: ImageSet) -> None:
    """From independent pixels at their means to digits, on images seen and unseen."""
    trainer = new(
        epochs=30,
        batch_size=50,
        learning_rate=5e-3,
        warmup_steps=0,
        encoder_hidden="64-64",
        decoder_hidden="64-64",
    )
    before = trainer.snapshot().model
    finish(trainer)
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
    reports(trainer)
    points = trainer.history
    assert [point.step for point in points] == [1, 20, 40, 60, 80]
    assert all(math.isfinite(point.objective) for point in points)
    assert points[-1].objective > points[0].objective + 5
    assert points[-1].elbo > points[0].elbo + 5
    assert all(value.dtype == torch.float32 for value in weights(trainer))


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
    points = [event.point for event in reports(trainer)]
    assert points[-1].objective > points[0].objective


def test_the_objective_of_a_report_is_what_is_maximised(train: NewTrainer) -> None:
    """The ELBO itself, before β; a tighter bound lies above it; a lattice sum knows no encoder."""
    plain = train(beta=3.0).history[-1]
    assert plain.objective == pytest.approx(plain.elbo, rel=1e-5)
    assert plain.elbo == pytest.approx(plain.log_likelihood - plain.kl)
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
    events = reports(trainer)
    for name, value in trainer.vae.state_dict().items():
        torch.testing.assert_close(value, reference.state_dict()[name], atol=1e-5, rtol=1e-4)
    assert max(norms) > 1  # so that the clip did something
    reported = [event.point.gradient_norm for event in events]
    assert reported == pytest.approx([sum(norms[i : i + 2]) / 2 for i in range(0, 12, 2)], rel=1e-3)


def test_an_epoch_shows_each_training_image_once_in_a_new_order(
    new: NewTrainer, mnist_small: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[Tensor] = []

    def watch(intensities: Tensor, treatment: str, generator: torch.Generator) -> Tensor:
        shown.append(intensities)
        assert treatment == "gray"
        assert isinstance(generator, torch.Generator)
        return intensities

    monkeypatch.setattr(module, "treat", watch)
    finish(new(batch_size=300, treatment="gray"))
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
    events = reports(trainer)
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
    new: NewTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a clock that moves on by a second whenever somebody looks."""
    ticks = count()
    monkeypatch.setattr("time.perf_counter", lambda: float(next(ticks)))
    trainer = new()
    points = [event.point for event in reports(trainer)]
    assert [point.seconds for point in points] == [8, 16]
    assert trainer.seconds == 16


def test_a_report_is_the_mean_over_its_images(
    recipe: Recipe, mnist_small: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reported after every step, the same run tells the parts of which its reports are means."""
    recipe = recipe.replace(batch_size=15, epochs=1)
    with monkeypatch.context() as patch:
        patch.setattr(module, "REPORT_STEPS", 1)
        parts = reports(Trainer(recipe, mnist_small, "cpu"))
    assert [part.images for part in parts] == [15] * 53 + [5]
    start = 0
    for event in reports(Trainer(recipe, mnist_small, "cpu")):
        window, start = parts[start : event.step], event.step
        images = np.array([part.images for part in window])
        for figure in ("elbo", "log_likelihood", "kl", "objective"):
            values = [getattr(part.point, figure) for part in window]
            mean = np.average(values, weights=images)
            assert getattr(event.point, figure) == pytest.approx(mean, rel=1e-5)
        norms = [part.point.gradient_norm or math.nan for part in window]
        assert event.point.gradient_norm == pytest.approx(np.mean(norms), rel=1e-5)


def test_the_first_report_is_the_elbo_of_the_untrained_model(
    new: NewTrainer, mnist_small: ImageSet
) -> None:
    trainer = new(batch_size=800)
    untrained = trainer.snapshot().model.elbo_terms(mnist_small.images[:800])
    (first, *_) = reports(trainer)
    point = first.point
    assert point.log_likelihood == pytest.approx(untrained.log_likelihood.mean(), abs=2)
    assert point.kl == pytest.approx(untrained.kl.mean(), abs=1e-4)


def test_held_out_figures_are_those_of_the_last_images(
    train: NewTrainer, mnist_small: ImageSet
) -> None:
    trainer = train(validation_images=500)
    point = trainer.history[-1]
    # Another draw of the same 500 images: within five standard errors.
    terms = trainer.snapshot().model.elbo_terms(mnist_small.images[500:])
    assert point.held_out_elbo == pytest.approx(terms.elbo.mean(), abs=1.0)
    assert point.held_out_kl == pytest.approx(terms.kl.mean(), abs=1e-3)
    assert trainer.snapshot().held_out_elbo == point.held_out_elbo


def test_active_units_are_those_whose_means_vary(train: NewTrainer, mnist_small: ImageSet) -> None:
    """As Burda et al. count them, on the images held out."""
    quick = {"treatment": "gray", "batch_size": 20, "learning_rate": 1e-2, "warmup_steps": 0}
    counts = set()
    for beta in (0.0, 1.0, 100.0):
        trainer = train(beta=beta, **quick)
        means = trainer.snapshot().model.encode(mnist_small.images[800:]).mean
        assert trainer.history[-1].active_units == (means.var(0) > 0.01).sum()
        counts.add(trainer.history[-1].active_units)
    assert {0, 2} <= counts


def test_log_marginal_is_computed_once_it_is_worth_it(
    train: NewTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It costs thousands of decoded points: few images go round many times before, and at last."""
    monkeypatch.setattr(held_out, "MARGINAL_POINTS", 750)
    history = [point for point in train(epochs=5).history if point.held_out_elbo is not None]
    known = [point.epoch for point in history if point.held_out_log_marginal is not None]
    assert [point.epoch for point in history] == [1, 2, 3, 4, 5]
    assert known == [2, 4, 5]


def test_held_out_figures_that_take_long_may_be_given_up(
    train: NewTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = train(epochs=1)
    assert trainer.held_out_figures()
    trainer.given_up = lambda: True
    assert trainer.held_out_figures()  # in time
    monkeypatch.setattr("vae_explorer.training.held_out._PATIENCE", -1.0)
    assert trainer.held_out_figures() == {}
    trainer.given_up = bool
    assert trainer.held_out_figures()


def test_without_held_out_images_there_are_no_held_out_figures(train: NewTrainer) -> None:
    trainer = train(validation_images=0)
    assert trainer.steps_per_epoch == 10
    assert all(point.held_out_elbo is None for point in trainer.history)
    assert trainer.snapshot().held_out_elbo is None


def test_held_out_pixels_never_reach_the_weights(train: NewTrainer, mnist_small: ImageSet) -> None:
    poisoned = mnist_small.images.copy()
    poisoned[800:] = np.random.default_rng(0).permuted(poisoned[800:], axis=0)[:, ::-1]
    other = train(ImageSet(poisoned, mnist_small.labels, "poisoned", "train"))
    clean = train()
    assert equal(weights(other), weights(clean))
    assert other.history[-1].held_out_elbo != clean.history[-1].held_out_elbo
    assert other.history[-1].elbo == clean.history[-1].elbo
