"""The points on the plot: a picture drawn when the view, its size or the points change."""

from typing import Any, Final

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QGraphicsObject, QStyleOptionGraphicsItem, QWidget
from typing_extensions import override

from vae_explorer.gui.map.cloud import PointCloud
from vae_explorer.gui.map.raster import PointRaster
from vae_explorer.gui.map.splat import ARGB, MARGIN, Splatter
from vae_explorer.session.map.layers import LayerState
from vae_explorer.types import Float32, Region, UInt32

Points = tuple[Float32, Float32, UInt32]
"""x, y and opaque ARGB colours of n points."""

_SMALLEST, _LARGEST = 1.5, 8.0  # logical pixels
_STYLES: Final[dict[str, tuple[float, float] | None]] = {
    "adaptive": None,
    "small": (2.0, 3.0),
    "large": (_LARGEST, 0.0),
}
"""Diameter in logical pixels, and the crowd that opacity is compared with; None: as the view is."""


def dot_diameter(occupied: int, area: float, crowd: float) -> float:
    """Width in pixels of a dot when ``occupied`` pixels of ``area`` hold a point.

    The fourth root is a matter of taste: few points get dots to aim at, many keep their texture.
    In a ``crowd`` dots shrink to the pixels, whose shade then tells more.
    """
    if not occupied:
        return _LARGEST
    alone = min(max(1.55 * (area / occupied) ** 0.25, _SMALLEST), _LARGEST)
    return float(1 + (alone - 1) / (1 + crowd) ** 0.5)


def size_of(state: LayerState) -> str:
    """How a person wants the dots of the layer of points: a key of the styles."""
    return state.chosen["size"]


class PointPicture:
    """Points as dots of the width that suits them, kept between frames.

    Attributes:
        diameter: of a dot, logical pixels.
        crowd: what the opacity of a pixel is compared with.
    """

    def __init__(self) -> None:
        self._raster = PointRaster()
        self._splatter = Splatter()
        self.diameter = self.crowd = 0.0

    def measure(
        self, points: Points, edges: Region, size: tuple[int, int], style: str, area: float = 0.0
    ) -> None:
        """Decide both from how crowded a picture of ``size`` is, ``area`` logical pixels large."""
        given = _STYLES[style]
        self._raster.draw(points, edges, size, MARGIN, given and given[1])
        area = area or size[0] * size[1]
        crowd = self._raster.crowd
        self.diameter = given[0] if given else dot_diameter(self._raster.occupied, area, crowd)
        self.crowd = given[1] if given else crowd

    def draw(self, points: Points, edges: Region, size: tuple[int, int], ratio: float) -> QImage:
        """A picture of ``size`` with a margin, ``ratio`` pixels to a logical one."""
        self._raster.draw(points, edges, size, MARGIN, self.crowd)
        return self.thickened(ratio)

    def thickened(self, ratio: float) -> QImage:
        """The pixels drawn last as dots."""
        rows, columns = self._raster.image.shape
        pixels = QImage(self._raster.image.data, columns, rows, 4 * columns, ARGB)
        return self._splatter.splat(pixels, ratio * self.diameter)


class PointsItem(QGraphicsObject):
    """Draws a cloud inside a pyqtgraph view box.

    It lives in the view's coordinates, like every pyqtgraph item, but paints in pixels: the
    picture matches the device's, whatever the pixel ratio.
    """

    def __init__(self, cloud: PointCloud, view_box: Any) -> None:
        super().__init__()
        self._cloud = cloud
        self._view_box = view_box
        self._points = PointPicture()
        self._picture = QImage()
        self._style = "adaptive"
        self._drawn_for: object = None
        self.rasterisations = 0
        view_box.sigRangeChanged.connect(self._follow)

    def set_style(self, size: str) -> None:
        """Draw dots of ``size``: "adaptive" to the view, or always "small" or "large".

        Raises:
            KeyError: there is no such size.
        """
        _STYLES[size]
        self._style = size
        self.update()

    @override
    def boundingRect(self) -> QRectF:
        return QRectF(self._view_box.viewRect())

    @override
    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        if not self._cloud.xs.size:
            return
        ratio = painter.device().devicePixelRatio()
        corner = self._view_box.mapToScene(QPointF(0, 0))
        # The picture begins on a whole device pixel, so that it is copied and never resampled.
        left, top = int(corner.x() * ratio) / ratio, int(corner.y() * ratio) / ratio
        self._refresh(ratio, left - corner.x(), top - corner.y())
        painter.save()
        to_pixels, _ = self._view_box.childGroup.transform().inverted()
        painter.setTransform(to_pixels, True)
        painter.translate(left - corner.x(), top - corner.y())
        painter.scale(1 / ratio, 1 / ratio)
        painter.drawImage(-MARGIN, -MARGIN, self._picture)
        painter.restore()

    def _follow(self) -> None:
        self.prepareGeometryChange()
        self.update()

    def _refresh(self, ratio: float, dx: float, dy: float) -> None:
        """Draw the picture again, if it is not the one wanted.

        It starts (dx, dy) logical pixels, not positive and less than one, off the view's corner.
        """
        box = self._view_box.rect()
        (x0, x1), (y0, y1) = self._view_box.viewRange()
        view = x0, x1, y0, y1, box.width(), box.height(), ratio, dx, dy
        wanted = self._cloud.version, self._style, view
        if wanted == self._drawn_for or box.isEmpty():
            return
        self._drawn_for = wanted
        self.rasterisations += 1
        width = int((box.width() - dx) * ratio) + 1
        height = int((box.height() - dy) * ratio) + 1
        unit_x = (x1 - x0) / box.width()
        unit_y = (y1 - y0) / box.height()
        left, top = x0 + dx * unit_x, y1 - dy * unit_y
        edges = (left, left + width / ratio * unit_x, top - height / ratio * unit_y, top)
        points = self._cloud.xs, self._cloud.ys, self._cloud.colors
        area = box.width() * box.height()
        self._points.measure(points, edges, (width, height), self._style, area)
        self._picture = self._points.thickened(ratio)
