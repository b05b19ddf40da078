"""Three maps of the same digits, and what comes back of one digit."""

from collections.abc import Collection
from functools import partial

import numpy as np
from PySide6.QtCore import QSignalBlocker
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from vae_explorer.gui.explore.decode.digit_view import DigitView
from vae_explorer.gui.explore.decode.image import gray8
from vae_explorer.gui.lessons.code_map import CodeMap, Ring
from vae_explorer.gui.lessons.instrument_view import InstrumentView
from vae_explorer.gui.lessons.variance_curve import VarianceCurve
from vae_explorer.gui.theme import Theme, current_theme
from vae_explorer.gui.widgets.number_format import figure
from vae_explorer.gui.widgets.readout import Readout
from vae_explorer.session.lessons.views import MAPS, MOST_COMPONENTS, PERPLEXITIES, STEPS, Views
from vae_explorer.types import Floats, Region

_TITLES = {"pca": "Two components", "vae": "VAE", "tsne": "t-SNE"}
_TIPS = {
    "pca": "The digits by their first two principal components. Point at a digit to see it in all "
    "maps; drag to decode any place",
    "vae": "The digits by the means of their posteriors. Point at a digit to see it in all maps; "
    "drag to decode any place",
    "tsne": "The digits where t-SNE has moved them. Point at a digit to see it in all maps. There "
    "is nothing that decodes a place",
}
_AIR = 0.04
_PICTURES = 130
"""Pixels that the row of pictures takes of the height."""
_HIGH = 1.1
"""Height by width from which two maps are larger one above the other."""


