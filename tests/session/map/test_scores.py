"""Figures of the images on the map, computed beside it and kept."""

import dataclasses
from typing import Any, NoReturn

import numpy as np
import pytest

from tests.support.parts import show
from tests.support.stand_ins import Failures, MainThread
from vae_explorer.data.bundled import in_both, mnist_dataset
from vae_explorer.data.dataset import ImageSet
from vae_explorer.latent.figures import image_figures, own_draws
from vae_explorer.latent.quadrature import exact_posterior
from vae_explorer.session.map import scores as scores_module
from vae_explorer.session.map.latent_map import LatentMap
from vae_explorer.session.map.scores import Arrays, InspectedImage, Scores
from vae_explorer.session.map.state import MapPoints
from vae_explorer.session.tasks import Tasks
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.types import Split

ALL = ("elbo", "log_likelihood", "log_marginal")


@pytest.fixture
def scores(tasks: Tasks, latent_map: LatentMap, monkeypatch: pytest.MonkeyPatch) -> Scores:
    """Of 600 images, 250 at a time."""
    monkeypatch.setattr(scores_module, "_CHUNK", 250)
    return Scores(tasks, latent_map)


@pytest.fixture
def story(scores: Scores) -> list[Arrays]:
    """All that became known."""
    story: list[Arrays] = []
    scores.changed.connect(story.append)
    return story


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many images the ELBO was computed of, call by call."""
    counts: list[int] = []

    def counting(model: Any, images: Any, *rest: Any) -> Any:
        counts.append(len(images))
        return image_figures(model, images, *rest)

    monkeypatch.setattr(scores_module, "image_figures", counting)
    return counts


def some(indices: list[int], split: Split) -> MapPoints:
    """Points that lie anywhere."""
    nowhere = np.zeros((len(indices), 2), np.float32)
    return MapPoints(
        nowhere, np.zeros(len(indices), np.uint8), np.array(indices), 900, split, mnist_dataset()
    )


def test_more_is_known_chunk_by_chunk(
    scores: Scores, story: list[Arrays], main: MainThread, trained: Snapshot, digits: ImageSet
) -> None:
    texts: list[str] = []
    scores.progress.connect(texts.append)
    scores.request("a", ("elbo",))
    main.run()
    known = [int(np.isfinite(arrays["elbo"]).sum()) for arrays in story]
    assert known[-1] == 600
    assert known == sorted(known)
    shown = [text for text in texts if text]
    assert shown == [f"ELBO: {n} of 600 images" for n in (0, 250, 500, 600)]
    assert texts[-1] == ""
    expected = image_figures(trained.model, digits.images, np.arange(600))
    np.testing.assert_allclose(story[-1]["elbo"], expected.elbo, rtol=1e-5)
    np.testing.assert_allclose(scores.known["log_likelihood"], expected.log_likelihood, rtol=1e-5)


def test_of_log_px_the_share_of_a_chunk_is_told_too(
    scores: Scores, main: MainThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vae_explorer.session.jobs._SELDOM_S", -1)
    texts: list[str] = []
    scores.progress.connect(texts.append)
    scores.request("a", ("log_marginal",))
    main.run()
    assert "log p(x): 250 of 600 images, 100% of the next 250" in texts
    assert "log p(x): 500 of 600 images, 100% of the next 100" in texts


def test_what_is_given_does_not_change_any_more(
    scores: Scores, story: list[Arrays], main: MainThread
) -> None:
    scores.request("a", ("elbo",))
    main.run()
    story[-1]["elbo"][:] = 0
    assert (scores.known["elbo"] < 0).all()


def test_known_values_are_kept_until_there_is_another_model(
    scores: Scores,
    story: list[Arrays],
    main: MainThread,
    computed: list[int],
    latent_map: LatentMap,
    trained: Snapshot,
    other: Snapshot,
    points: MapPoints,
) -> None:
    scores.request("a", ("elbo",))
    main.run()
    show(latent_map, trained, dataclasses.replace(points, kind="sample"))
    scores.request("a", ("elbo", "log_likelihood"))
    assert computed == [250, 250, 100]
    np.testing.assert_array_equal(story[-1]["elbo"], story[-2]["elbo"])
    show(latent_map, other, points)
    assert scores.known == {}
    scores.request("a", ("elbo",))
    main.run()
    assert len(computed) == 6
    assert not np.array_equal(story[-1]["elbo"], story[0]["elbo"])


def test_nothing_of_another_model_is_known_or_asked_for_whoever_hears_of_it_first(
    tasks: Tasks,
    latent_map: LatentMap,
    main: MainThread,
    other: Snapshot,
    points: MapPoints,
    digits: ImageSet,
) -> None:
    def hear() -> None:
        known.append(scores.known)
        scores.request("early", ("elbo",))

    latent_map.changed.connect(hear)
    scores = Scores(tasks, latent_map)
    known: list[Arrays] = []
    scores.request("a", ("elbo",))
    main.run()
    show(latent_map, other, points)
    assert known == [{}]
    main.run()
    expected = image_figures(other.model, digits.images, np.arange(600)).elbo
    np.testing.assert_allclose(scores.known["elbo"], expected, rtol=1e-5)


def test_a_request_that_is_dropped_is_not_answered_but_its_scores_stay(
    scores: Scores, story: list[Arrays], main: MainThread, computed: list[int]
) -> None:
    scores.request("a", ("elbo",))
    scores.cancel("a")
    main.run()
    assert story == []
    scores.request("a", ("elbo",))
    main.run()
    assert len(story) == 1
    assert computed == [250, 250, 100]


def test_other_images_have_other_scores(
    scores: Scores, story: list[Arrays], main: MainThread, latent_map: LatentMap, trained: Snapshot
) -> None:
    scores.request("a", ("elbo",))
    show(latent_map, trained, some([5, 7], "test"))
    main.run()
    assert story == [], "of images that are no longer there"
    scores.request("a", ("elbo",))
    main.run()
    assert story[-1]["elbo"].shape == (2,)


def test_one_image_s_scores_are_those_it_has_among_all(
    scores: Scores,
    main: MainThread,
    latent_map: LatentMap,
    trained: Snapshot,
    small_mnist: dict[str, ImageSet],
) -> None:
    show(latent_map, trained, some([0, 599, 600, 605], "both"))
    scores.request("a", ALL)
    seen: list[InspectedImage] = []
    scores.inspected.connect(seen.append)
    main.run()
    for row in (1, 3):
        scores.inspect(row)
        main.run()
        known = {name: values[row] for name, values in scores.known.items()}
        assert seen[-1].truth.bound.elbo == pytest.approx(known["elbo"], rel=1e-6)
        assert seen[-1].truth.log_marginal == pytest.approx(known["log_marginal"], rel=1e-6)
        assert seen[-1].truth.log_marginal > seen[-1].truth.bound.elbo
        assert seen[-1].truth.error < 0.01
    assert [(each.split, each.index) for each in seen] == [("train", 599), ("test", 5)]
    # The draw that is scored is the image's own, in its own split too.
    image, seeds = small_mnist["test"].images[5:6], in_both("test", np.array([5]))
    exact = exact_posterior(trained.model, own_draws(trained.model, image, seeds))
    assert seen[-1].truth.log_marginal == pytest.approx(exact.log_marginal[0], abs=1e-3)


def test_no_two_images_share_a_seed() -> None:
    both = np.concatenate([in_both("train", np.arange(60_000)), in_both("test", np.arange(10_000))])
    assert len(np.unique(both)) == 70_000
    np.testing.assert_array_equal(both, in_both("both", np.arange(70_000)))


def test_a_failure_is_told_and_nothing_is_said_to_go_on(
    scores: Scores, main: MainThread, failures: Failures, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts: list[str] = []
    scores.progress.connect(texts.append)

    def breaks(*_: object) -> NoReturn:
        raise RuntimeError("no memory")

    for name in ("exact_posterior", "image_truth"):
        monkeypatch.setattr(scores_module, name, breaks)
    scores.request("a", ("log_marginal",))
    scores.inspect(0)
    main.run()
    assert [title for title, _ in failures] == 2 * ["The scores could not be computed"]
    assert texts[-1:] == [""]
    failures.clear()


def test_without_a_model_nothing_is_asked(tasks: Tasks, empty_map: LatentMap) -> None:
    scores = Scores(tasks, empty_map)
    scores.request("a", ALL)
    scores.inspect(0)
    assert scores.known == {}
