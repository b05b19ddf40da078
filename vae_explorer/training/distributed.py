"""One training run on several processes, on one machine or more, as ``torchrun`` starts them.

Every process draws the random numbers of the whole batch and uses those of its own images, and the
gradients are averaged as weighed by their number: the steps are those of a single process but for
the order of sums.
"""

import atexit
import dataclasses
import gc
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import Generator, Tensor, nn
from torch import distributed as dist
from torch.nn.parallel import DistributedDataParallel

from vae_explorer.errors import DataError, UserError
from vae_explorer.model.gaussian import Part
from vae_explorer.model.vae import VAE
from vae_explorer.training.device import choose_device
from vae_explorer.training.objective import Objective, objective
from vae_explorer.training.recipe import Recipe

_PATIENCE = timedelta(minutes=10)
"""How long one process waits for another, which may be saving or scoring held-out images."""


class EndedElsewhereError(Exception):
    """Another process of the team failed, and tells why."""


@dataclass(frozen=True)
class Team:
    """The processes that train one model: ``rank`` is this one's number of ``size``.

    ``local_size`` of them share this machine, among which it is ``local_rank``. All must call the
    methods that speak of all, in the same order; alone, they do nothing.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    local_size: int = 1

    @property
    def leads(self) -> bool:
        """True for the one process that prints and writes."""
        return self.rank == 0

    def part(self, images: int) -> Part:
        """This process's part of a batch; no two differ by more than one image."""
        start, stop = (images * rank // self.size for rank in (self.rank, self.rank + 1))
        return Part(start, stop, images)

    def device(self, name: str = "auto") -> str:
        """The device of this process: on CUDA a GPU of its own, which becomes the current one.

        Raises:
            DataError: as ``choose_device``, there is not a GPU for each, or all are given one.
        """
        device = choose_device(name)
        if self.size == 1:
            return str(device)
        if device.index is not None:
            raise DataError(f"Several processes cannot share '{name}'; choose cuda, one for each.")
        kind = device.type
        if kind == "mps":
            if name == "auto":
                return "cpu"
            raise DataError("Several processes cannot share 'mps'; choose cpu, or start only one.")
        if kind == "cuda":
            if self.local_size > torch.cuda.device_count():
                raise DataError(
                    f"{self.local_size} processes share {torch.cuda.device_count()} GPUs; start "
                    "one for each, or choose --device cpu."
                )
            torch.cuda.set_device(self.local_rank)
        return kind

    def objective(self, vae: VAE) -> Callable[..., Objective]:
        """``objective`` of ``vae``, called as f(recipe, x, generator, epoch) with a whole batch.

        It gives this process's part. When its loss is differentiated, the gradients of all
        processes become that of the loss of the whole batch.
        """
        if self.size == 1:
            return lambda recipe, *moment: objective(recipe, vae, *moment)
        return DistributedDataParallel(ObjectivePart(vae, self))

    def add_up(self, sums: Tensor) -> None:
        """Replace ``sums``, any shape, by the sums over all processes."""
        if self.size > 1:
            dist.all_reduce(sums)

    def any(self, wish: bool = False) -> bool:
        """Whether one of the processes wishes so.

        Raises:
            EndedElsewhereError: one of them is not here, as it failed, see ``united``.
        """
        wished, failed = self._exchange(wish, failed=False)
        if failed is not None:
            raise EndedElsewhereError
        return wished

    @contextmanager
    def united(self) -> Iterator[None]:
        """What all processes do; when one fails, the others end at their next ``any``.

        Raises:
            UserError: of the body, in the first process that failed.
            EndedElsewhereError: in the others.
        """
        try:
            yield
            self.any()
        except UserError:
            _, failed = self._exchange(False, failed=True)
            if failed != self.rank:
                raise EndedElsewhereError from None
            raise

    def _exchange(self, wish: bool, failed: bool) -> tuple[bool, int | None]:
        """Whether somebody wishes, and the first who failed."""
        if self.size == 1:
            return wish, 0 if failed else None
        said = torch.tensor([int(wish), self.size - self.rank if failed else 0])
        dist.all_reduce(said, dist.ReduceOp.MAX)
        wished, first = said.tolist()
        return bool(wished), self.size - first if first else None


ALONE = Team()


class ObjectivePart(nn.Module):
    """A process's part of the objective, as a module, of which gradients can be averaged."""

    def __init__(self, vae: VAE, team: Team) -> None:
        super().__init__()
        self.vae = vae
        self._team = team

    def forward(self, recipe: Recipe, x: Tensor, generator: Generator, epoch: float) -> Objective:
        """Of the whole batch x (n, pixels): see ``Team.objective``."""
        part = self._team.part(len(x))
        result = objective(recipe, self.vae, x[part.rows], generator, epoch, part)
        # So that the mean over processes is the mean over images.
        weight = self._team.size * (part.stop - part.start) / part.whole
        return dataclasses.replace(result, loss=weight * result.loss)


@contextmanager
def joined() -> Iterator[Team]:
    """Meet the processes that ``torchrun`` started: by NCCL on CUDA, by Gloo elsewhere.

    Alone, there is nobody to meet.
    """
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
    team = Team(*(int(os.environ[name]) for name in names))
    if team.size == 1:
        yield team
        return
    nccl = torch.cuda.is_available() and dist.is_nccl_available()
    # Gloo's threads live as long as a DistributedDataParallel, which is part of a cycle, and abort
    # if they end after the interpreter (pytorch/pytorch#179291).
    atexit.register(gc.collect)
    dist.init_process_group("cpu:gloo,cuda:nccl" if nccl else "gloo", timeout=_PATIENCE)
    try:
        yield team
    finally:
        dist.destroy_process_group()
