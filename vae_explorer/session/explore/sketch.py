"""An image that a person sketches or brings, and what the model makes of it."""

from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from psygnal import Signal

from vae_explorer.data.centring import centred, ink_of
from vae_explorer.data.dataset import size_text
from vae_explorer.errors import DataError, UserError
from vae_explorer.files import read_bytes
from vae_explorer.latent.neighbours import nearest_images
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.session.explore.image_truth import image_bound, image_truth
from vae_explorer.session.explore.sketch_reading import NEIGHBOURS, Neighbour, Reading
from vae_explorer.session.jobs import Control
from vae_explorer.session.map.freshness import Freshness
from vae_explorer.session.map.latent_map import LatentMap, thumbnail
from vae_explorer.session.map.layer_contents import EncodedImage
from vae_explorer.session.map.state import MapPoints, MapState, same_images
from vae_explorer.session.tasks import Tasks
from vae_explorer.types import ImageShape, UInt8

SEED = 2**31
"""Of the binarisation that a sketch is scored on; no image of the data has it."""

NO_LABEL = 255
"""The class of a sketch, which has none."""

_MOST_PIXELS = 40_000_000  # of a file: 160 MB once read
_MOST_BYTES = 1 << 28
_READ_SIDE = 1_000  # pixels, to which a larger picture is reduced

_LARGEST = 64  # pixels of a side of images that can be drawn

_EMPTY: UInt8 = np.zeros((1, 1), np.uint8)


class Sketch:
    """One image that is not in the data. All methods belong to the main thread.

    It is encoded and reconstructed at once; what takes longer follows, of the newest sketch only.

    Args:
        tasks: where that is computed, and pictures are read.
        latent_map: has the model, and the images among which the nearest are looked for.
    """

    seen_changed = Signal(object, object)
    """The (h, w) uint8 image that the model is given, or None; and the ink (h, w) uint8 to be
    put on the pad, or None if it is there already."""
    reconstructed = Signal(object)
    """(h, w) float32 in [0, 1], decoded from the mean of q, or None."""
    read = Signal(object)
    """A ``Reading``, first without log p(x) and then with it, or None."""
    nearest_changed = Signal(tuple)
    """The ``Neighbour``s among the map's images, the nearest first."""
    available_changed = Signal(bool, str)
    """Whether the model reads images that can be drawn, and a line on their size or why not."""
    image_changed = Signal()
    """``image`` is another, or the same under another model."""

    def __init__(self, tasks: Tasks, latent_map: LatentMap) -> None:
        self._pictures = tasks.newest("picture", "The picture was not read")
        self._reading = tasks.newest("sketch", "The sketch could not be scored", "layers")
        self._comparing = tasks.newest("alike", "The nearest images were not found", "layers")
        self._map = latent_map
        self.freshness = Freshness(latent_map)
        self._ink: UInt8 | None = None
        self._seen: UInt8 | None = None
        self._encoded: tuple[TrainedVAE, EncodedImage] | None = None  # the last one
        latent_map.changed.connect(self._on_map)

    @property
    def image(self) -> EncodedImage | None:
        """The sketch with its q(z|x) by the model on the map, if there is one."""
        state, seen = self._map.state, self._seen
        if state is None or seen is None or seen.shape != state.model.image_shape:
            return None
        known = self._encoded
        if known is None or known[0] is not state.model or known[1].image is not seen:
            q = state.model.encode(seen[None])
            encoded = EncodedImage("sketch", seen, NO_LABEL, q.mean[0], q.covariance[0], SEED)
            known = self._encoded = state.model, encoded
        return known[1]

    def _on_map(self, new: MapState, old: MapState | None) -> None:
        other = old is None or new.model.image_shape != old.model.image_shape
        if other:
            self.available_changed.emit(*_drawable(new.model.image_shape))
        if other and self._ink is not None:
            self._see(self._fitted(self._ink))
        elif old is None or new.model is not old.model:
            self._interpret()
        if not same_images(new.points, old.points if old else None):
            self._compare()

    def draw(self, ink: UInt8) -> None:
        """Read ink (h, w) that is on the pad; none at all is no sketch."""
        self._pictures.cancel()
        self._ink = ink if ink.any() else None
        self._see(self._fitted(ink) if ink.any() else None)

    def give(self, picture: UInt8) -> None:
        """Read a picture (h, w, channels), see ``ink_of``."""
        self._take(lambda: ink_of(picture))

    def open(self, path: Path) -> None:
        """Read a picture from a file."""
        self._take(lambda: ink_of(_picture(path)))

    def clear(self) -> None:
        """Forget the sketch, and empty the pad."""
        self._pictures.cancel()
        self._ink = None
        self._see(None, _EMPTY)

    @property
    def _shape(self) -> tuple[int, int] | None:
        """Of the images that the model reads, None of those that cannot be drawn; MNIST's first."""
        shape = self._map.shown_data.image_shape
        if self._map.state is not None:
            shape = self._map.state.model.image_shape
        return (shape[0], shape[1]) if _drawable(shape)[0] else None

    def _fitted(self, ink: UInt8) -> UInt8 | None:
        return centred(ink, self._shape) if self._shape else None

    def _take(self, find: Callable[[], UInt8]) -> None:
        shape = self._shape

        def work(_: Control) -> tuple[UInt8 | None, UInt8]:
            ink = find()
            return (centred(ink, shape) if shape else None), ink

        def done(found: tuple[UInt8 | None, UInt8]) -> None:
            self._ink = found[1]
            self._see(*found)

        self._pictures.run(work, done)

    def _see(self, seen: UInt8 | None, ink: UInt8 | None = None) -> None:
        self._seen = seen
        self.seen_changed.emit(seen, ink)
        self._interpret()
        self._compare()

    def _interpret(self) -> None:
        """Encode and decode at once; the integral follows."""
        state, image = self._map.state, self.image
        self._reading.cancel()
        if image is None and self._seen is not None:
            return  # until there is a model
        self.image_changed.emit()
        if state is None or image is None:
            self.reconstructed.emit(None)
            self._show(None)
            return
        self.reconstructed.emit(state.model.decode(image.mean[None])[0])
        self._reading.run(
            partial(_read, state.model, image.image, partial(self._show, state.model)),
            partial(self._show, state.model),
            failed=lambda _: self._show(None),
        )

    def _show(self, model: TrainedVAE | None, reading: Reading | None = None) -> None:
        self.read.emit(reading)
        self.freshness.show(model)

    def _compare(self) -> None:
        points, seen = self._map.points, self._seen
        self._comparing.cancel()
        if seen is None:
            self.nearest_changed.emit(())
        elif points is not None and points.data.image_shape == seen.shape:
            self._comparing.run(partial(_nearest, points, seen), self.nearest_changed.emit)


