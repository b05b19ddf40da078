"""What others do to files, and how they name them."""

from pathlib import Path

import numpy as np
import pytest

import vae_explorer as vx
from tests.support.models import same_weights
from vae_explorer.cli import main
from vae_explorer.training.snapshot import Snapshot


def test_a_file_cut_short_after_it_was_opened(trained: Snapshot, tmp_path: Path) -> None:
    """Nothing is mapped, so that no page can go away under the program."""
    path = tmp_path / "model.safetensors"
    vx.write_checkpoint(trained, path)
    model = vx.load(path)
    before = model.decode([[0, 1]])
    with path.open("r+b") as stream:
        stream.truncate(100)
    np.testing.assert_array_equal(model.decode([[0, 1]]), before)
    path.unlink()
    assert len(model.encode(vx.mnist("test").images[:5000]).mean) == 5000


@pytest.mark.parametrize(
    "name",
    [
        *("зеро", "七", "🧪", "a b", "100%", "%s", "-model", "a'b", 'a"b', "a\nb", "a;b", "~x"),
        *("x" * 230, "con", ".hidden", "a.b.c", "é", "e\u0301"),
    ],
)
def test_a_name_in_any_letters(name: str, trained: Snapshot, tmp_path: Path) -> None:
    folder = tmp_path / name
    folder.mkdir()
    path = folder / f"{name}.safetensors"
    vx.write_checkpoint(trained, path)
    assert same_weights(vx.read_checkpoint(path), trained)
    recipe = folder / f"{name}.toml"
    trained.recipe.write(recipe)
    assert vx.Recipe.read(str(recipe)) == trained.recipe
    out = folder / f"{name}.png"
    words = ["decode", str(path), "--z", "0", "0", "--out", str(out)]
    main(words, standalone_mode=False)
    assert out.read_bytes().startswith(b"\x89PNG")
