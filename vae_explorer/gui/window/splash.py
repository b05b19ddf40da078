"""What is on screen while PyTorch loads: the map as it was, or else a splash."""

from PySide6.QtCore import QEvent, QMargins, QRect, Qt
from PySide6.QtGui import QCloseEvent, QColor, QFont, QPainter, QPixmap, QResizeEvent
from PySide6.QtWidgets import QApplication, QLabel, QSplashScreen, QWidget
from typing_extensions import override

from vae_explorer import __version__
from vae_explorer.gui.map.map_view import MapView
from vae_explorer.gui.theme import current_theme
from vae_explorer.gui.window.geometry import restore_geometry
from vae_explorer.session.map.state import MapPoints
from vae_explorer.types import Region

_WIDTH, _HEIGHT, _ICON = 420, 160, 96
_INDENT = 6


class Splash(QSplashScreen):
    """The icon, the name and the version, in the scheme's colours."""

    def __init__(self) -> None:
        theme = current_theme()
        pixmap = QPixmap(_WIDTH, _HEIGHT)
        pixmap.fill(QColor(theme.canvas))
        with QPainter(pixmap) as painter:
            icon = QApplication.windowIcon().pixmap(_ICON, _ICON)
            margin = (_HEIGHT - _ICON) // 2
            painter.drawPixmap(margin, margin, icon)
            text = QRect(2 * margin + _ICON, margin, _WIDTH - 3 * margin - _ICON, _ICON)
            painter.setPen(QColor(theme.text))
            painter.setFont(QFont(QApplication.font().family(), 18, QFont.Weight.DemiBold))
            top, bottom = Qt.AlignmentFlag.AlignTop, Qt.AlignmentFlag.AlignBottom
            painter.drawText(text, top, "VAE Explorer")
            painter.setFont(QApplication.font())
            painter.setPen(QColor(theme.muted))
            painter.drawText(text, bottom, f"version {__version__}\nLoading PyTorch and the model…")
        super().__init__(pixmap)

    @override
    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Show:
            # QSplashScreen would wait here for its window, which Qt maps only after this event,
            # and so would always wait the whole second it allows.
            return QWidget.event(self, event)
        return super().event(event)


class MapAlone(QWidget):
    """The map where that of the window will be, to look at: points are told, moved and magnified.

    Attributes:
        closed: a person wants no window any more.
    """

    def __init__(
        self, points: MapPoints, geometry: str, around: tuple[int, ...] = (0, 0, 0, 0)
    ) -> None:
        super().__init__()
        self.closed = False
        self.setWindowTitle("VAE Explorer")
        self._map = MapView()
        self._map.set_points(points)
        self._map.status.set_color_choices((("label", "Label"),), "label")
        self._fitted = self._map.canvas.view_box.targetRange()
        self._around = QMargins(*around)
        self._loading = QLabel("Loading PyTorch and the model…", self, indent=_INDENT)
        self._map.setParent(self)
        restore_geometry(self, geometry)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        whole, least = self.rect(), self._map.minimumSizeHint()
        middle = whole.marginsRemoved(self._around)
        if not (whole.contains(middle) and middle.contains(QRect(middle.topLeft(), least))):
            middle = whole.adjusted(0, 0, 0, -self._loading.sizeHint().height())
        self._map.setGeometry(middle)
        self._loading.setGeometry(whole.adjusted(0, middle.bottom() + 1, 0, 0))

    @property
    def region(self) -> Region | None:
        """What of the plane a person has moved or magnified to, if they have."""
        moved = self._map.canvas.view_box.targetRange() != self._fitted
        return self._map.region() if moved else None

    def finish(self, window: QWidget) -> None:
        """Go, now that the window is there."""
        window.raise_()
        self.hide()
        self.deleteLater()

    @override
    def closeEvent(self, event: QCloseEvent) -> None:
        # The program ends by its last window, which has yet to come.
        self.closed = True
        event.ignore()
