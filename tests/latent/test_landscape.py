"""The likelihood of one image over the plane, position by position."""

from typing import Any

import pytest
import torch
from torch.distributions import Normal

from vae_explorer.errors import DataError
from vae_explorer.latent import landscape
from vae_explorer.latent.landscape import likelihood_landscape


def test_it_is_log_p_of_x_given_z_at_the_middles_of_cells(
    linear_gaussian: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landscape, "_DECODED", 7)
    linear = linear_gaussian(0.3)
    images, x = linear.images([[0.3, -0.2]])
    values = likelihood_landscape(linear.model, images, (-1.0, 2.0, 0.0, 2.0), (4, 6))
    assert values.shape == (4, 6)
    for row in range(4):
        for column in range(6):
            z = torch.tensor([-0.75 + 0.5 * column, 0.25 + 0.5 * row])
            normal: Any = Normal(linear.weight @ z + linear.bias, linear.variance**0.5)
            assert values[row, column] == pytest.approx(float(normal.log_prob(x[0]).sum()), 1e-4)


def test_it_is_of_one_image(linear_gaussian: Any) -> None:
    linear = linear_gaussian(0.3)
    images, _ = linear.images([[0.3, -0.2], [0.0, 0.0]])
    with pytest.raises(DataError, match="not for 2"):
        likelihood_landscape(linear.model, images, (-1.0, 1.0, -1.0, 1.0), (2, 2))
