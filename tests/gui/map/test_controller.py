import dataclasses
import gc
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QDialog,
    QFileDialog,
    QLabel,
    QLineEdit,
    QMenu,
    QPushButton,
    QSpinBox,
)

from vae_explorer.data.dataset import ImageSet
from vae_explorer.gui.explore.decode.pin_tray import PinTray
from vae_explorer.gui.map.hover_card import HoverCard
from vae_explorer.gui.map.legend import LegendButton
from vae_explorer.gui.map.point_colors import ColorKey
from vae_explorer.gui.theme import CLASS_COLORS, current_theme
from vae_explorer.latent.figures import own_draws
from vae_explorer.paths import bundled_checkpoint
from vae_explorer.session.map.layers import LAYERS, LayerSpec
from vae_explorer.session.map.state import MapState
from vae_explorer.session.state import MapPoints, Phase
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.types import LatentPoint, UInt8

if TYPE_CHECKING:
    from tests.support.person import Person

LEFT = Qt.MouseButton.LeftButton
SHIFT = Qt.KeyboardModifier.ShiftModifier
CTRL = Qt.KeyboardModifier.ControlModifier
ALT = Qt.KeyboardModifier.AltModifier


def place(person: "Person", row: int) -> LatentPoint:
    z1, z2 = person.positions[row].tolist()
    return z1, z2


def in_box(person: "Person", start: LatentPoint, end: LatentPoint) -> list[int]:
    """The points between two corners, as drawn from pixel to pixel."""
    canvas = person.window.map.canvas
    corners = [canvas.to_latent(person.at(corner).toPointF()) for corner in (start, end)]
    low, high = np.min(corners, axis=0), np.max(corners, axis=0)
    return [i for i, z in enumerate(person.positions) if (low <= z).all() and (z <= high).all()]


def color_by(person: "Person", text: str) -> None:
    """Go down the choices to this one."""
    combo = next(
        combo
        for combo in person.window.map.findChildren(QComboBox)
        if combo.accessibleName() == "Colour points by"
    )
    person.press("Home", combo)
    for _ in range(combo.findText(text)):
        person.press("Down")
    assert combo.currentText() == text


