"""Types that every layer names."""

from dataclasses import fields
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
UInt8 = NDArray[np.uint8]
UInt32 = NDArray[np.uint32]
Int64 = NDArray[np.int64]
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Floats = NDArray[np.floating]
"""Of either precision."""

Labels = NDArray[np.unsignedinteger]
"""Codes of classes: uint8 or, of more than 256 classes, uint16."""

LatentPoint = tuple[float, float]
"""(z₁, z₂), latent units."""

ImageShape = tuple[int, int] | tuple[int, int, int]
BUNDLED_SHAPE: ImageShape = (28, 28)
"""(height, width) in pixels of gray images, (height, width, 3) of images in colour."""

Region = tuple[float, float, float, float]
"""(left, right, bottom, top) in the units of a plane's axes."""

OneSplit = Literal["train", "test"]
Split = Literal["train", "test", "both"]
"""The part of a data set; of both, the training images come first."""


class Brief:
    """A dataclass that says in its ``repr`` what its arrays are, and not what they hold."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def __repr__(self) -> str:
        texts = (
            f"{item.name}={_brief(getattr(self, item.name))}" for item in fields(self) if item.repr
        )
        return f"{type(self).__name__}({', '.join(texts)})"


def _brief(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"<{value.dtype} {value.shape}>"
    return repr(value)
