"""Every kind of export: what it says of itself, and the same file by every way."""

import errno
import io
import os
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

import vae_explorer as vx
from vae_explorer.cli import main
from vae_explorer.data.bundled import mnist_dataset
from vae_explorer.errors import ExportError, UserError
from vae_explorer.export import making
from vae_explorer.export.about import read_about
from vae_explorer.export.content import beside, export_content
from vae_explorer.export.copying import as_command, as_python
from vae_explorer.export.embedding import embedded
from vae_explorer.export.figure_requests import (
    Comparison,
    Curves,
    LessonFigure,
    Map,
    Refinement,
    SweepMaps,
)
from vae_explorer.export.film_requests import Film, Walk
from vae_explorer.export.kinds import KINDS, kind_of
from vae_explorer.export.making import remake, source_of, write
from vae_explorer.export.numeric_requests import Codes, Model, Points
from vae_explorer.export.requests import Digit, Images, Manifold, Page, Request, Strip
from vae_explorer.export.source import Source
from vae_explorer.files import numbered
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.sweep import Axis, Sweep
from vae_explorer.training.sweep_folder import SweepFolder

EXAMPLES: dict[str, Request] = {
    "digit": Digit((0.5, -1.25), 3),
    "manifold": Manifold(4, "linear", 2.0, 2, 1, 8),
    "path": Strip((0.0, 0.0, 1.0, 0.5), scale=2),
    "images": Images(indices="2,5", scale=1),
    "walk": Walk(width=160, height=120, z=(0.0, 0.0, 1.0, 0.5), frames=2, sheet=0),
    "page": Page(points=100, n=4),
    "codes": Codes(),
    "points": Points(indices="3-5,9", elbo=True),
    "model": Model("decoder"),
}
SMALL: dict[str, Any] = {"width": 60.0, "height": 50.0, "dpi": 72}
PAINTED: dict[str, Request] = {
    "map": Map(**SMALL, layers="points,prior", split="test"),
    "curves": Curves(**SMALL, panel="kl"),
    "lesson": LessonFigure(**SMALL, lesson="8-geometry", step=2),
    "refinement": Refinement(**SMALL, index=3, steps=10),
    "comparison": Comparison(**SMALL, b="mnist-paper", split_b="train"),
    "sweep": SweepMaps(**SMALL, folder="a sweep"),
}
FILES = [
    *((name, suffix) for name in EXAMPLES for suffix in KINDS[name].suffixes),
    *(
        pytest.param(name, suffix, marks=pytest.mark.long)
        for name in PAINTED
        for suffix in KINDS[name].suffixes[1:]
    ),
]
ONES = [
    *EXAMPLES,
    "film",
    *(pytest.param(name, marks=pytest.mark.long) for name in PAINTED),
]


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """Of a kind."""
    found: str = request.param
    return found


@pytest.fixture
def example(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Request, Source]:
    """A request of a kind, and of what."""
    if name == "film":
        run: RunFolder = request.getfixturevalue("run_folder")
        film = Film(width=160, height=120, snapshots=2, points=10, sheet=2)
        return film, source_of(run.model_path, "MNIST")
    asked = {**EXAMPLES, **PAINTED}[name]
    if name in PAINTED:
        request.getfixturevalue("small_mnist")
    if name == "sweep":
        plan = Sweep(Recipe(validation_images=0), (Axis.parse("beta=0.5,1"),))
        folder = SweepFolder.create(tmp_path / "sweep", plan, mnist_dataset().train)
        asked = asked.replace(folder=str(folder.path))
    return asked, source_of("")


def test_every_kind_is_here() -> None:
    assert KINDS.keys() == {*EXAMPLES, *PAINTED, "film"}


@pytest.mark.parametrize(("name", "suffix"), FILES, indirect=["name"])
def test_a_file_says_how_it_was_made_and_is_made_again(
    name: str, suffix: str, example: tuple[Request, Source], tmp_path: Path
) -> None:
    path, (request, source) = tmp_path / f"file{suffix}", example
    write(request, source, path)
    told = read_about(path)
    assert told is not None
    assert (told.kind, told.asked) == (name, request)
    assert told.model.name == "mnist-elbo"
    again = remake(path)
    assert again.differs == ""
    assert again.content == path.read_bytes()


