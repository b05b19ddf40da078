"""The sheet of keys and the about box."""

from collections.abc import Callable, Mapping, Sequence
from html import escape

from PySide6.QtCore import QSignalBlocker, Qt, QUrl
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QKeySequenceEdit,
    QLabel,
    QPushButton,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from vae_explorer import __version__, paths
from vae_explorer.gui.widgets.terms import Teacher
from vae_explorer.gui.window.actions import native
from vae_explorer.gui.window.records import MENUS, Command, is_key
from vae_explorer.session.terms import TERMS

GESTURES: tuple[tuple[str, str], ...] = (
    ("Move the pointer over the map", "Preview the image at that position"),
    ("Click", "Move the cursor there; on a point, pin its image"),
    ("Ctrl-click", "Pin or unpin a point"),
    ("Drag", "Scrub: the decoded image follows"),
    ("Shift-drag", "Select in a box; with Alt, deselect"),
    ("Shift+Ctrl-drag", "Select with a lasso; with Alt, deselect"),
    ("Wheel", "Zoom about the pointer; PgUp and PgDown, + and − too"),
    ("Middle-drag or Space-drag", "Pan"),
    ("Double-click an empty position", "Fit the map"),
    ("Right click on a map or a chart", "Export it, copy its picture or data, show all of it"),
    ("Arrow keys", "Move the cursor by 0.1 (Shift ×10, Ctrl ×0.1)"),
    ("Click a class in the legend", "Hide or show it; double-click isolates it"),
    ("Shift-click a class in the legend", "Select its points; with Ctrl too, add them"),
    ("Alt+Up, Alt+Down on a layer", "Move it up or down"),
    ("Drop a file on the window", "Open a model or a workspace, colour by a table, read a picture"),
)
"""What the mouse and the map's keys do."""

_ABOUT = f"""
<h2>VAE Explorer {__version__}</h2>
<p>A laboratory for variational autoencoders with a two-dimensional latent space.</p>
<p><b>Data.</b> MNIST, by Yann LeCun, Corinna Cortes and Christopher J. C. Burges;
<a href="https://creativecommons.org/licenses/by-sa/3.0/">CC BY-SA 3.0</a>.</p>
<p><b>Method.</b> Kingma &amp; Welling, <i>Auto-Encoding Variational Bayes</i>,
<a href="https://arxiv.org/abs/1312.6114">arXiv 1312.6114</a>, and <i>An Introduction to
Variational Autoencoders</i>, <a href="https://arxiv.org/abs/1906.02691">arXiv 1906.02691</a>.</p>
<p><b>Colours.</b> M. A. Petroff,
<a href="https://arxiv.org/abs/2107.02270">arXiv 2107.02270</a>.</p>
<p>VAE Explorer is free software under the MIT licence. It stands on Qt for Python (LGPL),
PyTorch, NumPy, SciPy and pyqtgraph.</p>
"""
_LOG = "<p><b>If something fails.</b> The log has more: <a href='{link}'>{path}</a></p>"


Keys = Mapping[str, str]


