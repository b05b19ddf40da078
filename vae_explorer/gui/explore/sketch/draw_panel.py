"""The panel to draw an image in, and to see what the model makes of it."""

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import (
    QBoxLayout,
    QGridLayout,
    QLabel,
    QSizePolicy,
    QSlider,
    QStyle,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from vae_explorer.gui.explore.decode.digit_view import DigitView
from vae_explorer.gui.explore.decode.image import qimage_of
from vae_explorer.gui.explore.sketch.drawing_pad import THICKNESS, DrawingPad
from vae_explorer.gui.theme import MARGIN, SPACE
from vae_explorer.gui.widgets.readout import Readout
from vae_explorer.gui.widgets.rows import Scrolled, label_of, row
from vae_explorer.gui.widgets.terms import term_label
from vae_explorer.gui.widgets.wheel_guard import spare_from_wheel
from vae_explorer.latent.normal import Normal
from vae_explorer.number_format import NONE, figure, pair
from vae_explorer.session.explore.sketch_reading import NEIGHBOURS, Neighbour, Reading
from vae_explorer.training.meaning import Remark, explained, named
from vae_explorer.types import Float32, UInt8

WIDTH = 260
"""The least width of the panel, logical pixels."""

_WIDE = 520  # from here on the pad and what the model makes of it stand side by side
_LARGEST_PAD = 420
_THINNEST, _THICKEST = 3, 16  # hundredths of the pad's side
_ROWS = {
    "q mean": "Where the encoder puts the drawing, in latent units",
    "q width": "Standard deviations along the two axes of the ellipse of q, in latent units",
    "log p(x)": "Of the drawing under the model, by quadrature over the whole plane",
    "ELBO": "Of the drawing under the model",
    "Gap": "Of the drawing under the model",
}
_LIKELIHOODS = ("log p(x)", "ELBO", "Gap")
_REFIT = (
    QEvent.Type.Resize,
    QEvent.Type.FontChange,
    QEvent.Type.StyleChange,
    QEvent.Type.DevicePixelRatioChange,
)


class DrawPanel(QWidget):
    """A pad with its tools, and below or beside it what the model sees, says and remembers.

    Signals:
        drawn: a person changed the drawing: its ink, (h, w) uint8, at most once a frame.
        cleared: a person left the pad empty.
        open_requested: a person wants to choose a file.

    No ``set_…()`` emits any of them; ``pad`` tells of pictures that are dropped or pasted.
    """

    drawn = Signal(object)
    cleared = Signal()
    open_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pad = DrawingPad()
        self._seen = DigitView("Drawing as the model sees it", "Seen", least=84)
        self._seen.setToolTip("Scaled and centred as the digits of MNIST are")
        self._reconstruction = DigitView(
            "Reconstruction of the drawing", "Reconstruction", "Reconstr.", least=84
        )
        self._reconstruction.setToolTip("Decoded from the mean of q")
        self._names = {text: term_label(text, tip) for text, tip in _ROWS.items()}
        self.results = [Readout() for _ in _ROWS]
        self._nearest = [
            DigitView(f"Nearest image {n + 1}", NONE, least=30) for n in range(NEIGHBOURS)
        ]

        left, right = QVBoxLayout(), QVBoxLayout()
        left.addWidget(self.pad)
        left.addLayout(self._tools())
        left.addStretch()
        right.addLayout(row(self._seen, self._reconstruction))
        right.addLayout(self._figures())
        right.addWidget(QLabel("Nearest images"))
        right.addLayout(row(*self._nearest))
        right.addStretch()
        content = self._content = QWidget()
        self._about = QLabel()
        self._about.setWordWrap(True)
        self._columns = QBoxLayout(QBoxLayout.Direction.TopToBottom, content)
        self._columns.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        self._columns.addLayout(left)
        self._columns.addLayout(right, 1)
        framed = row(self._about)
        framed.setContentsMargins(MARGIN, 0, MARGIN, 0)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, MARGIN, 0, 0)
        outer.addLayout(framed)
        outer.addWidget(Scrolled(content, sideways=True))
        self.setMinimumWidth(WIDTH)
        self.set_figures(None)

        self.pad.drawn.connect(self._on_drawn)

    def set_drawable(self, drawable: bool, about: str) -> None:
        """Take drawings or not; a line says of what size they become, or why they cannot be."""
        self._content.setEnabled(drawable)
        self._about.setText(about)

    def set_seen(self, image: UInt8 | None) -> None:
        """Show the (h, w) image the model is given, or none."""
        self._seen.set_image(None if image is None else qimage_of(image))

    def set_reconstruction(self, image: Float32 | None) -> None:
        """Show its (h, w) reconstruction in [0, 1], or none."""
        self._reconstruction.set_image(None if image is None else qimage_of(image))

    def set_figures(self, reading: Reading | None) -> None:
        """Write what the model says of it, or nothing."""
        texts = [NONE] * len(_ROWS)
        if reading is not None:
            bound, truth = reading.bound, reading.truth
            wide, narrow = Normal.of(bound.mean, bound.covariance).widths
            texts = [
                pair((float(bound.mean[0]), float(bound.mean[1]))),
                f"{figure(wide, 3)} × {figure(narrow, 3)}",
                figure(truth.log_marginal if truth else None, 1, "nats"),
                figure(bound.elbo, 1, "nats"),
                figure(truth.gap if truth else None, 1, "nats"),
            ]
        for value, text in zip(self.results, texts, strict=True):
            value.set_text(text)

    def set_remark(self, remark: Remark | None) -> None:
        """Mark what is no likelihood, and say why."""
        for text, value in zip(_ROWS, self.results, strict=True):
            own = remark if text in _LIKELIHOODS else None
            self._names[text].setText(named(text, own))
            for widget in (self._names[text], value):
                widget.setToolTip(explained(_ROWS[text], own))

    def set_nearest(self, neighbours: tuple[Neighbour, ...]) -> None:
        """Show the nearest images of the data, at most ``NEIGHBOURS`` of them, nearest first."""
        for position, view in enumerate(self._nearest):
            if position < len(neighbours):
                found, distance = (
                    neighbours[position].thumbnail,
                    figure(neighbours[position].distance, 1),
                )
                view.set_image(qimage_of(found.image))
                view.set_caption(" · ".join(filter(None, (found.name, distance))), found.name)
                view.setToolTip(f"{found.name} · #{found.index:,} · distance {distance}")
            else:
                view.set_image(None)
                view.set_caption(NONE)
                view.setToolTip("")

    @override
    def event(self, event: QEvent) -> bool:
        """Fit the pictures again when the width, the font or the screen changes."""
        if event.type() in _REFIT:
            self._fit()
        return super().event(event)

    def _tools(self) -> QVBoxLayout:
        undo = _button("Undo", "Undo the last line (Ctrl+Z)")
        undo.setEnabled(False)
        erase = _button("Erase", "Erase with the left button too, or with a finger")
        erase.setCheckable(True)
        clear = _button("Clear", "Empty the pad (Delete)")
        paste = _button("Paste", "Use the picture on the clipboard (Ctrl+V)")
        choose = _button("Open…", "Use a picture from a file")
        thickness = QSlider(Qt.Orientation.Horizontal)
        thickness.setRange(_THINNEST, _THICKEST)
        thickness.setValue(round(100 * THICKNESS))
        thickness.setAccessibleName("Thickness")
        thickness.setAccessibleDescription("Of a line, in hundredths of the pad's side")
        spare_from_wheel(thickness)
        label = label_of(thickness, "Thickness")

        undo.clicked.connect(self.pad.undo)
        erase.toggled.connect(self.pad.set_erasing)
        clear.clicked.connect(self.pad.clear)
        paste.clicked.connect(self.pad.paste)
        choose.clicked.connect(self.open_requested)
        thickness.valueChanged.connect(lambda value: self.pad.set_thickness(value / 100))
        self.pad.can_undo_changed.connect(undo.setEnabled)

        tools = QVBoxLayout()
        for widgets in ((undo, erase, clear), (paste, choose), (label, thickness)):
            tools.addLayout(row(*widgets))
        return tools

    def _figures(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setVerticalSpacing(SPACE)
        grid.setColumnStretch(1, 1)
        for line, ((text, tip), value) in enumerate(zip(_ROWS.items(), self.results, strict=True)):
            value.setToolTip(tip)
            grid.addWidget(self._names[text], line, 0)
            grid.addWidget(value, line, 1)
        return grid

    def _on_drawn(self, ink: UInt8) -> None:
        if ink.any():
            self.drawn.emit(ink)
        else:
            self.cleared.emit()

    def _fit(self) -> None:
        """One column or two, and pictures as tall as their width has zoom for."""
        wide = self.width() >= _WIDE
        direction = QBoxLayout.Direction
        self._columns.setDirection(direction.LeftToRight if wide else direction.TopToBottom)
        room = self.width() - 2 * MARGIN
        self._columns.setStretch(0, int(wide))
        # Asking whether the scroll bar shows could make it come and go for ever.
        room -= self.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent)
        gap = self._columns.spacing()
        if wide:
            room = (room - gap) // 2
        self.pad.setFixedHeight(min(room, _LARGEST_PAD))
        for views in ([self._seen, self._reconstruction], self._nearest):
            column = (room - (len(views) - 1) * gap) // len(views)
            for view in views:
                view.setFixedHeight(max(view.height_for(column), view.minimumSizeHint().height()))
        self._columns.activate()  # before it is on screen nobody else does


def _button(text: str, tip: str) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setToolTip(tip)
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return button
