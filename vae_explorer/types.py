"""Types that every layer names."""

from typing import Literal

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

LatentPoint = tuple[float, float]
"""(z₁, z₂), latent units."""

Region = tuple[float, float, float, float]
"""(left, right, bottom, top) in the units of a plane's axes."""

OneSplit = Literal["train", "test"]
Split = Literal["train", "test", "both"]
"""The part of a data set; of both, the training images come first."""
