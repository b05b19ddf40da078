"""Some real digits, tiny models trained on them once for all tests, and the bundled model."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from vae_explorer.data import bundled as bundled_data
from vae_explorer.data.bundled import mnist, mnist_dataset
from vae_explorer.data.dataset import ImageSet
from vae_explorer.latent import gap
from vae_explorer.model.trained import Posterior
from vae_explorer.paths import bundled_checkpoint
from vae_explorer.session.map.state import MapPoints
from vae_explorer.training import held_out
from vae_explorer.training.checkpoint import read_checkpoint, write_checkpoint
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run import train
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.snapshot import Snapshot


@pytest.fixture(scope="session")
def mnist_small() -> ImageSet:
    """The first 1,000 training images, real ones."""
    return mnist("train").subset(slice(0, 1_000))


@pytest.fixture(scope="session")
def digits(mnist_small: ImageSet) -> ImageSet:
    """600 training images: ten steps an epoch for ``recipe``."""
    return mnist_small.subset(slice(0, 600))


TINY = Recipe(
    epochs=2,
    batch_size=50,
    encoder_hidden="16",
    decoder_hidden="16",
    fourier_features=4,
    validation_images=100,
)


MARGINAL_POINTS = held_out.MARGINAL_POINTS
"""As in the program."""


@pytest.fixture(scope="session", autouse=True)
def _few_marginal_places() -> Iterator[None]:
    """Of log p(x) after an epoch, which would take two thirds of the time of a tiny run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(held_out, "MARGINAL_POINTS", 100)
        yield


@pytest.fixture(scope="session")
def recipe() -> Recipe:
    """Two epochs of a tiny network, ten steps each on ``digits``: a few hundredths of a second."""
    return TINY


@pytest.fixture(scope="session")
def trained(digits: ImageSet) -> Snapshot:
    return train(TINY, digits, device="cpu")


@pytest.fixture(scope="session")
def run_folder(digits: ImageSet, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """``trained`` as a run; the moments of all its 20 steps are kept. Not to be changed."""
    runs = tmp_path_factory.mktemp("runs")
    train(TINY, digits, runs=runs, device="cpu")
    return RunFolder(next(runs.iterdir()))


@pytest.fixture(scope="session")
def checkpoint(trained: Snapshot, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "tiny.safetensors"
    write_checkpoint(trained, path)
    return path


@pytest.fixture(scope="session")
def mnist_sets(digits: ImageSet) -> dict[str, ImageSet]:
    """By split: 600 training images, 300 test images, and both after each other."""
    test = mnist("test").subset(slice(0, 300))
    assert digits.labels is not None
    assert test.labels is not None
    images = np.concatenate([digits.images, test.images])
    labels = np.concatenate([digits.labels, test.labels])
    return {"train": digits, "test": test, "both": ImageSet(images, labels, "MNIST", "both")}


@pytest.fixture
def small_mnist(
    monkeypatch: pytest.MonkeyPatch, mnist_sets: dict[str, ImageSet]
) -> dict[str, ImageSet]:
    """``mnist_sets`` stand for all of MNIST."""
    monkeypatch.setattr(bundled_data, "mnist", mnist_sets.__getitem__)
    monkeypatch.setattr(bundled_data, "TRAINING_IMAGES", len(mnist_sets["train"]))
    monkeypatch.setattr(bundled_data, "TEST_IMAGES", len(mnist_sets["test"]))
    return mnist_sets


@pytest.fixture
def hardly_refined(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gaps of a model are measured by next to no refining of q, which is a second an image."""
    refine = gap.refine_posterior
    monkeypatch.setattr(
        gap, "refine_posterior", lambda *words, **options: islice(refine(*words, **options), 2)
    )


@pytest.fixture(scope="session")
def bundled() -> Snapshot:
    """The bundled model, as a checkpoint has it."""
    return read_checkpoint(bundled_checkpoint())


@pytest.fixture(scope="session")
def posterior(trained: Snapshot, digits: ImageSet) -> Posterior:
    """q(z|x) of all ``digits``."""
    return trained.model.encode(digits.images)


@pytest.fixture(scope="session")
def points(posterior: Posterior, digits: ImageSet) -> MapPoints:
    """All ``digits`` where ``trained`` encodes them."""
    assert digits.labels is not None
    return MapPoints(posterior.mean, digits.labels, np.arange(600), 600, "train", mnist_dataset())


@pytest.fixture(scope="session")
def other(digits: ImageSet) -> Snapshot:
    """Another training of the same network."""
    return train(TINY.replace(epochs=1, seed=7), digits, device="cpu")


def same_weights(first: Snapshot, second: Snapshot) -> bool:
    """Whether two models are equal to the last bit."""
    ours, theirs = first.model.state_dict(), second.model.state_dict()
    return ours.keys() == theirs.keys() and all(
        torch.equal(ours[name], theirs[name]) for name in ours
    )
