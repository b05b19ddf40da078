"""Pictures of the five stages of one gradient step, drawn from its real tensors."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from vae_explorer.gui.decode.image import gray8
from vae_explorer.gui.figures import figure
from vae_explorer.gui.theme import CLASS_COLORS, Theme, current_theme
from vae_explorer.session.training import StepAnatomy

_PAD = 6.0
_SIDEWAYS = 1.3
"""From this ratio of width to height on two parts stand side by side."""

_LEAST_EXTENT = 2.2  # latent units around the origin, so that the prior's two circles are seen


class Card(QWidget):
    """One stage: draws what it knows of a step once the stage is reached."""

    def __init__(self, title: str, caption: str) -> None:
        super().__init__()
        self.title = title
        self._caption = caption
        self._anatomy: StepAnatomy | None = None
        self._images: list[QImage] = []
        self._reached = self._lit = False
        self._theme = current_theme()
        self.setAccessibleName(title)

    def set_anatomy(self, anatomy: StepAnatomy | None) -> None:
        """Show another step."""
        self._anatomy = anatomy
        self._images = [gray8(image) for image in anatomy.x] if anatomy else []
        self.setAccessibleDescription(self.caption())
        self.update()

    def set_reached(self, reached: bool, lit: bool) -> None:
        """Draw the stage or leave it blank; ``lit`` marks the present one."""
        if (reached, lit) != (self._reached, self._lit):
            self._reached, self._lit = reached, lit
            self.update()

    def set_theme(self, theme: Theme) -> None:
        """Draw with another theme's colours."""
        self._theme = theme
        self.update()

    def caption(self) -> str:
        """One sentence on what happens."""
        anatomy = self._anatomy
        if anatomy is None:
            return self._caption
        return self._caption.format(
            shown=len(anatomy.x), batch=anatomy.batch, rate=f"{anatomy.learning_rate:.3g}"
        )

    def minimumSizeHint(self) -> QSize:
        """Enough to tell one digit from another."""
        return QSize(120, 110)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The stage in a frame."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(self._theme.canvas))
        if self._reached and self._anatomy is not None:
            self.draw(painter, QRectF(self.rect()).adjusted(_PAD, _PAD, -_PAD, -_PAD))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(self._theme.accent if self._lit else self._theme.grid), 2))
        painter.drawRect(QRectF(self.rect()).adjusted(1, 1, -1, -1))

    def draw(self, painter: QPainter, area: QRectF) -> None:
        """Draw the step's stage into an area."""
        raise NotImplementedError

    @property
    def anatomy(self) -> StepAnatomy:
        """The step that is drawn."""
        assert self._anatomy is not None
        return self._anatomy

    def _write(
        self, painter: QPainter, area: QRectF, text: str, align: Qt.AlignmentFlag, color: str = ""
    ) -> None:
        painter.setPen(QColor(color or self._theme.text))
        painter.drawText(area, align | Qt.AlignmentFlag.AlignVCenter, text)

    def _draw_plane(self, painter: QPainter, area: QRectF, name: str, extent: float) -> "_Plane":
        """The plane with the circles of N(0, I) at one and two standard deviations."""
        line = self.fontMetrics().height()
        heading = QRectF(area.left(), area.top(), area.width(), line)
        self._write(painter, heading, name, Qt.AlignmentFlag.AlignHCenter, self._theme.muted)
        plane = _Plane(area.adjusted(0, line, 0, 0), extent)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(self._theme.grid), 1))
        left, right = plane.at(-extent, 0), plane.at(extent, 0)
        painter.drawLine(left, right)
        painter.drawLine(plane.at(0, -extent), plane.at(0, extent))
        painter.setPen(QPen(QColor(self._theme.muted), 1, Qt.PenStyle.DotLine))
        for radius in (1, 2):
            painter.drawEllipse(plane.at(0, 0), radius * plane.scale, radius * plane.scale)
        return plane

    def _draw_posteriors(self, painter: QPainter, plane: "_Plane") -> None:
        """Each q(z|x) at one and two standard deviations, in its image's colour."""
        for number, (mean, covariance) in enumerate(
            zip(self.anatomy.mean, self.anatomy.covariance, strict=True)
        ):
            variances, axes = np.linalg.eigh(covariance.astype(np.float64))
            deviations = np.sqrt(np.maximum(variances, 0.0))
            painter.save()
            painter.translate(plane.at(*mean.tolist()))
            painter.rotate(-math.degrees(math.atan2(axes[1, 1], axes[0, 1])))
            color = image_color(number)
            painter.setPen(QPen(color, 1.2))
            color.setAlpha(50)
            painter.setBrush(color)
            for share in (1, 2):
                # Never so thin that it is not seen.
                radii = [max(share * x * plane.scale, 0.7) for x in deviations[::-1].tolist()]
                painter.drawEllipse(QPointF(0, 0), *radii)
            painter.restore()

    def _draw_dots(
        self, painter: QPainter, plane: "_Plane", places: NDArray[np.float32] | NDArray[np.float64]
    ) -> None:
        painter.setPen(QPen(QColor(self._theme.canvas), 0.8))
        for number, (x, y) in enumerate(places.tolist()):
            painter.setBrush(image_color(number))
            painter.drawEllipse(plane.at(x, y), 3.2, 3.2)

    def _extent(self) -> float:
        """Latent units around the origin that hold the ellipses and the draws."""
        anatomy = self.anatomy
        deviations = np.sqrt(anatomy.covariance.diagonal(axis1=1, axis2=2))
        ends = (np.abs(anatomy.mean) + 2 * deviations).max(), np.abs(anatomy.z).max()
        return max(_LEAST_EXTENT, 1.05 * float(max(ends)))


