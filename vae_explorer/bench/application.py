"""The one QApplication a benchmark process may have."""

import os

from PySide6.QtWidgets import QApplication

from vae_explorer.gui.app import prepare


def application(*, needs_screen: bool = False) -> QApplication:
    """The application, on the screen if one is needed, else wherever Qt can run."""
    if not needs_screen and not os.environ.get("DISPLAY"):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        app = QApplication([])
        prepare(app)
    return app
