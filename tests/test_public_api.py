"""What README promises to those who write Python."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import vae_explorer as vx


@pytest.fixture(scope="module")
def run() -> vx.Snapshot:
    """Two steps on the bundled images, most of them held out."""
    return vx.train(
        vx.Recipe(
            epochs=2,
            batch_size=10_000,
            validation_images=50_000,
            encoder_hidden="16",
            decoder_hidden="16",
        )
    )


@pytest.fixture(scope="module")
def model(run: vx.Snapshot, tmp_path_factory: pytest.TempPathFactory) -> vx.TrainedVAE:
    path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    vx.write_checkpoint(run, path)
    return vx.load_checkpoint(str(path))


def test_importing_loads_neither_pytorch_nor_qt() -> None:
    script = """
import sys
import vae_explorer
heavy = {"torch", "PySide6", "shiboken6", "pyqtgraph", "numpy", "scipy", "PIL"}
print(sorted(heavy & sys.modules.keys()))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


@pytest.mark.parametrize("name", vx.__all__)
def test_every_public_name_is_there_and_described(name: str) -> None:
    assert getattr(vx, name).__doc__


def test_other_names_are_not_there() -> None:
    assert not hasattr(vx, "torch")
    assert not hasattr(vx, "gui_of_tomorrow")


def test_train_gives_model_history_and_recipe(run: vx.Snapshot) -> None:
    assert run.epoch == 2
    assert run.step == 2
    assert run.recipe.epochs == 2
    assert run.data.images == 60_000
    assert [point.epoch for point in run.history] == [1, 2]
    assert run.held_out_elbo == run.history[-1].held_out_elbo


def test_decode(model: vx.TrainedVAE) -> None:
    z = np.random.default_rng(0).normal(size=(5, 2)).astype(np.float32)
    means, logits = model.decode(z), model.decode_outputs(z)
    for array in (means, logits):
        assert array.shape == (5, 28, 28)
        assert array.dtype == np.float32
    np.testing.assert_allclose(means, 1 / (1 + np.exp(-logits.astype(float))), atol=1e-6)
    assert model.decode(z[:0]).shape == (0, 28, 28)


def test_encode(model: vx.TrainedVAE) -> None:
    images = vx.mnist("test").images[:6]
    posterior = model.encode(images)
    assert isinstance(posterior, vx.Posterior)
    assert posterior.mean.shape == (6, 2)
    assert posterior.mean.dtype == np.float32
    assert posterior.covariance.shape == (6, 2, 2)
    assert posterior.covariance.dtype == np.float32
    assert (np.linalg.eigvalsh(posterior.covariance) > 0).all()
    np.testing.assert_array_equal(posterior.covariance, posterior.covariance.swapaxes(1, 2))
    for intensities in (images / 255, (images / 255).astype(np.float32)):
        again = model.encode(intensities)
        np.testing.assert_allclose(again.mean, posterior.mean, atol=1e-5)


def test_elbo(model: vx.TrainedVAE) -> None:
    images = vx.mnist("test").images[:6]
    elbo = model.elbo(images, seed=0)
    assert elbo.shape == (6,)
    assert elbo.dtype == np.float32
    assert (elbo < 0).all()
    np.testing.assert_array_equal(elbo, model.elbo(images, seed=0))
    assert not np.array_equal(elbo, model.elbo(images, seed=1))


def test_evaluate_agrees_with_elbo(model: vx.TrainedVAE) -> None:
    test = vx.mnist("test").subset(slice(0, 200))
    score = vx.evaluate(model, test, seed=4, subset=2)
    assert score.elbo == pytest.approx(model.elbo(test.images, seed=4).mean(dtype=float))
    assert score.elbo == pytest.approx(score.log_likelihood - score.kl)


def test_errors_are_of_one_family(tmp_path: Path, model: vx.TrainedVAE) -> None:
    with pytest.raises(vx.UserError, match="does not exist"):
        vx.load_checkpoint(tmp_path / "gone.safetensors")
    with pytest.raises(vx.UserError, match="between 1 and 10,000"):
        vx.Recipe(epochs=0)
    with pytest.raises(vx.UserError, match=r"shape \(n, 2\)"):
        model.decode(np.zeros((3, 3), np.float32))
    with pytest.raises(vx.UserError, match=r"\[0, 1\]"):
        model.encode(np.full((1, 28, 28), 2.0, np.float32))
