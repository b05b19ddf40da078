"""Pictures of the dialog by which files leave."""

from PySide6.QtWidgets import QLabel, QWidget

from vae_explorer.gui.dialogs.export import ExportDialog
from vae_explorer.gui.main_thread import run_events
from vae_explorer.gui.screenshots.camera import SETTLE_MS, Camera, wait
from vae_explorer.training.recipe import Recipe

_PATIENCE = 200
"""Times that a preview is looked for."""


def take(camera: Camera) -> None:
    """The dialog on each kind that can leave, of a lesson and of a run too."""
    app, window = camera.window.app, camera.window
    window.actions_["layout_learn"].trigger()
    run_events(SETTLE_MS)
    known = app.exports.offers()
    _take(camera, [*known])
    small = Recipe(epochs=1).replace(encoder_hidden="128", decoder_hidden="128")
    app.runs.train(small)
    wait(lambda: app.training.active)
    wait(lambda: not app.training.active and "film" in app.exports.offers())
    _take(camera, [name for name in app.exports.offers() if name not in known])
    window.actions_["layout_explore"].trigger()


def _take(camera: Camera, names: list[str]) -> None:
    window = camera.window
    for name in names:

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
