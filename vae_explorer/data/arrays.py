"""Numbers and images as people have them: lists, arrays or tensors, of any kind of number."""

import math
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vae_explorer.data.reading import Layout
from vae_explorer.errors import DataError
from vae_explorer.types import Floats, ImageShape, Int64, Labels, UInt8

MOST_CLASSES = 1_000


def spread(count: int, most: int) -> Int64:
    """At most ``most`` of ``count`` indices (k,), evenly from the first to the last."""
    return np.linspace(0, count - 1, min(most, count)).round().astype(np.int64)


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


def as_codes(values: Any, what: str, classes: int) -> Labels:
    """Labels as the codes of so many classes, or of as many as they have where it is 0.

    Raises:
        DataError: they are no integers, or lie outside.
    """
    array = as_array(values, what)
    most = classes or MOST_CLASSES
    if array.dtype.kind not in "ui" and array.size:
        raise DataError(f"{what} must be integers from 0 to {most - 1}, not {array.dtype}.")
    if array.size and not (array.min() >= 0 and array.max() < most):
        raise DataError(
            f"{what} must be integers from 0 to {most - 1}; found {array.min()} to {array.max()}."
        )
    if array.size and not classes:
        classes = int(array.max()) + 1
    return array.astype(np.uint16 if classes > 256 else np.uint8, copy=False)


def label_codes(labels: Any, classes: tuple[str, ...] = ()) -> tuple[Labels, tuple[str, ...]]:
    """Labels of any kind as codes (n,) and the names of the classes they count in.

    Raises:
        DataError: they are no labels, or of more than ``MOST_CLASSES`` classes.
    """
    if hasattr(labels, "detach"):
        labels = labels.detach().cpu()
    try:
        array = np.asarray(labels)
    except (TypeError, ValueError) as error:
        raise DataError(f"Labels must be one number or name an image ({error}).") from error
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise DataError(
            f"Labels have shape {array.shape}, expected (n,); of one-hot labels pass "
            "np.asarray(labels).argmax(1)."
        )
    if array.dtype.kind == "O" and all(isinstance(label, str) for label in array.tolist()):
        array = array.astype(str)
    if array.dtype.kind == "f":
        if not np.isfinite(array).all():
            at = int(np.flatnonzero(~np.isfinite(array))[0])
            raise DataError(f"Label {at:,} is {array[at]}; give every image a label, or none one.")
        if (array == np.rint(array)).all():
            array = array.astype(np.int64)
    if array.dtype.kind == "U":
        return _named(array, classes)
    if array.dtype.kind not in "buif":
        raise DataError(f"Labels must be numbers or names, not {array.dtype}.")
    if array.dtype.kind == "b":
        array = array.astype(np.uint8)
    if classes or (array.dtype.kind in "ui" and array.min(initial=0) >= 0 and _dense(array)):
        codes = as_codes(array, "Labels", len(classes))
        return codes, classes or tuple(map(str, range(int(codes.max(initial=0)) + 1)))
    values, places = np.unique(array, return_inverse=True)
    names = tuple(f"{value:.7g}" if array.dtype.kind == "f" else str(value) for value in values)
    _check_classes(names)
    return as_codes(places, "Labels", len(names)), names


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """The key by which names sort as people count: 2 before 10."""
    parts = [part for part in re.split(r"([0-9]+)", text) if part]
    digits = {part: part.lstrip("0") for part in parts if "0" <= part[0] <= "9"}
    return tuple(
        (0, len(digits[part]), digits[part]) if part in digits else (1, 0, part.casefold())
        for part in parts
    )


def _named(array: NDArray[Any], classes: tuple[str, ...]) -> tuple[Labels, tuple[str, ...]]:
    values, codes = np.unique(array, return_inverse=True)
    found = values.tolist()
    names = classes or tuple(sorted(found, key=lambda name: (natural(name), name)))
    _check_classes(names)
    if strangers := {*found} - {*names}:
        raise DataError(f"Labels hold '{min(strangers)}', which is none of the classes given.")
    places = {name: place for place, name in enumerate(names)}
    order = np.array([places[name] for name in found], np.int64)
    return as_codes(order[codes], "Labels", len(names)), names


