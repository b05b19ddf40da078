"""The panel of layers: which show, in what order, how strong, and what they mean."""

from collections.abc import Callable, Mapping
from functools import partial
from itertools import pairwise

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import (
    QAction,
    QColor,
)
from PySide6.QtWidgets import (
    QFrame,
    QStyle,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from vae_explorer.gui.map.layers.layer_row import LayerRow
from vae_explorer.gui.theme import MARGIN, SPACE, Theme, Themed, current_theme
from vae_explorer.gui.widgets.rows import Scrolled
from vae_explorer.session.map.layers import LAYERS, LayerState
from vae_explorer.session.map.marks import LayerContent

WIDTH = 260
"""The least width of the panel in usual type, logical pixels."""


class LayersPanel(Themed):
    """All layers, the topmost first; a row of a layer that shows unfolds.

    A row is moved by its grip, or by Alt+Up and Alt+Down while the focus is in it; it then waits
    for ``set_layers``.

    Signals; a layer is its id:
        toggled: show or hide a layer.
        opacity_changed: how strong it is to be, 0 to 1.
        moved: a layer, and its new position from the top.
        choice_changed: a layer, one of its choices, and the value chosen.

    No ``set_…()`` emits any of them.
    """

    toggled = Signal(str, bool)
    opacity_changed = Signal(str, float)
    moved = Signal(str, int)
    choice_changed = Signal(str, str, str)

    def __init__(self) -> None:
        super().__init__()
        self._action: Callable[[str], QAction] | None = None
        self._rows = {spec.id: LayerRow(spec) for spec in LAYERS}
        self._order = list(self._rows.values())
        self._content = QWidget()
        self._column = QVBoxLayout(self._content)
        self._column.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        self._column.setSpacing(SPACE)
        for layer, row in self._rows.items():
            row.toggled.connect(partial(self.toggled.emit, layer))
            row.opacity_changed.connect(partial(self.opacity_changed.emit, layer))
            row.choice_changed.connect(partial(self.choice_changed.emit, layer))
            row.moved_by.connect(partial(self._move_by, row))
            row.dragged.connect(partial(self._drag, row))
            row.dropped.connect(partial(self._drop, row))
            self._column.addWidget(row)
        self._column.addStretch(1)
        self._drop_line = QFrame(self._content)
        self._drop_line.setFixedHeight(2)
        self._drop_line.setAutoFillBackground(True)
        self._drop_line.hide()
        self._scroll = Scrolled(self._content)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._scroll)
        self.setAccessibleName("Layers")
        self._arrange(self._order)
        self.set_theme(current_theme())

    @override
    def minimumSizeHint(self) -> QSize:
        """So wide that no row is cut beside the scroll bar."""
        bar = self.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent)
        width = self._content.minimumSizeHint().width() + bar
        return QSize(max(WIDTH, width), super().minimumSizeHint().height())

    def set_layers(self, states: tuple[LayerState, ...]) -> None:
        """Show all layers as they are, the topmost first."""
        for state in states:
            self._rows[state.id].set_state(state)
        order = [self._rows[state.id] for state in states]
        if order != self._order:
            self._arrange(order)

    def set_content(self, layer: str, content: LayerContent) -> None:
        """Explain what a layer now shows."""
        row = self._rows[layer]
        row.key.set_content(content)
        row.offer(self._action(content.offer) if content.offer and self._action else None)

    def set_actions(self, action: Callable[[str], QAction]) -> None:
        """Let layers with nothing to show offer the commands that would fill them."""
        self._action = action

    def set_busy(self, layer: str, busy: bool) -> None:
        """Say that a layer's next content is being computed, or no longer."""
        self._rows[layer].set_busy(busy)

    def set_keys(self, keys: Mapping[str, str]) -> None:
        """Name the key of each layer, or none ("")."""
        for layer, key in keys.items():
            self._rows[layer].set_key(key)

    def set_current(self, layer: str, current: bool) -> None:
        """Explain a layer in grey while what it shows is of a model or an image before."""
        self._rows[layer].key.setEnabled(current)

    @override
    def set_theme(self, theme: Theme) -> None:
        palette = self._drop_line.palette()
        palette.setColor(palette.ColorRole.Window, QColor(theme.accent))
        self._drop_line.setPalette(palette)

    def _arrange(self, order: list[LayerRow]) -> None:
        self._order = order
        for position, row in enumerate(order):
            self._column.removeWidget(row)
            self._column.insertWidget(position, row)
        controls = [control for row in order for control in row.controls]
        for before, after in pairwise(controls):
            QWidget.setTabOrder(before, after)

    def _move_by(self, row: LayerRow, steps: int) -> None:
        position = self._order.index(row) + steps
        if 0 <= position < len(self._order):
            self.moved.emit(row.layer, position)
            self._column.activate()
            self._scroll.ensureWidgetVisible(row.check)

    def _drag(self, row: LayerRow) -> None:
        """Show where a row would go if it were dropped now."""
        position = self._position(row)
        others = [other for other in self._order if other is not row]
        last = others[-1].geometry().bottom() + 1
        y = others[position].y() - 2 if position < len(others) else last
        self._drop_line.setGeometry(MARGIN, y, self._content.width() - 2 * MARGIN, 2)
        self._drop_line.raise_()
        self._drop_line.show()
        self._scroll.ensureVisible(0, row.pointer_y, 0, 20)

    def _drop(self, row: LayerRow) -> None:
        self._drop_line.hide()
        position = self._position(row)
        if position != self._order.index(row):
            self.moved.emit(row.layer, position)

    def _position(self, row: LayerRow) -> int:
        """The rows above the pointer, the dragged one aside."""
        others = (other for other in self._order if other is not row)
        return sum(other.geometry().center().y() < row.pointer_y for other in others)
