"""Models in two ONNX files.

Those of the folder ``onnx`` are tiny and random: one of two dimensions, in colour with its channels
first, decodes logits; one of twenty, gray and flat, decodes probabilities.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

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


def test_images_of_another_size_are_refused() -> None:
    with pytest.raises(DataError, match=r"into which images of 6×5 pixels \(30 numbers\)"):
        outside_model(OnnxPair(*PLANE), images())


def test_without_onnxruntime_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(CheckpointError, match=r"pip install 'vae-explorer\[onnx\]'"):
        OnnxPair(*PLANE)
