from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QCheckBox,
    QComboBox,
    QLabel,
    QPushButton,
    QSlider,
)
from pytestqt.qtbot import QtBot

from vae_explorer.gui.explore.paths.frame_strip import FrameStrip
from vae_explorer.gui.explore.paths.path_panel import PathPanel
from vae_explorer.gui.theme import DARK, LIGHT, Theme
from vae_explorer.gui.widgets.number_box import NumberBox
from vae_explorer.gui.widgets.readout import Readout
from vae_explorer.session.explore.latent_paths import KINDS, LatentPath, PathKind

LEFT = Qt.MouseButton.LeftButton


def path(n: int) -> LatentPath:
    positions = np.stack([np.linspace(-3, 3, n), np.full(n, -1.25)], axis=1).astype(np.float32)
    images = np.full((n, 28, 28), 0.5, np.float32)
    return LatentPath(
        "row",
        positions,
        positions,
        images,
        positions[:, 0],
        positions,
        positions[:1],
        note="A row",
    )


@pytest.fixture
def panel(qtbot: QtBot) -> PathPanel:
    panel = PathPanel()
    qtbot.addWidget(panel)
    panel.set_theme(LIGHT)
    panel.resize(900, 170)
    with qtbot.waitActive(panel):
        panel.show()
        panel.activateWindow()
    panel.set_path(path(5))
    return panel


@pytest.fixture
def chosen(panel: PathPanel) -> list[tuple[str, int, bool]]:
    told: list[tuple[str, int, bool]] = []
    panel.chosen.connect(lambda *choice: told.append(choice))
    return told


@pytest.fixture
def frames(panel: PathPanel) -> Iterator[list[int]]:
    """What is asked for, which is shown at once."""
    told: list[int] = []
    panel.frame_chosen.connect(told.append)
    panel.frame_chosen.connect(panel.set_frame)
    yield told
    panel.hide()


def button(panel: PathPanel, text: str) -> QAbstractButton:
    return next(one for one in panel.findChildren(QAbstractButton) if one.text() == text)


def texts(panel: PathPanel) -> list[str]:
    return [readout.text() for readout in panel.findChildren(Readout)]


def pick(panel: PathPanel, kind: str) -> None:
    """Choose a kind by the keyboard, as a person does."""
    (combo,) = panel.findChildren(QComboBox)
    combo.setFocus()
    row = combo.findData(kind)
    QTest.keyClick(combo, Qt.Key.Key_Home)
    for _ in range(row):
        QTest.keyClick(combo, Qt.Key.Key_Down)
    assert combo.currentIndex() == row


def tick(panel: PathPanel, times: int = 1) -> None:
    """Let the clock strike."""
    for _ in range(times):
        panel.findChild(QTimer).timeout.emit()


def test_choices_are_told_together(panel: PathPanel, chosen: list[tuple[str, int, bool]]) -> None:
    pick(panel, "straight")
    panel.findChild(NumberBox).setValue(24)
    button(panel, "Closed").click()
    assert chosen == [("straight", 16, False), ("straight", 24, False), ("straight", 24, True)]


def test_the_same_kind_again_is_told_again(
    panel: PathPanel, chosen: list[tuple[str, int, bool]]
) -> None:
    pick(panel, "walk")
    combo, told = panel.findChild(QComboBox), len(chosen)
    combo.showPopup()
    QTest.keyClick(combo.view(), Qt.Key.Key_Return)
    assert chosen[told:] == [("walk", 16, False)]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_chosen_elsewhere_is_shown_and_not_told(
    panel: PathPanel, chosen: list[tuple[str, int, bool]], kind: PathKind
) -> None:
    panel.set_choice(kind.id, 24, kind.closable)
    combo, closed = panel.findChild(QComboBox), button(panel, "Closed")
    assert (combo.currentText(), combo.toolTip()) == (kind.name, kind.about)
    assert panel.findChild(NumberBox).value() == 24
    assert (closed.isEnabled(), closed.isChecked()) == (kind.closable, kind.closable)
    panel.set_choice("", 16, False)
    assert (combo.currentText(), combo.toolTip()) == ("No path", "")
    assert not closed.isEnabled()
    assert chosen == []


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_leads_through_pins_can_be_closed(panel: PathPanel, kind: PathKind) -> None:
    pick(panel, kind.id)
    assert button(panel, "Closed").isEnabled() == ("pinned" in kind.about)
    assert panel.findChild(QComboBox).toolTip() == kind.about


def test_it_plays_frame_by_frame_and_begins_again(panel: PathPanel, frames: list[int]) -> None:
    button(panel, "Play").click()
    assert panel.findChild(QTimer).isActive()
    tick(panel, 6)
    assert frames == [1, 2, 3, 4, 0, 1]
    button(panel, "Pause").click()
    assert not panel.findChild(QTimer).isActive()


def test_without_a_loop_it_ends_and_can_be_played_anew(panel: PathPanel, frames: list[int]) -> None:
    button(panel, "Loop").click()
    panel.set_frame(3)
    button(panel, "Play").click()
    tick(panel, 2)
    assert frames == [4]
    assert not panel.findChild(QTimer).isActive()
    button(panel, "Play").click()
    tick(panel)
    assert frames == [4, 0, 1]


