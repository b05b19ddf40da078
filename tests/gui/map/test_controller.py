import dataclasses
import gc
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QContextMenuEvent, QGuiApplication, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QCheckBox, QComboBox, QMenu

from tests.support.person import Person
from vae_explorer.data.dataset import ImageSet
from vae_explorer.gui.theme import CLASS_COLORS, current_theme
from vae_explorer.session.map.layers import LAYERS, LayerSpec
from vae_explorer.session.map.state import MapPoints, MapState
from vae_explorer.session.training.events import Phase
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.snapshot import Snapshot

LEFT = Qt.MouseButton.LeftButton


def rgb(name: str) -> tuple[int, int, int]:
    color = QColor(name)
    return color.red(), color.green(), color.blue()


# Layers


def _before(state: MapState | None) -> MapPoints | None:
    return state.before if state else None


def test_every_layer_is_switched_by_its_key_and_by_a_click(
    person: Person, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vae_explorer.session.explore.refinement.STEPS", 30)
    window, app = person.window, person.window.app
    app.pinning.pin(0)
    app.model.open(checkpoint)  # so that the points have moved
    person.wait(lambda: _before(app.map.state) is not None)
    app.playback.choose("row", 4, False)
    person.wait(lambda: app.playback.path is not None)
    ended: list[object] = []
    app.refinement.ended.connect(ended.append)
    app.refinement.start()
    person.wait(lambda: ended)
    window.docks.show("layers")
    window.map.canvas.show_region(-3, 3, -3, 3)  # of tiny a digit may be anywhere
    for spec in LAYERS:
        switch_layer(person, spec)


def switch_layer(person: Person, spec: LayerSpec) -> None:
    """On or off, and back again."""
    window = person.window
    box = next(b for b in window.layers.findChildren(QCheckBox) if b.text() == spec.name)

    def shown() -> tuple[bool, bool, bool]:
        action = window.actions_[f"layer_{spec.id}"]
        return window.app.layers.state(spec.id).on, action.isChecked(), box.isChecked()

    person.wait(lambda: not window.app.layers.busy)
    assert shown() == (spec.on,) * 3, spec.id
    box.setFocus()
    QApplication.processEvents()
    before = window.map.canvas.grab().toImage()
    person.press(spec.key)
    assert shown() == (not spec.on,) * 3, spec.id
    person.wait(lambda: not window.app.layers.busy)
    person.wait(lambda: window.map.canvas.grab().toImage() != before)
    window.layers._scroll.ensureWidgetVisible(box)
    QTest.mouseClick(box, LEFT, pos=QPoint(8, box.height() // 2))
    assert shown() == (spec.on,) * 3, spec.id
    person.wait(lambda: window.map.canvas.grab().toImage() == before)


def test_the_size_of_dots_is_chosen(person: Person) -> None:
    lone, canvas = person.lone, person.window.map.canvas
    beside = canvas.to_latent(canvas.to_pixel(*person.position(lone)) + QPointF(3, 0))
    combos = person.window.layers.findChildren(QComboBox)
    combo = next(combo for combo in combos if combo.accessibleName() == "Points, dots")
    colors = []
    for size in ("small", "large"):
        combo.setCurrentIndex(combo.findData(size))
        colors.append(person.color_at(beside))
    assert colors[0] == rgb(current_theme().canvas)
    assert colors[1] == tuple(CLASS_COLORS[person.labels[lone]].tolist())


def test_layers_are_remembered(person: Person, open_person: Callable[..., Person]) -> None:
    person.press("N", person.window.map.canvas)
    person.window.app.layers.set_opacity("prior", 0.25)
    person.window.app.layers.move("prior", 0)
    person.close()
    again = open_person().window
    first = again.app.layers.states[0]
    assert (first.id, first.on, first.opacity) == ("prior", True, 0.25)
    assert again.actions_["layer_prior"].isChecked()


def test_a_run_goes_on_under_all_layers(
    person: Person, checkpoint: Path, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vae_explorer.session.runs.runs.LIVE_IMAGES", 100)
    monkeypatch.setattr("vae_explorer.session.training.worker.LIVE_SECONDS", 0.05)
    window = person.window
    window.app.model.open(checkpoint)
    person.wait(lambda: "tiny" in person.model_line)
    for spec in LAYERS:
        window.app.layers.set_on(spec.id, True)
    person.click(person.position(person.lone))
    window.training.set_recipe(recipe.replace(epochs=10_000))
    window.actions_["start"].trigger()
    person.wait(lambda: person.status.startswith("600 · train · encoder mean · as of epoch "))
    before = person.positions.copy()
    person.wait(lambda: not np.array_equal(person.positions, before))
    person.wait(lambda: window.app.training.status.epoch > 2)
    person.trigger("stop")
    person.wait_for_phase(Phase.IDLE)
    person.wait(lambda: person.status == "600 · train · encoder mean")
    assert not person.errors


# The points


def test_both_splits_share_the_map(
    person: Person, bundled: Snapshot, small_mnist: dict[str, ImageSet]
) -> None:
    person.window.app.selection.replace([1])
    person.trigger("split_both")
    person.wait(lambda: len(person.positions) == 900)
    assert person.window.actions_["split_both"].isChecked()
    assert person.status == "900 · train and test · encoder mean"
    assert person.selected == [], "it was of other data"
    means = [bundled.model.encode(small_mnist[split].images).mean for split in ("train", "test")]
    np.testing.assert_array_equal(person.positions, np.concatenate(means))
    person.window.app.pinning.pin(700)
    np.testing.assert_array_equal(person.picture("Original image"), small_mnist["test"].images[100])


def test_samples_are_drawn_from_each_posterior(
    person: Person, bundled: Snapshot, small_mnist: dict[str, ImageSet]
) -> None:
    posterior = bundled.model.encode(small_mnist["train"].images)
    person.trigger("kind_sample")
    person.wait(lambda: "sample from q(z|x)" in person.status)
    moved = (person.positions - posterior.mean).astype(np.float64)
    inverse = np.linalg.inv(posterior.covariance.astype(np.float64))
    distances = np.einsum("ni,nij,nj->n", moved, inverse, moved)
    # They are of a chi-squared distribution with two degrees of freedom: mean 2, variance 4.
    assert distances.mean() == pytest.approx(2.0, abs=5 * 2.0 / np.sqrt(600))


def test_another_model_is_turned_to_fit(
    person: Person, checkpoint: Path, small_mnist: dict[str, ImageSet]
) -> None:
    window, tiny = person.window, read_checkpoint(checkpoint).model
    before = person.positions.astype(np.float64)
    person.trigger("align")
    assert window.actions_["align"].isChecked()
    window.app.model.open(checkpoint)
    person.wait(lambda: "aligned: " in person.status)
    means = tiny.encode(small_mnist["train"].images).mean.astype(np.float64)
    shown = person.positions.astype(np.float64)
    np.testing.assert_allclose(shown @ shown.T, means @ means.T, atol=1e-4)  # turned, no more

    angles = np.linspace(0, 2 * np.pi, 3_600, endpoint=False)
    cos, sin = np.cos(angles), np.sin(angles)
    turns = np.array([[cos, -sin], [sin, cos]]).transpose(2, 0, 1)
    turns = np.concatenate([turns, turns @ np.diag([-1.0, 1.0])])
    misfits = ((means @ turns.transpose(0, 2, 1) - before) ** 2).sum((1, 2))
    assert ((shown - before) ** 2).sum() == pytest.approx(misfits.min(), rel=1e-5)

    window.app.pinning.pin(3)
    wanted = tiny.decode(means[3:4].astype(np.float32))[0]
    person.wait(lambda: person.sees(wanted))
    person.trigger("align")
    person.wait(lambda: "aligned" not in person.status)
    np.testing.assert_array_equal(person.positions, means.astype(np.float32))


# Settings


@pytest.mark.parametrize("moving", [False, True])
@pytest.mark.parametrize("wanted", [False, True])
def test_points_of_a_run_that_goes_on_glide_if_that_is_wanted(
    person: Person, wanted: bool, moving: bool
) -> None:
    app, action = person.window.app, person.window.actions_["ease"]
    assert action.isChecked() == app.settings.now.ease
    if action.isChecked() != wanted:
        person.trigger("ease")
    assert action.isChecked() == app.settings.now.ease == wanted
    end = person.positions + np.float32(0.5)
    state = app.map.state
    assert state is not None
    assert state.points is not None
    moved = dataclasses.replace(state.points, positions=end)
    app.map.publish(dataclasses.replace(state, points=moved, moving=moving))
    assert np.array_equal(person.positions, end) == (not (wanted and moving))
    person.wait(lambda: np.array_equal(person.positions, end))


@pytest.mark.slow  # traced
@pytest.mark.parametrize("dragging", [False, True])
def test_thousands_of_moves_decode_once_a_frame_and_leave_nothing_behind(
    person: Person, dragging: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """2,000 moves in 20 frames, of a clock that stands still in each."""
    now = 1e6
    monkeypatch.setattr("vae_explorer.gui.main_thread.perf_counter", lambda: now)
    window, canvas = person.window, person.window.map.canvas
    decoded: list[tuple[float, float]] = []
    window.app.decoding.decoded.connect(lambda shown: decoded.append(shown.z))
    spots = [
        person.at(place) for place in np.random.default_rng(0).uniform(-2, 2, (100, 2)).tolist()
    ]
    held = Qt.MouseButton.LeftButton if dragging else Qt.MouseButton.NoButton

    def burst() -> None:
        """As many as the system may hand over before the window gets to paint."""
        nonlocal now
        now += 1
        for at in spots:
            around = QPointF(canvas.mapToGlobal(at))
            none, keys = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
            move = QMouseEvent(QEvent.Type.MouseMove, QPointF(at), around, none, held, keys)
            QApplication.sendEvent(canvas, move)
        assert len(decoded) <= 1
        wanted = canvas.to_latent(QPointF(spots[-1]))
        person.wait(lambda: decoded and decoded[-1] == pytest.approx(wanted))
        assert len(decoded) <= 2
        decoded.clear()

    if dragging:
        QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=person.at((0.0, 0.0)))
    for _ in range(4):
        burst()  # caches fill
    person.wait(lambda: window.app.learning.known)  # which are read meanwhile
    gc.collect()
    tracemalloc.start()
    try:
        for _ in range(16):
            burst()
        gc.collect()
        # By this program alone: what training needs is imported meanwhile.
        ours = tracemalloc.Filter(True, "*/vae_explorer/*")
        left = tracemalloc.take_snapshot().filter_traces([ours]).statistics("filename")
    finally:
        tracemalloc.stop()
    if dragging:
        QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=spots[-1])
    assert sum(part.size for part in left) < 50_000, left


def test_a_right_click_offers_the_picture_the_points_and_all_of_the_map(person: "Person") -> None:
    view, canvas = person.window.map, person.window.map.canvas
    view.set_visible_labels(frozenset({1, 7}))
    canvas.zoom(5.0)
    at = canvas.rect().center()
    click = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, canvas.mapToGlobal(at))
    QApplication.sendEvent(canvas, click)
    (menu,) = canvas.findChildren(QMenu)
    actions = {action.text(): action for action in menu.actions()}
    assert list(actions) == ["Export…", "Copy Picture", "Copy Data", "Reset View"]
    before = view.region()
    actions["Reset View"].trigger()
    assert view.region() != before
    clipboard = QGuiApplication.clipboard()
    actions["Copy Picture"].trigger()
    image = clipboard.image()
    assert (image.width(), image.height()) == (2 * canvas.width(), 2 * canvas.height())
    actions["Copy Data"].trigger()
    head, *lines = clipboard.text().splitlines()
    assert head == "split,index,z1,z2,label"
    shown = np.flatnonzero(np.isin(person.labels, (1, 7)))
    assert len(lines) == len(shown)
    split, index, *z, label = lines[0].split(",")
    assert (split, int(index), int(label)) == ("train", shown[0], person.labels[shown[0]])
    np.testing.assert_allclose([float(x) for x in z], person.positions[shown[0]], rtol=1e-5)
    menu.close()
