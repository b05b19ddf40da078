"""A control with its name."""

from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QSlider, QWidget


def control_row(text: str, widget: QWidget, about: str, *others: QWidget) -> QWidget:
    """A control with a name before it, and what belongs to it behind.

    ``about`` is its tool tip, and part of its accessible name. Sliders and bars take what room
    there is.
    """
    row = QWidget()
    label = QLabel(text)
    label.setBuddy(widget)
    widget.setAccessibleName(f"{text}: {about}")
    widget.setToolTip(about)
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(label)
    for part in (widget, *others):
        layout.addWidget(part, 1 if isinstance(part, QSlider | QProgressBar) else 0)
    return row
