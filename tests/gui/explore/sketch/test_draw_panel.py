from collections.abc import Callable, Iterator
from itertools import combinations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QSignalSpy, QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QLabel,
    QScrollArea,
    QSlider,
    QToolButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from vae_explorer.data.bundled import mnist
from vae_explorer.gui.explore.decode.digit_view import DigitView
from vae_explorer.gui.explore.sketch.draw_panel import WIDTH, DrawPanel
from vae_explorer.gui.explore.sketch.drawing_pad import DrawingPad
from vae_explorer.gui.theme import DARK, Theme
from vae_explorer.gui.widgets.readout import Readout
from vae_explorer.session.explore.image_truth import ImageBound, ImageTruth
from vae_explorer.session.explore.sketch_reading import NEIGHBOURS, Neighbour, Reading
from vae_explorer.session.map.state import Thumbnail

LEFT = Qt.MouseButton.LeftButton
BOUND = ImageBound(
    x=np.zeros((1, 28, 28), np.float32),
    mean=np.array([-1.234, 2.5], np.float32),
    covariance=np.diag([0.02**2, 0.04**2]).astype(np.float32),
    elbo=-131.25,
    log_likelihood=-125.25,
    kl=6.0,
)
READING = Reading(BOUND, ImageTruth(BOUND, -129.5, 0.0, np.zeros(2), np.zeros(2), np.eye(2), 0.0))


@pytest.fixture
def panel(qtbot: QtBot) -> DrawPanel:
    panel = DrawPanel()
    qtbot.addWidget(panel)
    panel.resize(300, 700)
    panel.show()
    QApplication.processEvents()
    return panel


def pad_of(panel: DrawPanel) -> DrawingPad:
    (pad,) = panel.findChildren(DrawingPad)
    return pad


def button(panel: DrawPanel, text: str) -> QToolButton:
    return next(found for found in panel.findChildren(QToolButton) if found.text() == text)


def view(panel: DrawPanel, name: str) -> DigitView:
    views = panel.findChildren(DigitView)
    return next(found for found in views if found.accessibleName() == name)


