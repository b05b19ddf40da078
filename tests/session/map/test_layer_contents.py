"""What the layers draw, against what it stands for."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests.support.layers import draw, middles
from vae_explorer.data.bundled import mnist_dataset
from vae_explorer.data.dataset import ImageSet
from vae_explorer.latent import density
from vae_explorer.latent.figures import own_draws
from vae_explorer.latent.quadrature import exact_posterior
from vae_explorer.model.trained import Posterior, unchecked
from vae_explorer.session.map import layer_contents as drawings
from vae_explorer.session.map.layer_contents import EncodedImage, Scene
from vae_explorer.session.map.marks import (
    ClassField,
    Curve,
    Ellipses,
    Field,
    LayerContent,
    Spots,
    Trails,
)
from vae_explorer.session.map.state import MapPoints


@pytest.fixture(scope="module")
def encoded_images(scene: Scene, mnist_small: ImageSet) -> list[EncodedImage]:
    q = scene.posterior
    return [
        EncodedImage(
            f"train {row}", mnist_small.images[row], 0, q.mean[row], q.covariance[row], row
        )
        for row in range(3)
    ]


def gaussians(scale: float) -> Posterior:
    """60 codes, wide enough for the cells of a density."""
    random = np.random.default_rng(0)
    factor = scale * random.standard_normal((60, 2, 2))
    covariance = factor @ factor.mT + 0.05**2 * np.eye(2)
    mean = random.uniform(-2, 2, (60, 2))
    return Posterior(mean.astype(np.float32), covariance.astype(np.float32))


def with_codes(scene: Scene, posterior: Posterior) -> Scene:
    n = len(posterior.mean)
    labels = (np.arange(n) % 10).astype(np.uint8)
    points = MapPoints(posterior.mean, labels, np.arange(n), n, "train", mnist_dataset())
    return dataclasses.replace(scene, points=points, posterior=posterior)


# Images


def test_ellipses_are_q_of_the_pinned_and_the_hovered(
    scene: Scene, encoded_images: list[EncodedImage]
) -> None:
    first, second, third = encoded_images
    (mark,) = draw(
        "ellipses", dataclasses.replace(scene, pinned=(third, first), hovered=second)
    ).marks
    assert isinstance(mark, Ellipses)
    rows = [2, 0, 1]
    np.testing.assert_array_equal(mark.centres, scene.posterior.mean[rows])
    np.testing.assert_array_equal(mark.covariances, scene.posterior.covariance[rows])
    assert mark.radii == (1, 2, 3)


def test_the_prior_is_standard(scene: Scene) -> None:
    (mark,) = draw("prior", scene).marks
    assert isinstance(mark, Ellipses)
    assert (mark.centres.tolist(), mark.covariances.tolist()) == ([[0, 0]], [[[1, 0], [0, 1]]])


@pytest.mark.parametrize("layer", ["ellipses", "flow", "posterior", "likelihood"])
def test_without_a_subject_it_is_said_how_to_get_one(scene: Scene, layer: str) -> None:
    drawing = draw(layer, scene)
    assert drawing.marks == ()
    assert drawing.note.endswith(".")


def test_the_exact_posterior_is_a_density_the_right_way_round(
    scene: Scene, encoded_images: list[EncodedImage]
) -> None:
    hovered, pinned, _ = encoded_images
    seen = dataclasses.replace(scene, hovered=hovered, pinned=(pinned,), current=pinned)
    below, heat, _, spots = draw("posterior", seen).marks
    assert isinstance(below, Field)
    assert isinstance(heat, Field)
    assert isinstance(spots, Spots)
    for field, encoded in ((below, pinned), (heat, hovered)):
        z1, z2, area = middles(field)
        values = field.values.astype(np.float64) * area
        assert values.sum() == pytest.approx(1, abs=1e-3)
        x = own_draws(scene.model, encoded.image[None], np.array([encoded.seed]))
        (mean,) = exact_posterior(scene.model, x).mean
        np.testing.assert_allclose([values.sum(0) @ z1, values.sum(1) @ z2], mean, atol=2e-3)
    row, column = np.unravel_index(heat.values.argmax(), heat.values.shape)
    np.testing.assert_allclose(spots.positions[0], [z1[column], z2[row]], atol=1e-5)
    assert heat.high == below.high == heat.values.max(), "one key for both"


def test_the_likelihood_is_that_of_the_image_s_draw_at_every_place(
    scene: Scene, encoded_images: list[EncodedImage]
) -> None:
    encoded = encoded_images[1]
    (heat,) = draw("likelihood", dataclasses.replace(scene, current=encoded)).marks
    assert isinstance(heat, Field)
    assert heat.region == (-1.5, 1.5, -0.25, 1.25), "some of what lies around the view too"
    z1, z2, _ = middles(heat)
    x = own_draws(scene.model, encoded.image[None], np.array([encoded.seed])).astype(np.float64)
    for row, column in ((0, 0), (0, 70), (40, 3), (20, 50)):
        place = np.array([[z1[column], z2[row]]])
        logits = scene.model.decode_outputs(place).astype(np.float64)
        expected = (x * logits - np.logaddexp(0, logits)).sum()
        assert heat.values[row, column] == pytest.approx(expected, abs=2e-2)
    assert heat.high == pytest.approx(heat.values.max())


def test_the_likelihood_of_a_slow_decoder_is_coarser(
    scene: Scene, encoded_images: list[EncodedImage], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = dataclasses.replace(scene, current=encoded_images[1])
    (fine,) = draw("likelihood", seen).marks
    monkeypatch.setattr(scene.model.vae, "at_once", lambda most: most // 4)
    (coarse,) = draw("likelihood", seen).marks
    assert isinstance(fine, Field)
    assert isinstance(coarse, Field)
    assert coarse.region == fine.region
    assert coarse.values.size == pytest.approx(fine.values.size / 4, rel=0.05)


# Points


@pytest.mark.parametrize("since", ["before", "start"])
def test_flow_goes_from_then_to_now(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, since: str
) -> None:
    monkeypatch.setattr(drawings, "_MOST_TRAILS", 30)
    now = scene.points
    then = dataclasses.replace(
        now, positions=now.positions[::2] + 1, indices=now.indices[::2], labels=now.labels[::2]
    )

    def since_then(then: MapPoints) -> LayerContent:
        old = dataclasses.replace(scene, before=then if since == "before" else None)
        old = dataclasses.replace(old, start=then if since == "start" else None)
        return draw("flow", old, since=since)

    drawing = since_then(then)
    (mark,) = drawing.marks
    assert isinstance(mark, Trails)
    rows = now.indices[::2][::4]  # of the hundred in both, as many as there may be
    np.testing.assert_array_equal(mark.end, now.positions[rows])
    np.testing.assert_array_equal(mark.start, now.positions[rows] + 1)
    np.testing.assert_array_equal(mark.labels, now.labels[rows])
    assert drawing.note == "25 of 200 points"
    assert since_then(dataclasses.replace(then, split="test")).marks == ()
    still = since_then(now)
    assert (still.marks, still.note) == ((), "No point has moved since then.")


def test_the_density_of_q_holds_the_share_of_it_within_the_square(scene: Scene) -> None:
    """Half of it in a Gaussian so wide that some lies beyond."""
    mean = np.array([[0, 0], [1, -2]], np.float32)
    codes = Posterior(mean, np.array([16 * np.eye(2), 0.01 * np.eye(2)], np.float32))
    (field,) = draw("density", with_codes(scene, codes), show="shade").marks
    assert isinstance(field, Field)
    assert field.region == (-6, 6, -6, 6)
    z1, z2, area = middles(field)
    share = (1 + (2 * stats.norm.cdf(6 / 4) - 1) ** 2) / 2
    assert field.values.sum() * area == pytest.approx(share, abs=1e-3)
    row, column = np.unravel_index(field.values.argmax(), field.values.shape)
    assert (z1[column], z2[row]) == pytest.approx((1, -2), abs=0.02)


def test_the_density_reaches_as_far_as_the_codes(scene: Scene) -> None:
    codes = Posterior(np.array([[0, -8]], np.float32), 0.01 * np.eye(2, dtype=np.float32)[None])
    for of in ("posterior", "points"):
        (field,) = draw("density", with_codes(scene, codes), of=of, show="shade").marks
        assert isinstance(field, Field)
        assert field.region == (-8.5, 8.5, -8.5, 8.5)
        _, z2, area = middles(field)
        assert field.values.sum() * area == pytest.approx(1, abs=1e-3)
        assert z2[field.values.sum(1).argmax()] == pytest.approx(-8, abs=0.04)


def test_a_density_is_shaded_or_lined_or_both(scene: Scene) -> None:
    lines, shade, both = (
        draw("density", scene, of="points", show=show).marks for show in ("lines", "shade", "both")
    )
    assert [mark.text for mark in lines if isinstance(mark, Curve)] == ["50 %", "80 %", "95 %"]
    assert [type(mark) for mark in both] == [type(mark) for mark in (*shade, *lines)]


def test_regions_are_of_the_class_that_bayes_finds(scene: Scene) -> None:
    codes = with_codes(scene, gaussians(0.2))
    (regions,) = draw("classes", codes).marks
    (entropy,) = draw("classes", codes, show="entropy").marks
    assert isinstance(regions, ClassField)
    assert isinstance(entropy, Field)
    z1, z2, _ = middles(regions)
    compared = 0
    for row, column in np.random.default_rng(1).integers(150, 410, (60, 2)):
        place = [z1[column], z2[row]]
        joint = np.zeros(10)
        for label, mean, covariance in zip(
            codes.points.labels, codes.posterior.mean, codes.posterior.covariance, strict=True
        ):
            joint[label] += stats.multivariate_normal(mean, covariance).pdf(place) / 60
        if joint.sum() < 0.01:
            continue
        compared += 1
        share = joint / joint.sum()
        uncertainty = stats.entropy(share)
        assert entropy.values[row, column] == pytest.approx(uncertainty, abs=0.02)
        strength = 1 - uncertainty / np.log(10)
        assert regions.strength[row, column] == pytest.approx(strength, abs=0.01)
        if np.ptp(np.sort(share)[-2:]) > 0.02:
            assert regions.labels[row, column] == share.argmax()
    assert compared > 20
    assert np.isnan(entropy.values[0, 0])
    assert regions.strength[0, 0] == 0


def test_q_is_summed_once_for_both_layers_and_again_for_other_codes(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    sums = 0
    aggregate = density.aggregate_density

    def counting(*arguments: Any) -> Any:
        nonlocal sums
        sums += 1
        return aggregate(*arguments)

    monkeypatch.setattr(density, "aggregate_density", counting)
    memory: dict[object, object] = {}
    shown = []
    for scale in (0.05, 0.1, 0.2):
        codes = dataclasses.replace(with_codes(scene, gaussians(scale)), memory=memory)
        drawings.classes(codes, {"show": "class"}, unchecked)
        drawing = drawings.density_of(codes, {"of": "posterior", "show": "shade"}, unchecked)
        shown.append(drawing.marks[0])
    assert sums == 3
    highs = [mark.high for mark in shown if isinstance(mark, Field)]
    assert highs == sorted(highs, reverse=True)
