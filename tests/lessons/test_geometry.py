import numpy as np
import pytest
import torch

from vae_explorer.errors import DataError
from vae_explorer.latent.geodesic import GeodesicGraph, geodesic, geodesic_graph
from vae_explorer.latent.metric import pullback_metric
from vae_explorer.latent.paths import straight
from vae_explorer.lessons.geometry import (
    KINDS,
    Route,
    frames,
    geodesic_route,
    immersion,
    straight_route,
)
from vae_explorer.model.architecture import Architecture
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.model.vae import VAE
from vae_explorer.types import LatentPoint

PAIRS: list[tuple[LatentPoint, LatentPoint]] = [
    ((-1.0, -1.5), (1.5, 1.0)),
    ((2.0, -2.0), (-2.0, 1.0)),
    ((0.1, 0.1), (0.1, 0.4)),
]


@pytest.fixture(scope="module")
def graphs(model: TrainedVAE) -> dict[str, GeodesicGraph]:
    return {kind: geodesic_graph(immersion(model, kind)) for kind in KINDS}


def tiny(likelihood: str) -> TrainedVAE:
    shape = Architecture((3, 4), "mlp", (6,), (6, 5), likelihood=likelihood, fourier_features=2)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        vae = VAE(shape)
    with torch.no_grad():
        for parameter in vae.decoder.parameters():
            parameter.mul_(3)
    return TrainedVAE(vae, "gray")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("likelihood", ["bernoulli", "continuous-bernoulli", "gaussian"])
def test_short_lengths_on_the_surface_are_those_of_the_metric(likelihood: str, kind: str) -> None:
    model = tiny(likelihood)
    f = immersion(model, kind)
    random = np.random.default_rng(4)
    z, step = random.normal(size=(20, 2)), 4e-3 * random.normal(size=(20, 2))
    gone = np.linalg.norm(f(z + step / 2).astype(float) - f(z - step / 2), axis=1)
    metric = pullback_metric(model, z, kind)
    np.testing.assert_allclose(
        gone, np.sqrt(np.einsum("na,nab,nb->n", step, metric, step)), rtol=5e-3
    )


def test_another_metric_is_refused(model: TrainedVAE) -> None:
    with pytest.raises(DataError, match="euclidean, fisher"):
        immersion(model, "taxicab")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("start", "end"), PAIRS)
def test_lengths_agree_with_a_fine_polyline_and_the_geodesic_is_no_longer(
    graphs: dict[str, GeodesicGraph], kind: str, start: LatentPoint, end: LatentPoint
) -> None:
    graph = graphs[kind]
    line, short = straight_route(graph.f, start, end), geodesic_route(graph, start, end)
    images = graph.f(straight([start, end], 3_000))
    fine = np.linalg.norm(np.diff(images, axis=0), axis=1).sum()
    assert line.length == pytest.approx(fine, rel=2e-3)
    known = geodesic(graph, start, end, 100)
    assert line.length == pytest.approx(known.straight_length, rel=1e-3)
    assert short.length == pytest.approx(known.length, rel=2e-3)
    assert short.length <= line.length
    np.testing.assert_allclose(short.path[[0, -1]], [start, end], atol=1e-6)


def test_across_classes_it_is_much_shorter(graphs: dict[str, GeodesicGraph]) -> None:
    graph = graphs["euclidean"]
    start, end = PAIRS[0]
    assert (
        geodesic_route(graph, start, end).length < 0.85 * straight_route(graph.f, start, end).length
    )


def test_equal_steps_of_the_image_are_equal(graphs: dict[str, GeodesicGraph]) -> None:
    graph = graphs["euclidean"]
    line = straight_route(graph.f, *PAIRS[0])
    found = frames(line, 60, "image")
    np.testing.assert_allclose(found.steps, line.length / 59)
    # Also measured again, as the pictures' own distances: the chords of short arcs.
    chords = np.linalg.norm(np.diff(graph.f(found.positions), axis=0), axis=1)
    np.testing.assert_allclose(chords, line.length / 59, rtol=0.12)
    latent = np.linalg.norm(np.diff(found.positions, axis=0), axis=1)
    assert latent.max() > 5 * latent.min()


def test_equal_latent_steps_are_equal_on_the_plane(graphs: dict[str, GeodesicGraph]) -> None:
    graph = graphs["euclidean"]
    line = straight_route(graph.f, *PAIRS[0])
    found = frames(line, 11, "latent")
    np.testing.assert_allclose(found.positions, straight(PAIRS[0], 11), atol=1e-9)
    assert found.steps.sum() == pytest.approx(line.length)
    assert found.steps.max() > 5 * found.steps.min()


def test_no_way_has_no_steps() -> None:
    here = Route(np.ones((5, 2)), np.zeros(5))
    for by in ("latent", "image"):
        found = frames(here, 4, by)
        np.testing.assert_array_equal(found.positions, np.ones((4, 2)))
        np.testing.assert_array_equal(found.steps, np.zeros(3))
    with pytest.raises(DataError, match="not in 'time'"):
        frames(here, 4, "time")
