"""Training as a generator of plain events: no threads, no prints; its clock only dates reports."""

import dataclasses
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vae_explorer.data.dataset import ImageSet
from vae_explorer.data.treatment import treat
from vae_explorer.errors import CheckpointError, DataError, DivergedError
from vae_explorer.latent.aggregate import ACTIVE
from vae_explorer.latent.lattice import shifted_lattice
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.model.vae import VAE, ElboTerms
from vae_explorer.training.device import choose_device
from vae_explorer.training.history import LONGEST_HISTORY, HistoryPoint, thinned
from vae_explorer.training.objective import Objective, effective_beta, objective
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.schedule import learning_rate
from vae_explorer.training.snapshot import Change, DataReference, Snapshot

REPORT_STEPS = 20
"""Steps between two reports."""

_HELD_OUT_SEED = 20_140_501
_HELD_OUT_CHUNK = 2_500
_MARGINAL_IMAGES = 500
_MARGINAL_PLACES = 10_000


@dataclass(frozen=True)
class Turn:
    """The caller's turn after ``step``, which it asked for: nothing is reported."""

    step: int


@dataclass(frozen=True)
class StepMetrics(Turn):
    """A report: ``point`` holds means over the ``images`` trained on since the last one."""

    images: int
    point: HistoryPoint


@dataclass(frozen=True)
class EpochMetrics(StepMetrics):
    """The report that ends an epoch: ``point`` has the held-out figures too."""


