"""What is decided of images before their pixels are read."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vae_explorer.data.arrays import channels_last, check_finite, likely_range, spread
from vae_explorer.data.dataset import size_text
from vae_explorer.data.pictures import header, pillow_trouble, pixels
from vae_explorer.data.readers.found import Check, Found, Part
from vae_explorer.data.reading import Reading, Skipped
from vae_explorer.errors import DataError
from vae_explorer.types import ImageShape, UInt8

_LARGEST, _SHRUNK = 128, 64
"""Images beyond the first, pixels a side, are proposed to be read at the second."""
SAMPLES = 24
"""Images that are looked at beforehand."""
_BLOCK = 1 << 22
_MOST_SKIPPED = 1_000


@dataclass(eq=False)
class Skips:
    """What is left out: the first of it by name and reason, and how much it is."""

    first: list[Skipped]
    count: int

    def add(self, name: str, why: str) -> None:
        """Leave one out."""
        self.count += 1
        if len(self.first) < _MOST_SKIPPED:
            self.first.append(Skipped(name, why))


@dataclass(eq=False)
class Plan:
    """All that is decided before pixels are read; parts to train on come first."""

    found: Found
    parts: list[tuple[Part, NDArray[np.intp]]]  # with the pictures that can be opened
    own: bool
    reading: Reading
    color: bool
    sizes: list[tuple[tuple[int, int], int]]
    notes: list[str]
    skips: Skips

    @property
    def shape(self) -> ImageShape:
        """Of an image as it will be read."""
        assert self.reading.size
        return (*self.reading.size, 3) if self.color else self.reading.size

    @property
    def total(self) -> int:
        """How many images there are."""
        return sum(len(rows) for _, rows in self.parts)


def plan_of(found: Found, reading: Reading, check: Check) -> Plan:
    """Decide what ``reading`` leaves open; raises ``DataError`` if a choice does not fit."""
    notes = [*filter(None, [found.unsure]), *found.notes]
    skips = Skips(list(found.skipped), found.skipped_count)
    own = {part.split for part in found.parts} == {"train", "test"}
    sizes: Counter[tuple[int, int]] = Counter()
    said: Counter[str] = Counter()
    parts: list[tuple[Part, NDArray[np.intp]]] = []
    color = False
    spans: list[tuple[float, float]] = []
    for part in found.parts:
        if isinstance(part.images, np.ndarray):
            images = _as_images(part.images, reading, notes)
            check()
            check_finite(images, "Images")
            if images.size:
                spans.append(likely_range(images) if images.dtype != np.uint8 else _bytes(images))
            sizes[images.shape[1], images.shape[2]] += len(images)
            color = color or images.ndim == 4
            rows = np.arange(len(images))
            part = replace(part, images=images)
        else:
            good = []
            colored = sixteen = 0
            for index in range(len(part.images)):
                if index % 64 == 0:
                    check()
                try:
                    with pillow_trouble(), part.images.open(index) as picture:
                        head = header(picture)
                except DataError as error:
                    skips.add(part.images.name(index), str(error))
                    continue
                good.append(index)
                sizes[head.size] += 1
                said.update(head.notes)
                colored += head.color
                sixteen += head.sixteen
            rows = np.array(good, np.intp)
            spans += [(0, 65535)] if good and sixteen == len(good) else []
            color = color or (colored > 0 and _truly_colored(part, rows))
        if len(rows):
            parts.append((part, rows))
    total = sum(len(rows) for _, rows in parts)
    if total < 2:
        what = "no image that can be read" if not total else "a single image"
        more = f" ({skips.count:,} skipped; the first: {skips.first[0].why})" if skips.count else ""
        raise DataError(
            f"{found.name} has {what}{more}; at least two are needed, one to train on and one to "
            "test on."
        )
    own = own and {part.split for part, _ in parts} == {"train", "test"}
    notes += [f"{count:,} × {note}." for note, count in said.most_common()]
    span = reading.range or _joint(spans if len(spans) == len(parts) else [])
    if reading.transpose:
        sizes = Counter({size[::-1]: count for size, count in sizes.items()})
    size = reading.size or _proposed_size(sizes)
    if {*sizes} != {size}:
        how = {"fit": "fitted with padding", "crop": "cropped", "stretch": "stretched"}
        other = sum(count for found_size, count in sizes.items() if found_size != size)
        counted = "1 image of another size" if other == 1 else f"{other:,} images of other sizes"
        notes.append(f"{counted} {how[reading.fit]} to {size_text(size)}.")
    is_color = {"": color, "gray": False, "rgb": True}[reading.channels]
    if color and not is_color:
        notes.append("Colour made gray.")
    decided = replace(
        reading,
        kind=found.kind,
        images=found.image_keys[0] if found.image_keys else "",
        labels=reading.labels or (found.label_keys[0] if found.label_keys[:1] == ("-",) else ""),
        size=size,
        channels="rgb" if is_color else "gray",
        range=span,
        grid=found.grid,
    )
    if spans and span != (0, 255):
        notes.append(f"Values from {span[0]:g} to {span[1]:g} made 0 to 255.")
    return Plan(found, parts, own, decided, is_color, sizes.most_common(), notes, skips)


def _as_images(array: NDArray[Any], reading: Reading, notes: list[str]) -> NDArray[Any]:
    """An array of any form as (n, h, w) or (n, h, w, 3), without a copy."""
    if array.dtype.kind not in "buif":
        raise DataError(f"Images must be real numbers, not {array.dtype}.")
    if array.ndim == 2:
        width = array.shape[1]
        for channels in (1, 3):
            side = round((width / channels) ** 0.5)
            size = reading.size or (side, side)
            if size[0] * size[1] * channels == width:
                array = array.reshape(len(array), *size, *((3,) if channels == 3 else ()))
                notes.append(f"Rows of {width:,} values read as {size_text(array.shape[1:])}.")
                return array
    return channels_last(array, "Images", reading.layout)


def _bytes(images: NDArray[Any]) -> tuple[float, float]:
    """The range of uint8: the whole one, but of pixels that are all 0 or 1, or 0 to 16."""
    step = max(1, _BLOCK // max(1, images[:1].size))
    largest = 0
    for start in range(0, len(images), step):
        largest = max(largest, int(images[start : start + step].max()))
        if largest > 16:
            return 0, 255
    return (0, 1) if largest == 1 else (0, 16) if largest == 16 else (0, 255)


def _joint(spans: Sequence[tuple[float, float]]) -> tuple[float, float]:
    if not spans:
        return 0, 255
    return min(low for low, _ in spans), max(high for _, high in spans)


def _proposed_size(sizes: Counter[tuple[int, int]]) -> tuple[int, int]:
    (height, width), count = sizes.most_common(1)[0]
    if count * 2 <= sum(sizes.values()):  # no size prevails
        longer = sorted(max(size) for size in sizes.elements())
        side = min(_SHRUNK, longer[len(longer) // 2])
        return side, side
    if max(height, width) <= _LARGEST:
        return height, width
    scale = _SHRUNK / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def _truly_colored(part: Part, rows: NDArray[np.intp]) -> bool:
    """Whether some of the pictures have colour, and not only three channels."""
    for index in spread(len(rows), SAMPLES).tolist():
        with suppress(DataError):
            image = picture_at(part, int(rows[index]), color=True, near=_SHRUNK, span=None)
            values = image.astype(np.int16)
            if np.abs(values - values[..., :1]).max() > 16:
                return True
    return False


def picture_at(
    part: Part, index: int, *, color: bool, near: int, span: tuple[float, float] | None
) -> UInt8:
    """The pixels of a picture in a file; raises ``DataError`` if it is damaged."""
    assert not isinstance(part.images, np.ndarray)
    with pillow_trouble(), part.images.open(index) as picture:
        return pixels(picture, color=color, span=span, near=near)
