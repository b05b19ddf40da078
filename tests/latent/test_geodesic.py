"""Geodesics against surfaces with closed forms, and on the bundled model."""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from vae_explorer import paths
from vae_explorer.errors import DataError
from vae_explorer.latent.geodesic import (
    Geodesic,
    GeodesicGraph,
    geodesic,
    geodesic_graph,
    mean_images,
)
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.types import Float64, Floats

PAIRS = np.random.default_rng(2).normal(size=(20, 2, 2))


def _sphere(z: Float64) -> Float64:
    """Of radius 2, by longitude and latitude."""
    longitude, latitude = z.T
    across = np.cos(latitude)
    return 2 * np.stack(
        [across * np.cos(longitude), across * np.sin(longitude), np.sin(latitude)], axis=1
    )


def _hill(z: Float64) -> Float64:
    """A plane with a Gaussian hill of height 6."""
    return np.concatenate([z, 6 * np.exp(-np.square(z).sum(1, keepdims=True))], axis=1)


@pytest.fixture(scope="module")
def bundled() -> GeodesicGraph:
    return geodesic_graph(mean_images(read_checkpoint(paths.bundled_checkpoint()).model))


@pytest.fixture(scope="module")
def of_pairs(bundled: GeodesicGraph) -> list[Geodesic]:
    return [geodesic(bundled, start, end, 50) for start, end in PAIRS]


@pytest.fixture(scope="module")
def hill() -> GeodesicGraph:
    return geodesic_graph(_hill, 4.0)


def _steps(f: Callable[[Float64], Floats], path: Float64) -> Float64:
    images = f(path).astype(np.float64)
    return np.asarray(np.linalg.norm(np.diff(images, axis=0), axis=1))


def test_a_linear_decoder_s_geodesics_are_straight(linear_gaussian: Callable[..., Any]) -> None:
    linear = linear_gaussian(0.5)
    graph = geodesic_graph(mean_images(linear.model))
    weight = linear.weight.double().numpy()
    for start, end in PAIRS[:5]:
        found = geodesic(graph, start, end, 9)
        expected = np.linalg.norm(weight @ (end - start))
        assert found.length == pytest.approx(expected, rel=1e-5)
        assert found.straight_length == pytest.approx(expected, rel=1e-5)
        np.testing.assert_allclose(found.path, np.linspace(start, end, 9), atol=1e-3)


def test_a_sphere_s_geodesics_are_great_circles() -> None:
    graph = geodesic_graph(_sphere, 1.5)
    for start, end in PAIRS[:10].clip(-1.2, 1.2):
        first, last = _sphere(np.array([start, end])) / 2
        angle = math.acos(first @ last)
        found = geodesic(graph, start, end, 17)
        assert found.length == pytest.approx(2 * angle, rel=1e-3)
        share = np.linspace(0, angle, 17)[:, None]
        circle = (np.sin(angle - share) * first + np.sin(share) * last) / np.sin(angle)
        np.testing.assert_allclose(_sphere(found.path) / 2, circle, atol=0.02 * angle)


def test_a_hill_is_gone_around(hill: GeodesicGraph) -> None:
    """Over its top is no shorter than 2√(2.5² + 6²) = 13, less what 0.1 beside it saves."""
    start, end = np.array([-2.5, 0.1]), np.array([2.5, 0.1])
    found = geodesic(hill, start, end, 101)
    assert found.straight_length > 12.5
    assert found.length < 7
    assert np.linalg.norm(found.path, axis=1).min() > 1.3
    detour = [start, np.array([-1.6, 1.6]), np.array([1.6, 1.6]), end]
    dense = np.concatenate([np.linspace(*leg, 500) for leg in pairwise(detour)])
    assert found.length < _steps(_hill, dense).sum()


