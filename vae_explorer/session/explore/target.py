"""The digit of their own that a person may have lessons about."""

from psygnal import Signal

from vae_explorer.session.explore.pins import Pins
from vae_explorer.session.explore.sketch import Sketch
from vae_explorer.session.map.layer_contents import EncodedImage
from vae_explorer.session.map.map_layers import encoded_of


class Target:
    """The sketch, else the pinned image. Main thread only."""

    changed = Signal()
    """Another image, or the same under another model."""

    def __init__(self, pins: Pins, sketch: Sketch) -> None:
        self._pins = pins
        self._sketch = sketch
        pins.changed.connect(self.changed)
        sketch.image_changed.connect(self.changed)

    @property
    def image(self) -> EncodedImage | None:
        """The image with its q(z|x) by the model on the map; None as long as nothing is there."""
        pinned = self._pins.current
        return self._sketch.image or (encoded_of(pinned) if pinned else None)
