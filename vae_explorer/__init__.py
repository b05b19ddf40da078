"""VAE Explorer: a laboratory for variational autoencoders with a two-dimensional latent space.

The names below load on first use, so that ``import vae_explorer`` costs nothing:

    import vae_explorer as vx
    model = vx.load("mnist-elbo")
    images = model.decode([[0.0, 0.0]])

Images are (n, height, width), in colour (n, height, width, 3), as lists, arrays or tensors:
integers from 0 to 255 or floats in [0, 1]. Latent points are (n, 2). All figures are nats per
image. A path may be a text.
"""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from vae_explorer.data.bundled import mnist
    from vae_explorer.data.dataset import Dataset, ImageSet
    from vae_explorer.data.opening import open_images
    from vae_explorer.data.reading import Reading
    from vae_explorer.errors import (
        CheckpointError,
        DataError,
        DivergedError,
        ExportError,
        RecipeError,
        UserError,
    )
    from vae_explorer.export.making import export
    from vae_explorer.latent.quadrature import ExactPosterior
    from vae_explorer.model.outside import EncoderDecoder
    from vae_explorer.model.plane import Plane
    from vae_explorer.model.trained import Elbo, Posterior, TrainedVAE
    from vae_explorer.training.checkpoint import read_checkpoint, write_checkpoint
    from vae_explorer.training.evaluation import Evaluation, evaluate
    from vae_explorer.training.recipe import Recipe
    from vae_explorer.training.run import train
    from vae_explorer.training.snapshot import Snapshot
    from vae_explorer.types import Float32, Float64

__version__ = "0.1.0"

_HOMES = {
    "CheckpointError": "errors",
    "DataError": "errors",
    "Dataset": "data.dataset",
    "DivergedError": "errors",
    "Elbo": "model.trained",
    "Evaluation": "training.evaluation",
    "ExactPosterior": "latent.quadrature",
    "EncoderDecoder": "model.outside",
    "ExportError": "errors",
    "ImageSet": "data.dataset",
    "Plane": "model.plane",
    "Posterior": "model.trained",
    "Reading": "data.reading",
    "Recipe": "training.recipe",
    "RecipeError": "errors",
    "Snapshot": "training.snapshot",
    "TrainedVAE": "model.trained",
    "UserError": "errors",
    "evaluate": "training.evaluation",
    "mnist": "data.bundled",
    "open_images": "data.opening",
    "read_checkpoint": "training.checkpoint",
    "train": "training.run",
    "write_checkpoint": "training.checkpoint",
}

__all__ = [
    "CheckpointError",
    "DataError",
    "Dataset",
    "DivergedError",
    "Elbo",
    "EncoderDecoder",
    "Evaluation",
    "ExactPosterior",
    "ExportError",
    "ImageSet",
    "Plane",
    "Posterior",
    "Reading",
    "Recipe",
    "RecipeError",
    "Snapshot",
    "TrainedVAE",
    "UserError",
    "evaluate",
    "exact_posterior",
    "explore",
    "export",
    "load",
    "load_checkpoint",
    "log_marginal",
    "manifold",
    "mnist",
    "models",
    "open_images",
    "read_checkpoint",
    "train",
    "write_checkpoint",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"vae_explorer.{_HOMES[name]}"), name)
    if name == "export":  # a package that can be called
        return import_module("vae_explorer.export")
    raise AttributeError(f"module 'vae_explorer' has no attribute '{name}'")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


def models() -> tuple[str, ...]:
    """The names of the bundled models, which ``load`` and the command line know."""
    from vae_explorer import paths

    return tuple(paths.bundled_models())


def load(model: str | Path) -> "TrainedVAE":
    """The model in a checkpoint; ``read_checkpoint`` gives its recipe and history too.

    Args:
        model: the path of a checkpoint, or the name of a bundled model, such as "mnist-iwae".

    Raises:
        CheckpointError: the file is missing, damaged, foreign or newer than this program.
    """
    from vae_explorer.training.checkpoint import read_checkpoint

    return read_checkpoint(model).model


load_checkpoint = load


def log_marginal(model: "TrainedVAE", images: "ArrayLike", seed: int = 0) -> "Float64":
    """The exact log p(x) of each image (n, h, w), (n,) float64 nats; see ``exact_posterior``."""
    return exact_posterior(model, images, seed).log_marginal


def exact_posterior(model: "TrainedVAE", images: "ArrayLike", seed: int = 0) -> "ExactPosterior":
    """The exact log p(x) and p(z|x) of each image, by quadrature; ``model.encode`` gives q(z|x).

    Of the same draw of the model's data treatment as ``model.elbo(images, seed)``, so that the two
    differ by KL(q ‖ p(z|x)). Takes a hundredth of a second an image.

    Args:
        model: gives p(x|z).
        images: (n, h, w); pixels that are 0 or 1 already stay as they are.
        seed: of the draw of pixels, where they are binarised.

    Returns:
        ``.log_marginal`` (n,) and its estimated ``.error``, nats; ``.mean`` (n, 2), ``.mode``,
        ``.covariance`` (n, 2, 2), latent units; ``.entropy`` (n,).

    Raises:
        DataError: as ``TrainedVAE.encode``.
    """
    from vae_explorer.latent.quadrature import exact_posterior

    return exact_posterior(model, model.treated(images, seed))


def explore(
    model: "EncoderDecoder | TrainedVAE | Snapshot | str | Path" = "mnist-elbo",
    images: Any = None,
    **choices: Any,
) -> None:
    """Open the window on a model, and return when it is closed.

    Args:
        model: a checkpoint by its path, a bundled model by its name, a model or snapshot of this
            program, ``"module:make_model"``, or any object with ``encode(images)`` and
            ``decode(z)``, see ``vae_explorer.model.outside``.
        images: what the map shows: (n, h, w) or (n, h, w, 3), as ``ImageSet.from_arrays`` takes
            them, an ``ImageSet``, or a ``Dataset``; MNIST by None.
        choices: of a model from elsewhere: ``likelihood``, ``variance``, ``logits``, ``treatment``,
            ``plane``; see ``vae_explorer.model.outside.outside_model``.

    Raises:
        UserError: the model and the images do not fit, or no window can open here.
    """
    from vae_explorer.session.files.given_model import given_model

    found = given_model(model, images, **choices)
    from vae_explorer.gui.app import main

    main(found)


def manifold(
    model: "TrainedVAE",
    n: int = 20,
    spacing: Literal["quantile", "linear"] = "quantile",
    extent: float = 3.0,
) -> "Float32":
    """A sheet of n × n decoded latent points, (n·h, n·w[, 3]) float32 in [0, 1].

    z₁ grows rightwards, z₂ upwards.

    Args:
        model: decodes.
        n: images a side.
        spacing: "quantile" for equal prior mass between points, "linear" for equal distance.
        extent: with linear spacing, half the side of the sheet, latent units.

    Raises:
        ExportError: n, the spacing or the extent make no sheet.
    """
    from vae_explorer.export.pictures import manifold_sheet

    return manifold_sheet(model, n, spacing, extent)
