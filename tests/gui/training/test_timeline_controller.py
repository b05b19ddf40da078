"""Going back through a real run in the real window."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import shiboken6
from PIL import Image, ImageSequence
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from vae_explorer.export.film_requests import Film
from vae_explorer.gui.curves.curve_panel import CurvePanel
from vae_explorer.gui.dialogs.export import ExportDialog
from vae_explorer.gui.widgets.number_box import NumberBox
from vae_explorer.session.training import worker as worker_module
from vae_explorer.session.training.events import Phase
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run_folder import RunFolder

if TYPE_CHECKING:
    from tests.support.person import Person


@pytest.fixture
def trained(person: "Person", recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> "Person":
    """Somebody whose run of twenty steps has ended."""
    monkeypatch.setattr(worker_module, "LIVE_SECONDS", 0.05)
    person.window.app.runs.train(recipe)
    person.wait_for_phase(Phase.RUNNING)
    person.wait_for_phase(Phase.IDLE)
    person.wait(lambda: person.window.app.model.path)  # all images follow the end of the run
    return person


def test_the_slider_shows_the_map_of_a_moment_and_comes_back(trained: "Person") -> None:
    window, time = trained.window, trained.window.app.runs.timeline
    assert window.time_bar.isVisible()
    now = trained.positions.copy()
    window.time_bar.slider.setValue(0)
    trained.wait(lambda: not np.allclose(trained.positions, now))
    trained.wait(lambda: window.app.model.snapshot.step == 0)
    assert "epoch 0.0" in trained.model_line
    window.time_bar.slider.setValue(window.time_bar.slider.maximum())
    trained.wait(lambda: window.app.model.snapshot.step == 20)
    trained.wait(lambda: len(trained.positions) == len(now))
    assert time.shown is None


def test_keys_go_back_and_forth(trained: "Person") -> None:
    window, time = trained.window, trained.window.app.runs.timeline
    steps = [frame.step for frame in time.frames]
    trained.press("[", window.map.canvas)
    trained.wait(lambda: time.shown is not None and window.app.model.snapshot.step == steps[-1])
    trained.press("[")
    trained.wait(lambda: window.app.model.snapshot.step == steps[-2])
    trained.press("]")
    trained.wait(lambda: window.app.model.snapshot.step == steps[-1])
    trained.press("Ctrl+L")
    trained.wait(lambda: time.shown is None)


def test_playing_shows_every_moment_and_stops_at_the_last(trained: "Person") -> None:
    time = trained.window.app.runs.timeline
    arrived: list[int] = []
    time.arrived.connect(lambda snapshot, _: arrived.append(snapshot.step))
    trained.trigger("moment_play")
    assert time.playing
    trained.wait(lambda: not time.playing)
    assert arrived == [frame.step for frame in time.frames]


def test_a_run_opened_from_disk_brings_its_film(trained: "Person") -> None:
    window = trained.window
    path, film = window.app.model.path, window.app.runs.timeline.frames
    assert path is not None
    window.app.model.reset()
    trained.wait(lambda: not window.app.runs.timeline.frames)
    assert not window.time_bar.isVisible()
    window.app.model.open(path)
    trained.wait(lambda: len(window.app.runs.timeline.frames) == len(film))
    for before, again in zip(film, window.app.runs.timeline.frames, strict=True):
        assert before.step == again.step
        # What is kept has half the bits.
        np.testing.assert_allclose(before.sheet.astype(int), again.sheet, rtol=0, atol=1)


def click(person: "Person", report: int) -> float:
    """Click on the curve of the ELBO at one of the reports; its epoch."""
    plot = person.window.curves
    panel = next(p for p in plot.findChildren(CurvePanel) if p.isVisible())
    here = plot.history.points[report]
    at = panel.to_pixel(here.epoch, here.elbo).toPoint()
    QTest.mouseClick(panel, Qt.MouseButton.LeftButton, pos=at)
    return here.epoch


def test_a_click_on_a_curve_goes_back_in_an_opened_run(
    person: "Person", run_folder: RunFolder
) -> None:
    """Before its film is there as well as then."""
    model, plot = person.window.app.model, person.window.curves
    model.opened.connect(lambda _: plot.moment_chosen.emit(0.5))
    model.open(run_folder.model_path)
    person.wait(lambda: model.snapshot.epoch == 0.5)
    person.wait(lambda: len(person.window.app.runs.timeline.frames) == 21)
    epoch = click(person, -1)
    person.wait(lambda: model.snapshot.epoch == epoch)


def test_a_model_without_snapshots_says_so(person: "Person") -> None:
    click(person, -1)
    assert "without snapshots" in person.window.statusBar().currentMessage()


def test_the_film_of_the_run_leaves_by_the_menu(trained: "Person", tmp_path: Path) -> None:
    window = trained.window
    window._ask.remember(tmp_path / "any")
    trained.trigger("export_film")
    (dialog,) = window.findChildren(ExportDialog)
    assert dialog.request == Film()
    preview = next(one for one in dialog.findChildren(QLabel) if one.accessibleName() == "Preview")
    trained.wait(lambda: preview.pixmap().width() > 100)
    for box in dialog.findChildren(NumberBox):
        if box.accessibleName().startswith("Snapshots"):
            box.setValue(3)
    dialog.go.click()
    film = tmp_path / "training.gif"
    trained.wait(film.exists)
    trained.wait(lambda: not (shiboken6.isValid(dialog) and dialog.isVisible()))
    with Image.open(film) as found:
        frames = sum(1 for _ in ImageSequence.Iterator(found))
    assert frames == 3
    window.app.model.open_bundled("mnist-elbo")
    trained.wait(lambda: "film" not in window.app.exports.offers())
    trained.trigger("export_film")
    assert "A film is made of a run" in window.status.currentMessage()
