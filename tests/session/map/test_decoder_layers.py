"""The layers of the decoder, against what they stand for."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from tests.support.layers import draw, middles
from vae_explorer.latent import metric
from vae_explorer.model.trained import unchecked
from vae_explorer.session.map import layer_contents as drawings
from vae_explorer.session.map.layer_contents import Scene, View
from vae_explorer.session.map.marks import (
    Ellipses,
    Field,
    Sheet,
)
from vae_explorer.types import Floats, Region


@pytest.mark.parametrize("kind", ["euclidean", "fisher"])
def test_the_metric_is_that_of_the_middles(scene: Scene, kind: str) -> None:
    shade, ellipses = draw("metric", scene, metric=kind).marks
    assert isinstance(shade, Field)
    assert isinstance(ellipses, Ellipses)
    z1, z2, _ = middles(shade)
    for row, column in ((0, 0), (3, 17), (14, 29)):
        tensor = metric.pullback_metric(scene.model, np.array([[z1[column], z2[row]]]), kind)
        expected = 0.5 * np.log10(np.linalg.det(tensor[0]))
        assert shade.values[row, column] == pytest.approx(expected, abs=1e-3)
    assert ellipses.radii == (1,)
    # All steps to an ellipse's edge are equally long, but for those cut to their cell.
    tensors = metric.pullback_metric(scene.model, ellipses.centres, kind)
    cell = 3.0 / len(np.unique(ellipses.centres[:, 0]))
    half_axes = np.sqrt(np.linalg.eigvalsh(ellipses.covariances.astype(np.float64)))
    assert half_axes.max() <= cell / 2 * (1 + 1e-4)
    whole = half_axes[:, 1] < 0.499 * cell
    assert whole.mean() > 0.2
    lengths = np.linalg.eigvals(tensors[whole] @ ellipses.covariances[whole].astype(np.float64))
    np.testing.assert_allclose(lengths / lengths.mean(), 1, rtol=0.02)


def test_the_metric_is_shaded_or_of_ellipses(scene: Scene) -> None:
    kinds = {
        show: [type(mark) for mark in draw("metric", scene, show=show).marks]
        for show in ("shade", "ellipses")
    }
    assert kinds == {"shade": [Field], "ellipses": [Ellipses]}


@pytest.mark.parametrize("positions", ["even", "quantiles"])
def test_every_picture_is_decoded_where_it_lies(scene: Scene, positions: str) -> None:
    (sheet,) = draw("manifold", scene, places=positions).marks
    assert isinstance(sheet, Sheet)
    left, right, bottom, top = sheet.cells.T
    middle = np.stack([(left + right) / 2, (bottom + top) / 2], axis=1)
    np.testing.assert_allclose(sheet.images, scene.model.decode(middle), atol=1e-4)
    np.testing.assert_allclose(right - left, top - bottom)
    assert sheet.images.shape == (len(middle), 28, 28)
    # Side by side, but never one upon the other.
    apart = np.maximum(left[:, None] - right, bottom[:, None] - top)
    apart = np.maximum(apart, apart.T)
    assert apart[~np.eye(len(apart), dtype=bool)].min() >= -1e-9


def test_no_place_is_decoded_twice_while_one_looks_around(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[tuple[float, ...]] = []
    decode = scene.model.decode

    def counting(z: Floats) -> Any:
        decoded.extend(map(tuple, z.tolist()))
        return decode(z)

    monkeypatch.setattr(scene.model, "decode", counting)
    memory: dict[object, object] = {}
    regions: list[Region] = [
        (-1.0, 1.0, 0.0, 1.0),
        (-0.5, 1.5, 0.2, 1.2),  # panned
        (0.0, 1.0, 0.2, 0.7),  # zoomed in
        (-1.0, 1.0, 0.0, 1.0),  # and back
    ]
    counts: list[int] = []
    for region in regions:
        looked = dataclasses.replace(scene, view=View(region, (240, 120)), memory=memory)
        drawings.manifold(looked, {"places": "even"}, unchecked)
        counts.append(len(decoded))
    assert len(decoded) == len(set(decoded))
    assert 0 < counts[0] < counts[1] < counts[2] == counts[3]


def test_pictures_of_long_ago_are_forgotten(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawings, "_MOST_PICTURES", 10)
    memory: dict[object, object] = {}
    for left in (-3.0, -1.0, 1.0):
        view = View((left, left + 1.5, 0.0, 1.5), (240, 240))
        seen = dataclasses.replace(scene, view=view, memory=memory)
        (sheet,) = drawings.manifold(seen, {"places": "even"}, unchecked).marks
    assert isinstance(sheet, Sheet)
    pictures = memory["pictures"]
    assert isinstance(pictures, dict)
    assert len(pictures) == 2 * len(sheet.images), "those in sight and as many before"


def test_beyond_the_plane_nothing_is_decoded(scene: Scene) -> None:
    far = dataclasses.replace(scene, view=View((20.0, 22.0, 0.0, 1.0), (240, 120)))
    (sheet,) = draw("manifold", far, places="quantiles").marks
    assert isinstance(sheet, Sheet)
    assert sheet.images.shape == (0, 28, 28)
