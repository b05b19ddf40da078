import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QIcon, QImage
from PySide6.QtWidgets import QApplication

from vae_explorer.gui.theme import DARK, LIGHT, Theme
from vae_explorer.gui.training.icons import NAMES, SIDE, icon


def picture(name: str, theme: Theme, mode: QIcon.Mode = QIcon.Mode.Normal) -> QImage:
    return icon(name, theme).pixmap(QSize(SIDE, SIDE), 2.0, mode).toImage()


def ink(image: QImage) -> dict[tuple[int, int], QColor]:
    """The pixels that are painted in full."""
    positions = [(x, y) for x in range(image.width()) for y in range(image.height())]
    colors = {position: image.pixelColor(*position) for position in positions}
    return {position: color for position, color in colors.items() if color.alpha() == 255}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_a_sign_is_painted_in_the_colour_of_text(
    qapp: QApplication, name: str, theme: Theme
) -> None:
    image = picture(name, theme)
    painted = ink(image)
    assert 0.04 < len(painted) / (image.width() * image.height()) < 0.7
    assert {color.name() for color in painted.values()} == {theme.text}
    disabled = ink(picture(name, theme, QIcon.Mode.Disabled))
    assert {color.name() for color in disabled.values()} == {theme.grid}
    edge = image.width() - 1
    assert not any({x, y} & {0, edge} for x, y in painted), "nothing is cut off"


def test_signs_differ(qapp: QApplication) -> None:
    shapes = {frozenset(ink(picture(name, LIGHT))) for name in NAMES}
    assert len(shapes) == len(NAMES)
