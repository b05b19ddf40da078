"""For lessons that are about MNIST, whatever data the map shows."""

from vae_explorer.data.bundled import mnist_dataset
from vae_explorer.data.dataset import size_text
from vae_explorer.errors import DataError
from vae_explorer.model.trained import TrainedVAE


def check_reads_mnist(model: TrainedVAE) -> None:
    """Refuse a model that cannot read the digits of a lesson.

    Raises:
        DataError: it reads images of another size.
    """
    wanted = mnist_dataset().image_shape
    if model.image_shape != wanted:
        raise DataError(
            f"This lesson is about MNIST, whose images are {size_text(wanted)} pixels; the model "
            f"on the map reads images of {size_text(model.image_shape)}. Open one of File ▸ "
            "Bundled Models."
        )
