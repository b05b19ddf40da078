import csv
import json
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from PIL import Image

import vae_explorer as vx
from vae_explorer.training.checkpoint import read_checkpoint, write_checkpoint
from vae_explorer.training.snapshot import DataReference, Snapshot

Cli = Callable[..., Result]
Refused = Callable[..., str]


def _write_idx(path: Path, images: np.ndarray) -> Path:
    path.write_bytes(struct.pack(">4B3I", 0, 0, 8, 3, *images.shape) + images.tobytes())
    return path


def test_npz_holds_the_posterior(cli: Cli, checkpoint: Path, tmp_path: Path) -> None:
    out = tmp_path / "codes.npz"
    result = cli("encode", checkpoint, "--out", out)
    assert result.exit_code == 0
    assert result.stdout == f"Wrote 10,000 codes to {out}\n"
    test = vx.mnist("test")
    posterior = vx.load_checkpoint(checkpoint).encode(test.images)
    with np.load(out) as codes:
        assert set(codes) == {"index", "label", "mean", "covariance", "trained_on"}
        assert str(codes["trained_on"]) == "MNIST"
        np.testing.assert_array_equal(codes["index"], np.arange(10_000))
        np.testing.assert_array_equal(codes["label"], test.labels)
        np.testing.assert_array_equal(codes["mean"], posterior.mean)
        np.testing.assert_array_equal(codes["covariance"], posterior.covariance)


def test_csv_gives_back_every_float(cli: Cli, checkpoint: Path, tmp_path: Path) -> None:
    out = tmp_path / "codes.csv"
    cli("encode", checkpoint, "--data", "test", "--out", out)
    rows = list(csv.reader(out.read_text().splitlines()))
    assert rows[0] == ["index", "label", "z1", "z2", "var1", "cov12", "var2"]
    test = vx.mnist("test")
    assert test.labels is not None
    posterior = vx.load_checkpoint(checkpoint).encode(test.images)
    columns = np.array(rows[1:]).T
    np.testing.assert_array_equal(columns[0].astype(int), np.arange(10_000))
    np.testing.assert_array_equal(columns[1].astype(int), test.labels)
    np.testing.assert_array_equal(columns[2:4].astype(np.float32).T, posterior.mean)
    covariance = posterior.covariance
    wanted = [covariance[:, 0, 0], covariance[:, 0, 1], covariance[:, 1, 1]]
    np.testing.assert_array_equal(columns[4:].astype(np.float32), wanted)


def test_images_of_ones_own_have_no_labels(cli: Cli, checkpoint: Path, tmp_path: Path) -> None:
    digits = _write_idx(tmp_path / "mine.idx", vx.mnist("test").images[:7])
    cli("encode", checkpoint, "--data", digits, "--out", tmp_path / "codes.csv")
    rows = list(csv.DictReader((tmp_path / "codes.csv").read_text().splitlines()))
    assert [row["label"] for row in rows] == [""] * 7
    cli("encode", checkpoint, "--data", digits, "--out", tmp_path / "codes.npz")
    with np.load(tmp_path / "codes.npz") as codes:
        assert set(codes) == {"index", "mean", "covariance", "trained_on"}


def test_an_idx_file_that_lies_is_refused(
    refused: Refused, checkpoint: Path, tmp_path: Path
) -> None:
    path = _write_idx(tmp_path / "short.idx", vx.mnist("test").images[:7])
    path.write_bytes(path.read_bytes()[:-1])
    said = refused("encode", checkpoint, "--data", path, "--out", tmp_path / "codes.csv")
    assert said.startswith(f"{path}: the header announces 7 × 28 × 28 = 5,488 bytes, but 5,487")
    assert not (tmp_path / "codes.csv").exists()


def test_images_of_another_size_are_refused(
    refused: Refused, checkpoint: Path, tmp_path: Path
) -> None:
    path = _write_idx(tmp_path / "small.idx", np.zeros((3, 14, 14), np.uint8))
    said = refused("encode", checkpoint, "--data", path, "--out", tmp_path / "codes.csv")
    assert "28×28 pixels" in said
    assert "(3, 14, 14)" in said


