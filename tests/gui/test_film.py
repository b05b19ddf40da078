"""Films of tiny runs and of walks, as others read them."""

import io
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageSequence

import vae_explorer as vx
from vae_explorer.data.dataset import Dataset, ImageSet
from vae_explorer.errors import CheckpointError, ExportError, UserError
from vae_explorer.export.about import read_about
from vae_explorer.export.film_frames import run_film, walk_film
from vae_explorer.export.film_requests import Film, Walk
from vae_explorer.export.making import made, remake, source_of, unheard, write
from vae_explorer.export.source import Source
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.snapshot import BUNDLED
from vae_explorer.types import UInt8

SMALL: dict[str, Any] = {"width": 320, "height": 240, "text": 8.0}
WAY = (-1.0, 0.5, 1.5, -1.0)


@pytest.fixture
def own_run(run_folder: RunFolder, tmp_path: Path) -> RunFolder:
    """One that may be changed."""
    return RunFolder(shutil.copytree(run_folder.path, tmp_path / "own"))


@pytest.fixture(scope="session")
def shown(digits: ImageSet) -> Dataset:
    return Dataset("digits", digits, digits.subset(slice(0, 200)))


@pytest.fixture
def source(own_run: RunFolder, shown: Dataset) -> Source:
    return source_of(own_run.path, shown)


def _frames(content: bytes) -> list[UInt8]:
    film = Image.open(io.BytesIO(content))
    return [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(film)]


def test_a_training_film_has_a_frame_a_snapshot(source: Source) -> None:
    told: list[float] = []
    content, beside = made(Film(**SMALL, points=50, sheet=3), source, ".webp", told.append)
    assert beside is None
    frames = _frames(content)
    assert len(frames) == 21
    assert {frame.shape for frame in frames} == {(240, 320, 3)}
    assert all((one != other).any() for one, other in zip(frames[1:], frames, strict=False))
    assert told == sorted(told)
    assert told[-1] == 1


def test_what_a_training_film_shows_is_that_of_the_snapshots(
    source: Source, own_run: RunFolder, shown: Dataset
) -> None:
    film = run_film(Film(points=50, sheet=3, snapshots=5), source, unheard)
    frames = list(film.frames)
    assert [frame.epoch for frame in frames] == [0, 0.6, 1.3, 1.9, 2]
    model = own_run.moments().read(13).model
    images = shown.test.images[np.linspace(0, 199, 50).round().astype(int)]
    np.testing.assert_array_equal(frames[2].positions, model.encode(images).mean)
    left, right, bottom, top = film.region
    cells = frames[2].sheet.cells
    assert cells[0].tolist() == pytest.approx([left, left + (right - left) / 3] * 2)
    assert (bottom, top) == (left, right)
    middle = model.decode([(0, 0)])[0]
    np.testing.assert_allclose(frames[2].sheet.images[4], middle, atol=1e-6)
    assert film.history[-1].epoch == 2


def test_a_turned_plane_is_turned_in_every_frame(source: Source, shown: Dataset) -> None:
    request, turn = Film(points=50, sheet=2, snapshots=2), np.array([[0.0, -1.0], [1.0, 0.0]])
    turned = Source(source.snapshot, source.path, turn, lambda: shown)
    plain, other = (list(run_film(request, one, unheard).frames) for one in (source, turned))
    for before, after in zip(plain, other, strict=True):
        np.testing.assert_allclose(after.positions, before.positions @ turn.T, atol=1e-5)


def test_snapshots_that_a_run_drops_meanwhile_are_none_of_the_film(
    source: Source, own_run: RunFolder
) -> None:
    film = run_film(Film(points=10, sheet=2), source, unheard)
    first = next(film.frames)
    for step in own_run.moments().steps[1::2]:
        own_run.moments().path(step).unlink()
    own_run.model_path.unlink()  # as when another is written in its place
    assert first.epoch == 0
    assert [frame.epoch for frame in film.frames] == [*(n / 5 for n in range(1, 10)), 2]


def test_a_run_that_goes_while_it_is_filmed_is_told(
    own_run: RunFolder, source: Source, tmp_path: Path
) -> None:
    def go(_: float) -> None:
        shutil.rmtree(own_run.path, ignore_errors=True)

    target = tmp_path / "film.gif"
    target.write_bytes(b"old")
    with pytest.raises(ExportError, match=r"snapshots of the run in .* have gone"):
        write(Film(**SMALL, points=10, sheet=2), source, target, go)
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["film.gif"]


