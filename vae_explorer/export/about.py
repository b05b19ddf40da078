"""What a file says of its making, by which ``remake`` makes it again."""

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta

from vae_explorer import schema
from vae_explorer.errors import CheckpointError, ExportError
from vae_explorer.export.content import beside
from vae_explorer.export.embedding import extracted, holds_text
from vae_explorer.export.kinds import KINDS, kind_of
from vae_explorer.export.requests import Request
from vae_explorer.export.source import Source
from vae_explorer.files import read_bytes, read_text
from vae_explorer.paths import bundled_models
from vae_explorer.training.meaning import origin
from vae_explorer.training.snapshot import BUNDLED, DataReference, Snapshot, reference
from vae_explorer.training.tensors import digest
from vae_explorer.types import Float64, LatentPoint

VERSION: str = sys.modules["vae_explorer"].__version__
MOST = 4 << 30
"""Bytes of an exported file that is read again."""


@dataclass(frozen=True)
class ModelReference:
    """Which model it is.

    ``sha256`` is of its weights, as in its checkpoint, and "" of a model of another program;
    ``name`` is that of a bundled model, ``path`` where any other lay, both None of one in memory.
    """

    sha256: Annotated[str, Meta(pattern=r"^([0-9a-f]{64})?\Z")]
    name: str | None
    path: str | None


@dataclass(frozen=True)
class About:
    """How a file was made.

    ``data`` are the images that it depends on, if it does, and ``data_path`` where they lay, None
    if they are bundled; ``workspace`` is the view of the map, if it depends on that.
    """

    kind: Annotated[str, schema.one_of(*KINDS)]
    request: dict[str, Any]
    model: ModelReference
    recipe: dict[str, Any]
    source: str
    version: str
    warning: str = ""
    rotation: tuple[LatentPoint, LatentPoint] | None = None
    data: DataReference | None = None
    data_path: str | None = None
    workspace: dict[str, Any] | None = None

    @property
    def asked(self) -> Request:
        """The request.

        Raises:
            ExportError: a field of it is unknown or out of range.
        """
        return KINDS[self.kind].request.from_dict(self.request, f"The request for {self.kind}")

    @property
    def text(self) -> str:
        """As JSON in ASCII, on one line."""
        return json.dumps({"program": "VAE Explorer"} | asdict(self))


def about(request: Request, source: Source) -> About:
    """What a file of this request says."""
    kind, snapshot = kind_of(request), source.snapshot
    told = origin(snapshot)
    place = None
    if kind.data and source.data.source:
        place = str(source.data.source.path.absolute())
    elif kind.data and snapshot.data.fingerprint != BUNDLED.fingerprint:
        place = BUNDLED.name  # of which the model was trained on a part
    return About(
        kind=kind.name,
        request=request.to_dict(),
        model=model_reference(source),
        recipe=snapshot.recipe.to_dict(),
        source=told["Source"],
        version=VERSION,
        warning=told.get("Warning", ""),
        rotation=_rows(source.rotation),
        data=reference(source.data) if kind.data else None,
        data_path=place,
        workspace=dict(source.workspace or {}) if kind.painted else None,
    )


def model_reference(source: Source) -> ModelReference:
    """Which model it is, and where."""
    path = source.path and source.path.resolve()
    names = {file.resolve(): name for name, file in bundled_models().items()}
    name = names.get(path) if path else None
    return ModelReference(
        _hash(source.snapshot),
        name,
        str(path) if path and not name else None,
    )


def _hash(snapshot: Snapshot) -> str:
    try:
        return digest(snapshot.model.state_dict())
    except CheckpointError:
        return ""


def _rows(rotation: Float64 | None) -> tuple[LatentPoint, LatentPoint] | None:
    if rotation is None:
        return None
    (a, b), (c, d) = rotation.tolist()
    return (a, b), (c, d)


def read_about(path: Path) -> About | None:
    """What a file says of its making; None if that is nothing.

    Raises:
        ExportError: it cannot be read, is damaged, or what it says is not understood.
    """
    suffix = path.suffix.lower()
    if holds_text(suffix):
        content = read_bytes(path, "an exported file", ExportError, most=MOST)
        try:
            text = extracted(content, suffix)
        except Exception as error:  # readers of a dozen formats
            raise ExportError(f"{path} is damaged: {error}.") from error
    else:
        other = beside(path)
        there = other.is_file()
        text = read_text(other, "what an export says", ExportError) if there else None
    if text is None:
        return None
    values = schema.parse_json(text, str(path), ExportError)
    if not isinstance(values, dict) or values.pop("program", None) != "VAE Explorer":
        return None  # such as of the first versions
    return schema.build(About, values, f"{path} says how it was made, but", ExportError)
