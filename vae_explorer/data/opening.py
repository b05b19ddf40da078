"""The one door for images: a path, and how it is read, become a data set or a preview of it."""

import stat
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vae_explorer.data.arrays import channels_last, check_finite, label_codes, likely_range, scaled
from vae_explorer.data.dataset import Dataset, ImageSet, size_text
from vae_explorer.data.pictures import border, header, pillow_trouble, pixels, resized
from vae_explorer.data.preview import SAMPLES, Offer, Preview
from vae_explorer.data.readers import ready_made
from vae_explorer.data.readers.arrays import find_npy, find_npz
from vae_explorer.data.readers.folder import SUFFIXES, find_folder
from vae_explorer.data.readers.found import Check, Found, Part, columns_of, shown_path
from vae_explorer.data.readers.idx_pairs import find_idx, idx_folder, is_idx
from vae_explorer.data.readers.parquet import find_parquet, is_parquet_folder
from vae_explorer.data.readers.pixel_text import find_amat, find_csv
from vae_explorer.data.readers.stack import find_stack
from vae_explorer.data.reading import Reading, Report, Skipped, Source
from vae_explorer.data.scratch import scratch
from vae_explorer.data.splitting import copies, digests, mixed, stratified
from vae_explorer.data.tables import Classes, Column, Numbers
from vae_explorer.data.treatment import first_gray
from vae_explorer.errors import DataError
from vae_explorer.types import Labels, UInt8

_LARGEST, _SHRUNK = 128, 64
"""Images beyond the first, pixels a side, are proposed to be read at the second."""
_BLOCK = 1 << 22
_MOVED = 1 << 26  # bytes at once
_MOST_SKIPPED = 1_000
_MODELS = {
    ".pt": "a PyTorch file, which is pickled",
    ".pth": "a PyTorch file, which is pickled",
    ".pkl": "a pickle",
    ".pickle": "a pickle",
    ".joblib": "a pickle",
}


def open_images(
    path: str | Path,
    reading: Reading | None = None,
    progress: Callable[[float], object] = lambda _: None,
    check: Check = lambda: None,
) -> Dataset:
    """Read images from a folder, a file or the name of a ready-made set.

    Folders of pictures, IDX, NPZ, NPY, CSV and TSV of pixels, Parquet, amat, multi-page TIFF and
    sheets of images; "digits", "mnist", "fashion-mnist", "kmnist" and "emnist-letters" by name.

    Args:
        path: what to read.
        reading: choices; what it leaves open is decided as ``inspect`` shows it.
        progress: told the part that is done, from 0 to 1.
        check: called now and then; it may raise what ends the reading.

    Returns:
        The images to train on and to test on, uint8 of one size, and a report of what was
        converted or left out.

    Raises:
        DataError: there are no images, or fewer than two; a file is damaged; a choice does not fit.
    """
    reading = reading or Reading()
    if ready_made.is_mnist(path) and reading == Reading():
        from vae_explorer.data.bundled import mnist_dataset

        return mnist_dataset()
    where = Path(path)
    found = _find(where, reading, check)
    plan = _plan(found, reading, check)
    return _read(plan, Source(_kept(where), plan.reading), progress, check)


def _kept(path: Path) -> Path:
    """A path that leads to the same from any folder; the name of a ready-made set as it is."""
    return path.absolute() if path.exists() else path


def inspect(
    path: str | Path, reading: Reading | None = None, check: Check = lambda: None
) -> Preview:
    """What is at a path, how it will be read, and how some of it will look.

    Raises:
        DataError: as ``open_images``, as far as it can be seen without reading all.
    """
    reading = reading or Reading()
    plan = _plan(_find(Path(path), reading, check), reading, check)
    return _preview(plan, check)


