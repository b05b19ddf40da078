"""The message that asks where data are that were not found."""

from collections.abc import Callable, Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from vae_explorer.data.dataset import size_text
from vae_explorer.session.files.open_data import Missing


def ask_for_data(
    missing: Missing, answers: Mapping[str, Callable[[], object]], parent: QWidget
) -> None:
    """Tell which data are not there and why; calls what is chosen of ``answers``, or nothing."""
    wanted, own = missing.wanted, missing.own
    title = f"The images of “{wanted.name}” were not found"
    box = QMessageBox(QMessageBox.Icon.Question, "VAE Explorer", title, parent=parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setTextFormat(Qt.TextFormat.PlainText)
    size = f" of {size_text(own.image_shape)}" if own else ""
    path = f", from {wanted.source.path}" if wanted.source else ""
    what = f"{wanted.images:,} images{size}{path}, SHA-256 {wanted.fingerprint[:12]}…"
    end = (
        f"Without them the map shows {own.name}, which comes with the program."
        if own
        else "Only these very images can be trained on."
    )
    box.setInformativeText(f"{what}\n\n{missing.why}\n\n{end}")
    roles = QMessageBox.ButtonRole
    buttons = {box.addButton(text, roles.AcceptRole): answer for text, answer in answers.items()}
    box.setDefaultButton(next(iter(buttons)))
    box.setEscapeButton(box.addButton(QMessageBox.StandardButton.Cancel))

    def on_finished() -> None:
        for button, answer in buttons.items():
            if button is box.clickedButton():
                answer()

    box.finished.connect(on_finished)
    box.open()