class Trainer:
    """Trains one VAE by one recipe on one image set, resumable to the last bit.

    Everything random comes from three private generators: weights from ``seed``, the order of an
    epoch from (``seed``, epoch), binarisation and ε from a stream whose state is saved. The last
    ``validation_images`` of the set are held out; without any, held-out figures stay None.

    Args:
        recipe: what to compute; ``recipe`` is it as steered since.
        data: labels are not used.
        device: "auto", "cpu", "cuda" or "mps".

    Raises:
        DataError: nothing is left to train on, or the device is not there.
    """

    def __init__(self, recipe: Recipe, data: ImageSet, device: str = "auto") -> None:
        count = len(data.images) - recipe.validation_images
        if count < 1:
            raise DataError(
                f"{data.name} has {len(data.images):,} images and {recipe.validation_images:,} are "
                "held out, so none are left to train on; lower 'validation_images'."
            )
        self.recipe = recipe
        self.device = choose_device(device)
        self.data = DataReference(data.name, data.fingerprint, len(data.images))
        self.step = 0
        self.seconds = 0.0
        """Spent in steps and held-out figures."""
        self.history: list[HistoryPoint] = []
        self.changes: list[Change] = []
        pixels = torch.from_numpy(np.array(data.images).reshape(len(data.images), -1))
        self._train, self._held_out = pixels.to(self.device).tensor_split([count])
        self.steps_per_epoch = math.ceil(count / recipe.batch_size)
        self.total_steps = recipe.epochs * self.steps_per_epoch

        height, width = data.images.shape[1:]
        with torch.random.fork_rng(devices=[]):
            # nn.Linear draws its weights from the global stream; borrow it, then put it back.
            torch.manual_seed(recipe.seed)
            self.vae = VAE(recipe.architecture((height, width)))
        self.vae.set_output_bias(pixels[:count].float().mean(0) / 255)
        self.vae.to(self.device)
        self.optimizer = torch.optim.AdamW(
            self.vae.parameters(),
            recipe.learning_rate,
            weight_decay=recipe.weight_decay,
            fused=True,
        )
        self.noise = torch.Generator(self.device).manual_seed(recipe.seed)
        self._order_epoch = -1
        self._order = torch.empty(0, dtype=torch.long)
        self._sums = torch.zeros(6, device=self.device)

    @property
    def epoch(self) -> float:
        """Passes over the training images so far, with the fraction of the one under way."""
        return self.step / self.steps_per_epoch

    @property
    def finished(self) -> bool:
        """True once the recipe's epochs are done."""
        return self.step >= self.total_steps

    def events(self, interrupted: Callable[[], bool] = bool) -> Iterator[Turn]:
        """Train to the end of the recipe, yielding a report every few steps and each epoch.

        ``interrupted`` is asked after every step; when true, a ``Turn`` follows at once where no
        report is due, which changes nothing of what is computed or reported later. Abandoning the
        iterator pauses training; a new one goes on from there.

        Raises:
            DivergedError: see ``take_step``.
        """
        while not self.finished:
            begin = time.perf_counter()
            event = self.take_step()
            self.seconds += time.perf_counter() - begin
            if event or interrupted():
                yield event or Turn(self.step)

    def take_step(self) -> StepMetrics | None:
        """Take one step, and report if a report is due.

        Raises:
            DivergedError: a term of the loss or the gradient is NaN or infinite. The step is not
                taken: weights, optimizer and ``step`` are those before it.
        """
        batch = self._next_batch()
        x = treat(batch.float().div_(255), self.recipe.treatment, self.noise)
        low = self.recipe.precision == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=low):
            result = objective(self.recipe, self.vae, x, self.noise, self.epoch)
        torch.autograd.backward(result.loss)
        limit = self.recipe.gradient_clip or math.inf
        norm = torch.nn.utils.clip_grad_norm_(self.vae.parameters(), limit)
        terms, value = result.terms, result.value
        with torch.no_grad():
            sums = [terms.log_likelihood.sum(), terms.kl.sum(), value.sum(), norm]
            images = torch.full_like(norm, len(batch))
            added = torch.stack([*sums, torch.ones_like(norm), images])
        if not added.isfinite().all():
            self.optimizer.zero_grad(set_to_none=True)
            raise self._diverged(result, norm)
        rate = learning_rate(self.recipe, self.step, self.total_steps)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        self._sums += added
        if self.step % self.steps_per_epoch == 0:
            return self._end_epoch(self._report())
        return self._report() if self.step % REPORT_STEPS == 0 else None

    def steer(self, **changes: float) -> None:
        """Give fields of ``STEERABLE`` another value from the next step on.

        Raises:
            RecipeError: as ``Recipe.replace``.
        """
        recipe = self.recipe.replace(**changes)
        for field in changes:
            value = getattr(recipe, field)
            if value != getattr(self.recipe, field):
                self.changes.append(Change(self.step, field, value))
        self.recipe = recipe

    def snapshot(self) -> Snapshot:
        """A copy of the model as it is now."""
        return Snapshot(
            TrainedVAE(self.vae, self.recipe.treatment),
            self.recipe,
            self.data,
            tuple(self.history),
            self.epoch,
            self.step,
            tuple(self.changes),
        )

    def state(self) -> dict[str, Tensor]:
        """Weights, optimizer, random stream and sums; with them a run goes on as if never stopped.

        Meant for the moments when ``events`` has handed over control.
        """
        tensors = {f"model.{name}": value for name, value in self.vae.state_dict().items()}
        for name, parameter in self.vae.named_parameters():
            for key, value in self.optimizer.state[parameter].items():
                tensors[f"optimizer.{name}.{key}"] = value
        seconds = torch.tensor(self.seconds, dtype=torch.float64)
        return tensors | {
            "noise": self.noise.get_state(),
            "sums": self._sums,
            "seconds": seconds,
        }

    def restore(self, snapshot: Snapshot, state: Mapping[str, Tensor]) -> None:
        """Go on from ``snapshot`` and the ``state`` saved with it.

        Raises:
            KeyError, RuntimeError, TypeError: the state does not fit the recipe.
        """
        self.vae.load_state_dict(snapshot.model.state_dict())
        for name, parameter in self.vae.named_parameters():
            if snapshot.step:
                like = torch.empty_like(parameter, requires_grad=False)
                empty = {"step": like.new_empty(()), "exp_avg": like, "exp_avg_sq": like.clone()}
                self.optimizer.state[parameter] = {
                    key: value.copy_(state[f"optimizer.{name}.{key}"])
                    for key, value in empty.items()
                }
        self.noise.set_state(state["noise"])
        self._sums.copy_(state["sums"])
        self.seconds = state["seconds"].item()
        self._go_on_from(snapshot)

    def branch(self, snapshot: Snapshot) -> None:
        """Go on from a model alone, by a recipe that may differ; AdamW's averages begin anew.

        Raises:
            CheckpointError: as ``check_branch``.
        """
        check_branch(self.recipe, self.vae.architecture.image_shape, snapshot)
        self.vae.load_state_dict(snapshot.model.state_dict())
        self._go_on_from(snapshot)
        # In steps of the batch size that the recipe has now.
        self.step = round(snapshot.epoch * self.steps_per_epoch)
        self.seconds = next(
            (point.seconds for point in reversed(snapshot.history) if point.seconds), 0.0
        )

    def _go_on_from(self, snapshot: Snapshot) -> None:
        self.step = snapshot.step
        self.history = list(snapshot.history)
        self.changes = list(snapshot.changes)

    def _next_batch(self) -> Tensor:
        epoch, position = divmod(self.step, self.steps_per_epoch)
        if epoch != self._order_epoch:
            generator = torch.Generator().manual_seed(self.recipe.seed * 1_000_003 + epoch)
            order = torch.randperm(len(self._train), generator=generator)
            self._order, self._order_epoch = order.to(self.device), epoch
        size = self.recipe.batch_size
        return self._train.index_select(0, self._order[position * size : (position + 1) * size])

    def _diverged(self, result: Objective, norm: Tensor) -> DivergedError:
        terms = {
            "the log-likelihood": result.terms.log_likelihood,
            "the KL term": result.terms.kl,
            "the objective": result.value,
            "the gradient": norm,
        }
        term = next(name for name, value in terms.items() if not value.sum().isfinite())
        return DivergedError(
            f"Training diverged at step {self.step + 1:,} (epoch {self.epoch:.2f}): {term} is not "
            "finite. The model of the step before is kept. Lower the learning rate or set a lower "
            "gradient clip, and go on from an earlier moment or start again."
        )

    def _report(self) -> StepMetrics:
        log_likelihood, kl, value, norm, steps, images = self._sums.tolist()
        self._sums.zero_()
        log_likelihood, kl = log_likelihood / images, kl / images
        point = HistoryPoint(
            self.epoch,
            log_likelihood - kl,
            log_likelihood,
            kl,
            value / images,
            step=self.step,
            learning_rate=learning_rate(self.recipe, self.step - 1, self.total_steps),
            gradient_norm=norm / steps,
            beta=effective_beta(self.recipe, (self.step - 1) / self.steps_per_epoch),
            samples=self.recipe.samples,
            seconds=self.seconds,
        )
        self.history.append(point)
        if len(self.history) > LONGEST_HISTORY:
            self.history = thinned(self.history)
        return StepMetrics(self.step, round(images), point)

    def _end_epoch(self, last: StepMetrics) -> EpochMetrics:
        held_out = self._held_out_figures() if len(self._held_out) else {}
        point = dataclasses.replace(last.point, **held_out)
        self.history[-1] = point
        return EpochMetrics(last.step, last.images, point)

    @torch.inference_mode()
    def _held_out_figures(self) -> dict[str, Any]:
        # The same draw at every epoch, so that the curve shows the model and not the noise.
        generator = torch.Generator(self.device).manual_seed(_HELD_OUT_SEED)
        log_likelihood = kl = gap = 0.0
        means = []
        for number, chunk in enumerate(torch.split(self._held_out, _HELD_OUT_CHUNK)):
            x = treat(chunk.float().div_(255), self.recipe.treatment, generator)
            posterior = self.vae.posterior(x)
            z = posterior.sample(generator)
            terms = ElboTerms(self.vae.log_likelihood(x, z)[0], posterior.kl())
            means.append(posterior.mean)
            log_likelihood += terms.log_likelihood.sum().item() / len(self._held_out)
            kl += terms.kl.sum().item() / len(self._held_out)
            if number == 0:
                few = x[:_MARGINAL_IMAGES]
                gap = self._log_marginal(few) - terms.elbo[: len(few)].mean().item()
        activity = torch.cat(means).var(0, correction=0)
        return {
            "held_out_elbo": log_likelihood - kl,
            "held_out_log_likelihood": log_likelihood,
            "held_out_kl": kl,
            "held_out_log_marginal": log_likelihood - kl + gap,
            "active_units": int((activity > ACTIVE).sum()),
        }

    def _log_marginal(self, x: Tensor) -> float:
        """Mean log p(x) of x (n, pixels) in nats, from a fixed lattice over the prior.

        Cheap enough for every epoch. On posteriors wider than the lattice's spacing it is exact; on
        narrower ones a little too low, by some tenths of a nat for a sharp decoder.
        """
        generator = torch.Generator(self.device).manual_seed(_HELD_OUT_SEED)
        total = torch.full((len(x),), -math.inf, device=self.device)
        for places in torch.split(shifted_lattice(_MARGINAL_PLACES, generator), _HELD_OUT_CHUNK):
            joint = self.vae.likelihood.pairwise(x, self.vae.outputs(places))
            total = torch.logaddexp(total, joint.logsumexp(1))
        return total.mean().item() - math.log(_MARGINAL_PLACES)


def check_branch(recipe: Recipe, image_shape: tuple[int, int], snapshot: Snapshot) -> None:
    """Whether a run by a recipe can go on from a model.

    Raises:
        CheckpointError: the model's networks are not the recipe's, or its epochs are over.
    """
    if recipe.architecture(image_shape) != snapshot.model.vae.architecture:
        raise CheckpointError(
            "A branch keeps the networks of its run: leave network, layers, activation, "
            "likelihood, posterior and Fourier features as they are, or start a new run."
        )
    if snapshot.epoch >= recipe.epochs:
        raise CheckpointError(
            f"This moment is epoch {snapshot.epoch:.2f}, and the recipe ends at "
            f"{recipe.epochs}; raise 'epochs' to branch from here."
        )


def warm_up() -> None:
    """Take one step of a dummy optimizer.

    The first one in a process imports a second or more of compiler modules; done early, it does
    not stall a window in the middle of a run.
    """
    parameter = torch.nn.Parameter(torch.zeros(1))
    parameter.grad = torch.zeros(1)
    torch.optim.AdamW([parameter], fused=True).step()
