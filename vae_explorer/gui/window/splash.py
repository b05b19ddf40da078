"""What is on screen while PyTorch loads."""

from PySide6.QtCore import QEvent, QRect, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPixmap
from PySide6.QtWidgets import QApplication, QSplashScreen, QWidget
from typing_extensions import override

from vae_explorer import __version__
from vae_explorer.gui.theme import current_theme

_WIDTH, _HEIGHT, _ICON = 420, 160, 96


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
