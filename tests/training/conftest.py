"""A recipe that trains in a blink, and what comes of it."""

from pathlib import Path

import pytest

from tests.support.models import TINY
from tests.support.tensor_files import HEADER, TENSORS
from tests.support.trainers import NewTrainer, finish
from vae_explorer.data.dataset import ImageSet
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.training.tensors import write_tensors
from vae_explorer.training.trainer import Trainer


@pytest.fixture(scope="session")
def recipe() -> Recipe:
    """Two epochs of eight steps on 800 images, 200 held out."""
    return TINY.replace(batch_size=100, validation_images=200)


@pytest.fixture(scope="session")
def new(recipe: Recipe, mnist_small: ImageSet) -> NewTrainer:
    """``new(**changes)``: a trainer of ``recipe`` so changed that has not begun."""
    return lambda **changes: Trainer(recipe.replace(**changes), mnist_small, "cpu")


@pytest.fixture(scope="session")
def train(recipe: Recipe, mnist_small: ImageSet) -> NewTrainer:
    """``train(data, **changes)``: a trainer at the end of its recipe."""

    def run(data: ImageSet = mnist_small, **changes: object) -> Trainer:
        return finish(Trainer(recipe.replace(**changes), data, "cpu"))

    return run


@pytest.fixture
def trainer(new: NewTrainer) -> Trainer:
    return new()


@pytest.fixture(scope="session")
def snapshot(new: NewTrainer) -> Snapshot:
    """The end of a run."""
    return finish(new()).snapshot()


@pytest.fixture
def folder(tmp_path: Path, recipe: Recipe) -> RunFolder:
    return RunFolder.create(tmp_path / "runs", recipe)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file.safetensors"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A path that many examples of one property share."""
    return tmp_path_factory.mktemp("desk") / "file.safetensors"


@pytest.fixture
def good(path: Path) -> bytes:
    """The bytes of a good file, which also lies at ``path``."""
    write_tensors(path, TENSORS, HEADER)
    return path.read_bytes()
