from collections.abc import Callable
from time import perf_counter

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QIcon, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from tests.support.person import Person
from vae_explorer import paths
from vae_explorer.gui.map.canvas import MapCanvas
from vae_explorer.gui.theme import DARK, LIGHT, SchemeChoice, Theme, apply_scheme
from vae_explorer.gui.window.splash import MapAlone, Splash
from vae_explorer.session.files.settings import Settings
from vae_explorer.session.map.state import MapPoints

pytestmark = pytest.mark.usefixtures("system_scheme")


@pytest.mark.parametrize(
    ("choice", "theme"), [(SchemeChoice.LIGHT, LIGHT), (SchemeChoice.DARK, DARK)]
)
def test_it_shows_icon_and_words_in_the_schemes_colours(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, choice: SchemeChoice, theme: Theme
) -> None:
    icon = QIcon(str(paths.resources() / "icons" / "vae-explorer.svg"))
    monkeypatch.setattr(QApplication, "windowIcon", lambda: icon)
    apply_scheme(choice)
    splash = Splash()
    qtbot.addWidget(splash)
    image = splash.pixmap().toImage()
    assert image.pixelColor(0, 0) == QColor(theme.canvas)
    middle = image.width() * 4 // 10
    assert _painted(image, 0, middle) > 1_000, "the icon"
    assert _painted(image, middle, image.width()) > 500, "the words"
    for color in (theme.text, theme.muted):
        assert (_pixels(image) == QColor(color).rgb()).any()


def test_it_does_not_hold_up_the_start(qtbot: QtBot) -> None:
    splash = Splash()
    qtbot.addWidget(splash)
    start = perf_counter()
    splash.show()
    assert perf_counter() - start < 0.8, "QSplashScreen on its own waits for a second"
    assert splash.isVisible()


def test_it_goes_when_the_window_comes(qtbot: QtBot) -> None:
    splash, window = Splash(), QWidget()
    qtbot.addWidget(splash)
    qtbot.addWidget(window)
    splash.show()
    window.show()
    splash.finish(window)
    assert not splash.isVisible()
    assert window.isVisible()


def test_the_map_alone_is_looked_at_until_the_window_comes(qtbot: QtBot, points: MapPoints) -> None:
    front, window = MapAlone(points, "no geometry"), QWidget()
    qtbot.addWidget(window)
    front.show()
    QApplication.processEvents()
    canvas = front.findChild(MapCanvas)
    assert canvas is not None
    empty = QColor(LIGHT.canvas).rgb()
    assert (_pixels(canvas.grab().toImage()) != empty).mean() > 0.01
    assert front.region is None, "nobody has moved it"
    QTest.keyClick(canvas, Qt.Key.Key_Plus)
    left, right, *_ = front.region or (0, 0)
    assert 0 < right - left < 20
    assert not front.close()
    assert front.closed
    assert front.isVisible(), "the program would end without the window that a run is saved by"
    window.show()
    front.finish(window)
    assert not front.isVisible()


def test_the_map_alone_is_where_that_of_the_next_window_will_be(
    open_person: Callable[..., Person],
) -> None:
    first = open_person()
    first.window.time_bar.show()  # of a run, which the next window has not
    QApplication.processEvents()
    first.close()
    second = open_person().window
    settings, points = Settings.read(paths.settings_file()), first.window.app.map.points
    assert points is not None
    front = MapAlone(points, settings.geometry, settings.around_map)
    front.show()
    front.resize(second.size())  # for which the screen of tests is too small
    QApplication.processEvents()
    alone = front.findChild(MapCanvas)
    assert alone is not None
    assert alone.size() == second.map.canvas.size()
    assert alone.mapTo(front, QPoint()) == second.map.canvas.mapTo(second, QPoint())
    front.deleteLater()


@pytest.mark.parametrize("around", [(-1, 0, 0, 0), (600, 0, 600, 0), (0, 10**9, 0, 0)])
def test_margins_that_leave_no_room_are_none(
    qtbot: QtBot, points: MapPoints, around: tuple[int, ...]
) -> None:
    front = MapAlone(points, "no geometry", around)
    qtbot.addWidget(front)
    canvas = front.findChild(MapCanvas)
    front.show()
    QApplication.processEvents()
    assert canvas is not None
    assert canvas.width() > front.width() * 0.7
    assert canvas.height() > front.height() * 0.7


def _pixels(image: QImage) -> "np.ndarray[tuple[int, int], np.dtype[np.uint32]]":
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.frombuffer(image.constBits(), np.uint32).copy()  # outlives the image
    return pixels.reshape(image.height(), image.width())


def _painted(image: QImage, left: int, right: int) -> int:
    pixels = _pixels(image)
    return int((pixels[:, left:right] != pixels[0, 0]).sum())
