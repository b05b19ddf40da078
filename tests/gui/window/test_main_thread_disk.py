"""Nothing a person does makes the main thread wait for a disk or a network."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QApplication, QFileDialog

from tests.support.main_thread_disk import DiskGuard
from vae_explorer import paths
from vae_explorer.session.files.settings import Settings
from vae_explorer.session.state import Phase
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.sweep import Axis

if TYPE_CHECKING:
    from tests.support.person import Person

def test_disk(person: "Person", disk_guard: DiskGuard, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, checkpoint: Path, recipe: Recipe) -> None:
    window, explorer = person.window, person.window.explorer
    name = {"open": "", "save": "", "folder": ""}
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (name["open"], ""))
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (name["save"], ""))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: name["folder"])
    recipe.write(tmp_path / "r.toml")
    lesson = next((paths.resources() / "lessons").glob("*.md"))
    person.wait(lambda: not explorer.layers.busy)
    QApplication.processEvents()
    with disk_guard.watching(monkeypatch):
        def step(what, act, until=lambda: True):
            n = len(disk_guard.seen)
            act()
            person.wait(until)
            QApplication.processEvents()
            print("==", what)
            for line in disk_guard.seen[n:]: print("    ", line)
        step("settings", lambda: person.trigger("split_test"), lambda: len(person.positions)==300)
        step("scheme", lambda: person.trigger("scheme_dark"))
        name["save"] = str(tmp_path / "mine.vaex")
        step("save ws", lambda: person.trigger("save_workspace"), (tmp_path/"mine.vaex").is_file)
        name["open"] = str(tmp_path / "mine.vaex")
        step("open ws", lambda: person.trigger("open_workspace"))
        name["open"] = str(checkpoint)
        step("open model", lambda: person.trigger("open"), lambda: checkpoint.name in person.model_line)
        name["save"] = str(tmp_path / "m.safetensors")
        step("save model", lambda: person.trigger("save"), (tmp_path/"m.safetensors").is_file)
        name["open"] = str(tmp_path / "r.toml")
        step("import recipe", lambda: window.training.presets.import_requested.emit(), lambda: window.training.recipe() == recipe)
        name["save"] = str(tmp_path / "r2.toml")
        step("export recipe", lambda: window.training.presets.export_requested.emit(), (tmp_path/"r2.toml").is_file)
        step("save preset", lambda: window._training._on_named(recipe, "mine"))
        step("delete preset", lambda: window.training.presets.delete_requested.emit("mine"))
        step("estimate", lambda: window.training.presets.estimate_requested.emit())
        step("show runs", lambda: person.trigger("runs"))
        step("learn", lambda: person.trigger("learn"))
        step("open lesson", lambda: explorer.learning.open_file(lesson))
        name["save"] = str(tmp_path / "l.md")
        step("step", lambda: person.trigger("step"), lambda: explorer.training.status.phase is Phase.PAUSED)
        step("epoch", lambda: person.trigger("epoch"), lambda: explorer.training.status.phase is Phase.PAUSED)
        step("stop", lambda: person.trigger("stop"), lambda: explorer.training.status.phase is Phase.IDLE)
        step("time", lambda: None, lambda: not explorer.layers.busy)
        step("sweep", lambda: window._sweep._start((Axis("beta",(1.0,)),)), lambda: explorer.sweeps.running)
        step("sweep end", lambda: None, lambda: not explorer.sweeps.running)
        step("cell", lambda: explorer.sweeps.open_cell(1))
        name["folder"] = str(explorer.sweeps.path)
        step("open sweep", lambda: window._sweep._open())
        step("compare", lambda: person.trigger("compare"))
        step("reset", lambda: person.trigger("reset"), lambda: "mnist-elbo" in person.model_line)
        step("close", person.close)
    assert not disk_guard.seen
    assert Settings.read(paths.settings_file()).scheme == "dark"
