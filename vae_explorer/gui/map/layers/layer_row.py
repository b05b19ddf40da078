"""The row of a layer: whether it shows, how strong, its choices and what it means."""

from functools import partial

from PySide6.QtCore import QPoint, QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAction,
    QColor,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QShortcut,
)
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from vae_explorer.gui.map.layers.layer_key import LayerKey
from vae_explorer.gui.theme import SPACE, Theme, Themed, current_theme
from vae_explorer.gui.widgets.terms import TermBox
from vae_explorer.gui.widgets.wheel_guard import spare_from_wheel
from vae_explorer.gui.window.actions import keyed
from vae_explorer.session.map.layers import Choice, LayerSpec, LayerState, default_state

_GRIP_WIDTH, _GRIP_GAP = 12, 4
_DOT = 2
_PERCENT = 100
_PATIENCE_MS = 250


class LayerRow(Themed):
    """One layer: its check box, and below it the rest while it is checked.

    ``pointer_y`` is where the grip was last pulled to, in pixels of the column of rows.
    """

    toggled = Signal(bool)
    opacity_changed = Signal(float)
    choice_changed = Signal(str, str)
    moved_by = Signal(int)
    dragged = Signal()
    dropped = Signal()

    def __init__(self, spec: LayerSpec) -> None:
        super().__init__()
        self.layer = spec.id
        self.pointer_y = 0
        self.check = TermBox(spec.name)
        self.check.setAccessibleDescription(spec.about)
        self._spec = spec
        self._letter = QLabel()
        self.set_key(spec.key)
        self._about = QLabel(spec.about, wordWrap=True)
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setRange(0, _PERCENT)
        self._slider.setPageStep(10)
        self._slider.setAccessibleName(f"{spec.name}, opacity")
        self._slider.setMinimumWidth(60)
        self.busy = QLabel("computing…")
        # Its room stays, so that nothing jumps when it comes and goes.
        policy = self.busy.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.busy.setSizePolicy(policy)
        self.busy.hide()
        # Most contents are quicker than this, and words that flash say nothing.
        self._patience = QTimer(self, singleShot=True, interval=_PATIENCE_MS)
        self._patience.timeout.connect(self.busy.show)
        self._combos = {choice.id: _combo(spec, choice) for choice in spec.choices}
        self.key = LayerKey()
        self._offer = QToolButton()
        self._offer.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self._offer.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._offer.hide()
        self.controls = (self.check, self._slider, *self._combos.values(), self._offer)
        self._details = QWidget()
        self._lay_out(spec)
        self._connect()
        self.set_state(default_state(spec))
        self.set_theme(current_theme())

    def _lay_out(self, spec: LayerSpec) -> None:
        head = QHBoxLayout()
        head.setSpacing(_GRIP_GAP)
        self._grip = Grip()
        head.addWidget(self._grip)
        head.addWidget(self.check, 1)
        head.addWidget(self._letter)
        settings = QGridLayout()
        settings.setVerticalSpacing(SPACE)
        settings.addWidget(QLabel("Opacity"), 0, 0)
        settings.addWidget(self._slider, 0, 1)
        settings.addWidget(self.busy, 0, 2)
        settings.setColumnStretch(1, 1)
        for line, choice in enumerate(spec.choices, 1):
            settings.addWidget(QLabel(choice.name), line, 0)
            settings.addWidget(self._combos[choice.id], line, 1, 1, 2)
        self._about.setContentsMargins(_GRIP_WIDTH + _GRIP_GAP, 0, 0, 0)
        details = QVBoxLayout(self._details)
        details.setContentsMargins(_GRIP_WIDTH + _GRIP_GAP, 0, 0, 0)
        details.setSpacing(SPACE)
        details.addLayout(settings)
        details.addWidget(self.key)
        details.addWidget(self._offer, 0, Qt.AlignmentFlag.AlignLeft)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, SPACE)
        layout.setSpacing(SPACE)
        layout.addLayout(head)
        layout.addWidget(self._about)
        layout.addWidget(self._details)

    def _connect(self) -> None:
        self.check.toggled.connect(self._details.setVisible)
        self.check.toggled.connect(self.toggled)
        self._slider.valueChanged.connect(self._take_opacity)
        spare_from_wheel(self._slider, *self._combos.values())
        for choice, combo in self._combos.items():
            combo.currentIndexChanged.connect(partial(self._take_choice, choice))
        for key, steps in (("Alt+Up", -1), ("Alt+Down", 1)):
            shortcut = QShortcut(QKeySequence(key), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(partial(self.moved_by.emit, steps))
        self._grip.pulled.connect(self._on_pull)
        self._grip.released.connect(self.dropped)

    def set_key(self, key: str) -> None:
        """Name the key that shows or hides the layer."""
        self._letter.setText(key)
        self._letter.setToolTip(key and f"{key} shows or hides this layer")
        self.check.setToolTip(keyed(self._spec.about, key))

    def offer(self, action: QAction | None) -> None:
        """Let a button do what fills the layer, or let there be none."""
        if action is not None:
            self._offer.setDefaultAction(action)
        self._offer.setVisible(action is not None)

    def set_state(self, state: LayerState) -> None:
        """Show how the layer is."""
        with QSignalBlocker(self.check), QSignalBlocker(self._slider):
            self.check.setChecked(state.on)
            self._slider.setValue(round(state.opacity * _PERCENT))
        self._details.setVisible(state.on)
        self.key.set_opacity(state.opacity)
        for choice, combo in self._combos.items():
            with QSignalBlocker(combo):
                combo.setCurrentIndex(combo.findData(state.chosen[choice]))

    def set_busy(self, busy: bool) -> None:
        """Say that the next content is being computed, if it takes a while, or no longer."""
        if busy:
            self._patience.start()
        else:
            self._patience.stop()
            self.busy.hide()

    @override
    def set_theme(self, theme: Theme) -> None:
        for label in (self._letter, self._about, self.busy):
            palette = label.palette()
            palette.setColor(palette.ColorRole.WindowText, QColor(theme.muted))
            label.setPalette(palette)

    def _take_opacity(self, percent: int) -> None:
        self.key.set_opacity(percent / _PERCENT)
        self.opacity_changed.emit(percent / _PERCENT)

    def _take_choice(self, choice: str, index: int) -> None:
        self.choice_changed.emit(choice, self._combos[choice].itemData(index))

    def _on_pull(self, y: int) -> None:
        self.pointer_y = self.mapToParent(self._grip.mapToParent(QPoint(0, y))).y()
        self.dragged.emit()


def _combo(spec: LayerSpec, choice: Choice) -> QComboBox:
    combo = QComboBox()
    for value, text in choice.options:
        combo.addItem(text, value)
    combo.setAccessibleName(f"{spec.name}, {choice.name.lower()}")
    combo.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(8)
    combo.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return combo


class Grip(QWidget):
    """Six dots to drag a row by."""

    pulled = Signal(int)
    released = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setFixedWidth(_GRIP_WIDTH)
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self.setToolTip("Drag to change the order, or press Alt+Up and Alt+Down")

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        event.setAccepted(event.button() == Qt.MouseButton.LeftButton)

    @override
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.pulled.emit(event.position().toPoint().y())

    @override
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.pulled.emit(event.position().toPoint().y())
            self.released.emit()

    @override
    def paintEvent(self, _event: QPaintEvent) -> None:
        color = QColor(current_theme().muted)
        with QPainter(self) as painter:
            middle = self.rect().center()
            for x in (-2, 2):
                for y in (-4, 0, 4):
                    painter.fillRect(middle.x() + x, middle.y() + y, _DOT, _DOT, color)
