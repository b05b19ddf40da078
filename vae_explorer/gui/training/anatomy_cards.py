"""Pictures of the five stages of one gradient step, drawn from its real tensors."""

import math
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from typing_extensions import override

from vae_explorer.gui.explore.decode.image import qimage_of
from vae_explorer.gui.theme import current_theme
from vae_explorer.gui.training.anatomy_card import (
    LEAST_EXTENT,
    PAD,
    SIDEWAYS,
    Card,
    best_columns,
    image_color,
    noise_of,
    split,
)
from vae_explorer.number_format import figure
from vae_explorer.training.anatomy import StepAnatomy
from vae_explorer.training.meaning import named, no_likelihood


class EncodeCard(Card):
    """The images that went in, and the Gaussian that came out of each."""

    def draw(self, painter: QPainter, area: QRectF) -> None:
        """The images beside or above the latent plane."""
        sideways = area.width() > SIDEWAYS * area.height()
        share = 0.36 if sideways else 0.3
        images, rest = split(area, share, sideways)
        count = len(self.images)
        columns = best_columns(images.width(), images.height(), count)
        cell = min(images.width() / columns, images.height() / math.ceil(count / columns))
        for number, image in enumerate(self.images):
            line, column = divmod(number, columns)
            left, top = images.left() + column * cell, images.top() + line * cell
            position = QRectF(left + 1.5, top + 1.5, cell - 3, cell - 3)
            painter.drawImage(position, image)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(image_color(number), 2))
            painter.drawRect(position)
        plane = self.draw_plane(painter, rest, "q(z|x)", self.extent())
        self.draw_posteriors(painter, plane)


class SampleCard(Card):
    """The noise, and where it moved the means."""

    def draw(self, painter: QPainter, area: QRectF) -> None:
        """The plane of ε beside or above that of z."""
        first, second = split(area, 0.5, area.width() > SIDEWAYS * area.height())
        noise = noise_of(self.anatomy)
        extent = max(LEAST_EXTENT, 1.1 * float(np.abs(noise).max()))
        self.draw_dots(painter, self.draw_plane(painter, first, "ε", extent), noise)
        plane = self.draw_plane(painter, second, "z = μ + L ε", self.extent())
        self.draw_posteriors(painter, plane)
        self.draw_dots(painter, plane, self.anatomy.z)


class DecodeCard(Card):
    """Each image above what its z decodes to."""

    def set_anatomy(self, anatomy: StepAnatomy) -> None:
        """Show another step."""
        self._decoded = [qimage_of(image) for image in anatomy.decoded]
        super().set_anatomy(anatomy)

    def draw(self, painter: QPainter, area: QRectF) -> None:
        """Pairs, in as many columns as makes them largest."""
        line = self.fontMetrics().height()
        heading = QRectF(area.left(), area.top(), area.width(), line)
        left = Qt.AlignmentFlag.AlignHCenter
        self.write(painter, heading, "x above E[x|z]", left, current_theme().muted)
        area = area.adjusted(0, line + 2, 0, 0)
        count = len(self.images)
        columns = best_columns(area.width(), area.height() / 2, count)
        lines = math.ceil(count / columns)
        cell = min(area.width() / columns, (area.height() - 6 * (lines - 1)) / (2 * lines))
        start = area.left() + (area.width() - cell * columns) / 2
        for number in range(count):
            row, column = divmod(number, columns)
            x, y = start + column * cell, area.top() + row * (2 * cell + 6)
            for image, top in ((self.images[number], y), (self._decoded[number], y + cell)):
                painter.drawImage(QRectF(x + 1.5, top + 1, cell - 3, cell - 2), image)
            painter.fillRect(QRectF(x + 1.5, y + cell - 1, cell - 3, 2), image_color(number))


