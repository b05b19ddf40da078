import gzip
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from PIL import Image

from vae_explorer import paths
from vae_explorer.data import bundled
from vae_explorer.data.dataset import ImageSet

Cli = Callable[..., Result]
Refused = Callable[..., str]


@pytest.mark.parametrize(
    ("name", "md5"),
    [
        ("train-images-idx3", "6bbc9ace898e44ae57da46a324031adb"),
        ("train-labels-idx1", "a25bea736e30d166cdddb491f175f624"),
        ("t10k-images-idx3", "2646ac647ad5339dbf082846283269ea"),
        ("t10k-labels-idx1", "27ae3e4e09519cfbb04c329615203637"),
    ],
)
def test_the_fingerprints_are_those_of_the_published_files(name: str, md5: str, cli: Cli) -> None:
    content = gzip.decompress((paths.resources() / "mnist" / f"{name}-ubyte.gz").read_bytes())
    assert hashlib.md5(content).hexdigest() == md5
    assert cli("data").exit_code == 0


def test_json_is_one_object_a_line(cli: Cli) -> None:
    train, test = map(json.loads, cli("data", "--json").stdout.splitlines())
    assert (train["name"], train["split"], train["images"]) == ("MNIST", "train", 60_000)
    assert (test["name"], test["split"], test["images"]) == ("MNIST", "test", 10_000)
    assert (test["height"], test["width"]) == (28, 28)
    assert test["classes"]["0"] == 980
    assert sum(train["classes"].values()) == 60_000
    assert train["fingerprint"] == bundled.mnist("train").fingerprint


def test_text_says_the_same(cli: Cli) -> None:
    shown = cli("data").stdout
    assert "MNIST train: 60,000 images of 28 x 28, intact" in shown
    assert "0: 980  1: 1,135" in shown
    assert bundled.mnist("test").fingerprint in shown


def test_one_changed_pixel_is_found(refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    real = bundled.mnist

    def changed(split: str) -> ImageSet:
        images = np.array(real(split).images)
        images[123, 4, 5] ^= 1
        return ImageSet(images, real(split).labels, "MNIST", split)

    monkeypatch.setattr(bundled, "mnist", changed)
    assert "MNIST train images are not the published ones" in refused("data")


def test_inspect_says_what_is_there_and_how_it_will_be_read(
    cli: Cli, refused: Refused, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        for number in range(4):
            (tmp_path / "mine" / name).mkdir(parents=True, exist_ok=True)
            picture = Image.new("RGB", (8, 8), (255, 30 * number, 0))
            picture.save(tmp_path / "mine" / name / f"{number}.png")
    (tmp_path / "mine" / "a" / "broken.png").write_bytes(b"x")
    shown = cli("data", "inspect", str(tmp_path / "mine")).stdout
    assert "mine (folder): 8 images of 8 x 8, RGB" in shown
    assert "classes     2  a: 4  b: 4" in shown
    assert "a/broken.png: no picture that can be read" in shown
    record = json.loads(cli("data", "inspect", str(tmp_path / "mine"), "--json").stdout)
    assert record["classes"] == {"a": 4, "b": 4}
    assert record["image_shape"] == [8, 8, 3]
    assert record["likelihood"] == "gaussian"
    assert "does not exist" in refused("data", "inspect", str(tmp_path / "nowhere"))
