"""VAE Explorer: a laboratory for variational autoencoders with a two-dimensional latent space.

The names below load on first use, so that ``import vae_explorer`` costs nothing:

    import vae_explorer as vx
    model = vx.load_checkpoint("checkpoints/mnist-elbo.safetensors")
    images = model.decode([[0.0, 0.0]])
"""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vae_explorer.data.bundled import mnist
    from vae_explorer.data.dataset import ImageSet
    from vae_explorer.errors import UserError
    from vae_explorer.model.trained import Elbo, Posterior, TrainedVAE
    from vae_explorer.training.checkpoint import read_checkpoint, write_checkpoint
    from vae_explorer.training.evaluation import evaluate
    from vae_explorer.training.recipe import Recipe
    from vae_explorer.training.run import train
    from vae_explorer.training.snapshot import Snapshot

__version__ = "0.1.0"

_HOMES = {
    "Elbo": "model.trained",
    "ImageSet": "data.dataset",
    "Posterior": "model.trained",
    "Recipe": "training.recipe",
    "Snapshot": "training.snapshot",
    "TrainedVAE": "model.trained",
    "UserError": "errors",
    "evaluate": "training.evaluation",
    "mnist": "data.bundled",
    "read_checkpoint": "training.checkpoint",
    "train": "training.run",
    "write_checkpoint": "training.checkpoint",
}

__all__ = [
    "Elbo",
    "ImageSet",
    "Posterior",
    "Recipe",
    "Snapshot",
    "TrainedVAE",
    "UserError",
    "evaluate",
    "load_checkpoint",
    "mnist",
    "read_checkpoint",
    "train",
    "write_checkpoint",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"vae_explorer.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'vae_explorer' has no attribute '{name}'")


def load_checkpoint(path: str | Path) -> "TrainedVAE":
    """The model in a checkpoint; ``read_checkpoint`` gives its recipe and history too.

    Raises:
        CheckpointError: the file is missing, damaged, foreign or newer than this program.
    """
    from vae_explorer.training.checkpoint import read_checkpoint

    return read_checkpoint(Path(path)).model
