"""Found points against brute force."""

import csv

import numpy as np
import pytest

from tests.support.parts import show
from tests.support.stand_ins import Failures, MainThread
from vae_explorer.data.dataset import ImageSet
from vae_explorer.export.making import made
from vae_explorer.export.numeric_requests import Points
from vae_explorer.export.source import Source
from vae_explorer.latent.figures import image_figures
from vae_explorer.session.explore.pins import Pins
from vae_explorer.session.map.latent_map import LatentMap, MapChoice
from vae_explorer.session.map.scores import Scores
from vae_explorer.session.map.search import Search
from vae_explorer.session.map.selection import Selection
from vae_explorer.session.map.state import MapPoints
from vae_explorer.session.tasks import Tasks
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.types import Split


class Finder:
    """A search on the map of both splits, 900 points, and what it needs."""

    def __init__(self, tasks: Tasks, latent_map: LatentMap, main: MainThread) -> None:
        self.main = main
        self.map = latent_map
        self.pins = Pins(latent_map)
        self.selection = Selection(latent_map)
        self.scores = Scores(tasks, latent_map)
        self.search = Search(tasks, latent_map, self.pins, self.selection, self.scores)

    def show(self, split: Split) -> None:
        self.map.choose(MapChoice(split))
        self.main.run()

    @property
    def points(self) -> MapPoints:
        assert self.map.points is not None
        return self.map.points

    @property
    def found(self) -> list[int]:
        indices: list[int] = self.selection.indices.tolist()
        return indices


@pytest.fixture
def finder(
    tasks: Tasks,
    empty_map: LatentMap,
    main: MainThread,
    trained: Snapshot,
    small_mnist: dict[str, ImageSet],
) -> Finder:
    """Of all 900 images."""
    finder = Finder(tasks, empty_map, main)
    empty_map.choose(MapChoice("both"))
    empty_map.show(trained, "model", None)
    main.run()
    return finder


def test_points_in_a_polygon_are_selected_of_those_in_sight(finder: Finder) -> None:
    x, y = finder.points.positions.T
    left, right, bottom, top = -0.1, 0.2, -0.2, 0.1
    polygon = np.array([[left, bottom], [right, bottom], [right, top], [left, top]])
    within = (x > left) & (x < right) & (y > bottom) & (y < top)
    visible = finder.points.labels != 1
    assert 0 < (within & visible).sum() < within.sum() < 900
    finder.search.inside(polygon, "replace", visible)
    assert finder.found == np.flatnonzero(within & visible).tolist()
    finder.search.inside(polygon + 0.2, "add", visible)
    more = (x > 0.1) & (x < 0.4) & (y > 0) & (y < 0.3)
    assert finder.found == np.flatnonzero((within | more) & visible).tolist()
    finder.search.inside(polygon, "remove", visible)
    assert finder.found == np.flatnonzero(more & ~within & visible).tolist()


def test_points_of_some_classes_are_selected(finder: Finder) -> None:
    finder.search.labels(frozenset({3, 7}))
    labels = finder.points.labels
    assert finder.found == np.flatnonzero((labels == 3) | (labels == 7)).tolist()
    finder.search.labels(frozenset({7}), "remove")
    assert finder.found == np.flatnonzero(labels == 3).tolist()


@pytest.mark.parametrize("split", ["both", "test"])
def test_the_nearest_are_those_at_the_least_distance(
    finder: Finder, small_mnist: dict[str, ImageSet], split: Split
) -> None:
    """Of a training image, whether or not it is on the map itself."""
    finder.show(split)
    finder.pins.pin("train", 40)
    assert finder.pins.current is not None
    pinned = finder.pins.current.mean.astype(np.float64)
    finder.search.nearest(12, "latent")
    away = np.linalg.norm(finder.points.positions - pinned, axis=1)
    assert finder.found == sorted(np.argsort(away)[:12].tolist())

    finder.search.nearest(7, "image")
    finder.main.run()
    image = small_mnist["train"].images[40].astype(float)
    away = np.linalg.norm((small_mnist[split].images - image).reshape(-1, 784), axis=1)
    assert finder.found == sorted(np.argsort(away)[:7].tolist())
    assert (40 in finder.found) == (split == "both")


