"""What the colours of the points mean, of each choice."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from tests.support.parts import show
from tests.support.stand_ins import MainThread
from vae_explorer.data.dataset import ImageSet
from vae_explorer.data.tables import read_table
from vae_explorer.latent.figures import image_figures, own_draws
from vae_explorer.latent.quadrature import exact_posterior
from vae_explorer.model.trained import Posterior
from vae_explorer.session.jobs import Tasks
from vae_explorer.session.map.coloring import CHOICES, Coloring, PointColors
from vae_explorer.session.map.latent_map import LatentMap
from vae_explorer.session.map.scores import Scores
from vae_explorer.session.map.state import MapPoints
from vae_explorer.training.snapshot import Snapshot

ROWS = np.array([0, 9, 599, 600, 700])
"""Three images to train on and two to test on."""


class Palette:
    """A coloring of five points of both splits, and what it tells."""

    def __init__(
        self, tasks: Tasks, latent_map: LatentMap, snapshot: Snapshot, data: ImageSet
    ) -> None:
        self.posterior = snapshot.model.encode(data.images[ROWS])
        self.points = MapPoints(self.posterior.mean, np.zeros(5, np.uint8), ROWS, 900, "both")
        self.show = partial(show, latent_map, snapshot)
        self.scores = Scores(tasks, latent_map)
        self.coloring = Coloring(tasks, latent_map, self.scores, lambda _: None)
        self.told: list[PointColors | None] = []
        self.choices: list[tuple[tuple[str, str], ...]] = []
        self.coloring.changed.connect(self.told.append)
        self.coloring.choices_changed.connect(self.choices.append)
        self.show(self.points, self.posterior)

    @property
    def colors(self) -> PointColors:
        colors = self.told[-1]
        assert colors is not None
        return colors


@pytest.fixture
def palette(
    tasks: Tasks, empty_map: LatentMap, trained: Snapshot, small_mnist: dict[str, ImageSet]
) -> Palette:
    return Palette(tasks, empty_map, trained, small_mnist["both"])


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Of 900 images: a number, with one far out, and a category, each unknown of one image."""
    lines = [f"{row % 100},{'even' if row % 2 == 0 else 'odd'}" for row in range(900)]
    lines[9], lines[599], lines[600] = "1e6,odd", "5,", ",even"
    path = tmp_path / "measured.csv"
    path.write_text("\n".join(["width,parity", *lines]))
    return path


def test_the_label_needs_no_values_and_what_is_unknown_is_ignored(palette: Palette) -> None:
    assert palette.told == [None]
    palette.coloring.choose("label")
    palette.coloring.choose("table:width")
    assert palette.told == [None]


def test_the_width_is_the_square_root_of_that_of_the_ellipse(palette: Palette) -> None:
    palette.coloring.choose("width")
    covariance = palette.posterior.covariance.astype(np.float64)
    half_axes = np.sqrt(np.linalg.eigvalsh(covariance))
    np.testing.assert_allclose(palette.colors.values, np.sqrt(half_axes.prod(1)), rtol=1e-5)
    assert palette.colors.unit == "latent units"


def test_the_split_is_a_category(palette: Palette) -> None:
    palette.coloring.choose("split")
    assert palette.colors.names == ("train", "test")
    assert palette.colors.values.tolist() == [0, 0, 0, 1, 1]


def test_scores_are_unknown_until_they_are_computed(
    palette: Palette, main: MainThread, trained: Snapshot, small_mnist: dict[str, ImageSet]
) -> None:
    images = small_mnist["both"].images[ROWS]
    figures = image_figures(trained.model, images, ROWS)
    exact = exact_posterior(trained.model, own_draws(trained.model, images, ROWS)).log_marginal
    for by, expected in {
        "log_marginal": exact,
        "gap": exact - figures.elbo,
        "error": -figures.log_likelihood,
    }.items():
        told = len(palette.told)
        palette.coloring.choose(by)
        first = palette.told[told]
        assert first is not None
        assert np.isnan(first.values).all() == (by != "error"), "known from the gap"
        main.run()
        np.testing.assert_allclose(palette.colors.values, expected, atol=1e-3)
        low, high = np.percentile(palette.colors.values, [2, 98])
        assert (palette.colors.low, palette.colors.high) == pytest.approx((low, high))
        assert palette.colors.unit == "nats"
    assert {by for by, _ in CHOICES} >= {"log_marginal", "gap", "error", "width", "split"}


def test_of_moving_points_nothing_is_computed_until_they_rest(
    palette: Palette, main: MainThread
) -> None:
    palette.show(palette.points, palette.posterior, moving=True)
    palette.coloring.choose("error")
    main.run()
    assert palette.scores.known == {}
    assert palette.colors.about == "Computed when training pauses"
    assert (palette.colors.low, palette.colors.high) == (0, 1)
    palette.show(palette.points, palette.posterior)
    main.run()
    assert np.isfinite(palette.colors.values).all()


def test_another_choice_ends_what_is_being_computed(palette: Palette, main: MainThread) -> None:
    palette.coloring.choose("error")
    palette.coloring.choose("label")
    main.run()
    assert palette.told[-1] is None


# A user's table


def test_columns_of_a_table_are_choices_and_the_first_is_taken(
    palette: Palette, table: Path
) -> None:
    palette.coloring.set_table(read_table(table, 900))
    assert palette.choices == [(*CHOICES, ("table:width", "width"), ("table:parity", "parity"))]
    assert palette.coloring.by == "table:width"
    np.testing.assert_array_equal(palette.colors.values, [0, 1e6, 5, np.nan, 0])
    # Ends of the scale leave out what is far out.
    low, high = np.percentile([0, 0, 5, 1e6], [2, 98])
    assert (palette.colors.low, palette.colors.high) == pytest.approx((low, high))
    assert (palette.colors.title, palette.colors.about) == ("width", "From measured.csv")

    palette.coloring.choose("table:parity")
    assert palette.colors.names == ("even", "odd")
    np.testing.assert_array_equal(palette.colors.values, [0, 1, np.nan, 0, 0])


def test_another_split_has_another_table(
    palette: Palette, table: Path, points: MapPoints, posterior: Posterior
) -> None:
    palette.coloring.set_table(read_table(table, 900))
    palette.show(points, posterior)
    assert palette.told[-1] is None
    assert palette.choices[-1] == CHOICES


def test_one_value_alone_still_has_a_scale(palette: Palette, tmp_path: Path) -> None:
    path = tmp_path / "constant.csv"
    path.write_text("\n".join(["x", *900 * ["3"]]))
    palette.coloring.set_table(read_table(path, 900))
    assert (palette.colors.low, palette.colors.high) == (3, 4)
