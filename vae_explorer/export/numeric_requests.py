"""Requests for numbers rather than pictures: tables, and the model itself."""

from collections.abc import Sequence
from dataclasses import dataclass

from typing_extensions import override

from vae_explorer.errors import ExportError
from vae_explorer.export.requests import Request, asked, listed
from vae_explorer.types import ImageShape


@dataclass(frozen=True)
class Codes(Request):
    """A row an image of a split: its label, and q(z|x) as the checkpoint has it."""

    turned = False

    split: str = asked("test", "Split", "Of the data.", choices=("test", "train", "both"))
    numbers: str = asked(
        "plain", "Numbers", "Of CSV and TSV: for programs, or for Excel with 0.5 or 0,5.",
        choices=("plain", "point", "comma"),
        titles=("For programs", "For Excel, such as 0.5", "For Excel, such as 0,5"),
    )  # fmt: skip

    @override
    def small(self, shape: ImageShape) -> "Request":
        return Points(self.split, indices="0-11")


@dataclass(frozen=True)
class Points(Codes):
    """``Codes`` of some images, and figures of them.

    ``table`` is a table of one row an image, whose columns are added, and ``reading`` its
    ``TableLayout`` as JSON, by default as it seems to be.
    """

    indices: str = asked(
        "",
        "Indices",
        "Of the images in the split, such as 3-5,9, counted from 0; else all.",
        lowest="all",
    )
    elbo: bool = asked(False, "ELBO", "With the ELBO and its log p(x|z), in nats.")
    log_p: bool = asked(
        False, "log p(x)", "With the exact log p(x): a hundredth of a second an image."
    )
    exact: bool = asked(
        False, "Exact codes", "With the mean of the exact p(z|x): as slow as log p(x)."
    )
    table: str = asked("", "", "A table whose columns are added, a row an image.")
    reading: str = asked("", "", "How that table is read, as JSON.")

    def rows(self, images: int) -> list[int]:
        """The indices, in the order in which they are given, of so many images.

        Raises:
            ExportError: they are none, or there is no such image.
        """
        found = listed(self.indices, images) if self.indices else [*range(images)]
        if (last := max(found)) >= images:
            raise ExportError(f"There are {images:,} images of {self.split}, so none {last:,}.")
        return found

    @override
    def small(self, shape: ImageShape) -> "Request":
        few = listed(self.indices, 12)[:12] if self.indices else range(12)
        return self.replace(indices=",".join(map(str, few)))


@dataclass(frozen=True)
class Model(Request):
    """The model for other programs: its checkpoint, a network as ONNX, or PyTorch in a ZIP."""

    turned = False

    network: str = asked(
        "encoder", "ONNX network", "From images to mean and covariance, or from z to images.",
        choices=("encoder", "decoder"),
    )  # fmt: skip

    @property
    @override
    def stem(self) -> str:
        return "model_decoder" if self.network == "decoder" else "model"

    @property
    @override
    def inside(self) -> str:
        return f"As ONNX the {self.network} alone, in the other formats all of the model."


def ranges(numbers: Sequence[int]) -> str:
    """Numbers as a text that ``listed`` reads, such as 3-5,9."""
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return ",".join(f"{low}" if low == high else f"{low}-{high}" for low, high in found)
