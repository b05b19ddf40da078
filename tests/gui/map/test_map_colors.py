from pathlib import Path

import numpy as np
import pyqtgraph as pg
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QComboBox, QFileDialog, QLabel

from tests.support.person import Person
from vae_explorer.data.dataset import ImageSet
from vae_explorer.gui.map.legend import LegendButton
from vae_explorer.gui.map.point_colors import ColorKey
from vae_explorer.gui.map.point_tooltip import PointTooltip
from vae_explorer.gui.theme import CLASS_COLORS, current_theme
from vae_explorer.latent.figures import own_draws
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.types import UInt8

LEFT = Qt.MouseButton.LeftButton
SHIFT = Qt.KeyboardModifier.ShiftModifier
CTRL = Qt.KeyboardModifier.ControlModifier
ALT = Qt.KeyboardModifier.AltModifier


def color_by(person: Person, text: str) -> None:
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


def swatch(person: Person, label: int) -> tuple[int, int, int]:
    """The colour of a class in the legend."""
    button = legend_button(person, label)
    color = button.grab().toImage().pixelColor(12, button.height() // 2)
    return color.red(), color.green(), color.blue()


def rgb(name: str) -> tuple[int, int, int]:
    color = QColor(name)
    return color.red(), color.green(), color.blue()


def legend_button(person: Person, label: int) -> LegendButton:
    return next(b for b in person.window.map.findChildren(LegendButton) if b.label == label)


# The colours


def test_a_figure_colours_the_points_as_the_key_says(
    person: Person, bundled: Snapshot, small_mnist: dict[str, ImageSet]
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
    assert person.color_at(person.position(lone)) == tuple(viridis[round(255 * share[lone])])

    bar = key_bar(key)
    assert len({tuple(color) for color in bar}) > 100
    assert all((viridis == color).all(1).any() for color in bar), "the very colours"
    np.testing.assert_allclose(bar[[0, -1]], viridis[[-1, 0]], atol=6)
    beside = bar[round((1 - share[lone]) * (len(bar) - 1))]
    np.testing.assert_allclose(person.color_at(person.position(lone)), beside, atol=4)

    person.trigger("scheme_dark")
    QApplication.processEvents()
    assert person.color_at(person.position(lone)) == tuple(viridis[255 - round(255 * share[lone])])
    color_by(person, "Label")
    assert not key.isVisible()
    assert swatch(person, 3) == tuple(CLASS_COLORS[3].tolist())
    label_color = tuple(CLASS_COLORS[person.labels[lone]].tolist())
    assert person.color_at(person.position(lone)) == label_color


def key_bar(key: ColorKey) -> UInt8:
    """The colours (k, 3) down the middle of the bar, without its outermost pixels."""
    image = key.grab().toImage()
    column = [image.pixelColor(8 + 7, y) for y in range(image.height())]
    ground = column[0]
    colors = [(c.red(), c.green(), c.blue()) for c in column if c != ground]
    return np.array(colors[:160], np.uint8)[1:-1]


def test_figures_are_computed_and_then_colour(person: Person, checkpoint: Path) -> None:
    person.window.app.model.open(checkpoint)
    person.wait(lambda: "tiny" in person.model_line)
    person.trigger("split_test")
    person.wait(lambda: len(person.positions) == 300)
    lone = person.lone
    color_by(person, "ELBO gap")
    figures = person.window.app.scores
    person.wait(lambda: len(figures.known) == 3 and np.isfinite(figures.known["elbo"]).all())
    person.wait(lambda: np.isfinite(figures.known["log_marginal"]).all(), seconds=60.0)
    gap = figures.known["log_marginal"] - figures.known["elbo"]
    assert (gap > -1e-3).all(), "the ELBO is a bound"
    muted = rgb(current_theme().muted)
    person.wait(lambda: person.color_at(person.position(lone)) != muted)


def test_a_figure_waits_until_the_points_rest(
    person: Person, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vae_explorer.session.runs.runs.LIVE_IMAGES", 100)
    monkeypatch.setattr("vae_explorer.session.training.worker.LIVE_SECONDS", 0.05)
    window, figures = person.window, person.window.app.scores
    window.training.set_recipe(recipe.replace(epochs=10_000))
    window.actions_["start"].trigger()
    person.wait(lambda: "as of epoch" in person.status)
    color_by(person, "Reconstruction error")
    (key,) = window.map.findChildren(ColorKey)
    assert "Computed when training pauses" in key.toolTip()
    assert {*window.map._cloud.colors.tolist()} == {QColor(current_theme().muted).rgb()}
    person.trigger("pause")
    person.wait(lambda: np.isfinite(figures.known.get("log_likelihood", np.nan)).all())
    person.wait(lambda: len({*window.map._cloud.colors.tolist()}) > 100)
    assert "log p(x|z)" in key.toolTip()
    assert not person.errors


def test_train_and_test_have_a_colour_each(person: Person) -> None:
    person.trigger("split_both")
    person.wait(lambda: len(person.positions) == 900)
    color_by(person, "Train or test")
    colors = person.window.map._cloud.colors & 0xFFFFFF
    train, test = (int.from_bytes(CLASS_COLORS[k].tobytes()) for k in range(2))
    assert colors.tolist() == [train] * 600 + [test] * 300
    (key,) = person.window.map.findChildren(ColorKey)
    assert key.accessibleDescription() == "Train or test, train, test"


def test_a_table_brings_its_columns(
    person: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = "".join(f"{n},{'even' if n % 2 == 0 else 'odd'}\n" for n in range(600))
    (tmp_path / "mine.csv").write_text(f"number,parity\n{rows}")
    answer = str(tmp_path / "mine.csv"), ""
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: answer)
    person.trigger("color_table")
    person.agree()
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
    person: Person, bundled: Snapshot, small_mnist: dict[str, ImageSet]
) -> None:
    lone, model = person.lone, bundled.model
    person.hover(person.position(lone))
    (card,) = person.window.findChildren(PointTooltip)
    person.wait(card.isVisible)
    thumbnail = person.window.app.map.thumbnail(lone)
    np.testing.assert_array_equal(thumbnail.image, small_mnist["train"].images[lone])
    assert card._label.text() == str(thumbnail.label) == str(person.labels[lone])
    assert not card._picture.pixmap().isNull()
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
