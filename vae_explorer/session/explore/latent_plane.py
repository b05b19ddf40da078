"""Which plane of a latent space of more than two dimensions the map shows."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from psygnal import Signal

from vae_explorer.model.outside import on_plane, space_of
from vae_explorer.model.plane import Plane
from vae_explorer.session.map.latent_map import LatentMap
from vae_explorer.session.map.state import MapState
from vae_explorer.types import Float64


@dataclass(frozen=True)
class PlaneView:
    """A plane of ``dimensions``.

    ``along`` are the two coordinates it is along, counted from 0, None of a principal plane;
    ``names`` and ``others`` are the other coordinates and their values, latent units.
    """

    dimensions: int
    along: tuple[int, int] | None
    names: tuple[str, ...]
    others: tuple[float, ...]


class LatentPlane:
    """Moves the plane of the model on the map. All methods belong to the main thread.

    Args:
        latent_map: has the model.
        defer: runs a function on the main thread, soon and at most once a frame.
    """

    changed = Signal(object)
    """The ``PlaneView`` of the model, or None where the map shows all of its latent space."""

    def __init__(self, latent_map: LatentMap, defer: Callable[[Callable[[], None]], None]) -> None:
        self._map = latent_map
        self._defer = defer
        self._wanted: dict[int, float] = {}
        self.view: PlaneView | None = None
        latent_map.changed.connect(self._on_map)

    def choose(self, along: tuple[int, int] | None) -> None:
        """Show two coordinates, the others at their mean, or the principal plane by None."""
        state, space = self._map.state, self._space
        if state is None or space is None:
            return
        codes = space[1]
        plane = Plane.along(*along, codes.mean(0)) if along else Plane.principal(codes)
        moved = replace(state.snapshot, model=on_plane(state.snapshot.model, plane))
        self._map.show(moved, state.name, state.path, data=state.data)

    def move(self, other: int, value: float) -> None:
        """Put one of the other coordinates elsewhere, in the next frame that is free."""
        pending = bool(self._wanted)
        self._wanted[other] = value
        if not pending:
            self._defer(self._move)

    def reset(self) -> None:
        """Put the other coordinates back to those of the mean code."""
        if space := self._space:
            plane, codes = space
            for other, value in enumerate((plane.axes[2:] @ codes.mean(0)).tolist()):
                self.move(other, value)

    def _move(self) -> None:
        wanted, self._wanted = self._wanted, {}
        state, space = self._map.state, self._space
        if state is None or space is None or max(wanted) >= len(space[0].others):
            return
        others = space[0].others
        others[[*wanted]] = [*wanted.values()]
        plane = space[0].moved(others)
        moved = replace(state.snapshot, model=on_plane(state.snapshot.model, plane))
        self._map.decode_by(moved, on_plane(state.model, plane))

    @property
    def _space(self) -> tuple[Plane, Float64] | None:
        return space_of(self._map.state.model) if self._map.state else None

    def _on_map(self, new: MapState, old: MapState | None) -> None:
        if old is None or new.model is not old.model:
            space = space_of(new.model)
            view = _view(space[0]) if space else None
            if view != self.view:
                self.view = view
                self.changed.emit(view)


def _view(plane: Plane) -> PlaneView:
    found = plane.coordinates
    along = (found[0], found[1]) if found else None
    return PlaneView(len(plane.origin), along, plane.names[2:], tuple(plane.others.tolist()))
