"""Pictures of the dialog by which files leave."""

from PySide6.QtWidgets import QLabel, QWidget

from vae_explorer.gui.dialogs.export import ExportDialog
from vae_explorer.gui.main_thread import run_events
from vae_explorer.gui.screenshots.camera import SETTLE_MS, Camera

_PATIENCE = 200
"""Times that a preview is looked for."""


def take(camera: Camera) -> None:
    """The dialog on each kind that can leave, of a lesson too."""
    app, window = camera.window.app, camera.window
    window.actions_["layout_learn"].trigger()
    run_events(SETTLE_MS)
    for name in app.exports.offers():

        def opened(name: str = name) -> QWidget:
            for before in window.findChildren(ExportDialog):
                before.reject()
            window.actions_["export"].trigger()
            dialog = [one for one in window.findChildren(ExportDialog) if one.isVisible()][-1]
            dialog.choose(name)
            labels = dialog.findChildren(QLabel)
            preview = next(label for label in labels if label.accessibleName() == "Preview")
            for _ in range(_PATIENCE):
                run_events(SETTLE_MS // 10)
                if preview.text() or not preview.pixmap().isNull():
                    break
            return dialog

        camera.widget(f"export-{name}", opened)
    for dialog in window.findChildren(ExportDialog):
        dialog.reject()
    window.actions_["layout_explore"].trigger()
