"""The pixels and labels of a plan, read into one data set."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vae_explorer.data.arrays import label_codes, scaled
from vae_explorer.data.dataset import Dataset, ImageSet
from vae_explorer.data.pictures import resized
from vae_explorer.data.plan import Plan, picture_at
from vae_explorer.data.readers.found import Check, Part, columns_of
from vae_explorer.data.reading import Report, Source
from vae_explorer.data.scratch import scratch
from vae_explorer.data.splitting import copies, digests, mixed, stratified
from vae_explorer.data.tables import Classes, Column, Numbers
from vae_explorer.errors import DataError
from vae_explorer.types import Labels, UInt8

_BLOCK = 1 << 22
_MOVED = 1 << 26  # bytes at once


def blocks(
    plan: Plan, part: Part, rows: NDArray[np.intp], check: Check
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
                    image = picture_at(
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


def _shaped(images: UInt8, plan: Plan) -> UInt8:
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


def _as_they_are(plan: Plan) -> UInt8 | None:
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


def gather(
    plan: Plan, source: Source, progress: Callable[[float], object], check: Check
) -> Dataset:
    """Read all images of a plan; raises ``DataError`` where fewer than two can be read."""
    total = plan.total
    everything = _as_they_are(plan)
    kept: list[NDArray[np.intp]] = []
    if everything is None:
        everything = scratch((total, *plan.shape))
        at = done = 0
        for part, rows in plan.parts:
            good: list[NDArray[np.intp]] = []
            for block, some in blocks(plan, part, rows, check):
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
    labels, classes, columns = labels_of(plan, kept)
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


def labels_of(
    plan: Plan, kept: Sequence[NDArray[np.intp]]
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
