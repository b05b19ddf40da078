from itertools import combinations
from pathlib import Path

import pytest
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication

from vae_explorer.gui import screenshots
from vae_explorer.gui.app import open_window
from vae_explorer.gui.main_thread import run_events
from vae_explorer.gui.screenshots import camera, exploring, learning, training
from vae_explorer.gui.theme import DARK, LIGHT
from vae_explorer.gui.window.main_window import MainWindow
from vae_explorer.lessons.course import bundled_lessons
from vae_explorer.session.map.layers import LAYERS
from vae_explorer.training.recipe import Recipe

_EXPLORING = [
    "explore",
    "layer-prior-whole",
    "layer-prior-near",
    "path-geodesic",
    "path-straight",
    "draw",
    "refine-start",
    "refine-middle",
    "refine-end",
    "palette",
    "compare-1100x700",
]
_TRAINING = [
    "train-live",
    "train",
    *(f"slow-{stage}" for stage in range(1, 6)),
    "layer-flow-whole",
    "layer-flow-near",
    "train-scrubbed",
    "runs",
    "sweep",
]
_LEARNING = ["lesson-1-functionals-first", "lesson-1-functionals-last"]
_WITHOUT_SIZE = ("palette", "compare-1100x700")


def _recipe(tiny: Recipe, epochs: int) -> Recipe:
    """A run that does not end while it is looked at, and a sweep that ends soon."""
    return tiny.replace(epochs=1 if epochs == 1 else 10_000)


@pytest.mark.slow
@pytest.mark.usefixtures("open_person")  # for the small data and the end of the dark scheme
def test_views_and_layers_are_taken_light_and_dark(
    recipe: Recipe, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, qapp: QApplication
) -> None:
    def start() -> tuple[QApplication, MainWindow]:
        return qapp, open_window()

    monkeypatch.setattr(screenshots, "start", start)
    monkeypatch.setattr(training, "Recipe", lambda epochs: _recipe(recipe, epochs))
    for module in (camera, exploring, training):
        monkeypatch.setattr(module, "SIZES", ((1100, 700),))
    monkeypatch.setattr(training, "_SWEEP", (("seed", "0:2"),))
    monkeypatch.setattr(exploring, "PINNED_ROWS", (7, 501))
    monkeypatch.setattr("vae_explorer.session.explore.refinement.STEPS", 30)
    two = tuple(spec for spec in LAYERS if spec.id in ("prior", "flow"))
    for module in (camera, exploring):
        monkeypatch.setattr(module, "LAYERS", two)
    for module in (camera, exploring, learning, training):
        monkeypatch.setattr(module, "run_events", lambda ms: run_events(max(10, ms // 20)))
    first = bundled_lessons()[:1]
    monkeypatch.setattr("vae_explorer.session.lessons.course.bundled_lessons", lambda: first)
    files = screenshots.take(tmp_path / "new" / "folder", screenshots.TOPICS[:-1])
    views = _EXPLORING + _TRAINING + _LEARNING
    assert [file.name for file in files] == [
        f"{view}-{scheme}{'' if view in _WITHOUT_SIZE else '-1100x700'}.png"
        for view in views
        for scheme in ("light", "dark")
    ]
    pictures = [QImage(str(file)) for file in files]
    for file, picture, theme in zip(files, pictures, len(views) * (LIGHT, DARK), strict=True):
        if not file.name.startswith("palette"):
            assert (picture.width(), picture.height()) == (1100, 700), file.name
            assert picture.pixelColor(2, 2) == QColor(theme.window), file.name
    assert not any(one == other for one, other in combinations(pictures, 2))
    assert not any(widget.isVisible() for widget in qapp.topLevelWidgets())


def test_a_window_that_never_gets_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera, "_TIMEOUT_S", 0)
    with pytest.raises(TimeoutError):
        camera.wait(lambda: False)