@pytest.mark.parametrize("name", ONES, indirect=True)
def test_its_words_write_the_same_file(example: tuple[Request, Source], tmp_path: Path) -> None:
    request, source = example
    path = tmp_path / f"file{kind_of(request).suffixes[0]}"
    write(request, source, path)
    written = path.read_bytes()
    path.unlink()
    exec(as_python(request, source, path), {})
    assert path.read_bytes() == written
    path.unlink()
    program, *words = shlex.split(as_command(request, source, path))
    assert program == "vae-explorer"
    result = CliRunner().invoke(main, words)
    assert result.output == f"Wrote {path}\n"
    assert path.read_bytes() == written
    again = path.with_stem("again")
    result = CliRunner().invoke(main, ["remake", str(path), "--out", str(again)])
    assert result.output.endswith("The same to the byte.\n")
    assert again.read_bytes() == written
    path.write_bytes(written + b"\0")
    result = CliRunner().invoke(main, ["remake", str(path)])
    assert (result.exit_code, result.output[:13]) == (1, "Not the same:")


@pytest.mark.parametrize("name", PAINTED)
def test_the_words_for_a_figure_ask_for_the_same(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def record(request: Request, source: Source, path: Path, _: object = None) -> str:
        asked.append((request, source.path, source.workspace, path))
        return ""

    monkeypatch.setattr(making, "write", record)
    source = replace(source_of(""), workspace={"view": [-1.5, 1e-7, 0.0, 2.0], "path": "a b’s"})
    path = tmp_path / "a figure.svg"
    exec(as_python(PAINTED[name], source, path), {})
    words = shlex.split(as_command(PAINTED[name], source, path))
    assert CliRunner().invoke(main, words[1:]).exit_code == 0
    assert asked == [(PAINTED[name], source.path, source.workspace, path)] * 2


def test_a_turned_plane_and_a_model_of_ones_own_are_in_the_words(
    checkpoint: Path, tmp_path: Path
) -> None:
    turn = [[0.6, -0.8], [0.8, 0.6]]
    source = source_of(checkpoint, None, None, turn)
    path, request = tmp_path / "a b.png", Manifold(3)
    write(request, source, path)
    written = path.read_bytes()
    exec(as_python(request, source, path), {})
    assert path.read_bytes() == written
    words = shlex.split(as_command(request, source, path))
    assert words[-7:-2] == ["--rotation", "0.6", "-0.8", "0.8", "0.6"]
    assert CliRunner().invoke(main, words[1:]).exit_code == 0
    assert path.read_bytes() == written
    with pytest.raises(ExportError, match="save it first"):
        as_command(request, Source(source.snapshot), path)


def test_a_file_of_before_says_nothing(tmp_path: Path) -> None:
    Image.new("L", (4, 4)).save(tmp_path / "plain.png")
    assert read_about(tmp_path / "plain.png") is None
    with pytest.raises(ExportError, match="does not say how it was made"):
        remake(tmp_path / "plain.png")
    (tmp_path / "bad.png").write_bytes(b"\x89PNG")
    with pytest.raises(ExportError, match="damaged"):
        read_about(tmp_path / "bad.png")


def test_a_changed_file_is_told_and_a_model_is_found_or_missed(
    checkpoint: Path, tmp_path: Path
) -> None:
    path = tmp_path / "digit.png"
    model = tmp_path / "mine.safetensors"
    model.write_bytes(checkpoint.read_bytes())
    vx.export("digit", path, model, rotation=[[0, -1], [1, 0]], z=(1, 2))
    told = read_about(path)
    assert told is not None
    assert (told.model.path, told.rotation) == (str(model), ((0.0, -1.0), (1.0, 0.0)))
    assert remake(path).differs == ""
    path.write_bytes(path.read_bytes() + b"\0")
    assert "every pixel is" in remake(path).differs
    written = path.read_bytes()[:-1]
    model.unlink()
    with pytest.raises(UserError, match="not there any more"):
        remake(path)
    assert remake(path, checkpoint).content == written
    with pytest.raises(UserError, match="another model"):
        remake(path, vx.paths.bundled_checkpoint())


def test_what_lies_beside_is_written_with_its_file_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    export_content(path, b"1", b"{}")
    assert beside(path).read_bytes() == b"{}"
    path.unlink()
    path.mkdir()
    with pytest.raises(ExportError, match="Cannot write"):
        export_content(path, b"2", b"other")
    assert beside(path).read_bytes() == b"{}"
    beside(path).unlink()
    with pytest.raises(ExportError, match="Cannot write"):
        export_content(path, b"2", b"other")
    assert sorted(tmp_path.iterdir()) == [path]


def test_it_is_the_same_whatever_threads_its_maker_has(tmp_path: Path) -> None:
    files = [tmp_path / f"{threads}.csv" for threads in (1, 2)]
    for threads, file in enumerate(files, 1):
        torch.set_num_threads(threads)
        vx.export("points", file, indices="0-49")
        assert torch.get_num_threads() == threads
    assert files[0].read_bytes() == files[1].read_bytes()


def test_a_number_makes_a_name_free(tmp_path: Path) -> None:
    path = tmp_path / "manifold.png"
    assert numbered(path) == path
    for name in ("manifold.png", "manifold-2.png"):
        (tmp_path / name).touch()
    assert numbered(path).name == "manifold-3.png"


@pytest.mark.parametrize("place", ["missing/a.png", "file/a.png", "folder.png", "long" * 100])
def test_places_that_cannot_be_written_to_are_named(place: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    (tmp_path / "folder.png").mkdir()
    path = tmp_path / Path(place).with_suffix(".png")
    with pytest.raises(ExportError, match="Cannot write") as caught:
        vx.export("digit", path)
    assert str(path) in str(caught.value)
    assert sorted(item.name for item in tmp_path.iterdir()) == ["file", "folder.png"]


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)
def test_a_read_only_folder_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(ExportError, match="Permission denied"):
        vx.export("digit", tmp_path / "digit.png")


def test_what_is_not_known_is_refused(tmp_path: Path) -> None:
    for wrong, kind, name, field in (
        ("There is no export", "poem", "a.png", "scale"),
        ("must end in", "digit", "a.gif", "scale"),
        ("did you mean 'scale'", "digit", "a.png", "scales"),
    ):
        fields: dict[str, Any] = {field: 2}
        with pytest.raises(ExportError, match=wrong):
            vx.export(kind, tmp_path / name, **fields)
    assert not list(tmp_path.iterdir())


def test_what_differs_is_told(tmp_path: Path) -> None:
    path, drawn = tmp_path / "digit.png", tmp_path / "digit.svg"
    vx.export("digit", path, z=(0.0, 0.0), scale=1)
    told = read_about(path)
    assert told is not None
    changed = np.asarray(Image.open(path)).copy()
    changed[3, 4] += 9
    content = io.BytesIO()
    Image.fromarray(changed).save(content, "PNG")
    path.write_bytes(embedded(content.getvalue(), ".png", told.text))
    assert remake(path).differs == "1 of 784 pixels differ, by up to 9 of 255"
    path.write_bytes(embedded(content.getvalue(), ".png", replace(told, version="0.0.1").text))
    assert "made by VAE Explorer 0.0.1" in remake(path).differs
    vx.export("digit", drawn)
    drawn.write_bytes(drawn.read_bytes() + b"<!-- mine -->")
    assert "gave other bytes" in remake(drawn).differs


@pytest.mark.parametrize("name", ["digit", "codes"])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"file{KINDS[name].suffixes[0]}"
    path.write_bytes(b"old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ExportError, match="No space left"):
        write(EXAMPLES[name], source_of(""), path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
