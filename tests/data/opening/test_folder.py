"""Folders of pictures, written by Pillow."""

import os
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vae_explorer.data.opening import inspect, open_images
from vae_explorer.data.reading import Reading
from vae_explorer.errors import DataError
from vae_explorer.types import UInt8


def gray(level: int, size: tuple[int, int] = (6, 8)) -> Image.Image:
    return Image.fromarray(np.full(size, level, np.uint8))


def save(path: Path, picture: Image.Image, **how: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, **how)


@pytest.mark.parametrize("suffix", ["png", "jpg", "tiff", "bmp", "webp", "gif"])
def test_reads_the_usual_formats_with_classes_in_natural_order(folder: Path, suffix: str) -> None:
    for number, name in enumerate(["c10", "c2", "猫", "c1"]):
        for copy in range(3):
            picture = gray(40 * number + copy * 8)
            picture.putpixel((copy, 2), 255)
            save(folder / name / f"{copy}.{suffix}", picture)
    data = open_images(folder)
    assert data.classes == ("c1", "c2", "c10", "猫")
    assert data.image_shape == (6, 8)
    assert data.sizes()["both"] == 12
    both = data.of("both")
    for code, level in ((0, 120), (1, 40), (2, 0), (3, 80)):
        means = both.images[both.labels == code].mean(axis=(1, 2))
        assert means == pytest.approx([level + 8] * 3, abs=15)


def modes() -> list[Any]:
    ramp = np.arange(48, dtype=np.uint8).reshape(6, 8) * 5
    red = np.zeros((6, 8, 3), np.uint8)
    red[..., 0] = 200
    half = np.full((6, 8, 4), 128, np.uint8)
    half[..., :3] = 0
    light = np.stack([ramp, np.full_like(ramp, 255)], axis=-1)
    palette = gray(0).convert("P")
    palette.putpalette([10, 20, 30, *[0] * 765])
    animated = {"save_all": True, "append_images": [gray(9)]}
    exif = Image.Exif()
    exif[0x0112] = 6
    sixteen = Image.fromarray(ramp.astype(np.uint16) * 257)
    return [
        pytest.param(gray(255).convert("1"), "png", {}, 255, "", id="1-bit"),
        pytest.param(Image.fromarray(red), "png", {}, [200, 0, 0], "", id="RGB"),
        pytest.param(Image.fromarray(half), "png", {}, 127, "laid on white", id="RGBA"),
        pytest.param(Image.fromarray(light), "png", {}, ramp, "laid on white", id="LA"),
        pytest.param(palette, "png", {}, [10, 20, 30], "", id="palette"),
        pytest.param(palette, "png", {"transparency": 0}, 255, "laid on white", id="P+t"),
        pytest.param(
            Image.fromarray(red).convert("CMYK"), "tiff", {}, [200, 0, 0], "CMYK", id="CMYK"
        ),
        pytest.param(sixteen, "png", {}, ramp, "made 8 bits", id="16-bit PNG"),
        pytest.param(sixteen, "tiff", {}, ramp, "made 8 bits", id="16-bit TIFF"),
        pytest.param(
            Image.fromarray(np.float32(ramp / 255)), "tiff", {}, ramp, "made 8", id="float"
        ),
        pytest.param(gray(5), "gif", animated, 5, "first frame", id="animated"),
        pytest.param(
            Image.fromarray(ramp), "png", {"exif": exif}, np.rot90(ramp, -1), "EXIF", id="turned"
        ),
    ]


@pytest.mark.parametrize(("picture", "suffix", "how", "expected", "says"), modes())
def test_every_mode_has_its_stated_value(
    folder: Path, picture: Image.Image, suffix: str, how: Any, expected: Any, says: str
) -> None:
    for name in "ab":
        save(folder / f"{name}.{suffix}", picture, **how)
    data = open_images(folder)
    color = isinstance(expected, list)
    assert len(data.image_shape) == (3 if color else 2)
    found = data.train.images[0].astype(int)
    np.testing.assert_allclose(found, np.broadcast_to(expected, found.shape), atol=2)
    assert says in " ".join(data.report.notes)


def test_the_range_of_pictures_is_shown_and_can_be_changed(folder: Path) -> None:
    ramp = np.arange(48, dtype=np.uint16).reshape(6, 8)
    for number in range(3):
        save(folder / "12" / f"{number}.png", Image.fromarray(ramp * 80 + np.uint16(number)))
        save(folder / "8" / f"{number}.png", Image.fromarray((ramp > number).astype(np.uint8)))
    assert inspect(folder / "12").range == (0, 65535)
    assert open_images(folder / "12").train.images.max() == 15
    assert open_images(folder / "12", Reading(range=(0, 3760))).train.images.max() == 255
    assert inspect(folder / "8").range == (0, 255)
    assert open_images(folder / "8", Reading(range=(0, 1))).train.images.max() == 255


