import numpy as np
import pytest

from vae_explorer.lessons import pushforward as pf
from vae_explorer.session.jobs import Control
from vae_explorer.session.lessons.pushed import BINS, DENSITY, push

Z = np.array([[1.0, 0.4]])
STRETCH = np.ones((2, 2))


def test_all_parts_are_of_the_same_density() -> None:
    f = pf.formula("ring")
    result = push(f, 200_000, Z, STRETCH, 1.0, None, Control(lambda tell: None))
    here = f(Z)
    assert result.density.shape == (DENSITY, DENSITY)
    assert result.histogram.shape == (BINS, BINS)
    assert result.height == here[0, 1]
    assert result.density_here == pytest.approx(pf.ring_density(here)[0])
    assert result.closed_form is not None
    np.testing.assert_allclose(result.profile, result.closed_form, atol=1e-3)
    np.testing.assert_allclose(result.preimages, Z, atol=1e-8)
    assert result.apart < 0.06
    # The histogram's row at that height.
    low, high = result.region[2:]
    row = int((result.height - low) / (high - low) * BINS)
    np.testing.assert_array_equal(result.bars, result.histogram[row])
    means = result.profile.reshape(BINS, -1).mean(1)
    np.testing.assert_allclose(result.bars, means, atol=0.15 * means.max())


def test_what_is_known_of_the_same_function_is_taken_over() -> None:
    f, control = pf.formula("half-moon"), Control(lambda tell: None)
    first = push(f, 1_000, Z, STRETCH, None, None, control)
    again = push(f, 1_000, -Z, STRETCH, None, first, control)
    assert again.density is first.density
    assert again.density_here != first.density_here
    assert again.closed_form is None
