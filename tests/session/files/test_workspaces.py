from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.stand_ins import MainThread
from vae_explorer.data.dataset import ImageSet
from vae_explorer.session.app import build_app
from vae_explorer.session.files.open_model import read_model
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


TURN = np.array([[0.6, 0.8], [0.8, -0.6]])  # and a mirror


@pytest.mark.parametrize("turn", [TURN, None], ids=["turned", "as trained"])
@pytest.mark.parametrize("there", ["nothing", "the same", "another"])
def test_a_workspace_of_a_turned_plane_lands_on_the_same_picture(
    new_desk: Callable[[], Desk], checkpoint: Path, tmp_path: Path, turn: Any, there: str
) -> None:
    """However the plane is turned, where it is opened, by the model that is there."""
    desk = new_desk()
    desk.app.map_settings.set_aligned(True)
    desk.app.model.open_read(replace(read_model(checkpoint, desk.app.data), rotation=turn))
    desk.main.run()
    desk.app.cursor.move(0.5, -1.25)
    desk.app.cursor.bookmark("here")
    path = tmp_path / "turned.vaex"
    desk.workspaces.save(path, VIEW, "travel")
    desk.main.run()
    map_there, positions = desk.app.map.state, [(0.5, -1.25)]
    assert map_there is not None
    picture = map_there.model.decode(positions)
    checkpoint_itself = map_there.snapshot.model.decode(positions)
    assert np.array_equal(picture, checkpoint_itself) == (turn is None)

    other = new_desk()
    if there != "nothing":
        other.app.map_settings.set_aligned(True)
        mirrored = np.diag([1.0, -1.0]) if there == "another" else None
        other.app.model.open_read(replace(read_model(checkpoint, desk.app.data), rotation=mirrored))
        other.main.run()
    other.workspaces.open(path)
    other.main.run()
    assert desk.failures == other.failures == []
    state = other.app.map.state
    assert state is not None
    assert state.points is not None
    assert map_there.points is not None
    assert other.app.cursor.position == (0.5, -1.25)
    assert [mark.position for mark in other.app.cursor.bookmarks] == [(0.5, -1.25)]
    np.testing.assert_allclose(state.model.decode(positions), picture, atol=1e-6)
    np.testing.assert_allclose(state.points.positions, map_there.points.positions, atol=1e-6)
    other.app.map_settings.set_aligned(False)
    other.main.run()
    assert other.app.map.state is not None
    assert other.app.map.state.model.rotation is None


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
