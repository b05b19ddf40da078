import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QAbstractButton,
    QCheckBox,
    QDockWidget,
    QGroupBox,
    QMainWindow,
    QRadioButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from tests.gui.test_theme import contrast
from tests.support.person import ShowTheme
from vae_explorer.gui.style import Style
from vae_explorer.gui.theme import DARK, LIGHT, Theme


def shades(widget: QWidget, width: int = 18) -> list[QColor]:
    """Those of its beginning, half way down."""
    image = widget.grab().toImage()
    return [image.pixelColor(x, image.height() // 2) for x in range(width)]


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("kind", [QCheckBox, QRadioButton])
def test_boxes_stand_out_and_tell_by_colour_what_is_on(
    qtbot: QtBot,
    show_theme: ShowTheme,
    theme: Theme,
    kind: type[QCheckBox] | type[QRadioButton],
) -> None:
    show_theme(theme)
    style, box = Style(), kind("box")
    box.setStyle(style)
    qtbot.addWidget(box)
    box.resize(box.sizeHint())
    empty = shades(box)
    assert max(contrast(shade, theme.window) for shade in empty) >= 3
    assert QColor(theme.accent) not in empty
    box.setChecked(True)
    assert QColor(theme.accent) in shades(box)
    assert max(contrast(shade, theme.accent) for shade in shades(box)[4:12]) >= 4.5, "the tick"
    strong = max(contrast(shade, theme.window) for shade in shades(box))
    box.setEnabled(False)
    assert max(contrast(shade, theme.window) for shade in shades(box)) < strong


def test_some_is_neither_all_nor_none(qtbot: QtBot, show_theme: ShowTheme) -> None:
    show_theme(LIGHT)
    style, box = Style(), QCheckBox("box")
    box.setStyle(style)
    box.setTristate()
    qtbot.addWidget(box)
    rows = []
    for state in Qt.CheckState:
        box.setCheckState(state)
        rows.append(tuple(shade.name() for shade in shades(box)))
    assert len(set(rows)) == 3


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_the_buttons_of_a_dock_can_be_seen(
    qtbot: QtBot, show_theme: ShowTheme, theme: Theme
) -> None:
    show_theme(theme)
    style, window, dock = Style(), QMainWindow(), QDockWidget("dock")
    qtbot.addWidget(window)
    dock.setStyle(style)
    dock.setWidget(QWidget())
    window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, dock)
    window.show()
    buttons = [button for button in dock.findChildren(QAbstractButton) if button.isVisible()]
    assert len(buttons) == 2
    for button in buttons:
        image = button.grab().toImage()
        pixels = [
            image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height())
        ]
        assert max(contrast(pixel, theme.window) for pixel in pixels) >= 4.5


def test_a_group_has_a_title_and_no_frame(qtbot: QtBot, show_theme: ShowTheme) -> None:
    show_theme(LIGHT)
    style, group = Style(), QGroupBox("title")
    group.setStyle(style)
    qtbot.addWidget(group)
    group.resize(200, 100)
    image = group.grab().toImage()
    assert {image.pixelColor(x, 80).name() for x in range(200)} == {LIGHT.window}
    assert len({image.pixelColor(x, y).name() for x in range(60) for y in range(16)}) > 2