def _find(path: Path, reading: Reading, check: Check) -> Found:
    known = ready_made.known(path)
    if known and not path.exists():
        return ready_made.find(known, reading, check)
    shown = shown_path(path)
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        names = ", ".join(ready_made.NAMES)
        raise DataError(f"{shown} does not exist; give a path, or one of {names}.") from None
    except (OSError, ValueError) as error:
        raise DataError(
            f"Cannot read {shown}: {getattr(error, 'strerror', '') or error}."
        ) from error
    if stat.S_ISDIR(mode):
        if reading.kind == "folder":
            return find_folder(path, reading, check)
        try:
            if images := idx_folder(path):
                return find_idx(images, reading, check)
            if is_parquet_folder(path):
                return find_parquet(path, reading, check)
        except OSError as error:
            raise DataError(f"Cannot read {shown}: {error.strerror or error}.") from error
        return find_folder(path, reading, check)
    if not stat.S_ISREG(mode):
        raise DataError(f"{shown} is neither a folder nor a regular file.")
    suffix = path.suffix.lower()
    start = _start(path)
    if suffix in _MODELS:
        raise DataError(
            f"{shown} is {_MODELS[suffix]} and may run any program when it is opened; save its "
            "images with numpy.save('images.npy', np.asarray(images)) and open that."
        )
    if start[:2] == b"\x1f\x8b" or is_idx(path) or start[:3] == b"\0\0\x08":
        return find_idx(path, reading, check)
    if start[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return find_npz(path, reading, check)
    if start[:6] == b"\x93NUMPY":
        return find_npy(path, reading, check)
    if start[:4] == b"PAR1" or suffix in (".parquet", ".arrow"):
        return find_parquet(path, reading, check)
    if suffix in SUFFIXES:
        return find_stack(path, reading, check)
    if suffix == ".amat":
        return find_amat(path, reading, check)
    if suffix in (".csv", ".tsv", ".txt"):
        return find_csv(path, reading, check)
    raise DataError(
        f"{shown} is of no kind that is read; choose a folder of pictures, or an IDX, NPZ, NPY, "
        "CSV, TSV, Parquet, amat or TIFF file."
    )


def _start(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(8)
    except OSError as error:
        raise DataError(f"Cannot read {shown_path(path)}: {error.strerror or error}.") from error


@dataclass(eq=False)
class _Skips:
    first: list[Skipped]
    count: int

    def add(self, name: str, why: str) -> None:
        self.count += 1
        if len(self.first) < _MOST_SKIPPED:
            self.first.append(Skipped(name, why))


@dataclass(eq=False)
class _Plan:
    """All that is decided before pixels are read; parts to train on come first."""

    found: Found
    parts: list[tuple[Part, NDArray[np.intp]]]  # with the pictures that can be opened
    own: bool
    reading: Reading
    color: bool
    sizes: list[tuple[tuple[int, int], int]]
    notes: list[str]
    skips: _Skips

    @property
    def shape(self) -> tuple[int, ...]:
        assert self.reading.size
        return (*self.reading.size, 3) if self.color else self.reading.size

    @property
    def total(self) -> int:
        return sum(len(rows) for _, rows in self.parts)


def _plan(found: Found, reading: Reading, check: Check) -> _Plan:
    notes = list(found.notes)
    skips = _Skips(list(found.skipped), found.skipped_count)
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
    )
    if spans and span != (0, 255):
        notes.append(f"Values from {span[0]:g} to {span[1]:g} made 0 to 255.")
    return _Plan(found, parts, own, decided, is_color, sizes.most_common(), notes, skips)


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
    for index in _spread(len(rows), SAMPLES):
        with suppress(DataError):
            image = _picture(part, int(rows[index]), color=True, near=_SHRUNK, span=None)
            values = image.astype(np.int16)
            if np.abs(values - values[..., :1]).max() > 16:
                return True
    return False


def _spread(count: int, wanted: int) -> list[int]:
    return sorted({round(at) for at in np.linspace(0, count - 1, min(count, wanted))})


def _picture(
    part: Part, index: int, *, color: bool, near: int, span: tuple[float, float] | None
) -> UInt8:
    assert not isinstance(part.images, np.ndarray)
    with pillow_trouble(), part.images.open(index) as picture:
        return pixels(picture, color=color, span=span, near=near)


def _blocks(
    plan: _Plan, part: Part, rows: NDArray[np.intp], check: Check
) -> Iterator[tuple[UInt8, NDArray[np.intp]]]:
    """The images of some rows of a part as they will be, and which rows could be read."""
    reading = plan.reading
    assert reading.size
    assert reading.range
    low, high = reading.range
    if not low < high:
        raise DataError(f"The range {low:g} to {high:g} is empty; give black first, then white.")
    step = max(1, _BLOCK // int(np.prod(plan.shape)))
    for start in range(0, len(rows), step):
        check()
        some = rows[start : start + step]
        if isinstance(part.images, np.ndarray):
            whole = int(some[-1]) - int(some[0]) + 1 == len(some)
            block = part.images[int(some[0]) : int(some[-1]) + 1] if whole else part.images[some]
            if (low, high) != (0, 255) or block.dtype != np.uint8:
                block = scaled(block, low, high)
            _forget(part.images)
            yield _shaped(block, plan), some
        else:
            images, good = [], []
            wide = None if reading.range == (0, 255) else reading.range
            for number, index in enumerate(some.tolist()):
                if number % 16 == 0:
                    check()
                try:
                    image = _picture(
                        part, index, color=plan.color, near=max(reading.size), span=wide
                    )
                except DataError as error:
                    plan.skips.add(part.images.name(index), str(error))
                    continue
                images.append(_shaped(image[None], plan)[0])
                good.append(index)
            if images:
                yield np.stack(images), np.array(good, np.intp)


def _forget(array: NDArray[Any]) -> None:
    """Let go of the pages of a file that were read, so that memory holds images once."""
    base: Any = array
    while base is not None and not hasattr(base, "madvise"):
        base = getattr(base, "_mmap", None) or getattr(base, "base", None)
    if base is not None:
        import mmap

        if hasattr(mmap, "MADV_DONTNEED"):
            with suppress(OSError, ValueError):
                base.madvise(mmap.MADV_DONTNEED)


def _shaped(images: UInt8, plan: _Plan) -> UInt8:
    """Images (k, h, w) or (k, h, w, 3) in the channels, direction and size of the plan."""
    reading = plan.reading
    assert reading.size
    if images.ndim == 4 and not plan.color:
        weights = np.array([0.299, 0.587, 0.114])
        images = np.rint(images @ weights).astype(np.uint8)
    elif images.ndim == 3 and plan.color:
        images = np.repeat(images[..., None], 3, axis=-1)
    if reading.transpose:
        images = images.swapaxes(1, 2)
    if images.shape[1:3] != reading.size:
        images = np.stack(
            [resized(np.ascontiguousarray(image), reading.size, reading.fit) for image in images]
        )
    return 255 - images if reading.invert else images


def _as_they_are(plan: _Plan) -> UInt8 | None:
    """The one array that needs no change and may be kept, if it is so."""
    (part, _), *others = plan.parts
    images, reading = part.images, plan.reading
    if (
        others
        or not isinstance(images, np.ndarray)
        or images.dtype != np.uint8
        or images.shape[1:] != plan.shape
        or reading.range != (0, 255)
        or reading.invert
        or reading.transpose
        or not (images.flags.writeable and images.flags.c_contiguous)
    ):
        return None
    return images


def _read(
    plan: _Plan, source: Source, progress: Callable[[float], object], check: Check
) -> Dataset:
    total = plan.total
    everything = _as_they_are(plan)
    kept: list[NDArray[np.intp]] = []
    if everything is None:
        everything = scratch((total, *plan.shape))
        at = done = 0
        for part, rows in plan.parts:
            good: list[NDArray[np.intp]] = []
            for block, some in _blocks(plan, part, rows, check):
                everything[at : at + len(block)] = block
                at += len(block)
                done += len(block)
                good.append(some)
                progress(0.9 * done / total)
            kept.append(np.concatenate(good) if good else np.empty(0, np.intp))
        everything = everything[:at]
    else:
        kept = [rows for _, rows in plan.parts]
    if len(everything) < 2:
        raise DataError(
            f"{plan.found.name}: of {total:,} images {len(everything)} can be read; at least two "
            "are needed."
        )
    labels, classes, columns = _labels(plan, kept)
    hashes = digests(everything, check)
    order: NDArray[np.intp] | None = None
    training = sum(
        len(rows) for (part, _), rows in zip(plan.parts, kept, strict=True) if part.split != "test"
    )
    duplicates = 0
    notes = plan.notes
    if plan.own and 0 < training < len(everything):
        duplicates = copies(hashes[training:], hashes[:training])
        if duplicates:
            notes.append(
                f"{duplicates:,} test images are exactly among those to train on, as the data has "
                "them."
            )
        if labels is not None and _class_by_class(labels[:training]):
            notes.append("The training images came class by class; they are shuffled.")
            first = mixed(np.arange(training), hashes, plan.reading.seed)
            order = np.concatenate([first, np.arange(training, len(everything))])
    else:
        train, test = stratified(hashes, labels, plan.reading.test_share, plan.reading.seed)
        again = int((np.diff(np.sort(hashes)) == 0).sum())
        duplicates = copies(hashes[test], hashes[train])
        if again and not duplicates:
            notes.append(f"{again:,} images are exact copies of others; copies share a split.")
        elif duplicates:
            notes.append("All images are the same; the test images are copies.")
        order = np.concatenate([mixed(train, hashes, plan.reading.seed), test])
        training = len(train)
    if order is not None:
        _reorder(everything, order, check)
        labels = None if labels is None else labels[order]
        columns = {name: _picked(column, order) for name, column in columns.items()}
        columns.setdefault("row", Numbers(order.astype(np.float32)))  # among those read
    progress(1.0)
    whole = ImageSet(everything, labels, plan.found.name, "both", classes, columns)
    report = Report(
        tuple(dict.fromkeys(notes)), tuple(plan.skips.first), plan.skips.count, duplicates
    )
    return Dataset.cut(whole, training, source, report)


def _class_by_class(labels: Labels) -> bool:
    """Whether images lie so that the last, which are held out, would be of one class."""
    return bool((labels[1:] >= labels[:-1]).all() and 1 < int(labels[-1]) + 1 <= len(labels) // 2)


def _reorder(images: UInt8, order: NDArray[np.intp], check: Check) -> None:
    """Put images into another order, in place: some of their pixels after the others."""
    flat = images.reshape(len(images), -1)
    step = max(1, _MOVED // len(images))
    for start in range(0, flat.shape[1], step):
        check()
        flat[:, start : start + step] = flat[order, start : start + step]


def _picked(column: Column, rows: NDArray[np.intp]) -> Column:
    if isinstance(column, Numbers):
        return Numbers(column.values[rows])
    return Classes(column.codes[rows], column.names)


def _labels(
    plan: _Plan, kept: Sequence[NDArray[np.intp]]
) -> tuple[Labels | None, tuple[str, ...], dict[str, Column]]:
    """The codes of all images, the names of their classes, and the columns that all have."""
    columns: dict[str, Column] = {}
    first = plan.parts[0][0]
    pairs = [(part, rows) for (part, _), rows in zip(plan.parts, kept, strict=True)]
    for name, column in first.columns.items():
        if all(type(part.columns.get(name)) is type(column) for part, _ in pairs):
            columns[name] = _stacked([_picked(part.columns[name], rows) for part, rows in pairs])
    given = [part.labels for part, _ in pairs]
    if any(labels is None for labels in given):
        if any(labels is not None for labels in given):
            plan.notes.append("Some of the images have no labels, so none are read.")
        return None, (), columns
    arrays = [np.asarray(labels)[rows] for labels, (_, rows) in zip(given, pairs, strict=True)]
    if any(array.dtype.kind in "UO" for array in arrays):
        arrays = [array.astype(str) for array in arrays]
    try:
        codes, classes = label_codes(np.concatenate(arrays), plan.found.classes)
    except DataError as error:
        plan.notes.append(f"The labels are no classes: {error}")
        with suppress(ValueError):
            columns |= columns_of("label", np.concatenate(arrays))
        return None, (), columns
    return codes, classes, columns


def _stacked(columns: Sequence[Column]) -> Column:
    first = columns[0]
    if isinstance(first, Numbers):
        values = [column.values for column in columns if isinstance(column, Numbers)]
        return Numbers(np.concatenate(values))
    of_names = [column for column in columns if isinstance(column, Classes)]
    names = tuple(dict.fromkeys(name for column in of_names for name in column.names))
    places = [
        np.array([*map(names.index, column.names), -1], np.int16)[column.codes]
        for column in of_names
    ]
    return Classes(np.concatenate(places), names)


def _preview(plan: _Plan, check: Check) -> Preview:
    rows = [rows for _, rows in plan.parts]
    labels, classes, columns = _labels(plan, rows)
    total = plan.total
    ends = np.cumsum([len(part) for part in rows])
    samples: list[UInt8] = []
    at: list[int] = []
    for place in _spread(total, SAMPLES):
        number = int(np.searchsorted(ends, place, "right"))
        within = place - int(ends[number] - len(rows[number]))
        some = rows[number][within : within + 1]
        for block, _ in _blocks(plan, plan.parts[number][0], some, check):
            samples.append(block[0])
            at.append(place)
    if not samples:
        raise DataError(
            f"{plan.found.name}: none of {SAMPLES} images that were tried can be read; the first: "
            f"{plan.skips.first[0].why if plan.skips.first else 'unknown'}."
        )
    shown = np.stack(samples)
    if plan.own:
        test = sum(len(rows) for part, rows in plan.parts if part.split == "test")
        split = "its own"
    else:
        test = min(max(1, round(plan.reading.test_share * total)), total - 1)
        split = f"{plan.reading.test_share:.0%} of each class, by seed {plan.reading.seed}"
        split = split if labels is not None else split.replace(" of each class", "")
    counts = [] if labels is None else np.bincount(labels, minlength=len(classes)).tolist()
    likelihood, treatment = _proposal(shown, plan)
    reading = plan.reading
    assert reading.range
    return Preview(
        name=plan.found.name,
        kind=plan.found.kind,
        reading=reading,
        counts={"train": total - test, "test": test, "both": total},
        found_sizes=tuple(plan.sizes),
        image_shape=plan.shape,
        range=reading.range,
        classes=dict(zip(classes, counts, strict=True)),
        columns=tuple(columns),
        split=split,
        report=Report(tuple(dict.fromkeys(plan.notes)), tuple(plan.skips.first), plan.skips.count),
        samples=shown,
        sample_labels=tuple("" if labels is None else classes[labels[place]] for place in at),
        likelihood=likelihood,
        treatment=treatment,
        image_keys=plan.found.image_keys,
        label_keys=plan.found.label_keys,
        offers=_offers(shown, plan),
    )


def _proposal(samples: UInt8, plan: _Plan) -> tuple[str, str]:
    if plan.found.fixed or first_gray(samples) is None:
        return "bernoulli", "fixed"
    if not plan.color and ((samples > 32) & (samples < 224)).mean() < 0.2:
        return "bernoulli", "binarized"
    return ("gaussian" if plan.color else "continuous-bernoulli"), "gray"


def _offers(samples: UInt8, plan: _Plan) -> tuple[Offer, ...]:
    offers = []
    if plan.found.transposed:
        why = "EMNIST's files exchange rows and columns; turned, the characters stand upright."
        turned = not plan.reading.transpose
        offers.append(Offer("transpose", turned, why, samples.swapaxes(1, 2)))
    if not plan.color and min(samples.shape[1:3]) > 2:
        edge = float(np.median(border(samples)))
        if edge > 140 and samples.mean() < edge - 8:
            why = "The images seem to be dark on light; models of ink on black train better."
            offers.append(Offer("invert", not plan.reading.invert, why, 255 - samples))
    return tuple(offers)
