"""A model of another program: every command, layer and panel of the window, and any acts."""

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication, QDialog, QDockWidget, QFileDialog, QMessageBox, QSlider

from tests.model.test_onnx_pair import DEEP, PLANE, images
from tests.model.test_outside import VARIANCE, Linear
from tests.support.monkey import Monkey
from tests.support.person import Person
from vae_explorer.gui.lessons.lesson_view import make_view
from vae_explorer.gui.plot.chart import Chart
from vae_explorer.model.onnx_pair import OnnxPair
from vae_explorer.number_format import pair
from vae_explorer.session.files.given_model import given_model
from vae_explorer.session.lessons.experiment import make_experiment
from vae_explorer.session.map.layers import LAYERS
from vae_explorer.session.training.events import Phase
from vae_explorer.training.recipe import Recipe


@pytest.fixture
def no_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every dialog for files is cancelled, no file is replaced, and no page opened."""
    monkeypatch.chdir(tmp_path)  # names typed without a folder are there
    monkeypatch.setattr(QMessageBox, "question", lambda *_, **__: QMessageBox.StandardButton.No)
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda _: True)
    for name in ("getOpenFileName", "getSaveFileName"):
        monkeypatch.setattr(QFileDialog, name, lambda *_: ("", ""))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")


def show(person: Person, model: Any, x: Any = None, **choices: Any) -> None:
    model = Linear(model) if isinstance(model, int) else model
    given = given_model(model, model.images(70) if x is None else x, **choices)
    person.window.app.model.open_read(given)
    person.wait(lambda: person.model_line.startswith(type(model).__name__))
    person.wait(lambda: len(person.positions) == len(given.data.train))


KNOWN = {"likelihood": "gaussian", "variance": VARIANCE}
ENDING = ("quit", "reset", "start", "step", "epoch", "slow_motion", "restart", "sweep")
"""Commands after which another model is on the map."""
MODELS = pytest.mark.parametrize(("size", "choices"), [(2, {}), (5, {}), (2, KNOWN), (5, KNOWN)])


PLANES = ("Latent plane", "Samples on p(z|x)", "q over the exact posterior")


@MODELS
@pytest.mark.long
@pytest.mark.usefixtures("no_files")
def test_every_command_layer_and_panel_does_without_a_recipe(
    person: Person, recipe: Recipe, size: int, choices: dict[str, Any]
) -> None:
    window, app = person.window, person.window.app
    app.coloring.choose("gap")
    app.map_settings.set_kind("exact")
    show(person, size, **choices)
    for layer in LAYERS:
        app.layers.set_on(layer.id, True)
    for dock in window.findChildren(QDockWidget):
        dock.show()
        dock.raise_()
        QApplication.processEvents()
    refused = {}
    for command in window.actions_.commands:
        app.pins.clear()
        for row in (0, 1, 2):
            app.pinning.pin(row, add=True)
        app.selection.replace([1, 2])
        action = window.actions_[command.id]
        if command.id in ENDING or not action.isEnabled():
            continue
        action.trigger()
        QApplication.processEvents()
        if person.errors:
            refused[command.id] = person.errors
            person.close_errors()
        for dialog in window.findChildren(QDialog):
            dialog.close()
    person.wait(lambda: app.tasks.jobs.idle, 60)
    assert "\n".join(f"{name}: {text}"[:150] for name, text in refused.items()) == ""
    assert not person.errors
    assert person.model_line.startswith("Linear")
    window.training.set_recipe(recipe.replace(validation_images=10, batch_size=20))
    person.trigger("start")
    person.wait(lambda: not person.model_line.startswith("Linear"))
    person.wait_for_phase(Phase.IDLE)
    assert app.model.recipe.batch_size == 20, "ours, of the data that are open"
    assert not person.errors


@pytest.mark.parametrize(
    ("size", "choices", "reason"),
    [(2, {}, "no likelihood"), (5, KNOWN, "5 latent dimensions"), (2, KNOWN, "")],
)
def test_what_it_does_not_know_is_grey_and_says_why(
    person: Person, size: int, choices: dict[str, Any], reason: str
) -> None:
    window, app = person.window, person.window.app
    needs = dict.fromkeys(("worst", "worst_first", "kind_exact", "refine"), reason)
    before = {name: window.actions_[name].toolTip() for name in needs}
    show(person, size, **choices)
    for name, why in {**needs, "save": "no weights", "branch": "no weights"}.items():
        action = window.actions_[name]
        assert action.isEnabled() == (not why), name
        assert why in action.toolTip()
        assert why in action.statusTip(), "which the palette shows"
    app.coloring.choose("gap")
    person.wait(lambda: app.coloring.by == ("label" if reason else "gap"))
    app.model.reset()
    person.wait(lambda: window.actions_["worst"].isEnabled())
    assert before == {name: window.actions_[name].toolTip() for name in needs}
    assert not person.errors


def test_coordinates_have_the_names_of_the_plane_wherever_they_stand(
    person: Person, tmp_path: Path
) -> None:
    window, app = person.window, person.window.app
    at = app.cursor.position
    app.playback.choose("row", 8, False)

    def expect(across: str, up: str, name: str, kind: str) -> None:
        person.wait(lambda: window.map.canvas.axes == (across, up))
        person.wait(lambda: f"{app.playback.path and app.playback.path.note}".startswith(across))
        person.wait(lambda: app.tasks.jobs.idle)
        assert person.field("Position of the cursor") == f"{name} = {pair(at)}"
        decoded = person.view("Decoded image").accessibleDescription()
        assert decoded.startswith(f"{name} = {pair(at)}")
        sliders = window.decode.sliders.findChildren(QSlider)
        assert [each.accessibleName() for each in sliders] == [f"{across} slider", f"{up} slider"]
        picture = window.map.picture()
        assert picture is not None
        plot, table = picture.plot(""), [*picture.rows()]
        assert (plot.x.label, plot.y.label) == (across, up)
        plain = [across, up] if " " in across else [f"z{kind[0]}", f"z{kind[1]}"]
        assert list(table[0][2:4]) == plain
        row, *shown = table[1][1:4]
        assert shown == pytest.approx(person.position(row), abs=1e-6), "not where it was before"
        path = tmp_path / f"{kind}.csv"
        app.exports.export(app.exports.offers()["points"], path)
        person.wait(path.exists)
        header = path.read_text().splitlines()[0].split(",")
        assert header[header.index("var1") - 2 : header.index("var1")] == plain
        for lesson in ("geometry", "sampling", "bound"):
            experiment = make_experiment(lesson, app.learning.context)
            view = make_view(lesson, experiment)
            experiment.show()
            (plane,) = (one for one in view.findChildren(Chart) if one.plot.title in PLANES)
            assert (plane.plot.x.label, plane.plot.y.label) == (across, up), lesson
            experiment.hide()
            view.deleteLater()

    show(person, 5)
    expect("PC 1", "PC 2", "PC 1, PC 2", "pc")
    app.plane.choose((2, 4))
    expect("z₃", "z₅", "z₃, z₅", "35")
    app.model.reset()
    expect("z₁", "z₂", "z", "12")
    assert not person.errors


DEEP_SAYS = {"mean": "fc21", "spread": "fc22", "spread_is": "log-variance"}
LONG = {
    "five-dimensions": lambda person: show(person, 5),
    "onnx": lambda person: show(person, OnnxPair(*PLANE), images(3), logits=True),
    "onnx-known": lambda person: show(
        person, OnnxPair(*PLANE), images(3), logits=True, likelihood="bernoulli"
    ),
    "onnx-deep": lambda person: show(
        person, OnnxPair(*DEEP, **DEEP_SAYS), images(), likelihood="bernoulli"
    ),
}


@pytest.mark.qt_no_exception_capture
@pytest.mark.usefixtures("no_files")
@pytest.mark.parametrize(
    ("seed", "acts", "given"),
    [
        (1, 40, "five-dimensions"),
        *(pytest.param(n, 1_000, name, marks=pytest.mark.long) for n, name in enumerate(LONG, 2)),
    ],
)
def test_whatever_is_done_with_it_nothing_breaks(
    person: Person, recipe: Recipe, seed: int, acts: int, given: str
) -> None:
    LONG[given](person)
    monkey = Monkey(person, seed, recipe)
    for _ in range(acts):
        monkey.act()
    person.window.app.training.stop()
    person.wait_for_phase(Phase.IDLE)
