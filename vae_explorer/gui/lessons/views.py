"""Three maps of the same digits, and what comes back of one digit."""

from collections.abc import Collection
from functools import partial

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QPushButton
from typing_extensions import override

from vae_explorer.gui.explore.decode.digit_view import DigitView
from vae_explorer.gui.lessons.code_map import CodeMap
from vae_explorer.gui.lessons.lesson_view import LessonView
from vae_explorer.gui.plot.chart import Chart
from vae_explorer.gui.plot.marks import Level, Line, Ring
from vae_explorer.gui.widgets.readout import Readout
from vae_explorer.gui.widgets.rows import beside, button, fill, row
from vae_explorer.number_format import figure
from vae_explorer.session.lessons.experiment import differs
from vae_explorer.session.lessons.views import MAPS, STEPS, Views, ViewsResult
from vae_explorer.types import Floats, Region

_TITLES = {"pca": "PCA", "vae": "VAE", "tsne": "t-SNE"}
_TIPS = {
    "pca": "The digits by their first two principal components. Point at a digit to see it in all "
    "maps; drag to decode any point",
    "vae": "The digits by the means of their posteriors. Point at a digit to see it in all maps; "
    "drag to decode any point",
    "tsne": "The digits where t-SNE has moved them. Point at a digit to see it in all maps. There "
    "is nothing that decodes a position",
}
_AIR = 0.04
_PICTURES = 130
"""Pixels that the row of pictures takes of the height."""
_HIGH = 1.1
"""Height by width from which two maps are larger one above the other."""


