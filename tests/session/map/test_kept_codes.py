import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vae_explorer import paths
from vae_explorer.data.bundled import mnist_dataset
from vae_explorer.data.dataset import ImageSet
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.session.map.kept_codes import (
    Codes,
    codes_file,
    encoded,
    keep_codes,
    kept_points,
    read_codes,
)
from vae_explorer.training.checkpoint import read_checkpoint, write_checkpoint
from vae_explorer.training.snapshot import BUNDLED, Snapshot


def codes(n: int = 5_000, seed: int = 0) -> Codes:
    generator = np.random.default_rng(seed)
    mean = generator.standard_normal((n, 2)).astype(np.float32)
    covariance = generator.random((n, 2, 2)).astype(np.float32)
    return mean, covariance, generator.integers(0, 10, n).astype(np.uint8)


def test_codes_come_back_to_the_bit() -> None:
    path = codes_file("a", "net", None, "images")
    assert read_codes(path, 5_000) is None
    keep_codes(path, codes())
    kept = read_codes(path, 5_000)
    assert kept is not None
    for given, found in zip(codes(), kept, strict=True):
        np.testing.assert_array_equal(found, given)
    assert read_codes(path, 4_999) is None, "of other images"


def test_another_model_plane_or_set_has_another_file() -> None:
    keys = [("a", "net", None, "x"), ("b", "net", None, "x"), ("a", "other", None, "x"),
            ("a", "net", [[0.0, 1.0], [1.0, 0.0]], "x"), ("a", "net", None, "y")]  # fmt: skip
    assert len({codes_file(*key) for key in keys}) == len(keys)


@pytest.mark.parametrize("part", [slice(0), slice(1_000), slice(-30), slice(1, None)])
def test_a_damaged_file_is_as_none(part: slice) -> None:
    path = codes_file("a", "net", None, "images")
    keep_codes(path, codes())
    path.write_bytes(path.read_bytes()[part])
    assert read_codes(path, 5_000) is None
    keep_codes(path, codes())
    assert read_codes(path, 5_000) is not None


def test_one_changed_byte_is_seen() -> None:
    path = codes_file("a", "net", None, "images")
    keep_codes(path, codes())
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert read_codes(path, 5_000) is None


def test_the_eight_newest_are_kept_and_few_images_never() -> None:
    keep_codes(codes_file("few", "net", None, "images"), codes(4_999))
    assert not paths.codes_cache().exists()
    files = [codes_file(f"{number}", "net", None, "images") for number in range(10)]
    for path in files:
        keep_codes(path, codes())
        time.sleep(0.01)  # for the clock of the file system
    assert {*paths.codes_cache().iterdir()} == {*files[2:]}


def test_where_nothing_can_be_written_nothing_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    keep_codes(tmp_path / "file" / "codes.npz", codes())
    assert read_codes(tmp_path / "file" / "codes.npz", 5_000) is None


def test_points_are_known_before_the_weights_are_read(
    monkeypatch: pytest.MonkeyPatch,
    small_mnist: dict[str, ImageSet],
    trained: Snapshot,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr("vae_explorer.session.map.kept_codes._FEWEST", 1)
    data, path = mnist_dataset(), tmp_path / "a.safetensors"
    snapshot = replace(trained, data=BUNDLED)
    write_checkpoint(snapshot, path)
    assert kept_points(path, "train") is None
    posterior, _ = encoded(snapshot.model, data, "train", lambda: None)
    monkeypatch.setattr(TrainedVAE, "encode", None)  # from now on nothing is encoded
    points = kept_points(path, "train")
    assert points is not None
    np.testing.assert_array_equal(points.positions, posterior.mean)
    np.testing.assert_array_equal(points.labels, small_mnist["train"].labels)
    again, labels = encoded(read_checkpoint(path).model, data, "train", lambda: None)
    np.testing.assert_array_equal(again.covariance, posterior.covariance)
    np.testing.assert_array_equal(labels, points.labels)
    assert kept_points(path, "test") is None
    path.write_bytes(path.read_bytes()[:100])
    assert kept_points(path, "train") is None
    assert kept_points(tmp_path / "none", "train") is None


def test_the_map_is_imported_without_pytorch() -> None:
    line = "import sys, vae_explorer.gui.window.splash, vae_explorer.session.map.kept_codes as _;"
    subprocess.run([sys.executable, "-c", line + "sys.exit('torch' in sys.modules)"], check=True)
