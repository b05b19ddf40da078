"""Whether what is shown is of the model that is on the map."""

from typing import TYPE_CHECKING

from psygnal import Signal

from vae_explorer.session.map.state import MapState

if TYPE_CHECKING:
    from vae_explorer.model.trained import TrainedVAE
    from vae_explorer.session.map.latent_map import LatentMap


class Freshness:
    """Of one result that takes a while: ``current`` until another model comes, and with the next.

    Args:
        latent_map: has the model.
    """

    changed = Signal(bool)
    """Whether what is shown is of the model on the map, from now on."""

    def __init__(self, latent_map: "LatentMap") -> None:
        self._map = latent_map
        self._of: TrainedVAE | None = None
        self.current = True
        latent_map.changed.connect(self._on_map)

    def show(self, model: "TrainedVAE | None") -> None:
        """A result of this model is shown now, or for None nothing that is of any."""
        self._of = model
        self._compare()

    def _on_map(self, _new: MapState, _old: MapState | None) -> None:
        self._compare()

    def _compare(self) -> None:
        state = self._map.state
        current = self._of is None or (state is not None and state.model is self._of)
        if current != self.current:
            self.current = current
            self.changed.emit(current)
