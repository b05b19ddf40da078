"""Training as a generator of plain events: no threads, no prints, no clocks."""

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vae_explorer.data.dataset import ImageSet
from vae_explorer.data.treatment import treat
from vae_explorer.errors import DataError, DivergedError
from vae_explorer.latent.lattice import shifted_lattice
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.model.vae import VAE
from vae_explorer.training.device import choose_device
from vae_explorer.training.history import LONGEST_HISTORY, HistoryPoint, thinned
from vae_explorer.training.objective import objective
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.schedule import learning_rate
from vae_explorer.training.snapshot import DataReference, Snapshot

REPORT_STEPS = 20
"""Steps between two reports, so that the device is read back only then."""

_HELD_OUT_SEED = 20_140_501
_HELD_OUT_CHUNK = 2_500
_MARGINAL_IMAGES = 500
_MARGINAL_PLACES = 10_000


@dataclass(frozen=True)
class StepMetrics:
    """A report: ``point`` holds means over the ``images`` trained on since the last one.

    ``gradient_norm`` is the mean norm before clipping, in nats.
    """

    step: int
    images: int
    learning_rate: float
    gradient_norm: float
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
        recipe: what to compute.
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
        self.history: list[HistoryPoint] = []
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
        self._sums = torch.zeros(5, device=self.device)
        self._summed_images = 0

    @property
    def epoch(self) -> float:
        """Passes over the training images so far, with the fraction of the one under way."""
        return self.step / self.steps_per_epoch

    @property
    def finished(self) -> bool:
        """True once the recipe's epochs are done."""
        return self.step >= self.total_steps

    def events(self, interrupted: Callable[[], bool] = bool) -> Iterator[StepMetrics]:
        """Train to the end of the recipe, yielding a report every few steps and each epoch.

        ``interrupted`` is asked after every step; when true, a report follows at once, so that the
        caller gets its turn. Abandoning the iterator pauses training; a new one goes on from there.

        Raises:
            DivergedError: a loss or the norm of a gradient is NaN or infinite.
        """
        while not self.finished:
            self._train_step()
            if self.step % self.steps_per_epoch == 0:
                yield self._end_epoch(self._report())
            elif self.step % REPORT_STEPS == 0 or interrupted():
                yield self._report()

    def snapshot(self) -> Snapshot:
        """A copy of the model as it is now."""
        return Snapshot(
            TrainedVAE(self.vae, self.recipe.treatment),
            self.recipe,
            self.data,
            tuple(self.history),
            self.epoch,
            self.step,
        )

    def state(self) -> dict[str, Tensor]:
        """Weights, optimizer and random streams; with them a run goes on as if never stopped.

        Meant for the moments when ``events`` has handed over control.
        """
        tensors = {f"model.{name}": value for name, value in self.vae.state_dict().items()}
        for name, parameter in self.vae.named_parameters():
            for key, value in self.optimizer.state[parameter].items():
                tensors[f"optimizer.{name}.{key}"] = value
        return tensors | {"noise": self.noise.get_state()}

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
        self.step = snapshot.step
        self.history = list(snapshot.history)

    def _train_step(self) -> None:
        batch = self._next_batch()
        x = treat(batch.float().div_(255), self.recipe.treatment, self.noise)
        low = self.recipe.precision == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=low):
            result = objective(self.recipe, self.vae, x, self.noise, self.epoch)
        torch.autograd.backward(result.loss)
        limit = self.recipe.gradient_clip or math.inf
        norm = torch.nn.utils.clip_grad_norm_(self.vae.parameters(), limit)
        rate = learning_rate(self.recipe, self.step, self.total_steps)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        self._summed_images += len(batch)
        with torch.no_grad():
            terms, value = result.terms, result.value
            sums = [terms.log_likelihood.sum(), terms.kl.sum(), value.sum(), norm]
            self._sums += torch.stack([*sums, torch.ones_like(norm)])

    def _next_batch(self) -> Tensor:
        epoch, position = divmod(self.step, self.steps_per_epoch)
        if epoch != self._order_epoch:
            generator = torch.Generator().manual_seed(self.recipe.seed * 1_000_003 + epoch)
            order = torch.randperm(len(self._train), generator=generator)
            self._order, self._order_epoch = order.to(self.device), epoch
        size = self.recipe.batch_size
        return self._train.index_select(0, self._order[position * size : (position + 1) * size])

    def _report(self) -> StepMetrics:
        log_likelihood, kl, value, norm, steps = self._sums.tolist()
        images = self._summed_images
        self._sums.zero_()
        self._summed_images = 0
        if not math.isfinite(log_likelihood + kl + value + norm):
            raise DivergedError(
                f"Training diverged at step {self.step:,} (epoch {self.epoch:.2f}): its objective "
                "or the gradient is not finite. Lower the learning rate or set a lower gradient "
                "clip, and start again."
            )
        log_likelihood, kl = log_likelihood / images, kl / images
        elbo = log_likelihood - kl
        point = HistoryPoint(self.epoch, elbo, log_likelihood, kl, value / images)
        self.history.append(point)
        if len(self.history) > LONGEST_HISTORY:
            self.history = thinned(self.history)
        rate = learning_rate(self.recipe, self.step - 1, self.total_steps)
        return StepMetrics(self.step, images, rate, norm / steps, point)

    def _end_epoch(self, last: StepMetrics) -> EpochMetrics:
        held_out = self._held_out_figures() if len(self._held_out) else {}
        point = dataclasses.replace(last.point, **held_out)
        self.history[-1] = point
        return EpochMetrics(last.step, last.images, last.learning_rate, last.gradient_norm, point)

    @torch.inference_mode()
    def _held_out_figures(self) -> dict[str, float]:
        # The same draw at every epoch, so that the curve shows the model and not the noise.
        generator = torch.Generator(self.device).manual_seed(_HELD_OUT_SEED)
        log_likelihood = kl = 0.0
        for number, chunk in enumerate(torch.split(self._held_out, _HELD_OUT_CHUNK)):
            x = treat(chunk.float().div_(255), self.recipe.treatment, generator)
            terms = self.vae.elbo_terms(x, generator)
            log_likelihood += terms.log_likelihood.sum().item() / len(self._held_out)
            kl += terms.kl.sum().item() / len(self._held_out)
            if number == 0:
                few = x[:_MARGINAL_IMAGES]
                gap = self._log_marginal(few) - terms.elbo[: len(few)].mean().item()
        return {
            "held_out_elbo": log_likelihood - kl,
            "held_out_log_likelihood": log_likelihood,
            "held_out_kl": kl,
            "held_out_log_marginal": log_likelihood - kl + gap,
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


def warm_up() -> None:
    """Take one step of a dummy optimizer.

    The first one in a process imports a second or more of compiler modules; done early, it does
    not stall a window in the middle of a run.
    """
    parameter = torch.nn.Parameter(torch.zeros(1))
    parameter.grad = torch.zeros(1)
    torch.optim.AdamW([parameter], fused=True).step()
