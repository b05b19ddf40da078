import numpy as np
import pytest

from vae_explorer.data.bundled import mnist_dataset
from vae_explorer.gui.map.cloud import DRAWABLE_LIMIT, PointCloud
from vae_explorer.gui.plot.color_maps import opaque
from vae_explorer.gui.theme import CLASS_COLORS
from vae_explorer.session.map.state import MapPoints


def cloud_of(n: int = 500) -> tuple[PointCloud, MapPoints]:
    rng = np.random.default_rng(1)
    points = MapPoints(
        rng.normal(size=(n, 2)).astype(np.float32),
        rng.integers(0, 10, n).astype(np.uint8),
        np.arange(n),
        n,
        "test",
        mnist_dataset(),
    )
    cloud = PointCloud()
    cloud.set_points(points, frozenset(range(10)))
    return cloud, points


def test_everything_follows_the_order() -> None:
    cloud, points = cloud_of()
    assert sorted(cloud.order) == list(range(500))
    assert np.array_equal(cloud.xs, points.positions[cloud.order, 0])
    assert np.array_equal(cloud.ys, points.positions[cloud.order, 1])
    assert np.array_equal(cloud.colors, opaque(CLASS_COLORS)[points.labels[cloud.order]])
    assert len(cloud) == cloud.drawn == 500


def test_the_order_stays_while_points_move() -> None:
    cloud, points = cloud_of()
    before = cloud.order.copy()
    cloud.set_positions(points.positions + 1)
    assert np.array_equal(cloud.order, before)
    assert np.allclose(cloud.xs, points.positions[before, 0] + 1)


def test_points_may_have_colours_of_their_own() -> None:
    cloud, points = cloud_of()
    own = np.random.default_rng(0).integers(0, 256, (500, 3)).astype(np.uint8)
    order = cloud.order
    cloud.set_colors(own)
    assert cloud.order is order
    assert np.array_equal(cloud.colors, opaque(own))
    cloud.set_positions(points.positions + 1)
    cloud.set_visible(frozenset({3, 4}))
    assert np.array_equal(cloud.colors, opaque(own)[np.isin(points.labels, (3, 4))])
    cloud.set_colors(None)
    assert np.array_equal(cloud.colors, opaque(CLASS_COLORS)[points.labels[cloud.order]])
    cloud.set_colors(own)
    cloud.set_points(points, frozenset({3}))
    assert set(cloud.colors) == set(opaque(CLASS_COLORS[3:4]))


def test_what_is_shown_is_a_mask_only_while_some_are_hidden() -> None:
    cloud, points = cloud_of()
    assert vars(cloud)["shown"] is None
    cloud.set_visible(frozenset({3, 4}))
    assert cloud.shown is not None
    assert np.array_equal(cloud.shown, np.isin(points.labels, (3, 4)))
    cloud.set_visible(frozenset(range(10)))
    assert cloud.shown is None
    assert cloud.positions is points.positions


def test_hidden_classes_are_left_out_and_come_back() -> None:
    cloud, points = cloud_of()
    cloud.set_visible(frozenset({3, 4}))
    assert set(points.labels[cloud.order]) == {3, 4}
    assert cloud.drawn == len(cloud.xs) == int(np.isin(points.labels, (3, 4)).sum())
    cloud.set_positions(points.positions * 2)
    assert np.array_equal(cloud.xs, points.positions[cloud.order, 0] * 2)
    cloud.set_visible(frozenset(range(10)))
    assert cloud.drawn == 500


def test_every_change_is_a_new_version() -> None:
    cloud, points = cloud_of()
    versions = [cloud.version]
    cloud.set_positions(points.positions)
    versions.append(cloud.version)
    cloud.set_visible(frozenset())
    versions.append(cloud.version)
    cloud.set_colors(np.zeros((500, 3), np.uint8))
    versions.append(cloud.version)
    assert len(set(versions)) == 4


def test_places_that_are_none_are_neither_drawn_nor_bounds() -> None:
    cloud, points = cloud_of(6)
    bad = points.positions.copy()
    bad[0] = np.nan, 0
    bad[1] = 0, np.inf
    bad[2] = -np.inf, np.nan
    bad[3] = 3e6, 0
    bad[4] = -2, 1
    bad[5] = 5, 4
    cloud.set_positions(bad)
    assert cloud.drawn == 2
    assert np.isfinite(cloud.xs).all()
    assert np.isfinite(cloud.ys).all()
    assert int((np.abs(cloud.xs) <= DRAWABLE_LIMIT).sum()) == 2
    assert [cloud.position(i) for i in range(6)] == [None, None, None, None, (-2, 1), (5, 4)]
    assert cloud.bounds() == (-2, 5, 1, 4)


def test_an_empty_cloud_is_no_special_case() -> None:
    cloud = PointCloud()
    assert len(cloud) == cloud.drawn == 0
    assert cloud.bounds() is None
    cloud.set_visible(frozenset({1}))
    cloud.set_positions(np.empty((0, 2), np.float32))
    assert cloud.xs.shape == (0,)


def test_shapes_that_do_not_fit_are_refused_and_change_nothing() -> None:
    cloud, points = cloud_of(8)
    version = cloud.version
    with pytest.raises(ValueError, match="8 points"):
        cloud.set_positions(points.positions[:5])
    with pytest.raises(ValueError, match="8 points"):
        cloud.set_positions(np.zeros((8, 3), np.float32))
    with pytest.raises(ValueError, match="8 points"):
        cloud.set_colors(np.zeros((8, 4), np.uint8))
    assert cloud.version == version
    assert np.array_equal(cloud.xs, points.positions[cloud.order, 0])


def test_positions_may_be_strided_or_of_another_precision() -> None:
    cloud, points = cloud_of(8)
    wide = np.zeros((8, 4), np.float32)
    wide[:, ::2] = points.positions
    cloud.set_positions(wide[:, ::2])
    assert np.array_equal(cloud.xs, points.positions[cloud.order, 0])
