"""The plane of rate and distortion, and what is behind one of its points."""

import math
from collections.abc import Collection

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QLabel, QProgressBar, QSlider

from vae_explorer.gui.explore.decode.digit_view import DigitView
from vae_explorer.gui.lessons.code_map import CodeMap
from vae_explorer.gui.lessons.lesson_view import LessonView
from vae_explorer.gui.lessons.picture_grid import PictureGrid
from vae_explorer.gui.lessons.rate_plane import PlanePoint, RatePlane
from vae_explorer.gui.plot.marks import Line, Ring
from vae_explorer.gui.widgets.readout import Readout
from vae_explorer.gui.widgets.rows import beside, button, column, fill, row
from vae_explorer.lessons.trade import BETAS, HOLE, SHARES, SHEET, Study
from vae_explorer.number_format import figure
from vae_explorer.session.lessons.experiment import differs
from vae_explorer.session.lessons.trade import Trade, TradeResult
from vae_explorer.types import LatentPoint

_STEP = 20
"""Of the slider, from one β to the next."""
_TURN = np.linspace(0, 2 * np.pi, 121)


class TradeView(LessonView):
    """The plane and the codes above, a sheet and samples of the prior below."""

    experiment: Trade
    readouts = ("diamond",)

    def __init__(self, experiment: Trade) -> None:
        super().__init__(experiment, buttons=("model", "draws"))
        self._pointed: LatentPoint | None = None
        self._chosen: int | None = None
        self._points: list[Study] = []
        self._plane = RatePlane()
        self._map = CodeMap("Codes")
        self._map.setToolTip(
            "Codes of test digits and lines of equal q(z) around 50, 90 and 99 % of it; dashed, "
            "the prior's. Point at the map to decode there, or drag and use the arrow keys"
        )
        self._sheet = PictureGrid("Decoded", SHEET)
        self._sheet.setToolTip("Digits decoded from equal parts of the prior")
        self._draws = PictureGrid("Prior samples")
        self._draws.setToolTip(
            f"Decoded; framed where q(z) is below {HOLE:g} of the prior's density, in a hole. "
            "Point at one to see where it lies"
        )
        self._probe = DigitView("Decoded at the pointer", "point at a code", "at the pointer")
        self._readout = Readout(2, growing=True)
        tip = "Train a small model at each β that has none yet, a few seconds each"
        self._train = button("&Train Small Models", tip, self._on_train)
        self._bar = QProgressBar()
        self._bar.setAccessibleName("Progress of the training")
        self._bar.setRange(0, 1000)
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setRange(0, _STEP * (len(BETAS) - 1))
        self._slider.setPageStep(_STEP)
        self._slider.setTickInterval(_STEP)
        self._slider.setTickPosition(QSlider.TickPosition.TicksBelow)
        self._slider.setAccessibleName("β")
        self._slider.setToolTip(
            "Which small model is shown; between two, the codes are interpolated"
        )
        self._slider.valueChanged.connect(lambda value: experiment.set_place(value / _STEP))
        self._beta = QLabel()
        self._beta.setMinimumWidth(self.fontMetrics().horizontalAdvance("β = 0.01 "))

        slider = beside(self.form.rows["model"], self._beta, self._slider)
        training = beside(self._train, self._bar)
        side = column((self._probe, 1), self.form.rows["draws"])
        below = beside((self._sheet, 5), (self._draws, 5), (side, 2))
        figures = row((self._plane, 1), (self._map, 1), spacing=8)
        fill(self.page, (figures, 3), slider, self._readout, (below, 2), training)
        self.controls = {"train": training, "slider": slider, "pictures": below}

        self._plane.chosen.connect(self._on_chosen)
        self._map.pointed.connect(self._on_pointed)
        self._map.dragged.connect(lambda x, y: self._on_pointed((x, y)))
        self._draws.pointed.connect(self._on_draw_pointed)
        self.start()

    def set_hidden(self, names: Collection[str]) -> None:
        """Hide these controls; with the pictures go their crosses on the map."""
        super().set_hidden(names)
        self._show_rings()

    # What is shown

    def draw(self, old: TradeResult | None) -> None:
        """Draw what has changed."""
        found = self.experiment.result
        if differs(found, old, "own", "studies", "whole", "position"):
            if old is None or found.study is not old.study or found.studies is not old.studies:
                self._show_study(found)
            self._show_codes(found)
        if differs(found, old, "draws"):
            self._show_draws(found)
        self._show_training(found)

    def _show_study(self, found: TradeResult) -> None:
        study, own = found.study, found.own if self.tells("diamond") else None
        self._points = [*found.trained, *([own] if own else [])]
        points = [
            PlanePoint(
                "this model" if one is own else f"β = {one.beta:g}",
                one.beta,
                (one.aggregate.rate, one.aggregate.distortion),
                own=one is own,
            )
            for one in self._points
        ]
        at = self._points.index(study) if study in self._points else None
        self._plane.set_points(points, at)
        if study is None:
            self._readout.set_text("Measuring the model on test images …")
            return
        self._sheet.set_images(study.sheet)
        self._sheet.set_subtitle("from equal parts of the prior")
        f = study.aggregate
        name = "This model" if study is found.own else f"β = {study.beta:g}"
        text = (
            f"<b>{name}</b>, of test digits: −ELBO = R + D = {figure(f.rate, 2)} + "
            f"{figure(f.distortion, 1)} = {figure(f.rate + f.distortion, 1)} nats."
        )
        if self.tells("I", "KL"):
            information, marginal = figure(f.mutual_information, 2), figure(f.marginal_kl, 2)
            text += f" R = I(x; z) + KL(q(z) ‖ p(z)) = {information} + {marginal}."
        if self.tells("holes"):
            text += f" Holes: {100 * study.holes:.1f} % of the prior’s samples."
        self._readout.set_text(text)
        if study is found.own and own is None:
            self._readout.set_text("")
        self._probe_point()

    def _show_codes(self, found: TradeResult) -> None:
        study = found.study
        own = study is found.own
        position = BETAS.index(study.beta) if study and own else found.position
        with QSignalBlocker(self._slider):
            self._slider.setValue(round(_STEP * position))
        self._beta.setText(f"β = {BETAS[round(position)]:g}")
        if study is None:
            return
        name = "this model" if own else f"β = {study.beta:g}"
        self._map.set_subtitle(f"{name}; solid: all codes, dashed: the prior")
        reach = found.reach
        self._map.set_range(-reach, reach, -reach, reach)
        radii = [math.sqrt(-2 * math.log(1 - share)) for share in SHARES]
        lines = [
            Line(r * np.cos(_TURN), r * np.sin(_TURN), "text", "", 1.2, dashed=True) for r in radii
        ]
        if found.at_rest:
            paths = [path for level in study.lines for path in level]
            lines += [Line(path[:, 0], path[:, 1], "accent", "", 1.5) for path in paths]
        self._map.set_points(found.codes, found.labels, lines)
        self._show_rings()

    def _show_draws(self, found: TradeResult) -> None:
        draws = found.draws
        if draws is not None:
            holes = np.flatnonzero(draws.hole).tolist()
            told = self.tells("holes")
            self._draws.set_images(draws.images, holes if told else ())
            self._draws.set_subtitle(f"{len(holes)} of {len(draws.hole)} in a hole" if told else "")
        self._show_rings()

    def _show_rings(self) -> None:
        draws = self.experiment.result.draws
        rings, pointed = [], []
        if draws is not None and self.controls["pictures"].isVisibleTo(self):
            for number, (x, y) in enumerate(draws.points.tolist()):
                hole = draws.hole[number] and self.tells("holes")
                color = "held_out" if hole else "muted"
                rings.append(Ring((x, y), color, 3.0, "x"))
            if self._chosen is not None:
                x, y = draws.points[self._chosen].tolist()
                pointed.append(Ring((x, y), "accent", 9.0))
        if self._pointed is not None:
            pointed.append(Ring(self._pointed, "accent", 6.0))
        self._map.set_front(rings)
        self._map.set_pointer(pointed)

    def _show_training(self, found: TradeResult) -> None:
        progress, trained = found.progress, len(found.studies)
        self._plane.set_trail(found.trail)
        missing = len(BETAS) - trained
        self._train.setText("S&top" if progress else "&Train Small Models")
        ready = missing > 0 and found.own is not None
        self._train.setEnabled(ready or progress is not None)
        self._slider.setEnabled(trained > 0)
        self.form.editor("model").setEnabled(trained > 0)
        if progress is None:
            self._bar.setValue(0)
            self._bar.setFormat(f"{trained} of {len(BETAS)} trained")
        else:
            self._bar.setValue(round(self._bar.maximum() * progress.share))
            then = f", then {progress.wait} more" if progress.wait else ""
            self._bar.setFormat(f"training at β = {progress.beta:g}{then}")

    # What a person does

    def _on_train(self) -> None:
        if self.experiment.result.progress:
            self.experiment.stop()
        else:
            self.experiment.set(train=BETAS)

    def _on_chosen(self, number: int) -> None:
        study = self._points[number]
        if study is self.experiment.result.own:
            self.experiment.set(model=True)
        else:
            self.experiment.set(beta=study.beta)

    def _on_pointed(self, point: LatentPoint | None) -> None:
        if point is not None:
            self._pointed = point
            self._map.set_hand(point)
            self._probe_point()
            self._show_rings()

    def _on_draw_pointed(self, number: int | None) -> None:
        self._chosen = number
        self._draws.set_chosen(number)
        self._show_rings()

    def _probe_point(self) -> None:
        if self._pointed is None:
            return
        found = self.experiment.decode(self._pointed)
        if found is not None:
            image, ratio = found
            self._probe.set_image(image)
            written = "< 0.001" if ratio < 1e-3 else f"{ratio:.3g}" if ratio < 100 else "> 100"
            self._probe.set_caption(f"q/p {written}")
