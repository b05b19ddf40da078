"""What README promises to those who write Python."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import vae_explorer as vx
from vae_explorer.paths import checkpoints


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


def test_all_names_are_listed_before_they_are_loaded() -> None:
    script = (
        "import sys, vae_explorer; print(*dir(vae_explorer)); assert 'numpy' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert set(done.stdout.split()) == {*vx.__all__, "__version__"}, done.stderr
    assert {*vx._HOMES} <= {*vx.__all__}
    assert (Path(vx.__file__).parent / "py.typed").is_file()


def test_train_gives_model_history_and_recipe(run: vx.Snapshot) -> None:
    assert run.epoch == 2
    assert run.step == 2
    assert run.recipe.epochs == 2
    assert run.data.images == 60_000
    assert [point.epoch for point in run.history] == [1, 2]
    assert run.held_out_elbo == run.history[-1].held_out_elbo


def test_nothing_prints_what_it_holds(run: vx.Snapshot, model: vx.TrainedVAE) -> None:
    data = vx.mnist("test").subset(slice(9))
    terms, exact = model.elbo_terms(data.images), vx.exact_posterior(model, data.images[:1])
    for value in (run, run.history, model, data, model.encode(data.images), terms, exact):
        assert len(repr(value)) < 300
        assert type(value).__name__ in repr(value)
    assert "epoch 2, step 2, held-out ELBO -" in repr(run)


def test_a_bundled_model_goes_by_its_name() -> None:
    assert vx.models() == ("mnist-elbo", "mnist-exact", "mnist-iwae", "mnist-paper")
    by_path = vx.load_checkpoint(checkpoints() / "mnist-paper.safetensors")
    np.testing.assert_array_equal(vx.load("mnist-paper").decode([[1, 0]]), by_path.decode([[1, 0]]))
    with pytest.raises(vx.CheckpointError, match="mnist-ivae does not exist.* mnist-iwae"):
        vx.load("mnist-ivae")


def test_paths_may_be_texts(run: vx.Snapshot, tmp_path: Path, recipe: vx.Recipe) -> None:
    vx.write_checkpoint(run, f"{tmp_path}/a.safetensors")
    assert vx.read_checkpoint(f"{tmp_path}/a.safetensors").step == 2
    recipe.write(f"{tmp_path}/a.toml")
    assert vx.Recipe.read(f"{tmp_path}/a.toml") == recipe
    vx.train(recipe.replace(epochs=1), vx.mnist("test").images[:200], runs=f"{tmp_path}/runs")
    assert len([*(tmp_path / "runs").iterdir()]) == 1


def test_images_of_any_kind(model: vx.TrainedVAE) -> None:
    images = vx.mnist("test").images[:3]
    wanted = model.encode(images).mean
    gray = images / 255
    for same in (images.tolist(), images.astype(int), gray, gray.tolist()):
        np.testing.assert_allclose(model.encode(same).mean, wanted, atol=1e-6)
    for tensor in (torch.tensor(images), torch.tensor(gray, requires_grad=True)):
        np.testing.assert_allclose(model.encode(tensor).mean, wanted, atol=1e-6)
        np.testing.assert_array_equal(model.elbo(tensor), model.elbo(images))
        np.testing.assert_array_equal(
            vx.log_marginal(model, tensor), vx.log_marginal(model, images)
        )
    black = np.zeros((1, 28, 28))
    np.testing.assert_array_equal(model.encode(black > 0).mean, model.encode(black).mean)
    np.testing.assert_array_equal(model.decode(torch.ones(1, 2)), model.decode([[1, 1]]))


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [
        *(((28, 28), int), ((784,), float), ((3, 784), int), ((1, 784), int)),
        *(((3, 28, 28, 3), int), ((3, 28, 28, 4), float), ((3, 3, 28, 28), int)),
    ],
)
def test_the_line_that_converts_is_told(
    model: vx.TrainedVAE, shape: tuple[int, ...], dtype: type
) -> None:
    images: Any = np.ones(shape, dtype)
    with pytest.raises(vx.DataError, match=re.escape(f"given shape {shape}: pass ")) as caught:
        model.encode(images)
    line = str(caught.value).partition(": pass ")[2].removesuffix(".")
    assert model.encode(eval(line, {"np": np, "images": images})).mean.shape == (
        3 if shape[0] == 3 else 1,
        2,
    )


@pytest.mark.usefixtures("hardly_refined")
@pytest.mark.parametrize("shape", [(3, 1, 8, 8), (3, 8, 8, 1), (3, 1, 8, 8, 1)])
@pytest.mark.parametrize("kind", [list, torch.tensor, np.float32, np.int64, np.uint8])
def test_every_door_converts_what_loses_nothing(
    shape: tuple[int, ...], kind: Any, recipe: vx.Recipe, tmp_path: Path, capsys: Any
) -> None:
    plain = np.arange(192, dtype=np.uint8).reshape(3, 8, 8)
    given = plain.reshape(shape)
    images = given.tolist() if kind is list else kind(given)
    np.testing.assert_array_equal(vx.ImageSet.from_arrays(images).images, plain)
    small = recipe.replace(epochs=1, validation_images=1)
    run = vx.train(small, images, progress=True)
    assert re.match(r"epoch 1/1: ELBO -\S+, held-out ELBO -", capsys.readouterr().err)
    whole = images if kind is not np.float32 else images / 255
    if shape != (3, 1, 8, 8, 1):
        np.testing.assert_allclose(
            run.model.encode(whole).mean, run.model.encode(plain).mean, atol=1e-6
        )
    assert vx.evaluate(run.model, images, subset=1).images == 3
    history: Any = run.history
    columns = history.columns
    assert {*columns} > {"epoch", "elbo", "held_out_elbo", "seconds"}
    assert all(column.shape == (len(run.history),) for column in columns.values())
    assert columns["held_out_elbo"][-1] == run.held_out_elbo
    run.model.save(tmp_path / "mine.safetensors")
    again = vx.read_checkpoint(tmp_path / "mine.safetensors")
    assert (again.recipe, again.history) == (run.recipe, run.history)
    again.model.save(str(tmp_path / "again.safetensors"))
    with pytest.raises(vx.CheckpointError, match="no run and no checkpoint"):
        vx.TrainedVAE(run.model.vae, "gray").save(tmp_path / "none.safetensors")


@pytest.mark.usefixtures("hardly_refined")
def test_a_data_set_is_taken_whole(recipe: vx.Recipe, tmp_path: Path) -> None:
    np.save(tmp_path / "mine.npy", np.arange(2560, dtype=np.uint16).reshape(40, 8, 8) % 256)
    data = vx.open_images(tmp_path / "mine.npy")
    run = vx.train(recipe.replace(epochs=1, validation_images=4), data)
    assert run.data.images == data.training_images
    assert vx.evaluate(run.model, data, subset=1).images == len(data.test)


@pytest.mark.parametrize("z", [[0.5, 1], [[[0.5, 1]]], [[0.5, 1, 2], [1, 2, 3]]])
def test_the_line_that_converts_latent_points_is_told(model: vx.TrainedVAE, z: list[Any]) -> None:
    with pytest.raises(vx.DataError, match=r"shape \(n, 2\).*; pass ") as caught:
        model.decode(z)
    line = str(caught.value).partition("; pass ")[2].removesuffix(".")
    model.decode(eval(line, {"np": np, "z": z}))


@pytest.mark.parametrize(
    ("images", "says"),
    [
        (np.full((1, 28, 28), 300), "0 to 255; found 300"),
        (np.full((1, 28, 28), -1), "0 to 255; found -1"),
        ([["a"]], "real numbers"),
        ([[1], [1, 2]], "regular array"),
        (None, "real numbers"),
    ],
)
def test_what_is_no_image_is_refused(model: vx.TrainedVAE, images: Any, says: str) -> None:
    for refuse in (model.encode, model.elbo, model.reconstruct, model.treated):
        with pytest.raises(vx.DataError, match=says):
            refuse(images)


def test_the_truth_about_log_p(model: vx.TrainedVAE) -> None:
    images = vx.mnist("test").images[:2]
    exact = vx.exact_posterior(model, images, seed=3)
    np.testing.assert_array_equal(exact.log_marginal, vx.log_marginal(model, images, seed=3))
    again = vx.exact_posterior(model, model.treated(images, seed=3))
    np.testing.assert_array_equal(again.log_marginal, exact.log_marginal)
    x = model.treated(images, seed=3)
    assert (exact.log_marginal > np.mean([model.elbo(x, seed) for seed in range(50)], axis=0)).all()
    assert exact.mean.shape == exact.mode.shape == (2, 2)


def test_sampling_reconstructing_and_the_manifold(model: vx.TrainedVAE) -> None:
    z = model.sample_prior(10_000, seed=1)
    assert z.shape == (10_000, 2)
    assert z.dtype == np.float32
    np.testing.assert_allclose(np.cov(z.T), np.eye(2), atol=0.05)
    np.testing.assert_array_equal(model.sample(3, seed=1), model.decode(model.sample_prior(3, 1)))
    images = vx.mnist("test").images[:3]
    np.testing.assert_array_equal(
        model.reconstruct(images), model.decode(model.encode(images).mean)
    )
    sheet = vx.manifold(model, 3, "linear", 2)
    np.testing.assert_allclose(sheet[:28, -28:], model.decode([[2, 2]])[0], atol=1e-6)
    for wrong in ({"n": 0}, {"spacing": "cubic"}, {"extent": -3}):
        with pytest.raises(vx.ExportError):
            vx.manifold(model, **wrong)


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


@pytest.mark.usefixtures("hardly_refined")
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
