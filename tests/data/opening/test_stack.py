from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vae_explorer.data.opening import inspect, open_images
from vae_explorer.data.reading import Reading
from vae_explorer.errors import DataError
from vae_explorer.types import UInt8


def test_pages_of_a_tiff(folder: Path, images: UInt8) -> None:
    first, *rest = map(Image.fromarray, images)
    first.save(folder / "stack.tif", save_all=True, append_images=rest)
    found = open_images(folder / "stack.tif").of("both").images
    assert {image.tobytes() for image in found} == {image.tobytes() for image in images}
    assert inspect(folder / "stack.tif").kind == "stack"


@pytest.mark.parametrize("color", [(), (3,)])
def test_a_sheet_is_cut(folder: Path, rng: np.random.Generator, color: tuple[int, ...]) -> None:
    sheet = rng.integers(0, 256, (12, 40, *color), np.uint8)
    Image.fromarray(sheet).save(folder / "sheet.png")
    reading = Reading(grid=(2, 4))
    data = open_images(folder / "sheet.png", reading)
    assert data.image_shape == (6, 10, *color)
    whole = {image.tobytes() for image in data.of("both").images}
    assert sheet[6:, 10:20].tobytes() in whole
    with pytest.raises(DataError, match="5 rows and 4 columns do not divide"):
        open_images(folder / "sheet.png", Reading(grid=(5, 4)))
    with pytest.raises(DataError, match="give the grid"):
        open_images(folder / "sheet.png")
    found = inspect(folder / "sheet.png")
    assert found.reading.grid is not None
    assert "give the grid" in found.report.notes[0]


def test_a_sheet_of_usual_sides_needs_no_grid(folder: Path, rng: np.random.Generator) -> None:
    Image.fromarray(rng.integers(0, 256, (56, 84), np.uint8)).save(folder / "sheet.png")
    assert inspect(folder / "sheet.png").report.notes == (
        "A sheet cut into 2 rows and 3 columns of 28×28.",
    )
