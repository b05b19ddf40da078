import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QIcon, QImage
from PySide6.QtWidgets import QApplication, QToolButton
from pytestqt.qtbot import QtBot

from tests.support.person import ShowTheme
from vae_explorer.gui.theme import DARK, LIGHT, Theme
from vae_explorer.gui.widgets.icons import NAMES, SIDE, SMALL, icon


def picture(
    name: str,
    scale: float = 2.0,
    mode: QIcon.Mode = QIcon.Mode.Normal,
    state: QIcon.State = QIcon.State.Off,
) -> QImage:
    return icon(name).pixmap(QSize(SIDE, SIDE), scale, mode, state).toImage()


def ink(image: QImage) -> dict[tuple[int, int], QColor]:
    """The pixels that are painted in full."""
    positions = [(x, y) for x in range(image.width()) for y in range(image.height())]
    colors = {position: image.pixelColor(*position) for position in positions}
    return {position: color for position, color in colors.items() if color.alpha() == 255}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_a_sign_is_painted_in_the_colours_of_the_theme(
    show_theme: ShowTheme, name: str, theme: Theme
) -> None:
    show_theme(theme)
    image = picture(name)
    painted = ink(image)
    assert 0.02 < len(painted) / (image.width() * image.height()) < 0.7
    assert {color.name() for color in painted.values()} == {theme.text}
    on = ink(picture(name, state=QIcon.State.On))
    assert {color.name() for color in on.values()} == {theme.accent}
    disabled = picture(name, mode=QIcon.Mode.Disabled)
    assert not ink(disabled), "nothing is as strong as what is enabled"
    assert any(bytes(disabled.constBits()))
    edge = image.width() - 1
    assert not any({x, y} & {0, edge} for x, y in painted), "nothing is cut off"


@pytest.mark.parametrize(("scale", "width"), [(1.0, 1.5), (1.5, 2.5), (2.0, 3.0)])
def test_straight_lines_are_sharp(qapp: QApplication, scale: float, width: float) -> None:
    image = picture("stop", scale)
    assert image.width() == SIDE * scale
    row = [image.pixelColor(x, image.height() // 2).alphaF() for x in range(image.width() // 2)]
    touched = [alpha for alpha in row if alpha > 0.02]
    assert sum(touched) == pytest.approx(width, abs=0.05)
    assert len(touched) == -(-width // 1), "no pixel is grey on either side"


@pytest.mark.parametrize("side", [SMALL, SIDE])
def test_signs_differ(qapp: QApplication, side: int) -> None:
    images = [icon(name).pixmap(QSize(side, side), 1.0).toImage() for name in NAMES]
    assert len({bytes(image.constBits()) for image in images}) == len(NAMES)


def test_a_button_follows_the_scheme_by_itself(qtbot: QtBot, show_theme: ShowTheme) -> None:
    button = QToolButton()
    qtbot.addWidget(button)
    button.setIcon(icon("run"))
    button.show()
    for theme in (LIGHT, DARK):
        show_theme(theme)
        assert theme.text in {color.name() for color in ink(button.grab().toImage()).values()}
