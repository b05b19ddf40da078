import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.distributions import Bernoulli, MultivariateNormal, kl_divergence

from tests.support.trainers import NewTrainer
from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import DivergedError
from vae_explorer.model.architecture import LIKELIHOODS, NETWORKS
from vae_explorer.model.vae import VAE
from vae_explorer.training.anatomy import StepAnatomy, dissect
from vae_explorer.training.objective import Objective, objective
from vae_explorer.training.recipe import OBJECTIVES, PRECISIONS, Recipe
from vae_explorer.training.schedule import learning_rate
from vae_explorer.training.trainer import EpochMetrics, StepMetrics, Trainer


def _state(trainer: Trainer) -> dict[str, Tensor]:
    """All but the seconds, which tell of the machine."""
    return {name: value.clone() for name, value in trainer.state().items() if name != "seconds"}


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_step_taken_apart_is_the_usual_step(
    recipe: Recipe, mnist_small: ImageSet, name: str, precision: str
) -> None:
    """To the last bit, through reports and an epoch's end, in whatever order they alternate."""
    recipe = recipe.replace(
        objective=name, precision=precision, samples=3, lattice_points=50, batch_size=35
    )
    plain, dissected = (Trainer(recipe, mnist_small, "cpu") for _ in range(2))
    torch.manual_seed(1)
    before = torch.get_rng_state()
    for step in range(1, 27):  # 23 are an epoch
        report = plain.take_step()
        if step % 2:
            anatomy = dissect(dissected)
            assert anatomy.step == step
            assert anatomy.report == report
        else:
            dissected.take_step()
        if step in (1, 20, 23, 26):
            ours, theirs = _state(dissected), _state(plain)
            assert ours.keys() == theirs.keys()
            assert all(torch.equal(value, theirs[key]) for key, value in ours.items())
            assert dissected.history == plain.history
    assert torch.equal(torch.get_rng_state(), before)
    assert dissected.seconds > 0


