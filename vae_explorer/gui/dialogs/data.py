"""A dialog that shows how images will be read and what is proposed, before they are taken."""

from dataclasses import replace
from functools import partial
from typing import Any

from PySide6.QtCore import Slot
from PySide6.QtWidgets import (
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QListWidget,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from vae_explorer.data.dataset import Dataset, size_text
from vae_explorer.data.preview import facts, form
from vae_explorer.data.reading import Reading, Report
from vae_explorer.gui.dialogs.form import FormDialog
from vae_explorer.gui.lessons.picture_grid import PictureGrid
from vae_explorer.gui.training.progress_text import format_duration
from vae_explorer.gui.widgets.controls import Controls
from vae_explorer.gui.widgets.rows import Scrolled, button, column, held, row
from vae_explorer.session.files.open_data import Look, OpenData
from vae_explorer.training.recipe import Recipe


class DataDialog(FormDialog):
    """Shows a look at images, takes choices, and is accepted once they have been read.

    Args:
        data: reads them.
        look: the first.
        parent: the window.
    """

    def __init__(self, data: OpenData, look: Look, parent: QWidget) -> None:
        super().__init__(f"Open {look.found.name}", "Open", parent)
        self._data, self._look = data, look
        self._read: Dataset | None = None
        self._asked: bool | None = None  # to train on them, too, once they have been read
        self._train = self._buttons.addButton(
            "Open and Train", QDialogButtonBox.ButtonRole.ActionRole
        )
        self._train.clicked.connect(lambda: self._ask(train=True))
        self._pictures = PictureGrid("As the model will see them")
        self._pictures.setMinimumSize(420, 300)
        self._pictures.pointed.connect(self._on_pointed)
        self._offers = QVBoxLayout()
        self._texts = {
            name: QLabel(wordWrap=True)
            for name in ("Images", "Found sizes", "Range", "Classes", "Columns", "Split")
        }
        self._form: QWidget = QWidget()
        self._proposal = QLabel(wordWrap=True)
        self._progress = QLabel(wordWrap=True)
        self._notes = QListWidget()
        self._notes.setAccessibleName("What is converted or left out")
        self._notes.setWordWrap(True)
        rows = self._rows = QFormLayout()
        for name, label in self._texts.items():
            rows.addRow(name, label)
        rows.addRow("Proposed", self._proposal)
        self._choices = QVBoxLayout()
        side = Scrolled(held(column(rows, self._choices, None)))
        side.setMinimumWidth(400)
        left = column((self._pictures, 3), self._offers, (self._notes, 1))
        layout = QVBoxLayout(self)
        layout.addLayout(row((held(left), 1), (side, 1)), 1)
        layout.addWidget(self._progress)
        layout.addWidget(self._buttons)
        self.resize(960, 640)
        for signal, slot in (
            (data.looked, self._on_look),
            (data.refused, self._on_refused),
            (data.offered, self._on_read),
            (data.timed, self._on_timed),
            (data.progress, self._on_progress),
        ):
            signal.connect(slot)
            self.finished.connect(lambda _, signal=signal, slot=slot: signal.disconnect(slot))
        self.rejected.connect(data.leave)
        self._on_look(look)
        self.go.setFocus()  # and not Cancel

    @override
    def values(self) -> tuple[Dataset, Recipe, bool]:
        assert self._read is not None
        return self._read, self._look.recipe, bool(self._asked)

    @override
    def accept(self) -> None:
        self._ask(train=False)

    def _ask(self, *, train: bool) -> None:
        self._asked = train
        if self._read is not None:
            super().accept()
        else:
            self._set_ready(False)

    def _set_ready(self, ready: bool) -> None:
        self.go.setEnabled(ready)
        self.go.setDefault(ready)
        self._train.setEnabled(ready)

    def _choose(self, name: str, value: Any) -> None:
        # Another array has another size and range of its own.
        before = Reading(seed=self._look.reading.seed) if name == "images" else self._look.reading
        self._read, self._asked = None, None
        self._set_ready(True)
        self._data.open(self._look.path, replace(before, **{name: value}))

    def _on_look(self, look: Look) -> None:
        self._look, self._read, found = look, None, look.found
        color = "" if len(found.image_shape) == 3 else " gray"
        told = {name.capitalize(): text for name, text in facts(found).items()}
        told["Images"] = f"{found.counts['both']:,} of {size_text(found.image_shape)}{color}"
        for name, label in self._texts.items():
            label.setText(told[name])
            self._rows.setRowVisible(label, bool(told[name]))
        self._pictures.set_images(found.samples)
        self._show_notes(found.report)
        self._show_offers(look)
        self._show_choices(look)
        self._set_ready(True)
        self._show_proposal(look)

    def _show_notes(self, report: Report) -> None:
        self._notes.clear()
        self._notes.addItems(report.notes)
        if report.skipped_count:
            self._notes.addItem(f"{report.skipped_count:,} left out:")
        self._notes.addItems([f"{one.name}: {one.why}" for one in report.skipped])
        self._notes.setVisible(self._notes.count() > 0)

    def _show_offers(self, look: Look) -> None:
        _empty(self._offers)
        for offer in look.found.offers:
            pictures = PictureGrid(offer.why)
            pictures.setFixedHeight(90)
            pictures.set_images(offer.samples[:12])
            take = button(
                "Read like this",
                offer.why,
                partial(self._choose, offer.field, offer.value),
            )
            self._offers.addWidget(held(row((pictures, 1), take)))

    def _show_choices(self, look: Look) -> None:
        """Controls for what can be chosen; those that are there stay, for one has the keyboard."""
        settings = form(look.found)
        names = [name for name, spec in settings.specs().items() if spec.applies(settings)]
        shown = getattr(self, "_shown", None)
        if shown is None or [*shown.rows] != [name for name in settings.specs() if name != "kind"]:
            _empty(self._choices)
            shown = self._shown = Controls(settings, self)
            shown.changed.connect(self._choose)
            for line in shown.rows.values():
                self._choices.addWidget(line)
        shown.show(settings)
        for name, line in shown.rows.items():
            line.setVisible(name in names)

    @Slot(object)
    def _on_pointed(self, number: int | None) -> None:
        labels = self._look.found.sample_labels
        self._pictures.setToolTip("" if number is None else labels[number])

    def _on_progress(self, text: str) -> None:
        self._progress.setText(text)

    def _show_proposal(self, look: Look) -> None:
        recipe = look.recipe
        self._proposal.setText(
            f"{recipe.likelihood.capitalize()} likelihood, treatment {recipe.treatment}, "
            f"{recipe.network} {recipe.encoder_hidden}, {recipe.epochs:,} epochs of batches of "
            f"{recipe.batch_size:,}, {recipe.validation_images:,} images held out; "
            f"about {format_duration(look.seconds)}"
        )

    def _on_timed(self, seconds: float) -> None:
        self._show_proposal(replace(self._look, seconds=seconds))

    def _on_refused(self, why: str) -> None:
        self._set_ready(False)
        self._progress.setText(why)

    def _on_read(self, data: Dataset) -> None:
        self._read = data
        told = (*self._look.found.report.notes, *data.report.notes)
        self._show_notes(replace(data.report, notes=tuple(dict.fromkeys(told))))
        split, copies = self._texts["Split"], data.report.duplicates
        found = f"{copies:,} of these also" if copies else "none of these"
        split.setText(f"{split.text()}; {found} among those to train on")
        if self._asked is not None:
            self._ask(train=self._asked)


def _empty(layout: QVBoxLayout) -> None:
    while (item := layout.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            widget.deleteLater()
