"""The sheet of keys and the about box."""

from collections.abc import Sequence
from html import escape

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget

from vae_explorer import __version__
from vae_explorer.gui.window.actions import native
from vae_explorer.gui.window.records import MENUS, Command

GESTURES: tuple[tuple[str, str], ...] = (
    ("Move the pointer over the map", "Preview the digit at that position"),
    ("Click", "Move the cursor there; on a point, pin its digit"),
    ("Ctrl-click", "Pin or unpin a point"),
    ("Drag", "Scrub: the decoded digit follows"),
    ("Shift-drag", "Select in a box; with Alt, deselect"),
    ("Shift+Ctrl-drag", "Select with a lasso; with Alt, deselect"),
    ("Wheel", "Zoom about the pointer"),
    ("Middle-drag or Space-drag", "Pan"),
    ("Double-click an empty position", "Fit the map"),
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


class TextDialog(QDialog):
    """A page of rich text that can be left open."""

    def __init__(self, title: str, html: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.resize(560, 620)
        text = QTextBrowser()
        text.setAccessibleName(title)
        text.setOpenExternalLinks(True)
        text.setHtml(html)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(text)
        layout.addWidget(buttons)


def keys_html(commands: Sequence[Command]) -> str:
    """Every command that has keys, by menu, and the gestures of the map."""
    parts = ["<h3>On the map</h3>", _table(GESTURES)]
    for menu in MENUS:
        rows = [
            (native(command.keys), command.help)
            for command in commands
            if command.menu == menu and command.keys
        ]
        if rows:
            parts += [f"<h3>{escape(menu)}</h3>", _table(rows)]
    return "".join(parts)


def show_keys(commands: Sequence[Command], parent: QWidget) -> None:
    """Open the sheet of keys."""
    TextDialog("Keys and Gestures", keys_html(commands), parent).show()


def show_about(parent: QWidget) -> None:
    """Open the about box."""
    TextDialog("About VAE Explorer", _ABOUT, parent).show()


def _table(rows: Sequence[tuple[str, str]]) -> str:
    cells = "".join(
        f"<tr><td width='190'><b>{escape(left)}</b></td><td>{escape(right)}</td></tr>"
        for left, right in rows
    )
    return f"<table cellpadding='3'>{cells}</table>"
