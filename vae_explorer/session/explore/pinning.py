"""Pinning an image and putting the cursor on it, in one edit."""

from vae_explorer.errors import UserError
from vae_explorer.session.edits import Edits
from vae_explorer.session.explore.cursor import Cursor
from vae_explorer.session.explore.pins import Pins
from vae_explorer.session.map.latent_map import LatentMap
from vae_explorer.session.tasks import Fail
from vae_explorer.types import OneSplit


class Pinning:
    """All methods belong to the main thread."""

    def __init__(
        self, latent_map: LatentMap, pins: Pins, cursor: Cursor, edits: Edits, fail: Fail
    ) -> None:
        self._map = latent_map
        self._pins = pins
        self._cursor = cursor
        self._edits = edits
        self._fail = fail

    def pin(self, row: int, *, add: bool = False) -> None:
        """Pin the image behind a row of the map's points and put the cursor on it.

        With ``add`` the others stay pinned, and a pinned one is no longer.
        """
        points = self._map.points
        if points is None or not 0 <= row < len(points.indices):
            return
        split, index = points.origin(row)
        with self._edits.as_one():
            if add:
                self._pins.toggle(split, index)
            else:
                self._pins.pin(split, index)
            self._cursor.move(*points.positions[row].tolist())

    def find(self, split: OneSplit, index: int) -> None:
        """Pin an image by its index in a split."""
        row = self._map.row(split, index)
        if row >= 0:
            self.pin(row)
            return
        text = f"Image {index:,} of {split} is not on the map; show all images of that split."
        self._fail("The image was not found", UserError(text))
