import numpy as np
import pytest

from vae_explorer.data.dataset import ImageSet
from vae_explorer.model.trained import Posterior
from vae_explorer.session.training.control import LIVE_IMAGES
from vae_explorer.session.training.timeline_entry import SHEET, timeline_entry
from vae_explorer.training.moments import MOST
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.snapshot import Snapshot


def test_a_frame_shows_where_images_were_and_what_places_decoded_to(
    trained: Snapshot, posterior: Posterior
) -> None:
    frame = timeline_entry(trained, posterior)
    assert (frame.step, frame.epoch, frame.point) == (20, 2.0, trained.history[-1])
    assert frame.posterior is posterior
    assert frame.sheet.shape == (SHEET * 28, SHEET * 28)
    assert frame.sheet.dtype == np.uint8
    # Rows go down, z2 goes up; the outermost positions are 2.5 from the middle.
    for position, rows, columns in (
        ((-2.5, 2.5), slice(0, 28), slice(0, 28)),
        ((2.5, 2.5), slice(0, 28), slice(-28, None)),
        ((-2.5, -2.5), slice(-28, None), slice(0, 28)),
    ):
        decoded = 255 * trained.model.decode(np.array([position]))[0]
        np.testing.assert_allclose(frame.sheet[rows, columns], decoded, atol=0.51)


def test_before_the_first_report_there_are_no_figures(
    run_folder: RunFolder, digits: ImageSet
) -> None:
    snapshot = run_folder.moments().read(0)
    frame = timeline_entry(snapshot, snapshot.model.encode(digits.images[:10]))
    assert (frame.step, frame.epoch, frame.point) == (0, 0.0, None)


@pytest.mark.parametrize("moments", [MOST + 8, 64 + 12])
def test_a_whole_film_is_small(trained: Snapshot, moments: int) -> None:
    images = np.zeros((LIVE_IMAGES, 28, 28), np.uint8)
    frame = timeline_entry(trained, trained.model.encode(images))
    arrays = (frame.posterior.mean, frame.posterior.covariance, frame.sheet)
    for array in arrays:
        assert array.base is None or array.base.nbytes == array.nbytes  # nothing hangs on it
    assert moments * sum(array.nbytes for array in arrays) < 100e6
