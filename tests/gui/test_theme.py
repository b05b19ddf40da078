from itertools import combinations

import numpy as np
import pyqtgraph as pg
import pytest
from PySide6.QtCore import QEvent
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from vae_explorer.gui.theme import (
    CLASS_COLORS,
    DARK,
    LIGHT,
    NAMED_COLORS,
    SchemeChoice,
    Theme,
    apply_scheme,
    current_theme,
    style_plot,
)

pytestmark = pytest.mark.usefixtures("system_scheme")


def contrast(first: str | QColor, second: str | QColor) -> float:
    """WCAG 2 contrast ratio."""
    light, dark = sorted((_luminance(QColor(first)), _luminance(QColor(second))), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: QColor) -> float:
    rgb = np.array([color.redF(), color.greenF(), color.blueF()])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["text", "muted", "accent"])
def test_words_can_be_read(theme: Theme, name: str) -> None:
    for background in (theme.canvas, theme.window, theme.raised):
        assert contrast(getattr(theme, name), background) >= 4.5


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_curves_can_be_seen_and_told_apart(theme: Theme) -> None:
    curves = (theme.train, theme.held_out, theme.log_likelihood, theme.kl)
    assert len(set(curves)) == 4
    assert min(contrast(curve, theme.canvas) for curve in curves) >= 4.5


def test_the_ten_classes_differ() -> None:
    assert CLASS_COLORS.shape == (10, 3)
    assert CLASS_COLORS[0].tolist() == [0x3F, 0x90, 0xDA]
    for colors in (CLASS_COLORS, NAMED_COLORS):
        distances = [
            np.abs(a.astype(int) - b.astype(int)).sum() for a, b in combinations(colors, 2)
        ]
        assert min(distances) > 40
    assert NAMED_COLORS.shape == (20, 3)


@pytest.mark.parametrize(
    ("choice", "theme"), [(SchemeChoice.LIGHT, LIGHT), (SchemeChoice.DARK, DARK)]
)
def test_a_choice_reaches_every_widget(qtbot: QtBot, choice: SchemeChoice, theme: Theme) -> None:
    told: list[QEvent.Type] = []

    class Listener(QWidget):
        def changeEvent(self, event: QEvent) -> None:
            told.append(event.type())

    other = SchemeChoice.DARK if choice is SchemeChoice.LIGHT else SchemeChoice.LIGHT
    apply_scheme(other)
    listener = Listener()
    qtbot.addWidget(listener)
    listener.show()  # what was never on screen is not told
    QApplication.processEvents()
    told.clear()
    apply_scheme(choice)
    assert current_theme() is theme
    qtbot.waitUntil(lambda: QEvent.Type.PaletteChange in told)
    palette = listener.palette()
    assert palette.color(QPalette.ColorRole.Window) == QColor(theme.window)
    assert palette.color(QPalette.ColorRole.WindowText) == QColor(theme.text)


@pytest.mark.parametrize("choice", [SchemeChoice.LIGHT, SchemeChoice.DARK])
def test_everything_the_palette_draws_can_be_read(qapp: QApplication, choice: SchemeChoice) -> None:
    apply_scheme(choice)
    palette, role = QApplication.palette(), QPalette.ColorRole
    for text, background in (
        (role.WindowText, role.Window),
        (role.Text, role.Base),
        (role.Text, role.AlternateBase),
        (role.ButtonText, role.Button),
        (role.ToolTipText, role.ToolTipBase),
        (role.HighlightedText, role.Highlight),
        (role.Link, role.Base),
        (role.PlaceholderText, role.Base),
    ):
        assert contrast(palette.color(text), palette.color(background)) >= 4.5, (text, background)


def test_the_system_gets_its_own_colours_back(qapp: QApplication) -> None:
    apply_scheme(SchemeChoice.SYSTEM)
    before, theme = QApplication.palette(), current_theme()
    apply_scheme(SchemeChoice.DARK)
    apply_scheme(SchemeChoice.LIGHT)
    apply_scheme(SchemeChoice.SYSTEM)
    assert QApplication.palette() == before
    assert current_theme() is theme


def test_a_plot_takes_the_theme(qtbot: QtBot) -> None:
    plot = pg.PlotWidget()
    qtbot.addWidget(plot)
    for theme in (LIGHT, DARK):
        style_plot(plot.getPlotItem(), theme)
        for side in ("left", "bottom", "right", "top"):
            axis = plot.getAxis(side)
            assert axis.pen().color() == QColor(theme.grid)
            assert axis.textPen().color() == QColor(theme.text)