def test_decoding_to_npz(cli: Cli, checkpoint: Path, tmp_path: Path) -> None:
    out = tmp_path / "digits.npz"
    result = cli("decode", checkpoint, "--z", -1, 0.5, "--z", 6, -6, "--out", out)
    assert result.exit_code == 0
    z = np.array([[-1, 0.5], [6, -6]], np.float32)
    with np.load(out) as decoded:
        np.testing.assert_array_equal(decoded["z"], z)
        np.testing.assert_array_equal(decoded["image"], vx.load_checkpoint(checkpoint).decode(z))


def test_decoding_to_a_picture(cli: Cli, checkpoint: Path, tmp_path: Path) -> None:
    out = tmp_path / "digit.png"
    cli("decode", checkpoint, "--z", -1, 0.5, "--scale", 3, "--out", out)
    image = vx.load_checkpoint(checkpoint).decode(np.array([[-1, 0.5]], np.float32))[0]
    with Image.open(out) as picture:
        assert picture.size == (84, 84)
        np.testing.assert_array_equal(
            np.asarray(picture)[1::3, 1::3], np.rint(image * 255).astype(np.uint8)
        )


@pytest.mark.parametrize(
    ("z", "named"),
    [
        ((0, 6.5), "z2 is 6.5"),
        ((-7, 0), "z1 is -7"),
        (("nan", 0), "z1 is nan"),
        ((0, "-inf"), "-inf"),
    ],
)
def test_a_place_off_the_plane_is_refused(
    z: tuple[object, object], named: str, refused: Refused, checkpoint: Path, tmp_path: Path
) -> None:
    said = refused("decode", checkpoint, "--z", 0, 0, "--z", *z, "--out", tmp_path / "d.npz")
    assert named in said
    assert "-6 to 6" in said
    assert list(tmp_path.iterdir()) == []


def test_several_positions_make_one_strip(cli: Cli, checkpoint: Path, tmp_path: Path) -> None:
    out = tmp_path / "digits.png"
    places = ("--z", 0, 0, "--z", 1, -1.5, "--z", -2, 2)
    assert cli("decode", checkpoint, *places, "--scale", 2, "--out", out).exit_code == 0
    images = vx.load(checkpoint).decode(np.array([[0, 0], [1, -1.5], [-2, 2]]))
    with Image.open(out) as picture:
        assert picture.size == (3 * 56, 56)
        wanted = np.rint(np.concatenate(list(images), axis=1) * 255)
        np.testing.assert_array_equal(np.asarray(picture)[::2, ::2], wanted)


def test_an_old_output_is_replaced_as_a_whole(cli: Cli, checkpoint: Path, tmp_path: Path) -> None:
    out = tmp_path / "d.npz"
    out.write_bytes(b"x" * 100_000)
    assert cli("decode", checkpoint, "--z", 0, 0, "--out", out).exit_code == 0
    with np.load(out) as decoded:
        assert decoded["image"].shape == (1, 28, 28)
    assert list(tmp_path.iterdir()) == [out]


def test_encode_says_of_which_data_the_model_is(
    cli: Cli, checkpoint: Path, trained: Snapshot, tmp_path: Path
) -> None:
    told = cli("encode", checkpoint, "--out", tmp_path / "a.npz").stderr
    assert told == "Trained on MNIST (500 images), encoded MNIST test\n"
    clothes = tmp_path / "clothes.safetensors"
    data = DataReference("Fashion-MNIST", "f" * 64, 60_000)
    write_checkpoint(replace(trained, data=data), clothes)
    told = cli("encode", clothes, "--out", tmp_path / "b.npz").stderr
    assert "Trained on Fashion-MNIST (60,000 images), encoded MNIST test" in told
    assert "Warning: Trained on Fashion-MNIST (60,000 images, SHA-256 ffffffffffff…)" in told


