"""A tiny model trained on real digits, and the command line called in this process."""

from collections.abc import Callable
from pathlib import Path

import click.testing
import pytest

from tests.support.models import TINY
from vae_explorer.cli import main
from vae_explorer.data.dataset import ImageSet
from vae_explorer.training.checkpoint import write_checkpoint
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run import train


@pytest.fixture(scope="session")
def tiny_recipe() -> Recipe:
    """Learns next to nothing, in no time."""
    return TINY.replace(epochs=1, batch_size=100)


@pytest.fixture(scope="session")
def checkpoint(
    tiny_recipe: Recipe, mnist_small: ImageSet, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """One epoch on 500 digits. Not to be changed."""
    path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    write_checkpoint(train(tiny_recipe, mnist_small.subset(slice(500))), path)
    return path


Cli = Callable[..., click.testing.Result]


@pytest.fixture
def cli() -> Cli:
    """Call ``vae-explorer`` with these words; an exception other than an exit fails the test."""

    def call(*words: object) -> click.testing.Result:
        runner = click.testing.CliRunner(catch_exceptions=False)
        return runner.invoke(main, [str(word) for word in words])

    return call


@pytest.fixture
def refused(cli: Cli) -> Callable[..., str]:
    """Call it with words that must be refused, and give the one message it prints."""

    def call(*words: object) -> str:
        result = cli(*words)
        assert result.exit_code == 2
        assert result.stdout == ""
        assert "Traceback" not in result.stderr
        assert result.stderr.count("Error: ") == 1
        return result.stderr.partition("Error: ")[2].strip()

    return call


@pytest.fixture
def locked_folder(tmp_path: Path) -> Path:
    """A folder in which nobody may make a file, root included."""
    return Path("/sys") if Path("/sys/kernel").is_dir() else tmp_path / "file" / "below"
