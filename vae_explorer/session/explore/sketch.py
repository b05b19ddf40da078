"""A digit that a person draws or brings, and what the model makes of it."""

import dataclasses
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from psygnal import Signal

from vae_explorer.data import bundled
from vae_explorer.data.centring import centred, ink_of
from vae_explorer.errors import DataError, UserError
from vae_explorer.latent.figures import image_figures, own_draws
from vae_explorer.latent.neighbours import nearest_images
from vae_explorer.latent.quadrature import exact_posterior
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.session.explore.sketch_reading import NEIGHBOURS, Neighbour, Reading
from vae_explorer.session.jobs import Control, Jobs
from vae_explorer.session.map.layer_contents import Subject
from vae_explorer.session.state import MapPoints, Thumbnail
from vae_explorer.types import UInt8

SEED = 2**31
"""Of the draw that a drawing is scored on; no image of the data has it."""

NO_LABEL = 255
"""The class of a drawing, which has none."""

_MOST_PIXELS = 40_000_000  # of a file: 160 MB once read
_READ_SIDE = 1_000  # pixels, to which a larger picture is reduced

_EMPTY: UInt8 = np.zeros((28, 28), np.uint8)


class DrawnDigit:
    """One digit that is not in the data. All methods belong to the main thread.

    It is encoded and reconstructed at once; what takes longer follows, of the newest drawing only.

    Args:
        jobs: where that is computed, and pictures are read.
        fail: told what went wrong, with a title.
    """

    seen_changed = Signal(object, object)
    """The (28, 28) uint8 image that the model is given, or None; and the ink (h, w) uint8 to be
    put on the pad, or None if it is there already."""
    reconstructed = Signal(object)
    """(28, 28) float32 in [0, 1], decoded from the mean of q, or None."""
    read = Signal(object)
    """A ``Reading``, first without log p(x) and then with it, or None."""
    nearest_changed = Signal(tuple)
    """The ``Neighbour``s among the map's images, the nearest first."""
    subject_changed = Signal(object)
    """The ``Subject`` to draw layers of, or None."""

    def __init__(self, jobs: Jobs, fail: Callable[[str, BaseException], None]) -> None:
        self._jobs = jobs
        self._fail = fail
        self._model: TrainedVAE | None = None
        self._points: MapPoints | None = None
        self._seen: UInt8 | None = None

    def set_model(self, model: TrainedVAE) -> None:
        """Let another model read the same drawing."""
        if model is not self._model:
            self._model = model
            self._interpret()

    def set_points(self, points: MapPoints) -> None:
        """Look for the nearest among the images of these points."""
        old, self._points = self._points, points
        if (
            old is None
            or old.split != points.split
            or not np.array_equal(old.indices, points.indices)
        ):
            self._compare()

    def draw(self, ink: UInt8) -> None:
        """Read ink (h, w) that is on the pad; none at all is no drawing."""
        self._jobs.cancel("picture")
        if ink.any():
            self._see(centred(ink))
        else:
            self._see(None)

    def give(self, picture: UInt8) -> None:
        """Read a picture (h, w, channels), see ``ink_of``."""
        self._take(lambda: ink_of(picture))

    def open(self, path: Path) -> None:
        """Read a picture from a file."""
        self._take(lambda: ink_of(_picture(path)))

    def clear(self) -> None:
        """Forget the drawing, and empty the pad."""
        self._jobs.cancel("picture")
        self._see(None, _EMPTY)

    def _take(self, find: Callable[[], UInt8]) -> None:
        def work(_: Control) -> tuple[UInt8, UInt8]:
            ink = find()
            return centred(ink), ink

        self._jobs.run_newest(
            "picture",
            work,
            done=lambda found: self._see(*found),
            failed=partial(self._fail, "The picture was not read"),
        )

    def _see(self, seen: UInt8 | None, ink: UInt8 | None = None) -> None:
        self._seen = seen
        self.seen_changed.emit(seen, ink)
        self._interpret()
        self._compare()

    def _interpret(self) -> None:
        """Encode and decode, together a quarter of a millisecond; the figures follow."""
        model, seen = self._model, self._seen
        self._jobs.cancel("drawing")
        if seen is None:
            self.reconstructed.emit(None)
            self.read.emit(None)
            self.subject_changed.emit(None)
            return
        if model is None:
            return
        q = model.encode(seen[None])
        subject = Subject("drawn", seen, NO_LABEL, q.mean[0], q.covariance[0], SEED)
        self.reconstructed.emit(model.decode(q.mean)[0])
        self.subject_changed.emit(subject)
        self._jobs.run_newest(
            "drawing",
            partial(_read, model, subject, self.read.emit),
            done=self.read.emit,
            failed=self._leave_unread,
            lane="layers",
        )

    def _leave_unread(self, error: BaseException) -> None:
        self.read.emit(None)
        self._fail("The drawing could not be scored", error)

    def _compare(self) -> None:
        points, seen = self._points, self._seen
        self._jobs.cancel("alike")
        if seen is None:
            self.nearest_changed.emit(())
        elif points is not None:
            self._jobs.run_newest(
                "alike",
                partial(_nearest, points, seen),
                done=self.nearest_changed.emit,
                failed=partial(self._fail, "The nearest digits were not found"),
                lane="layers",
            )


# The rest runs on the worker's thread.


def _read(
    model: TrainedVAE, subject: Subject, tell: Callable[[Reading], None], control: Control
) -> Reading:
    image, seeds = subject.image[None], np.array([subject.seed])
    elbo = float(image_figures(model, image, seeds, control.check).elbo[0])
    reading = Reading(subject.mean, subject.covariance, elbo)
    control.report(partial(tell, reading))
    exact = exact_posterior(model, own_draws(model, image, seeds), control.check)
    return dataclasses.replace(reading, log_marginal=float(exact.log_marginal[0]))


def _nearest(points: MapPoints, seen: UInt8, control: Control) -> tuple[Neighbour, ...]:
    images = bundled.mnist(points.split).images[points.indices]
    found = []
    for row in nearest_images(images, seen, NEIGHBOURS, control.check).tolist():
        distance = np.linalg.norm(images[row].astype(np.float64) - seen) / 255
        _, index = points.origin(row)
        thumbnail = Thumbnail(index, int(points.labels[row]), images[row])
        found.append(Neighbour(thumbnail, float(distance)))
    return tuple(found)


def _picture(path: Path) -> UInt8:
    """A file's pixels (h, w, 4), RGB and opacity, upright and reduced if there are very many.

    Raises:
        DataError: there is no such file, it cannot be read, or it is too large.
    """
    try:
        with Image.open(path) as picture:
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
    except FileNotFoundError:
        raise DataError(f"{path} does not exist; check the path.") from None
    except Image.DecompressionBombError:
        raise DataError(f"{path} has too many pixels; open a smaller picture.") from None
    except UnidentifiedImageError:
        raise DataError(f"{path} is no picture that can be read; open a PNG or JPEG.") from None
    # Pillow raises any of these for damaged pixels or a mode that it cannot convert.
    except (OSError, SyntaxError, ValueError) as error:
        what = error.strerror if isinstance(error, OSError) else None
        raise DataError(f"{path} cannot be read: {what or error}.") from error