def test_gray_pictures_saved_in_colour_are_gray(folder: Path) -> None:
    for level in range(3):
        save(folder / f"{level}.jpg", gray(80 * level).convert("RGB"))
    assert open_images(folder).image_shape == (6, 8)
    assert open_images(folder, Reading(channels="rgb")).train.images.shape[1:] == (6, 8, 3)


def test_mixed_sizes_become_one_by_the_rule_chosen(folder: Path) -> None:
    tall = np.zeros((40, 4), np.uint8)
    tall[:, 1:3] = 255
    tall[19:21] = 0
    save(folder / "tall.png", Image.fromarray(tall))
    for number in range(3):
        save(folder / f"{number}.png", gray(number, (8, 8)))
    preview = inspect(folder)
    assert preview.image_shape == (8, 8)
    assert preview.found_sizes == (((8, 8), 3), ((40, 4), 1))
    assert "1 image of another size fitted with padding to 8×8" in " ".join(preview.report.notes)
    shown = {}
    for fit in ("fit", "crop", "stretch"):
        reading = Reading(size=(8, 8), fit=fit)
        data = open_images(folder, reading).of("both")
        shown[fit] = data.images[data.images.max(axis=(1, 2)) > 100][0]
        assert data.image_shape == (8, 8)
    assert (shown["fit"].max(axis=0) > 100).sum() <= 2
    assert (shown["stretch"][0] > 100).sum() >= 4
    assert not np.array_equal(shown["crop"], shown["stretch"])


def test_large_pictures_are_proposed_smaller(folder: Path) -> None:
    for number in range(2):
        save(folder / f"{number}.jpg", gray(number, (300, 600)))
    assert inspect(folder).image_shape == (32, 64)
    assert open_images(folder, Reading(size=(10, 20))).image_shape == (10, 20)
    save(folder / "one.jpg", gray(3, (1, 1)))
    assert open_images(folder).sizes()["both"] == 3


def test_broken_files_are_skipped_with_a_list(folder: Path) -> None:
    for number in range(7):
        save(folder / f"{number}.png", gray(number))
    whole = (folder / "0.png").read_bytes()
    noise = np.random.default_rng(0).integers(0, 256, (6, 8), np.uint8)
    save(folder / "cut.jpg", Image.fromarray(noise))
    (folder / "cut.jpg").write_bytes((folder / "cut.jpg").read_bytes()[:-20])
    (folder / "header.png").write_bytes(whole[:16])
    (folder / "empty.jpg").write_bytes(b"")
    (folder / ".DS_Store").write_bytes(b"x")
    (folder / "Thumbs.db").write_bytes(b"x")
    (folder / "notes.md").write_text("hello")
    data = open_images(folder)
    assert data.sizes()["both"] == 7
    why = {skipped.name: skipped.why for skipped in data.report.skipped}
    assert why.keys() == {
        "cut.jpg", "header.png", "empty.jpg", ".DS_Store", "Thumbs.db", "notes.md",
    }  # fmt: skip
    assert data.report.skipped_count == 6
    assert "damaged" in why["cut.jpg"]
    assert (why[".DS_Store"], why["notes.md"]) == ("hidden", "is no picture")


def test_bombs_are_skipped_unread(folder: Path) -> None:
    for number in range(2):
        save(folder / f"{number}.png", gray(number))
    Image.new("1", (8192, 8192)).save(folder / "bomb.png")
    whole = bytearray((folder / "0.png").read_bytes())
    whole[16:24] = (20_000).to_bytes(4, "big") * 2
    whole[29:33] = zlib.crc32(whole[12:29]).to_bytes(4, "big")
    (folder / "header.png").write_bytes(whole)
    data = open_images(folder)
    assert data.sizes()["both"] == 2
    assert {skipped.name for skipped in data.report.skipped} == {"bomb.png", "header.png"}
    assert all("pixels" in skipped.why for skipped in data.report.skipped)


def test_links_that_go_round_are_walked_once(folder: Path) -> None:
    for number in range(2):
        save(folder / "a" / f"{number}.png", gray(number))
    (folder / "a" / "round").symlink_to(folder)
    (folder / "gone.png").symlink_to(folder / "nowhere.png")
    data = open_images(folder)
    assert data.sizes()["both"] == 2
    assert data.report.skipped_count == 2


