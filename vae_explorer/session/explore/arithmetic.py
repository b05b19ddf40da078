"""Sums and differences of latent points: where they lead the cursor, and what lies there."""

from collections.abc import Callable

import numpy as np

from vae_explorer.data.dataset import Dataset
from vae_explorer.errors import UserError
from vae_explorer.latent.arithmetic import analogy, attribute_vector, neighbourhood
from vae_explorer.session.explore.cursor import Cursor
from vae_explorer.session.explore.pins import Pins
from vae_explorer.session.map.latent_map import LatentMap
from vae_explorer.session.map.selection import Selection
from vae_explorer.session.map.state import class_name
from vae_explorer.session.tasks import Fail
from vae_explorer.types import Float64

_NEIGHBOURS = 20

_TITLE = "The cursor did not move"


class Arithmetic:
    """Moves the cursor by vectors between images. All methods belong to the main thread.

    Args:
        latent_map: whose points lie near the result.
        pins: give the points of an analogy.
        selection: gives an attribute.
        cursor: is moved.
        message: called with which images lie near the result.
        fail: shows what is missing.
    """

    def __init__(
        self,
        latent_map: LatentMap,
        pins: Pins,
        selection: Selection,
        cursor: Cursor,
        message: Callable[[str], None],
        fail: Fail,
    ) -> None:
        self._map = latent_map
        self._pins = pins
        self._selection = selection
        self._cursor = cursor
        self._message = message
        self._fail = fail

    def analogy(self) -> None:
        """Go to what is to the third of the last three pins as the first is to the second."""
        if len(self._pins.tray) < 3:
            text = "An analogy takes three pinned images: the first − the second + the third."
            self._fail(_TITLE, UserError(text))
            return
        first, second, third = pins = self._pins.tray[-3:]
        names = [class_name(self._map.shown_data, pin.label) or "image" for pin in pins]
        self._go(
            f"{names[0]} − {names[1]} + {names[2]}",
            analogy(first.mean, second.mean, third.mean),
        )

    def add_attribute(self) -> None:
        """Go on from the cursor by what sets the selected images apart from all others."""
        state, points = self._map.state, self._map.points
        selected = self._selection.mask(points.indices) if points is not None else np.zeros(0, bool)
        posterior = state.posterior if state else None
        if posterior is None or not selected.any() or selected.all():
            text = "Select some of the images first; their mean minus that of the others is added."
            self._fail(_TITLE, UserError(text))
            return
        rows, others = np.flatnonzero(selected), np.flatnonzero(~selected)
        try:
            vector = attribute_vector(posterior.mean, rows, others)
        except UserError as error:
            self._fail(_TITLE, error)
            return
        self._go("Attribute added", np.array(self._cursor.position) + vector)

    def _go(self, what: str, place: Float64) -> None:
        points = self._map.points
        assert points is not None
        if not np.isfinite(place).all() or not np.isfinite(points.positions).all(1).any():
            text = "The model's codes are not finite; it cannot be used. Open another."
            self._fail(_TITLE, UserError(text))
            return
        self._cursor.move(*place.tolist())
        found = neighbourhood(
            points.positions, points.labels, np.array(self._cursor.position), _NEIGHBOURS
        )
        shares = ", ".join(
            f"{share:.0%} {_called(points.data, label)}" for label, share in found.shares.items()
        )
        reach = f"{found.distances[-1]:.2f} away"
        self._message(f"{what}: of the {len(found.rows)} nearest, up to {reach}, {shares}")


def _called(data: Dataset, label: int) -> str:
    """Several images of a class: "7s" of a number, "cat" as it is named, "images" without one."""
    name = class_name(data, label) or "image"
    return f"{name}s" if name.isdecimal() or name == "image" else name
