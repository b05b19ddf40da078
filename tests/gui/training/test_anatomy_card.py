import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QRectF

from vae_explorer.gui.theme import CLASS_COLORS
from vae_explorer.gui.training.anatomy_card import (
    PAD,
    Plane,
    best_columns,
    image_color,
    noise_of,
    split,
)
from vae_explorer.training.anatomy import StepAnatomy


def test_noise_is_what_made_the_draws(anatomy: StepAnatomy) -> None:
    noise = noise_of(anatomy)
    factors = np.linalg.cholesky(anatomy.covariance.astype(np.float64))
    z = anatomy.mean + np.einsum("nij,nj->ni", factors, noise)
    np.testing.assert_allclose(z, anatomy.z, atol=1e-5)
    assert np.abs(noise).max() < 6, "sixteen numbers of a standard normal"


@given(st.floats(20, 2_000), st.floats(20, 2_000), st.integers(1, 8))
def test_squares_are_as_large_as_they_can_be(width: float, height: float, count: int) -> None:
    def side(columns: int) -> float:
        return min(width / columns, height / math.ceil(count / columns))

    assert side(best_columns(width, height, count)) == max(side(n) for n in (1, 2, 4, 8))


def test_the_plane_is_square_and_points_upwards() -> None:
    plane = Plane(QRectF(10, 20, 300, 100), 2.5)
    assert plane.scale == 20
    assert plane.at(0, 0).toTuple() == (160, 70)
    assert plane.at(1, 2).toTuple() == (180, 30)


@pytest.mark.parametrize("sideways", [False, True])
def test_parts_fill_their_area_but_for_a_gap(sideways: bool) -> None:
    area = QRectF(5, 7, 106, 206)
    first, second = split(area, 0.25, sideways)
    assert first.united(second) == area
    assert not first.intersects(second)
    if sideways:
        assert (first.width(), second.left() - first.right()) == (25, PAD)
    else:
        assert (first.height(), second.top() - first.bottom()) == (50, PAD)


def test_eight_images_have_eight_colours() -> None:
    assert len({image_color(number).name() for number in range(8)}) == 8
    assert image_color(len(CLASS_COLORS)) == image_color(0)
