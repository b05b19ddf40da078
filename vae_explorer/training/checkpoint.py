"""Checkpoints: a snapshot as one safetensors file. No pickle, in or out."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, cast

import torch
from msgspec import Meta
from torch import Tensor

from vae_explorer import schema
from vae_explorer.errors import CheckpointError, RecipeError, UserError
from vae_explorer.model.architecture import Architecture
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.model.vae import VAE
from vae_explorer.paths import bundled_models, model_path
from vae_explorer.training.foreign import foreign_folder
from vae_explorer.training.history import from_csv, to_csv
from vae_explorer.training.recipe import STEERABLE, Recipe
from vae_explorer.training.snapshot import Change, DataReference, Snapshot
from vae_explorer.training.tensors import read_tensors, write_tensors
from vae_explorer.types import ImageShape


def write_checkpoint(snapshot: Snapshot, path: str | Path) -> None:
    """Save a snapshot atomically.

    Raises:
        CheckpointError: the file cannot be written; an old file of that name is intact.
    """
    write_tensors(Path(path), snapshot.model.state_dict(), header(snapshot))


def read_checkpoint(path: str | Path) -> Snapshot:
    """Load a snapshot, by its path or, of a bundled model, by its name.

    Raises:
        CheckpointError: everything ``read_tensors`` refuses, and tensors whose names, shapes or
            types do not fit the recipe, NaN or infinite weights, a bad recipe or history.
    """
    path = model_path(path)
    if len(path.parts) == 1 and not path.suffix and not path.exists():
        known = ", ".join(bundled_models())
        raise CheckpointError(f"{path} does not exist, and is none of the bundled models: {known}.")
    if told := foreign_folder(path):
        raise CheckpointError(told)
    return parse_snapshot(path, *read_tensors(path))


def header(snapshot: Snapshot) -> dict[str, str]:
    """The text fields that go with a snapshot's tensors."""
    return {
        "recipe": snapshot.recipe.to_toml(),
        "image_shape": json.dumps(snapshot.model.image_shape),
        "data": json.dumps(schema.storable(snapshot.data)),
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
    source = f"{path} is damaged: bad header"
    values = {
        name: schema.parse_json(text, f"{source}: {name}", CheckpointError)
        if name in ("image_shape", "data", "progress", "changes")
        else text
        for name, text in fields.items()
    }
    head = schema.build(_Header, values, source, CheckpointError, others=True)
    try:
        recipe = _recipe(head.recipe)
        history = from_csv(head.history)
    except UserError as error:
        raise CheckpointError(f"{source}: {error}") from error
    vae = build(path, recipe.architecture(cast(ImageShape, head.image_shape)), tensors)
    return Snapshot(
        TrainedVAE(vae, recipe.treatment),
        recipe,
        head.data,
        history,
        head.progress.epoch,
        head.progress.step,
        tuple(Change(*change) for change in head.changes),
    )


def _recipe(text: str) -> Recipe:
    """A recipe, which in the first files had one width for all layers and their numbers."""
    fields = schema.parse_toml(text, "recipe", RecipeError)
    width = fields.get("width")
    for part in ("encoder", "decoder"):
        depth = fields.get(f"{part}_depth")
        if isinstance(width, int) and isinstance(depth, int):
            del fields[f"{part}_depth"]
            fields[f"{part}_hidden"] = "-".join([str(width)] * min(max(depth, 0), 100))
            fields.pop("width", None)
    return Recipe.from_dict(fields, "recipe")


_Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
_Side = Annotated[int, Meta(ge=1, le=512)]


@dataclass(frozen=True)
class _Progress:
    epoch: Annotated[float, Meta(ge=0, lt=2**63)]
    step: _Count


@dataclass(frozen=True)
class _Header:
    """The text fields, of which all but ``recipe`` and ``history`` are JSON."""

    recipe: str
    image_shape: Annotated[tuple[_Side, ...], Meta(min_length=2, max_length=3)]
    data: DataReference
    progress: _Progress
    history: str
    changes: tuple[tuple[_Count, Annotated[str, schema.one_of(*STEERABLE)], int | float], ...] = ()

    def __post_init__(self) -> None:
        if self.image_shape[2:] not in ((), (3,)):
            raise ValueError(f"“image_shape” has {self.image_shape[2]} channels, not 3")
        for _, field, value in self.changes:
            spec = Recipe.specs()[field]
            whole = isinstance(getattr(Recipe(), field), int)
            if not spec.low <= value <= spec.high or (whole and not isinstance(value, int)):
                raise ValueError(f"“changes” has {value} for {field}")


def build(path: Path, architecture: Architecture, tensors: Mapping[str, Tensor]) -> VAE:
    """A VAE with these weights, after checking names, shapes, types and that all are finite.

    Those in float16, as moments of a run have, become float32.
    """
    tensors = {
        name: tensor.float() if tensor.dtype == torch.float16 else tensor
        for name, tensor in tensors.items()
    }
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
    vae.load_state_dict(tensors, assign=True)
    return vae