def middle(panel: DrawPanel, name: str) -> tuple[int, int, int]:
    """The colour in the middle of a picture, (red, green, blue)."""
    shown = view(panel, name)
    height = shown.height() - (shown.fontMetrics().height() + 3)
    color = shown.grab().toImage().pixelColor(shown.width() // 2, height // 2)
    return color.red(), color.green(), color.blue()


def figures(panel: DrawPanel) -> list[str]:
    return [readout.text() for readout in panel.findChildren(Readout)]


def neighbours(count: int) -> tuple[Neighbour, ...]:
    data = mnist("train")
    assert data.labels is not None
    return tuple(
        Neighbour(Thumbnail(n, int(label), data.images[n], str(label)), 5.26 + n)
        for n, label in enumerate(data.labels[:count])
    )


def draw(panel: DrawPanel) -> None:
    pad = pad_of(panel)
    QTest.mousePress(pad, LEFT, pos=QPoint(60, 60))
    QTest.mouseMove(pad, QPoint(150, 150))
    QTest.mouseRelease(pad, LEFT, pos=QPoint(150, 150))


def fill(panel: DrawPanel) -> None:
    panel.set_seen(np.full((28, 28), 255, np.uint8))
    panel.set_reconstruction(np.full((28, 28), 0.2, np.float32))
    panel.set_figures(READING)
    panel.set_nearest(neighbours(NEIGHBOURS))


def test_drawing_is_told_and_clearing_too(panel: DrawPanel) -> None:
    drawn, cleared = QSignalSpy(panel.drawn), QSignalSpy(panel.cleared)
    draw(panel)
    ink = drawn.at(drawn.count() - 1)[0]
    np.testing.assert_array_equal(ink, pad_of(panel).ink())
    assert cleared.count() == 0
    told = drawn.count()
    button(panel, "Clear").click()
    assert (drawn.count(), cleared.count()) == (told, 1)
    button(panel, "Undo").click()
    np.testing.assert_array_equal(drawn.at(drawn.count() - 1)[0], ink)
    button(panel, "Undo").click()
    assert cleared.count() == 2
    assert not button(panel, "Undo").isEnabled()


def test_erase_lets_the_left_button_erase(panel: DrawPanel) -> None:
    draw(panel)
    button(panel, "Erase").click()
    panel.findChild(QSlider).setValue(16)
    draw(panel)
    assert not pad_of(panel).ink().any()


def test_the_slider_sets_the_thickness(panel: DrawPanel) -> None:
    areas = []
    for steps in (3, 16):
        panel.findChild(QSlider).setValue(steps)
        draw(panel)
        areas.append(np.count_nonzero(pad_of(panel).ink()))
        pad_of(panel).clear()
    assert areas[1] > 4 * areas[0]


def test_setting_says_nothing(qtbot: QtBot, panel: DrawPanel) -> None:
    signals = panel.drawn, panel.cleared, panel.pad.image_dropped, panel.pad.file_dropped
    spies = [QSignalSpy(signal) for signal in signals]
    fill(panel)
    panel.pad.set_image(mnist("test").images[0])
    panel.pad.set_image(np.zeros((28, 28), np.uint8))
    qtbot.wait(50)
    assert [spy.count() for spy in spies] == [0, 0, 0, 0]
    button(panel, "Undo").click()
    assert pad_of(panel).ink().any()


def test_it_shows_what_the_model_sees_and_makes_of_it(
    panel: DrawPanel, show_theme: Callable[[Theme], None]
) -> None:
    fill(panel)
    assert middle(panel, "Drawing as the model sees it") == (255, 255, 255)
    assert middle(panel, "Reconstruction of the drawing") == (51, 51, 51)
    panel.set_seen(None)
    panel.set_reconstruction(None)
    show_theme(DARK)
    corner = view(panel, "Drawing as the model sees it").grab().toImage().pixelColor(20, 20)
    assert corner.name() == DARK.canvas


def test_figures_are_written_with_their_units(panel: DrawPanel) -> None:
    panel.set_figures(READING)
    names = [label.text() for label in panel.findChildren(QLabel)]
    assert [name for name in names if name in ("q mean", "log p(x)", "ELBO", "Gap")]
    assert figures(panel) == [
        "(−1.234, 2.500)",
        "0.040 × 0.020",
        "−129.5 nats",
        "−131.2 nats",
        "1.8 nats",
    ]


def test_what_is_not_known_yet_is_a_dash(panel: DrawPanel) -> None:
    panel.set_figures(Reading(BOUND))
    assert figures(panel)[2:] == ["—", "−131.2 nats", "—"]
    panel.set_figures(None)
    assert set(figures(panel)) == {"—"}


def test_the_nearest_come_with_label_and_distance(panel: DrawPanel) -> None:
    panel.set_nearest(neighbours(2))
    views = [view(panel, f"Nearest image {n + 1}") for n in range(NEIGHBOURS)]
    assert [found.accessibleDescription() for found in views] == ["5 · 5.3", "0 · 6.3", *"———"]
    assert views[1].toolTip() == "0 · #1 · distance 6.3"
    panel.set_nearest(())
    assert {found.accessibleDescription() for found in views} == {"—"}


def parts(panel: DrawPanel) -> Iterator[QWidget]:
    kinds = (QLabel, QAbstractButton, QSlider, DigitView, DrawingPad, Readout)
    content = panel.findChild(QScrollArea).widget()
    for widget in content.children():
        if isinstance(widget, kinds):
            yield widget


@pytest.mark.parametrize("points", [9, 13])
@pytest.mark.parametrize("size", [(WIDTH, 300), (300, 900), (520, 400), (1200, 500)])
def test_nothing_is_clipped_and_nothing_overlaps(
    panel: DrawPanel, size: tuple[int, int], points: int
) -> None:
    font = panel.font()
    font.setPointSize(points)
    panel.setFont(font)
    fill(panel)
    panel.resize(*size)
    QApplication.processEvents()
    assert panel.width() == size[0]
    assert panel.findChild(QScrollArea).horizontalScrollBar().maximum() == 0
    for widget in parts(panel):
        assert widget.width() >= widget.minimumSizeHint().width(), widget
        assert widget.height() >= widget.minimumSizeHint().height(), widget
    found = list(parts(panel))
    assert len(found) > 20
    for one, other in combinations(found, 2):
        assert not one.geometry().intersects(other.geometry()), (one, other)


@pytest.mark.parametrize("size", [(300, 620), (WIDTH, 400), (300, 250)])
def test_nothing_overlaps_where_a_short_panel_is_first_shown(
    qtbot: QtBot, size: tuple[int, int]
) -> None:
    panel = DrawPanel()
    qtbot.addWidget(panel)
    panel.resize(*size)
    panel.show()
    QApplication.processEvents()
    for one, other in combinations(parts(panel), 2):
        assert not one.geometry().intersects(other.geometry()), (one, other)


def test_a_wide_panel_has_two_columns(panel: DrawPanel) -> None:
    seen = view(panel, "Drawing as the model sees it")
    assert seen.geometry().top() > pad_of(panel).geometry().bottom()
    panel.resize(800, 500)
    QApplication.processEvents()
    assert seen.geometry().left() > pad_of(panel).geometry().right()
    assert seen.geometry().top() < 20


def test_figures_do_not_move_the_panel(panel: DrawPanel) -> None:
    positions = [part.geometry() for part in parts(panel)]
    fill(panel)
    QApplication.processEvents()
    assert [part.geometry() for part in parts(panel)] == positions