def test_a_damaged_snapshot_is_told(source: Source, own_run: RunFolder) -> None:
    own_run.moments().path(10).write_bytes(b"no model")
    with pytest.raises(CheckpointError, match="step-000000010"):
        made(Film(**SMALL, points=10, sheet=2), source, ".gif")


def test_a_model_without_a_run_has_no_training_film(
    checkpoint: Path, own_run: RunFolder, shown: Dataset
) -> None:
    with pytest.raises(ExportError, match=r"tiny\.safetensors is not the model of a run folder"):
        made(Film(), source_of(checkpoint, shown), ".gif")
    shutil.rmtree(own_run.moments().folder)
    with pytest.raises(ExportError, match="has no snapshots"):
        made(Film(), source_of(own_run.path, shown), ".gif")


def test_a_film_that_is_cancelled_leaves_nothing(source: Source, tmp_path: Path) -> None:
    def cancel(share: float) -> None:
        if share > 0.5:
            raise KeyboardInterrupt

    folder = tmp_path / "films"
    folder.mkdir()
    with pytest.raises(KeyboardInterrupt):
        write(Film(**SMALL, points=10, sheet=2), source, folder / "film.mp4", cancel)
    assert not list(folder.iterdir())


def test_the_caption_and_the_scheme_are_as_asked(source: Source) -> None:
    request = Film(**SMALL, points=10, sheet=2, snapshots=2)
    plain, bare, dark = (
        _frames(made(one, source, ".webp")[0])[-1]
        for one in (request, request.replace(caption=False), request.replace(scheme="dark"))
    )
    assert (plain[:10] < 128).any()
    assert not (bare[:3] < 128).any()
    assert plain[-1, -1].tolist() == [255, 255, 255]
    assert dark[-1, -1].max() < 40


def test_a_geodesic_is_filmed_beside_the_straight_line(checkpoint: Path) -> None:
    source = source_of(checkpoint)
    film = walk_film(Walk(z=WAY, metric="geodesic", frames=7, sheet=0), source, unheard)
    straight, geodesic = film.ways
    assert (straight.name, geodesic.name) == ("straight", "geodesic")
    assert geodesic.length <= straight.length * 1.001
    for way in film.ways:
        np.testing.assert_allclose(way.positions[[0, -1]].ravel(), WAY, atol=1e-6)
    frames = list(film.frames)
    assert len(frames) == 7
    for way, image in zip(film.ways, frames[3], strict=True):
        np.testing.assert_allclose(image, source.model.decode(way.positions[[3]])[0], atol=1e-6)


@pytest.mark.parametrize("metric", ["straight", "spherical"])
def test_a_walk_may_end_where_it_began(checkpoint: Path, metric: str) -> None:
    request = Walk(z=(*WAY, 0.5, 2.0), metric=metric, frames=6, closed=True, sheet=0)
    way = walk_film(request, source_of(checkpoint), unheard).ways[0]
    np.testing.assert_allclose(way.line[0], way.line[-1], atol=1e-6)
    assert len(way.positions) == 6
    assert np.abs(way.positions[-1] - way.positions[0]).max() > 0.1


def test_a_walk_needs_two_points(checkpoint: Path) -> None:
    for z in (None, (1.0, 2.0)):
        with pytest.raises(UserError, match="two latent points or more"):
            made(Walk(z=z), source_of(checkpoint), ".gif")


def test_a_film_carries_how_it_was_made(own_run: RunFolder, tmp_path: Path) -> None:
    path = tmp_path / "walk.gif"
    vx.export("walk", path, own_run.path, **SMALL, z=WAY, frames=3, sheet=2)
    told = read_about(path)
    assert told is not None
    assert told.model.path == str(own_run.model_path)
    with Image.open(path) as film:
        assert film.info["loop"] == 0


def test_a_run_of_a_part_of_mnist_is_shown_on_mnist(own_run: RunFolder, tmp_path: Path) -> None:
    path = tmp_path / "film.gif"
    vx.export("film", path, own_run.path, data="MNIST", **SMALL, points=10, sheet=2, snapshots=2)
    told = read_about(path)
    assert told is not None
    assert (told.data_path, told.data) == ("MNIST", BUNDLED)
    assert remake(path).differs == ""