def _drawable(shape: ImageShape) -> tuple[bool, str]:
    size = size_text(shape)
    if len(shape) > 2:
        return False, "The model reads images in colour; only gray ones can be drawn."
    if max(shape) > _LARGEST:
        most = size_text((_LARGEST, _LARGEST))
        return False, f"The model reads images of {size}; those up to {most} can be drawn."
    return True, f"Read as a gray image of {size}."


# The rest runs on the worker's thread.


def _read(
    model: TrainedVAE, seen: UInt8, report: Callable[[Reading], None], control: Control
) -> Reading:
    bound = image_bound(model, seen, SEED, control.check)
    control.report(partial(report, Reading(bound)))
    truth = image_truth(model, seen, SEED, control.check)
    return Reading(truth.bound, truth)


def _nearest(points: MapPoints, seen: UInt8, control: Control) -> tuple[Neighbour, ...]:
    images = points.images[points.indices]
    found = []
    for row in nearest_images(images, seen, NEIGHBOURS, control.check).tolist():
        distance = np.linalg.norm(images[row].astype(np.float64) - seen) / 255
        found.append(Neighbour(thumbnail(points, row), float(distance)))
    return tuple(found)


def _picture(path: Path) -> UInt8:
    """A file's pixels (h, w, 4), RGB and opacity, upright and reduced if there are very many.

    Raises:
        DataError: there is no such file, it cannot be read, or it is too large.
    """
    try:
        content = read_bytes(path, "a picture (.png, .jpg)", DataError, most=_MOST_BYTES)
        with Image.open(BytesIO(content)) as picture:
            width, height = picture.size
            if width * height > _MOST_PIXELS:
                raise DataError(
                    f"{path} has {width:,} × {height:,} pixels, more than "
                    f"{_MOST_PIXELS // 10**6} million; open a smaller picture."
                )
            picture.thumbnail((_READ_SIDE, _READ_SIDE))
            upright = ImageOps.exif_transpose(picture)
            return np.array(upright.convert("RGBA"))
    except UserError:
        raise
    except Image.DecompressionBombError:
        raise DataError(f"{path} has too many pixels; open a smaller picture.") from None
    except UnidentifiedImageError:
        raise DataError(f"{path} is not a picture that can be read; open a PNG or JPEG.") from None
    # Pillow raises any of these for damaged pixels or a mode that it cannot convert.
    except (OSError, SyntaxError, ValueError) as error:
        what = error.strerror if isinstance(error, OSError) else None
        raise DataError(f"{path} cannot be read: {what or error}.") from error
