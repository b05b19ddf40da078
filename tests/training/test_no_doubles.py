"""Apple's GPU has no float64: nothing that trains may make one there.

The CPU stands in for the device. What a program computes on its own CPU is told apart by its
origin: numbers made without a device, what ``.cpu()`` gave, and what came of such alone.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from typing_extensions import override

from tests.support.trainers import NewTrainer
from vae_explorer.latent import lattice
from vae_explorer.model.architecture import NETWORKS
from vae_explorer.training.recipe import OBJECTIVES
from vae_explorer.training.trainer import Trainer


def _tensors(values: object) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(values) if isinstance(leaf, Tensor)]


def _check(tensor: Tensor, func: object) -> None:
    assert tensor.dtype != torch.float64, f"{func} makes a float64 on the device"


class _Refuse(TorchDispatchMode):
    @override
    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        given, result = _tensors((args, kwargs)), func(*args, **kwargs)
        on_device = [tensor for tensor in given if not hasattr(tensor, "at_home")]
        at_home = not on_device and "generator" not in kwargs
        for tensor in _tensors(result):
            if at_home:
                tensor.at_home = True  # type: ignore[attr-defined]
            elif not hasattr(tensor, "at_home"):
                _check(tensor, func)
        return result


class _Fetch(TorchFunctionMode):
    @override
    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        if func is Tensor.cpu:
            result = result.detach().clone()
            result.at_home = True
        elif kwargs.get("device") is not None and not _tensors((args, kwargs)):
            for tensor in _tensors(result):
                del tensor.at_home  # type: ignore[attr-defined]
                _check(tensor, func)
        return result


@contextmanager
def no_doubles(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr(lattice, "_WITHOUT_DOUBLES", ("cpu",))
        with _Refuse(), _Fetch():
            yield


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_no_step_and_no_figure_makes_a_double_on_the_device(
    new: NewTrainer, monkeypatch: pytest.MonkeyPatch, objective: str, network: str
) -> None:
    sizes = {"encoder_hidden": "2", "decoder_hidden": "2"} if network == "conv" else {}
    sampled = {"samples": 2} if "iwae" in objective else {}
    with no_doubles(monkeypatch):
        trainer = new(objective=objective, network=network, lattice_points=64, **sizes, **sampled)
        trainer.take_step()
        figures = trainer.held_out_figures()
    assert figures["held_out_elbo"] < 0


@pytest.mark.parametrize(
    "changes",
    [
        {"likelihood": "gaussian", "treatment": "gray"},
        {"precision": "bfloat16"},
        {"objective": "exact", "elbo_share": 0.5, "gradient_clip": 1.0},
    ],
    ids=["gaussian", "bfloat16", "shared"],
)
def test_nor_do_the_other_fields(
    new: NewTrainer, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    with no_doubles(monkeypatch):
        new(lattice_points=64, **changes).take_step()


def test_the_lattice_would_make_one_where_it_may(new: NewTrainer) -> None:
    trainer = new(objective="exact", lattice_points=64)
    with _Refuse(), _Fetch(), pytest.raises(AssertionError, match="float64 on the device"):
        trainer.take_step()


def test_a_double_is_found(trainer: Trainer, monkeypatch: pytest.MonkeyPatch) -> None:
    weight = next(trainer.vae.parameters())
    with no_doubles(monkeypatch):
        weight.detach().cpu().double()
        torch.zeros(2, dtype=torch.float64).sum()
        with pytest.raises(AssertionError, match="float64 on the device"):
            weight.double()
        with pytest.raises(AssertionError, match="float64 on the device"):
            torch.zeros(2, dtype=torch.float64, device="cpu")
