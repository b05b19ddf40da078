"""PySide6 6.12.0 loses references on Python below 3.12 until the interpreter aborts."""

import sys

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot


class Sender(QObject):
    sent = Signal(bool)


def test_calls_into_qt_keep_the_reference_counts(qtbot: QtBot) -> None:
    sender, label = Sender(), QLabel()
    qtbot.addWidget(label)
    calls = 200
    before = (sys.getrefcount(True), sys.getrefcount(None))
    for number in range(calls):
        sender.sent.emit(True)
        label.setText(str(number))
    after = (sys.getrefcount(True), sys.getrefcount(None))
    assert all(abs(a - b) < calls / 4 for a, b in zip(after, before, strict=True))
