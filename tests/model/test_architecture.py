import pytest

from vae_explorer.model.architecture import LATENT_DIM, POSTERIORS, Architecture
from vae_explorer.model.gaussian import OUTPUTS


def test_pixels_are_height_times_width() -> None:
    assert Architecture((28, 20)).pixels == 560


def test_every_posterior_has_its_number_of_outputs() -> None:
    assert tuple(OUTPUTS) == POSTERIORS


@pytest.mark.parametrize("posterior", POSTERIORS)
def test_an_encoder_gives_a_mean_and_the_lower_triangle_of_a_factor(posterior: str) -> None:
    triangle = LATENT_DIM * (LATENT_DIM + 1) // 2
    assert OUTPUTS[posterior] == LATENT_DIM + {"diagonal": LATENT_DIM, "full": triangle}[posterior]
