"""Checkpoints of earlier versions, of the same tiny run, and what each was the first to have.

1-width: all layers of one width; no objective, likelihood or activation. 2-hidden-sizes: the layers
one by one. 3-objective: its column of the history. 4-changes: what was steered. 5-checksum: that of
the texts. Each was written by the program of its time.
"""

from pathlib import Path

import numpy as np
import pytest

from vae_explorer.errors import CheckpointError
from vae_explorer.training.checkpoint import parse_snapshot, read_checkpoint, write_checkpoint
from vae_explorer.training.snapshot import Change
from vae_explorer.training.tensors import read_tensors

FILES = sorted((Path(__file__).parent / "checkpoints").glob("*.safetensors"))


def test_every_format_is_kept() -> None:
    assert [file.stem for file in FILES] == [
        "1-width",
        "2-hidden-sizes",
        "3-objective",
        "4-changes",
        "5-checksum",
    ]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_checkpoint_of_an_earlier_version_is_read(file: Path, tmp_path: Path) -> None:
    snapshot = read_checkpoint(file)
    assert (snapshot.epoch, snapshot.step) == (2.0, 4)
    assert snapshot.recipe.encoder_hidden == "4-4"
    assert snapshot.recipe.decoder_hidden == "4"
    assert snapshot.data.name == "noise"
    assert all(np.isfinite(point.objective) for point in snapshot.history)
    assert snapshot.held_out_elbo is not None
    decoded = snapshot.model.decode([[0.3, -0.7]])[0, 0, :3]
    np.testing.assert_allclose(decoded, [0.61471063, 0.60786408, 0.5784241], atol=1e-6)
    steered = (Change(2, "beta", 0.5),) if file.stem[0] in "45" else ()
    assert snapshot.changes == steered
    # And written by this one it is the same model.
    write_checkpoint(snapshot, tmp_path / "now.safetensors")
    again = read_checkpoint(tmp_path / "now.safetensors")
    assert again.recipe == snapshot.recipe
    assert again.history == snapshot.history


def test_a_width_that_makes_no_recipe_is_refused() -> None:
    tensors, texts = read_tensors(FILES[0])
    for bad in ("width = 0", "width = 4.5", "width = -3", 'width = "4"'):
        recipe = texts["recipe"].replace("width = 4", bad)
        assert recipe != texts["recipe"]
        with pytest.raises(CheckpointError, match="recipe"):
            parse_snapshot(FILES[0], tensors, texts | {"recipe": recipe})
