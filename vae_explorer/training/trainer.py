"""Training as a generator of plain events: no threads, no prints; its clock only dates reports."""

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from vae_explorer.data.dataset import ImageSet
from vae_explorer.data.treatment import treat
from vae_explorer.errors import DivergedError, RecipeError
from vae_explorer.model.trained import Check, TrainedVAE, unchecked
from vae_explorer.model.vae import VAE
from vae_explorer.training.adamw import AdamW
from vae_explorer.training.checks import check_branch, check_fits
from vae_explorer.training.device import choose_device, keep_freed_memory
from vae_explorer.training.distributed import ALONE, Team
from vae_explorer.training.held_out import figures_while_wanted, marginal_points
from vae_explorer.training.history import LONGEST_HISTORY, HistoryPoint, thinned
from vae_explorer.training.objective import Objective, effective_beta
from vae_explorer.training.pixels import mean_of, rows_of
from vae_explorer.training.recipe import STEERABLE, Recipe
from vae_explorer.training.schedule import learning_rate
from vae_explorer.training.snapshot import Change, DataReference, Snapshot
from vae_explorer.training.tensors import fill

REPORT_STEPS = 20
"""Steps between two reports."""

GLOBAL_STREAM = threading.Lock()
"""Held by who draws from it: two trainers may be made at once, as by an estimate beside a run."""


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
    """Trains one VAE by one recipe on one image set, resumable to the last bit of one machine.

    Everything random comes from three private generators: weights from ``seed``, the order of an
    epoch from (``seed``, epoch), binarisation and ε from a stream whose state is saved. The last
    ``validation_images`` of the set are held out; without any, held-out figures stay None.

    Args:
        recipe: what to compute; ``recipe`` is it as steered since.
        data: labels are not used.
        device: see ``choose_device``.
        team: the processes that train this VAE together. Each has a trainer, takes the same steps
            at the same time and computes its part of every batch; the rank that leads has all
            figures and a state from which any number of processes goes on.

    Raises:
        DataError: nothing is left to train on, a batch has fewer images than there are processes,
            or the device is not there.
    """

    def __init__(
        self, recipe: Recipe, data: ImageSet, device: str = "auto", team: Team = ALONE
    ) -> None:
        count = check_fits(recipe, data, team)
        self.recipe = recipe
        self.team = team
        self.device = choose_device(device)
        keep_freed_memory()
        self.data = DataReference.of(data)
        self.step = 0
        self.given_up: Callable[[], bool] = bool
        """Asked while held-out figures take long: whether nobody waits for them any more."""
        self.seconds = 0.0
        """Spent in steps and held-out figures."""
        self.history: list[HistoryPoint] = []
        self.changes: list[Change] = []
        pixels = rows_of(data.images)
        self._train, self._held_out = pixels.to(self.device).tensor_split([count])
        self.steps_per_epoch = math.ceil(count / recipe.batch_size)
        self.total_steps = recipe.epochs * self.steps_per_epoch
        with GLOBAL_STREAM, torch.random.fork_rng(devices=[]):
            # nn.Linear draws its weights from the global stream; borrow it, then put it back.
            torch.manual_seed(recipe.seed)
            self.vae = VAE(recipe.architecture(data.image_shape))
        self.vae.set_output_bias(mean_of(pixels[:count]) / 255)
        self.vae.to(self.device)
        self.exact_every = math.ceil(2 * marginal_points(self.vae) / count)
        """Epochs from one log p(x) to the next, which costs a part of training on those."""
        self.rate = recipe.learning_rate
        """Of the last step."""
        self._weights = list(self.vae.parameters())
        self._optimizer = AdamW(dict(self.vae.named_parameters()))
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
            event = self.take_step()
            if event or interrupted():
                yield event or Turn(self.step)

    def take_step(self, before_update: Callable[[], object] = lambda: None) -> StepMetrics | None:
        """Take one step, and report if a report is due.

        ``before_update`` is called when the gradients are there, clipped, and the weights are
        still the old ones.

        Raises:
            DivergedError: a term of the loss or the gradient is NaN or infinite. The step is not
                taken: the trainer is as it was before it.
        """
        begin = time.perf_counter()
        noise = self.noise.get_state()
        batch = self._next_batch()
        x = treat(batch.float().div_(255), self.recipe.treatment, self.noise)
        low = self.recipe.precision == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=low):
            result = self._objective(self.recipe, x, self.noise, self.epoch)
        torch.autograd.backward(result.loss)
        gradients = [weight.grad for weight in self._weights if weight.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        terms, value = result.terms, result.value
        with torch.no_grad():
            sums = [terms.log_likelihood.sum(), terms.kl.sum(), value.sum(), norm]
            images = torch.full_like(norm, len(batch))
            added = torch.stack([*sums, torch.ones_like(norm), images])
        self.team.add_up(added[:3])
        self.value = added[2] / len(batch)
        if not added.isfinite().all():
            self.vae.zero_grad()
            self.noise.set_state(noise)
            raise self._diverged(added)
        if self.recipe.gradient_clip and norm > self.recipe.gradient_clip:
            limit = self.recipe.gradient_clip
            torch.nn.utils.clip_grads_with_norm_(self._weights, limit, norm)
        self.rate = learning_rate(self.recipe, self.step, self.total_steps)
        before_update()
        self._optimizer.step(self.rate, self.recipe.weight_decay)
        self.vae.zero_grad()
        self.step += 1
        self._sums += added
        epoch_over = self.step % self.steps_per_epoch == 0
        held_out = self.held_out_figures() if epoch_over else {}
        self.seconds += time.perf_counter() - begin
        if epoch_over:
            return EpochMetrics(self.step, *self._report(held_out))
        return StepMetrics(self.step, *self._report({})) if self.step % REPORT_STEPS == 0 else None

    def steer(self, /, **changes: float) -> None:
        """Give fields of ``STEERABLE`` another value from the next step on.

        Raises:
            RecipeError: a field is not one of them, or a value out of range; nothing is changed.
        """
        for field in changes.keys() - set(STEERABLE):
            raise RecipeError(
                f"Recipe field '{field}' cannot change while a run is under way; "
                f"choose one of {', '.join(STEERABLE)}."
            )
        before, self.recipe = self.recipe, self.recipe.replace(**changes)
        self._note_changes(before)

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
        seconds = torch.tensor(self.seconds, dtype=torch.float64)
        rest = {"noise": self.noise.get_state(), "sums": self._sums, "seconds": seconds}
        return tensors | self._averages() | rest

    def restore(self, snapshot: Snapshot, state: Mapping[str, Tensor]) -> None:
        """Go on from ``snapshot`` and the ``state`` saved with it.

        Raises:
            KeyError, RuntimeError, TypeError, ValueError: the state does not fit the recipe.
        """
        self._go_on_from(snapshot)
        for name, average in self._averages().items():
            fill(average, state[name])
        self.noise.set_state(state["noise"])
        # Neither was kept by earlier versions, which saved when the sums were 0.
        seconds = torch.zeros((), dtype=torch.float64)
        fill(self._sums, state.get("sums", self._sums))
        fill(seconds, state.get("seconds", seconds))
        self.seconds = seconds.item()

    def branch(self, snapshot: Snapshot) -> None:
        """Go on from a model alone, by a recipe that may differ; AdamW's averages start from zero.

        ``step`` and the steps of ``changes`` are then in batches of this recipe's size.

        Raises:
            CheckpointError: as ``check_branch``.
        """
        shape = self.vae.architecture.image_shape
        step = check_branch(self.recipe, shape, self.data.images, snapshot)
        self._go_on_from(snapshot)
        self.step, scale = step, step / max(snapshot.step, 1)
        self.changes = [replace(one, step=round(one.step * scale)) for one in self.changes]
        self._note_changes(snapshot.recipe)
        self.seconds = max((point.seconds or 0.0 for point in snapshot.history), default=0.0)

    def _go_on_from(self, snapshot: Snapshot) -> None:
        self.vae.load_state_dict(snapshot.model.state_dict())
        self.step = snapshot.step
        self.history = list(snapshot.history)
        self.changes = list(snapshot.changes)

    def _note_changes(self, before: Recipe) -> None:
        for field in STEERABLE:
            value = getattr(self.recipe, field)
            if value != getattr(before, field):
                # Of several at one step the last one counts.
                others = [c for c in self.changes if (c.step, c.field) != (self.step, field)]
                self.changes = [*others, Change(self.step, field, value)]

    def _averages(self) -> dict[str, Tensor]:
        """AdamW's own, by the names they are saved under."""
        return {
            f"optimizer.{name}.{key}": value
            for name, averages in self._optimizer.averages.items()
            for key, value in averages.items()
        }

    @cached_property
    def _objective(self) -> Callable[..., Objective]:
        # Not before the first step: processes wait for each other to set it up.
        return self.team.objective(self.vae)

    def _next_batch(self) -> Tensor:
        epoch, position = divmod(self.step, self.steps_per_epoch)
        if epoch != self._order_epoch:
            generator = torch.Generator().manual_seed(self.recipe.seed * 1_000_003 + epoch)
            order = torch.randperm(len(self._train), generator=generator)
            self._order, self._order_epoch = order.to(self.device), epoch
        size = self.recipe.batch_size
        return self._train.index_select(0, self._order[position * size : (position + 1) * size])

    def _diverged(self, added: Tensor) -> DivergedError:
        terms = ("the log-likelihood", "the KL term", "the objective", "the gradient")
        term = next(name for name, sum_ in zip(terms, added, strict=False) if not sum_.isfinite())
        return DivergedError(
            f"Training diverged at step {self.step + 1:,} (epoch {self.epoch:.2f}): {term} is not "
            "finite. The model of the step before is kept. Lower the learning rate or set a lower "
            "gradient clip, and resume from an earlier snapshot or start again."
        )

    def _report(self, held_out: Mapping[str, Any]) -> tuple[int, HistoryPoint]:
        """Put a point into the history; the images it is the mean of, and the point."""
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
            **held_out,
        )
        if len(self.history) >= LONGEST_HISTORY:
            self.history = thinned(self.history)
        self.history.append(point)
        return round(images), point

    @property
    def exact_due(self) -> bool:
        """Whether log p(x) is among the figures of this epoch; it is of the last one."""
        return self.finished or self.step // self.steps_per_epoch % self.exact_every == 0

    def held_out_figures(
        self, check: Check = unchecked, *, exact: bool | None = None
    ) -> dict[str, Any]:
        """The model as it is now on the held-out images, by their names in ``HistoryPoint``.

        With log p(x) if it is due or ``exact``. They are none if ``given_up`` says so while they
        take long; what ``check``, which is called between chunks, raises ends the work.
        """
        if not (len(self._held_out) and self.team.leads):
            return {}
        exact = self.exact_due if exact is None else exact
        given = self.vae, self._held_out, self.recipe.treatment, check, self.given_up
        return figures_while_wanted(*given, exact=exact)
