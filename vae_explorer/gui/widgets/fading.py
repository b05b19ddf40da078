"""A widget is faint while what it shows is of a model before that on the map."""

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QGraphicsOpacityEffect, QWidget

from vae_explorer.session.map.freshness import Freshness

FAINT = 0.35
"""Of the opacity of what is current."""
PATIENCE_MS = 150
"""Most is computed again sooner, and would only flicker."""


class Fading(QObject):
    """Makes ``widget``, its parent, faint and clear again."""

    def __init__(self, widget: QWidget, freshness: Freshness) -> None:
        super().__init__(widget)
        self._freshness = freshness
        self._effect = QGraphicsOpacityEffect(widget)
        self._effect.setOpacity(FAINT)
        self._effect.setEnabled(False)
        widget.setGraphicsEffect(self._effect)
        self._patience = QTimer(self, singleShot=True, interval=PATIENCE_MS)
        self._patience.timeout.connect(self._apply)
        freshness.changed.connect(self._on_changed)

    def _on_changed(self, current: bool) -> None:
        if current:
            self._apply()
        else:
            self._patience.start()

    def _apply(self) -> None:
        self._effect.setEnabled(not self._freshness.current)