class ViewsView(LessonView):
    """Above and to the left the maps, the curve of the variance beside them, pictures below."""

    experiment: Views

    def __init__(self, experiment: Views) -> None:
        super().__init__(experiment, buttons=("embed",))
        self._point: tuple[str, tuple[float, float]] | None = None
        self._hidden: Collection[str] = ()
        self._maps = {name: CodeMap(_TITLES[name]) for name in MAPS}
        for name, code_map in self._maps.items():
            code_map.setToolTip(_TIPS[name])
            code_map.pointed.connect(partial(self._on_pointed, name))
            code_map.dragged.connect(partial(self._on_dragged, name))
        self._curve = Chart("Variance kept", "components", movable=True)
        self._curve.setCursor(Qt.CursorShape.SizeHorCursor)
        self._curve.setToolTip(
            "Share of the variance by the number of components. Drag, or use ← and →"
        )
        self._curve.dragged.connect(lambda x, _: experiment.move(components=x))
        self._curve.nudged.connect(
            lambda step, _: experiment.move(components=experiment.settings.components + step)
        )
        self._grid = QGridLayout()
        self._grid.setSpacing(8)
        self._digit = DigitView("The digit", "digit")
        self._returns = [DigitView(name, name) for name in ("PCA, 2", "PCA, k", "VAE, 2")]
        self._pointed = DigitView("Digit under the pointer", "pointed at")
        self._decoded = DigitView("Decoded at the pointer", "decoded there", "decoded")
        digits = [self._digit, *self._returns, self._pointed, self._decoded]
        pictures = beside(*digits)
        pictures.setMinimumHeight(110)
        pictures.setToolTip("A digit and its reconstruction, with Σ (x − y)² over its pixels")
        again = button("&Restart", "Restart t-SNE", experiment.restart)
        self._readout = Readout(growing=True)
        rows = self.form.rows
        embedding = beside(rows["perplexity"], rows["embed"], again)
        below = row(rows["components"], embedding, (self._readout, 1))
        fill(self.page, (self._grid, 5), (pictures, 1), below)
        self.controls = {
            **self._maps,
            "variance": self._curve,
            "pictures": pictures,
            "components": rows["components"],
            "embedding": embedding,
        }
        self._arrange(self._hidden)
        self.start()

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

    def draw(self, old: ViewsResult | None) -> None:
        """Draw what has changed."""
        found, settings = self.experiment.result, self.experiment.settings
        for name, part in (("pca", "plain"), ("vae", "encoded"), ("tsne", "embedding")):
            if differs(found, old, part, "plain"):
                self._show_map(name, found)
        self._show_curve(found.explained, settings.components)
        self._show_embedding(found)
        if differs(found, old, "image", "reconstructions"):
            self._show_image(found)
        self._show_hovered(found)

    def _show_map(self, name: str, found: ViewsResult) -> None:
        code_map, points, trust = self._maps[name], found.points(name), found.trust(name)
        told = trust is not None and self.tells(f"T{name}")
        note = f"trustworthiness {figure(trust, 3)}" if told else ""
        if not len(points) and name != "tsne":
            note = "computing …"
        code_map.set_subtitle(note)
        if len(points):
            code_map.set_range(*_region(points))
        code_map.set_points(points, found.labels[: len(points)])

    def _show_curve(self, explained: Floats, count: int) -> None:
        """The share (n,) of the first 1 … n components, and a line at those set."""
        if len(explained):
            share, counts = float(explained[count - 1]), np.arange(1.0, len(explained) + 1)
            self._curve.set_range(0.0, len(explained) + 1.0, 0.0, 1.0)
            self._curve.set_marks([Line(counts, explained, "train", filled=True)])
            self._curve.set_front(
                [Level(count, "accent", f"{count} keep {100 * share:.0f} %", upright=True)]
            )

    def _show_embedding(self, found: ViewsResult) -> None:
        now, running = found.embedding, self.experiment.running
        embed = self.form.editor("embed")
        assert isinstance(embed, QPushButton)
        embed.setText("&Pause" if running else "&Embed")
        embed.setEnabled(now is None or now.trust is None)
        if now is None:
            self._readout.set_text("widths of neighbourhoods …" if running else "")
        else:
            self._readout.set_text(
                f"t-SNE: step {now.steps} of {STEPS}, KL = {figure(now.divergence, 2)} nats"
            )

    def _show_image(self, found: ViewsResult) -> None:
        self._digit.set_image(found.image)
        made = list(found.reconstructions)
        # Two components may be those set too.
        if len(made) == 2:
            made.insert(1, made[0])
        for view, one in zip(self._returns, made, strict=False):
            view.set_image(one.image)
            view.setAccessibleName(one.name)
            error = figure(one.error, 1)
            view.set_caption(f"{one.name}: {error}", error)

    def _show_hovered(self, found: ViewsResult) -> None:
        number = found.hovered
        for name, code_map in self._maps.items():
            rings = []
            points = found.points(name)
            if number is not None and number < len(points):
                x, y = points[number].tolist()
                rings.append(Ring((x, y), "accent", 7.0))
            if self._point is not None and self._point[0] == name:
                rings.append(Ring(self._point[1], "text", 5.0, "x"))
            code_map.set_pointer(rings)
        if number is None:
            self._pointed.set_image(None)
            self._pointed.set_caption("pointed at")
        else:
            self._pointed.set_image(self.experiment.image(number))
            self._pointed.set_caption(f"a {found.labels[number]}, test {number}")

    # What a person does

    def _on_pointed(self, name: str, point: tuple[float, float] | None) -> None:
        number = None if point is None else self._maps[name].nearest(point)
        self.experiment.hover(number)
        if point is not None:
            self._decode(name, point)

    def _on_dragged(self, name: str, x: float, y: float) -> None:
        self._point = name, (x, y)
        self.experiment.hover(self._maps[name].nearest((x, y)))
        self._decode(name, (x, y))
        self._show_hovered(self.experiment.result)

    def _decode(self, name: str, point: tuple[float, float]) -> None:
        image = self.experiment.decode(name, point)
        self._decoded.set_image(image)
        if image is None:
            self._decoded.set_caption("no decoder")
        else:
            self._decoded.set_caption("by PCA, 2" if name == "pca" else "by the VAE")


def _region(positions: Floats) -> Region:
    """A square that holds the positions, but for some far from all others."""
    (left, bottom), (right, top) = (
        np.quantile(positions, 0.002, axis=0),
        np.quantile(positions, 0.998, axis=0),
    )
    half = max(right - left, top - bottom, 1e-9) * (0.5 + _AIR)
    x, y = (left + right) / 2, (bottom + top) / 2
    return float(x - half), float(x + half), float(y - half), float(y + half)
