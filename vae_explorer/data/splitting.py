"""Which images are kept for the test, and which are exact copies of each other."""

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from vae_explorer.types import Labels, UInt8

_BLOCK = 1 << 18


def digests(images: UInt8, check: Callable[[], object] = lambda: None) -> NDArray[np.uint64]:
    """A number of 64 bits for each image, (n,), which copies share and others do not."""
    count = len(images)
    flat = images.reshape(count, -1)
    width = flat.shape[1]
    words = -(-width // 8)
    factors = np.random.default_rng(0).integers(1, 2**63, words, np.uint64) * 2 + 1
    found = np.empty(count, np.uint64)
    step = max(1, _BLOCK // max(1, width))
    for start in range(0, count, step):
        check()
        part = flat[start : start + step]
        room = np.zeros((len(part), 8 * words), np.uint8)
        room[:, :width] = part
        values = room.view(np.uint64)
        values ^= values >> np.uint64(32)  # so that a high byte decides low bits too
        values *= factors
        values ^= values >> np.uint64(29)
        found[start : start + step] = values.sum(axis=1, dtype=np.uint64)
    return found


def copies(some: NDArray[np.uint64], others: NDArray[np.uint64]) -> int:
    """How many of some images are among others, too."""
    known = np.sort(others)
    at = np.searchsorted(known, some)
    return int((known[np.minimum(at, len(known) - 1)] == some).sum())


def test_count(sizes: Sequence[int], share: float) -> int:
    """How many images ``stratified`` takes of classes of these sizes, if none are copies."""
    chosen = sum(math.ceil(share * size - 0.5) for size in sizes)
    return min(max(1, chosen), sum(sizes) - 1)


def stratified(
    hashes: NDArray[np.uint64], labels: Labels | None, share: float, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The rows to train on and to test on, rising; copies of an image go the same way.

    Of each class about ``share`` is for the test, of all at least one image is for either: of the
    largest class for the test.
    """
    _, first, group = np.unique(hashes, return_index=True, return_inverse=True)
    if len(first) < 2:  # nothing but copies: they cannot be kept apart
        first = group = np.arange(len(hashes))
    # Numbered by where they come first, so that the choice depends on no digest.
    rank = np.empty(len(first), np.intp)
    rank[np.argsort(first)] = np.arange(len(first))
    group = rank[group]
    sizes = np.bincount(group)
    classes = np.zeros(len(first), np.intp) if labels is None else labels[np.sort(first)]
    shuffled = np.random.default_rng(seed).permutation(len(first))
    shuffled = shuffled[np.argsort(classes[shuffled], kind="stable")]
    of_class = classes[shuffled]
    before = np.cumsum(sizes[shuffled]) - sizes[shuffled]
    starts = np.searchsorted(of_class, of_class)
    within = before - before[starts]
    amount = np.bincount(classes, weights=sizes)[of_class]
    chosen = within + 0.5 * sizes[shuffled] < share * amount
    if not chosen.any():
        chosen[amount.argmax()] = True
    if chosen.all():
        chosen[-1] = False
    test = np.zeros(len(first), bool)
    test[shuffled[chosen]] = True
    rows = test[group]
    return np.flatnonzero(~rows), np.flatnonzero(rows)


def mixed(rows: NDArray[np.intp], hashes: NDArray[np.uint64], seed: int) -> NDArray[np.intp]:
    """The rows shuffled, images with copies first.

    Those held out are the last: they are of all classes, and no copy of them is trained on.
    """
    some = np.random.default_rng((seed, 1)).permutation(rows)
    order = np.argsort(hashes[some])
    same = np.diff(hashes[some][order]) == 0
    copied = np.zeros(len(some), bool)
    copied[order[1:]] |= same
    copied[order[:-1]] |= same
    return np.concatenate([some[copied], some[~copied]])
