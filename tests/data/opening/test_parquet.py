"""Parquet as Hugging Face has it, written by pyarrow."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vae_explorer.data.opening import inspect, open_images
from vae_explorer.data.reading import Reading
from vae_explorer.errors import DataError
from vae_explorer.types import UInt8

pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")


def table(images: UInt8, names: list[str] | None = None, kind: str = "PNG") -> Any:
    rows = []
    for image in images:
        stream = io.BytesIO()
        Image.fromarray(image).save(stream, kind)
        rows.append({"bytes": stream.getvalue(), "path": None})
    count = len(images)
    made = pa.table(
        {"image": rows, "label": [at % 3 for at in range(count)], "weight": [0.5] * count}
    )
    features = {"label": {"names": names, "_type": "ClassLabel"}}
    said = {"huggingface": json.dumps({"info": {"features": features}})}
    return made.replace_schema_metadata(said) if names else made


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_one_file(folder: Path, images: UInt8, kind: str) -> None:
    parquet.write_table(table(images, ["a", "b", "c"], kind), folder / "mine.parquet")
    data = open_images(folder / "mine.parquet")
    assert data.classes == ("a", "b", "c")
    assert data.image_shape == (6, 8)
    assert list(data.train.columns) == ["weight", "row"]
    if kind == "PNG":
        found = {image.tobytes() for image in data.of("both").images}
        assert found == {image.tobytes() for image in images}
    assert inspect(folder / "mine.parquet").label_keys == ("label", "weight", "-")


def test_nested_and_several_files(folder: Path, images: UInt8) -> None:
    (folder / "data").mkdir()
    parquet.write_table(table(images[:5]), folder / "data" / "train-00000-of-00002.parquet")
    parquet.write_table(table(images[5:10]), folder / "data" / "train-00001-of-00002.parquet")
    parquet.write_table(table(images[10:]), folder / "data" / "test-00000-of-00001.parquet")
    data = open_images(folder)
    np.testing.assert_array_equal(data.train.images, images[:10])
    np.testing.assert_array_equal(data.test.images, images[10:])


def test_saved_by_datasets(folder: Path, images: UInt8) -> None:
    for split, part in (("train", images[:10]), ("test", images[10:])):
        (folder / split).mkdir()
        made = table(part)
        path = folder / split / "data-00000-of-00001.arrow"
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, made.schema) as writer:
            writer.write_table(made)
        (folder / split / "state.json").write_text("{}")
    data = open_images(folder)
    assert data.sizes() == {"train": 10, "test": 4, "both": 14}


def test_refuses_what_has_no_pictures(folder: Path, images: UInt8) -> None:
    parquet.write_table(pa.table({"a": [1, 2]}), folder / "a.parquet")
    with pytest.raises(DataError, match="no column of pictures; its columns are a"):
        open_images(folder / "a.parquet")
    (folder / "b.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(DataError, match="b.parquet is damaged"):
        open_images(folder / "b.parquet")
    parquet.write_table(table(images), folder / "c.parquet")
    with pytest.raises(DataError, match="no column 'b' of labels"):
        open_images(folder / "c.parquet", Reading(labels="b"))
    rows = [{"bytes": None, "path": "x.png"}] * 3
    parquet.write_table(pa.table({"image": rows}), folder / "d.parquet")
    with pytest.raises(DataError, match=r"no image that can be read \(3 skipped; .*elsewhere"):
        open_images(folder / "d.parquet")