def _dense(array: NDArray[Any]) -> bool:
    """Whether labels are numbers of classes: most of those up to the largest are there."""
    largest = int(array.max(initial=0))
    return largest < 256 or (largest < MOST_CLASSES and len(np.unique(array)) > largest // 2)


def _check_classes(names: tuple[str, ...]) -> None:
    if len(names) > MOST_CLASSES:
        raise DataError(
            f"Labels are of {len(names):,} different values, more than the {MOST_CLASSES:,} there "
            "may be; give them as a column of numbers."
        )


def as_pixels(
    values: Any,
    what: str,
    layout: Layout = "",
    span: tuple[float, float] | None = None,
    *,
    clip: bool = False,
) -> UInt8:
    """Images (n, h, w) or (n, h, w, 3) of any layout and range as uint8.

    ``span`` are the values of black and white; with ``clip`` what is beyond becomes these.

    Raises:
        DataError: something would be lost; the message has the line that converts it.
    """
    array = channels_last(as_array(values, what), what, layout)
    if span is not None:
        low, high = span
        if not low < high:
            raise DataError(
                f"The range {low:g} to {high:g} is empty; give black first, then white."
            )
        check_finite(array, what)
        if not clip and array.size and not (array.min() >= low and array.max() <= high):
            raise DataError(
                f"{what} lie in {array.min():g} to {array.max():g}, beyond the range {low:g} to "
                f"{high:g}; pass np.clip(images, {low:g}, {high:g})."
            )
        return scaled(array, low, high)
    if array.dtype == np.uint8:
        return array
    if array.dtype.kind == "b":
        return array.astype(np.uint8) * np.uint8(255)
    check_finite(array, what)
    low, high = (array.min(), array.max()) if array.size else (0, 0)
    whole = array.dtype.kind in "ui" or bool(high > 1 and (array == np.rint(array)).all())
    if whole and low >= 0 and high <= 255:
        return array.astype(np.uint8)
    if not whole and low >= 0 and high <= 1:
        return scaled(array, 0, 1)
    raise DataError(
        f"{what} are {array.dtype} from {low:g} to {high:g}, expected integers from 0 to 255 or "
        f"floats from 0 to 1; pass range={likely_range(array)}, which become black and white."
    )


def likely_range(array: NDArray[Any]) -> tuple[float, float]:
    """The values that seem to be black and white: the usual ones of the type, or those found."""
    if array.dtype.kind == "b":
        return 0, 1
    low, high = (float(array.min()), float(array.max())) if array.size else (0.0, 1.0)
    if array.dtype.kind == "f" and low >= 0 and high <= 1:
        return 0, 1
    if low >= 0 and high <= 255:
        return 0, (1 if high <= 1 and array.dtype.kind in "ui" else 255)
    if array.dtype.kind == "f" and low >= -1 and high <= 1:
        return -1, 1
    if low >= 0 and array.dtype.kind in "ui" and high < 65536:
        return 0, (4095 if high <= 4095 else 65535)
    return (low, high) if low < high else (low, low + 1)


def scaled(array: NDArray[Any], low: float, high: float) -> UInt8:
    """Values as the nearest of 256 levels, part by part; what is beyond becomes black or white."""
    pixels = np.empty(array.shape, np.uint8)
    step = max(1, (1 << 22) // max(1, array[:1].size))
    for start in range(0, len(array), step):
        part = (array[start : start + step].astype(np.float64) - low) * (255 / (high - low))
        pixels[start : start + step] = np.rint(np.clip(part, 0, 255))
    return pixels


def check_finite(array: NDArray[Any], what: str) -> None:
    """Refuse NaN and infinity, with the first image that has them."""
    if array.dtype.kind != "f":
        return
    step = max(1, (1 << 22) // max(1, array[:1].size))
    for start in range(0, len(array), step):
        part = array[start : start + step]
        if not np.isfinite(part).all():
            bad = ~np.isfinite(part).reshape(len(part), -1).all(axis=1)
            at = start + int(np.argmax(bad))
            raise DataError(
                f"{what} hold values that are not finite, first in image {at:,}; "
                "pass np.nan_to_num(images), or leave these images out."
            )


def channels_last(array: NDArray[Any], what: str, layout: Layout = "") -> NDArray[Any]:
    """Images as (n, h, w) or (n, h, w, 3), without a copy.

    Raises:
        DataError: they have another number of axes or channels.
    """
    if array.ndim == 5 and 1 in array.shape[1:]:
        axis = 1 + array.shape[1:].index(1)
        array = array.squeeze(axis)
    if array.ndim == 3:
        return array
    if array.ndim == 4:
        first, last = array.shape[1], array.shape[3]
        where = layout or ("NHWC" if last in (1, 3) else "NCHW")
        if where == "NCHW" and first in (1, 3):
            array, last = np.moveaxis(array, 1, -1), first
        elif where == "NCHW" or last not in (1, 3):
            cut = "[..., :3]" if last in (2, 4) else "[:, :3]" if first in (2, 4) else ""
            does = f"pass images{cut}" if cut else "pass (n, height, width, 3)"
            raise DataError(
                f"{what} have shape {array.shape}, expected one channel or three; {does}."
            )
        return array[..., 0] if last == 1 else array
    side = math.isqrt(array.shape[1]) if array.ndim == 2 else 0
    line = "pass (n, height, width) or (n, height, width, 3)"
    if array.ndim == 2 and side * side == array.shape[1] and side > 1:
        line = f"pass images.reshape(-1, {side}, {side})"
    elif array.ndim == 2:
        line = "of one image pass images[None]"
    raise DataError(
        f"{what} have shape {array.shape}, expected (n, height, width) or "
        f"(n, height, width, 3); {line}."
    )


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
