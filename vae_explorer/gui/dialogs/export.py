"""The one dialog by which files are taken away."""

import os
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Slot
from PySide6.QtGui import QGuiApplication, QImage, QPixmap
from PySide6.QtWidgets import (
    QComboBox,
    QDialogButtonBox,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from vae_explorer.errors import UserError
from vae_explorer.export.kinds import KINDS, Kind, kind_of
from vae_explorer.export.requests import Request
from vae_explorer.gui.dialogs.ask_path import AskPath, FileKind, ask_save, may_write
from vae_explorer.gui.dialogs.form import FormDialog
from vae_explorer.gui.theme import MARGIN, SPACE
from vae_explorer.gui.widgets.controls import Controls
from vae_explorer.gui.widgets.rows import Scrolled, column, held, label_of, row
from vae_explorer.session.files.exports import Exports

_PREVIEW = 260
"""Pixels a side."""
_SETTLE_MS = 150
_LINES = 14
"""Of a table, in its preview."""


class ExportDialog(FormDialog):
    """What can leave, how it will look, and where it goes; it stays open until that is there.

    Args:
        exports: makes it.
        ask: knows the folder.
        first: what is chosen at first, a kind or a request.
        parent: the window.
    """

    def __init__(
        self, exports: Exports, ask: AskPath, first: str | Request, parent: QWidget
    ) -> None:
        super().__init__("Export", "Export", parent)
        self._exports = exports
        self._ask = ask
        self._requests = exports.offers()
        if isinstance(first, Request):
            self._requests[kind_of(first).name], first = first, kind_of(first).name
        self._name = first if first in self._requests else next(iter(self._requests))
        self._typed_name = False
        self._replaced: Path | None = None  # a person has said that it may be
        self._busy = False
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLE_MS)
        self._settle.timeout.connect(self._look)

        self._kinds = QListWidget()
        self._kinds.setAccessibleName("What to export")
        for name in sorted(self._requests, key=lambda name: name != self._name):
            item = QListWidgetItem(KINDS[name].title)
            item.setData(Qt.ItemDataRole.UserRole, name)
            item.setToolTip(KINDS[name].about)
            self._kinds.addItem(item)
        self._kinds.setFixedWidth(self._kinds.sizeHintForColumn(0) + 4 * SPACE)
        self._kinds.setCurrentRow(0)
        self._kinds.currentItemChanged.connect(self._on_kind)

        self._about = QLabel(wordWrap=True)
        self._form = QVBoxLayout()
        self._controls: Controls | None = None
        options = Scrolled(held(column(self._form, None)))
        options.setMinimumWidth(270)

        self._preview = QLabel(alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
        self._preview.setAccessibleName("Preview")
        self._preview.setTextFormat(Qt.TextFormat.PlainText)
        self._preview.setFixedSize(_PREVIEW, _PREVIEW)
        self._preview.setFrameShape(QLabel.Shape.StyledPanel)
        self._size = QLabel(wordWrap=True)
        self._size.setAccessibleName("Size")
        self._size.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

        self._format = QComboBox(sizeAdjustPolicy=QComboBox.SizeAdjustPolicy.AdjustToContents)
        self._format.currentIndexChanged.connect(self._on_format)
        self._file = QLineEdit()
        self._file.setAccessibleName("File")
        self._file.setMinimumWidth(320)
        self._file.textChanged.connect(self._check)
        self._file.textEdited.connect(self._on_typed)
        browse = QPushButton("Browse…")
        browse.clicked.connect(self._browse)
        for text, tip, act in (
            ("Copy as Command", "The command line that writes the same file", exports.command),
            ("Copy as Python", "The lines of Python that write the same file", exports.python),
        ):
            button = self._buttons.addButton(text, QDialogButtonBox.ButtonRole.HelpRole)
            button.setToolTip(tip)
            button.clicked.connect(lambda _=False, act=act: self._copy(act))

        self._top = held(
            row(
                self._kinds,
                (column(self._about, (options, 1)), 1),
                column(self._preview, self._size, None),
                spacing=2 * MARGIN,
            )
        )
        line = row(
            label_of(self._format, "Fo&rmat"), self._format,
            label_of(self._file, "Fi&le"), self._file, browse, wide=self._file,
        )  # fmt: skip
        self._line = held(line)
        whole = QVBoxLayout(self)
        whole.addWidget(self._top, 1)
        whole.addWidget(self._line)
        whole.addWidget(self._buttons)
        self.resize(880, 460)
        exports.ended.connect(self._on_ended)
        self.finished.connect(self._on_finished)
        self._show_kind()

    @property
    def kind(self) -> Kind:
        """What is chosen."""
        return KINDS[self._name]

    @property
    def request(self) -> Request:
        """What the form says now."""
        return self._requests[self._name]

    @property
    def path(self) -> Path:
        """The chosen file; the suffix of the format is added where none was typed."""
        chosen: str = self._format.currentData()
        others = (suffix for suffix in self.kind.suffixes if suffix != chosen)
        return FileKind(self.kind.title, (chosen, *others)).named(Path(self._typed))

    @property
    def _typed(self) -> str:
        # Unlike pathlib's, this one takes a "~somebody" whom nobody knows.
        return os.path.expanduser(self._file.text().strip())

    def choose(self, kind: str) -> None:
        """Show another kind."""
        for number in range(self._kinds.count()):
            if self._kinds.item(number).data(Qt.ItemDataRole.UserRole) == kind:
                self._kinds.setCurrentRow(number)

    def _show_kind(self) -> None:
        self._about.setText(self.kind.about)
        if self._controls is not None:
            for shown in self._controls.rows.values():
                shown.deleteLater()
            self._controls.deleteLater()
        self._controls = Controls(self.request, self)
        self._controls.changed.connect(self._on_edited)
        rows = self._controls.rows.values()
        labels = [label for one in rows for label in one.findChildren(QLabel) if label.buddy()]
        width = max((label.sizeHint().width() for label in labels), default=0)
        for label in labels:
            label.setMinimumWidth(width)
        for shown in rows:
            self._form.addWidget(shown)
        with QSignalBlocker(self._format):
            self._format.clear()
            for suffix in self.kind.suffixes:
                self._format.addItem(suffix[1:].upper(), suffix)
        self._typed_name = False
        self._show_request()

    def _show_request(self) -> None:
        self._size.setText(self._exports.size(self.request))
        if not self._typed_name:
            self._file.setText(str(self._free()))
        self._settle.start()

    def _free(self) -> Path:
        suffix: str = self._format.currentData()
        return self._exports.free(self._ask.folder / f"{self.request.stem}{suffix}")

    def _on_kind(self, item: QListWidgetItem) -> None:
        self._name = item.data(Qt.ItemDataRole.UserRole)
        self._show_kind()

    def _on_edited(self, name: str, value: object) -> None:
        assert self._controls is not None
        try:
            self._requests[self._name] = self.request.replace(**{name: value})
            self._controls.show(self.request)
            self._show_request()
        except UserError as error:
            self._size.setText(f"{error}")

    @Slot()
    def _on_format(self) -> None:
        typed, suffix = Path(self._typed), self._format.currentData()
        if not self._typed_name:
            self._file.setText(str(self._free()))
        elif typed.suffix.lower() in self.kind.suffixes:
            self._file.setText(str(typed.with_suffix(suffix)))
        self._settle.start()

    @Slot()
    def _on_typed(self) -> None:
        self._typed_name = True
        typed = Path(self._typed).suffix.lower()
        if typed in self.kind.suffixes:
            with QSignalBlocker(self._format):
                self._format.setCurrentIndex(self.kind.suffixes.index(typed))

    @Slot()
    def _check(self) -> None:
        name = os.path.basename(self._typed)
        good = name not in ("", ".", "..") and not os.path.isdir(self._typed)
        self.go.setEnabled(good and not self._busy)

    @Slot()
    def _browse(self) -> None:
        kinds = [
            FileKind(f"{suffix[1:].upper()} files", (suffix,)) for suffix in self.kind.suffixes
        ]
        kinds.sort(key=lambda kind: kind.suffixes[0] != self._format.currentData())
        path = ask_save(self, self.windowTitle(), Path(self._file.text()), *kinds)
        if path is not None:
            self._file.setText(str(path))
            self._on_typed()
            self._replaced = path

    def _copy(self, words: Callable[[Request, Path], str]) -> None:
        try:
            text = words(self.request, self.path)
        except UserError as error:
            self._size.setText(f"{error}")
            return
        QGuiApplication.clipboard().setText(text)

    @Slot()
    def _look(self) -> None:
        self._exports.preview(self.request, self._format.currentData(), self._on_preview)

    def _on_preview(self, found: bytes | str) -> None:
        picture = QImage.fromData(found) if isinstance(found, bytes) else QImage()
        if not picture.isNull():
            side = _PREVIEW - 8
            mode = Qt.TransformationMode.SmoothTransformation
            if max(picture.width(), picture.height()) < side:
                mode = Qt.TransformationMode.FastTransformation
            pixmap = QPixmap.fromImage(picture)
            self._preview.setAlignment(Qt.AlignmentFlag.AlignCenter)
            self._preview.setPixmap(
                pixmap.scaled(side, side, Qt.AspectRatioMode.KeepAspectRatio, mode)
            )
            return
        table, flags = isinstance(found, bytes), Qt.AlignmentFlag
        self._preview.setWordWrap(not table)
        self._preview.setAlignment(flags.AlignTop | flags.AlignLeft if table else flags.AlignCenter)
        text = found.decode(errors="replace") if isinstance(found, bytes) else found
        metrics, room = self._preview.fontMetrics(), _PREVIEW - 2 * MARGIN
        self._preview.setText(
            "\n".join(
                metrics.elidedText(line, Qt.TextElideMode.ElideRight, room) if table else line
                for line in text.splitlines()[:_LINES]
            )
        )

    @override
    def accept(self) -> None:
        if self.refuses():
            return
        path = self.path
        if path == self._replaced or may_write(self, path):
            self._ask.remember(path)
            self._set_busy(True)
            self._exports.export(self.request, path)

    @override
    def reject(self) -> None:
        if self._busy:
            self._exports.cancel()
        else:
            super().reject()

    def _set_busy(self, busy: bool) -> None:
        self._busy = busy
        self._top.setEnabled(not busy)
        self._line.setEnabled(not busy)
        self._check()

    def _on_ended(self, good: bool) -> None:
        if not self._busy:
            return
        self._set_busy(False)
        if good:
            self.done(self.DialogCode.Accepted)

    @Slot()
    def _on_finished(self) -> None:
        self._exports.ended.disconnect(self._on_ended)
        self._settle.stop()
        self._exports.leave_preview()
