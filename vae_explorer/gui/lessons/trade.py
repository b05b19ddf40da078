"""The plane of rate and distortion, and what is behind one of its points."""

import math
from collections.abc import Collection

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from vae_explorer.gui.explore.decode.digit_view import DigitView
from vae_explorer.gui.explore.decode.image import gray8
from vae_explorer.gui.lessons.code_map import CodeMap, Path, Ring
from vae_explorer.gui.lessons.instrument_view import InstrumentView
from vae_explorer.gui.lessons.picture_grid import PictureGrid
from vae_explorer.gui.lessons.rate_plane import PlanePoint, RatePlane
from vae_explorer.gui.theme import Theme, current_theme
from vae_explorer.gui.widgets.number_format import figure
from vae_explorer.gui.widgets.readout import Readout
from vae_explorer.session.lessons.trade import BETAS, HOLE, SHARES, SHEET, Trade

_STEP = 20
"""Of the slider, from one β to the next."""
_TURN = np.linspace(0, 2 * np.pi, 121)


class TradeView(InstrumentView):
    """The plane and the codes above, a sheet and draws from the prior below."""

    def __init__(self, instrument: Trade, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._instrument = instrument
        self._theme = current_theme()
        self._pointed: tuple[float, float] | None = None
        self._chosen: int | None = None
        self._plane = RatePlane()
        self._map = CodeMap("Codes")
        self._map.setToolTip(
            "Codes of test digits and lines of equal q(z) around 50, 90 and 99 % of it; dashed, "
            "the prior's. Point at a place to decode it, or drag and use the arrow keys"
        )
        self._sheet = PictureGrid("Decoded", SHEET)
        self._sheet.setToolTip("Digits decoded from equal parts of the prior")
        self._draws = PictureGrid("Prior draws")
        self._draws.setToolTip(
            f"Decoded; framed where q(z) is below {HOLE:g} of the prior's density, in a hole. "
            "Point at one to see where it lies"
        )
        self._probe = DigitView("Decoded at the pointer", "point at a code")
        self._readout = Readout(2)

        self._train = QPushButton("&Train small models")
        self._train.setToolTip(
            "Train a small model at each β that has none yet, a few seconds each"
        )
        self._train.clicked.connect(self._on_train)
        self._bar = QProgressBar()
        self._bar.setAccessibleName("Progress of the training")
        self._bar.setRange(0, 1000)
        training = QWidget()
        row = QHBoxLayout(training)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._train)
        row.addWidget(self._bar, 1)

        self._own = QPushButton("Model of the &map")
        self._own.setCheckable(True)
        self._own.setToolTip("Show the model on the map, or the small one of the slider's β")
        self._own.clicked.connect(self._on_own)
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setRange(0, _STEP * (len(BETAS) - 1))
        self._slider.setPageStep(_STEP)
        self._slider.setTickInterval(_STEP)
        self._slider.setTickPosition(QSlider.TickPosition.TicksBelow)
        self._slider.setAccessibleName("β")
        self._slider.setToolTip(
            "Which small model is shown; in between, the codes are on their way"
        )
        self._slider.valueChanged.connect(lambda value: instrument.set_place(value / _STEP))
        self._beta = QLabel()
        self._beta.setMinimumWidth(self.fontMetrics().horizontalAdvance("β = 0.01 "))
        slider = QWidget()
        row = QHBoxLayout(slider)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._own)
        row.addWidget(self._beta)
        row.addWidget(self._slider, 1)

        self._draw = QPushButton("&Draw again")
        self._draw.setToolTip("Draw other places from the prior")
        self._draw.clicked.connect(instrument.draw)
        below = QWidget()
        side = QVBoxLayout()
        side.addWidget(self._probe, 1)
        side.addWidget(self._draw)
        pictures = QHBoxLayout(below)
        pictures.setContentsMargins(0, 0, 0, 0)
        pictures.addWidget(self._sheet, 5)
        pictures.addWidget(self._draws, 5)
        pictures.addLayout(side, 2)

        figures = QGridLayout()
        figures.setColumnStretch(0, 1)
        figures.setColumnStretch(1, 1)
        figures.setHorizontalSpacing(10)
        figures.addWidget(self._plane, 0, 0)
        figures.addWidget(self._map, 0, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.addLayout(figures, 3)
        layout.addWidget(slider)
        layout.addWidget(self._readout)
        layout.addWidget(below, 2)
        layout.addWidget(training)
        self.controls = {"train": training, "slider": slider, "pictures": below}

        self._plane.chosen.connect(self._on_chosen)
        self._map.pointed.connect(self._on_pointed)
        self._map.dragged.connect(lambda x, y: self._on_pointed((x, y)))
        self._draws.pointed.connect(self._on_draw_pointed)
        instrument.changed.connect(self._show)
        instrument.moved.connect(self._show_codes)
        instrument.draws_changed.connect(self._show_draws)
        instrument.training_changed.connect(self._show_training)
        self._show()
        self._show_codes()
        self._show_draws()
        self._show_training()

    def set_theme(self, theme: Theme) -> None:
        """Take the theme's colours."""
        self._theme = theme
        for widget in (self._plane, self._map, self._sheet, self._draws, self._probe):
            widget.set_theme(theme)
        self._show_codes()

    def set_hidden(self, names: Collection[str]) -> None:
        """Hide these controls; with the pictures go their crosses on the map."""
        super().set_hidden(names)
        self._show_rings()

    # What is shown

    def _show(self) -> None:
        instrument = self._instrument
        study = instrument.study
        self._points = [*instrument.trained, *([instrument.own] if instrument.own else [])]
        points = [
            PlanePoint(
                "this model" if one is instrument.own else f"β = {one.beta:g}",
                one.beta,
                (one.aggregate.rate, one.aggregate.distortion),
                own=one is instrument.own,
            )
            for one in self._points
        ]
        self._plane.set_points(points, self._points.index(study) if study else None)
        self._show_training()
        if study is None:
            self._readout.set_text("Measuring the model on test images …")
            return
        self._sheet.set_images(study.sheet)
        self._sheet.set_title("Decoded", "from equal parts of the prior")
        f = study.aggregate
        name = "This model" if study is instrument.own else f"β = {study.beta:g}"
        self._readout.set_text(
            f"<b>{name}</b>, of test digits: R {figure(f.rate, 2)} + D "
            f"{figure(f.distortion, 1)} = {figure(f.rate + f.distortion, 1)} nats = −ELBO. "
            f"R = I(x; z) {figure(f.mutual_information, 2)} + KL(q(z) ‖ p(z)) "
            f"{figure(f.marginal_kl, 2)}. Holes: {100 * study.holes:.1f} % of the prior's draws."
        )
        self._probe_place()

    def _show_codes(self) -> None:
        instrument, theme = self._instrument, self._theme
        whole, place = instrument.whole, instrument.place
        with QSignalBlocker(self._slider), QSignalBlocker(self._own):
            self._slider.setValue(round(_STEP * place))
            self._own.setChecked(whole)
        nearest = BETAS[round(place)]
        self._beta.setText(f"β = {nearest:g}")
        study = instrument.study
        if study is None:
            return
        own = study is instrument.own
        name = "this model" if own else f"β = {study.beta:g}"
        self._map.set_title("Codes", f"{name}; dashed: the prior")
        reach = instrument.reach
        self._map.set_region((-reach, reach, -reach, reach))
        self._map.set_points(instrument.codes, instrument.labels)
        paths = []
        for share in SHARES:
            radius = math.sqrt(-2 * math.log(1 - share))
            circle = radius * np.stack([np.cos(_TURN), np.sin(_TURN)], axis=1)
            paths.append(Path(circle, theme.text, 1.2, dashed=True))
        if instrument.at_rest:
            paths += [Path(line, theme.accent, 1.5) for lines in study.lines for line in lines]
        self._map.set_paths(paths)
        self._show_rings()

    def _show_draws(self) -> None:
        draws = self._instrument.draws
        if draws is not None:
            holes = np.flatnonzero(draws.hole).tolist()
            self._draws.set_images(draws.images, holes)
            note = f"{len(holes)} of {len(draws.hole)} in a hole"
            self._draws.set_title("Prior draws", note)
        self._show_rings()

    def _show_rings(self) -> None:
        draws, theme = self._instrument.draws, self._theme
        rings = []
        if draws is not None and self.controls["pictures"].isVisibleTo(self):
            for number, (x, y) in enumerate(draws.places.tolist()):
                color = theme.held_out if draws.hole[number] else theme.muted
                rings.append(Ring((x, y), color, 3.0, round=False))
            if self._chosen is not None:
                x, y = draws.places[self._chosen].tolist()
                rings.append(Ring((x, y), theme.accent, 9.0))
        if self._pointed is not None:
            rings.append(Ring(self._pointed, theme.accent, 6.0))
        self._map.set_rings(rings)

    def _show_training(self) -> None:
        instrument = self._instrument
        progress = instrument.progress
        self._plane.set_trail(instrument.trail)
        missing = len(BETAS) - len(instrument.studies)
        self._train.setText("S&top" if progress else "&Train small models")
        ready = missing > 0 and instrument.own is not None
        self._train.setEnabled(ready or progress is not None)
        self._slider.setEnabled(bool(instrument.studies))
        self._own.setEnabled(bool(instrument.studies))
        if progress is None:
            self._bar.setValue(0 if missing else self._bar.maximum())
            self._bar.setFormat(f"{len(instrument.studies)} of {len(BETAS)} trained")
        else:
            self._bar.setValue(round(self._bar.maximum() * progress.share))
            self._bar.setFormat(f"training at β = {progress.beta:g}; {progress.wait} wait")

    # What a person does

    def _on_train(self) -> None:
        if self._instrument.progress:
            self._instrument.stop()
        else:
            self._instrument.train()

    def _on_own(self, own: bool) -> None:
        if own:
            self._instrument.show_model()
        else:
            self._instrument.set_place(self._instrument.place)

    def _on_chosen(self, number: int) -> None:
        study = self._points[number]
        if study is self._instrument.own:
            self._instrument.show_model()
        else:
            self._instrument.show_beta(study.beta)

    def _on_pointed(self, place: tuple[float, float] | None) -> None:
        if place is not None:
            self._pointed = place
            self._map.set_hand(place)
            self._probe_place()
            self._show_rings()

    def _on_draw_pointed(self, number: int | None) -> None:
        self._chosen = number
        self._draws.set_chosen(number)
        self._show_rings()

    def _probe_place(self) -> None:
        if self._pointed is None:
            return
        found = self._instrument.decode(self._pointed)
        if found is not None:
            image, ratio = found
            self._probe.set_image(gray8(image))
            written = "< 0.001" if ratio < 1e-3 else f"{ratio:.3g}" if ratio < 100 else "> 100"
            self._probe.set_caption(f"q/p {written}")
