"""Figures asked for by name, in a window that nobody sees."""

import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest

from tests.support.person import Person
from vae_explorer.cli import main
from vae_explorer.errors import ExportError
from vae_explorer.export.figure import FigureStyle
from vae_explorer.export.figure_requests import Comparison, Figure, Map
from vae_explorer.export.kinds import KINDS
from vae_explorer.export.making import export, remake, source_of, unheard
from vae_explorer.gui.painting_turns import busy
from vae_explorer.gui.plot.chart import Chart
from vae_explorer.gui.rendering import render_figure
from vae_explorer.paths import settings_file
from vae_explorer.session.files.workspace import Workspace, as_values, read_workspace
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.sweep import Axis, Sweep
from vae_explorer.training.sweep_folder import SweepFolder

STEPS = {5: 4, 6: 4}
"""Of lessons, from 0, whose last step trains for minutes."""
STYLE = FigureStyle(width=85.0, height=70.0, dpi=100)


@pytest.fixture
def seen(person: Person, tmp_path: Path) -> Callable[[], Workspace]:
    """Saves the workspace of the person, once all is drawn."""

    def save() -> Workspace:
        jobs, path = person.window.app.tasks.jobs, tmp_path / "seen.vaex"
        person.wait(lambda: jobs.idle and not person.window.map._rest.isActive())
        person.window.workspaces.save(path, *person.window._seen())
        person.wait(lambda: jobs.idle and path.exists())
        return read_workspace(path)

    return save


def test_the_map_is_made_again_to_the_byte(
    person: Person, seen: Callable[[], Workspace], tmp_path: Path
) -> None:
    app, window = person.window.app, person.window
    person.trigger("split_test")
    person.wait(lambda: len(person.positions) == 300)
    app.pinning.pin(4)
    for layer in ("prior", "likelihood", "metric"):
        app.layers.set_on(layer, on=True)
    window.map.canvas.show_region(-1.0, 1.5, -1.25, 1.0)
    window.map.set_visible_labels(frozenset(range(1, 9)))
    before = seen()
    assert before.hidden == (0, 9)
    made = window.figures()["map"]("pdf", STYLE)
    request, path = Map(**STYLE.to_dict()), tmp_path / "map.pdf"
    app.exports.export(request, path)
    person.wait(path.exists)
    assert path.read_bytes().startswith(made[:1_000])
    assert remake(path).differs == ""
    window.hide()  # or it would be painted
    settings = settings_file().read_bytes() if settings_file().exists() else None
    assert render_figure("map", before, "pdf", STYLE) == made
    assert (settings_file().read_bytes() if settings_file().exists() else None) == settings


@pytest.mark.long
@pytest.mark.parametrize("moved", [False, True])
def test_curves_are_made_again_to_the_byte(
    moved: bool, person: Person, seen: Callable[[], Workspace]
) -> None:
    curves = person.window.curves
    curves.restore(replace(curves.place, smoothing=0.5, log_x=True))
    if moved:
        chart = curves.findChild(Chart)
        assert chart is not None
        chart.setFocus()
        QTest.keyClick(chart, Qt.Key.Key_Plus)
    before, figures = seen(), person.window.figures()
    assert bool(before.curves.views) == moved
    for name in ("curves", "curves.elbo"):
        made = figures[name]("svg", STYLE)
        person.window.hide()
        assert render_figure(name, before, "svg", STYLE) == made, name


@pytest.mark.long
@pytest.mark.parametrize("number", range(9))
def test_a_lesson_is_made_again_in_its_step_and_settings(
    number: int, person: Person, seen: Callable[[], Workspace]
) -> None:
    window, learning = person.window, person.window.app.learning
    window.resize(1500, 720)  # other charts than those of the window that nobody sees
    person.trigger("layout_learn")
    lesson = learning.lessons[number]
    for step in (0, STEPS.get(number, len(lesson.steps) - 1)):  # of the first there is no trace
        learning.open(lesson.id, step)
        person.wait(lambda: not busy(window.app), 120)
    before = seen()
    assert before.lesson is not None
    assert (before.lesson.id, before.lesson.step) == (lesson.id, step)
    figures = window.figures()
    made = {name: figures[name]("svg", STYLE) for name in figures if name.startswith("lesson")}
    window.hide()
    for name, content in made.items():
        assert render_figure(name, before, "svg", STYLE) == content, name


