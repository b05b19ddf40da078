"""What the experiments of lessons work with: the model, the target image and the lanes."""

from psygnal import Signal

from vae_explorer.model.trained import TrainedVAE
from vae_explorer.session.explore.target import Target
from vae_explorer.session.jobs import After
from vae_explorer.session.map.latent_map import LatentMap
from vae_explorer.session.map.layer_contents import EncodedImage
from vae_explorer.session.map.state import MapState
from vae_explorer.session.tasks import Tasks


class LessonContext:
    """Shared by all experiments. All methods belong to the main thread.

    Args:
        tasks: where experiments compute.
        latent_map: the map, whose model they are about.
        target: the image that they are about.
        after: runs a function on the main thread when some seconds have passed; for animations.
    """

    changed = Signal()
    """Another model or another target image."""

    def __init__(self, tasks: Tasks, latent_map: LatentMap, target: Target, after: After) -> None:
        self.tasks = tasks.prefixed("lesson-")
        self.map = latent_map
        self.after = after
        self.target = target
        latent_map.changed.connect(self._on_map)
        target.changed.connect(self._on_target)

    @property
    def model(self) -> TrainedVAE | None:
        """The model on the map, as it is rotated."""
        return self.map.state.model if self.map.state else None

    @property
    def target_image(self) -> EncodedImage | None:
        """The target image with its q(z|x) by that model, if there is one."""
        return self.target.image

    @property
    def about(self) -> tuple[object, ...] | None:
        """What tells the model and the target image from others, if there are both."""
        model, image = self.model, self.target_image
        if model is None or image is None:
            return None
        return model, image.title, image.seed, image.image.tobytes()

    def _on_target(self) -> None:
        self.changed.emit()

    def _on_map(self, new: MapState, old: MapState | None) -> None:
        if old is None or new.model is not old.model:
            self.changed.emit()