def test_without_a_pin_it_is_said_what_to_do(finder: Finder, failures: Failures) -> None:
    finder.search.nearest(12, "latent")
    ((title, error),) = failures
    assert (title, finder.found) == ("Nothing was selected", [])
    assert "Pin an image first" in str(error)
    failures.clear()


def test_neighbours_on_a_map_that_has_gone_are_not_selected(finder: Finder) -> None:
    finder.pins.pin("train", 40)
    finder.map.choose(MapChoice("test"))
    finder.search.nearest(7, "image")  # of those that are still there
    finder.main.run()
    assert finder.points.split == "test"
    assert finder.found == []


def test_the_lowest_have_the_least_elbo(
    finder: Finder, trained: Snapshot, small_mnist: dict[str, ImageSet]
) -> None:
    finder.search.lowest(20)
    finder.main.run()
    elbo = image_figures(trained.model, small_mnist["both"].images, np.arange(900)).elbo
    assert finder.found == sorted(np.argsort(elbo)[:20].tolist())


def test_the_lowest_are_selected_once_and_not_of_moving_points(
    finder: Finder, failures: Failures, trained: Snapshot
) -> None:
    finder.scores.request("color", ("log_marginal",))
    finder.search.lowest(20)
    selected: list[object] = []
    finder.selection.changed.connect(selected.append)
    finder.main.run()
    assert len(selected) == 1
    show(finder.map, trained, finder.points, moving=True)
    finder.search.lowest(3)
    ((_, error),) = failures
    assert "pause" in str(error)
    failures.clear()


def test_a_ranking_is_told_on_its_way_and_no_other_work(finder: Finder) -> None:
    told: list[str] = []
    finder.search.ranking.connect(told.append)
    finder.scores.request("color", ("elbo",))
    finder.main.run()
    assert set(told) == {""}
    finder.map.choose(MapChoice("test"))
    finder.main.run()
    finder.search.rank()
    finder.main.run()
    assert "ELBO: 0 of 300 images" in told
    assert told[-1] == ""


def test_the_table_is_asked_for_with_what_is_known(finder: Finder, trained: Snapshot) -> None:
    assert finder.search.points("", "") == Points("both")
    finder.search.lowest(5)
    finder.main.run()
    finder.selection.replace([3, 4, 5, 600])
    asked = finder.search.points("mine.csv", "{}")
    assert asked == Points("both", indices="3-5,600", elbo=True, table="mine.csv", reading="{}")
    assert asked.rows(900) == [3, 4, 5, 600]
    known = finder.search.known()
    np.testing.assert_array_equal(known["elbo"], finder.scores.known["elbo"])
    data = finder.points.data
    source = Source(trained, open_data=lambda: data, known=known)
    content, _ = made(asked.replace(table="", reading=""), source, ".csv")
    rows = list(csv.DictReader(content.decode().splitlines()))
    at = [3, 4, 5, 600]
    origins = [["train", "3"], ["train", "4"], ["train", "5"], ["test", "0"]]
    assert [[row["split"], row["index"]] for row in rows] == origins
    assert "class" not in rows[0], "which is the label"
    assert [row["label"] for row in rows] == [*map(str, finder.points.labels[at])]
    assert finder.map.state is not None
    assert finder.map.state.posterior is not None
    for name, wanted in (
        ("z1", finder.points.positions[at, 0]),
        ("z2", finder.points.positions[at, 1]),
        ("cov12", finder.map.state.posterior.covariance[at, 0, 1]),
        ("elbo", finder.scores.known["elbo"][at]),
    ):
        np.testing.assert_allclose([float(row[name]) for row in rows], wanted, 1e-4, 1e-8)
