"""Models as other programs find them: by onnxruntime, and by PyTorch without this program."""

import subprocess
import sys
from dataclasses import replace
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import onnxruntime
import pytest
import torch

import vae_explorer as vx
from vae_explorer.errors import ExportError
from vae_explorer.export.models import onnx_difference, onnx_network, pytorch_archive
from vae_explorer.latent.quadrature import exact_posterior
from vae_explorer.model.architecture import Architecture
from vae_explorer.model.onnx_pair import OnnxPair
from vae_explorer.model.outside import outside_model
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.model.vae import VAE
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.snapshot import BUNDLED, Snapshot
from vae_explorer.types import Float32

KINDS: dict[str, dict[str, Any]] = {
    "mlp": {"network": "mlp"},
    "plain": {"activation": "relu", "posterior": "diagonal", "fourier_features": 0},
    "colour": {"image_shape": (6, 5, 3), "likelihood": "continuous-bernoulli"},
    "residual": {"network": "residual", "activation": "tanh", "likelihood": "gaussian"},
    "conv": {"network": "conv", "image_shape": (13, 9)},
    "conv-colour": {"network": "conv", "image_shape": (13, 10, 3), "likelihood": "gaussian"},
}
"""Every network, activation, posterior and likelihood, gray and in colour, of odd sides."""

NETWORKS = ("encoder", "decoder")


@cache
def snapshot(kind: str) -> Snapshot:
    shape = {"image_shape": (7, 4), "encoder_hidden": (12, 8), "decoder_hidden": (8, 12, 8)}
    architecture = Architecture(**shape | KINDS[kind])
    with torch.random.fork_rng():
        torch.manual_seed(0)
        vae = VAE(architecture)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():  # as trained ones are: all of it matters, and none is 0
        for tensor in vae.state_dict().values():
            tensor.add_(0.1 * torch.randn(tensor.shape, generator=generator))
    return Snapshot(TrainedVAE(vae, "gray"), Recipe(), BUNDLED, (), 0.0, 0)


def some(model: TrainedVAE) -> tuple[Float32, Float32]:
    """Images and latent points, a few beyond what is likely."""
    rng = np.random.default_rng(1)
    images = rng.random((9, *model.image_shape), np.float32)
    return images, 2 * rng.standard_normal((11, 2)).astype(np.float32)


@pytest.mark.parametrize("kind", KINDS)
def test_onnxruntime_computes_the_same(kind: str) -> None:
    one = snapshot(kind)
    images, z = some(one.model)
    encoder, decoder = (onnx_network(one, network) for network in NETWORKS)
    session = onnxruntime.InferenceSession(encoder)
    posterior = one.model.encode(images)
    for rows in (images, images[:1], images[:0]):
        mean, covariance = session.run(["mean", "covariance"], {"images": rows})
        assert (mean.shape, covariance.shape) == ((len(rows), 2), (len(rows), 2, 2))
        np.testing.assert_allclose(mean, posterior.mean[: len(rows)], atol=1e-5)
        np.testing.assert_allclose(
            covariance, posterior.covariance[: len(rows)], rtol=1e-4, atol=1e-6
        )
    session = onnxruntime.InferenceSession(decoder)
    image, parameters = session.run(["image", "parameters"], {"z": z})
    np.testing.assert_allclose(image, one.model.decode(z), atol=1e-5)
    np.testing.assert_allclose(parameters, one.model.decode_outputs(z), atol=1e-4)
    for network, content in zip(NETWORKS, (encoder, decoder), strict=True):
        difference = onnx_difference(one, network, content)
        assert difference is not None
        assert difference < 1e-5
        assert onnx_network(one, network) == content


def test_what_differs_is_not_written() -> None:
    one, other = snapshot("mlp"), snapshot("plain")
    with pytest.raises(ExportError, match="differ from ours by"):
        onnx_difference(one, "decoder", onnx_network(other, "decoder"))
    with pytest.raises(ExportError, match="cannot run the encoder"):
        onnx_difference(one, "encoder", b"")


