"""Which plane of a latent space of more than two dimensions is shown, and where it lies."""

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QComboBox, QVBoxLayout, QWidget

from vae_explorer.gui.explore.decode.latent_sliders import LatentAxis
from vae_explorer.gui.theme import MARGIN
from vae_explorer.gui.widgets.empty_state import EmptyState
from vae_explorer.gui.widgets.rows import Scrolled, beside, button, label_of
from vae_explorer.number_format import coordinate
from vae_explorer.session.explore.latent_plane import PlaneView

_ABOUT = "This model has two latent dimensions, and the map shows both."


class PlanePanel(QWidget):
    """The two axes of the map, or the principal plane, and a slider for every other coordinate.

    Signals:
        along_changed: a person wants other axes: two coordinates, or None for the principal plane.
        other_changed: one of the other coordinates is to be elsewhere: its number and its value.
        reset_requested: all of them are to be where they were.
    """

    along_changed = Signal(object)
    other_changed = Signal(int, float)
    reset_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._kind, self._first, self._second = QComboBox(), QComboBox(), QComboBox()
        self._kind.addItems(["Principal plane", "Two coordinates"])
        for combo, name, tip in (
            (self._kind, "Plane", "What the map shows of the latent space"),
            (self._first, "Horizontal axis", "The coordinate along the horizontal axis"),
            (self._second, "Vertical axis", "The coordinate along the vertical axis"),
        ):
            combo.setAccessibleName(name)
            combo.setToolTip(tip)
            combo.activated.connect(self._announce)
        self._axes: list[LatentAxis] = []
        self._rows = QVBoxLayout()
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        layout.addWidget(self._kind)
        self._pair = beside(label_of(self._first, "Axes"), (self._first, 1), (self._second, 1))
        layout.addWidget(self._pair)
        layout.addLayout(self._rows)
        tip = "Put the other coordinates back to those of the mean code"
        layout.addWidget(button("Reset", tip, self.reset_requested.emit))
        layout.addStretch()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(Scrolled(content))
        self._empty = EmptyState(_ABOUT, over=self)

    @property
    def is_empty(self) -> bool:
        """Whether the map shows all of the latent space."""
        return not self._empty.isHidden()

    def set_plane(self, plane: PlaneView | None) -> None:
        """Show a plane, or that there is nothing to choose."""
        self._empty.setHidden(plane is not None)
        if plane is None:
            return
        for combo, index in zip((self._first, self._second), plane.along or (0, 1), strict=True):
            with QSignalBlocker(combo):
                if combo.count() != plane.dimensions:
                    combo.clear()
                    combo.addItems([*map(coordinate, range(plane.dimensions))])
                if plane.along:
                    combo.setCurrentIndex(index)
        self._kind.setCurrentIndex(plane.along is not None)
        self._pair.setVisible(plane.along is not None)
        if [axis.name for axis in self._axes] != [*plane.names]:
            self._name(plane.names)
        for axis, value in zip(self._axes, plane.others, strict=True):
            axis.set_value(value)

    def _name(self, names: tuple[str, ...]) -> None:
        for old in self._axes:
            old.deleteLater()
        self._axes = [LatentAxis(name) for name in names]
        widest = max(axis.label.sizeHint().width() for axis in self._axes)
        for number, axis in enumerate(self._axes):
            axis.label.setMinimumWidth(widest)
            axis.edited.connect(lambda n=number, a=axis: self.other_changed.emit(n, a.value))
            self._rows.addWidget(axis)

    def _announce(self) -> None:
        first, second = self._first.currentIndex(), self._second.currentIndex()
        if first == second:
            second = (first + 1) % self._second.count()
            if self.sender() is self._second:
                first, second = second, first
        self.along_changed.emit((first, second) if self._kind.currentIndex() else None)