class TextDialog(QDialog):
    """A page of rich text that can be left open."""

    def __init__(self, title: str, html: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.resize(560, 620)
        self.text = text = QTextBrowser()
        text.setAccessibleName(title)
        text.setOpenExternalLinks(True)
        text.setHtml(html)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(text)
        layout.addWidget(buttons)


class KeysDialog(TextDialog):
    """The sheet of keys, whose keys can be changed.

    Args:
        commands: asked for all commands, with the keys that they have now.
        chosen: asked for the keys that a person chose, by the ids of commands, "" for none.
        choose: given those that are chosen now.
        parent: the window.
    """

    def __init__(
        self,
        commands: Callable[[], Sequence[Command]],
        chosen: Callable[[], Keys],
        choose: Callable[[Keys], object],
        parent: QWidget,
    ) -> None:
        super().__init__("Keys and Gestures", keys_html(commands()), parent)
        self._commands = commands
        self._chosen = chosen
        self._choose = choose
        self._command = commands()[0]
        self._name = QLabel()
        self._edit = QKeySequenceEdit()
        self._edit.setAccessibleName("Key of the command")
        self._edit.setMaximumSequenceLength(1)
        self._edit.setClearButtonEnabled(True)
        self._note = QLabel("Choose a key above to change it.", wordWrap=True)
        self._reset = QPushButton("Reset")
        self._reset.setToolTip("Give the command its own keys again")
        self._reset_all = QPushButton("Reset All")
        self._reset_all.setToolTip("Give every command its own keys again")
        row = QHBoxLayout()
        for widget in (self._name, self._edit, self._reset, self._reset_all):
            row.addWidget(widget)
        layout = self.layout()
        assert isinstance(layout, QVBoxLayout)
        layout.insertLayout(1, row)
        layout.insertWidget(2, self._note)
        for widget in (self._name, self._edit, self._reset):
            widget.hide()
        self.text.setOpenLinks(False)
        self.text.anchorClicked.connect(self._on_link)
        self._edit.editingFinished.connect(self._on_edited)
        self._reset.clicked.connect(self._on_reset)
        self._reset_all.clicked.connect(self._on_reset_all)

    def edit(self, command_id: str) -> None:
        """Offer to change the key of a command."""
        self._command = next(c for c in self._commands() if c.id == command_id)
        for widget in (self._name, self._edit, self._reset):
            widget.show()
        self._show("Press the new key, or clear it for none.")
        self._edit.setFocus()

    def _show(self, note: str) -> None:
        """Everything as it is now."""
        self._note.setText(note)
        at = self.text.verticalScrollBar().value()
        self.text.setHtml(keys_html(self._commands()))
        self.text.verticalScrollBar().setValue(at)
        self._command = next(c for c in self._commands() if c.id == self._command.id)
        self._name.setText(self._command.text.rstrip("…"))
        with QSignalBlocker(self._edit):
            self._edit.setKeySequence(QKeySequence(next(iter(self._command.keys), "")))

    def _on_link(self, link: QUrl) -> None:
        self.edit(link.path())

    def _on_edited(self) -> None:
        key = self._edit.keySequence()
        keys = [QKeySequence(each) for each in self._command.keys]
        if key == next(iter(keys), QKeySequence()):
            return
        note = _problem(key) or self._conflict(key)
        if not note:
            self._choose({**self._chosen(), self._command.id: key.toString()})
            note = "Kept in the settings."
        self._show(note)

    def _on_reset(self) -> None:
        before = self._chosen()
        self._choose({name: key for name, key in before.items() if name != self._command.id})
        self._show("The command has its own keys again.")
        for key in self._command.keys:
            if note := self._conflict(QKeySequence(key)):
                self._choose(before)
                self._show(note)

    def _on_reset_all(self) -> None:
        self._choose({})
        self._show("All commands have their own keys again.")

    def _conflict(self, key: QKeySequence) -> str:
        """Which other command has a key; empty if none."""
        for command in self._commands():
            if command.id != self._command.id and key in map(QKeySequence, command.keys):
                name, other = native([key.toString()]), command.text.rstrip("…")
                return f"{name} is a key of {command.menu} ▸ {other}; change that one first."
        return ""


def _problem(key: QKeySequence) -> str:
    """Why no command can have a key; empty if one can."""
    if key.isEmpty():
        return ""
    if not is_key(key):
        return "This key is not known; press another one."
    name = key.toString()
    if "Ctrl+" in name and "Alt+" in name:
        return f"{native([name])} types a letter on many keyboards (AltGr); press another one."
    if name == "Ctrl+Space":
        return f"{native([name])} changes the input method of many people; press another one."
    return ""


def keys_html(commands: Sequence[Command]) -> str:
    """Every command by its menu, its keys a link, and the gestures of the map."""
    parts = ["<h3>On the map</h3>", _table([(escape(left), right) for left, right in GESTURES])]
    for menu in MENUS:
        rows = [
            (f"<a href='key:{c.id}'>{escape(native(c.keys)) or 'none'}</a>", c.help)
            for c in commands
            if c.menu == menu
        ]
        if rows:
            parts += [f"<h3>{escape(menu)}</h3>", _table(rows)]
    return "".join(parts)


def show_terms(parent: QWidget) -> None:
    """Open the list of terms, whose links lead to the lessons."""
    dialog = TextDialog("Terms", terms_html(), parent)
    dialog.text.setOpenLinks(False)

    def follow(link: QUrl) -> None:
        dialog.close()
        if isinstance(parent, Teacher):
            parent.open_lesson(link.path())

    dialog.text.anchorClicked.connect(follow)
    dialog.show()


def terms_html() -> str:
    """Every term of the field, what it means, and a link to the lesson that teaches it."""
    return "".join(
        f"<p><b>{escape(term.name)}</b> – {escape(term.meaning)} "
        f"<a href='lesson:{term.lesson}'>{term.lesson_name}</a></p>"
        for term in sorted(TERMS, key=lambda term: term.name.casefold())
    )


def show_about(parent: QWidget) -> None:
    """Open the about box."""
    path = paths.log_file()
    log = _LOG.format(link=escape(path.as_uri()), path=escape(str(path)))
    TextDialog("About VAE Explorer", _ABOUT + log, parent).show()


def _table(rows: Sequence[tuple[str, str]]) -> str:
    cells = "".join(
        f"<tr><td width='190'><b>{left}</b></td><td>{escape(right)}</td></tr>"
        for left, right in rows
    )
    return f"<table cellpadding='3'>{cells}</table>"
