from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QSignalSpy
from PySide6.QtWidgets import QComboBox, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from tests.support.widgets import expose
from vae_explorer.gui.compare.side import SidePanel
from vae_explorer.session.compare.sides import SideInfo


@pytest.fixture
def panel(qtbot: QtBot) -> SidePanel:
    return expose(qtbot, SidePanel("A"))


def test_a_file_s_name_is_no_markup(panel: SidePanel) -> None:
    name = "<b>bold</b>"
    panel.set_info(SideInfo(name, Path(f"{name}.safetensors"), "test", 1.0, "elbo", ""))
    assert panel.message.text() == "Encoding the images by <b>bold</b>…"
    (text,) = panel.message.findChildren(QLabel)
    assert text.textFormat() == Qt.TextFormat.PlainText
    assert panel.models.currentText() == name


def test_without_a_model_a_file_can_be_opened(qtbot: QtBot, panel: SidePanel) -> None:
    asked = QSignalSpy(panel.open_requested)
    qtbot.mouseClick(panel.message.findChild(QPushButton), Qt.MouseButton.LeftButton)
    assert asked.count() == 1
    assert panel.message.size() == panel.map.size()


def test_the_same_file_joins_the_choices_once(panel: SidePanel) -> None:
    info = SideInfo("new", Path("new.safetensors"), "train", 1.0, "elbo", "")
    panel.set_info(info)
    panel.set_info(info)
    texts = [panel.models.itemText(row) for row in range(panel.models.count())]
    assert texts == ["The model on the map", "new", "Open…"]


def test_every_part_is_named_for_assistive_tools(panel: SidePanel) -> None:
    parts = (*panel.findChildren(QComboBox), panel.digit, panel.map.canvas)
    names = [part.accessibleName() for part in parts if part.isVisible()]
    assert all(names)
    assert "What A shows" in [label.accessibleName() for label in panel.findChildren(QLabel)]
