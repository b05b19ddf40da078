"""What every instrument's view is."""

from collections.abc import Collection, Mapping

from PySide6.QtWidgets import QWidget

from vae_explorer.gui.theme import Theme


class InstrumentView(QWidget):
    """Draws an instrument and sends it what a person sets.

    ``controls`` are the widgets that a lesson may hide, by the names that its files use.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.controls: Mapping[str, QWidget] = {}

    def set_theme(self, theme: Theme) -> None:
        """Take the theme's colours."""

    def set_hidden(self, names: Collection[str]) -> None:
        """Hide these controls, and show all others."""
        for name, control in self.controls.items():
            control.setVisible(name not in names)
