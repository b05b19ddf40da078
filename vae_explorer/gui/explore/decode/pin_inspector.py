"""The inspector of the pinned digit: what three codes make of it, and its scores."""

import math

import numpy as np
from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from vae_explorer.gui.explore.decode.digit_view import DigitView
from vae_explorer.gui.explore.decode.image import qimage_of, signed
from vae_explorer.gui.plot.color_maps import COLORS, argb_image, sequential
from vae_explorer.gui.theme import SPACE, current_theme
from vae_explorer.gui.widgets.fold import Fold
from vae_explorer.gui.widgets.readout import Readout
from vae_explorer.gui.widgets.rows import column, held, row
from vae_explorer.gui.widgets.terms import term_label
from vae_explorer.latent.normal import Normal
from vae_explorer.number_format import figure, pair
from vae_explorer.session.explore.inspector import (
    Code,
    Inspection,
    Reconstruction,
    error_image,
)
from vae_explorer.session.explore.pins import DataPoint
from vae_explorer.training.meaning import Remark, explained, named
from vae_explorer.types import Float32

_HINT = "click a point to pin it"
_CODES: dict[str, Code] = {
    "Mean of q(z|x)": "mean",
    "Sample from q(z|x)": "sample",
    "Exact posterior mean": "exact",
}
_ROWS = {
    "ELBO": "Of this image, for one sample of its data treatment",
    "= log-likelihood": "Of this image, expected over its q(z|x)",
    "− KL": "Of this image's q(z|x)",
    "log p(x)": "Of the same sample, by quadrature over the whole latent plane",
    "gap": "Of this image; refining its q(z|x) makes it smaller",
}
_LONGEST = "−0000.0 nats"
_BARE = "− KL"  # and no matter of the likelihood


