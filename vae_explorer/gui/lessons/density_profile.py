"""Densities along a line."""

from dataclasses import replace

import numpy as np
from PySide6.QtWidgets import QSizePolicy, QWidget

from vae_explorer.gui.plot.axis import Axis
from vae_explorer.gui.plot.chart import Chart
from vae_explorer.gui.plot.layout import Plot
from vae_explorer.gui.plot.marks import Columns, Line, Mark
from vae_explorer.number_format import figure
from vae_explorer.session.lessons.pushed import Pushed


class DensityProfile(Chart):
    """The densities along the line through x: formula, histogram, closed form if there is one."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.set_plot(Plot(x=Axis(numbers=False), y=Axis(numbers=False)))
        self.setFixedHeight(96)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Densities along the dashed line")
        self.setToolTip("The densities along the dashed line, from left to right")

    def set_result(self, result: Pushed) -> None:
        """Show other densities."""
        highest = np.quantile(result.profile, 0.995), np.quantile(result.bars, 0.99), 1e-9
        positions = (np.arange(len(result.across)) + 0.5) / len(result.across)
        edges = np.linspace(0.0, 1.0, len(result.bars) + 1)
        marks: list[Mark] = [
            Columns(edges, result.bars, "muted", "by samples"),
            Line(positions, result.profile, "accent", "by the formula"),
        ]
        if result.closed_form is not None:
            closed = result.closed_form
            marks.append(Line(positions, closed, "held_out", "closed form", 3.0, dotted=True))
        y = replace(self.plot.y, high=1.15 * float(max(highest)))
        title = f"p(x) along x₂ = {figure(result.height, 2)}"
        self.set_plot(replace(self.plot, title=title, y=y, marks=tuple(marks)))
