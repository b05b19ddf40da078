from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QSpinBox, QWidget
from pytestqt.qtbot import QtBot

from vae_explorer.gui.widgets.wheel_guard import spare_from_wheel


def test_the_wheel_changes_only_the_editor_with_the_focus(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    here, there = QSpinBox(window), QSpinBox(window)
    there.move(0, 50)
    spare_from_wheel(here, there)
    with qtbot.waitExposed(window):
        window.show()
    window.activateWindow()
    here.setFocus()
    qtbot.waitUntil(here.hasFocus)
    for editor in (here, there):
        QApplication.sendEvent(editor, _wheel_up())
    assert (here.value(), there.value()) == (1, 0)


def _wheel_up() -> QWheelEvent:
    return QWheelEvent(
        QPointF(5, 5),
        QPointF(5, 5),
        QPoint(0, 0),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
