from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QObject, QVariantAnimation
from PySide6.QtWidgets import (
    QApplication,
    QProxyStyle,
    QStyle,
    QStyleHintReturn,
    QStyleOption,
    QWidget,
)

from vae_explorer.gui.map.easing import DURATION_MS, Easing
from vae_explorer.types import Float32

START = np.array([(0, 0), (1, -2), (3, 3)], np.float32)
END = np.array([(2, 0), (1, 2), (-3, 5)], np.float32)


class CalmStyle(QProxyStyle):
    """Of a system that asks for reduced motion."""

    def styleHint(
        self,
        hint: QStyle.StyleHint,
        option: QStyleOption | None = None,
        widget: QWidget | None = None,
        more: QStyleHintReturn | None = None,
    ) -> int:
        if hint == QStyle.StyleHint.SH_Widget_Animation_Duration:
            return 0
        return super().styleHint(hint, option, widget, more)


@pytest.fixture
def easing(qapp: QApplication) -> Iterator[Easing]:
    parent = QObject()
    yield Easing(parent)
    parent.deleteLater()


@pytest.fixture
def positions(easing: Easing) -> list[Float32]:
    """Every position told."""
    told: list[Float32] = []
    easing.moved.connect(told.append)
    return told


def go_to(easing: Easing, share: float) -> None:
    """As if so much of the time had passed."""
    (animation,) = easing.findChildren(QVariantAnimation)
    animation.setCurrentTime(round(share * DURATION_MS))


def test_points_go_straight_and_arrive(easing: Easing, positions: list[Float32]) -> None:
    easing.start(START, END)
    go_to(easing, 0.5)
    np.testing.assert_allclose(positions[-1], (START + END) / 2, atol=1e-6)
    assert positions[-1].dtype == np.float32
    go_to(easing, 1.0)
    assert positions[-1] is END


def test_they_begin_and_end_slowly(easing: Easing, positions: list[Float32]) -> None:
    easing.start(START, END)
    xs = []
    for share in (0.1, 0.5, 0.6, 0.9):
        go_to(easing, share)
        xs.append(float(positions[-1][0, 0]) / 2)
    assert xs == sorted(xs)
    assert xs[0] < 0.05
    assert xs[2] - xs[1] > 0.1
    assert xs[3] > 0.95


def test_a_new_aim_replaces_the_old_one(easing: Easing, positions: list[Float32]) -> None:
    easing.start(START, END)
    go_to(easing, 0.5)
    easing.start(positions[-1], START)
    go_to(easing, 1.0)
    assert positions[-1] is START


def test_a_stop_is_at_once(easing: Easing, positions: list[Float32]) -> None:
    easing.start(START, END)
    easing.stop()
    count = len(positions)
    (animation,) = easing.findChildren(QVariantAnimation)
    assert animation.state() == QVariantAnimation.State.Stopped
    assert len(positions) == count
    assert not any(position is END for position in positions)


def test_without_motion_points_jump(
    easing: Easing, positions: list[Float32], monkeypatch: pytest.MonkeyPatch
) -> None:
    style = CalmStyle()
    monkeypatch.setattr(QApplication, "style", lambda: style)
    easing.start(START, END)
    (there,) = positions
    assert there is END
    (animation,) = easing.findChildren(QVariantAnimation)
    assert animation.state() == QVariantAnimation.State.Stopped
