import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QProgressBar, QPushButton, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from tests.support.commands import USABLE, training_commands
from vae_explorer.gui.training.transport import NAMES, Transport
from vae_explorer.gui.widgets.readout import Readout
from vae_explorer.session.training.events import Phase, TrainingStatus


@pytest.fixture
def called() -> list[str]:
    """The commands that were run."""
    return []


@pytest.fixture
def transport(qtbot: QtBot, called: list[str]) -> Transport:
    transport = Transport()
    transport.set_commands(training_commands(lambda: transport.phase, called.append))
    qtbot.addWidget(transport)
    transport.resize(320, transport.sizeHint().height())
    with qtbot.waitExposed(transport):
        transport.show()
    return transport


def texts(transport: Transport) -> dict[str, str]:
    return {line.accessibleName(): line.text() for line in transport.findChildren(Readout)}


@pytest.mark.parametrize(
    ("phase", "usable"), USABLE.items(), ids=lambda value: getattr(value, "name", "")
)
def test_each_phase_offers_what_can_be_done(
    transport: Transport, phase: Phase, usable: set[str]
) -> None:
    transport.set_status(TrainingStatus(phase, 3.0, 20))
    buttons: dict[str, QWidget] = {"start": transport.start, **transport.buttons}
    assert {name for name, button in buttons.items() if button.isEnabled()} == usable
    assert {b for b, on in transport.offers().items() if on} == {buttons[n] for n in usable}


def test_all_of_it_is_one_row_of_a_narrow_dock(transport: Transport) -> None:
    buttons = [transport.start, *transport.buttons.values()]
    assert tuple(transport.buttons) == NAMES
    assert transport.minimumSizeHint().width() <= 320
    lefts = [button.mapTo(transport, button.rect().topLeft()).x() for button in buttons]
    assert lefts == sorted(lefts)
    middles = {button.mapTo(transport, button.rect().center()).y() for button in buttons}
    assert max(middles) - min(middles) <= 1
    for button in buttons:
        assert transport.rect().contains(button.mapTo(transport, button.rect().bottomRight()))
        assert button.width() >= button.minimumSizeHint().width()


def test_every_button_has_a_sign_a_name_and_a_tool_tip(transport: Transport) -> None:
    for button in transport.findChildren(QToolButton):
        assert not button.icon().isNull()
        name = QAccessible.queryAccessibleInterface(button).text(QAccessible.Text.Name)
        assert name
        assert len(button.toolTip()) > len(name)
    assert transport.buttons["step"].toolTip() == "Step: What it does (.)"


def test_each_button_runs_its_command(
    qtbot: QtBot, transport: Transport, called: list[str]
) -> None:
    qtbot.mouseClick(transport.findChild(QPushButton), Qt.MouseButton.LeftButton)
    transport.set_status(TrainingStatus(Phase.RUNNING, 1.0, 20))
    live = [name for name in NAMES if name != "new_seed"]
    for name in live:
        qtbot.mouseClick(transport.buttons[name], Qt.MouseButton.LeftButton)
    assert called == ["start", *live]


def test_pause_becomes_resume(transport: Transport) -> None:
    pause = transport.buttons["pause"]
    transport.set_status(TrainingStatus(Phase.RUNNING, 1.0, 20))
    running = pause.icon().cacheKey()
    assert pause.accessibleName() == "Pause"
    transport.set_status(TrainingStatus(Phase.PAUSED, 1.0, 20))
    assert pause.accessibleName() == "Resume"
    assert pause.icon().cacheKey() != running


def test_where_the_run_stands(transport: Transport) -> None:
    bar = transport.findChild(QProgressBar)
    transport.set_status(TrainingStatus(Phase.RUNNING, 5.0, 20, 9_100, 80, "cpu"))
    assert bar.value() / bar.maximum() == 0.25
    assert bar.text() == "25 % · 1 min 20 s left"
    assert texts(transport) == {"Epoch": "5.00 / 20", "State of the run": "9,100 images/s · cpu"}
    transport.set_status(TrainingStatus(Phase.IDLE))
    assert bar.value() == 0
    assert texts(transport) == {"Epoch": "0", "State of the run": "Ready"}


@pytest.mark.parametrize("epochs", [20, 10_000])
def test_the_counter_is_big_whole_and_stands_still(transport: Transport, epochs: int) -> None:
    counter = next(x for x in transport.findChildren(Readout) if x.accessibleName() == "Epoch")
    assert counter.fontMetrics().height() > 1.3 * transport.fontMetrics().height()
    widths = set()
    for epoch in (1.11, 4.44, 8.88):
        transport.set_status(TrainingStatus(Phase.RUNNING, epoch, epochs))
        widths.add(counter.width())
        assert counter.fontMetrics().horizontalAdvance(counter.text()) <= counter.width()
    assert len(widths) == 1
    assert transport.minimumSizeHint().width() <= 320


def test_wide_it_is_one_row(qtbot: QtBot, transport: Transport) -> None:
    tall = transport.sizeHint().height()
    transport.set_wide(True)
    transport.resize(1_200, 60)
    assert transport.sizeHint().height() < tall
    line = next(x for x in transport.findChildren(Readout) if x.accessibleName() != "Epoch")
    qtbot.waitUntil(lambda: line.width() > 150)