def test_without_onnxruntime_nothing_is_said_of_the_difference(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = snapshot("mlp")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert onnx_difference(one, "decoder", onnx_network(one, "decoder")) is None


@pytest.mark.parametrize("kind", ["mlp", "colour", "conv"])
def test_the_pair_opens_by_our_own_door(kind: str, tmp_path: Path) -> None:
    one = snapshot(kind)
    images, z = some(one.model)
    paths = [tmp_path / f"{network}.onnx" for network in NETWORKS]
    for path, network in zip(paths, NETWORKS, strict=True):
        path.write_bytes(onnx_network(one, network))
    again = outside_model(OnnxPair(*paths), images)
    np.testing.assert_allclose(again.decode(z), one.model.decode(z), atol=2e-5)
    posterior, ours = again.encode(images), one.model.encode(images)
    np.testing.assert_allclose(posterior.mean, ours.mean, atol=1e-5)
    np.testing.assert_allclose(posterior.covariance, ours.covariance, rtol=1e-3, atol=1e-6)
    pair = OnnxPair(*paths, picture="parameters")
    likelihood = one.model.vae.architecture.likelihood
    whole = outside_model(pair, images, likelihood=likelihood, logits=True)
    found = exact_posterior(whole, images[:2]).log_marginal
    np.testing.assert_allclose(found, vx.log_marginal(one.model, images[:2]), atol=0.02)


_RUN = """
import importlib.util, sys
from pathlib import Path
import numpy as np, torch
for folder in sorted(Path(sys.argv[1]).iterdir()):
    spec = importlib.util.spec_from_file_location(folder.name, folder / "model.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    given = np.load(folder / "given.npz")
    with torch.inference_mode():
        vae = module.load()
        mean, covariance = vae.encode(torch.from_numpy(given["images"]))
        image = vae.decode(torch.from_numpy(given["z"]))
    np.savez(folder / "made.npz", mean=mean, covariance=covariance, image=image)
assert not [name for name in sys.modules if name.startswith("vae_explorer")]
"""


@pytest.mark.slow
def test_pytorch_alone_rebuilds_every_network(tmp_path: Path) -> None:
    for kind in KINDS:
        folder, one = tmp_path / kind, snapshot(kind)
        with ZipFile(BytesIO(pytorch_archive(one))) as archive:
            archive.extractall(folder)
        assert len((folder / "model.py").read_text().splitlines()) < 100
        images, z = some(one.model)
        np.savez(folder / "given.npz", images=images, z=z)
    subprocess.run([sys.executable, "-I", "-c", _RUN, tmp_path], check=True)
    for kind in KINDS:
        model = snapshot(kind).model
        images, z = some(model)
        made, posterior = np.load(tmp_path / kind / "made.npz"), model.encode(images)
        np.testing.assert_allclose(made["mean"], posterior.mean, atol=1e-5)
        np.testing.assert_allclose(made["covariance"], posterior.covariance, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(made["image"], model.decode(z), atol=1e-6)


def test_an_archive_is_the_same_twice_and_says_what_the_model_is(trained: Snapshot) -> None:
    content = pytorch_archive(trained)
    assert pytorch_archive(trained) == content
    turned = trained.model.turned(np.array([[0.0, -1.0], [1.0, 0.0]]))
    assert pytorch_archive(replace(trained, model=turned)) == content
    with ZipFile(BytesIO(content)) as archive:
        program = archive.read("model.py").decode()
    assert "(n, 28, 28)" in program
    assert "MNIST" in program
    assert max(map(len, program.splitlines())) <= 100


def test_a_model_from_elsewhere_is_refused(trained: Snapshot) -> None:
    images = np.zeros((4, 28, 28), np.float32)
    elsewhere = replace(trained, model=outside_model(trained.model, images))
    for make in (pytorch_archive, lambda one: onnx_network(one, "encoder")):
        with pytest.raises(ExportError, match="from elsewhere"):
            make(elsewhere)
