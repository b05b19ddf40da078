"""Checkpoints: a snapshot as one safetensors file. No pickle, in or out."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vae_explorer.errors import CheckpointError, UserError
from vae_explorer.model.architecture import Architecture
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.model.vae import VAE
from vae_explorer.training.history import from_csv, to_csv
from vae_explorer.training.recipe import STEERABLE, Recipe
from vae_explorer.training.snapshot import Change, DataReference, Snapshot
from vae_explorer.training.tensors import read_tensors, write_tensors


def write_checkpoint(snapshot: Snapshot, path: Path) -> None:
    """Save a snapshot atomically.

    Raises:
        CheckpointError: the file cannot be written; an old file of that name is intact.
    """
    write_tensors(path, snapshot.model.state_dict(), header(snapshot))


def read_checkpoint(path: Path) -> Snapshot:
    """Load a snapshot.

    Raises:
        CheckpointError: everything ``read_tensors`` refuses, and tensors whose names, shapes or
            types do not fit the recipe, NaN or infinite weights, a bad recipe or history.
    """
    return parse_snapshot(path, *read_tensors(path))


def header(snapshot: Snapshot) -> dict[str, str]:
    """The text fields that go with a snapshot's tensors."""
    return {
        "recipe": snapshot.recipe.to_toml(),
        "image_shape": json.dumps(snapshot.model.image_shape),
        "data": json.dumps(dataclasses.asdict(snapshot.data)),
        "progress": json.dumps({"epoch": snapshot.epoch, "step": snapshot.step}),
        "history": to_csv(snapshot.history),
        "changes": json.dumps([dataclasses.astuple(change) for change in snapshot.changes]),
    }


def parse_snapshot(
    path: Path, tensors: Mapping[str, Tensor], fields: Mapping[str, str]
) -> Snapshot:
    """Check tensors and header fields against each other and build the snapshot.

    ``path`` is named in errors, which are those of ``read_checkpoint``.
    """
    try:
        recipe = Recipe.parse(fields["recipe"], str(path))
        height, width = json.loads(fields["image_shape"])
        data = DataReference(**_values(fields["data"], name=str, fingerprint=str, images=int))
        progress = _values(fields["progress"], epoch=float, step=int)
        history = from_csv(fields["history"])
        changes = _changes(fields.get("changes", "[]"), recipe)
    except (KeyError, TypeError, ValueError, RecursionError, UserError) as error:
        raise CheckpointError(f"{path} is damaged: bad header ({error}).") from error
    if not (type(height) is type(width) is int and 1 <= height <= 512 and 1 <= width <= 512):
        raise CheckpointError(f"{path} is damaged: bad image shape {height}×{width}.")
    vae = build(path, recipe.architecture((height, width)), tensors)
    model = TrainedVAE(vae, recipe.treatment)
    return Snapshot(model, recipe, data, history, progress["epoch"], progress["step"], changes)


def _changes(text: str, recipe: Recipe) -> tuple[Change, ...]:
    """What was steered, each a step, a field and a value that the recipe could have."""
    kinds = {field: (type(getattr(recipe, field)), Recipe.specs()[field]) for field in STEERABLE}
    changes = tuple(Change(step, field, value) for step, field, value in json.loads(text))
    for change in changes:
        kind, spec = kinds[change.field]
        if type(change.value) is not kind or not spec.low <= change.value <= spec.high:
            raise ValueError(f"{change.field} changed to {change.value!r}")
        if type(change.step) is not int or not 0 <= change.step < 2**63:
            raise ValueError(f"a change at step {change.step!r}")
    return changes


def _values(text: str, **types: type) -> dict[str, Any]:
    """A JSON object with just these keys, whose texts have that type and whose numbers count."""
    values = json.loads(text)
    if not isinstance(values, dict) or {key: type(values[key]) for key in values} != types:
        raise ValueError(f"expected {', '.join(types)}; found {text[:80]}")
    for value in values.values():
        if not isinstance(value, str) and not 0 <= value < 2**63:
            raise ValueError(f"a number out of range in {text[:80]}")
    return values


def build(path: Path, architecture: Architecture, tensors: Mapping[str, Tensor]) -> VAE:
    """A VAE with these weights, after checking names, shapes, types and that all are finite."""
    with torch.device("meta"):  # sizes without memory: a lying header must not allocate
        vae = VAE(architecture)
    expected = vae.state_dict()
    for name in sorted(expected.keys() ^ tensors.keys()):
        problem = "lacks" if name in expected else "has an unknown tensor"
        raise CheckpointError(f"{path} does not fit its recipe: it {problem} '{name}'.")
    for name, tensor in tensors.items():
        wanted = expected[name]
        if tensor.shape != wanted.shape or tensor.dtype != wanted.dtype:
            raise CheckpointError(
                f"{path} does not fit its recipe: "
                f"'{name}' is {tensor.dtype} {tuple(tensor.shape)}, "
                f"it should be {wanted.dtype} {tuple(wanted.shape)}."
            )
        if not bool(tensor.isfinite().all()):
            raise CheckpointError(
                f"{path} holds NaN or infinite weights in '{name}'; "
                "the training that wrote it diverged. Open an earlier checkpoint."
            )
    vae.load_state_dict(dict(tensors), assign=True)
    return vae