class TermsCard(Card):
    """The two terms of the ELBO and their difference, as bars."""

    @override
    def caption(self) -> str:
        anatomy = self.anatomy
        match anatomy.recipe.objective:
            case "elbo" if anatomy.beta == 1:
                return super().caption()
            case "elbo":
                return (
                    f"{super().caption()} The step climbs log p(x|z) − β KL, with "
                    f"β = {anatomy.beta:.3g}."
                )
            case "exact":
                share = anatomy.recipe.elbo_share
                decoder = f"{1 - share:.3g} log p(x) + {share:.3g} ELBO" if share else "log p(x)"
                return (
                    "The ELBO = log p(x|z) − KL(q(z|x) ‖ p(z)) is what the encoder climbs; the "
                    f"decoder climbs {decoder}, summed over {anatomy.recipe.lattice_points:,} z."
                )
            case _:
                return (
                    f"The step climbs {_climbed(anatomy)} = log mean p(x, z) / q(z|x) over "
                    f"{anatomy.recipe.samples:,} samples z; the ELBO = log p(x|z) − KL is no more "
                    "than that, and shown of the first sample."
                )

    def draw(self, painter: QPainter, area: QRectF) -> None:
        """Means over the images that are shown, and the ELBO of the whole batch."""
        anatomy, theme = self.anatomy, current_theme()
        likelihood, kl = float(anatomy.log_likelihood.mean()), float(anatomy.kl.mean())
        rows = (
            ("log p(x|z)", likelihood, theme.log_likelihood),
            ("KL", kl, theme.kl),
            (self._elbo, likelihood - kl, theme.train),
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
            self.write(painter, QRectF(area.left(), top, name, height), text, align.AlignLeft)
            length = max(room * abs(value) / largest, 1.0)
            bar = QRectF(area.left() + name, top + 0.2 * height, length, 0.6 * height)
            painter.fillRect(bar, QColor(color))
            position = QRectF(area.right() - number, top, number, height)
            self.write(painter, position, f"{figure(value, 1)}", align.AlignRight)
        text = (
            f"nats, mean of the {len(anatomy.x)} shown; of all {anatomy.batch:,}: "
            f"{self._elbo} {figure(anatomy.elbo, 1)}"
        )
        if anatomy.recipe.objective != "elbo":
            text += f", {_climbed(anatomy)} {figure(anatomy.value, 1)}"
        painter.setPen(QColor(theme.muted))
        top = area.top() + 3 * height + 2
        position = QRectF(area.left(), top, area.width(), 2.2 * metrics.height())
        painter.drawText(position, int(align.AlignTop | Qt.TextFlag.TextWordWrap), text)
        self._draw_each(painter, area.adjusted(0, position.bottom() - area.top(), 0, 0))

    @property
    def _elbo(self) -> str:
        return named("ELBO", no_likelihood(self.anatomy.recipe))

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
            position = QRectF(left + (width - cell) / 2 + 1, top + 1, cell - 2, cell - 2)
            painter.drawImage(position, self.images[number])
            position = QRectF(left, top + cell, width, metrics.height())
            self.write(painter, position, elbo, Qt.AlignmentFlag.AlignHCenter)


class GradientCard(Card):
    """The norms of each layer's gradient and update; as tall as it has layers."""

    def set_anatomy(self, anatomy: StepAnatomy) -> None:
        """Show another step."""
        super().set_anatomy(anatomy)
        self.updateGeometry()

    @override
    def minimumSizeHint(self) -> QSize:
        lines = 2 + len(self.anatomy.layers) if self.images else 0
        least = super().minimumSizeHint()
        return QSize(least.width(), max(least.height(), round(lines * self._line + 2 * PAD)))

    @property
    def _line(self) -> float:
        return self.fontMetrics().height() + 1.0

    def draw(self, painter: QPainter, area: QRectF) -> None:
        """Name, gradient and update of each layer, each kind to a scale of its own."""
        layers, theme, metrics = self.anatomy.layers, current_theme(), self.fontMetrics()
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
            position = QRectF(area.left(), area.top() + (line + 1) * height, name, height)
            self.write(painter, position, text, align.AlignLeft)
        for column, (title, color, values) in enumerate(columns):
            left = area.left() + name + column * half
            heading = QRectF(left, area.top(), half, height)
            self.write(painter, heading, title, align.AlignLeft, theme.muted)
            largest = max(values) or 1.0
            texts = [f"{value:.2g}" for value in values]
            number = max(map(metrics.horizontalAdvance, texts)) + 6
            for line, (value, text) in enumerate(zip(values, texts, strict=True)):
                top = area.top() + (line + 1) * height
                length = max((half - number - 8) * value / largest, 1.0)
                bar = QRectF(left, top + 0.2 * height, length, 0.6 * height)
                painter.fillRect(bar, QColor(color))
                position = QRectF(left, top, half - 8, height)
                self.write(painter, position, text, align.AlignRight)
        position = QRectF(
            area.left(), area.top() + (len(layers) + 1) * height, area.width(), height
        )
        whole = f"whole gradient ‖∇‖ {self.anatomy.gradient_norm:.3g}"
        self.write(painter, position, whole, align.AlignLeft, theme.muted)


def _climbed(anatomy: StepAnatomy) -> str:
    """What the step climbs, if not the ELBO."""
    exact = anatomy.recipe.objective == "exact"
    return "log p(x)" if exact else f"IWAE-{anatomy.recipe.samples}"


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
            "Noise ε from N(0, I) makes a sample of each: z = μ + L ε with Σ = L Lᵀ, so that the "
            "gradient can pass through it.",
        ),
        DecodeCard(
            "Decode",
            "The decoder turns each z into p(x|z), whose mean E[x|z] is shown under the image x "
            "that it should explain.",
        ),
        TermsCard(
            "Terms",
            "ELBO = log p(x|z) − KL(q(z|x) ‖ p(z)): how well z explains x, minus what z costs.",
        ),
        GradientCard(
            "Gradient",
            "Backpropagation gives each layer its gradient; AdamW turns it into an update Δθ at "
            "learning rate {rate}.",
        ),
    )
