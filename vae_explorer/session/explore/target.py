"""The image that lessons are about."""

from psygnal import Signal

from vae_explorer.session.explore.pins import Pins
from vae_explorer.session.explore.sketch import Sketch
from vae_explorer.session.map.latent_map import LatentMap
from vae_explorer.session.map.layer_contents import EncodedImage
from vae_explorer.session.map.map_layers import encoded_at, encoded_of
from vae_explorer.session.map.state import MapState


class Target:
    """The sketch, else the pinned image, else the first of the map. Main thread only."""

    changed = Signal(object)
    """The ``EncodedImage``, or None: another image, or the same under another model."""

    def __init__(self, latent_map: LatentMap, pins: Pins, sketch: Sketch) -> None:
        self._map = latent_map
        self._pins = pins
        self._sketch = sketch
        latent_map.changed.connect(self._on_map)
        pins.changed.connect(self._emit)
        sketch.image_changed.connect(self._emit)

    @property
    def image(self) -> EncodedImage | None:
        """The image with its q(z|x) by the model on the map; None as long as nothing is there."""
        pinned, state = self._pins.current, self._map.state
        if self._sketch.image is not None:
            return self._sketch.image
        if pinned is not None:
            return encoded_of(pinned)
        if state is None or state.points is None or state.posterior is None:
            return None
        return encoded_at(state.points, state.posterior, 0)

    def _on_map(self, new: MapState, old: MapState | None) -> None:
        if not new.moving and (old is None or new.points is not old.points):
            self._emit()

    def _emit(self) -> None:
        self.changed.emit(self.image)
