from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from tests.support.widgets import expose
from vae_explorer.gui.widgets.readout import Readout


class _Requests(QObject):
    """Counts the layout requests that reach a widget."""

    count = 0

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.LayoutRequest
        return False


def _shown(qtbot: QtBot, child: QWidget) -> tuple[QWidget, _Requests]:
    window = QWidget()
    QVBoxLayout(window).addWidget(child)
    expose(qtbot, window)
    qtbot.wait(20)
    requests = _Requests(window)
    window.installEventFilter(requests)
    return window, requests


def test_a_new_text_lays_nothing_out(qtbot: QtBot) -> None:
    readout = Readout()
    _, requests = _shown(qtbot, readout)
    readout.set_text("a text of some length")
    qtbot.wait(20)
    label = readout.findChild(QLabel)
    assert label is not None
    assert label.text() == "a text of some length"
    assert label.size() == readout.size()
    assert requests.count == 0


def test_a_plain_label_does(qtbot: QtBot) -> None:
    label = QLabel()
    _, requests = _shown(qtbot, label)
    label.setText("a text of some length")
    qtbot.waitUntil(lambda: requests.count > 0)


def test_its_height_is_that_of_its_lines(qtbot: QtBot) -> None:
    readout = Readout(lines=2)
    qtbot.addWidget(readout)
    two = readout.sizeHint().height()
    readout.set_lines(1)
    assert readout.fontMetrics().lineSpacing() <= readout.sizeHint().height() < two


def test_one_that_grows_has_room_for_all_of_its_text_in_large_type_too(qtbot: QtBot) -> None:
    readout = Readout(growing=True)
    window, _ = _shown(qtbot, readout)
    window.resize(300, 300)
    readout.set_text("the effective sample size of the samples of the prior " * 2)
    label = readout.findChild(QLabel)
    assert label is not None

    def whole() -> bool:
        return readout.height() >= label.heightForWidth(label.width())

    qtbot.waitUntil(whole)
    font = readout.font()
    font.setPointSizeF(2 * font.pointSizeF())
    readout.setFont(font)
    qtbot.waitUntil(whole)
