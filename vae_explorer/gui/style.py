"""The style of the widgets: Qt's Fusion, with boxes that tell by colour what is on."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter
from PySide6.QtWidgets import QProxyStyle, QStyle, QStyleOption, QWidget
from typing_extensions import override

from vae_explorer.gui.theme import current_theme
from vae_explorer.gui.widgets.icons import icon, paint_sign

_ELEMENT, _STATE = QStyle.PrimitiveElement, QStyle.StateFlag
_ICONS = {
    QStyle.StandardPixmap.SP_TitleBarCloseButton: "close",
    QStyle.StandardPixmap.SP_TitleBarNormalButton: "float",
    QStyle.StandardPixmap.SP_DockWidgetCloseButton: "close",
}
_BOXES = {
    _ELEMENT.PE_IndicatorCheckBox,
    _ELEMENT.PE_IndicatorItemViewItemCheck,
    _ELEMENT.PE_IndicatorRadioButton,
}


class Style(QProxyStyle):
    """Fusion, but for check boxes, radio buttons, the buttons of docks, and frames of groups.

    Fusion outlines a box in a colour close to the window's, and ticks it in one close to the box's.
    """

    def __init__(self) -> None:
        super().__init__("Fusion")

    @override
    def standardIcon(
        self,
        which: QStyle.StandardPixmap,
        option: QStyleOption | None = None,
        widget: QWidget | None = None,
    ) -> QIcon:
        name = _ICONS.get(which)
        return icon(name) if name else super().standardIcon(which, option, widget)

    @override
    def drawPrimitive(
        self,
        element: QStyle.PrimitiveElement,
        option: QStyleOption,
        painter: QPainter,
        widget: QWidget | None = None,
    ) -> None:
        if element in _BOXES:
            painter.save()
            _paint_box(painter, option, round_=element is _ELEMENT.PE_IndicatorRadioButton)
            painter.restore()
        elif element is not _ELEMENT.PE_FrameGroupBox:  # their titles and the room between do
            super().drawPrimitive(element, option, painter, widget)


def _paint_box(painter: QPainter, option: QStyleOption, *, round_: bool) -> None:
    theme, state = current_theme(), option.state
    side = min(option.rect.width(), option.rect.height())
    box = QRectF(0, 0, side - 1, side - 1)
    box.moveCenter(QRectF(option.rect).center())
    box.moveTo(round(box.left()) + 0.5, round(box.top()) + 0.5)
    on = bool(state & (_STATE.State_On | _STATE.State_NoChange))
    lively = bool(state & (_STATE.State_MouseOver | _STATE.State_HasFocus)) or on
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if not state & _STATE.State_Enabled:
        painter.setOpacity(0.5)
    painter.setPen(QColor(theme.accent if lively else theme.muted))
    painter.setBrush(QColor(theme.accent if on else theme.canvas))
    radius = side / 2 if round_ else 3
    painter.drawRoundedRect(box, radius, radius)
    if on and round_:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.canvas))
        painter.drawEllipse(box.center(), side / 5, side / 5)
    elif on:
        sign = "some" if state & _STATE.State_NoChange else "check"
        paint_sign(painter, sign, QRectF(box).adjusted(-0.5, -0.5, 0.5, 0.5), theme.canvas)
