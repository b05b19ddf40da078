"""Whatever takes its time asks whether to go on, and ends with what that raises."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from vae_explorer.latent.density import aggregate_density
from vae_explorer.latent.gap import elbo_of, gap, refine_posterior
from vae_explorer.latent.geodesic import geodesic, geodesic_graph
from vae_explorer.latent.importance import iwae
from vae_explorer.latent.metric import pullback_metric
from vae_explorer.latent.posterior import posterior_grid
from vae_explorer.latent.quadrature import exact_posterior
from vae_explorer.latent.trust import DataSupport
from vae_explorer.model.gaussian import Gaussian

MEANS, COVARIANCES = np.zeros((1, 2)), np.eye(2)[None]
WORK: dict[str, Callable[..., object]] = {
    "exact posterior": exact_posterior,
    "drawn posterior": posterior_grid,
    "importance": lambda model, x, stop: iwae(model, x, 10, check=stop),
    "metric": lambda model, _, stop: pullback_metric(model, MEANS, check=stop),
    "density": lambda _, __, stop: aggregate_density(
        MEANS, COVARIANCES, None, np.arange(9.0), stop
    ),
    "support": lambda _, __, stop: DataSupport(MEANS, COVARIANCES, stop),
    "gap": lambda model, x, stop: gap(model, x, np.zeros(1), stop),
    "refinement": lambda model, x, stop: next(refine_posterior(model, x, check=stop)),
    "bound": lambda model, x, stop: elbo_of(
        model, x, Gaussian.from_moments(MEANS, COVARIANCES), stop
    ),
    "graph": lambda _, __, stop: geodesic_graph(np.square, check=stop),
    "geodesic": lambda _, __, stop: geodesic(
        geodesic_graph(np.square, 2.0), np.zeros(2), np.ones(2), 5, stop
    ),
}


@pytest.mark.parametrize("work", WORK.values(), ids=list(WORK))
def test_what_check_raises_ends_the_work(work: Callable[..., object], linear_gaussian: Any) -> None:
    def stop() -> None:
        raise InterruptedError

    linear = linear_gaussian(0.1)
    with pytest.raises(InterruptedError):
        work(linear.model, linear.images([[0.0, 0.0]])[0], stop)
