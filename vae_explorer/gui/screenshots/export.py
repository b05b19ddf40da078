"""Pictures of the dialog by which files leave."""

from PySide6.QtWidgets import QWidget

from vae_explorer.gui.dialogs.export import ExportDialog
from vae_explorer.gui.screenshots.camera import Camera


def take(camera: Camera) -> None:
    """The dialog on each kind that can leave."""
    app, window = camera.window.app, camera.window
    for name in app.exports.offers():

        def opened(name: str = name) -> QWidget:
            for before in window.findChildren(ExportDialog):
                before.reject()
            window.actions_["export"].trigger()
            dialog = [one for one in window.findChildren(ExportDialog) if one.isVisible()][-1]
            dialog.choose(name)
            return dialog

        camera.widget(f"export-{name}", opened)
    for dialog in window.findChildren(ExportDialog):
        dialog.reject()
