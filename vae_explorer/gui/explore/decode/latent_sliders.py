"""The cursor as two sliders and two numbers."""

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QSlider, QVBoxLayout, QWidget

from vae_explorer.gui.widgets.number_box import NumberBox
from vae_explorer.gui.widgets.rows import label_of, row
from vae_explorer.gui.widgets.wheel_guard import spare_from_wheel
from vae_explorer.number_format import AXES
from vae_explorer.session.explore.cursor import LATENT_LIMIT

_STEPS_PER_UNIT = 1000
_DECIMALS = 3
_STEP = 0.1


class LatentSliders(QWidget):
    """Two rows, a coordinate each, a slider and a box that say the same number, in latent units."""

    z_changed = Signal(float, float)
    """A person moved a slider or entered a number: both coordinates."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._axes = LatentAxis(AXES[0]), LatentAxis(AXES[1])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for axis in self._axes:
            axis.edited.connect(self._announce)
            layout.addWidget(axis)

    def set_axes(self, names: tuple[str, str]) -> None:
        """Call the coordinates otherwise."""
        for axis, name in zip(self._axes, names, strict=True):
            axis.set_name(name)

    def set_z(self, z1: float, z2: float) -> None:
        """Show a position, clamped to the limit."""
        for axis, value in zip(self._axes, (z1, z2), strict=True):
            axis.set_value(value)

    def _announce(self) -> None:
        self.z_changed.emit(self._axes[0].value, self._axes[1].value)


class LatentAxis(QWidget):
    """One coordinate. ``value`` is kept as it was set; slider and box show it rounded to 0.001."""

    edited = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = ""
        self.value = 0.0
        self._box = NumberBox(-LATENT_LIMIT, LATENT_LIMIT, _STEP, decimals=_DECIMALS, even=True)
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setAccessibleDescription("In thousandths of a latent unit")
        self._slider.setSingleStep(round(_STEP * _STEPS_PER_UNIT))
        self._slider.setPageStep(_STEPS_PER_UNIT)
        steps = round(LATENT_LIMIT * _STEPS_PER_UNIT)
        self._slider.setRange(-steps, steps)
        spare_from_wheel(self._slider, self._box)
        self.label = label_of(self._box, name)
        layout = row(self.label, self._slider, self._box, wide=self._slider)
        layout.setContentsMargins(0, 0, 0, 0)
        self.setLayout(layout)
        self._slider.valueChanged.connect(self._take_slider)
        self._box.valueChanged.connect(self._take_box)
        self.set_name(name)

    def set_name(self, name: str) -> None:
        """Call it otherwise."""
        if name != self.name:
            self.name = name
            self.label.setText(name)
            self._box.setAccessibleName(name)
            self._box.setToolTip(f"{name} in latent units")
            self._slider.setAccessibleName(f"{name} slider")

    def set_value(self, value: float) -> None:
        """Show a value, clamped to the limit."""
        self.value = min(max(value, self._box.minimum()), self._box.maximum())
        with QSignalBlocker(self._box), QSignalBlocker(self._slider):
            self._box.setValue(self.value)
            self._slider.setValue(round(self.value * _STEPS_PER_UNIT))

    def _take_slider(self, steps: int) -> None:
        self.set_value(steps / _STEPS_PER_UNIT)
        self.edited.emit()

    def _take_box(self, value: float) -> None:
        self.set_value(value)
        self.edited.emit()
