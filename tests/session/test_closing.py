"""Settings, warming up and closing."""

import dataclasses
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.support.desk import Desk
from tests.support.stand_ins import Frames, MainThread
from vae_explorer import paths
from vae_explorer.data.dataset import ImageSet
from vae_explorer.export.requests import Digit
from vae_explorer.session.files.settings import Settings
from vae_explorer.session.jobs import Jobs
from vae_explorer.session.training.events import Phase
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.snapshot import Snapshot

pytestmark = pytest.mark.usefixtures("small_mnist")


def test_settings_are_saved_when_they_change(desk: Desk) -> None:
    heard: list[Settings] = []
    desk.app.settings.changed.connect(heard.append)
    changed = dataclasses.replace(desk.app.settings.now, scheme="dark", folder="/somewhere")
    desk.app.settings.change(changed)
    assert heard == [desk.app.settings.now]
    desk.settle()
    assert Settings.read(paths.settings_file()) == Settings(scheme="dark", folder="/somewhere")


def test_two_windows_keep_what_the_other_changed(desk: Desk) -> None:
    kept = paths.settings_file()
    Settings(scheme="light", folder="/theirs").write(kept)
    desk.app.settings.change(dataclasses.replace(desk.app.settings.now, split="test"))
    desk.settle()
    assert Settings.read(kept) == Settings(scheme="light", folder="/theirs", split="test")
    desk.app.settings.change(dataclasses.replace(desk.app.settings.now, scheme="dark"))
    desk.settle()
    assert Settings.read(kept) == Settings(scheme="dark", folder="/theirs", split="test")


def test_remembered_settings_are_used(
    inline_jobs: Jobs, main: MainThread, frames: Frames, checkpoint: Path
) -> None:
    desk = Desk(inline_jobs, main, frames, Settings(split="test"))
    desk.app.model.open_now(checkpoint)
    desk.settle()
    assert desk.points[-1].split == "test"


def test_warming_up_is_silent(desk: Desk) -> None:
    desk.app.warm_up()
    desk.settle()
    assert desk.messages == []
    assert desk.failures == []


@pytest.fixture
def closing(main: MainThread, frames: Frames, checkpoint: Path) -> Iterator[Desk]:
    """An app on threads that the test closes itself."""
    desk = Desk(Jobs(main.post), main, frames, Settings(device="cpu"))
    desk.app.model.open_now(checkpoint)
    yield desk
    assert desk.app.close()


@pytest.mark.parametrize("phase", [Phase.RUNNING, Phase.PAUSED])
def test_closing_while_training_leaves_a_run_that_opens_and_goes_on(
    closing: Desk, unending: Recipe, phase: Phase, digits: ImageSet
) -> None:
    closing.app.runs.train(unending)
    closing.wait_for_progress()
    if phase is Phase.PAUSED:
        closing.app.training.pause()
        closing.wait_for(Phase.PAUSED)
    told = closing.app.training.status.epoch
    begun = time.monotonic()
    assert closing.app.close()
    assert time.monotonic() - begun < 2
    lanes = ("exclusive", "files", "layers", "figures")
    assert not [t for t in threading.enumerate() if t.name.startswith(lanes)]

    said = len(closing.models), len(closing.points), len(closing.messages)
    closing.main.run()
    assert (len(closing.models), len(closing.points), len(closing.messages)) == said
    assert closing.failures == []
    (folder,) = paths.runs().iterdir()
    run = RunFolder(folder)
    saved = read_checkpoint(run.model_path)
    assert saved.epoch >= told
    trainer = run.resume(digits, "cpu")
    assert trainer.step == saved.step
    assert next(trainer.events(lambda: True)).step == saved.step + 1


def test_closing_in_the_first_moments_is_clean(closing: Desk, unending: Recipe) -> None:
    closing.app.warm_up()
    closing.app.runs.train(unending)
    assert closing.app.close()
    closing.main.run()
    assert closing.failures == []


def test_closing_finishes_what_is_being_written(
    closing: Desk, tmp_path: Path, trained: Snapshot
) -> None:
    closing.app.model.save(tmp_path / "model.safetensors")
    closing.app.exports.export(Digit(scale=1), tmp_path / "digit.png")
    assert closing.app.close()
    assert read_checkpoint(tmp_path / "model.safetensors").history == trained.history
    with Image.open(tmp_path / "digit.png") as picture:
        assert picture.size == (28, 28)