class PinInspector(QWidget):
    """One image of the data beside its reconstruction, or a hint how to pin one.

    Its ``title`` is always seen; ``fold`` folds the rest.

    Until its ``Inspection`` is known it shows what the ``DataPoint`` has: the mean's
    reconstruction.

    Signals:
        resample_requested: a person wants another sample from q(z|x).
        refine_requested: a person wants the posterior of the image refined.
    """

    resample_requested = Signal()
    refine_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("export", "images")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self._point: DataPoint | None = None
        self._inspection: Inspection | None = None
        self._original = DigitView("Original image", "Original")
        self._reconstruction = DigitView("Reconstruction", "Reconstruction", "Reconstr.")
        self._error = DigitView("Error: reconstruction minus original", "Error")
        self._map = DigitView("Log-likelihood of each pixel", "Log-likelihood", "log p(x|z)")
        self._error.setToolTip(
            "Reconstruction − original: warm where there is too much ink, blue where too little"
        )
        self._views = self._original, self._reconstruction, self._error, self._map
        self.title = Readout()
        self._names = {name: term_label(name, tip) for name, tip in _ROWS.items()}
        self._values = {name: QLabel() for name in _ROWS}
        self._remark: Remark | None = None

        pictures = row(*self._views, spacing=SPACE)
        self._details = QWidget()
        # It keeps its height, so that pinning does not move what is above.
        policy = self._details.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self._details.setSizePolicy(policy)
        details = QVBoxLayout(self._details)
        details.setContentsMargins(0, 0, 0, 0)
        details.setSpacing(SPACE)
        details.addLayout(self._choice_row())
        details.addLayout(self._figures())
        self._keep_room()
        content = held(column(pictures, self._details))
        self.fold = Fold("Pinned", content, self.title, "Pinned image")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.fold)
        self.set_point(None)

    def set_point(self, point: DataPoint | None) -> None:
        """Show a point of the data, or none; the inspection of another image goes."""
        self._point = point
        shown = self._inspection
        if shown and (not point or (shown.split, shown.index) != (point.split, point.index)):
            self._inspection = None
        self._details.setVisible(point is not None)
        self._draw()

    def set_inspection(self, inspection: Inspection | None) -> None:
        """Show the inspection of the point, or that it is not known."""
        self._inspection = inspection
        self._draw()

    def set_remark(self, remark: Remark | None) -> None:
        """Mark what is no likelihood, and say why."""
        self._remark = remark
        self._draw()

    @override
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._draw()
        elif event.type() == QEvent.Type.FontChange:
            self._keep_room()

    def fit(self, width: int) -> None:
        """Give the pictures the height that an inspector of ``width`` has zoom for."""
        width -= (len(self._views) - 1) * SPACE
        each = width // len(self._views)
        for view in self._views:
            view.setFixedHeight(max(view.height_for(each), view.minimumSizeHint().height()))

    def _choice_row(self) -> QHBoxLayout:
        """Which code is decoded, and the button for another sample."""
        self._choice = QComboBox()
        self._choice.setAccessibleName("Code that is decoded")
        self._choice.setToolTip("Which code of this image is decoded")
        for text, code in _CODES.items():
            self._choice.addItem(text, code)
        self._choice.currentIndexChanged.connect(self._draw)
        # It may be narrower than its longest text.
        self._choice.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._resample = QToolButton()
        self._resample.setText("Resample")
        self._resample.setToolTip("Draw another sample from q(z|x)")
        self._resample.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._resample.clicked.connect(self.resample_requested)
        return row(self._choice, self._resample, wide=self._choice, spacing=SPACE)

    def _figures(self) -> QGridLayout:
        """The figures, and the button that makes the gap smaller."""
        grid = self._grid = QGridLayout()
        grid.setVerticalSpacing(1)
        grid.setHorizontalSpacing(2 * SPACE)
        grid.setColumnStretch(2, 1)
        for line, text in enumerate(_ROWS):
            value = self._values[text]
            grid.addWidget(self._names[text], line, 0)
            grid.addWidget(value, line, 1, Qt.AlignmentFlag.AlignRight)
        refine = QToolButton()
        refine.setText("Refine")
        refine.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        refine.setToolTip("Climb the ELBO of this image from the encoder's q")
        refine.setProperty("command", "refine")
        refine.clicked.connect(self.refine_requested)
        corner = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom
        grid.addWidget(refine, len(_ROWS) - 2, 2, 2, 1, corner)
        return grid

    def _keep_room(self) -> None:
        """For any figure, so that pinning makes nothing wider."""
        # Of the column: a label would not forget an older width of its own.
        self._grid.setColumnMinimumWidth(1, self.fontMetrics().horizontalAdvance(_LONGEST))

    def _draw(self) -> None:
        point, inspection = self._point, self._inspection
        for text, tip in _ROWS.items():
            remark = None if text == _BARE else self._remark
            self._names[text].setText(named(text, remark))
            for label in (self._names[text], self._values[text]):
                label.setToolTip(explained(tip, remark))
        code: Code = self._choice.currentData()
        self._resample.setEnabled(inspection is not None and code == "sample")
        if point is None:
            for view in self._views:
                view.set_image(None)
            self.title.set_text(_HINT)
            self.title.setToolTip("")
            return
        self.title.set_text(point.name)
        wide, narrow = Normal.of(point.mean, point.covariance).widths
        self.title.setToolTip(
            f"q(z|x) has its mean at {_place(point.mean)} and the standard deviations "
            f"{figure(wide, 3)} and {figure(narrow, 3)}"
        )
        self._original.set_image(qimage_of(point.original))
        self._draw_reconstruction(point, inspection, code)
        # All of one model and one binarisation, whichever came last.
        truth = inspection.truth if inspection else None
        known = truth.bound if truth else point
        figures = (
            known.elbo,
            known.log_likelihood,
            known.kl,
            truth.log_marginal if truth else None,
            truth.gap if truth else None,
        )
        for value, number in zip(self._values.values(), figures, strict=True):
            value.setText(figure(number, 1, "nats"))
        if truth is not None:
            tip = f"{_ROWS['log p(x)']}, to about {truth.error:.1g} nats"
            self._values["log p(x)"].setToolTip(explained(tip, self._remark))

    def _draw_reconstruction(
        self, point: DataPoint, inspection: Inspection | None, code: Code
    ) -> None:
        shown = inspection.reconstructions.get(code) if inspection is not None else None
        if inspection is not None and shown is not None:
            image, error, position = shown.image, shown.error, shown.z
            self._draw_map(inspection, shown)
        elif code == "mean" and inspection is None:
            image, position = point.reconstruction, point.mean
            error = error_image(image, point.original)
            self._map.set_image(None)
        else:
            for view in self._views[1:]:
                view.set_image(None)
            self._reconstruction.setToolTip("")
            return
        self._reconstruction.set_image(qimage_of(image))
        self._reconstruction.setToolTip(f"Decoded from z = {_place(position)}")
        self._error.set_image(signed(error, current_theme()))

    def _draw_map(self, inspection: Inspection, shown: Reconstruction) -> None:
        """What each pixel costs, on one scale for all three codes so that they compare."""
        maps = [one.log_likelihood for one in inspection.reconstructions.values()]
        low, high = float(np.min(maps)), float(np.max(maps))
        if math.isnan(low):
            self._map.set_image(None)
            self._map.setToolTip("This model has no likelihood")
            return
        cost = (high - shown.log_likelihood) / ((high - low) or 1.0)
        steps = np.rint(cost * (COLORS - 1)).astype(np.intp)
        self._map.set_image(argb_image(sequential(current_theme())[steps]))
        total = float(shown.log_likelihood.sum())
        self._map.setToolTip(
            f"log p(x|z) of each pixel, from {figure(high, 1)} nats, like the background, down to "
            f"{figure(low, 1)}; all together {figure(total, 1)}"
        )


def _place(z: Float32) -> str:
    return pair((float(z[0]), float(z[1])))
