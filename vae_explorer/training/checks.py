"""Whether a run can be begun at all: said before anything is computed or written."""

import math

from vae_explorer.data.dataset import ImageSet
from vae_explorer.data.treatment import first_gray
from vae_explorer.errors import CheckpointError, DataError
from vae_explorer.training.cost import check_size
from vae_explorer.training.distributed import ALONE, Team
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.types import ImageShape


def check_fits(recipe: Recipe, data: ImageSet, team: Team = ALONE) -> int:
    """How many images there are to train on.

    Raises:
        DataError: none, or a batch has fewer than the team has processes.
        RecipeError: a step takes more memory than there is.
    """
    check_size(recipe, data.image_shape)
    if recipe.treatment == "fixed" and (gray := first_gray(data.images)) is not None:
        raise DataError(
            f"The data treatment fixed is for pixels that are 0 or 1 already, and image {gray:,} "
            "has others; choose binarized."
        )
    count = len(data.images) - recipe.validation_images
    if count < 1:
        raise DataError(
            f"{data.name} has {len(data.images):,} images and {recipe.validation_images:,} are "
            "held out, so none are left to train on; lower 'validation_images'."
        )
    smallest = count % recipe.batch_size or recipe.batch_size
    if smallest < team.size:
        raise DataError(
            f"The {count:,} training images in batches of {recipe.batch_size:,} leave "
            f"{smallest:,} in the smallest, and {team.size} processes need one each; choose "
            "another 'batch_size' or fewer processes."
        )
    return count


def check_branch(recipe: Recipe, image_shape: ImageShape, images: int, snapshot: Snapshot) -> int:
    """The step at which a run by a recipe, on a set of this many images, goes on from a model.

    Raises:
        CheckpointError: the model's networks are not the recipe's, or its epochs are over.
    """
    if recipe.architecture(image_shape) != snapshot.model.vae.architecture:
        raise CheckpointError(
            "A branch keeps the networks of its run: leave network, layers, activation, "
            "likelihood, posterior and Fourier features as they are, or start a new run."
        )
    steps_per_epoch = math.ceil((images - recipe.validation_images) / recipe.batch_size)
    step = round(snapshot.epoch * steps_per_epoch)
    if step >= recipe.epochs * steps_per_epoch:
        raise CheckpointError(
            f"This snapshot is of epoch {snapshot.epoch:.2f}, and the recipe ends at "
            f"{recipe.epochs}; raise 'epochs' to branch from here."
        )
    return step