@pytest.fixture
def anatomy(
    recipe: Recipe, mnist_small: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> tuple[StepAnatomy, Trainer, Tensor]:
    """Of the third step; a trainer just before it, once its minibatch was drawn; the minibatch."""
    recipe = recipe.replace(beta=3.0, gradient_clip=0.0, warmup_steps=0, learning_rate=5e-3)
    trainer, before = (Trainer(recipe, mnist_small, "cpu") for _ in range(2))
    for each in (trainer, before):
        each.take_step()
        each.take_step()
    batches: list[Tensor] = []

    def watch(
        recipe: Recipe, vae: VAE, x: Tensor, generator: torch.Generator, epoch: float
    ) -> Objective:
        batches.append(x)
        before.noise.set_state(generator.get_state())
        return objective(recipe, vae, x, generator, epoch)

    with monkeypatch.context() as patch:
        patch.setattr("vae_explorer.training.distributed.objective", watch)
        anatomy = dissect(trainer, images=6)
    return anatomy, before, batches[0]


def test_its_images_are_the_minibatchs(anatomy: tuple[StepAnatomy, Trainer, Tensor]) -> None:
    step, _, batch = anatomy
    assert (step.step, step.batch) == (3, 100)
    assert step.x.shape == step.decoded.shape == (6, 28, 28)
    np.testing.assert_array_equal(step.x.reshape(6, -1), batch[:6].numpy())
    assert set(np.unique(step.x)) == {0, 1}  # binarized


def test_its_terms_are_those_of_the_distributions(
    anatomy: tuple[StepAnatomy, Trainer, Tensor],
) -> None:
    """Of the weights before the step, by PyTorch's own distributions."""
    step, before, batch = anatomy
    model = before.snapshot().model
    posterior = model.encode(step.x)
    np.testing.assert_allclose(step.mean, posterior.mean, atol=1e-5)
    np.testing.assert_allclose(step.covariance, posterior.covariance, atol=1e-5)
    np.testing.assert_allclose(step.decoded, model.decode(step.z), atol=1e-5)
    pixels = Bernoulli(torch.from_numpy(step.decoded).double())
    log_likelihood = pixels.log_prob(torch.from_numpy(step.x).double()).sum((1, 2))
    np.testing.assert_allclose(step.log_likelihood, log_likelihood, rtol=1e-4)
    q = MultivariateNormal(
        torch.from_numpy(step.mean).double(), torch.from_numpy(step.covariance).double()
    )
    prior = MultivariateNormal(torch.zeros(2).double(), torch.eye(2).double())
    np.testing.assert_allclose(step.kl, kl_divergence(q, prior), rtol=1e-3, atol=1e-5)
    # The same noise that the step drew.
    terms = before.vae.elbo_terms(batch, before.noise)
    assert step.elbo == pytest.approx(terms.elbo.mean().item(), rel=1e-5)
    assert (step.recipe.objective, step.beta) == ("elbo", 3.0)
    assert step.value == pytest.approx(step.elbo, rel=1e-5), "of β = 1"


def test_its_z_is_the_mean_and_l_times_noise(anatomy: tuple[StepAnatomy, Trainer, Tensor]) -> None:
    step, before, _ = anatomy
    noise = torch.empty(1, 100, 2).normal_(generator=before.noise)[0, :6].numpy()
    scale = np.linalg.cholesky(step.covariance)
    z = step.mean + np.einsum("nij,nj->ni", scale, noise)
    np.testing.assert_allclose(step.z, z, atol=1e-4)


def test_its_gradients_are_those_of_the_loss(anatomy: tuple[StepAnatomy, Trainer, Tensor]) -> None:
    """By autograd on the β-weighted ELBO."""
    step, before, batch = anatomy
    terms = before.vae.elbo_terms(batch, before.noise)
    loss = (3.0 * terms.kl - terms.log_likelihood).mean()
    names, parameters = zip(*before.vae.named_parameters(), strict=True)
    gradients = torch.autograd.grad(loss, parameters)
    layers = ["encoder.0", "encoder.2", "decoder.1", "decoder.3"]
    assert [layer.name for layer in step.layers] == layers
    for layer in step.layers:
        own = [
            gradient.norm().item()
            for name, gradient in zip(names, gradients, strict=True)
            if name in (f"{layer.name}.weight", f"{layer.name}.bias")
        ]
        assert len(own) == 2
        assert layer.gradient_norm == pytest.approx(math.hypot(*own), rel=1e-4)
    total = torch.cat([gradient.flatten() for gradient in gradients]).norm().item()
    assert step.gradient_norm == pytest.approx(total, rel=1e-4)


def test_its_updates_are_what_the_weights_moved_by(new: NewTrainer, recipe: Recipe) -> None:
    trainer = new()
    old = {name: value.clone() for name, value in trainer.vae.state_dict().items()}
    step = dissect(trainer)
    after = trainer.vae.state_dict()
    for layer in step.layers:
        names = (f"{layer.name}.weight", f"{layer.name}.bias")
        moved = torch.cat([(after[name] - old[name]).flatten() for name in names])
        assert layer.update_norm == pytest.approx(moved.norm().item(), rel=1e-5)
    assert step.learning_rate == learning_rate(recipe, 0, trainer.total_steps)


def test_gradients_are_as_clipped(new: NewTrainer) -> None:
    step = dissect(new(gradient_clip=0.5))
    assert step.gradient_norm == pytest.approx(0.5, rel=1e-3)
    assert math.hypot(*(layer.gradient_norm for layer in step.layers)) == pytest.approx(
        step.gradient_norm
    )


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_model_and_objective_can_be_taken_apart(
    recipe: Recipe, mnist_small: ImageSet, network: str, likelihood: str, name: str
) -> None:
    """At an epoch's last step, after which held-out images pass through the same networks."""
    few = mnist_small.subset(slice(50))
    recipe = recipe.replace(
        network=network,
        likelihood=likelihood,
        objective=name,
        treatment="gray",
        samples=2,
        lattice_points=50,
        batch_size=40,
        validation_images=10,
        encoder_hidden="4",
        decoder_hidden="4",
    )
    trainer, before = (Trainer(recipe, few, "cpu") for _ in range(2))
    for each in (trainer, before):
        each.take_step()
    step = dissect(trainer, images=3)
    assert isinstance(step.report, EpochMetrics)
    model = before.snapshot().model
    np.testing.assert_allclose(step.mean, model.encode(step.x).mean, atol=1e-5)
    decoded = model.decode(step.z)
    np.testing.assert_allclose(step.decoded, decoded.clip(0, 1), atol=1e-5)
    x, z = (torch.from_numpy(values) for values in (step.x.reshape(3, -1), step.z))
    with torch.no_grad():
        log_likelihood = before.vae.log_likelihood(x, z)
    np.testing.assert_allclose(step.log_likelihood, log_likelihood, rtol=1e-4, atol=1e-2)
    assert step.report.point.elbo == pytest.approx(step.elbo, rel=1e-4)
    assert step.layers[0].name.startswith("encoder")
    assert (step.layers[-1].name == "likelihood") == (likelihood == "gaussian")


def test_more_images_than_a_batch_has_are_all_of_it(new: NewTrainer) -> None:
    step = dissect(new(batch_size=5), images=8)
    shapes = [len(values) for values in (step.x, step.mean, step.z, step.decoded, step.kl)]
    assert shapes == [5] * 5
    assert step.elbo == pytest.approx(float((step.log_likelihood - step.kl).mean()), rel=1e-4)


def test_a_step_that_diverges_leaves_nothing_behind(
    new: NewTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer, plain = (new() for _ in range(2))
    with monkeypatch.context() as patch:
        patch.setattr(
            "vae_explorer.training.distributed.objective",
            lambda *args: replace(objective(*args), value=torch.full((100,), math.nan)),
        )
        with pytest.raises(DivergedError):
            dissect(trainer)
    hooked = [*trainer.vae.modules()]
    assert not any(part._forward_hooks for part in hooked)
    reports = [
        [event for event in each.events() if isinstance(event, StepMetrics)]
        for each in (trainer, plain)
    ]
    assert reports[0] == reports[1]
