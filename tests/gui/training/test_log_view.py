import re

from PySide6.QtGui import QAccessible
from pytestqt.qtbot import QtBot

from vae_explorer.gui.training.log_view import MAX_LINES, LogView


def test_lines_are_stamped_and_plain(qtbot: QtBot) -> None:
    log = LogView()
    qtbot.addWidget(log)
    log.append("<b>epoch 1</b>\nheld-out −140.2")
    first, second = log.toPlainText().splitlines()
    assert re.fullmatch(r"\d\d:\d\d:\d\d  <b>epoch 1</b>", first)
    assert second == " " * 10 + "held-out −140.2"


def test_the_oldest_lines_go(qtbot: QtBot) -> None:
    log = LogView()
    qtbot.addWidget(log)
    for number in range(MAX_LINES + 50):
        log.append(f"line {number}")
    lines = log.toPlainText().splitlines()
    assert len(lines) == MAX_LINES
    assert lines[0].endswith("line 50")
    assert lines[-1].endswith(f"line {MAX_LINES + 49}")


def test_it_can_be_read_only(qtbot: QtBot) -> None:
    log = LogView()
    qtbot.addWidget(log)
    log.append("kept")
    qtbot.keyClicks(log, "typed")
    assert log.toPlainText().endswith("kept")
    assert log.tabChangesFocus()
    name = QAccessible.queryAccessibleInterface(log).text(QAccessible.Text.Name)
    assert name == "Training log"
