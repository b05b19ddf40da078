"""Models and images that a Python program hands over, or a command line names, to be opened."""

import importlib
import sys
from pathlib import Path
from typing import Any

from vae_explorer.data.bundled import mnist_dataset
from vae_explorer.data.dataset import Dataset, ImageSet
from vae_explorer.errors import CheckpointError, DataError, UserError
from vae_explorer.model.onnx_pair import OnnxPair
from vae_explorer.model.outside import outside_model
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.paths import is_entry_point
from vae_explorer.session.files.open_model import SavedModel
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.training.proposal import fitted
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.snapshot import Snapshot, reference

_TRAINING = 6 / 7
"""Of images that come without a split."""


def made_by(entry: str) -> Any:
    """What the function of ``module:make_model`` gives back.

    The folder of the command line is searched for the module first, as by ``python -m``.

    Raises:
        CheckpointError: it cannot be imported, or it fails.
    """
    module, _, name = entry.partition(":")
    sys.path.insert(0, str(Path.cwd()))
    try:
        make = getattr(importlib.import_module(module), name)
        return make()
    except Exception as error:
        raise CheckpointError(
            f"{entry} gives no model: {type(error).__name__}: {error}. It should name a function "
            "without arguments in a module that can be imported here."
        ) from error
    finally:
        sys.path.remove(str(Path.cwd()))


def dataset_of(images: Any) -> Dataset:
    """A data set itself, or one of images that come without a split: the last 1/7 to test on.

    Raises:
        DataError: they are no images.
    """
    if isinstance(images, Dataset):
        return images
    given = images if isinstance(images, ImageSet) else ImageSet.from_arrays(images)
    if len(given) == 1:
        return Dataset(given.name, given, given)
    return Dataset.cut(given, max(1, min(len(given) - 1, round(len(given) * _TRAINING))))


def given_model(model: Any, images: Any = None, name: str = "", **choices: Any) -> SavedModel:
    """A model to be opened.

    Args:
        model: a ``Snapshot``, a ``TrainedVAE``, the path of a checkpoint or the name of a bundled
            model, ``module:make_model``, an object with encode and decode, or the paths of two
            ONNX files, encoder and decoder.
        images: as ``dataset_of``; MNIST by None.
        name: of the model, for people.
        choices: see ``outside_model``.

    Raises:
        UserError: they do not fit each other, or as ``outside_model``.
    """
    data = mnist_dataset() if images is None else dataset_of(images)
    path = None
    if isinstance(model, str) and is_entry_point(model):
        name, model = name or model, made_by(model)
    elif isinstance(model, tuple | list) and len(model) == 2:
        name = name or " + ".join(Path(file).name for file in model)
        model = OnnxPair(*model)
    elif isinstance(model, str | Path):
        path = Path(model)
        model = read_checkpoint(path)
        path = path if path.exists() else None
        name = name or Path(str(path or "model")).name
    ours = isinstance(model, Snapshot | TrainedVAE)
    name = name or ("a model" if ours else type(model).__name__)
    if choices and ours:
        raise UserError(f"{', '.join(choices)}: only a model from elsewhere is told this.")
    if not isinstance(model, Snapshot):
        if not isinstance(model, TrainedVAE):
            model = outside_model(model, data.train.images, **choices)
        recipe = fitted(Recipe(), data.train).replace(
            likelihood=model.vae.architecture.likelihood, treatment=model.treatment
        )
        model = Snapshot(model, recipe, reference(data), (), 0.0, 0)
    if model.model.image_shape != data.image_shape:
        raise DataError(
            f"The model reads images of shape {model.model.image_shape}, those given are "
            f"{data.image_shape}; give images of its size."
        )
    return SavedModel(path, model, name, data)