class _Plane:
    """Maps latent units, y upwards, into the middle of an area."""

    def __init__(self, area: QRectF, extent: float) -> None:
        self._centre = area.center()
        self.scale = min(area.width(), area.height()) / (2 * extent)

    def at(self, x: float, y: float) -> QPointF:
        return QPointF(self._centre.x() + x * self.scale, self._centre.y() - y * self.scale)


class EncodeCard(Card):
    """The images that went in, and the Gaussian that came out of each."""

    def draw(self, painter: QPainter, area: QRectF) -> None:
        """The images beside or above the latent plane."""
        sideways = area.width() > _SIDEWAYS * area.height()
        share = 0.36 if sideways else 0.3
        images, rest = _split(area, share, sideways)
        count = len(self._images)
        columns = best_columns(images.width(), images.height(), count)
        cell = min(images.width() / columns, images.height() / math.ceil(count / columns))
        for number, image in enumerate(self._images):
            line, column = divmod(number, columns)
            left, top = images.left() + column * cell, images.top() + line * cell
            place = QRectF(left + 1.5, top + 1.5, cell - 3, cell - 3)
            painter.drawImage(place, image)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(image_color(number), 2))
            painter.drawRect(place)
        plane = self._draw_plane(painter, rest, "q(z|x)", self._extent())
        self._draw_posteriors(painter, plane)


class SampleCard(Card):
    """The noise, and where it moved the means."""

    def draw(self, painter: QPainter, area: QRectF) -> None:
        """The plane of ε beside or above that of z."""
        first, second = _split(area, 0.5, area.width() > _SIDEWAYS * area.height())
        noise = noise_of(self.anatomy)
        extent = max(_LEAST_EXTENT, 1.1 * float(np.abs(noise).max()))
        self._draw_dots(painter, self._draw_plane(painter, first, "ε", extent), noise)
        plane = self._draw_plane(painter, second, "z = μ + L ε", self._extent())
        self._draw_posteriors(painter, plane)
        self._draw_dots(painter, plane, self.anatomy.z)


class DecodeCard(Card):
    """Each image above what its z decodes to."""

    def set_anatomy(self, anatomy: StepAnatomy | None) -> None:
        """Show another step."""
        self._decoded = [gray8(image) for image in anatomy.decoded] if anatomy else []
        super().set_anatomy(anatomy)

    def draw(self, painter: QPainter, area: QRectF) -> None:
        """Pairs, in as many columns as makes them largest."""
        line = self.fontMetrics().height()
        heading = QRectF(area.left(), area.top(), area.width(), line)
        left = Qt.AlignmentFlag.AlignHCenter
        self._write(painter, heading, "x above E[x|z]", left, self._theme.muted)
        area = area.adjusted(0, line + 2, 0, 0)
        count = len(self._images)
        columns = best_columns(area.width(), area.height() / 2, count)
        lines = math.ceil(count / columns)
        cell = min(area.width() / columns, (area.height() - 6 * (lines - 1)) / (2 * lines))
        start = area.left() + (area.width() - cell * columns) / 2
        for number in range(count):
            row, column = divmod(number, columns)
            x, y = start + column * cell, area.top() + row * (2 * cell + 6)
            for image, top in ((self._images[number], y), (self._decoded[number], y + cell)):
                painter.drawImage(QRectF(x + 1.5, top + 1, cell - 3, cell - 2), image)
            painter.fillRect(QRectF(x + 1.5, y + cell - 1, cell - 3, 2), image_color(number))


