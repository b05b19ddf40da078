from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QToolButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from vae_explorer.gui.training.health_banner import HealthBanner
from vae_explorer.training.health import Finding

COLLAPSE = Finding("Posterior collapse", "KL < 0.1 nats.", "Lower β.")
DEAD = Finding("A dead unit", "1 of 2.", "Another seed.")


@pytest.fixture
def banner(qtbot: QtBot) -> Iterator[HealthBanner]:
    dock = QWidget()
    qtbot.addWidget(dock)
    layout = QVBoxLayout(dock)
    banner = HealthBanner()
    layout.addWidget(banner)
    layout.addStretch(1)
    dock.resize(340, 400)
    with qtbot.waitExposed(dock):
        dock.show()
    yield banner
    dock.hide()


def test_it_takes_no_room_until_something_is_wrong(banner: HealthBanner) -> None:
    assert not banner.isVisible()
    banner.set_findings(())
    assert not banner.isVisible()


def test_findings_are_told_whole_and_as_plain_text(qtbot: QtBot, banner: HealthBanner) -> None:
    banner.set_findings((COLLAPSE, DEAD))
    assert banner.isVisible()
    text = banner.findChild(QLabel).text()
    for part in ("Posterior collapse", "KL &lt; 0.1 nats.", "Lower β.", "A dead unit"):
        assert part in text
    label = banner.findChild(QLabel)
    qtbot.waitUntil(lambda: label.height() >= label.heightForWidth(label.width()))
    banner.set_findings(())
    assert not banner.isVisible()


def test_it_stays_dismissed_until_there_is_something_new(
    qtbot: QtBot, banner: HealthBanner
) -> None:
    banner.set_findings((COLLAPSE,))
    close = banner.findChild(QToolButton)
    assert close.accessibleName() == "Dismiss"
    qtbot.keyClick(close, Qt.Key.Key_Space)
    assert not banner.isVisible()
    banner.set_findings((DEAD,))
    assert banner.isVisible()
    assert "collapse" not in banner.findChild(QLabel).text()


def test_a_failure_says_its_reason(banner: HealthBanner) -> None:
    banner.set_findings((COLLAPSE,))
    banner.set_failure("Training diverged at step 7.")
    text = banner.findChild(QLabel).text()
    assert "Training ended early" in text
    assert "diverged at step 7" in text
    banner.clear()
    assert not banner.isVisible()
