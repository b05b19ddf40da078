"""The recipes that come with the program, on processors with bfloat16 and without."""

import pytest

from vae_explorer import paths
from vae_explorer.paths import model_path
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.training.presets import NAMES, as_computed_here, first_presets, recipe_of
from vae_explorer.training.recipe import Recipe


@pytest.fixture
def processor(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """Of this computer: the faster precision."""
    precision: str = request.param
    name = "vae_explorer.training.device.bfloat16_is_faster"
    monkeypatch.setattr(name, lambda: precision == "bfloat16")
    return precision


@pytest.mark.parametrize("processor", ["float32", "bfloat16"], indirect=True)
def test_all_are_in_the_precision_that_is_faster_here(processor: str) -> None:
    assert {recipe_of(name).precision for name in NAMES} == {processor}
    assert {preset.recipe.precision for preset in first_presets()} == {processor}
    best = Recipe.read(paths.checkpoints() / "mnist-elbo.toml")
    assert recipe_of("best") == best.replace(precision=processor)


@pytest.mark.parametrize("name", ["mnist-elbo", "mnist-exact", "mnist-iwae", "mnist-paper"])
def test_what_is_said_of_a_bundled_model_is_what_it_reached(name: str) -> None:
    last = read_checkpoint(model_path(name)).history[-1]
    said = as_computed_here(name, Recipe()).figure
    kind, figure = said.rsplit(" ", 1)
    reached = last.held_out_elbo if kind == "ELBO" else last.held_out_log_marginal
    assert reached is not None
    assert figure == f"−{-reached:.1f}"


def test_a_recipe_in_float32_stays_as_it_is() -> None:
    found = as_computed_here("anything", Recipe())
    assert found.recipe == Recipe()
    assert (found.seconds, found.figure) == (None, "")


def test_the_defaults_of_a_recipe_are_what_they_were() -> None:
    """A file leaves out what it takes for granted."""
    usual = Recipe.parse("")
    assert (usual.epochs, usual.learning_rate, usual.warmup_steps) == (20, 1.5e-3, 500)
    assert (usual.batch_size, usual.precision, usual.schedule) == (200, "float32", "cosine")
    assert (usual.encoder_hidden, usual.decoder_hidden) == ("512-512-512", "512-512")
