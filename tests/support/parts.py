"""A map with a tiny model on it, and the parts that follow it."""

from dataclasses import replace

import pytest

from tests.support.stand_ins import Failures, MainThread
from vae_explorer.data.bundled import mnist_dataset
from vae_explorer.data.dataset import ImageSet
from vae_explorer.model.trained import Posterior
from vae_explorer.session.explore.cursor import Cursor
from vae_explorer.session.explore.decoding import Decoding
from vae_explorer.session.explore.pins import Pins
from vae_explorer.session.explore.sketch import Sketch
from vae_explorer.session.jobs import Jobs
from vae_explorer.session.map.latent_map import LatentMap
from vae_explorer.session.map.selection import Selection, data_key
from vae_explorer.session.map.state import MapPoints, MapState
from vae_explorer.session.tasks import Tasks
from vae_explorer.training.snapshot import Snapshot


@pytest.fixture
def tasks(inline_jobs: Jobs, failures: Failures) -> Tasks:
    """Whose work is done as soon as it is asked for; its outcome waits for ``main``."""
    return Tasks(inline_jobs, failures)


@pytest.fixture
def empty_map(tasks: Tasks) -> LatentMap:
    return LatentMap(tasks, lambda _: None, mnist_dataset())


def show(
    latent_map: LatentMap,
    snapshot: Snapshot,
    points: MapPoints,
    posterior: Posterior | None = None,
    *,
    moving: bool = False,
) -> None:
    """Put a model and its points on a map; the posterior is the one before if it is not given."""
    if posterior is None:
        assert latent_map.state is not None
        posterior = latent_map.state.posterior
    # As in the window no two states share their points.
    points = replace(points)
    latent_map.publish(
        MapState(snapshot, "model", None, snapshot.model, points.data, points, posterior, moving)
    )


@pytest.fixture
def latent_map(
    empty_map: LatentMap,
    main: MainThread,
    trained: Snapshot,
    points: MapPoints,
    posterior: Posterior,
    small_mnist: dict[str, ImageSet],
) -> LatentMap:
    """With ``trained`` and its 600 points."""
    show(empty_map, trained, points, posterior)
    main.run()
    return empty_map


@pytest.fixture
def pins(latent_map: LatentMap) -> Pins:
    return Pins(latent_map)


@pytest.fixture
def sketch(tasks: Tasks, latent_map: LatentMap) -> Sketch:
    return Sketch(tasks, latent_map)


@pytest.fixture
def selection(latent_map: LatentMap) -> Selection:
    """Of the 600 images."""
    selection = Selection(latent_map)
    assert latent_map.points is not None
    selection.reset(600, data_key(latent_map.points))
    return selection


@pytest.fixture
def cursor(latent_map: LatentMap) -> Cursor:
    """Nothing is ever decoded."""
    return Cursor(Decoding(latent_map, lambda _: None))
