import numpy as np
import pytest
from PIL import Image

from vae_explorer.data import centring
from vae_explorer.data.centring import Pixels, ink_of
from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import DataError
from vae_explorer.types import Float64, UInt8


def centred(image: Pixels, shape: tuple[int, int] = (28, 28)) -> UInt8:
    return centring.centred(image, shape)


def _correlation(a: UInt8, b: UInt8) -> float:
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def _centre(image: UInt8) -> Float64:
    """Row and column of the centre of mass, by its definition."""
    positions = np.argwhere(image)
    return np.average(positions, axis=0, weights=image[image > 0].astype(float))


def _moved(digit: UInt8, zoom: int, top: int, left: int) -> UInt8:
    """The digit enlarged, somewhere in a picture of 400 × 500."""
    big = digit.repeat(zoom, 0).repeat(zoom, 1)
    picture = np.zeros((400, 500), np.uint8)
    picture[top : top + len(big), left : left + len(big)] = big
    return picture


def _photo(digit: UInt8, light_ink: bool) -> UInt8:
    """(400, 500, 3): light from one side, noise, and a speck of dirt."""
    rng = np.random.default_rng(0)
    ink = _moved(digit, 8, 90, 170) / 255
    ink[20:24, 30:34] = 1
    light = np.linspace(1.0, 0.6, 500)
    picture = light * (40 + 160 * ink if light_ink else 220 - 170 * ink)
    noisy = picture[..., None] + rng.normal(0, 5, (400, 500, 3))
    return noisy.clip(0, 255).astype(np.uint8)


def test_an_image_of_mnist_comes_back(mnist_small: ImageSet) -> None:
    pairs = [(image, centred(image)) for image in mnist_small.images[:300]]
    differences = [np.abs(image.astype(int) - found).mean() for image, found in pairs]
    assert np.median(differences) == 0
    assert np.mean(differences) < 0.2
    assert pairs[0][1].dtype == np.uint8


def test_place_and_size_do_not_matter(mnist_small: ImageSet) -> None:
    found = []
    for number, digit in enumerate(mnist_small.images[:300]):
        picture = _moved(digit, 2 + number % 7, number % 170, 3 * number % 270)
        found.append(_correlation(centred(picture), digit))
    assert np.median(found) > 0.99
    assert np.mean(np.array(found) > 0.95) > 0.95


def test_the_centre_of_mass_is_in_the_middle(mnist_small: ImageSet) -> None:
    for number, digit in enumerate(mnist_small.images[:200]):
        image = Image.fromarray(digit).rotate(3 * number, Image.Resampling.BICUBIC, expand=True)
        found = centred(np.asarray(image.resize((150, 150))))
        assert np.abs(_centre(found) - 14).max() <= 0.51
        rows, columns = np.nonzero(found)
        assert 19 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 20


def test_floats_are_shares_of_full_ink(mnist_small: ImageSet) -> None:
    digit = mnist_small.images[5]
    np.testing.assert_array_equal(centred(digit.astype(np.float32) / 255), centred(digit))
    odd = np.where(digit > 100, 7.0, np.nan)
    np.testing.assert_array_equal(centred(odd), centred(np.where(digit > 100, 255, digit * 0)))


@pytest.mark.parametrize(
    ("height", "width", "shape"),
    [(1, 1, (20, 20)), (900, 1, (20, 1)), (2, 3_000, (1, 20)), (40, 10, (20, 5))],
)
def test_a_block_fills_the_box_one_way(height: int, width: int, shape: tuple[int, int]) -> None:
    picture = np.zeros((height + 50, width + 70), np.uint8)
    picture[20 : 20 + height, 30 : 30 + width] = 255
    found = centred(picture)
    rows, columns = np.nonzero(found)
    assert (int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1) == shape
    assert (found[found > 0] == 255).all()
    assert np.abs(_centre(found) - 14).max() <= 0.5


def test_a_hairline_in_a_huge_picture_stays_visible() -> None:
    picture = np.zeros((4_000, 5_000), np.uint8)
    np.fill_diagonal(picture, 200)
    found = centred(picture)
    assert found.max() == 200
    assert np.count_nonzero(np.diagonal(found) > 100) == 20


