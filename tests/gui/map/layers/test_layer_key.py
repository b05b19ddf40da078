from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from vae_explorer.gui.map.layers.layer_key import ColorBar, LayerKey
from vae_explorer.gui.plot.color_maps import sequential
from vae_explorer.gui.theme import DARK, Theme
from vae_explorer.session.map.marks import (
    ClassField,
    Curve,
    Ellipses,
    Field,
    LayerContent,
    Sheet,
    Spots,
    Trails,
)

REGION = (0.0, 1.0, 0.0, 1.0)
PLACES = np.zeros((2, 2), np.float32)
ROUND = np.eye(2, dtype=np.float32)[None].repeat(2, 0)
FIELD = Field(REGION, np.zeros((2, 2), np.float32), -250.0, -100.0, "nats")
CLASSES = ClassField(REGION, np.zeros((1, 1), np.uint8), np.ones((1, 1), np.float32))


@pytest.fixture
def key(qtbot: QtBot) -> LayerKey:
    widget = LayerKey()
    qtbot.addWidget(widget)
    widget.resize(260, 400)
    widget.show()
    return widget


def words(key: LayerKey) -> list[str]:
    return [label.text() for label in key.findChildren(QLabel) if label.isVisible()]


def test_nothing_to_explain_takes_no_room(key: LayerKey) -> None:
    key.set_content(LayerContent((Sheet(np.zeros((1, 4)), np.zeros((1, 2, 2), np.float32)),)))
    assert words(key) == []
    assert key.sizeHint().height() == 0


def test_a_field_has_three_values_and_a_unit(key: LayerKey) -> None:
    key.set_content(LayerContent((FIELD,), "log p(x|z) of image 12"))
    assert words(key) == ["−250", "−175", "−100", "nats", "log p(x|z) of image 12"]


def test_lines_say_their_texts_and_named_ellipses_their_radii(key: LayerKey) -> None:
    curves = [Curve((PLACES,), text) for text in ("25 %", "50 %", "50 %", "")]
    key.set_content(
        LayerContent((*curves, Ellipses(PLACES, ROUND, named=True), Spots(PLACES, "modes")))
    )
    assert words(key) == ["25 %, 50 %", "1, 2, 3 σ", "modes"]
    key.set_content(
        LayerContent(
            (Ellipses(PLACES, ROUND), Spots(PLACES[:1], "mode"), Spots(PLACES[:0], "none"))
        )
    )
    assert words(key) == ["mode"]


def test_classes_and_trails_are_told_in_words(key: LayerKey) -> None:
    key.set_content(LayerContent((CLASSES, Trails(PLACES, PLACES, np.zeros(2, np.uint8)))))
    assert words(key) == ["each move ends at its dot", "Colours are those of the classes."]


@pytest.mark.parametrize("fading", [False, True])
def test_the_bar_shows_the_colours_over_the_canvas(
    key: LayerKey, show_theme: Callable[[Theme], None], fading: bool
) -> None:
    show_theme(DARK)
    key.set_opacity(0.5)
    key.set_content(LayerContent((Field(REGION, FIELD.values, 0.0, 1.0, "", fading),)))
    bar = key.findChild(ColorBar)
    shown = bar.grab().toImage()
    canvas = QColor(DARK.canvas)
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        color = QColor.fromRgba(int(sequential(DARK, fading)[round(share * 255)]))
        alpha = 0.5 * color.alphaF()
        at = shown.pixelColor(round(share * (bar.width() - 1)), 5)
        for part in ("red", "green", "blue"):
            over, under = getattr(color, part)(), getattr(canvas, part)()
            wanted = alpha * over + (1 - alpha) * under
            assert getattr(at, part)() == pytest.approx(wanted, abs=6)


def test_no_text_is_clipped(key: LayerKey) -> None:
    key.set_content(
        LayerContent(
            (
                Field(REGION, FIELD.values, -1.234e-5, 5.678e-5, "nats per square unit of z " * 3),
                *(Curve((PLACES,), f"{share} %") for share in range(10, 99, 5)),
                Ellipses(PLACES, ROUND, tuple(np.arange(1.0, 30.0).tolist()), named=True),
            ),
            "A note that is much longer than any line of the panel could ever be, and so it wraps.",
        )
    )
    key.resize(260, key.heightForWidth(260))
    assert key.minimumSizeHint().width() <= 260
    assert key.height() == key.heightForWidth(260)
    key.grab()
    for label in key.findChildren(QLabel):
        if label.isVisible():
            assert label.width() >= label.minimumSizeHint().width()
            assert label.height() >= label.heightForWidth(label.width())
