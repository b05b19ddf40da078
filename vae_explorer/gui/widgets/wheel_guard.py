"""The wheel over editors inside of something that scrolls."""

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QWidget
from typing_extensions import override


def spare_from_wheel(*editors: QWidget) -> None:
    """Let the wheel scroll past editors without focus, instead of changing them unawares."""
    for editor in editors:
        editor.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        editor.installEventFilter(_WheelGuard(editor))


class _WheelGuard(QObject):
    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.Wheel
            and isinstance(watched, QWidget)
            and not watched.hasFocus()
        ):
            event.ignore()
            return True
        return False