def test_no_nearby_path_is_shorter(hill: GeodesicGraph) -> None:
    found = geodesic(hill, np.array([-2.5, 0.1]), np.array([2.0, 1.0]), 400)
    length = _steps(_hill, found.path).sum()
    assert length == pytest.approx(found.length, rel=1e-3)
    t = np.linspace(0, np.pi, 400)[:, None]
    for waves in (1, 2, 3):
        for shift in ([0.1, 0], [0, 0.1], [-0.1, 0], [0, -0.1]):
            assert _steps(_hill, found.path + np.sin(waves * t) * shift).sum() > length


def test_ends_outside_the_graph_are_reached() -> None:
    graph = geodesic_graph(_hill, 2.0)
    found = geodesic(graph, np.array([-3.0, 0.0]), np.array([3.0, 0.5]), 20)
    assert found.path[[0, -1]].tolist() == [[-3, 0], [3, 0.5]]
    assert found.length < 8


def test_the_bundled_model_s_are_shorter_than_straight_lines(of_pairs: list[Geodesic]) -> None:
    shares = [found.length / found.straight_length for found in of_pairs]
    assert max(shares) <= 1
    assert np.mean(shares) < 0.9
    for found, (start, end) in zip(of_pairs, PAIRS, strict=True):
        assert found.path.dtype == np.float64
        np.testing.assert_array_equal(found.path[[0, -1]], [start, end])


def test_lengths_are_those_of_the_images_at_very_small_steps(
    bundled: GeodesicGraph, of_pairs: list[Geodesic]
) -> None:
    for found, (start, end) in zip(of_pairs[:3], PAIRS, strict=False):
        exact = _steps(bundled.f, np.linspace(start, end, 6_000)).sum()
        assert found.straight_length == pytest.approx(exact, rel=1e-3)


def test_the_image_changes_equally_from_place_to_place(
    bundled: GeodesicGraph, of_pairs: list[Geodesic]
) -> None:
    """Chords of equal arcs differ a little, more where the images' path is more bent."""
    for start, end in PAIRS[:3]:
        steps = _steps(bundled.f, geodesic(bundled, start, end, 400).path)
        assert steps.std() < 0.02 * steps.mean()


def test_there_and_back_are_equal(bundled: GeodesicGraph, of_pairs: list[Geodesic]) -> None:
    for there, (start, end) in zip(of_pairs[:5], PAIRS, strict=False):
        back = geodesic(bundled, end, start, 50)
        assert back.length == pytest.approx(there.length, rel=1e-3)
        np.testing.assert_allclose(back.path[::-1], there.path, atol=0.02)


def test_a_detour_is_no_shorter(bundled: GeodesicGraph) -> None:
    a, b = PAIRS[0]
    for c in PAIRS[1:4, 0]:
        lengths = [geodesic(bundled, *ends, 2).length for ends in ((a, b), (a, c), (c, b))]
        longest = max(lengths)
        assert longest <= (sum(lengths) - longest) * (1 + 1e-3)


def test_a_decoder_that_ignores_z_has_no_lengths() -> None:
    graph = geodesic_graph(lambda z: np.ones((len(z), 3)), 2.0)
    found = geodesic(graph, np.zeros(2), np.ones(2), 5)
    assert found.length == found.straight_length == 0
    assert found.path[[0, -1]].tolist() == [[0, 0], [1, 1]]


def test_from_a_place_to_itself(hill: GeodesicGraph) -> None:
    found = geodesic(hill, np.ones(2), np.ones(2), 5)
    assert found.length == 0
    np.testing.assert_array_equal(found.path, np.ones((5, 2)))


def test_what_has_no_geodesic_is_refused(hill: GeodesicGraph) -> None:
    with pytest.raises(DataError, match="not finite"):
        geodesic_graph(lambda z: np.full((len(z), 3), np.nan))
    with pytest.raises(DataError, match="at least 2 points, not 1"):
        geodesic(hill, np.zeros(2), np.ones(2), 1)
    with pytest.raises(DataError, match="finite numbers"):
        geodesic(hill, np.zeros(2), np.array([0, np.nan]), 5)
    with pytest.raises(DataError, match=r"shape \(k, 2\)"):
        geodesic(hill, np.zeros(3), np.ones(3), 5)
