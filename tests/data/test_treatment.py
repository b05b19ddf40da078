import numpy as np
import pytest
import torch

from vae_explorer.data.treatment import TREATMENTS, first_gray, treat

GRAYS = torch.arange(256).float() / 255


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_binarized_draws_each_pixel_with_its_intensity_as_probability() -> None:
    draws = 4_000
    x = treat(GRAYS.repeat(draws, 1), "binarized", _generator())
    assert ((x == 0) | (x == 1)).all()
    standard_error = (GRAYS * (1 - GRAYS) / draws).sqrt()
    assert ((x.mean(0) - GRAYS).abs() <= 5 * standard_error).all()  # black and white: exactly


def test_binarized_is_fixed_by_its_generator() -> None:
    image = torch.full((2_000,), 0.5)
    first = treat(image, "binarized", _generator(1))
    assert torch.equal(first, treat(image, "binarized", _generator(1)))
    assert not torch.equal(first, treat(image, "binarized", _generator(2)))


def test_threshold_asks_for_more_than_a_half() -> None:
    x = treat(torch.tensor([0.0, 127 / 255, 0.5, 128 / 255, 1.0]), "threshold", _generator())
    assert x.tolist() == [0, 0, 0, 1, 1]


def test_gray_keeps_intensities() -> None:
    assert torch.equal(treat(GRAYS, "gray", _generator()), GRAYS)


@pytest.mark.parametrize("treatment", TREATMENTS)
def test_shape_and_type_stay_and_nothing_is_written_into_the_input(treatment: str) -> None:
    intensities = GRAYS.reshape(4, 8, 8).clone()
    x = treat(intensities, treatment, _generator())
    assert x.shape == (4, 8, 8)
    assert x.dtype == torch.float32
    assert torch.equal(intensities, GRAYS.reshape(4, 8, 8))


@pytest.mark.parametrize(("treatment", "draws"), [("gray", 0), ("threshold", 0), ("binarized", 1)])
def test_only_binarisation_draws_from_the_generator(treatment: str, draws: int) -> None:
    generator, expected = _generator(3), _generator(3)
    treat(GRAYS, treatment, generator)
    for _ in range(draws):
        torch.empty(256).uniform_(generator=expected)
    assert torch.equal(generator.get_state(), expected.get_state())


def test_fixed_keeps_what_is_binary_already() -> None:
    binary = (GRAYS > 0.3).float()
    assert torch.equal(treat(binary, "fixed", _generator()), binary)
    images = np.zeros((3, 2, 2), np.uint8)
    images[1] = 255
    assert first_gray(images) is None
    for level in (1, 254):
        images[2, 1, 1] = level
        assert first_gray(images) == 2