def test_a_refinement_a_sweep_and_a_comparison_are_made_again(
    person: Person, seen: Callable[[], Workspace], tmp_path: Path
) -> None:
    app, window = person.window.app, person.window
    offers = app.exports.offers
    assert not offers().keys() & {"refinement", "sweep", "comparison"}
    app.pinning.pin(4)
    app.refinement.start(10)
    plan = Sweep(Recipe(validation_images=0), (Axis.parse("beta=0.5,1"),))
    app.sweeps.open(SweepFolder.create(tmp_path / "sweep", plan, app.data.now.train).path)
    window.compare.show(Comparison(b="mnist-paper", split_b="train"))
    names = ("refinement", "sweep", "comparison")
    person.wait(lambda: offers().keys() >= {*names}, 60)
    before, figures = seen(), window.figures()
    source = source_of(before.path, workspace=as_values(before))
    for name in names:
        request = offers()[name].replace(**STYLE.to_dict())
        assert isinstance(request, Figure)
        assert window.shows(request)
        made = figures[name]("svg", request)
        window.hide()  # or it would be painted
        assert KINDS[name].make(request, source, ".svg", unheard) == made, name
    steps = [line.split(",")[2] for line in figures["refinement"]("csv").decode().splitlines()]
    assert steps == ["x", "0.0", "6.0", "10.0", "nan"]
    head, *lines = figures["comparison"]("csv").decode().splitlines()
    assert head == "model,split,index,z1,z2,label"
    sides = Counter(tuple(line.split(",")[:2]) for line in lines)
    data = app.data.now
    assert [*sides.values()] == [data.sizes()["test"], data.sizes()["train"]]
    assert [split for _, split in sides] == ["test", "train"]
    assert len({model for model, _ in sides}) == 2


def test_a_map_without_a_view_fills_its_figure(seen: Callable[[], Workspace]) -> None:
    workspace = seen()
    style = FigureStyle(width=160, height=60, dpi=50)
    pictures = [
        QImage.fromData(render_figure("map", workspace, "png", style, fits=fits))
        for fits in (False, True)
    ]
    wide = [picture.width() * 0.95 for picture in pictures]
    inked = [
        max(x for x in range(picture.width()) if picture.pixelColor(x, 80).lightness() < 250)
        for picture in pictures
    ]
    assert inked[0] < wide[0] < inked[1]


@pytest.mark.long
def test_an_unknown_name_is_told_with_those_there_are(seen: Callable[[], Workspace]) -> None:
    with pytest.raises(ExportError, match=r"no figure “maps” here; choose one of .*map"):
        render_figure("maps", seen())


@pytest.mark.long
@pytest.mark.parametrize(
    ("kind", "suffix", "options"),
    [
        ("map", ".png", ["--layers", "points,prior", "--region", "-2", "2", "--region", "-2", "2"]),
        ("lesson", ".pdf", ["--lesson", "8-geometry", "--step", "2"]),
        ("comparison", ".png", ["--b", "mnist-paper", "--split-b", "train"]),
    ],
)
def test_the_command_line_makes_a_figure_and_makes_it_again(
    kind: str, suffix: str, options: list[str], tmp_path: Path
) -> None:
    path = tmp_path / f"made{suffix}"
    command = [sys.executable, "-m", "vae_explorer"]
    made = [*command, "export", kind, "--out", str(path), "--width", "85", *options]
    told = subprocess.run(made, capture_output=True, text=True, check=True)
    assert not told.stderr
    again = subprocess.run([*command, "remake", str(path)], capture_output=True, text=True)
    assert again.stdout == "The same to the byte.\n"


def test_curves_of_a_run_wait_for_nothing_that_they_do_not_show(
    run_folder: RunFolder, small_mnist: object, tmp_path: Path
) -> None:
    run, path = tmp_path / "run", tmp_path / "curves.svg"
    shutil.copytree(run_folder.path, run)
    for snapshot in RunFolder(run).moments().folder.iterdir():
        snapshot.write_bytes(b"damaged, which a timeline would tell")
    told = CliRunner().invoke(main, ["export", "curves", str(run), "--out", str(path)])
    assert told.output == f"Wrote {path}\n"
    told = CliRunner().invoke(main, ["remake", str(path)])
    assert told.output == "The same to the byte.\n"


@pytest.mark.parametrize(
    ("kind", "fields", "told"),
    [
        ("map", {"layers": "poits"}, "no layer “poits”; choose of path, refined"),
        ("map", {"region": (1.0, -1.0, 0.0, 1.0)}, "A region is four numbers"),
        ("map", {"color_by": "mood"}, "cannot be coloured by “mood”; choose one of"),
        ("lesson", {}, "Say which lesson"),
        ("sweep", {}, "Say which sweep"),
        ("comparison", {}, "Say which model"),
        ("comparison", {"b": "mnist-paper", "region_a": (1.0, 1.0)}, "A region is four numbers"),
    ],
)
def test_what_cannot_be_drawn_is_told(
    kind: str, fields: dict[str, Any], told: str, tmp_path: Path
) -> None:
    with pytest.raises(ExportError, match=told):
        export(kind, tmp_path / "made.png", **fields)
    assert not list(tmp_path.iterdir())