def swatch(person: "Person", label: int) -> tuple[int, int, int]:
    """The colour of a class in the legend."""
    button = legend_button(person, label)
    color = button.grab().toImage().pixelColor(12, button.height() // 2)
    return color.red(), color.green(), color.blue()


def legend_button(person: "Person", label: int) -> LegendButton:
    return next(b for b in person.window.map.findChildren(LegendButton) if b.label == label)


def rgb(name: str) -> tuple[int, int, int]:
    color = QColor(name)
    return color.red(), color.green(), color.blue()


def dialog(person: "Person") -> QDialog:
    (found,) = (d for d in person.window.findChildren(QDialog) if d.isVisible())
    return found


def accept(person: "Person", verb: str) -> None:
    next(b for b in dialog(person).findChildren(QPushButton) if b.text() == verb).click()


# Layers


def _before(state: MapState | None) -> MapPoints | None:
    return state.before if state else None


def test_every_layer_is_switched_by_its_key_and_by_a_click(
    person: "Person", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vae_explorer.session.explore.refinement.STEPS", 30)
    window, explorer = person.window, person.window.explorer
    explorer.pin(0)
    other = bundled_checkpoint().with_name("mnist-paper.safetensors")
    explorer.open_checkpoint(other)  # so that the points have moved
    person.wait(lambda: _before(explorer.map.state) is not None)
    explorer.playback.choose("row", 4, False)
    person.wait(lambda: explorer.playback.path is not None)
    ended: list[object] = []
    explorer.refinement.ended.connect(ended.append)
    explorer.refinement.start()
    person.wait(lambda: ended)
    window.docks.show("layers")
    for spec in LAYERS:
        switch_layer(person, spec)


def switch_layer(person: "Person", spec: LayerSpec) -> None:
    """On or off, and back again."""
    window = person.window
    box = next(b for b in window.layers.findChildren(QCheckBox) if b.text() == spec.name)

    def shown() -> tuple[bool, bool, bool]:
        action = window.actions_[f"layer_{spec.id}"]
        return window.explorer.layers.state(spec.id).on, action.isChecked(), box.isChecked()

    person.wait(lambda: not window.explorer.layers.busy)
    assert shown() == (spec.on,) * 3, spec.id
    box.setFocus()
    QApplication.processEvents()
    before = window.map.canvas.grab().toImage()
    person.press(spec.key)
    assert shown() == (not spec.on,) * 3, spec.id
    person.wait(lambda: window.map.canvas.grab().toImage() != before)
    window.layers._scroll.ensureWidgetVisible(box)
    QTest.mouseClick(box, LEFT, pos=QPoint(8, box.height() // 2))
    assert shown() == (spec.on,) * 3, spec.id
    person.wait(lambda: window.map.canvas.grab().toImage() == before)


def test_hidden_points_are_not_pointed_at(person: "Person") -> None:
    person.press("P", person.window.map.canvas)
    person.click(place(person, person.lone))
    assert person.pins == []


def test_the_size_of_dots_is_chosen(person: "Person") -> None:
    lone, canvas = person.lone, person.window.map.canvas
    beside = canvas.to_latent(canvas.to_pixel(*place(person, lone)) + QPointF(3, 0))
    combos = person.window.layers.findChildren(QComboBox)
    combo = next(combo for combo in combos if combo.accessibleName() == "Points, dots")
    colors = []
    for size in ("small", "large"):
        combo.setCurrentIndex(combo.findData(size))
        colors.append(person.color_at(beside))
    assert colors[0] == rgb(current_theme().canvas)
    assert colors[1] == tuple(CLASS_COLORS[person.labels[lone]].tolist())


def test_layers_are_remembered(person: "Person", open_person: Callable[..., "Person"]) -> None:
    person.press("N", person.window.map.canvas)
    person.window.explorer.layers.set_opacity("prior", 0.25)
    person.window.explorer.layers.move("prior", 0)
    person.close()
    again = open_person().window
    first = again.explorer.layers.states[0]
    assert (first.id, first.on, first.opacity) == ("prior", True, 0.25)
    assert again.actions_["layer_prior"].isChecked()


def test_a_run_goes_on_under_all_layers(
    person: "Person", recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vae_explorer.session.runs.lab.LIVE_IMAGES", 100)
    monkeypatch.setattr("vae_explorer.session.training.worker.LIVE_SECONDS", 0.05)
    window = person.window
    for spec in LAYERS:
        window.explorer.layers.set_on(spec.id, True)
    person.click(place(person, person.lone))
    window.training.set_recipe(recipe.replace(epochs=10_000))
    window.actions_["start"].trigger()
    person.wait(lambda: len(person.positions) == 100)
    before = person.positions.copy()
    person.wait(lambda: not np.array_equal(person.positions, before))
    person.wait(lambda: window.explorer.training.status.epoch > 2)
    person.trigger("stop")
    person.wait_for_phase(Phase.IDLE)
    person.wait(lambda: len(person.positions) == 600)
    assert not person.errors


# The selection


def test_a_shift_drag_selects_what_lies_in_the_box(person: "Person") -> None:
    start, end = (-1.5, 0.2), (1.3, 2.1)
    wanted = in_box(person, start, end)
    assert 20 < len(wanted) < 300
    person.drag(start, end, SHIFT)
    assert person.selected == wanted
    assert person.status.endswith(f"· {len(wanted)} of 600 selected")
    person.drag((0.0, 0.2), end, SHIFT | ALT)
    left = sorted(set(wanted) - set(in_box(person, (0.0, 0.2), end)))
    assert person.selected == left
    person.trigger("invert")
    assert person.selected == sorted(set(range(600)) - set(left))


def test_points_fade_beside_a_selection(person: "Person") -> None:
    lone = person.lone
    full = CLASS_COLORS[person.labels[lone]].astype(int)
    assert person.color_at(place(person, lone)) == tuple(full)
    person.window.explorer.selection.replace([lone])
    assert person.color_at(place(person, lone)) == tuple(full)
    person.trigger("invert")
    faded = np.array(person.color_at(place(person, lone)))
    canvas = np.array(rgb(current_theme().canvas))
    assert np.abs(faded - canvas).sum() < 0.3 * np.abs(full - canvas).sum()
    person.press("Esc")
    assert person.color_at(place(person, lone)) == tuple(full)


def test_esc_clears_the_selection_first_and_then_the_pins(person: "Person") -> None:
    person.click(place(person, person.lone))
    person.drag((-1.0, -1.0), (1.0, 1.0), SHIFT)
    assert person.selected
    pinned = person.pins
    assert len(pinned) == 1
    person.press("Esc")
    assert (person.selected, person.pins) == ([], pinned)
    assert "selected" not in person.status
    person.press("Esc")
    assert person.pins == []


def test_a_shift_click_in_the_legend_selects_the_class(person: "Person") -> None:
    def of(*labels: int) -> list[int]:
        return np.flatnonzero(np.isin(person.labels, labels)).tolist()

    QTest.mouseClick(legend_button(person, 3), LEFT, SHIFT)
    assert person.selected == of(3)
    QTest.mouseClick(legend_button(person, 5), LEFT, SHIFT | CTRL)
    assert person.selected == of(3, 5)
    assert legend_button(person, 3).isChecked(), "it still shows"
    QTest.mouseClick(legend_button(person, 0), LEFT)
    person.trigger("select_shown")
    assert person.selected == of(*range(1, 10))


def test_hidden_classes_are_not_selected(person: "Person") -> None:
    QTest.mouseClick(legend_button(person, 1), LEFT)
    person.drag((-2.0, -2.0), (2.0, 2.0), SHIFT)
    boxed = in_box(person, (-2.0, -2.0), (2.0, 2.0))
    assert person.selected == [i for i in boxed if person.labels[i] != 1]


def test_a_named_selection_is_recalled_and_forgotten(person: "Person") -> None:
    menus = {menu.title(): menu for menu in person.window.findChildren(QMenu) if menu.title()}
    recall, forget = menus["Recall"], menus["Forget"]
    assert not recall.isEnabled()
    person.window.explorer.selection.replace([3, 5])
    person.trigger("name_selection")
    (line,) = dialog(person).findChildren(QLineEdit)
    QTest.keyClicks(line, "Me & you")
    accept(person, "Save")
    person.press("Esc", person.window.map.canvas)
    (action,) = recall.actions()
    assert action.text().replace("&&", "&") == "Me & you"
    action.trigger()
    assert person.selected == [3, 5]
    forget.actions()[0].trigger()
    assert recall.actions() == forget.actions() == []
    assert not forget.isEnabled()
    assert person.selected == [3, 5]


def test_the_nearest_of_the_pinned_digit_are_selected(person: "Person") -> None:
    person.window.explorer.pin(7)
    distances = np.linalg.norm(person.positions - person.positions[7], axis=1)
    person.trigger("nearest")
    dialog(person).findChild(QSpinBox).setValue(9)
    accept(person, "Select")
    assert person.selected == sorted(np.argsort(distances)[:9].tolist())


def test_the_worst_are_selected_once_all_are_known(person: "Person") -> None:
    person.trigger("worst")
    person.wait(lambda: len(person.selected) == 100)
    elbo = person.window.explorer.scores.known["elbo"]
    others = np.delete(elbo, person.selected)
    assert elbo[person.selected].max() <= others.min()


@pytest.mark.parametrize(("split", "row"), [("train", 123), ("test", 600 + 123)])
def test_find_pins_an_image(person: "Person", split: str, row: int) -> None:
    person.trigger("split_both")
    person.wait(lambda: len(person.positions) == 900)
    person.trigger("find")
    combo = dialog(person).findChild(QComboBox)
    combo.setCurrentIndex(combo.findData(split))
    dialog(person).findChild(QSpinBox).setValue(123)
    accept(person, "Find")
    assert person.window.map._pinned == row
    current = person.window.explorer.pins.current
    assert current is not None
    assert (current.split, current.index) == (split, 123)
    assert person.markers.pin_place == place(person, row)


# The pins


def test_pins_are_added_looked_at_and_taken_out(person: "Person") -> None:
    one = person.lone
    two = int(np.linalg.norm(person.positions - person.positions[one], axis=1).argmax())
    rows = [one, two]
    person.click(place(person, one))
    person.click(place(person, two), CTRL)
    pins = person.pins
    assert len(pins) == 2
    places = {place(person, pin) for pin in pins}
    assert set(person.markers.tray_places) | {person.markers.pin_place} == places
    pinned = [person.window.explorer.pins.tray[i].index for i in range(2)]
    assert pinned == pins == rows

    (tray,) = person.window.decode.findChildren(PinTray)
    tray.scrollToItem(tray.item(0))
    QTest.mouseClick(tray.viewport(), LEFT, pos=tray.visualItemRect(tray.item(0)).center())
    assert person.window.explorer.pins.current is person.window.explorer.pins.tray[0]
    assert person.markers.pin_place == place(person, one)
    original = person.window.explorer.map.thumbnail(one).image
    np.testing.assert_array_equal(person.picture("Original image"), original)

    person.press("Delete", tray)
    assert person.pins == [two]
    assert person.markers.pin_place == place(person, two)
    person.click(place(person, two), CTRL)
    assert person.pins == []
    assert person.markers.pin_place is None


def test_undo_and_redo_go_through_pins_and_selections(person: "Person") -> None:
    undo, redo = (person.window.actions_[name] for name in ("undo", "redo"))
    states: list[tuple[list[int], list[int]]] = []

    def note() -> None:
        states.append((person.pins, person.selected))

    note()
    assert not undo.isEnabled()
    person.click(place(person, person.lone))
    note()
    QTest.mouseClick(legend_button(person, 3), LEFT, SHIFT)
    note()
    person.drag((-1.0, -1.0), (1.0, 1.0), SHIFT)
    note()
    person.press("Esc", person.window.map.canvas)
    note()
    texts = ["Undo Clear Selection", "Undo Select", "Undo Select", "Undo Pin"]
    for text, state in zip(texts, reversed(states[:-1]), strict=True):
        assert undo.text() == text
        person.press("Ctrl+Z")
        assert (person.pins, person.selected) == state
    assert (undo.isEnabled(), undo.text()) == (False, "Undo")
    for text, state in zip(reversed(texts), states[1:], strict=True):
        assert redo.text() == text.replace("Undo", "Redo")
        person.press("Ctrl+Shift+Z")
        assert (person.pins, person.selected) == state
    assert (redo.isEnabled(), redo.text()) == (False, "Redo")


def test_pins_outlive_the_split_they_are_from(person: "Person") -> None:
    person.window.explorer.pin(7)
    person.trigger("split_test")
    person.wait(lambda: len(person.positions) == 300)
    assert person.pins == [7]
    assert person.markers.pin_place is None
    person.trigger("split_both")
    person.wait(lambda: len(person.positions) == 900)
    assert person.markers.pin_place == place(person, 7)


# The points


def test_both_splits_share_the_map(
    person: "Person", bundled: Snapshot, small_mnist: dict[str, ImageSet]
) -> None:
    person.window.explorer.selection.replace([1])
    person.trigger("split_both")
    person.wait(lambda: len(person.positions) == 900)
    assert person.window.actions_["split_both"].isChecked()
    assert person.status == "900 of 900 · train and test · encoder mean"
    assert person.selected == [], "it was of other data"
    means = [bundled.model.encode(small_mnist[split].images).mean for split in ("train", "test")]
    np.testing.assert_array_equal(person.positions, np.concatenate(means))
    person.window.explorer.pin(700)
    np.testing.assert_array_equal(person.picture("Original image"), small_mnist["test"].images[100])


def test_samples_are_drawn_from_each_posterior(
    person: "Person", bundled: Snapshot, small_mnist: dict[str, ImageSet]
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
    person: "Person", checkpoint: Path, small_mnist: dict[str, ImageSet]
) -> None:
    window, tiny = person.window, read_checkpoint(checkpoint).model
    before = person.positions.astype(np.float64)
    person.trigger("align")
    assert window.actions_["align"].isChecked()
    window.explorer.open_checkpoint(checkpoint)
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

    window.explorer.pin(3)
    wanted = tiny.decode(means[3:4].astype(np.float32))[0]
    person.wait(lambda: person.sees(wanted))
    person.trigger("align")
    person.wait(lambda: "aligned" not in person.status)
    np.testing.assert_array_equal(person.positions, means.astype(np.float32))


# The colours


def test_a_figure_colours_the_points_as_the_key_says(
    person: "Person", bundled: Snapshot, small_mnist: dict[str, ImageSet]
) -> None:
    assert swatch(person, 3) == tuple(CLASS_COLORS[3].tolist())
    (key,) = person.window.map.findChildren(ColorKey)
    assert not key.isVisible()
    color_by(person, "Posterior width")
    assert key.isVisible()
    assert swatch(person, 3) == rgb(current_theme().muted)

    covariance = bundled.model.encode(small_mnist["train"].images).covariance.astype(np.float64)
    widths = np.prod(np.linalg.eigvalsh(covariance), axis=1) ** 0.25
    low, high = np.percentile(widths, [2, 98])
    share = np.clip((widths - low) / (high - low), 0, 1)
    lone = person.lone
    viridis = pg.colormap.get("viridis").getLookupTable(nPts=256, alpha=False)[::-1]
    assert person.color_at(place(person, lone)) == tuple(viridis[round(255 * share[lone])])

    bar = key_bar(key)
    assert len({tuple(color) for color in bar}) > 100
    assert all((viridis == color).all(1).any() for color in bar), "the very colours"
    np.testing.assert_allclose(bar[[0, -1]], viridis[[-1, 0]], atol=6)
    beside = bar[round((1 - share[lone]) * (len(bar) - 1))]
    np.testing.assert_allclose(person.color_at(place(person, lone)), beside, atol=4)

    person.trigger("scheme_dark")
    QApplication.processEvents()
    assert person.color_at(place(person, lone)) == tuple(viridis[255 - round(255 * share[lone])])
    color_by(person, "Label")
    assert not key.isVisible()
    assert swatch(person, 3) == tuple(CLASS_COLORS[3].tolist())
    label_color = tuple(CLASS_COLORS[person.labels[lone]].tolist())
    assert person.color_at(place(person, lone)) == label_color


def key_bar(key: ColorKey) -> UInt8:
    """The colours (k, 3) down the middle of the bar, without its outermost pixels."""
    image = key.grab().toImage()
    column = [image.pixelColor(8 + 7, y) for y in range(image.height())]
    ground = column[0]
    colors = [(c.red(), c.green(), c.blue()) for c in column if c != ground]
    return np.array(colors[:160], np.uint8)[1:-1]


def test_figures_are_computed_and_then_colour(person: "Person") -> None:
    person.trigger("split_test")
    person.wait(lambda: len(person.positions) == 300)
    lone = person.lone
    color_by(person, "ELBO gap")
    figures = person.window.explorer.scores
    person.wait(lambda: len(figures.known) == 3 and np.isfinite(figures.known["elbo"]).all())
    person.wait(lambda: np.isfinite(figures.known["log_marginal"]).all(), seconds=60.0)
    gap = figures.known["log_marginal"] - figures.known["elbo"]
    assert (gap > -1e-3).all(), "the ELBO is a bound"
    muted = rgb(current_theme().muted)
    person.wait(lambda: person.color_at(place(person, lone)) != muted)


def test_a_figure_waits_until_the_points_rest(
    person: "Person", recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vae_explorer.session.runs.lab.LIVE_IMAGES", 100)
    monkeypatch.setattr("vae_explorer.session.training.worker.LIVE_SECONDS", 0.05)
    window, figures = person.window, person.window.explorer.scores
    window.training.set_recipe(recipe.replace(epochs=10_000))
    window.actions_["start"].trigger()
    person.wait(lambda: len(person.positions) == 100)
    color_by(person, "Reconstruction error")
    (key,) = window.map.findChildren(ColorKey)
    assert "Computed when training pauses" in key.toolTip()
    assert {*window.map._cloud.colors.tolist()} == {QColor(current_theme().muted).rgb()}
    person.trigger("pause")
    person.wait(lambda: len(person.positions) == 600)
    person.wait(lambda: np.isfinite(figures.known.get("log_likelihood", np.nan)).all())
    person.wait(lambda: len({*window.map._cloud.colors.tolist()}) > 100)
    assert "log p(x|z)" in key.toolTip()
    assert not person.errors


def test_train_and_test_have_a_colour_each(person: "Person") -> None:
    person.trigger("split_both")
    person.wait(lambda: len(person.positions) == 900)
    color_by(person, "Train or test")
    colors = person.window.map._cloud.colors & 0xFFFFFF
    train, test = (int.from_bytes(CLASS_COLORS[k].tobytes()) for k in range(2))
    assert colors.tolist() == [train] * 600 + [test] * 300
    (key,) = person.window.map.findChildren(ColorKey)
    assert key.accessibleDescription() == "Train or test, train, test"


def test_a_table_brings_its_columns(
    person: "Person", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = "".join(f"{n},{'even' if n % 2 == 0 else 'odd'}\n" for n in range(600))
    (tmp_path / "mine.csv").write_text(f"number,parity\n{rows}")
    answer = str(tmp_path / "mine.csv"), ""
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: answer)
    person.trigger("color_table")
    (key,) = person.window.map.findChildren(ColorKey)
    person.wait(key.isVisible)
    assert key.accessibleDescription().startswith("number, ")
    color_by(person, "parity")
    parity = np.arange(600) % 2
    colors = person.window.map._cloud.colors & 0xFFFFFF
    assert [len(set(colors[parity == k])) for k in range(2)] == [1, 1]
    assert colors[0] != colors[1]
    assert not person.errors


# The card


def test_the_card_gives_the_exact_figures(
    person: "Person", bundled: Snapshot, small_mnist: dict[str, ImageSet]
) -> None:
    lone, model = person.lone, bundled.model
    person.hover(place(person, lone))
    (card,) = person.window.map.findChildren(HoverCard)
    person.wait(card.isVisible)
    person.wait(lambda: any("ELBO" in label.text() for label in card.findChildren(QLabel)))
    (caption,) = (label.text() for label in card.findChildren(QLabel) if "ELBO" in label.text())
    lines = caption.replace("−", "-").split("\n")
    exact, elbo = (float(line.removesuffix(" nats").split()[-1]) for line in lines)
    assert lines[0].startswith("log p(x) ")
    assert lines[1].startswith("ELBO ")

    image = small_mnist["train"].images[lone : lone + 1]
    x = own_draws(model, image, np.array([lone])).reshape(-1).astype(np.float64)
    posterior = model.encode(image)
    root = np.linalg.cholesky(posterior.covariance[0].astype(np.float64))
    step = 0.1
    axis = np.arange(-8, 8, step)
    u = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    z = posterior.mean[0] + u @ root.T
    means = np.concatenate([model.decode(part) for part in np.array_split(z, 20)])
    p = means.reshape(len(z), -1).astype(np.float64).clip(1e-7, 1 - 1e-7)
    likelihood = np.log(p) @ x + np.log1p(-p) @ (1 - x)
    joint = likelihood - (z**2).sum(1) / 2 - np.log(2 * np.pi)
    area = step**2 * np.linalg.det(root)
    assert exact == pytest.approx(np.logaddexp.reduce(joint) + np.log(area), abs=0.1)
    q = np.exp(-(u**2).sum(1) / 2) / (2 * np.pi * np.linalg.det(root))
    bound = (q * (joint - np.log(q.clip(1e-300)))).sum() * area
    assert elbo == pytest.approx(bound, abs=0.1)


# Settings


@pytest.mark.parametrize("wanted", [False, True])
def test_points_glide_if_that_is_wanted(person: "Person", wanted: bool) -> None:
    explorer, action = person.window.explorer, person.window.actions_["ease"]
    assert action.isChecked() == explorer.settings.ease
    if action.isChecked() != wanted:
        person.trigger("ease")
    assert action.isChecked() == explorer.settings.ease == wanted
    end = person.positions + np.float32(0.5)
    state = explorer.map.state
    assert state is not None
    assert state.points is not None
    moved = dataclasses.replace(state.points, positions=end)
    explorer.map.publish(dataclasses.replace(state, points=moved))
    assert np.array_equal(person.positions, end) == (not wanted)
    person.wait(lambda: np.array_equal(person.positions, end))


@pytest.mark.slow  # traced
@pytest.mark.parametrize("dragging", [False, True])
def test_thousands_of_moves_decode_once_a_frame_and_leave_nothing_behind(
    person: "Person", dragging: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """2,000 moves in 20 frames, of a clock that stands still in each."""
    now = 1e6
    monkeypatch.setattr("vae_explorer.gui.main_thread.perf_counter", lambda: now)
    window, canvas = person.window, person.window.map.canvas
    decoded: list[tuple[float, float]] = []
    window.explorer.decoding.decoded.connect(lambda shown: decoded.append(shown.z))
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
