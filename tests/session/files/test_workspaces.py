from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.support.stand_ins import MainThread
from vae_explorer.data.dataset import ImageSet
from vae_explorer.session.app import build_app
from vae_explorer.session.files.workspace import Workspace
from vae_explorer.session.files.workspaces import Workspaces
from vae_explorer.session.jobs import Jobs
from vae_explorer.types import Region

VIEW: Region = (-1.5, 2.0, -0.5, 1.25)


class Desk:
    """An app with workspaces, and what went wrong."""

    def __init__(self, jobs: Jobs, main: MainThread) -> None:
        def at_once(_: float, function: Callable[[], None]) -> None:
            function()

        self.main = main
        self.app = build_app(jobs, lambda function: function(), at_once)
        self.workspaces = Workspaces(self.app)
        self.failures: list[tuple[str, str]] = []
        self.restored: list[Workspace] = []
        self.app.messages.failed.connect(lambda title, text: self.failures.append((title, text)))
        self.workspaces.restored.connect(self.restored.append)


@pytest.fixture
def new_desk(
    inline_jobs: Jobs, main: MainThread, small_mnist: dict[str, ImageSet]
) -> Callable[[], Desk]:
    return lambda: Desk(inline_jobs, main)


@pytest.fixture
def saved(new_desk: Callable[[], Desk], checkpoint: Path, tmp_path: Path) -> Path:
    """What was saved of a desk on which much had been done."""
    desk = new_desk()
    app, path = desk.app, tmp_path / "mine.vaex"
    app.model.open_now(checkpoint)
    desk.main.run()
    app.map_settings.set_split("test")
    desk.main.run()
    app.pinning.pin(3)
    app.pinning.pin(5, add=True)
    app.cursor.move(0.5, -1.25)
    app.cursor.bookmark("here")
    app.selection.replace([1, 2, 7])
    app.selection.save("few")
    app.selection.replace([8])
    app.layers.set_on("prior", on=True)
    app.layers.set_opacity("prior", 0.25)
    app.coloring.choose("width")
    desk.workspaces.save(path, VIEW, "travel")
    desk.main.run()
    assert desk.failures == []
    return path


def test_all_that_was_seen_and_marked_comes_back(
    new_desk: Callable[[], Desk], saved: Path, checkpoint: Path
) -> None:
    desk = new_desk()
    desk.app.model.open_now(checkpoint)
    desk.main.run()
    desk.workspaces.open(saved)
    desk.main.run()
    app = desk.app
    assert app.map.points is not None
    assert app.map.points.split == app.settings.now.split == "test"
    assert [(pin.split, pin.index) for pin in app.pins.tray] == [("test", 3), ("test", 5)]
    assert app.pins.current is app.pins.tray[1]
    assert app.cursor.position == (0.5, -1.25)
    assert [(mark.name, mark.position) for mark in app.cursor.bookmarks] == [("here", (0.5, -1.25))]
    assert app.selection.indices.tolist() == [8]
    assert app.selection.saved() == {"few": (1, 2, 7)}
    assert (app.layers.state("prior").on, app.layers.state("prior").opacity) == (True, 0.25)
    assert app.coloring.by == "width"
    (workspace,) = desk.restored
    np.testing.assert_allclose(workspace.view, VIEW)
    assert workspace.layout == "travel"
    assert desk.failures == []


def test_a_workspace_of_a_model_that_is_gone_is_told_and_changes_nothing(
    new_desk: Callable[[], Desk], checkpoint: Path, saved: Path, tmp_path: Path
) -> None:
    text = saved.read_text()
    desk = new_desk()
    desk.app.model.open_now(checkpoint)
    desk.main.run()
    model = next(line for line in text.splitlines() if '"model"' in line)
    gone = tmp_path / "gone.vaex"
    gone.write_text(text.replace(model, f'  "model": "{"0" * 64}",'))
    desk.workspaces.open(gone)
    desk.main.run()
    ((title, why),) = desk.failures
    assert title == "The workspace was not opened"
    assert "not there any more" in why
    assert desk.restored == []
    assert desk.app.settings.now.split == "train"


def test_a_model_in_memory_alone_must_be_saved_first(
    new_desk: Callable[[], Desk], tmp_path: Path
) -> None:
    desk = new_desk()
    desk.workspaces.save(tmp_path / "new.vaex", VIEW, "explore")
    ((title, why),) = desk.failures
    assert title == "The workspace was not saved"
    assert "save it first" in why
    assert not list(tmp_path.iterdir())


def test_a_model_opened_meanwhile_keeps_what_is_its_own(
    new_desk: Callable[[], Desk], checkpoint: Path, saved: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(checkpoint.read_bytes())
    desk = new_desk()
    desk.app.model.open_now(checkpoint)
    desk.main.run()
    desk.workspaces.open(saved)
    while desk.workspaces._waiting is None:
        desk.main.step()
    desk.app.model.open_now(copy)  # before the workspace's points have come
    desk.main.run()
    desk.app.map_settings.set_split("train")
    desk.app.map_settings.set_split("test")
    desk.main.run()
    assert desk.restored == []
    assert desk.app.pins.tray == ()
    assert desk.app.model.path == copy