def test_what_is_written_says_of_which_data_the_model_is(
    cli: Cli, tmp_path: Path, trained: Snapshot
) -> None:
    """And that gray pixels under a Bernoulli are no likelihood: in tables and in pictures."""
    path = tmp_path / "clothes.safetensors"
    data, recipe = DataReference("Fashion-MNIST", "f" * 64, 60_000), trained.recipe
    write_checkpoint(replace(trained, data=data, recipe=recipe.replace(treatment="gray")), path)
    remark = "trained on Fashion-MNIST; cross-entropy, no likelihood"
    digits = _write_idx(tmp_path / "mine.idx", vx.mnist("test").images[:3])
    for name in ("codes.csv", "codes.npz"):
        assert cli("encode", path, "--data", digits, "--out", tmp_path / name).exit_code == 0
    rows = list(csv.DictReader((tmp_path / "codes.csv").read_text().splitlines()))
    assert [row["remark"] for row in rows] == [remark] * 3
    cli("decode", path, "--z", "0", "0", "--out", tmp_path / "image.npz")
    for name in ("codes.npz", "image.npz"):
        with np.load(tmp_path / name) as arrays:
            assert (str(arrays["trained_on"]), str(arrays["remark"])) == ("Fashion-MNIST", remark)
    cli("decode", path, "--z", "0", "0", "--z", "1", "0", "--out", tmp_path / "digits.png")
    cli("export", "digit", path, "--z", "0", "0", "--out", tmp_path / "digit.png")
    cli("export", "manifold", path, "--n", "2", "--out", tmp_path / "manifold.png")
    for name in ("digits.png", "digit.png", "manifold.png"):
        with Image.open(tmp_path / name) as picture:
            assert picture.info["Source"].startswith("a model trained on Fashion-MNIST, 60,000")
            assert picture.info["Warning"].startswith("Gray pixels under a Bernoulli")


@pytest.mark.usefixtures("hardly_refined")
def test_images_of_ones_own_are_trained_on_encoded_and_scored(cli: Cli, tmp_path: Path) -> None:
    """12 × 9 pixels, in three named classes."""
    rng, own, model = np.random.default_rng(0), tmp_path / "own.npz", tmp_path / "m.safetensors"
    arrays: dict[str, Any] = {}
    for split, count in (("train", 60), ("test", 30)):
        arrays[f"{split}_images"] = rng.integers(0, 256, (count, 12, 9), np.uint8)
        arrays[f"{split}_labels"] = np.array(["ox", "ass", "дом"])[np.arange(count) % 3]
    np.savez(own, **arrays)
    small = ("epochs=1", "batch_size=10", "validation_images=10", "encoder_hidden=8")
    changes = [word for text in (*small, "decoder_hidden=8") for word in ("--set", text)]
    cli("train", "--data", own, *changes, "--threads", 1, "--out", model)
    data = read_checkpoint(model).data
    assert (data.name, data.images) == ("own", 60)
    for split, count in (("test", 30), ("train", 60)):
        codes = tmp_path / f"{split}.npz"
        cli("encode", model, "--data", own, "--split", split, "--out", codes)
        with np.load(codes) as file:
            assert file["mean"].shape == (count, 2)
            assert file["class"].tolist() == [("ox", "ass", "дом")[at % 3] for at in range(count)]
            assert "remark" not in file
        cli("encode", model, "--data", own, "--split", split, "--out", tmp_path / "codes.csv")
        rows = csv.DictReader((tmp_path / "codes.csv").read_text("utf-8").splitlines())
        assert [row["class"] for row in rows][:3] == ["ox", "ass", "дом"]
    told = json.loads(cli("evaluate", model, "--data", own, "--subset", 2, "--json").stdout)
    (score,) = told["models"]
    assert (score["images"], score["data"], score["remarks"]) == (30, "own test", [])
    assert told["published"] == []
