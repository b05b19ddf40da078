"""What the experiments of lessons work with: the model, the digit and the lanes."""

from psygnal import Signal

from vae_explorer.data.dataset import Dataset, labels_of
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.session.explore.target import Target
from vae_explorer.session.jobs import After
from vae_explorer.session.map.latent_map import LatentMap
from vae_explorer.session.map.layer_contents import EncodedImage
from vae_explorer.session.map.state import MapState, described
from vae_explorer.session.tasks import Tasks


class LessonContext:
    """Shared by all experiments. All methods belong to the main thread.

    Args:
        tasks: where experiments compute.
        latent_map: the map, whose model they are about.
        target: the digit that a person drew or pinned.
        after: runs a function on the main thread when some seconds have passed; for animations.
    """

    changed = Signal()
    """Another model, another digit of the person's, or the other of the two digits is wanted."""

    def __init__(self, tasks: Tasks, latent_map: LatentMap, target: Target, after: After) -> None:
        self.tasks = tasks.prefixed("lesson-")
        self.map = latent_map
        self.after = after
        self.target = target
        self.mine = False
        """The person's digit is wanted in the place of the lesson's."""
        self._known: tuple[TrainedVAE, Dataset, int, EncodedImage] | None = (
            None  # the last of a lesson
        )
        latent_map.changed.connect(self._on_map)
        target.changed.connect(self.changed)

    @property
    def model(self) -> TrainedVAE | None:
        """The model on the map, as it is rotated."""
        return self.map.state.model if self.map.state else None

    def digit(self, number: int) -> EncodedImage | None:
        """What a lesson is about, with its q(z|x) by that model: the person's, or a training digit.

        None as long as there is no model.
        """
        model, state = self.model, self.map.state
        if self.mine and self.target.image is not None:
            return self.target.image
        if model is None or state is None:
            return None
        known = self._known
        if known is None or known[:3] != (model, state.data, number):
            digit = _training_digit(model, state.data, number)
            self._known = known = model, state.data, number, digit
        return known[3]

    def use_mine(self, mine: bool) -> None:
        """Let lessons be about the person's digit, if there is one, or about their own."""
        if mine != self.mine:
            self.mine = mine
            self.changed.emit()

    def _on_map(self, new: MapState, old: MapState | None) -> None:
        if old is None or new.model is not old.model or new.data is not old.data:
            self.changed.emit()


def _training_digit(model: TrainedVAE, data: Dataset, number: int) -> EncodedImage:
    number = min(number, len(data.train) - 1)
    image, label = data.train.images[number], int(labels_of(data.train)[number])
    q = model.encode(image[None])
    if data.name == "MNIST":
        title = f"training digit {number:,}, {'an' if label == 8 else 'a'} {label}"
    else:
        title = f"training image {number:,} of {data.name}, {described(data, label)}"
    return EncodedImage(title, image, label, q.mean[0], q.covariance[0], number)