def test_speed_is_in_frames_a_second(panel: PathPanel) -> None:
    slider = panel.findChild(QSlider)
    for speed in (1, 20):
        slider.setValue(speed)
        assert panel.findChild(QTimer).interval() == 1_000 // speed
        assert slider.toolTip().startswith(f"{speed} ")


@pytest.mark.parametrize("how", ["hidden", "no path"])
def test_what_nobody_sees_does_not_play(panel: PathPanel, frames: list[int], how: str) -> None:
    button(panel, "Play").click()
    if how == "hidden":
        panel.hide()
    else:
        panel.set_path(None)
        assert not button(panel, "Play").isEnabled()
        assert not button(panel, "Export…").isEnabled()
    assert not panel.findChild(QTimer).isActive()
    assert button(panel, "Play").text() == "Play"


def test_a_new_path_plays_on(panel: PathPanel, frames: list[int]) -> None:
    button(panel, "Play").click()
    panel.set_frame(4)
    panel.set_path(path(3))
    assert panel.findChild(QTimer).isActive()
    tick(panel)
    assert frames == [0]


def test_setting_says_nothing(
    panel: PathPanel, chosen: list[tuple[str, int, bool]], frames: list[int]
) -> None:
    panel.set_frame(2)
    panel.set_path(None)
    panel.set_path(path(2))
    panel.set_frame(9)
    panel.set_theme(DARK)
    assert (chosen, frames) == ([], [])


def test_the_strip_and_the_export_are_asked_for(panel: PathPanel, frames: list[int]) -> None:
    asked: list[str] = []
    panel.export_requested.connect(lambda: asked.append("export"))
    button(panel, "Export…").click()
    strip = panel.findChild(FrameStrip)
    QTest.mouseClick(strip.viewport(), LEFT, pos=strip.frame_rect(2).center())
    assert (asked, frames) == (["export"], [2])


def test_the_text_says_where_the_frame_is_and_what_is_known_of_it(
    panel: PathPanel, show_theme: Callable[[Theme], None]
) -> None:
    known = replace(
        path(5),
        percentile=np.array([0, 7, 50, 93, 100], np.float32),
        log_likelihood=np.array([-500, -400.25, -300, -200, -100], np.float32),
    )
    panel.set_path(known)
    panel.set_frame(1)
    about, now = texts(panel)
    assert about == "A row"
    assert now.startswith("2 of 5 · z = (−1.500, −1.250)")
    assert "q(z) above 7 % of codes" in now
    assert "log p(x|z) −400.2 nats" in now
    assert LIGHT.kl in now
    show_theme(DARK)
    assert DARK.kl in texts(panel)[1]
    panel.set_path(None)
    assert texts(panel) == ["", ""]


def test_a_geodesic_says_what_it_saves(panel: PathPanel) -> None:
    panel.set_path(replace(path(5), length=75.04, straight_length=100.0))
    assert texts(panel)[0] == "A row · length 75.0, straight 100.0: 25 % saved"
    panel.set_path(replace(path(5), length=0.0, straight_length=0.0))
    assert texts(panel)[0].endswith("0 % saved")


@pytest.mark.parametrize(("width", "height"), [(900, 170), (760, 170), (759, 210), (500, 210)])
def test_nothing_is_clipped(panel: PathPanel, width: int, height: int) -> None:
    long = "train 12,345 → … → train 54,321 → train 12,345 · 24 stops"
    curve = np.full(64, -1234.5, np.float32)
    full = replace(path(64), note=long, length=153.7, straight_length=160.9)
    panel.set_path(replace(full, percentile=curve * 0 + 100, log_likelihood=curve))
    panel.set_frame(63)
    panel.resize(width, height)
    QApplication.processEvents()
    assert panel.size().toTuple() == (width, height)
    fixed = (QPushButton, QCheckBox, NumberBox)
    for widget in (one for kind in fixed for one in panel.findChildren(kind)):
        assert widget.width() >= widget.minimumSizeHint().width()
        assert panel.rect().contains(widget.geometry())
    for readout in panel.findChildren(Readout):
        label = readout.findChild(QLabel)
        needed = label.heightForWidth(label.width()) if label.wordWrap() else label.height()
        assert needed <= readout.height()
        assert label.wordWrap() or label.sizeHint().width() <= label.width()
    strip = panel.findChild(FrameStrip)
    assert strip.height() >= strip.minimumSizeHint().height()
    assert strip.viewport().rect().contains(strip.frame_rect(63))


def test_the_panel_says_what_a_path_lacks_or_waits_for(panel: PathPanel) -> None:
    strip = panel.findChild(FrameStrip)
    about = panel.results[1]
    panel.set_progress("Geodesics: measuring the plane")
    assert about.text() == "Geodesics: measuring the plane"
    panel.set_progress("")
    assert about.text() == "A row"
    panel.set_path(None)
    assert "Pin two images" in strip.accessibleDescription()
    panel.set_pinned(2)
    assert strip.accessibleDescription() == "No frames. Choose a kind of path above."
    panel.set_progress("Geodesics: measuring the plane")
    assert "measuring" in strip.accessibleDescription()
    assert about.text() == ""
