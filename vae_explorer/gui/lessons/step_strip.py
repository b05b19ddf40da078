"""Pictures along a path in a row, and below each gap how far the picture goes there."""

from dataclasses import replace

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy
from typing_extensions import override

from vae_explorer.gui.explore.decode.image import qimage_of
from vae_explorer.gui.plot.axis import Axis
from vae_explorer.gui.plot.chart import Chart
from vae_explorer.gui.plot.layout import Plot
from vae_explorer.gui.plot.marks import Box, Entry, Picture
from vae_explorer.types import Float32, Float64, Region

_BARS = 0.35  # the highest bar, in sides of a picture
_GAP = 0.015
_TALLEST = 110  # pixels of a picture
_LEAST, _SHARE = 40, 11  # pixels of a picture, and how many would be as high as what it is in
DIM = 0.3
"""The opacity of a path that is another's."""
_MOST = 11  # pictures, of which a row is as wide as there is room


class StepStrip(Chart):
    """Shows pictures and steps; two strips with the same ``highest`` can be compared.

    Each picture has a unit of the plane to itself.

    Args:
        name: of the path.
        color: the name of its colour in a theme.
    """

    def __init__(self, name: str, color: str) -> None:
        super().__init__()
        self._color = color
        x, y = Axis(0.0, _MOST, numbers=False), Axis(-_BARS - _GAP, 1.0, numbers=False)
        self.set_plot(Plot(name, x, y, entries=(), aspect="exact"))
        self.setToolTip("Below: how far the picture goes from one to the next")
        self.setMinimumSize(0, 0)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_frames(self, images: Float32, steps: Float64, highest: float, about: str) -> None:
        """Show pictures (n, h, w) and the n − 1 steps between, of which ``highest`` is tallest."""
        pictures = [
            Picture(qimage_of(image[::-1]), (number + _GAP, number + 1 - _GAP, _GAP, 1.0))
            for number, image in enumerate(images)
        ]
        bars = [Box(_bar(n + 1, step / highest), self._color) for n, step in enumerate(steps)]
        entries = Entry(self._color, "●", ""), Entry("muted", "", about)
        x = replace(self.plot.x, high=float(len(images)))
        self.set_plot(replace(self.plot, x=x, marks=(*pictures, *bars), entries=entries))
        self.setAccessibleDescription(about)

    def wait(self, about: str, of_before: bool) -> None:
        """Dim the pictures ``of_before``, or show none, without the steps between them."""
        before = [mark for mark in self.plot.marks if isinstance(mark, Picture) and of_before]
        pictures = tuple(replace(mark, opacity=DIM) for mark in before)
        entries = Entry(self._color, "●", ""), Entry("muted", "", about)
        self.set_plot(replace(self.plot, marks=pictures, entries=entries))
        self.setAccessibleDescription(about)

    @override
    def sizeHint(self) -> QSize:
        head, around = self.fontMetrics().height() + 4, self.parentWidget()
        tallest = around.height() / _SHARE if around else _TALLEST
        side = min(self.width() / _MOST, _TALLEST, max(tallest, _LEAST))
        return QSize(300, round(head + side * (1 + _BARS + _GAP)))

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(200, self.sizeHint().height())

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.oldSize().width() != event.size().width():
            self.updateGeometry()


def _bar(at: float, share: float) -> Region:
    return at - 0.25, at + 0.25, -_BARS, _BARS * (min(share, 1.0) - 1)
