"""Figures of the images on the map, computed beside it and kept."""

from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import pytest

from vae_explorer.data.dataset import ImageSet
from vae_explorer.latent.figures import image_figures, own_draws
from vae_explorer.latent.quadrature import exact_posterior
from vae_explorer.session.jobs import Jobs
from vae_explorer.session.map import scores as figures_module
from vae_explorer.session.map.scores import Arrays, PointFigures
from vae_explorer.session.state import ExactFigures, MapPoints, draw_seeds
from vae_explorer.training.snapshot import Snapshot

if TYPE_CHECKING:
    from tests.support.stand_ins import Failures, MainThread

ALL = ("elbo", "log_likelihood", "log_marginal")


@pytest.fixture
def figures(
    inline_jobs: Jobs,
    failures: "Failures",
    trained: Snapshot,
    points: MapPoints,
    small_mnist: dict[str, ImageSet],
    monkeypatch: pytest.MonkeyPatch,
) -> PointFigures:
    """Of 600 images, 250 at a time."""
    monkeypatch.setattr(figures_module, "_CHUNK", 250)
    figures = PointFigures(inline_jobs, failures)
    figures.set_model(trained.model)
    figures.set_points(points)
    return figures


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many images the ELBO was computed of, call by call."""
    counts: list[int] = []

    def counting(model: Any, images: Any, *rest: Any) -> Any:
        counts.append(len(images))
        return image_figures(model, images, *rest)

    monkeypatch.setattr(figures_module, "image_figures", counting)
    return counts


def some(indices: list[int], split: str) -> MapPoints:
    """Points that lie anywhere."""
    nowhere = np.zeros((len(indices), 2), np.float32)
    return MapPoints(nowhere, np.zeros(len(indices), np.uint8), np.array(indices), 900, split)


def test_more_is_known_chunk_by_chunk(
    figures: PointFigures, main: "MainThread", trained: Snapshot, digits: ImageSet
) -> None:
    texts: list[str] = []
    told: list[Arrays] = []
    figures.progress.connect(texts.append)
    figures.request("a", ("elbo",), told.append)
    main.run()
    known = [int(np.isfinite(arrays["elbo"]).sum()) for arrays in told]
    assert known[-1] == 600
    assert known == sorted(known)
    shown = [text for text in texts if text]
    assert shown == [f"ELBO: {n} of 600 images" for n in (250, 500, 600)]
    assert texts[-1] == ""
    expected = image_figures(trained.model, digits.images, np.arange(600))
    np.testing.assert_allclose(told[-1]["elbo"], expected.elbo, rtol=1e-5)
    np.testing.assert_allclose(figures.known["log_likelihood"], expected.log_likelihood, rtol=1e-5)


def test_what_is_told_does_not_change_any_more(figures: PointFigures, main: "MainThread") -> None:
    told: list[Arrays] = []
    figures.request("a", ("elbo",), told.append)
    main.run()
    told[-1]["elbo"][:] = 0
    assert (figures.known["elbo"] < 0).all()


def test_known_values_are_kept_until_there_is_another_model(
    figures: PointFigures,
    main: "MainThread",
    computed: list[int],
    trained: Snapshot,
    other: Snapshot,
    points: MapPoints,
) -> None:
    told: list[Arrays] = []
    figures.request("a", ("elbo",), told.append)
    main.run()
    figures.set_model(trained.model)
    figures.set_points(points)
    figures.request("a", ("elbo", "log_likelihood"), told.append)
    assert computed == [250, 250, 100]
    np.testing.assert_array_equal(told[-1]["elbo"], told[-2]["elbo"])
    figures.set_model(other.model)
    assert figures.known == {}
    figures.request("a", ("elbo",), told.append)
    main.run()
    assert len(computed) == 6
    assert not np.array_equal(told[-1]["elbo"], told[0]["elbo"])


def test_a_request_that_is_dropped_is_not_answered_but_its_figures_stay(
    figures: PointFigures, main: "MainThread", computed: list[int]
) -> None:
    first: list[Arrays] = []
    second: list[Arrays] = []
    figures.request("a", ("elbo",), first.append)
    figures.cancel("a")
    main.run()
    figures.request("a", ("elbo",), second.append)
    main.run()
    assert first == []
    assert len(second) == 1
    assert computed == [250, 250, 100]


def test_other_images_have_other_figures(
    figures: PointFigures, main: "MainThread", computed: list[int]
) -> None:
    told: list[Arrays] = []
    figures.request("a", ("elbo",), told.append)
    figures.set_points(some([5, 7], "test"))
    main.run()
    assert told == [], "of images that are no longer there"
    figures.request("a", ("elbo",), told.append)
    main.run()
    assert told[-1]["elbo"].shape == (2,)


def test_one_image_s_figures_are_those_it_has_among_all(
    figures: PointFigures, main: "MainThread", trained: Snapshot, small_mnist: dict[str, ImageSet]
) -> None:
    figures.set_points(some([0, 599, 600, 605], "both"))
    figures.request("a", ALL, lambda _: None)
    seen: list[ExactFigures] = []
    figures.inspected.connect(seen.append)
    main.run()
    for row in (1, 3):
        figures.inspect(row)
        main.run()
        known = {name: values[row] for name, values in figures.known.items()}
        assert seen[-1].elbo == pytest.approx(known["elbo"], rel=1e-6)
        assert seen[-1].log_marginal == pytest.approx(known["log_marginal"], rel=1e-6)
        assert seen[-1].log_marginal > seen[-1].elbo
        assert seen[-1].error < 0.01
    assert [(each.split, each.index) for each in seen] == [("train", 599), ("test", 5)]
    # The draw that is scored is the image's own, in its own split too.
    image, seeds = small_mnist["test"].images[5:6], draw_seeds("test", np.array([5]))
    exact = exact_posterior(trained.model, own_draws(trained.model, image, seeds))
    assert seen[-1].log_marginal == pytest.approx(exact.log_marginal[0], abs=1e-3)


def test_no_two_images_share_a_seed() -> None:
    train, test = (
        draw_seeds(split, np.arange(n)) for split, n in (("train", 60_000), ("test", 10_000))
    )
    both = np.concatenate([train, test])
    assert len(np.unique(both)) == 70_000
    np.testing.assert_array_equal(both, draw_seeds("both", np.arange(70_000)))


def test_a_failure_is_told_and_nothing_is_said_to_go_on(
    figures: PointFigures,
    main: "MainThread",
    failures: "Failures",
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    texts: list[str] = []
    figures.progress.connect(texts.append)

    def breaks(*_: object) -> NoReturn:
        raise RuntimeError("no memory")

    monkeypatch.setattr(figures_module, "exact_posterior", breaks)
    figures.request("a", ("log_marginal",), lambda _: None)
    figures.inspect(0)
    main.run()
    assert [title for title, _ in failures] == 2 * ["The figures could not be computed"]
    assert texts[-1:] == [""]
    failures.clear()


def test_without_a_model_nothing_is_asked(inline_jobs: Jobs, failures: "Failures") -> None:
    figures = PointFigures(inline_jobs, failures)
    told: list[Arrays] = []
    figures.request("a", ALL, told.append)
    figures.inspect(0)
    assert told == []
    assert figures.known == {}