@pytest.mark.skipif(sys.platform != "linux", reason="other systems keep names in Unicode")
def test_names_of_any_bytes_are_read(folder: Path) -> None:
    for name in (b"\xff\xfe", b"a\nb", "😀 %20".encode(), b"-rf"):
        inner = os.fsencode(folder) + b"/" + name
        os.mkdir(inner)
        for number in range(2):
            save(Path(os.fsdecode(inner)) / f"{number}.png", gray(number + len(name) * 9))
    data = open_images(folder)
    assert data.sizes()["both"] == 8
    assert len(data.classes) == 4
    assert all(name.encode() for name in data.classes)


def test_splits_of_folders_are_kept_and_copies_counted(folder: Path) -> None:
    for split, count in (("train", 4), ("val", 2), ("test", 2)):
        for number in range(count):
            save(folder / split / "x" / f"{number}.png", gray(50 * number + len(split) % 4))
    save(folder / "test" / "x" / "copy.png", gray(51))
    data = open_images(folder)
    assert data.sizes() == {"train": 6, "test": 3, "both": 9}
    assert data.report.duplicates == 1
    assert "1 test images are exactly among" in " ".join(data.report.notes)


def test_labels_and_columns_of_a_table(folder: Path) -> None:
    for number in range(4):
        save(folder / "all" / f"{number}.png", gray(50 * number))
    (folder / "labels.csv").write_text(
        "file,label,weight,side\n"
        "0.png,cat,1.5,left\nall/1.png,dog,,right\n2,cat,3,left\n9.png,cow,3,left\n"
    )
    data = open_images(folder)
    both = data.of("both")
    order = np.argsort(both.images[:, 0, 0])
    assert [data.classes[code] for code in np.asarray(both.labels)[order]] == ["cat", "dog", "cat"]
    np.testing.assert_array_equal(both.columns["weight"].values[order], [1.5, np.nan, 3])
    assert both.columns["side"].names == ("left", "right")
    assert [(s.name, s.why) for s in data.report.skipped] == [
        ("all/3.png", "has no row in labels.csv")
    ]
    assert open_images(folder, Reading(labels="-")).classes == ()
    assert open_images(folder, Reading(labels="folders")).classes == ("all",)
    with pytest.raises(DataError, match="nowhere.csv does not exist"):
        open_images(folder, Reading(labels="nowhere.csv"))


def test_pictures_beside_class_folders_are_skipped(folder: Path) -> None:
    for name in ("a/0.png", "a/1.png", "b/0.png", "loose.png"):
        save(folder / name, gray(len(name) * 9))
    data = open_images(folder)
    assert [skipped.why for skipped in data.report.skipped] == ["is in no class folder"]


def test_a_folder_of_none_or_one_is_refused(folder: Path) -> None:
    with pytest.raises(DataError, match="holds no pictures .* choose a folder"):
        open_images(folder)
    save(folder / "one.png", gray(1))
    with pytest.raises(DataError, match="a single image; at least two are needed"):
        open_images(folder)


def test_a_file_that_vanishes_is_skipped(folder: Path) -> None:
    for number in range(4):
        save(folder / f"{number}.png", gray(number * 50))
    calls = []

    def check() -> None:
        calls.append(1)
        if len(calls) == 3:
            (folder / "2.png").unlink()

    data = open_images(folder, check=check)
    assert data.sizes()["both"] == 3
    assert data.report.skipped[0].why == "it is gone"


def test_reading_is_cancelled_and_tells_how_far_it_is(folder: Path, images: UInt8) -> None:
    for number, image in enumerate(images):
        save(folder / f"{number}.png", Image.fromarray(image))
    parts: list[float] = []
    open_images(folder, progress=parts.append)
    assert parts == sorted(parts)
    assert parts[-1] == 1

    class StoppedError(Exception):
        pass

    def stop() -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        open_images(folder, check=stop)


def test_dark_on_light_is_offered_and_not_done(folder: Path) -> None:
    for number in range(4):
        image = np.full((8, 8), 250, np.uint8)
        image[2:6, 2:6] = 10 * number
        save(folder / f"{number}.png", Image.fromarray(image))
    preview = inspect(folder)
    (offer,) = preview.offers
    assert (offer.field, offer.value) == ("invert", True)
    np.testing.assert_array_equal(offer.samples, 255 - preview.samples)
    assert open_images(folder).train.images[0, 0, 0] == 250
    assert open_images(folder, Reading(invert=True)).train.images[0, 0, 0] == 5
