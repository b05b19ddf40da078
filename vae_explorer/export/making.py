"""Exports are made, and made again."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from vae_explorer.data.bundled import mnist_dataset
from vae_explorer.data.dataset import Dataset
from vae_explorer.data.opening import open_images
from vae_explorer.errors import ExportError
from vae_explorer.export.about import MOST, VERSION, About, about, model_reference, read_about
from vae_explorer.export.content import export_content
from vae_explorer.export.embedding import embedded, holds_text
from vae_explorer.export.kinds import KINDS, Kind, kind_of
from vae_explorer.export.requests import Request
from vae_explorer.export.source import Progress, Source
from vae_explorer.files import read_bytes
from vae_explorer.paths import bundled_checkpoint, bundled_models, model_path
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.training.device import threads_of_window
from vae_explorer.training.snapshot import BUNDLED, Snapshot


def unheard(_: float) -> None:
    """The ``Progress`` of which nobody hears."""


@threads_of_window()
def made(
    request: Request,
    source: Source,
    suffix: str,
    progress: Progress = unheard,
    told: About | None = None,
) -> tuple[bytes, bytes | None]:
    """The content of a file, and of the text beside it if it cannot carry one.

    Args:
        request: what to make.
        source: of what.
        suffix: of the file's name, in small letters.
        progress: is told how far it is.
        told: what the file says of its making, by default what there is to say now.
    """
    content = kind_of(request).make(request, source, suffix, progress)
    text = (told or about(request, source)).text
    if holds_text(suffix):
        return embedded(content, suffix, text), None
    return content, f"{text}\n".encode()


def write(request: Request, source: Source, path: Path, progress: Progress = unheard) -> str:
    """Make a file; gives back what there is to say of how good it is, if anything is.

    Raises:
        ExportError: the suffix is none of the kind's, it cannot be made or cannot be written.
    """
    kind, suffix = kind_of(request), path.suffix.lower()
    check_suffix(kind, path)
    content, text = made(request, source, suffix, progress)
    said = kind.checked(request, source, suffix, content)
    export_content(path, content, text)
    return said


def check_suffix(kind: Kind, path: Path) -> None:
    """Refuse what is no format of a kind, by an ExportError."""
    if path.suffix.lower() not in kind.suffixes:
        raise ExportError(f"The name of {path} must end in {' or '.join(kind.suffixes)}.")


def export(
    kind: str,
    path: str | Path,
    model: Snapshot | str | Path = "",
    *,
    data: Dataset | str | Path | None = None,
    workspace: Mapping[str, Any] | None = None,
    rotation: ArrayLike | None = None,
    **fields: Any,
) -> None:
    """Write a file, the same to the byte as the window and the command line do.

    Args:
        kind: such as "manifold"; ``vae-explorer export --help`` lists them.
        path: the file, whose suffix is its format; one that is there is replaced.
        model: a checkpoint by its path, a bundled model by its name, or a snapshot.
        data: what the model is shown on, if not the images that it was trained on; "MNIST" is that.
        workspace: the JSON of a workspace, for what shows the map.
        rotation: how the plane is turned, (2, 2).
        fields: of the request, see ``vae_explorer.export.requests``.

    Raises:
        UserError: the kind, a field, the model or the data are not known, or the file cannot be
            written; an older one is intact.
    """
    if kind not in KINDS:
        raise ExportError(f"There is no export {kind!r}; choose one of {', '.join(KINDS)}.")
    request = KINDS[kind].request.from_dict(fields)
    check_suffix(KINDS[kind], Path(path))
    write(request, source_of(model, data, workspace, rotation), Path(path))


def source_of(
    model: Snapshot | str | Path,
    data: Dataset | str | Path | None = None,
    workspace: Mapping[str, Any] | None = None,
    rotation: ArrayLike | None = None,
) -> Source:
    """A source from what a program or a command line names; see ``export``."""
    path = None if isinstance(model, Snapshot) else model_path(model or bundled_checkpoint())
    snapshot = model if isinstance(model, Snapshot) else read_checkpoint(path or model)
    turned = None if rotation is None else np.array(rotation, np.float64).reshape(2, 2)
    if data is None:
        return Source(snapshot, path, turned, None, workspace)
    if isinstance(data, Dataset):
        given = data
    else:
        given = mnist_dataset() if data == BUNDLED.name else open_images(Path(data))
    return Source(snapshot, path, turned, lambda: given, workspace)


@dataclass(frozen=True)
class Remade:
    """A file made again, the ``text`` beside it, and how it ``differs``, "" if it does not."""

    content: bytes
    text: bytes | None
    differs: str


def remake(
    path: Path, model: Path | None = None, data: Path | None = None, progress: Progress = unheard
) -> Remade:
    """Make an exported file again by what it says, and compare.

    Args:
        path: the file.
        model: the checkpoint, if it is elsewhere than the file says.
        data: likewise.
        progress: is told how far it is.

    Raises:
        UserError: the file says nothing, the model or its data are not there, or it is not what
            was meant.
    """
    told = read_about(path)
    if told is None:
        raise ExportError(f"{path} does not say how it was made; only exports can be made again.")
    source = source_told(told, model, data, path)
    here = replace(told, version=VERSION)
    suffix = path.suffix.lower()
    content, text = made(told.asked, source, suffix, progress, here)
    before = read_bytes(path, "an exported file", ExportError, most=MOST)
    return Remade(content, text, "" if content == before else _differs(told, content, before))


def source_told(told: About, model: Path | None, data: Path | None, path: Path) -> Source:
    """What a file says it was made from; ``model`` and ``data`` are elsewhere, ``path`` the file.

    Raises:
        UserError: see ``remake``.
    """
    named, of = told.model, f"{path} was made from"
    place = model or bundled_models().get(named.name or "") or (named.path and Path(named.path))
    if not place:
        raise ExportError(f"{of} a model that lay in no file; name one by --model.")
    if model is None and not Path(place).exists():
        raise ExportError(f"{of} {place}, which is not there any more; name it by --model.")
    source = source_of(place, data or told.data_path, told.workspace, told.rotation)
    found = model_reference(source).sha256
    if found != named.sha256:
        raise ExportError(
            f"{of} another model than {place}: its weights have the SHA-256 {named.sha256[:12]}…, "
            f"not {found[:12]}…. Name the right one by --model."
        )
    if told.data and source.data.fingerprint != told.data.fingerprint:
        raise ExportError(f"{of} {told.data.name}, not {source.data.name}; name it by --data.")
    return source


def _differs(told: About, content: bytes, before: bytes) -> str:
    if told.version != VERSION:
        return f"it was made by VAE Explorer {told.version}, and this is {VERSION}"
    try:
        pictures = [Image.open(io.BytesIO(one)) for one in (before, content)]
        old, new = (np.asarray(picture.convert("RGBA")) for picture in pictures)
    except (OSError, ValueError):  # no picture, or a damaged one
        pass
    else:
        if old.shape == new.shape:
            changed = (old != new).any(2)
            if not changed.any():
                return "every pixel is, but not what else is in the file"
            by = np.abs(old.astype(int) - new).max()
            return f"{changed.sum():,} of {changed.size:,} pixels differ, by up to {by} of 255"
    return (
        "the same request of the same model gave other bytes, so the file was changed, or this "
        "machine or its libraries (PyTorch, Pillow, Qt) are others"
    )
