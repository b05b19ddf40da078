"""Two maps beside each other, on small sets and tiny models."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.stand_ins import Failures, MainThread
from vae_explorer.data.bundled import in_both, mnist_dataset
from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import CheckpointError
from vae_explorer.latent.figures import image_figures, own_draws
from vae_explorer.latent.quadrature import exact_posterior
from vae_explorer.paths import bundled_models
from vae_explorer.session.compare import metrics
from vae_explorer.session.compare.comparison import Comparison
from vae_explorer.session.jobs import Jobs
from vae_explorer.session.map.state import MapPoints
from vae_explorer.session.tasks import Tasks
from vae_explorer.training.run_folder import RunFolder, model_name
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.types import Float32

MIRRORED = np.array([[-0.6, 0.8], [0.8, 0.6]])


class Room:
    """A comparison and what it tells last, by side."""

    def __init__(self, jobs: Jobs, main: MainThread, failures: Failures) -> None:
        self.comparison = Comparison(Tasks(jobs, failures), mnist_dataset())
        self.run = main.run
        self.heard: list[tuple[Any, ...]] = []
        self.said: list[str] = []
        self.comparison.progress.connect(self.said.append)
        for name in ("side_changed", "points_changed", "linked", "decoded", "selection_changed"):
            getattr(self.comparison, name).connect(
                lambda *what, name=name: self.heard.append((name, *what))
            )

    def last(self, name: str, side: str) -> Any:
        """What ``name`` told last of a side."""
        return [rest for told, of, *rest in self.heard if (told, of) == (name, side)][-1][0]

    @property
    def selected(self) -> list[int]:
        return list(self.comparison.selection.indices)

    def positions(self, side: str) -> Float32:
        points: MapPoints = self.last("points_changed", side)
        return points.positions

    def show(self, a: Snapshot, b: Snapshot, splits: str = "test test") -> None:
        for side, split in zip(("A", "B"), splits.split(), strict=True):
            self.comparison.set_split(side, split)  # type: ignore[arg-type]
        self.comparison.take("A", a, "a")
        self.comparison.take("B", b, "b")
        self.run()

    def value(self, name: str, side: str) -> Any:
        """A cell of the table."""
        row = next(row for row in self.comparison.figures().rows if row.name.startswith(name))
        return row.a if side == "A" else row.b


@pytest.fixture
def room(
    inline_jobs: Jobs,
    main: MainThread,
    failures: Failures,
    small_mnist: dict[str, ImageSet],
    monkeypatch: pytest.MonkeyPatch,
) -> Room:
    monkeypatch.setattr(metrics, "_IMAGES", 30)
    return Room(inline_jobs, main, failures)


# The models


def test_a_mirrored_twin_looks_the_same(room: Room, trained: Snapshot) -> None:
    twin = dataclasses.replace(trained, model=trained.model.turned(MIRRORED))
    room.show(trained, twin)
    np.testing.assert_allclose(room.positions("B"), room.positions("A"), atol=1e-4)
    assert room.last("side_changed", "A").orientation == ""
    # MIRRORED is its own inverse.
    assert room.last("side_changed", "B").orientation == "aligned: mirrored and turned by −53°"
    assert room.value("Distance", "B") == pytest.approx(0, abs=1e-4)


def test_b_is_turned_again_when_another_a_comes(
    room: Room, trained: Snapshot, other: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "_IMAGES", 300)  # all that are turned here
    room.comparison.take("B", other, "b")
    room.run()
    assert room.last("side_changed", "B").orientation == ""
    alone = room.positions("B")
    room.comparison.take("A", trained, "a")
    room.run()
    a, b = room.positions("A"), room.positions("B")
    angles = np.radians(np.arange(0, 360, 0.5))
    turns = np.array([[np.cos(angles), -np.sin(angles)], [np.sin(angles), np.cos(angles)]])
    tried = [np.einsum("ijk,nj->kni", turns, alone * [1, flip]) for flip in (1, -1)]
    best = min(np.sqrt(np.square(there - a).sum(2).mean(1)).min() for there in tried)
    apart = np.sqrt(np.square(b - a).sum(1).mean())
    assert apart == pytest.approx(best, rel=1e-3)
    assert room.value("Distance", "B") == pytest.approx(apart, rel=1e-5)  # 300 images are all


def test_a_file_that_is_none_leaves_the_side_as_it_is(
    room: Room, trained: Snapshot, failures: Failures, tmp_path: Path
) -> None:
    room.show(trained, trained)
    (tmp_path / "no.safetensors").write_bytes(b"nothing")
    room.heard.clear()
    room.comparison.open("A", tmp_path / "no.safetensors")
    room.run()
    ((title, error),) = failures
    assert title == "The model was not opened"
    assert isinstance(error, CheckpointError)
    failures.clear()
    assert [told[0] for told in room.heard] == ["side_changed"]
    assert room.last("side_changed", "A").name == "a"


def test_a_checkpoint_is_known_by_its_name_or_its_run(
    room: Room, trained: Snapshot, checkpoint: Path, run_folder: RunFolder
) -> None:
    room.comparison.open("B", checkpoint)
    room.run()
    info = room.last("side_changed", "B")
    assert (info.name, info.path) == ("tiny", checkpoint)
    assert (info.epoch, info.objective, info.split) == (2, "elbo", "test")
    assert model_name(run_folder.model_path) == run_folder.path.name
    assert model_name(checkpoint.with_name(RunFolder.MODEL)) == "model", "of no run"
    assert "mnist-elbo" in [model_name(path) for path in bundled_models().values()]


def test_nothing_is_told_once_it_is_closed(room: Room, trained: Snapshot) -> None:
    room.show(trained, trained)
    room.comparison.take("A", trained, "again")
    room.comparison.set_split("B", "both")
    room.heard.clear()
    room.comparison.close()
    room.run()
    assert not room.heard


def test_closing_ends_running_jobs(
    threaded_jobs: Jobs, main: MainThread, failures: Failures, trained: Snapshot
) -> None:
    comparison = Comparison(Tasks(threaded_jobs, failures), mnist_dataset())
    said: list[str] = []
    comparison.progress.connect(said.append)
    comparison.take("A", trained, "a")
    main.run_until(lambda: said)
    comparison.close()
    said.clear()
    assert threaded_jobs.shutdown(20)
    main.run()
    assert not said
    assert comparison.figures().rows[5].a is None


# Hover and selection


def test_the_same_image_is_found_on_the_other_side(
    room: Room, trained: Snapshot, other: Snapshot
) -> None:
    room.show(trained, other, "test both")
    cases = (("A", 7, 607), ("B", 607, 7), ("B", 7, -1), ("A", -1, -1))
    for side, row, there in cases:
        room.comparison.hover(side, row)  # type: ignore[arg-type]
        assert room.heard[-1] == ("linked", "B" if side == "A" else "A", there)


def test_other_points_end_the_hover(room: Room, trained: Snapshot) -> None:
    room.show(trained, trained)
    room.comparison.hover("A", 5)
    room.comparison.set_split("A", "train")
    room.run()
    assert room.last("linked", "B") == -1
    room.comparison.preview((0.0, 0.0))
    assert room.last("decoded", "A").title == ""


def test_both_decode_the_hovered_image_or_else_the_place(
    room: Room, trained: Snapshot, other: Snapshot, small_mnist: dict[str, ImageSet]
) -> None:
    room.show(trained, other)
    room.comparison.hover("B", 11)
    room.comparison.preview((0.0, 0.0))
    for side, snapshot in (("A", trained), ("B", other)):
        preview = room.last("decoded", side)
        assert preview.title == "test 11"
        assert preview.z == pytest.approx(room.positions(side)[11])
        # Its own reconstruction, which does not know how the plane is turned.
        code = snapshot.model.encode(small_mnist["test"].images[11:12]).mean
        np.testing.assert_allclose(preview.image, snapshot.model.decode(code)[0], atol=1e-4)
    room.comparison.hover("B", -1)
    room.comparison.preview((1.0, 1e6))
    assert [room.last("decoded", side).z for side in "AB"] == [(1.0, 6.0)] * 2
    room.comparison.preview(None)
    assert [room.last("decoded", side) for side in "AB"] == [None, None]


def test_the_place_may_be_told_before_the_image_there(room: Room, trained: Snapshot) -> None:
    room.show(trained, trained)
    room.comparison.preview((0.0, 0.0))
    room.comparison.hover("B", 11)
    assert [room.last("decoded", side).title for side in "AB"] == ["test 11"] * 2
    room.comparison.preview(None)
    room.comparison.hover("B", -1)
    assert [room.last("decoded", side) for side in "AB"] == [None, None]


def test_an_image_that_one_side_cannot_place_leaves_the_pointers(
    room: Room, trained: Snapshot
) -> None:
    room.show(trained, trained)
    room.positions("A")[11] = np.nan  # as a model gives what it cannot encode
    room.comparison.hover("B", 11)
    room.comparison.preview((0.25, 0.5))
    assert [room.last("decoded", side).z for side in "AB"] == [(0.25, 0.5)] * 2


def test_one_selection_of_images_shows_on_both_sides(room: Room, trained: Snapshot) -> None:
    room.show(trained, trained, "train both")
    room.comparison.select("A", np.array([3, 1]))
    room.comparison.select("B", np.array([605, 3]), "add")
    assert room.selected == [1, 3, 605]
    told = [entry for entry in room.heard if entry[0] == "selection_changed"][-2:]
    assert [np.flatnonzero(mask).tolist() for _, _, mask, _ in told] == [[1, 3], [1, 3, 605]]
    assert [summary for *_, summary in told] == ["2 of 600", "3 of 900"]
    room.comparison.select("A", np.array([3]), "remove")
    room.comparison.set_split("A", "test")
    room.run()
    assert np.flatnonzero(room.last("selection_changed", "A")).tolist() == [5]  # test 5
    room.comparison.selection.clear()
    assert room.last("selection_changed", "B") is None


def test_an_area_selects_of_the_points_that_show(room: Room, trained: Snapshot) -> None:
    room.show(trained, trained)
    points = room.last("points_changed", "A")
    right = points.positions[:, 0] > 0
    visible = points.labels != 3
    half = np.array([(0, -99), (99, -99), (99, 99), (0, 99)], float)
    room.comparison.select_inside("A", half, "replace", visible)
    assert room.selected == (600 + np.flatnonzero(right & visible)).tolist()
    room.comparison.select_class("B", 3, "replace")
    assert room.selected == (600 + np.flatnonzero(~visible)).tolist()


# The figures


def test_figures_are_means_over_the_same_test_images(
    room: Room,
    trained: Snapshot,
    other: Snapshot,
    small_mnist: dict[str, ImageSet],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(metrics, "_CHUNK", 10)
    room.show(trained, other, "train both")
    rows = np.linspace(0, 299, 30).round().astype(np.int64)
    images, seeds = small_mnist["test"].images[rows], in_both("test", rows)
    for side, snapshot in (("A", trained), ("B", other)):
        figures = image_figures(snapshot.model, images, seeds)
        exact = exact_posterior(snapshot.model, own_draws(snapshot.model, images, seeds))
        elbo, log_marginal = figures.elbo.mean(), exact.log_marginal.mean()
        assert room.value("ELBO", side) == pytest.approx(elbo, abs=1e-3)
        assert room.value("log p(x)", side) == pytest.approx(log_marginal, abs=1e-3)
        assert room.value("Gap", side) == pytest.approx(log_marginal - elbo, abs=1e-3)
        assert room.value("KL", side) == pytest.approx(figures.kl.mean(), abs=1e-3)
        assert room.value("Held-out", side) == snapshot.held_out_elbo
        variances = snapshot.model.encode(images).mean.var(axis=0)
        assert room.value("Active", side) == (variances > 0.01).sum()
    told = [text for text in room.said if text.startswith("Figures")]
    assert told[:2] == ["Figures of A: 0 of 30 images", "Figures of A: 10 of 30 images"]
    assert room.said[-1] == ""


def test_likelihoods_of_different_treatments_are_said_not_to_compare(
    room: Room, trained: Snapshot
) -> None:
    room.show(trained, trained)
    assert "do not compare" not in room.comparison.figures().note
    recipe = trained.recipe.replace(treatment="gray")
    room.comparison.take("B", dataclasses.replace(trained, recipe=recipe), "gray")
    room.run()
    assert "do not compare" in room.comparison.figures().note
    assert room.comparison.figures().names == ("a", "gray")
