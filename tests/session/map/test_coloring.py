"""What the colours of the points mean, of each choice."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from tests.support.parts import show
from tests.support.stand_ins import Failures, MainThread
from vae_explorer import paths
from vae_explorer.data import bundled
from vae_explorer.data.bundled import mnist_dataset
from vae_explorer.data.dataset import Dataset, ImageSet
from vae_explorer.data.table_layout import TableDraft, TableLayout
from vae_explorer.export.tables import table_content
from vae_explorer.latent.figures import image_figures, own_draws
from vae_explorer.latent.quadrature import exact_posterior
from vae_explorer.model.trained import Posterior
from vae_explorer.session.files.settings import Settings
from vae_explorer.session.files.settings_file import SettingsFile
from vae_explorer.session.map.coloring import CHOICES, Coloring
from vae_explorer.session.map.latent_map import LatentMap
from vae_explorer.session.map.scores import Scores
from vae_explorer.session.map.state import MapPoints, PointColors
from vae_explorer.session.tasks import Tasks
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.types import Split

ROWS = np.array([0, 9, 599, 600, 700])
"""Three images to train on and two to test on."""


class Palette:
    """A coloring of five points of both splits, and what it tells."""

    def __init__(
        self, tasks: Tasks, latent_map: LatentMap, snapshot: Snapshot, data: ImageSet
    ) -> None:
        self.posterior = snapshot.model.encode(data.images[ROWS])
        self.points = MapPoints(
            self.posterior.mean, np.zeros(5, np.uint8), ROWS, 900, "both", mnist_dataset()
        )
        self.show = partial(show, latent_map, snapshot)
        self.scores = Scores(tasks, latent_map)
        self.settings = SettingsFile(tasks, Settings())
        self.said: list[str] = []
        self.coloring = Coloring(tasks, self.settings, latent_map, self.scores, self.said.append)
        self.drafts: list[TableDraft] = []
        self.coloring.drafted.connect(self.drafts.append)
        self.told: list[PointColors | None] = []
        self.choices: list[tuple[tuple[str, str], ...]] = []
        self.coloring.changed.connect(self.told.append)
        self.coloring.choices_changed.connect(self.choices.append)
        self.show(self.points, self.posterior)

    def draft(self, main: MainThread, path: Path) -> TableDraft:
        """What a table seems to be."""
        self.coloring.open_table(path)
        main.run()
        return self.drafts[-1]

    def read(self, main: MainThread, path: Path) -> None:
        """Agree to what a table seems to be."""
        self.coloring.read_table(path, self.draft(main, path).layout)
        main.run()

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
    palette: Palette, main: MainThread, table: Path
) -> None:
    palette.read(main, table)
    assert palette.choices == [(*CHOICES, ("table:width", "width"), ("table:parity", "parity"))]
    assert palette.coloring.by == "table:width"
    np.testing.assert_array_equal(palette.colors.values, [0, 1e6, 5, np.nan, 0])
    # Ends of the scale leave out what is far out.
    low, high = np.percentile([0, 0, 5, 1e6], [2, 98])
    assert (palette.colors.low, palette.colors.high) == pytest.approx((low, high))
    assert (palette.colors.title, palette.colors.about) == (
        "width",
        "From measured.csv, which knows it of 4 of the 5 images shown",
    )

    palette.coloring.choose("table:parity")
    assert palette.colors.names == ("even", "odd")
    np.testing.assert_array_equal(palette.colors.values, [0, 1, np.nan, 0, 0])


def test_a_table_colours_its_own_images_whatever_split_is_shown(
    palette: Palette, main: MainThread, table: Path, points: MapPoints, posterior: Posterior
) -> None:
    palette.read(main, table)
    palette.show(points, posterior)
    assert palette.coloring.by == "table:width"
    wanted = (np.arange(600) % 100).astype(float)
    wanted[[9, 599]] = 1e6, 5
    np.testing.assert_array_equal(palette.colors.values, wanted)
    assert palette.choices[-1][-1] == ("table:parity", "parity")
    test = MapPoints(
        posterior.mean[:300], points.labels[:300], np.arange(300), 300, "test", mnist_dataset()
    )
    palette.show(test, Posterior(posterior.mean[:300], posterior.covariance[:300]))
    np.testing.assert_array_equal(palette.colors.values[:3], [np.nan, 1, 2])


@pytest.mark.parametrize(
    ("shown", "suffix", "numbers"),
    [
        ("train", ".csv", "plain"),
        ("test", ".csv", "comma"),
        ("both", ".tsv", "point"),
        ("test", ".parquet", "plain"),
        ("test", ".npz", "plain"),
    ],
)
def test_our_own_table_of_points_colours_the_right_images(
    palette: Palette,
    main: MainThread,
    tmp_path: Path,
    shown: Split,
    suffix: str,
    numbers: str,
    small_mnist: dict[str, ImageSet],
    trained: Snapshot,
) -> None:
    """As "Export Points…" writes it of all images, in any order."""
    rows = np.random.default_rng(0).permutation(900)
    origins = [bundled.origin("both", row) for row in rows.tolist()]
    labels = small_mnist["both"].labels
    assert labels is not None
    split, index = (np.array(column) for column in zip(*origins, strict=True))
    path = tmp_path / f"points{suffix}"
    columns = {"split": split, "index": index, "label": labels[rows], "z1": rows / 8}
    path.write_bytes(table_content(columns, suffix, numbers))
    data = small_mnist[shown]
    assert data.labels is not None
    points = MapPoints(
        trained.model.encode(data.images).mean,
        data.labels,
        np.arange(len(data)),
        len(data),
        shown,
        mnist_dataset(),
    )
    palette.show(points, trained.model.encode(data.images))
    layout = palette.draft(main, path).layout
    assert (layout.split, layout.index) == ("split", "index")
    assert (layout.classes, layout.numbers) == (("label",), ("z1",))
    palette.read(main, path)
    assert palette.colors.names == tuple("0123456789")
    np.testing.assert_array_equal(palette.colors.values, data.labels)
    palette.coloring.choose("table:z1")
    start = 600 if shown == "test" else 0
    np.testing.assert_array_equal(palette.colors.values, (start + np.arange(len(data))) / 8)
    assert palette.colors.about == f"From points{suffix}"


def test_a_table_goes_with_its_images(palette: Palette, main: MainThread, table: Path) -> None:
    palette.read(main, table)
    assert (palette.coloring.by, [*palette.coloring.columns]) == (
        "table:width",
        ["width", "parity"],
    )
    others = Dataset("others", mnist_dataset().train, mnist_dataset().test)
    palette.show(replace(palette.points, data=others), palette.posterior)
    assert (palette.coloring.by, dict(palette.coloring.columns)) == ("label", {})
    assert palette.told[-1] is None
    assert not [by for by, _ in palette.coloring.choices if by.startswith("table:")]


def test_a_table_of_other_images_is_told(
    palette: Palette, main: MainThread, tmp_path: Path, points: MapPoints, posterior: Posterior
) -> None:
    palette.show(points, posterior)
    path = tmp_path / "test.csv"
    path.write_text("split,index,z\ntest,5,1.5\ntest,7,2.5\n")
    palette.read(main, path)
    assert palette.said == ["test.csv says nothing of the images shown"]
    assert np.isnan(palette.colors.values).all()


def test_how_a_table_was_read_is_remembered_by_its_columns(
    palette: Palette, main: MainThread, tmp_path: Path
) -> None:
    first, second, other = (tmp_path / f"{name}.csv" for name in "abc")
    first.write_text("index;cluster;z\n0;1;0,5\n1;1;1,5\n")
    second.write_text("index;cluster;z\n5;3;2,5\n6;3;1,5\n")
    other.write_text("index;cluster;w\n5;3;2,5\n6;3;1,5\n")
    layout = palette.draft(main, first).layout
    assert (layout.numbers, layout.classes, layout.images) == (("z",), ("cluster",), "both")
    chosen = replace(layout, numbers=("cluster",), classes=(), images="test")
    palette.coloring.read_table(first, chosen)
    main.run()
    assert [*dict(palette.coloring.choices)][-1] == "table:cluster"
    assert palette.settings.now.tables == (chosen,)
    assert palette.draft(main, second).layout == chosen
    assert palette.draft(main, other).layout.classes == ("cluster",)
    for number in range(30):
        palette.coloring.read_table(first, replace(chosen, header=f"{number:016x}"))
        main.run()
    assert len(palette.settings.now.tables) == 20
    assert palette.settings.now.tables[0].header == f"{29:016x}"
    assert Settings.read(paths.settings_file()).tables == palette.settings.now.tables


def test_a_table_that_is_none_fails(palette: Palette, main: MainThread, failures: Failures) -> None:
    palette.coloring.open_table(Path("/nowhere.csv"))
    main.run()
    palette.coloring.read_table(Path("/nowhere.csv"), TableLayout(numbers=("a",)))
    main.run()
    assert [title for title, _ in failures.take()] == ["The table was not read"] * 2
    assert palette.coloring.choices == CHOICES


def test_one_value_alone_still_has_a_scale(
    palette: Palette, main: MainThread, tmp_path: Path
) -> None:
    path = tmp_path / "constant.csv"
    path.write_text("\n".join(["x", *900 * ["3.5"]]))
    palette.read(main, path)
    assert (palette.colors.low, palette.colors.high) == (3.5, 4.5)
