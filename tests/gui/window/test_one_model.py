"""Every number and layer on screen is of the model on the map, or is faint."""

import re
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from tests.support.person import Person
from vae_explorer import paths
from vae_explorer.data.bundled import in_both
from vae_explorer.gui.widgets.fading import PATIENCE_MS
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.number_format import figure
from vae_explorer.session.app import App
from vae_explorer.session.explore.image_truth import image_truth
from vae_explorer.session.map.layer_contents import LAYER_CONTENTS
from vae_explorer.session.map.layers import LAYERS
from vae_explorer.session.map.marks import LayerContent
from vae_explorer.session.training.events import Phase
from vae_explorer.training.recipe import Recipe

LATE_S = PATIENCE_MS / 1e3 + 0.35


class Witness:
    """Looks at the window again and again, and remembers what was wrong."""

    def __init__(self, person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
        self.app = person.window.app
        self.person = person
        self.made: dict[LayerContent, TrainedVAE] = {}
        self.shown: dict[str, LayerContent] = {}
        self.wrong: set[str] = set()
        self.seen = 0
        self.since: dict[str, float] = {}
        self.late: set[str] = set()
        app, window = self.app, person.window
        self.results = (
            ("inspector", app.inspector.freshness, window.decode.inspector),
            ("path", app.playback.freshness, window.paths.results[0]),
        )
        for name, freshness, _ in self.results:
            freshness.changed.connect(partial(self._on_fresh, name))
        for layer, (draw, depends) in list(LAYER_CONTENTS.items()):
            monkeypatch.setitem(LAYER_CONTENTS, layer, (partial(self._draw, layer, draw), depends))
        self.app.layers.drawn.connect(self._on_drawn)

    def _draw(
        self, layer: str, draw: Callable[..., LayerContent], scene: object, *rest: object
    ) -> object:
        content = draw(scene, *rest)
        if layer != "prior":  # which is of no model
            self.made[content] = scene.model  # type: ignore[attr-defined]
        return content

    def _on_drawn(self, layer: str, content: LayerContent) -> None:
        self.shown[layer] = content

    def _on_fresh(self, name: str, current: bool) -> None:
        self.since[name] = time.monotonic()
        self.late.discard(name)

    def watch(self, until: Callable[[], object], seconds: float = 30) -> None:
        """Look until a condition holds."""
        limit = time.monotonic() + seconds
        while not until():
            assert time.monotonic() < limit
            QApplication.processEvents()
            self.look()
            time.sleep(0.002)  # else the other threads wait for Python's lock

    def look(self) -> None:
        """At all there is now."""
        state = self.app.map.state
        assert state is not None
        self.seen += 1
        for layer, content in self.shown.items():
            current, model = self.app.layers.is_current(layer), self.made.get(content)
            if current and model is not None and model is not state.model:
                self.wrong.add(f"layer {layer} is of another model")
        for name, freshness, widget in self.results:
            if freshness.current or time.monotonic() - self.since[name] < LATE_S:
                continue
            # Late for a whole turn of the event loop, however long the one before took.
            if name in self.late and not widget.graphicsEffect().isEnabled():
                self.wrong.add(f"{name} looks current")
            self.late.add(name)
        curves = self.person.window.curves.history.points
        if self.app.training.status.opened and curves != state.snapshot.history:
            self.wrong.add("the curves are of another model")
        self._look_at_figures(state.model, self.person.window.decode.inspector)

    def _look_at_figures(self, model: TrainedVAE, panel: QWidget) -> None:
        texts = [label.text() for label in panel.findChildren(QLabel)]
        nats = [text for text in texts if re.fullmatch(r"−?[0-9.]+ nats|—", text)]
        elbo, _, _, log_marginal, gap = nats
        if "—" in (log_marginal, gap):
            return
        numbers = [float(text.split()[0].replace("−", "-")) for text in (elbo, log_marginal, gap)]
        if numbers[2] < 0 or abs(numbers[1] - numbers[0] - numbers[2]) > 0.11:
            self.wrong.add(f"ELBO {elbo}, log p(x) {log_marginal}, gap {gap}")
        pinned = self.app.pins.current
        if pinned and self.app.inspector.freshness.current:
            # It is known already, and kept.
            truth = image_truth(model, pinned.original, in_both(pinned.split, pinned.index))
            if elbo != figure(truth.bound.elbo, 1, "nats"):
                self.wrong.add(f"ELBO {elbo} is of another model")


@pytest.mark.slow
@pytest.mark.parametrize(
    "layers",
    [
        ("density", "ellipses", "manifold", "flow"),
        pytest.param(tuple(spec.id for spec in LAYERS), marks=pytest.mark.long),
    ],
    ids=["some", "all"],
)
def test_whatever_model_comes_all_is_of_it(
    person: Person, recipe: Recipe, monkeypatch: pytest.MonkeyPatch, layers: tuple[str, ...]
) -> None:
    monkeypatch.setattr("vae_explorer.session.training.worker.LIVE_SECONDS", 0.2)
    window, app = person.window, person.window.app
    witness = Witness(person, monkeypatch)
    for row in (0, 1):
        app.pinning.pin(row, add=True)
    for layer in layers:
        app.layers.set_on(layer, True)
    app.playback.choose("straight", 8, False)

    def quiet() -> bool:
        return not app.layers.busy and not app.playback.busy and app.inspector.freshness.current

    witness.watch(quiet)
    window.training.set_recipe(recipe.replace(epochs=10_000))
    window.actions_["start"].trigger()
    witness.watch(lambda: app.training.status.epoch > 20)
    person.trigger("pause")
    witness.watch(lambda: app.training.status.phase is Phase.PAUSED)
    timeline = app.runs.timeline
    steps = [frame.step for frame in timeline.frames]
    for step in (steps[0], steps[len(steps) // 2], steps[0]):
        timeline.show(step)
        witness.watch(partial(_at, app, step))
    person.trigger("stop")
    witness.watch(lambda: app.training.status.phase is Phase.IDLE)
    run, bundled = app.training.checkpoint, paths.bundled_checkpoint()
    for path in (bundled.with_stem("mnist-iwae"), run, bundled):
        assert path is not None
        app.model.open(path)
        witness.watch(partial(_shows, app, path))
        witness.watch(quiet)
    assert witness.wrong == set()
    assert witness.seen > 100
    assert len(set(witness.made.values())) > 4
    assert set(witness.shown) >= set(layers) & set(LAYER_CONTENTS)


def _at(app: App, step: int) -> bool:
    snapshot = app.model.snapshot
    return snapshot is not None and snapshot.step == step


def _shows(app: App, path: Path) -> bool:
    return app.model.path == path
