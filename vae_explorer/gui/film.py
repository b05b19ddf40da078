"""Films as the bytes of a file: the maps, digits and curves of each frame, painted as figures are.

Frames are painted into a picture, which Qt does on any thread.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter
from PySide6.QtWidgets import QApplication

from vae_explorer.export.figure import FONT_PIXELS
from vae_explorer.export.film import encode_film
from vae_explorer.export.film_frames import RunFilm, Sheet, WalkFilm, Way, run_film, walk_film
from vae_explorer.export.film_requests import Film, Moving, Walk
from vae_explorer.export.source import Progress, Source
from vae_explorer.gui.curves.trace import robust_range
from vae_explorer.gui.plot.axis import Axis
from vae_explorer.gui.plot.export import figure_font
from vae_explorer.gui.plot.layout import Plot, pixel_font
from vae_explorer.gui.plot.marks import Entry, Line, Mark, Ring, class_dots
from vae_explorer.gui.plot.painting import paint_chart
from vae_explorer.gui.theme import DARK, LIGHT, class_color
from vae_explorer.number_format import AXES, figure, located
from vae_explorer.session.map import marks as latent
from vae_explorer.session.training.run_history import RunHistory
from vae_explorer.training.meaning import named, no_likelihood
from vae_explorer.types import Float32, Region, UInt8

_MARGIN = 6.0
_SQUARES = 0.7  # of the height, at most, of the map and the sheet over the curves
_WIDE = 0.62  # of the width, at most, of the map beside digits
_DOT = 3.0
_MOST_CLASSES = 10  # that are named in a legend
_COLORS = {"straight": "held_out", "about the origin": "accent", "geodesic": "accent"}


_app: list[QApplication] = []
"""Of a program without a window, as fonts need one."""


def training(request: Film, source: Source, suffix: str, progress: Progress) -> bytes:
    """The film of a training run: its map, sheet and curves moving together."""
    film = run_film(request, source, progress)
    return _encoded(request, suffix, _training_frames(request, film))


def walk(request: Walk, source: Source, suffix: str, progress: Progress) -> bytes:
    """The film of a walk over the plane: where it is, and the digit there."""
    film = walk_film(request, source, progress)
    return _encoded(request, suffix, _walk_frames(request, film))


def _encoded(request: Moving, suffix: str, frames: Iterator[UInt8]) -> bytes:
    if QApplication.instance() is None:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        _app.append(QApplication([]))
    kind = suffix.removeprefix(".")
    return encode_film(frames, kind, request.rate, loop=request.loop, hold=request.hold)


class _Stage:
    """Paints frames of the size, scheme and text size that are asked for."""

    def __init__(self, request: Moving) -> None:
        self._request = request
        self._theme = DARK if request.scheme == "dark" else LIGHT
        self._scale = request.text / FONT_PIXELS
        self._font = figure_font()
        head = 1.7 * QFontMetricsF(self._font).height() if request.caption else 0.0
        width, height = request.width / self._scale, request.height / self._scale
        self.room = QRectF(0, head, width, height - head).adjusted(
            _MARGIN, 0.0 if head else _MARGIN, -_MARGIN, -_MARGIN
        )
        """Where charts may be, in pixels of the layout."""

    def frame(self, caption: str, figures: str, charts: Sequence[tuple[QRectF, Plot]]) -> UInt8:
        """A frame (h, w, 3), headed by a caption and, at the right, figures."""
        request, theme = self._request, self._theme
        image = QImage(request.width, request.height, QImage.Format.Format_RGB32)
        image.fill(QColor(theme.canvas))
        with QPainter(image) as painter:
            painter.scale(self._scale, self._scale)
            for area, plot in charts:
                paint_chart(painter, area, plot, theme, self._font, self._scale)
            if request.caption:
                self._head(painter, caption, figures)
        pixels = np.frombuffer(image.constBits(), np.uint8)
        rows = pixels.reshape(request.height, image.bytesPerLine() // 4, 4)
        return rows[:, : request.width, 2::-1].copy()

    def _head(self, painter: QPainter, caption: str, figures: str) -> None:
        bold = pixel_font(self._font, bold=True)
        base = QFontMetricsF(bold).ascent() + _MARGIN
        painter.setFont(bold)
        painter.setPen(QColor(self._theme.text))
        painter.drawText(QPointF(self.room.left() + 2.0, base), caption)
        painter.setFont(self._font)
        painter.setPen(QColor(self._theme.muted))
        area = QRectF(self.room.left(), _MARGIN, self.room.width(), self.room.top())
        painter.drawText(area, Qt.AlignmentFlag.AlignRight, figures)


def _training_frames(request: Film, film: RunFilm) -> Iterator[UInt8]:
    stage = _Stage(request)
    room = stage.room
    side = min((room.width() - _MARGIN) / 2, _SQUARES * room.height())
    left = QRectF(room.left(), room.top(), (room.width() - _MARGIN) / 2, side)
    right = left.translated(left.width() + _MARGIN, 0)
    below = room.adjusted(0, side + _MARGIN, 0, 0)
    curves = _Curves(film)
    entries = _class_entries(film)
    codes = replace(_plane(film.region, "" if entries else "Codes"), entries=entries)
    decoded = _plane(film.region, "Decoded")
    whole = f" of {figure(film.epochs, 0)}" if film.epochs else ""
    for frame in film.frames:
        digits = 0 if frame.epoch == int(frame.epoch) else 1
        if 0 < frame.epoch < 1:
            digits = 2
        charts = [
            (left, replace(codes, marks=class_dots(frame.positions, film.labels, _DOT))),
            (right, replace(decoded, marks=_sheet_marks(frame.sheet))),
            (below, curves.until(frame.epoch)),
        ]
        caption = f"Epoch {figure(frame.epoch, digits)}{whole}"
        yield stage.frame(caption, curves.figures(frame.epoch), charts)


class _Curves:
    """The ELBO of a run, training and held out, up to a moment."""

    def __init__(self, film: RunFilm) -> None:
        history = RunHistory(film.history)
        self._name = named("ELBO", no_likelihood(film.recipe))
        self._training = history.column("epoch"), history.column("elbo")
        self._held_out = (
            history.column("epoch", "held_out"), history.column("held_out_elbo", "held_out")
        )  # fmt: skip
        x = Axis(0.0, 1.02 * (film.epochs or 1.0), "epoch")
        low, high = robust_range([self._training, self._held_out], x, Axis()) or (0.0, 1.0)
        self._plot = Plot(
            self._name,
            x,
            Axis(low, high, "nats"),
            entries=(Entry("train", "━", "training"), Entry("held_out", "━", "held out")),
        )

    def until(self, epoch: float) -> Plot:
        """As it is then."""
        marks: list[Mark] = []
        for (epochs, values), color in (
            (self._training, "train"),
            (self._held_out, "held_out"),
        ):
            end = int(np.searchsorted(epochs, epoch, side="right"))
            marks.append(Line(epochs[:end], values[:end], color))
            if end:
                at = float(epochs[end - 1]), float(values[end - 1])
                marks.append(Ring(at, color, 4.0, "."))
        return replace(self._plot, marks=tuple(marks))

    def figures(self, epoch: float) -> str:
        """The newest held-out value then, or else of training."""
        for (epochs, values), name in (
            (self._held_out, f"held-out {self._name}"),
            (self._training, self._name),
        ):
            end = int(np.searchsorted(epochs, epoch, side="right"))
            if end:
                return f"{name} {figure(float(values[end - 1]), 1)} nats"
        return ""


def _walk_frames(request: Walk, film: WalkFilm) -> Iterator[UInt8]:
    stage = _Stage(request)
    room, count = stage.room, len(film.ways)
    side = min(_WIDE * room.width(), room.height())
    left = QRectF(room.left(), room.top(), side, room.height())
    rest = room.adjusted(side + _MARGIN, 0, 0, 0)
    high = rest.height() / count
    areas = [
        QRectF(rest.left(), rest.top() + row * high, rest.width(), high) for row in range(count)
    ]
    plane = replace(
        _plane(film.region, "Latent plane", film.axes),
        entries=tuple(Entry(_COLORS[way.name], "━", way.name) for way in film.ways),
    )
    ground = [*_sheet_marks(film.sheet), *(_line(way) for way in film.ways)]
    ground += [Ring((x, y), "text", 4.0, "x") for x, y in film.waypoints.tolist()]
    lengths = ", ".join(f"{way.name} {figure(way.length, 1)}" for way in film.ways)
    said = f"How far the picture moves: {lengths}"
    for number, images in enumerate(film.frames):
        places = [tuple(way.positions[number].tolist()) for way in film.ways]
        rings = [
            Ring(place, _COLORS[way.name], 6.0, ".")
            for place, way in zip(places, film.ways, strict=True)
        ]
        charts = [(left, replace(plane, marks=tuple(ground), front=tuple(rings)))]
        for area, way, place, image in zip(areas, film.ways, places, images, strict=True):
            title = f"{way.name.capitalize()} · " * (count > 1) + located(place, film.axes, 2)
            charts.append((area, _digit(image, title)))
        yield stage.frame(f"Frame {number + 1} of {request.frames}", said, charts)


def _line(way: Way) -> Line:
    return Line(way.line[:, 0], way.line[:, 1], _COLORS[way.name], way.name, halo=True)


def _digit(image: Float32, title: str) -> Plot:
    height, width = image.shape[:2]
    cell = np.array([[0.0, width, 0.0, height]])
    across, up = Axis(0, width, numbers=False), Axis(0, height, numbers=False)
    mark = latent.Sheet(cell, image[None])
    return Plot(title, across, up, (mark,), aspect="exact")


def _plane(region: Region, title: str, axes: tuple[str, str] = AXES) -> Plot:
    low, high, bottom, top = region
    return Plot(title, Axis(low, high, axes[0]), Axis(bottom, top, axes[1]), aspect="exact")


def _sheet_marks(sheet: Sheet) -> tuple[Mark, ...]:
    return (latent.Sheet(sheet.cells, sheet.images),) if len(sheet.cells) else ()


def _class_entries(film: RunFilm) -> tuple[Entry, ...]:
    known = np.unique(film.labels).tolist()
    if len(known) < 2 or len(known) > _MOST_CLASSES:
        return ()
    names = [film.classes[label] if label < len(film.classes) else str(label) for label in known]
    return tuple(
        Entry(class_color(label).name(), "●", name)
        for label, name in zip(known, names, strict=True)
    )
