"""Where each class lives most densely, and what is written there."""

from collections import Counter
from functools import lru_cache

import numpy as np

from vae_explorer.types import Float32, Labels

_LONGEST = 12  # letters of what is written
_CELLS = 32
_SAMPLE = 3_000  # enough to find a class's thick, cheap enough for every move of the points
_FEWEST = 8
_OUTERMOST = 2.0  # per cent of the points that are left out of the grid on each side


def class_places(positions: Float32, labels: Labels) -> dict[int, tuple[float, float]]:
    """The densest position of every class with some points, in latent units, the largest first.

    Args:
        positions: (n, 2); positions that are not finite do not count.
        labels: (n,).
    """
    step = -(-len(labels) // _SAMPLE) or 1
    positions, labels = positions[::step], labels[::step]
    good = np.isfinite(positions).all(axis=1)
    positions, labels = positions[good], labels[good]
    if not len(labels):
        return {}
    low, high = np.percentile(positions, [_OUTERMOST, 100 - _OUTERMOST], axis=0)
    span = np.maximum(high - low, 1e-6)
    cells = ((positions - low) * (_CELLS / span)).clip(0, _CELLS - 1).astype(np.intp)
    # A frame of one empty cell, so that the 3 × 3 sums below need no special edges.
    side = _CELLS + 2
    flat = (labels.astype(np.intp) * side + cells[:, 1] + 1) * side + cells[:, 0] + 1
    classes = int(labels.max()) + 1
    counts = np.bincount(flat, minlength=classes * side * side).reshape(classes, side, side)
    rows = counts[:, :-2] + counts[:, 1:-1] + counts[:, 2:]
    thick = (rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:]).reshape(classes, -1)
    best = thick.argmax(axis=1)
    places = low + (np.stack([best % _CELLS, best // _CELLS], axis=1) + 0.5) * span / _CELLS
    sizes = counts.sum(axis=(1, 2))
    largest = np.argsort(-sizes, kind="stable").tolist()
    return {n: (float(places[n, 0]), float(places[n, 1])) for n in largest if sizes[n] >= _FEWEST}


@lru_cache(maxsize=8)
def glyph_texts(names: tuple[str, ...]) -> tuple[str, ...]:
    """Names of classes so short that they go on the map, no two alike.

    Of those that begin alike the end is shown too, or else the number.
    """
    starts = Counter(name[: _LONGEST - 1] for name in names)
    texts = [
        _cut(name)
        if starts[name[: _LONGEST - 1]] == 1 or len(name) <= _LONGEST
        else f"{name[: _LONGEST // 2 - 1]}…{name[-_LONGEST // 2 :]}"
        for name in names
    ]
    alike = Counter(texts)
    return tuple(
        text if alike[text] == 1 else _cut(f"{number} {text}")
        for number, text in enumerate(texts, 1)
    )


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1].rstrip()}…"
