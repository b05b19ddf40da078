"""The pinned digit: original, reconstruction, error, and its figures."""

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QGridLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from vae_explorer.gui.decode.digit_view import DigitView
from vae_explorer.gui.decode.image import gray8, signed
from vae_explorer.gui.figures import figure, pair, posterior_widths
from vae_explorer.gui.theme import Theme, current_theme
from vae_explorer.session.state import DataPoint

_HINT = "Click a point to pin it"
_ROWS = {
    "ELBO": "Evidence lower bound of this image, for one draw of its data treatment",
    "= log-likelihood": "Of the image given one z drawn from its posterior",
    "− KL": "From the posterior to the prior",
    "Posterior mean": "Where the encoder puts this image, in latent units",
    "Posterior width": "Standard deviations along the two axes of the ellipse, in latent units",
}


class PinnedSection(QGroupBox):
    """One image of the data beside its reconstruction, or a hint how to pin one."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Pinned digit", parent)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self._point: DataPoint | None = None
        self._theme = current_theme()
        self._original = DigitView("Original image", "Original")
        self._reconstruction = DigitView("Reconstruction", "Reconstruction", "Reconstr.")
        self._error = DigitView("Error: reconstruction minus original", "Error")
        self._reconstruction.setToolTip("Decoded from the posterior mean")
        self._error.setToolTip(
            "Reconstruction − original: warm where there is too much ink, blue where too little"
        )
        self._views = self._original, self._reconstruction, self._error
        self._title = QLabel()
        self._title.setTextFormat(Qt.TextFormat.PlainText)
        self._values = [QLabel() for _ in _ROWS]

        pictures = QHBoxLayout()
        for view in self._views:
            pictures.addWidget(view)
        self._figures = QWidget()
        # The section keeps its height, so that pinning does not move the digit above.
        policy = self._figures.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self._figures.setSizePolicy(policy)
        grid = QGridLayout(self._figures)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(2, 1)
        for row, ((text, tip), value) in enumerate(zip(_ROWS.items(), self._values, strict=True)):
            name = QLabel(text)
            for label in (name, value):
                label.setToolTip(tip)
            grid.addWidget(name, row, 0)
            grid.addWidget(value, row, 1, Qt.AlignmentFlag.AlignRight)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(6, 6, 6, 6)
        self._column.addLayout(pictures)
        self._column.addWidget(self._title)
        self._column.addWidget(self._figures)
        self.set_point(None)

    def set_point(self, point: DataPoint | None) -> None:
        """Show a point of the data, or none."""
        self._point = point
        self._figures.setVisible(point is not None)
        if point is None:
            for view in self._views:
                view.set_image(None)
            self._title.setText(_HINT)
            return
        self._original.set_image(gray8(point.original))
        self._reconstruction.set_image(gray8(point.reconstruction))
        self._draw_error()
        self._title.setText(f"digit {point.label} · #{point.index:,} {point.split}")
        wide, narrow = posterior_widths(point.covariance)
        texts = (
            f"{figure(point.elbo, 1)} nats",
            f"{figure(point.log_likelihood, 1)} nats",
            f"{figure(point.kl, 1)} nats",
            pair((float(point.mean[0]), float(point.mean[1]))),
            f"{figure(wide, 3)} × {figure(narrow, 3)}",
        )
        for value, text in zip(self._values, texts, strict=True):
            value.setText(text)

    def set_theme(self, theme: Theme) -> None:
        """Draw with another theme's colours."""
        self._theme = theme
        for view in self._views:
            view.set_theme(theme)
        self._draw_error()

    def fit(self, width: int) -> None:
        """Give the three pictures the height that a section of ``width`` has zoom for."""
        for margins in (self.contentsMargins(), self._column.contentsMargins()):
            width -= margins.left() + margins.right()
        width -= (len(self._views) - 1) * self._column.spacing()
        column = width // len(self._views)
        for view in self._views:
            view.setFixedHeight(max(view.height_for(column), view.minimumSizeHint().height()))

    def _draw_error(self) -> None:
        if self._point is not None:
            original = self._point.original.astype(np.float32) / np.float32(255)
            self._error.set_image(signed(self._point.reconstruction - original, self._theme))