class TermsCard(Card):
    """The two terms of the ELBO and their difference, as bars."""

    def draw(self, painter: QPainter, area: QRectF) -> None:
        """Means over the images that are shown, and the ELBO of the whole batch."""
        anatomy, theme = self.anatomy, self._theme
        likelihood, kl = float(anatomy.log_likelihood.mean()), float(anatomy.kl.mean())
        rows = (
            ("log p(x|z)", likelihood, theme.log_likelihood),
            ("KL", kl, theme.kl),
            ("ELBO", likelihood - kl, theme.train),
        )
        metrics = self.fontMetrics()
        height = 1.5 * metrics.height()
        name = metrics.horizontalAdvance("log p(x|z)") + 8
        number = metrics.horizontalAdvance("−0,000.0") + 6
        largest = max(abs(value) for _, value, _ in rows) or 1.0
        room = max(area.width() - name - number, 10.0)
        align = Qt.AlignmentFlag
        for line, (text, value, color) in enumerate(rows):
            top = area.top() + line * height
            self._write(painter, QRectF(area.left(), top, name, height), text, align.AlignLeft)
            length = max(room * abs(value) / largest, 1.0)
            bar = QRectF(area.left() + name, top + 0.2 * height, length, 0.6 * height)
            painter.fillRect(bar, QColor(color))
            place = QRectF(area.right() - number, top, number, height)
            self._write(painter, place, f"{figure(value, 1)}", align.AlignRight)
        text = (
            f"nats, mean of the {len(anatomy.x)} shown; ELBO of all {anatomy.batch:,}: "
            f"{figure(anatomy.elbo, 1)}"
        )
        painter.setPen(QColor(theme.muted))
        top = area.top() + 3 * height + 2
        place = QRectF(area.left(), top, area.width(), 2.2 * metrics.height())
        painter.drawText(place, int(align.AlignTop | Qt.TextFlag.TextWordWrap), text)
        self._draw_each(painter, area.adjusted(0, place.bottom() - area.top(), 0, 0))

    def _draw_each(self, painter: QPainter, area: QRectF) -> None:
        """Each image above its own ELBO, if there is room."""
        metrics, anatomy = self.fontMetrics(), self.anatomy
        elbos = [f"{figure(elbo, 0)}" for elbo in (anatomy.log_likelihood - anatomy.kl).tolist()]
        count = len(elbos)
        least = max(map(metrics.horizontalAdvance, elbos)) + 4
        columns = max(1, min(count, int(area.width() / least)))
        columns = math.ceil(count / math.ceil(count / columns))  # lines of equal length
        lines = math.ceil(count / columns)
        cell = min(area.width() / columns, area.height() / lines - metrics.height(), 64.0)
        if cell < metrics.height():
            return
        width, height = area.width() / columns, cell + metrics.height()
        for number, elbo in enumerate(elbos):
            line, column = divmod(number, columns)
            left, top = area.left() + column * width, area.top() + line * height
            place = QRectF(left + (width - cell) / 2 + 1, top + 1, cell - 2, cell - 2)
            painter.drawImage(place, self._images[number])
            place = QRectF(left, top + cell, width, metrics.height())
            self._write(painter, place, elbo, Qt.AlignmentFlag.AlignHCenter)


