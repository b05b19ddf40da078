"""Models in two ONNX files.

Those of the folder ``onnx`` are tiny and random: one of two dimensions, in colour with its channels
first, decodes logits; one of twenty, gray and flat, decodes probabilities.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.onnx._internal.torchscript_exporter import onnx_proto_utils

import vae_explorer as vx
from vae_explorer.errors import CheckpointError, DataError
from vae_explorer.latent.metric import pullback_metric
from vae_explorer.model.onnx_pair import OnnxPair
from vae_explorer.model.outside import outside_model
from vae_explorer.session.files.given_model import given_model
from vae_explorer.types import UInt8

HERE = Path(__file__).parent / "onnx"
PLANE = HERE / "plane-encoder.onnx", HERE / "plane-decoder.onnx"
DEEP = HERE / "deep-encoder.onnx", HERE / "deep-decoder.onnx"


def images(*shape: int) -> UInt8:
    return np.random.default_rng(0).integers(0, 256, (40, 6, 5, *shape)).astype(np.uint8)


def test_two_dimensions_have_exact_log_p() -> None:
    x = images(3)
    model = outside_model(OnnxPair(*PLANE), x, likelihood="continuous-bernoulli", logits=True)
    few = x[:4]
    exact = vx.exact_posterior(model, few)
    assert (exact.error < 0.01).all()
    elbo = np.mean([model.elbo(few, seed) for seed in range(30)], axis=0)
    assert (exact.log_marginal > elbo).all()
    assert model.decode([[0.0, 0.0]]).shape == (1, 6, 5, 3)


def test_channels_come_back_where_they_belong() -> None:
    x = images(3)
    pair = OnnxPair(*PLANE)
    z = np.zeros((1, 2), np.float32) + 0.3
    given = pair.decode(z)
    assert given.shape == (1, 3, 6, 5)
    seen = outside_model(pair, x, likelihood="bernoulli", logits=True).decode(z)
    np.testing.assert_allclose(seen, 1 / (1 + np.exp(-np.moveaxis(given, 1, 3))), atol=1e-5)


def test_twenty_dimensions_are_seen_on_their_principal_plane() -> None:
    x = images()
    pair = OnnxPair(*DEEP, mean="fc21", spread="fc22", spread_is="log-variance")
    model = outside_model(pair, x, likelihood="bernoulli", treatment="binarized")
    assert model.encode(x).mean.std(0).min() > 0
    assert np.isfinite(model.elbo(x)).all()
    assert pullback_metric(model, np.zeros((3, 2), np.float32), "fisher").shape == (3, 2, 2)
    with pytest.raises(DataError, match="20 latent dimensions"):
        vx.log_marginal(model, x[:2])


def test_two_paths_are_a_model_to_open() -> None:
    model = given_model([*map(str, PLANE)], images(3), logits=True)
    assert model.name == "plane-encoder.onnx + plane-decoder.onnx"
    assert model.snapshot.model.image_shape == (6, 5, 3)
    with pytest.raises(DataError, match="Pass logits=True"):
        given_model(PLANE, images(3))


@pytest.mark.parametrize(
    ("files", "choices", "says"),
    [
        (DEEP, {}, "outputs fc21, fc22, .*pass OnnxPair.*mean=…, spread=…"),
        (DEEP, {"mean": "fc21", "spread": "fc22"}, "one of log-variance, variance"),
        (PLANE, {"picture": "x"}, "outputs recon; pass picture="),
        ((PLANE[0], Path(__file__)), {}, "cannot be read as an ONNX network"),
        ((HERE / "none.onnx", PLANE[1]), {}, "none.onnx cannot be read"),
    ],
)
def test_what_is_left_open_has_to_be_said(
    files: tuple[Path, Path], choices: dict[str, Any], says: str
) -> None:
    with pytest.raises(CheckpointError, match=says):
        OnnxPair(*files, **choices)


class Encoder(nn.Module):
    """The mean is the brightness of the upper and of the lower half, the deviation 0.1 and 0.2."""

    def __init__(self, last: bool) -> None:
        super().__init__()
        self.last = last

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mean = x.flatten(1).unflatten(1, (2, -1)).mean(2)
        return mean, mean * 0 + torch.tensor([0.01, 0.04], dtype=x.dtype).log()


class Decoder(nn.Module):
    """Two halves of these brightnesses, with the channels first or last, as numbers of a kind."""

    def __init__(self, last: bool, kind: torch.dtype) -> None:
        super().__init__()
        self.shape, self.kind = (6, 5, 1) if last else (1, 6, 5), kind

    def forward(self, z: Tensor) -> Tensor:
        x = z.repeat_interleave(15, dim=1).unflatten(1, self.shape)
        levels: Tensor = x * (1 if self.kind.is_floating_point else 255)
        return levels.to(self.kind)


@pytest.mark.parametrize(("batch", "last"), [("any", False), (1, True), (7, False)])
@pytest.mark.parametrize(
    ("given", "made"),
    [
        (torch.float32, torch.float32),
        (torch.float16, torch.float16),
        (torch.float64, torch.float32),
        (torch.float32, torch.uint8),
        (torch.float32, torch.int64),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_any_batch_layout_and_kind_of_numbers(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    batch: int | str,
    last: bool,
    given: torch.dtype,
    made: torch.dtype,
) -> None:
    # PyTorch's exporter writes the file by itself; of the package onnx it asks what is not needed.
    monkeypatch.setattr(onnx_proto_utils, "_add_onnxscript_fn", lambda content, _: content)
    n = batch if isinstance(batch, int) else 2
    shape = (n, 6, 5, 1) if last else (n, 1, 6, 5)
    for name, network, row, outputs in (
        ("encoder", Encoder(last), torch.zeros(shape, dtype=given), ["mean", "log_var"]),
        ("decoder", Decoder(last, made), torch.zeros(n, 2, dtype=given), ["image"]),
    ):
        free = {one: {0: "n"} for one in ("x", *outputs)} if batch == "any" else {}
        torch.onnx.export(
            network, (row,), f"{tmp_path / name}.onnx", dynamo=False, input_names=["x"],
            output_names=outputs, dynamic_axes=free,
        )  # fmt: skip
    x = images()
    model = outside_model(OnnxPair(tmp_path / "encoder.onnx", tmp_path / "decoder.onnx"), x)
    q = model.encode(x)
    np.testing.assert_allclose(q.mean, x.reshape(40, 2, -1).mean(2) / 255, atol=1e-3)
    np.testing.assert_allclose(q.covariance, [np.diag([0.01, 0.04])] * 40, rtol=5e-3)
    halves = np.repeat([[0.25, 0.75]], 15, 1).reshape(6, 5)
    np.testing.assert_allclose(model.decode([[0.25, 0.75]])[0], halves, atol=0.004)


def test_images_of_another_size_are_refused() -> None:
    with pytest.raises(DataError, match=r"into which images of 6×5 pixels \(30 numbers\)"):
        outside_model(OnnxPair(*PLANE), images())


def test_without_onnxruntime_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(CheckpointError, match=r"pip install 'vae-explorer\[onnx\]'"):
        OnnxPair(*PLANE)