def test_ink_all_over_is_a_full_box() -> None:
    found = centred(np.full((300, 300), 255, np.uint8))
    assert found.sum() == 20 * 20 * 255


def test_lopsided_ink_stays_in_the_image() -> None:
    picture = np.zeros((100, 100), np.uint8)
    picture[:, :5] = picture[:5] = 60
    picture[:40, :40] = 255
    found = centred(picture)
    rows, columns = np.nonzero(found)
    assert np.ptp(rows) == np.ptp(columns) == 19
    assert rows.max() == columns.max() == 27


def test_another_side_scales_all(mnist_small: ImageSet) -> None:
    found = centred(mnist_small.images[0], (56, 56))
    assert found.shape == (56, 56)
    rows, columns = np.nonzero(found)
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == 40
    halved = np.asarray(Image.fromarray(found).reduce(2))
    assert _correlation(halved, mnist_small.images[0]) > 0.9


def test_an_oblong_image_holds_all_the_ink(mnist_small: ImageSet) -> None:
    found = centred(mnist_small.images[0], (12, 9))
    assert found.shape == (12, 9)
    rows, columns = np.nonzero(found)
    assert np.ptp(rows) + 1 <= 9
    assert np.ptp(columns) + 1 <= 7


@pytest.mark.parametrize("shape", [(28, 28), (0, 5)])
def test_an_empty_picture_is_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(DataError, match="is empty; draw something"):
        centred(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("inverted", [False, True])
def test_a_clean_picture_keeps_its_ink(mnist_small: ImageSet, inverted: bool) -> None:
    found = []
    for digit in mnist_small.images[:200]:
        picture = 255 - digit if inverted else digit
        found.append(_correlation(ink_of(picture[..., None]), digit))
    assert min(found) > 0.95


@pytest.mark.parametrize("light_ink", [False, True])
def test_a_photo_in_uneven_light_keeps_its_digit(mnist_small: ImageSet, light_ink: bool) -> None:
    found = [
        _correlation(centred(ink_of(_photo(digit, light_ink))), digit)
        for digit in mnist_small.images[:60]
    ]
    assert np.median(found) > 0.95
    # A centre between two pixels may go to either.
    assert np.mean(np.array(found) > 0.95) > 0.85


@pytest.mark.parametrize("level", [0, 90, 200, 255])
def test_what_is_transparent_is_ground(mnist_small: ImageSet, level: int) -> None:
    digit = mnist_small.images[7]
    picture = np.full((28, 28, 4), level, np.uint8)
    picture[..., 3] = digit
    assert _correlation(ink_of(picture), digit) > 0.95
    picture[digit == 0, :3] = 255 - level  # the colour of nothing
    assert _correlation(ink_of(picture), digit) > 0.95


def test_ink_may_cross_the_border() -> None:
    picture = np.full((100, 100, 3), 230, np.uint8)
    picture[40:60] = 20
    found = ink_of(picture)
    assert (found[40:60] == 255).all()
    assert not found[:40].any()
    assert not found[60:].any()


def test_a_huge_photo_is_reduced() -> None:
    picture = np.full((3_000, 1_500, 3), 255, np.uint8)
    picture[1_000:2_000, 700:800] = (200, 0, 0)
    found = ink_of(picture)
    assert found.shape == (280, 140)
    assert np.abs(_centre(found) - (139.5, 69.5)).max() < 0.6


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 2, 3), (50, 40, 3), (50, 40, 4)])
def test_a_plain_picture_is_refused(shape: tuple[int, int, int]) -> None:
    rng = np.random.default_rng(0)
    for picture in (np.full(shape, 130), rng.integers(128, 132, shape), np.zeros(shape)):
        with pytest.raises(DataError, match="Nothing stands out.* dark drawing on a light ground"):
            ink_of(picture.astype(np.uint8))


@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 2), (0, 5, 3)])
def test_what_is_no_picture_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match="open"):
        ink_of(np.zeros(shape, np.uint8))
    with pytest.raises(DataError, match="float64"):
        ink_of(np.zeros((5, 5, 3)))  # type: ignore[arg-type]
