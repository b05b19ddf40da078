"""The one position of interest: where it is, where it has been, and the way back."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Self

import numpy as np
from psygnal import Signal

from vae_explorer.errors import UserError
from vae_explorer.session.edits import Edit
from vae_explorer.session.explore.decoding import Decoding
from vae_explorer.types import LatentPoint

LATENT_LIMIT = 6.0
"""The cursor stays within ±this many latent units of the origin, on both axes."""

MOST_VISITS = 100
"""Positions visited that are kept; of more the oldest goes."""


_ORIGIN = (0.0, 0.0)


@dataclass(frozen=True)
class Bookmark:
    """A position to come back to."""

    name: str
    position: LatentPoint


@dataclass(frozen=True)
class _State:
    """Where the cursor is, and the positions visited; ``at`` is the row of the one it came from."""

    position: LatentPoint = _ORIGIN
    visits: tuple[LatentPoint, ...] = (_ORIGIN,)
    at: int = 0

    @property
    def can_back(self) -> bool:
        return self.at > 0 or self.position != self.visits[self.at]

    @property
    def can_forward(self) -> bool:
        return self.at + 1 < len(self.visits) and self.position == self.visits[self.at]

    def rested(self) -> Self:
        """With the present position as the newest visit."""
        if self.position == self.visits[self.at]:
            return self
        visits = (*self.visits[: self.at + 1], self.position)[-MOST_VISITS:]
        return replace(self, visits=visits, at=len(visits) - 1)

    def stepped(self, step: int) -> Self:
        """At the visit ``step`` rows on."""
        return replace(self, position=self.visits[self.at + step], at=self.at + step)


class Cursor:
    """The position whose picture is shown. All methods belong to the main thread.

    It stays within ±``LATENT_LIMIT`` on both axes, and a point that is no number is ignored. Every
    move tells ``changed`` and then ``edited``; what leaves the cursor where it was tells nothing.
    A visit is a position that was jumped to, or where a scrub or a run of nudges came to rest.

    Args:
        decoding: is asked for the picture at the cursor.
    """

    changed = Signal(float, float)
    edited = Signal(Edit)
    visits_changed = Signal(bool, bool)
    """Whether there is a position to go back to, and one to go forward to."""
    bookmarks_changed = Signal(tuple)
    """All ``Bookmark``s, the oldest first."""

    def __init__(self, decoding: Decoding) -> None:
        self._decoding = decoding
        self._state = _State()
        self._bookmarks: dict[str, LatentPoint] = {}
        self._random = np.random.default_rng(0)
        self._sliding = ""  # by what, "" at rest
        self._slides = 0

    def reset(self, position: LatentPoint, bookmarks: Iterable[Bookmark]) -> None:
        """Start again from ``position``, with no other visits; no edit."""
        self._bookmarks = {bookmark.name: bookmark.position for bookmark in bookmarks}
        start = clamped(*position) or _ORIGIN
        self._restore(_State(start, (start,)))
        self.bookmarks_changed.emit(self.bookmarks)

    @property
    def position(self) -> LatentPoint:
        """Where the cursor is, latent units."""
        return self._state.position

    # Moves

    def move(self, z1: float, z2: float) -> None:
        """Jump to a position."""
        self._jump(z1, z2, "Move Cursor")

    def scrub(self, z1: float, z2: float) -> None:
        """Be at the next position of a continuous move; one edit until it comes to ``rest``."""
        self._slide(z1, z2, "Scrub")

    def nudge(self, dz1: float, dz2: float) -> None:
        """Move by a little; nudges in a row are one edit, as is a scrub."""
        self._slide(self.position[0] + dz1, self.position[1] + dz2, "Nudge")

    def rest(self) -> None:
        """End a scrub or a run of nudges, as by letting go; any other move does so too."""
        self._sliding = ""
        self._slides += 1
        self._set(self._state.rested())

    def random(self) -> None:
        """Jump to a draw from the prior N(0, I)."""
        z1, z2 = self._random.standard_normal(2).tolist()
        self._jump(z1, z2, "Random Position")

    def go_to(self, positions: Mapping[int, LatentPoint], label: int, name: str) -> None:
        """Jump to the position of a class called ``name``, if ``positions`` has one."""
        if label in positions:
            self._jump(*positions[label], f"Go to Class {name}")

    def preview(self, z: LatentPoint | None) -> None:
        """Show the picture at ``z`` while the cursor stays; back to the cursor's at None."""
        if z is None:
            self._decoding.request(self.position)
        elif position := clamped(*z):
            self._decoding.request(position, preview=True)

    # Visits

    @property
    def can_back(self) -> bool:
        """Whether there is a position to go back to."""
        return self._state.can_back

    @property
    def can_forward(self) -> bool:
        """Whether there is one to go forward to."""
        return self._state.can_forward

    def back(self) -> None:
        """Return to the previous position, if there is one."""
        self.rest()
        if self._state.can_back:
            self._go(self._state.stepped(-1), "Back")

    def forward(self) -> None:
        """Take ``back`` back, if no other move came after it."""
        self.rest()
        if self._state.can_forward:
            self._go(self._state.stepped(1), "Forward")

    # Bookmarks

    @property
    def bookmarks(self) -> tuple[Bookmark, ...]:
        """All, the oldest first."""
        return tuple(Bookmark(name, position) for name, position in self._bookmarks.items())

    def bookmark(self, name: str) -> None:
        """Keep the position under ``name``, without spaces around it; an older one is replaced.

        Raises:
            UserError: the name is empty.
        """
        name = name.strip()
        if not name:
            raise UserError("The bookmark has no name; type one.")
        self._bookmarks[name] = self.position
        self.bookmarks_changed.emit(self.bookmarks)

    def visit(self, name: str) -> None:
        """Jump to the position kept under ``name``.

        Raises:
            UserError: there is none. Likewise below.
        """
        self._check_name(name)
        self._jump(*self._bookmarks[name], f"Go to “{name}”")

    def forget(self, name: str) -> None:
        """Drop the position kept under ``name``."""
        self._check_name(name)
        del self._bookmarks[name]
        self.bookmarks_changed.emit(self.bookmarks)

    def _check_name(self, name: str) -> None:
        if name not in self._bookmarks:
            known = ", ".join(f"“{other}”" for other in self._bookmarks)
            advice = f"choose one of {known}" if known else "add one first"
            raise UserError(f"No bookmark is named “{name}”; {advice}.")

    def _jump(self, z1: float, z2: float, text: str) -> None:
        if position := clamped(z1, z2):
            self.rest()
            self._go(replace(self._state, position=position).rested(), text)

    def _slide(self, z1: float, z2: float, text: str) -> None:
        if position := clamped(z1, z2):
            if text != self._sliding:
                self.rest()
                self._sliding = text
            self._go(replace(self._state, position=position), text, f"{text} {self._slides}")

    def _go(self, state: _State, text: str, merge: str = "") -> None:
        before = self._state
        self._set(state)
        # Asked even from the same position: a preview may have been shown since.
        self._decoding.request(state.position)
        if state.position != before.position:
            undo, redo = partial(self._restore, before), partial(self._restore, state)
            self.edited.emit(Edit(text, undo, redo, merge))

    def _restore(self, state: _State) -> None:
        self._sliding = ""
        self._slides += 1
        self._set(state)
        self._decoding.request(state.position)

    def _set(self, state: _State) -> None:
        before, self._state = self._state, state
        if state.position != before.position:
            self.changed.emit(*state.position)
        ways = state.can_back, state.can_forward
        if ways != (before.can_back, before.can_forward):
            self.visits_changed.emit(*ways)


def clamped(z1: float, z2: float) -> LatentPoint | None:
    """The nearest position within the limit; None if it is no position."""
    if not (math.isfinite(z1) and math.isfinite(z2)):
        return None
    return _clamp(z1), _clamp(z2)


def _clamp(value: float) -> float:
    return min(max(value, -LATENT_LIMIT), LATENT_LIMIT)
