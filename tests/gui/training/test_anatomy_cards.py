import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from vae_explorer.data.dataset import ImageSet
from vae_explorer.gui.theme import DARK, LIGHT, Theme
from vae_explorer.gui.training.anatomy_card import Card, image_color
from vae_explorer.gui.training.anatomy_cards import cards, short_name
from vae_explorer.training.anatomy import StepAnatomy, dissect
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.trainer import Trainer

SIZES = [(320, 180), (180, 200), (420, 400)]


def shown(
    qtbot: QtBot,
    number: int,
    anatomy: StepAnatomy,
    size: tuple[int, int] = SIZES[0],
) -> tuple[Card, QImage]:
    """One card as it is drawn when its stage is lit."""
    card = cards()[number]
    qtbot.addWidget(card)
    card.set_anatomy(anatomy)
    card.set_reached(True, True)
    card.resize(*size)
    return card, picture(card)


def picture(widget: QWidget) -> QImage:
    return widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)


def colors(image: QImage) -> dict[str, int]:
    """How many pixels have a colour."""
    pixels = np.frombuffer(image.constBits(), np.uint32)
    values, counts = np.unique(pixels, return_counts=True)
    return {
        QColor(int(value)).name(): int(count) for value, count in zip(values, counts, strict=True)
    }


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("number", range(5))
def test_a_stage_that_is_reached_is_drawn(
    qtbot: QtBot,
    anatomy: StepAnatomy,
    number: int,
    theme: Theme,
    size: tuple[int, int],
    show_theme: Callable[[Theme], None],
) -> None:
    show_theme(theme)
    card, image = shown(qtbot, number, anatomy, size)
    drawn = colors(image)
    assert drawn[theme.accent] > size[0], "a lit frame"
    card.set_reached(False, False)
    blank = colors(picture(card))
    assert theme.accent not in blank
    assert blank[theme.canvas] > drawn[theme.canvas]
    assert len(drawn) > len(blank)


def test_the_images_and_their_decodings_are_on_their_cards(
    qtbot: QtBot, anatomy: StepAnatomy
) -> None:
    _, encode = shown(qtbot, 0, anatomy)
    ink = anatomy.x.mean()  # of binary images
    drawn = colors(encode)
    assert drawn["#ffffff"] > 0
    images = drawn["#000000"] / (1 - ink)
    assert 8 * 30**2 < images < 320 * 180
    _, decode = shown(qtbot, 2, anatomy)
    gray = {QColor(name).red() for name in colors(decode) if _is_gray(name)}
    assert len(gray) > 50, "decoded pixels are probabilities"


def _is_gray(name: str) -> bool:
    color = QColor(name)
    return color.red() == color.green() == color.blue()


def test_each_image_has_its_colour_on_every_picture(qtbot: QtBot, anatomy: StepAnatomy) -> None:
    for number in (0, 1, 2):
        _, image = shown(qtbot, number, anatomy, (420, 400))
        drawn = colors(image)
        assert all(image_color(index).name() in drawn for index in range(8)), number


def test_ellipses_are_to_scale(qtbot: QtBot, anatomy: StepAnatomy) -> None:
    alone = dataclasses.replace(
        anatomy,
        x=anatomy.x[:1],
        mean=np.zeros((1, 2), np.float32),
        covariance=np.diag([0.64, 0.16]).astype(np.float32)[None],
        z=np.zeros((1, 2), np.float32),
        decoded=anatomy.decoded[:1],
    )
    _, image = shown(qtbot, 0, alone, (620, 400))
    color = image_color(0)
    positions = [
        (x, y)
        for x in range(250, 610)
        for y in range(30, 390)
        if image.pixelColor(x, y).name() == color.name()
    ]
    xs, ys = zip(*positions, strict=True)
    width, height = max(xs) - min(xs), max(ys) - min(ys)
    # Two standard deviations of 0.8 and 0.4 to each side, of a plane of 4.4 latent units.
    side = 400 - 12 - image_line(qtbot)
    assert width == pytest.approx(3.2 / 4.4 * side, rel=0.03)
    assert height == pytest.approx(1.6 / 4.4 * side, rel=0.04)


def image_line(qtbot: QtBot) -> int:
    widget = QWidget()
    qtbot.addWidget(widget)
    return widget.fontMetrics().height()


def test_captions_tell_the_step(qtbot: QtBot, anatomy: StepAnatomy) -> None:
    captions = [shown(qtbot, number, anatomy)[0].caption() for number in range(5)]
    for caption, term in zip(
        captions, ("q(z|x)", "z = μ + L ε", "E[x|z]", "KL", "Δθ"), strict=True
    ):
        assert term in caption
        assert caption.endswith(".")
        assert "{" not in caption
    assert "8 of 50" in captions[0]
    assert f"{anatomy.learning_rate:.3g}" in captions[4]


def test_the_gradient_has_a_line_for_each_layer(qtbot: QtBot, anatomy: StepAnatomy) -> None:
    card, image = shown(qtbot, 4, anatomy)
    drawn = colors(image)
    assert drawn[LIGHT.train] > 50
    assert drawn[LIGHT.held_out] > 50
    deep = dataclasses.replace(anatomy, layers=anatomy.layers * 8)
    before = card.minimumSizeHint().height()
    card.set_anatomy(deep)
    line = card.fontMetrics().height()
    assert card.minimumSizeHint().height() > max(before, 8 * len(anatomy.layers) * line)


def test_bars_of_the_terms_are_in_proportion(qtbot: QtBot, anatomy: StepAnatomy) -> None:
    known = dataclasses.replace(
        anatomy,
        log_likelihood=np.full(8, -90, np.float32),
        kl=np.full(8, 30, np.float32),
    )
    _, image = shown(qtbot, 3, known, (420, 400))
    drawn = colors(image)
    areas = [drawn[color] for color in (LIGHT.log_likelihood, LIGHT.kl, LIGHT.train)]
    assert areas[0] / areas[2] == pytest.approx(90 / 120, rel=0.03)
    assert areas[1] / areas[2] == pytest.approx(30 / 120, rel=0.06)


def test_names_are_short() -> None:
    assert short_name("encoder.0") == "enc.0"
    assert short_name("decoder.blocks.1.first") == "dec.blocks.1.first"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "ELBO = log p(x|z) − KL(q(z|x) ‖ p(z)): how well z explains x"),
        ({"beta": 4.0}, "climbs log p(x|z) − β KL, with β = 4."),
        ({"objective": "iwae", "samples": 5}, "climbs IWAE-5 = log mean p(x, z) / q(z|x) over 5"),
        ({"objective": "iwae-dreg", "samples": 7}, "climbs IWAE-7"),
        ({"objective": "exact"}, "the decoder climbs log p(x), summed over 1,600 z"),
        ({"objective": "exact", "elbo_share": 0.25}, "climbs 0.75 log p(x) + 0.25 ELBO"),
    ],
)
def test_the_terms_say_what_the_step_climbs(
    recipe: Recipe, digits: ImageSet, changes: dict[str, Any], said: str
) -> None:
    card = cards()[3]
    card.set_anatomy(dissect(Trainer(recipe.replace(**changes), digits, "cpu")))
    assert said in card.caption()