class ViewsView(InstrumentView):
    """Above and to the left the maps, the curve of the variance beside them, pictures below."""

    def __init__(self, instrument: Views, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._instrument = instrument
        self._theme = current_theme()
        self._place: tuple[str, tuple[float, float]] | None = None
        self._maps = {name: CodeMap(_TITLES[name]) for name in MAPS}
        for name, code_map in self._maps.items():
            code_map.setToolTip(_TIPS[name])
            code_map.pointed.connect(partial(self._on_pointed, name))
            code_map.dragged.connect(partial(self._on_dragged, name))
        self._curve = VarianceCurve()
        self._curve.chosen.connect(instrument.set_components)
        self._grid = QGridLayout()
        self._grid.setSpacing(8)

        self._digit = DigitView("The digit", "digit")
        self._returns = [DigitView(name, name) for name in ("PCA, 2", "PCA, k", "VAE, 2")]
        self._pointed = DigitView("Digit under the pointer", "pointed at")
        self._decoded = DigitView("Decoded at the pointer", "decoded there", "decoded")
        self._digits = [self._digit, *self._returns, self._pointed, self._decoded]
        pictures = _row(*self._digits)
        pictures.setMinimumHeight(110)
        pictures.setToolTip("A digit and what comes back of it, with Σ (x − y)² over its pixels")

        self._components = QSpinBox()
        self._components.setRange(1, MOST_COMPONENTS)
        self._components.setAccessibleName("Principal components")
        self._components.setToolTip("Principal components that the digit is made from")
        self._components.valueChanged.connect(instrument.set_components)
        self._perplexity = QSpinBox()
        self._perplexity.setRange(*PERPLEXITIES)
        self._perplexity.setSingleStep(5)
        self._perplexity.setKeyboardTracking(False)
        self._perplexity.setAccessibleName("Perplexity")
        self._perplexity.setToolTip("How many neighbours t-SNE looks at; it starts again")
        self._perplexity.valueChanged.connect(instrument.set_perplexity)
        self._embed = QPushButton("&Embed")
        self._embed.setToolTip("Let t-SNE run, or leave it where it is")
        self._embed.clicked.connect(self._on_embed)
        self._again = QPushButton("&Restart")
        self._again.setToolTip("Run t-SNE from the start")
        self._again.clicked.connect(instrument.restart)
        self._readout = Readout()
        components = _row(_label("&Components", self._components), self._components)
        embedding = _row(
            _label("&Perplexity", self._perplexity), self._perplexity, self._embed, self._again
        )
        below = QHBoxLayout()
        below.addWidget(components)
        below.addWidget(embedding)
        below.addWidget(self._readout, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.addLayout(self._grid, 5)
        layout.addWidget(pictures, 1)
        layout.addLayout(below)
        self.controls = {
            **self._maps,
            "variance": self._curve,
            "pictures": pictures,
            "components": components,
            "embedding": embedding,
        }

        self._hidden: Collection[str] = ()
        self._arrange(self._hidden)
        instrument.changed.connect(self._show)
        instrument.components_changed.connect(self._show_components)
        instrument.embedded.connect(self._show_embedding)
        instrument.digit_changed.connect(self._show_digit)
        instrument.hovered_changed.connect(self._show_hovered)
        self._show()
        self._show_embedding()
        self._show_digit()

    def set_theme(self, theme: Theme) -> None:
        """Take the theme's colours."""
        self._theme = theme
        for code_map in self._maps.values():
            code_map.set_theme(theme)
        for digit in self._digits:
            digit.set_theme(theme)
        self._curve.set_theme(theme)
        self._show_hovered()

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange(self._hidden)

    def set_hidden(self, names: Collection[str]) -> None:
        """Hide these controls; maps and curve share the room that is left."""
        super().set_hidden(names)
        self._arrange(names)

    # What is shown

    def _arrange(self, hidden: Collection[str]) -> None:
        """Two figures beside each other, or in a high window one above the other."""
        self._hidden = hidden
        figures = {**self._maps, "variance": self._curve}
        shown = [widget for name, widget in figures.items() if name not in hidden]
        for widget in figures.values():
            self._grid.removeWidget(widget)
        height = self.height() - (0 if "pictures" in hidden else _PICTURES)
        columns = 1 if len(shown) == 2 and height > _HIGH * self.width() else 2
        for number, widget in enumerate(shown):
            row, column = divmod(number, columns)
            alone = columns == 1 or (column == 0 and number == len(shown) - 1)
            self._grid.addWidget(widget, row, column, 1, 2 if alone else 1)

    def _show(self) -> None:
        instrument = self._instrument
        self._show_components()
        for name, seen in (("pca", instrument.plain), ("vae", instrument.encoded)):
            if seen is None:
                self._maps[name].set_title(_TITLES[name], "computing …")
            else:
                self._show_map(name, seen.codes, seen.trust)
        self._show_hovered()

    def _show_components(self) -> None:
        instrument = self._instrument
        with QSignalBlocker(self._components):
            self._components.setValue(instrument.components)
        self._curve.set_curve(instrument.explained, instrument.components)

    def _show_map(self, name: str, places: Floats, trust: float | None) -> None:
        code_map = self._maps[name]
        note = f"trust {figure(trust, 3)}" if trust is not None else ""
        code_map.set_title(_TITLES[name], note)
        code_map.set_region(_region(places))
        code_map.set_points(places, self._instrument.labels)

    def _show_embedding(self) -> None:
        instrument = self._instrument
        now = instrument.embedding
        with QSignalBlocker(self._perplexity):
            self._perplexity.setValue(instrument.perplexity)
        self._embed.setText("&Pause" if instrument.running else "&Embed")
        self._embed.setEnabled(now is None or now.trust is None)
        if now is None:
            self._maps["tsne"].set_title(_TITLES["tsne"])
            self._maps["tsne"].set_points(np.zeros((0, 2)), np.zeros(0, np.uint8))
            self._readout.set_text("widths of neighbourhoods …" if instrument.running else "")
        else:
            self._show_map("tsne", now.places, now.trust)
            self._readout.set_text(
                f"step {now.steps} of {STEPS}, KL {figure(now.divergence, 2)} nats"
            )
        self._show_hovered()

    def _show_digit(self) -> None:
        instrument = self._instrument
        digit = instrument.digit
        self._digit.set_image(None if digit is None else gray8(digit))
        found = instrument.reconstructions()
        # Two components may be those chosen too.
        if len(found) == 2:
            found.insert(1, found[0])
        for view, one in zip(self._returns, found, strict=False):
            view.set_image(gray8(one.image))
            view.setAccessibleName(one.name)
            error = figure(one.error, 1)
            view.set_caption(f"{one.name}: {error}", error)

    def _show_hovered(self) -> None:
        number, theme = self._instrument.hovered, self._theme
        for name, code_map in self._maps.items():
            rings = []
            places = self._places(name)
            if number is not None and number < len(places):
                x, y = places[number].tolist()
                rings.append(Ring((x, y), theme.accent, 7.0))
            if self._place is not None and self._place[0] == name:
                rings.append(Ring(self._place[1], theme.text, 5.0, round=False))
            code_map.set_rings(rings)
        if number is None:
            self._pointed.set_image(None)
            self._pointed.set_caption("pointed at")
        else:
            self._pointed.set_image(gray8(self._instrument.image(number)))
            self._pointed.set_caption(f"a {self._instrument.labels[number]}, test {number}")

    def _places(self, name: str) -> Floats:
        instrument = self._instrument
        if name == "tsne":
            now = instrument.embedding
            return now.places if now else np.zeros((0, 2))
        seen = instrument.plain if name == "pca" else instrument.encoded
        return seen.codes if seen else np.zeros((0, 2))

    # What a person does

    def _on_embed(self) -> None:
        if self._instrument.running:
            self._instrument.pause()
        else:
            self._instrument.embed()

    def _on_pointed(self, name: str, place: tuple[float, float] | None) -> None:
        number = None if place is None else self._maps[name].nearest(place)
        self._instrument.hover(number)
        if place is not None:
            self._decode(name, place)

    def _on_dragged(self, name: str, x: float, y: float) -> None:
        self._place = name, (x, y)
        self._instrument.hover(self._maps[name].nearest((x, y)))
        self._decode(name, (x, y))
        self._show_hovered()

    def _decode(self, name: str, place: tuple[float, float]) -> None:
        image = self._instrument.decode(name, place)
        self._decoded.set_image(None if image is None else gray8(image))
        if image is None:
            self._decoded.set_caption("no decoder")
        else:
            self._decoded.set_caption("by PCA, 2" if name == "pca" else "by the VAE")


def _region(places: Floats) -> Region:
    """A square that holds the places, but for some far from all others."""
    (left, bottom), (right, top) = (
        np.quantile(places, 0.002, axis=0),
        np.quantile(places, 0.998, axis=0),
    )
    half = max(right - left, top - bottom, 1e-9) * (0.5 + _AIR)
    x, y = (left + right) / 2, (bottom + top) / 2
    return float(x - half), float(x + half), float(y - half), float(y + half)


def _label(text: str, widget: QWidget) -> QLabel:
    label = QLabel(text)
    label.setBuddy(widget)
    return label


def _row(*widgets: QWidget) -> QWidget:
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        layout.addWidget(widget)
    return row
