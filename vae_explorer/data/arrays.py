"""Numbers and images as people have them: lists, arrays or tensors, of any kind of number."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vae_explorer.errors import DataError
from vae_explorer.types import Floats, ImageShape, UInt8


def as_array(values: Any, what: str) -> NDArray[Any]:
    """Numbers as an array of their own type; a tensor of any device, with or without gradients.

    Raises:
        DataError: they are no regular array of real numbers; ``what`` says what they should be.
    """
    if not isinstance(values, np.ndarray):
        if hasattr(values, "detach"):  # a tensor, without the cost of importing torch
            values = values.detach().cpu()
            values = values.float() if values.is_floating_point() else values
        try:
            values = np.asarray(values)
        except (TypeError, ValueError) as error:
            raise DataError(f"{what} must be a regular array of numbers ({error}).") from error
    if values.dtype.kind not in "buif":
        raise DataError(f"{what} must be real numbers, not {values.dtype}.")
    return values  # type: ignore[no-any-return]


def as_images(values: Any, what: str = "Images") -> UInt8 | Floats:
    """Images as uint8 from 0 to 255 if they are integers, and as they are if they are floats.

    Of booleans True is 1.0. Floats are not looked at; they should lie in [0, 1].

    Raises:
        DataError: they are no array of numbers, or integers outside 0 to 255.
    """
    array = as_array(values, what)
    if array.dtype.kind == "f" or array.dtype == np.uint8:
        return array
    if array.dtype.kind == "b":
        return array.astype(np.float32)
    return as_bytes(array, what)


def as_bytes(values: Any, what: str) -> UInt8:
    """Integers from 0 to 255 as uint8.

    Raises:
        DataError: they are none, or lie outside.
    """
    array = as_array(values, what)
    if array.dtype == np.uint8:
        return array
    if array.dtype.kind not in "ui" and array.size:
        raise DataError(f"{what} must be integers from 0 to 255, not {array.dtype}.")
    if array.size and not (array.min() >= 0 and array.max() <= 255):
        raise DataError(
            f"{what} that are integers must lie in 0 to 255; found {array.min()} to {array.max()}."
        )
    return array.astype(np.uint8)


def conversion(shape: tuple[int, ...], wanted: ImageShape, *, whole: bool) -> str:
    """The line of Python that makes (n, *wanted) of images of this shape; what else to do if none.

    ``whole``: the images are integers.
    """
    height, width, *color = wanted
    long = tuple(side for side in shape if side != 1)
    rounded = ".round().astype(int)" if whole else ""
    flat = long[-1:] == (math.prod(wanted),) and len(long) <= 2
    if flat or (long[-len(wanted) :] == wanted and len(long) <= len(wanted) + 1):
        line = f".reshape(-1, {', '.join(map(str, wanted))})"
    elif color and shape[-3:] == (3, height, width):
        line = ".swapaxes(1, 2).swapaxes(2, 3)" if len(shape) == 4 else ".transpose(1, 2, 0)[None]"
    elif color and shape[-3:-1] == wanted[:2] and shape[-1] == 4 and len(shape) == 4:
        line = "[..., :3]"
    elif color and shape[-2:] == wanted[:2] and len(shape) == 3:
        line = "[..., None].repeat(3, -1)"
    elif shape[-3:-1] == wanted and shape[-1] in (3, 4) and len(shape) == 4:
        line = f"[..., :3].mean(-1){rounded}"
    elif shape[-2:] == wanted and shape[1] in (3, 4) and len(shape) == 4:
        line = f"[:, :3].mean(1){rounded}"
    elif len(shape) == 3 and shape[1:] == wanted[::-1]:
        line = ".swapaxes(1, 2)"
    else:
        return f"resize them to {height}×{width} first"
    return f"pass np.asarray(images){line}"