class GradientCard(Card):
    """The norms of each layer's gradient and update; as tall as it has layers."""

    def set_anatomy(self, anatomy: StepAnatomy | None) -> None:
        """Show another step."""
        super().set_anatomy(anatomy)
        self.updateGeometry()

    def minimumSizeHint(self) -> QSize:
        """All layers."""
        lines = 2 + len(self.anatomy.layers) if self._anatomy else 0
        least = super().minimumSizeHint()
        return QSize(least.width(), max(least.height(), round(lines * self._line + 2 * _PAD)))

    @property
    def _line(self) -> float:
        return self.fontMetrics().height() + 1.0

    def draw(self, painter: QPainter, area: QRectF) -> None:
        """Name, gradient and update of each layer, each kind to a scale of its own."""
        layers, theme, metrics = self.anatomy.layers, self._theme, self.fontMetrics()
        widest = max(metrics.horizontalAdvance(short_name(layer.name)) for layer in layers)
        name = min(widest + 8.0, 0.36 * area.width())
        half = (area.width() - name) / 2
        align = Qt.AlignmentFlag
        columns = (
            ("‖∇‖ gradient", theme.train, [layer.gradient_norm for layer in layers]),
            ("‖Δθ‖ update", theme.held_out, [layer.update_norm for layer in layers]),
        )
        height = min((area.height()) / (len(layers) + 2), 2 * self._line)
        for line, layer in enumerate(layers):
            text = metrics.elidedText(
                short_name(layer.name), Qt.TextElideMode.ElideMiddle, int(name - 4)
            )
            place = QRectF(area.left(), area.top() + (line + 1) * height, name, height)
            self._write(painter, place, text, align.AlignLeft)
        for column, (title, color, values) in enumerate(columns):
            left = area.left() + name + column * half
            heading = QRectF(left, area.top(), half, height)
            self._write(painter, heading, title, align.AlignLeft, theme.muted)
            largest = max(values) or 1.0
            texts = [f"{value:.2g}" for value in values]
            number = max(map(metrics.horizontalAdvance, texts)) + 6
            for line, (value, text) in enumerate(zip(values, texts, strict=True)):
                top = area.top() + (line + 1) * height
                length = max((half - number - 8) * value / largest, 1.0)
                bar = QRectF(left, top + 0.2 * height, length, 0.6 * height)
                painter.fillRect(bar, QColor(color))
                place = QRectF(left, top, half - 8, height)
                self._write(painter, place, text, align.AlignRight)
        place = QRectF(area.left(), area.top() + (len(layers) + 1) * height, area.width(), height)
        whole = f"whole gradient ‖∇‖ {self.anatomy.gradient_norm:.3g}"
        self._write(painter, place, whole, align.AlignLeft, theme.muted)


def image_color(number: int) -> QColor:
    """The colour that an image of the minibatch has on every stage."""
    return QColor(*CLASS_COLORS[number % len(CLASS_COLORS)].tolist())


def noise_of(anatomy: StepAnatomy) -> NDArray[np.float64]:
    """ε (n, 2) with z = μ + L ε, where L is the Cholesky factor of Σ."""
    offsets = (anatomy.z - anatomy.mean).astype(np.float64)
    factors = np.linalg.cholesky(anatomy.covariance.astype(np.float64))
    return np.linalg.solve(factors, offsets[..., None])[..., 0].astype(np.float64)


def best_columns(width: float, height: float, count: int) -> int:
    """In how many columns ``count`` squares are largest in an area."""

    def side(columns: int) -> float:
        return min(width / columns, height / math.ceil(count / columns))

    return max((2, 4, 8, 1), key=side)


def short_name(layer: str) -> str:
    """A layer's name without what goes without saying."""
    return layer.replace("encoder", "enc").replace("decoder", "dec").replace("layers.", "")


def cards() -> Sequence[Card]:
    """One card a stage, in order."""
    return (
        EncodeCard(
            "Encode",
            "The encoder turns each image x of the minibatch ({shown} of {batch:,} are shown) into "
            "a Gaussian q(z|x) = N(μ, Σ), drawn at one and two σ.",
        ),
        SampleCard(
            "Sample",
            "Noise ε from N(0, I) makes a draw of each: z = μ + L ε with Σ = L Lᵀ, so that the "
            "gradient can pass through it.",
        ),
        DecodeCard(
            "Decode",
            "The decoder turns each z into p(x|z), whose mean E[x|z] is shown under the image x "
            "that it should explain.",
        ),
        TermsCard(
            "Terms",
            "ELBO = log p(x|z) − KL(q(z|x) ‖ p(z)): how well z explains x, less what z costs.",
        ),
        GradientCard(
            "Gradient",
            "Backpropagation gives each layer its gradient; AdamW makes of it an update Δθ at "
            "learning rate {rate}.",
        ),
    )


def _split(area: QRectF, share: float, sideways: bool) -> tuple[QRectF, QRectF]:
    """Two parts of an area, side by side or one above the other, with a gap."""
    if sideways:
        width = share * (area.width() - _PAD)
        first = QRectF(area.left(), area.top(), width, area.height())
        return first, area.adjusted(width + _PAD, 0, 0, 0)
    height = share * (area.height() - _PAD)
    first = QRectF(area.left(), area.top(), area.width(), height)
    return first, area.adjusted(0, height + _PAD, 0, 0)
