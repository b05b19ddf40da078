"""Where models put images, kept on disk, so that the next window need not encode them again."""

import hashlib
import io
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile

import numpy as np
from safetensors import SafetensorError, safe_open

from vae_explorer import paths
from vae_explorer.data.bundled import mnist_dataset
from vae_explorer.data.dataset import Dataset, labels_of
from vae_explorer.errors import RecipeError, UserError
from vae_explorer.files import atomic_write
from vae_explorer.schema import parse_toml
from vae_explorer.session.map.state import MapPoints
from vae_explorer.training.recipe import Recipe
from vae_explorer.types import Float32, Labels, Split

if TYPE_CHECKING:
    from vae_explorer.model.trained import Posterior, TrainedVAE

_VERSION = 1
"""To be raised when a model encodes the same images otherwise than it did."""

_KEPT = 8
"""Files, the newest; of the most images each has five megabytes."""

_FEWEST, _MOST = 5_000, 200_000  # images; fewer are encoded as fast, and more are too large

Codes = tuple[Float32, Float32, Labels]
"""The mean (n, 2) and covariance (n, 2, 2) of q(z|x) of each image, and its class (n,)."""


def codes_file(model: str, architecture: object, rotation: object, images: str) -> Path:
    """Where codes are kept, by the digest of a model's weights and the fingerprint of images."""
    key = repr((_VERSION, model, architecture, rotation, images))
    return paths.codes_cache() / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.npz"


def read_codes(path: Path, n: int) -> Codes | None:
    """The codes of ``n`` images, or None where none are kept, or the file is damaged."""
    with suppress(OSError, ValueError, KeyError, EOFError, BadZipFile):
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as kept:
            mean, covariance, labels = kept["mean"], kept["covariance"], kept["labels"]
        kinds = mean.dtype, covariance.dtype, labels.dtype.kind
        shapes = mean.shape, covariance.shape, labels.shape
        if (kinds, shapes) == ((np.float32, np.float32, "u"), ((n, 2), (n, 2, 2), (n,))):
            return mean, covariance, labels
    return None


def keep_codes(path: Path, codes: Codes) -> None:
    """Keep codes if that is worth it, and let go of the oldest; where it fails, nothing is kept."""
    if not _FEWEST <= len(codes[0]) <= _MOST:
        return
    content = io.BytesIO()
    np.savez(content, mean=codes[0], covariance=codes[1], labels=codes[2])
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(path, content.getvalue())
        files = sorted(path.parent.glob("*.npz"), key=lambda file: file.stat().st_mtime)
        for old in files[:-_KEPT]:
            old.unlink()


def encoded(
    model: "TrainedVAE", data: Dataset, split: Split, check: Callable[[], None]
) -> "tuple[Posterior, Labels]":
    """q(z|x) and the class of each image, as they were kept or are now."""
    from vae_explorer.model.trained import Posterior
    from vae_explorer.training.tensors import digest

    architecture, path = model.vae.architecture, None
    if architecture.network != "outside":  # whose weights do not tell what it does
        rotation = None if model.rotation is None else model.rotation.tolist()
        weights = digest(model.state_dict())
        path = codes_file(weights, architecture, rotation, data.fingerprint_of(split))
    if path and (kept := read_codes(path, data.sizes()[split])):
        mean, covariance, labels = kept
        return Posterior(mean, covariance), labels
    images = data.of(split)
    posterior, labels = model.encode(images.images, check), labels_of(images)
    if path:
        keep_codes(path, (posterior.mean, posterior.covariance, labels))
    return posterior, labels


def kept_points(checkpoint: Path, split: Split) -> MapPoints | None:
    """The points of a model of MNIST as they were kept, told by its header alone, if they were.

    Nothing of it is checked: that is done by who reads the model.
    """
    data = mnist_dataset()
    with suppress(OSError, SafetensorError, ValueError, KeyError, TypeError, UserError):
        with safe_open(checkpoint, "numpy") as file:
            texts = file.metadata()
        if json.loads(texts["data"])["fingerprint"] != data.fingerprint:
            return None
        recipe = Recipe.from_dict(parse_toml(texts["recipe"], "recipe", RecipeError))
        architecture = recipe.architecture(tuple(json.loads(texts["image_shape"])))
        path = codes_file(texts["sha256"], architecture, None, data.fingerprint_of(split))
        n = data.sizes()[split]
        if kept := read_codes(path, n):
            return MapPoints(kept[0], kept[2], np.arange(n), n, split, data)
    return None
