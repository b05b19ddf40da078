"""The model, its points and a view, for the layers to draw."""

import numpy as np
import pytest

from tests.support.layers import VIEW
from vae_explorer.data.bundled import mnist_dataset
from vae_explorer.data.dataset import ImageSet
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.session.map.layer_contents import Scene
from vae_explorer.session.map.state import MapPoints


@pytest.fixture(scope="module")
def scene(model: TrainedVAE, mnist_small: ImageSet) -> Scene:
    """Nothing hovered or pinned; 200 points. A test replaces what it needs."""
    assert mnist_small.labels is not None
    posterior = model.encode(mnist_small.images[:200])
    indices = np.arange(200)
    points = MapPoints(
        posterior.mean, mnist_small.labels[:200], indices, 1_000, "train", mnist_dataset()
    )
    return Scene(model, points, posterior, VIEW)
