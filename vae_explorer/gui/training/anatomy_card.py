"""What the pictures of a gradient step's stages have in common: frame, plane, posteriors."""

import math

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from vae_explorer.gui.explore.decode.image import qimage_of
from vae_explorer.gui.theme import class_color, current_theme
from vae_explorer.latent.normal import Normal
from vae_explorer.training.anatomy import StepAnatomy
from vae_explorer.types import Float32, Float64

PAD = 6.0
SIDEWAYS = 1.3
"""From this ratio of width to height on two parts stand side by side."""

LEAST_EXTENT = 2.2  # latent units around the origin, so that the prior's two circles are seen


class Card(QWidget):
    """One stage: draws what it knows of a step once the stage is reached.

    Args:
        title: names the stage.
        caption: one sentence on it, a template of ``shown``, ``batch`` and ``rate``.
    """

    def __init__(self, title: str, caption: str) -> None:
        super().__init__()
        self.title = title
        self._caption = caption
        self._anatomy: StepAnatomy | None = None
        self.images: list[QImage] = []
        """Those of the step, as the encoder saw them."""
        self._reached = self._lit = False
        self.setAccessibleName(title)

    def set_anatomy(self, anatomy: StepAnatomy) -> None:
        """Show another step."""
        self._anatomy = anatomy
        self.images = [qimage_of(image) for image in anatomy.x]
        self.setAccessibleDescription(self.caption())
        self.update()

    def set_reached(self, reached: bool, lit: bool) -> None:
        """Draw the stage or leave it blank; ``lit`` marks the present one."""
        if (reached, lit) != (self._reached, self._lit):
            self._reached, self._lit = reached, lit
            self.update()

    def caption(self) -> str:
        """One sentence on what happens."""
        anatomy = self._anatomy
        if anatomy is None:
            return self._caption
        return self._caption.format(
            shown=len(anatomy.x), batch=anatomy.batch, rate=f"{anatomy.learning_rate:.3g}"
        )

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(120, 110)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.fillRect(self.rect(), QColor(current_theme().canvas))
            if self._reached and self._anatomy is not None:
                self.draw(painter, QRectF(self.rect()).adjusted(PAD, PAD, -PAD, -PAD))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            theme = current_theme()
            painter.setPen(QPen(QColor(theme.accent if self._lit else theme.grid), 2))
            painter.drawRect(QRectF(self.rect()).adjusted(1, 1, -1, -1))

    def draw(self, painter: QPainter, area: QRectF) -> None:
        """Draw the step's stage into an area."""
        raise NotImplementedError

    @property
    def anatomy(self) -> StepAnatomy:
        """The step that is drawn."""
        assert self._anatomy is not None
        return self._anatomy

    def write(
        self, painter: QPainter, area: QRectF, text: str, align: Qt.AlignmentFlag, color: str = ""
    ) -> None:
        """Write a line of text, in the middle of the area's height."""
        painter.setPen(QColor(color or current_theme().text))
        painter.drawText(area, align | Qt.AlignmentFlag.AlignVCenter, text)

    def draw_plane(self, painter: QPainter, area: QRectF, name: str, extent: float) -> "Plane":
        """The plane with the circles of N(0, I) at one and two standard deviations."""
        line = self.fontMetrics().height()
        heading = QRectF(area.left(), area.top(), area.width(), line)
        self.write(painter, heading, name, Qt.AlignmentFlag.AlignHCenter, current_theme().muted)
        plane = Plane(area.adjusted(0, line, 0, 0), extent)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(current_theme().grid), 1))
        left, right = plane.at(-extent, 0), plane.at(extent, 0)
        painter.drawLine(left, right)
        painter.drawLine(plane.at(0, -extent), plane.at(0, extent))
        painter.setPen(QPen(QColor(current_theme().muted), 1, Qt.PenStyle.DotLine))
        for radius in (1, 2):
            painter.drawEllipse(plane.at(0, 0), radius * plane.scale, radius * plane.scale)
        return plane

    def draw_posteriors(self, painter: QPainter, plane: "Plane") -> None:
        """Each q(z|x) at one and two standard deviations, in its image's colour."""
        for number, (mean, covariance) in enumerate(
            zip(self.anatomy.mean, self.anatomy.covariance, strict=True)
        ):
            q = Normal.of(mean, covariance)
            painter.save()
            painter.translate(plane.at(*q.mean))
            painter.rotate(-math.degrees(q.angle))
            color = image_color(number)
            painter.setPen(QPen(color, 1.2))
            color.setAlpha(50)
            painter.setBrush(color)
            for share in (1, 2):
                # Never so thin that it is not seen.
                radii = [max(share * x * plane.scale, 0.7) for x in q.widths]
                painter.drawEllipse(QPointF(0, 0), *radii)
            painter.restore()

    def draw_dots(self, painter: QPainter, plane: "Plane", positions: Float32 | Float64) -> None:
        """A dot for each position (n, 2), in its image's colour."""
        painter.setPen(QPen(QColor(current_theme().canvas), 0.8))
        for number, (x, y) in enumerate(positions.tolist()):
            painter.setBrush(image_color(number))
            painter.drawEllipse(plane.at(x, y), 3.2, 3.2)

    def extent(self) -> float:
        """Latent units around the origin that hold the ellipses and the draws."""
        anatomy = self.anatomy
        deviations = np.sqrt(anatomy.covariance.diagonal(axis1=1, axis2=2))
        ends = (np.abs(anatomy.mean) + 2 * deviations).max(), np.abs(anatomy.z).max()
        return max(LEAST_EXTENT, 1.05 * float(max(ends)))


class Plane:
    """Maps latent units, y upwards, into the middle of an area.

    Args:
        area: of the picture.
        extent: latent units from the origin to each side.
    """

    def __init__(self, area: QRectF, extent: float) -> None:
        self._centre = area.center()
        self.scale = min(area.width(), area.height()) / (2 * extent)
        """Logical pixels of a latent unit."""

    def at(self, x: float, y: float) -> QPointF:
        """Where a position is drawn."""
        return QPointF(self._centre.x() + x * self.scale, self._centre.y() - y * self.scale)


def image_color(number: int) -> QColor:
    """The colour that an image of the minibatch has on every stage."""
    return class_color(number % 10)


def noise_of(anatomy: StepAnatomy) -> Float64:
    """ε (n, 2) with z = μ + L ε, where L is the Cholesky factor of Σ."""
    offsets = (anatomy.z - anatomy.mean).astype(np.float64)
    factors = np.linalg.cholesky(anatomy.covariance.astype(np.float64))
    return np.linalg.solve(factors, offsets[..., None])[..., 0].astype(np.float64)


def best_columns(width: float, height: float, count: int) -> int:
    """In how many columns ``count`` squares are largest in an area."""

    def side(columns: int) -> float:
        return min(width / columns, height / math.ceil(count / columns))

    return max((2, 4, 8, 1), key=side)


def split(area: QRectF, share: float, sideways: bool) -> tuple[QRectF, QRectF]:
    """Two parts of an area, side by side or one above the other, with a gap."""
    if sideways:
        width = share * (area.width() - PAD)
        first = QRectF(area.left(), area.top(), width, area.height())
        return first, area.adjusted(width + PAD, 0, 0, 0)
    height = share * (area.height() - PAD)
    first = QRectF(area.left(), area.top(), area.width(), height)
    return first, area.adjusted(0, height + PAD, 0, 0)
